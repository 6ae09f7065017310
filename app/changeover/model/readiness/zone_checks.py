"""Can the records of a service be changed to lead visitors elsewhere? What reading them found."""

from __future__ import annotations

from collections.abc import Sequence

from changeover.model.dns.dnssec import signing_findings
from changeover.model.dns.observed import ServerAnswer
from changeover.model.dns.records import AddressSet, address_set, same_answer, values_text
from changeover.model.finding import Finding, Level
from changeover.model.formatting import counted, duration
from changeover.model.readiness.snapshot import Snapshot
from changeover.model.runs.open_run import open_run_words
from changeover.model.runs.plan import ZoneReading, changes_to


def zone_findings(snapshot: Snapshot, to: str) -> list[Finding]:
    """What the records, the name servers and the journal say of sending visitors to `to`."""
    readable = [r for r in snapshot.readings if r.error is None]
    return [
        *_credential(snapshot),
        *_records_readable(snapshot),
        *_records_agree(snapshot, readable),
        *signing_findings(snapshot.signing),
        *_routing(snapshot, readable),
        *_answer_legal(snapshot, to, readable),
        *_type_change(snapshot, to, readable),
        *_ttl(snapshot, readable),
        *_order(snapshot, to),
        *_free(snapshot),
    ]


def _credential(snapshot: Snapshot) -> list[Finding]:
    found = []
    for reading in snapshot.readings:
        place = f"{reading.capabilities.label} account {reading.account}"
        if reading.error_kind in ("auth", "permission", "keyring", "not-approved"):
            text = f"{place}: {reading.error}"
            found.append(Finding(check="credential", level=Level.BLOCK, text=text, fix=reading.hint))
        elif reading.may_write is False:
            text = f"{place} can read zone {reading.zone} but may not change it"
            fix = "Give it the right to edit DNS records in this zone."
            found.append(Finding(check="credential", level=Level.BLOCK, text=text, fix=fix))
        elif reading.error is None:
            can = "may change" if reading.may_write else "can read"
            text = f"{place} {can} zone {reading.zone}"
            found.append(Finding(check="credential", level=Level.PASS, text=text))
    return found


def _records_readable(snapshot: Snapshot) -> list[Finding]:
    found = []
    for reading in snapshot.readings:
        if reading.error is None:
            text = f"Read {counted(len(snapshot.service.hostnames_in(reading.zone)), 'hostname')} in {reading.zone}"
            found.append(Finding(check="records-readable", level=Level.PASS, text=text))
        else:
            text = f"The records of {reading.zone} cannot be read at {reading.capabilities.label}: {reading.error}"
            found.append(Finding(check="records-readable", level=Level.BLOCK, text=text, fix=reading.hint))
    return found


def _records_agree(snapshot: Snapshot, readable: Sequence[ZoneReading]) -> list[Finding]:
    found = []
    wrong = [s for s in snapshot.servers if s.checked and s.error is not None]
    silent = sorted({f"{s.server} ({s.address})" for s in wrong if s.elsewhere is None})
    elsewhere = {(s.hostname, s.elsewhere): s for s in wrong if s.elsewhere is not None}
    found += [_in_another_zone(answer) for answer in elsewhere.values()]
    failing = sorted(
        {f"{s.server} at {t} of {s.hostname}" for s in snapshot.servers for t in s.failed if t in ("A", "AAAA")}
    )
    if failing:
        text = f"A name server fails at some addresses: {', '.join(failing)}"
        fix = "Visitors get along with the others. Look into that server's log."
        found.append(Finding(check="records-agree", level=Level.WARN, text=text, fix=fix))
    for name in snapshot.service.hostnames:
        zone = snapshot.service.zone_of(name)
        expected = [address_set(r.records.get(name, ())) for r in readable if r.zone == zone]
        if any(not same_answer(expected[0], other) for other in expected[1:]):
            text = f"The DNS providers of {zone} disagree about {name}: {' / '.join(map(values_text, expected))}"
            found.append(_disagreement(text))
        if not expected or any(r.opaque for r in expected[0]) or name in _wildcards(readable):
            continue
        said = [s for s in snapshot.servers if s.hostname == name and s.error is None]
        for other in [s for s in said if not s.gives(expected[0])]:
            text = (
                f"{other.server} gives {values_text(other.records)} for {name}, "
                f"the provider has {values_text(expected[0])}"
            )
            found.append(_disagreement(text))
    if silent and readable:
        answering = any(s.error is None for s in snapshot.servers)
        text = f"No answer from {', '.join(silent)}"
        if not answering:
            text = f"No authoritative name server answers: {', '.join(silent)}"
        fix = "A switch ends incomplete unless a name server confirms it. Check your connection and the zone's servers."
        found.append(Finding(check="records-agree", level=Level.WARN, text=text, fix=fix))
    if not found and readable:
        text = "The authoritative name servers give what the provider has"
        found.append(Finding(check="records-agree", level=Level.PASS, text=text))
    return found


def _in_another_zone(answer: ServerAnswer) -> Finding:
    text = f"{answer.server} has {answer.hostname} in the zone {answer.elsewhere}, not in {answer.zone}"
    fix = f'Name that zone in the settings: zone = "{answer.elsewhere}". A record in {answer.zone} would serve nothing.'
    return Finding(check="records-agree", level=Level.BLOCK, text=text, fix=fix)


def _disagreement(text: str) -> Finding:
    fix = "A change may still be on its way: wait a minute. Else the zone is served by someone else than this account."
    return Finding(check="records-agree", level=Level.BLOCK, text=text, fix=fix)


def _wildcards(readable: Sequence[ZoneReading]) -> set[str]:
    return {name for reading in readable for name in reading.wildcards}


def _routing(snapshot: Snapshot, readable: Sequence[ZoneReading]) -> list[Finding]:
    found = []
    for reading in readable:
        for name, policy in reading.policies.items():
            text = f"{name} has a routing policy at {reading.capabilities.label}: {policy}"
            fix = "Changeover does not flatten policies. Replace it by plain records first, or switch it there."
            found.append(Finding(check="routing-policy", level=Level.BLOCK, text=text, fix=fix))
        for name in reading.wildcards:
            text = f"{name} has no records of its own; a wildcard answers for it"
            fix = f"Create records for {name} with what the wildcard gives, then try again."
            found.append(Finding(check="wildcard", level=Level.BLOCK, text=text, fix=fix))
    if not any(f.check == "routing-policy" for f in found) and readable:
        found.insert(0, Finding(check="routing-policy", level=Level.PASS, text="No routing policies on these names"))
    return found


def _answer_legal(snapshot: Snapshot, to: str, readable: Sequence[ZoneReading]) -> list[Finding]:
    found = []
    service = snapshot.service
    for reading in readable:
        can = reading.capabilities
        for name in service.hostnames_in(reading.zone):
            wanted = reading.wanted[to][name]
            for problem, fix in _illegal(name, reading, wanted):
                text = f"{can.label} cannot publish {values_text(wanted)} at {name}: {problem}"
                found.append(Finding(check="answer-legal", level=Level.BLOCK, text=text, fix=fix))
    if not found and readable:
        text = f"{to} can be published at {counted(len(service.hostnames), 'hostname')}"
        found.append(Finding(check="answer-legal", level=Level.PASS, text=text))
    return found


def _illegal(name: str, reading: ZoneReading, wanted: AddressSet) -> list[tuple[str, str]]:
    if not wanted:
        return [("an empty answer would take the name off the net", f"Give {name} an answer in the settings.")]
    types = {r.type for r in wanted}
    own = f'Give this hostname an answer of its own: answers."{name}" = {{ a = ["…"] }}.'
    problems = []
    if "CNAME" in types and name == reading.zone and not reading.capabilities.apex_cname:
        problems.append(("a CNAME cannot stand at a zone's apex (RFC 1034, 3.6.2)", own))
    elif "CNAME" in types and not reading.capabilities.apex_cname:
        beside = sorted({r.type for r in reading.records.get(name, ())} - {r.type for r in wanted} - _ADDRESS)
        if beside:
            fix = f"Move the {', '.join(beside)} records to another name, or give {name} addresses instead."
            problems.append((f"a CNAME cannot stand beside {', '.join(beside)} (RFC 1034, 3.6.2)", fix))
    elif "CNAME" in types and name != reading.zone:
        beside = sorted({r.type for r in reading.records.get(name, ())} - _ADDRESS - {"TXT", "MX", "CAA"})
        if beside:
            fix = f"Move the {', '.join(beside)} records to another name."
            problems.append((f"a CNAME cannot stand beside {', '.join(beside)}", fix))
    if types & {"ALIAS", "ANAME"} and not reading.capabilities.apex_alias:
        problems.append(("this provider has no alias records that Changeover can write", own))
    return problems


_ADDRESS = {"A", "AAAA", "CNAME", "ALIAS", "ANAME", "HTTPS", "SVCB", "RRSIG", "NSEC", "NSEC3"}


def _type_change(snapshot: Snapshot, to: str, readable: Sequence[ZoneReading]) -> list[Finding]:
    by_kind: dict[tuple[str, str, bool], list[str]] = {}
    for change in changes_to(snapshot.service, to, readable):
        can = next(r.capabilities for r in readable if r.account == change.account and r.zone == change.zone)
        if change.changes_type and change.before and (can.batch is None or not can.propagates_atomically):
            kinds = f"{'+'.join(r.type for r in change.before)} to {'+'.join(r.type for r in change.after)}"
            by_kind.setdefault((kinds, can.label, can.batch is None), []).append(change.name)
    found = []
    for (kinds, label, gap), names in by_kind.items():
        which = f"{' and '.join(names)} {'changes' if len(names) == 1 else 'change'} from {kinds}"
        if gap:
            text = f"{which}; {label} cannot do that in one operation"
            fix = "Expect a moment without an answer, which resolvers may remember for the zone's negative TTL."
        else:
            text = f"{which}: a server of {label} may lack an answer for a few seconds"
            fix = "Nothing to do: it is one transaction, but records reach the servers one by one."
        found.append(Finding(check="type-change-gap", level=Level.WARN, text=text, fix=fix))
    if not found and readable:
        text = "No name is without an answer at any moment"
        found.append(Finding(check="type-change-gap", level=Level.PASS, text=text))
    return found


def _ttl(snapshot: Snapshot, readable: Sequence[ZoneReading]) -> list[Finding]:
    service = snapshot.service
    live = [
        (reading.capabilities.seconds(r), r)
        for reading in readable
        for name in service.hostnames
        for r in address_set(reading.records.get(name, ()))
    ]
    if not live:
        return []
    seconds, longest = max(live, key=lambda pair: pair[0])
    if seconds > service.ttl:
        text = (
            f"{longest.name} {longest.type} has a TTL of {duration(seconds)}: some visitors follow only after that time"
        )
        fix = f"Lower it to {service.ttl} s now; it counts once {duration(seconds)} have passed."
        return [Finding(check="ttl", level=Level.WARN, text=text, fix=fix)]
    low = [r for r in readable if service.ttl < r.capabilities.least_ttl]
    if low:
        can = low[0].capabilities
        text = f"ttl = {service.ttl} is below what {can.label} takes; it will be {can.least_ttl} s"
        fix = f"Set ttl = {can.least_ttl}."
        return [Finding(check="ttl", level=Level.WARN, text=text, fix=fix)]
    follow = f"within {duration(seconds)}" if seconds else "as soon as the provider's edge does"
    return [Finding(check="ttl", level=Level.PASS, text=f"Visitors follow {follow}")]


def _order(snapshot: Snapshot, to: str) -> list[Finding]:
    """Services that go before this one are there already."""
    found = []
    for name, here in snapshot.earlier.items():
        if here == to:
            text = f"{name}, which goes before {snapshot.service.name}, is on {to} already"
            found.append(Finding(check="order", level=Level.PASS, text=text))
        else:
            text = f"{name} goes before {snapshot.service.name}, and is still on {here}"
            fix = f"Switch it first: changeover switch {name} --to {to}"
            found.append(Finding(check="order", level=Level.BLOCK, text=text, fix=fix))
    return found


def _free(snapshot: Snapshot) -> list[Finding]:
    service = snapshot.service.name
    found = []
    if snapshot.unrecorded is not None:
        text = f"Whether a run of {service} is unfinished is not known"
        found.append(Finding(check="unfinished-run", level=Level.BLOCK, text=text, fix=snapshot.unrecorded))
    elif snapshot.unfinished_run is not None:
        run = snapshot.unfinished_run
        text = f"Run {run} of {service} is not finished"
        fix = f"Look at it with: changeover report {run}. Then resume, undo or accept it."
        unreadable = next((r for r in snapshot.runs if r.run == run and r.unreadable), None)
        if unreadable is not None:
            text, fix = open_run_words(unreadable)
        found.append(Finding(check="unfinished-run", level=Level.BLOCK, text=text, fix=fix))
    else:
        found.append(Finding(check="unfinished-run", level=Level.PASS, text="No unfinished run"))
    if snapshot.locked:
        text = f"Another Changeover is working on {service} right now"
        fix = "Wait until it is done, or look for another window or terminal on this computer."
        found.append(Finding(check="lock", level=Level.BLOCK, text=text, fix=fix))
    else:
        found.append(Finding(check="lock", level=Level.PASS, text="Nobody else is working on it"))
    return found
