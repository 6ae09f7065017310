"""Judging what authoritative servers say after a change: have all taken it over, at each of their addresses?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from changeover.model.dns.change import Change
from changeover.model.dns.observed import ServerAnswer
from changeover.model.dns.propagation import Serial, serial_words
from changeover.model.dns.records import same_answer, values_text
from changeover.model.formatting import counted, duration
from changeover.model.runs.run import StepState


class Verdict(NamedTuple):
    """How a step stands, and what there is to say about it."""

    state: StepState
    text: str


def judge_servers(
    answers: Sequence[ServerAnswer], changes: Sequence[Change], serials: Sequence[Serial] = (), needed: str = "half"
) -> Verdict:
    """DONE: each address that answers gives the new address sets, and each server answers at one at least.

    WARNING: some server is silent, or has another version of the zone than the others. UNKNOWN: an address gives
    something else, or fewer of a zone's servers answer for a hostname than are `needed`: "one", "half" of them, or
    "all". Addresses that cannot be reached from here count for nothing.
    """
    wanted = {change.name: change for change in changes}
    checked = [answer for answer in answers if answer.checked]
    spoke = {(answer.server, answer.hostname) for answer in checked if answer.error is None}
    good = {server for server, _ in spoke}
    mute = {a.server: a.error for a in reversed(checked) if (a.server, a.hostname) not in spoke}
    silent = [f"{server}: {mute[server]}" for server in dict.fromkeys(a.server for a in checked) if server in mute]
    said = [answer for answer in checked if answer.error is None and answer.hostname in wanted]
    wrong = [answer for answer in said if not _agrees(answer, wanted[answer.hostname])]
    if wrong:
        first = {answer.server: answer for answer in reversed(wrong)}
        return Verdict(StepState.UNKNOWN, "; ".join(_wrong(first[name], serials) for name in sorted(first)))
    if not good:
        return Verdict(StepState.UNKNOWN, f"no name server answers ({'; '.join(silent) or 'none could be asked'})")
    asked = {answer.hostname: set[str]() for answer in answers}
    for answer in checked:
        asked[answer.hostname].add(answer.server)
    short = {a.zone for a in answers if not _enough(asked[a.hostname], spoke, a.hostname, needed)}
    if short:
        wanted_words = {"all": "all of them", "half": "half of them"}.get(needed, "one")
        text = f"too few name servers of {min(short)} answer: {wanted_words} must give the new answer"
        return Verdict(StepState.UNKNOWN, f"{text} (silent: {'; '.join(silent) or 'none could be asked'})")
    faults = [f"silent: {'; '.join(silent)}"] if silent else []
    failing = {(a.server, t, a.hostname) for a in said for t in a.failed if t in ("A", "AAAA")}
    faults += [f"{server} fails at {rtype} of {name}" for server, rtype, name in sorted(failing)]
    if lagging := serial_words(serials):
        faults.append(f"but they have different versions of the zone: {lagging}")
    text = f"{counted(len(good), 'name server gives', 'name servers give')} the new answer"
    if faults:
        return Verdict(StepState.WARNING, "; ".join((text, *faults)))
    return Verdict(StepState.DONE, text)


def _enough(servers: Collection[str], spoke: Collection[tuple[str, str]], hostname: str, needed: str) -> bool:
    """Do as many of the servers that were asked for a hostname say something of it as must? One must in any case."""
    answering = sum((server, hostname) in spoke for server in servers)
    enough = {"one": True, "half": 2 * answering >= len(servers)}.get(needed, answering == len(servers))
    return answering >= 1 and enough


def _agrees(answer: ServerAnswer, change: Change) -> bool:
    if not change.after:  # a name that is gone again may be answered by a wildcard: only its own records must be gone
        return not same_answer(answer.records, change.before)
    if not answer.gives(change.after):
        return False
    if not same_answer(change.before, change.after):
        return True
    wanted = {(r.type, r.ttl) for r in change.after if r.type not in answer.failed}
    return {(r.type, r.ttl) for r in answer.records} == wanted


def _wrong(answer: ServerAnswer, serials: Sequence[Serial]) -> str:
    """One server that does not give the new answer. Where it gives none, resolvers keep even that for a time."""
    where = answer.server if answer.address in ("", answer.server) else f"{answer.server} ({answer.address})"
    if answer.records:
        return f"{where} still gives {values_text(answer.records)} for {answer.hostname}"
    what = "does not exist" if answer.nonexistent else "has no address"
    kept = next((s.negative_ttl for s in serials if s.address == answer.address and s.zone == answer.zone), None)
    until = f"; whoever asks it now keeps that for up to {duration(kept)}" if kept is not None else ""
    return f"{where} says that {answer.hostname} {what}{until}"
