"""Every readiness check: when it passes, warns and blocks, what it says, and who may override it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from changeover.model.databases.database_observation import DatabaseObservation
from changeover.model.databases.kept_database import KeptDatabase
from changeover.model.dns.capabilities import BatchLimit
from changeover.model.dns.dnssec import Signing
from changeover.model.dns.observed import RoutingName
from changeover.model.dns.records import RecordSet, record_set
from changeover.model.finding import CHECKS, Finding, Level, overridden, unknown_override, worst
from changeover.model.health.check import HealthCheck, JourneyResult
from changeover.model.health.connectivity import Connection, Connectivity, Evidence
from changeover.model.health.local_fault import LocalFault, LocalFaultKind
from changeover.model.health.status_page import StatusPage
from changeover.model.health.track import State
from changeover.model.platforms.platform_observation import KeptObservation, PlatformObservation, Process
from changeover.model.readiness.all_checks import findings
from changeover.model.readiness.drift import drifts
from changeover.model.readiness.freeze import Freeze
from changeover.model.readiness.observation import Observation
from changeover.model.readiness.pin import Hold, Pin
from changeover.model.runs.run import Acknowledged, Outcome
from changeover.model.settings.acting_parts import ActingPart, Unapproved, action_place
from changeover.model.settings.action import Action, CommandLine, Phase
from changeover.model.settings.deployment_database import DeploymentDatabase
from changeover.model.settings.service import Answer, Service
from model.snapshots import (
    APEX,
    BACKUP,
    PRIMARY,
    WWW,
    certificate,
    health_of,
    observed,
    reading,
    result,
    servers,
    service,
    snapshot,
)
from model.strategies import NOW, capabilities
from model.switches import switched

ELSEWHERE = {name: (record_set(name, "A", 60, ["192.0.2.99"]),) for name in (WWW, APEX)}
#: CONTRACT: what may never be overridden, and what in an emergency only. `wildcard` and `records-readable` are beside
#: the contract's list: without records of its own, or without readable ones, there is no plan that could be run.
NEVER = {"answer-legal", "routing-policy", "unfinished-run", "lock", "wildcard", "records-readable"}
ONLY_FAULTS = {
    *("wildcard", "pinned", "maintenance", "records-changed", "recent-switch"),
    *("trust", "freeze", "lease", "ownership", "fenced"),
}
#: What has nothing to say where visitors leave the primary.
ONLY_BACK = {"failback"}
EMERGENCY_ONLY = {"target-answers", "marker", "certificate", "routing-name", "journeys", "trust", "freeze", "lease"}


def found(there: Observation, check: str, emergency: bool = False) -> list[Finding]:
    return [f for f in findings(there, "backup", emergency) if f.check == check]


def read(records: dict[str, Any] = PRIMARY, **more: Any) -> dict[str, Any]:
    """Fields of a snapshot in which the account reads this."""
    return {"readings": (reading(records, **more),)}


def backup(**more: Any) -> dict[str, Any]:
    """Fields of a snapshot in which the backup's last answer was this."""
    health = more.pop("health", "healthy")
    well = {"primary": health_of("primary", "healthy")}
    return {"health": {**well, "backup": health_of("backup", health, result("backup", **more))}}


def primary(health: str) -> dict[str, Any]:
    bad = result("primary", ok=False, reason="503, expected 200-399")
    return {"health": {"primary": health_of("primary", health, bad), "backup": health_of("backup", "healthy")}}


def with_www(*records: RecordSet) -> dict[str, Any]:
    return {**PRIMARY, WWW: (*PRIMARY[WWW], *records)}


UNREADABLE = {"records": {}, "wanted": {}, "error": "it says no", "hint": "do this"}
STEP_BY_STEP = capabilities(None)
EVENTUAL = replace(capabilities(BatchLimit()), propagates_atomically=False)
HERITAGE = RecordSet(name=APEX, type="TXT", ttl=60, values=('"heritage=external-dns,external-dns/owner=prod"',))
TXT = RecordSet(name=WWW, type="TXT", ttl=60, values=('"x"',))
TO_CNAME = {"wanted": {"primary": PRIMARY, "backup": {**BACKUP, WWW: (record_set(WWW, "CNAME", 60, ["b.example"]),)}}}
APEX_CNAME = {"wanted": {"primary": PRIMARY, "backup": {**BACKUP, APEX: (record_set(APEX, "CNAME", 60, ["b.net"]),)}}}
APEX_ALIAS = {"wanted": {"primary": PRIMARY, "backup": {**BACKUP, APEX: (record_set(APEX, "ALIAS", 60, ["b.net"]),)}}}
EMPTY = {"wanted": {"primary": PRIMARY, "backup": {**BACKUP, WWW: ()}}}
FLATTENING = replace(capabilities(None), apex_cname=True, apex_alias=True)
NO_MARKER = replace(service(), deployments=tuple(replace(d, marker=None) for d in service().deployments))
LONG = {**PRIMARY, WWW: (record_set(WWW, "CNAME", 3600, ["edge.example.net"]),)}
OPAQUE = {**PRIMARY, WWW: (replace(PRIMARY[WWW][0], ttl=86400, opaque=True),)}
SLOW_PROVIDER = replace(capabilities(None), least_ttl=300)

SERVER = DatabaseObservation(
    role="primary", read_at=NOW, tls="verified", version="15", system="7", timeline=2, position=5_000_000
)
#: A standby that has everything.
STANDBY = replace(SERVER, role="standby", streaming=True, received=5_000_000)


def with_databases(of: Service) -> Service:
    named = (replace(d, database=DeploymentDatabase(kind="postgresql", secret=d.name)) for d in of.deployments)
    return replace(of, deployments=tuple(named))


def replicating(standby: DatabaseObservation = STANDBY) -> dict[str, Any]:
    """Fields of a snapshot in which the databases of both said this."""
    at = NOW - timedelta(minutes=2)
    both = {"primary": SERVER, "backup": standby}
    return {"databases": {name: KeptDatabase(at=at, observation=said) for name, said in both.items()}}


WITH_NAME = replace(
    service(),
    deployments=(service().primary, replace(service().deployments[1], answer=Answer(cname="edge.example.net"))),
)


def connection(link: Connectivity = Connectivity.ONLINE, kind: LocalFaultKind | None = None, **more: Any) -> Connection:
    asked = Evidence(kind="tcp", witness="tcp://192.0.2.9:443", ok=link is Connectivity.ONLINE, text="asked")
    fault = LocalFault(kind=kind) if kind is not None else None
    return Connection(at=NOW, link=link, fault=fault, evidence=(asked,), **more)


def pinned(hold: Hold) -> dict[str, Pin]:
    until = NOW + timedelta(hours=4)
    return {"backup": Pin(service="shop", deployment="backup", hold=hold, reason="old data", set_at=NOW, until=until)}


def names(resolved: list[str] | None, own: list[str] | None) -> tuple[RoutingName, ...]:
    public, theirs = (None if found is None else tuple(found) for found in (resolved, own))
    return (RoutingName(name="edge.example.net", resolved=public, own=theirs),)


def proven(seconds: float | None) -> dict[str, Any]:
    """Fields of a snapshot in which all of the backup answered well so many seconds ago."""
    when = None if seconds is None else NOW - timedelta(seconds=seconds)
    healths = {name: health_of(name, "healthy") for name in ("primary", "backup")}
    return {"health": {**healths, "backup": replace(healths["backup"], proven=when)}}


def ran(primary: dict[str, Any], backup: dict[str, Any]) -> dict[str, Any]:
    """Fields of a snapshot in which the platforms of both said this five minutes ago."""
    pairs = (("primary", primary), ("backup", backup))
    seen = {name: PlatformObservation(**{"wanted": 1, "maintenance": False, **fields}) for name, fields in pairs}
    at = NOW - timedelta(minutes=5)
    return {"platforms": {name: KeptObservation(at=at, observation=one) for name, one in seen.items()}}


SERVED = {"hostnames": (WWW, APEX)}


def worked(workers: int) -> dict[str, Any]:
    """Fields of a snapshot in which so many workers of the backup ran five minutes ago."""
    return ran({}, {"processes": (Process(name="web", wanted=2), Process(name="worker", wanted=9, running=workers))})


def said(ok: bool) -> tuple[StatusPage, ...]:
    """What the backup's status page says."""
    return (
        StatusPage(
            deployment="backup", url="https://status.example", ok=ok, text=f"its page is {('red', 'green')[ok]}"
        ),
    )


def walked(ok: bool | None, text: str) -> tuple[JourneyResult, ...]:
    """What came of one journey at the backup; that the primary's failed is nobody's business here."""
    at_backup = JourneyResult(journey="log in", deployment="backup", hostname=WWW, address="::1", ok=ok, text=text)
    return at_backup, replace(at_backup, deployment="primary", ok=False)


#: The same service, to whose backup visitors went before: "backup" is its primary now.
BACK_AGAIN = switched(720, source="backup", to="primary")
BACK = replace(service(), deployments=service().deployments[::-1])


def healthy_for(minutes: float) -> dict[str, Any]:
    """Fields of a watched snapshot in which the backup has been healthy for so long."""
    since = NOW - timedelta(minutes=minutes)
    healths = {name: replace(health_of(name, "healthy"), since=since) for name in ("primary", "backup")}
    return {"health": healths, "watched": True}


def frozen(of: str | None, minutes: float) -> tuple[Freeze, ...]:
    set_at, until = NOW - timedelta(hours=1), NOW + timedelta(minutes=minutes)
    return (Freeze(service=of, reason="a release", set_at=set_at, until=until, who="anna"),)


PROMOTE = Action(name="promote", phase=Phase.PROMOTE, operation=CommandLine(command=("promote",)))
ACTING = replace(service(), actions=(PROMOTE,))


def unapproved(was: bool = False) -> Observation:
    """The backup is promoted by a command that this computer has not approved as it is now."""
    place, words = action_place("shop", "promote"), "Action promote of shop"
    part = ActingPart(place=place, words=words, lines=(("does", "run promote"),), owner="service-shop")
    return observed(ACTING, unapproved=(Unapproved(part=part, was=(("does", "run true"),) if was else None),))


def changed(ago: float) -> Observation:
    """A run ended so many seconds ago, and then somebody changed a name."""
    runs = (switched(ago, source="backup", to="primary"),)
    there = snapshot(runs=runs, **read({**PRIMARY, WWW: BACKUP[WWW]}))
    return observed(snapshot=replace(there, drift=drifts(there)))


Case = tuple[str, str, Observation, str]
CASES: list[Case] = [
    ("credential", "pass", observed(), "a provider account dns may change zone shop.example"),
    ("credential", "pass", observed(**read(may_write=None)), "can read zone shop.example"),
    ("credential", "block", observed(**read(may_write=False)), "can read zone shop.example but may not change it"),
    ("credential", "block", observed(**read(**UNREADABLE, error_kind="auth")), "account dns: it says no"),
    ("credential", "block", observed(**read(**UNREADABLE, error_kind="permission")), "account dns: it says no"),
    ("credential", "block", observed(**read(**UNREADABLE, error_kind="keyring")), "account dns: it says no"),
    ("records-readable", "pass", observed(), "Read 2 hostnames in shop.example"),
    ("records-readable", "block", observed(**read(**UNREADABLE, error_kind="unavailable")), "it says no"),
    ("records-agree", "pass", observed(), "The authoritative name servers give what the provider has"),
    ("records-agree", "pass", observed(**read(OPAQUE), servers=servers(ELSEWHERE)[:1] + servers(PRIMARY)[1:]), ""),
    ("records-agree", "block", observed(servers=servers({**PRIMARY, WWW: BACKUP[WWW]})), "ns1.shop.example gives A"),
    (
        "records-agree",
        "block",
        observed(readings=(reading(PRIMARY), replace(reading(BACKUP), account="two"))),
        "disagree about www.shop.example",
    ),
    (
        "records-agree",
        "warn",
        observed(servers=(*servers(PRIMARY), *servers(PRIMARY, server="ns2", error="no answer"))),
        "No answer from ns2 (192.0.2.53)",
    ),
    (
        "records-agree",
        "warn",
        observed(servers=servers(PRIMARY, error="no answer")),
        "No authoritative name server answers: ns1.shop.example (192.0.2.53)",
    ),
    (
        "records-agree",
        "pass",
        observed(servers=(*servers(PRIMARY), *servers(PRIMARY, address="::1", error="no route", checked=False))),
        "give what the provider has",
    ),
    (
        "records-agree",
        "block",
        observed(servers=servers(PRIMARY, error="elsewhere", elsewhere="eu.shop.example")),
        "in the zone eu.shop.example, not in shop.example",
    ),
    (
        "records-agree",
        "warn",
        observed(servers=servers(PRIMARY, failed=("AAAA",))),
        "A name server fails at some addresses: ns1.shop.example at AAAA of",
    ),
    ("records-agree", "pass", observed(servers=servers(PRIMARY, failed=("HTTPS", "SVCB"))), "give what the provider"),
    ("routing-policy", "pass", observed(), "No routing policies"),
    ("routing-policy", "block", observed(**read(policies={WWW: "weighted, 3 records"})), "weighted, 3 records"),
    ("wildcard", "block", observed(**read(wildcards=(WWW,))), "www.shop.example has no records of its own"),
    ("answer-legal", "pass", observed(), "backup can be published at 2 hostnames"),
    ("answer-legal", "pass", observed(**read(with_www(TXT))), ""),
    ("answer-legal", "block", observed(**read(**EMPTY)), "an empty answer would take the name off the net"),
    ("answer-legal", "block", observed(**read(**APEX_CNAME)), "a CNAME cannot stand at a zone's apex"),
    ("answer-legal", "pass", observed(**read(**APEX_CNAME, capabilities=FLATTENING)), ""),
    ("answer-legal", "block", observed(**read(**APEX_ALIAS)), "no alias records"),
    ("answer-legal", "pass", observed(**read(**APEX_ALIAS, capabilities=FLATTENING)), ""),
    ("answer-legal", "block", observed(**read(with_www(TXT), **TO_CNAME)), "a CNAME cannot stand beside TXT"),
    ("answer-legal", "pass", observed(**read(with_www(TXT), **TO_CNAME, capabilities=FLATTENING)), ""),
    (
        "answer-legal",
        "block",
        observed(**read(with_www(replace(TXT, type="NS")), **TO_CNAME, capabilities=FLATTENING)),
        "a CNAME cannot stand beside NS",
    ),
    ("type-change-gap", "pass", observed(), "No name is without an answer at any moment"),
    ("type-change-gap", "pass", observed(**read(BACKUP, capabilities=STEP_BY_STEP)), ""),
    ("type-change-gap", "warn", observed(**read(capabilities=STEP_BY_STEP)), "cannot do that in one operation"),
    ("type-change-gap", "warn", observed(**read(capabilities=EVENTUAL)), "may lack an answer for a few seconds"),
    ("target-answers", "pass", observed(), "backup answers: 200 in 12 ms"),
    ("target-answers", "warn", observed(**backup(health="degraded", reason="sometimes")), "only in part: sometimes"),
    (
        "target-answers",
        "block",
        observed(**backup(health="unhealthy", ok=False, reason="connection refused")),
        "backup does not answer well: connection refused",
    ),
    (
        "target-answers",
        "block",
        observed(**backup(health="unknown", ok=None, reason="not checked: no route")),
        "backup is not proven to answer: not checked: no route",
    ),
    ("target-answers", "block", observed(health={}), "backup has not been checked yet"),
    ("marker", "pass", observed(), "backup says X-Deployment: backup"),
    ("marker", "warn", observed(NO_MARKER), "backup has no marker"),
    (
        "marker",
        "block",
        observed(**backup(marker_ok=False, marker_seen="primary")),
        "backup at 198.51.100.24 should say X-Deployment: backup, but says primary",
    ),
    ("marker", "block", observed(**backup(marker_ok=False, marker_seen=None)), "but says no such header"),
    ("marker", "block", observed(**backup(ok=False, marker_ok=None)), "The marker of backup could not be read"),
    ("certificate", "pass", observed(), "The certificate of backup is valid for 60 days more"),
    (
        "certificate",
        "warn",
        observed(**backup(certificate=certificate(30 - 1 / 24))),
        "valid for 29 days more",
    ),
    (
        "certificate",
        "block",
        observed(**backup(certificate=certificate((48 - 1 / 60) / 24))),
        "valid for 47 h 59 min more",
    ),
    (
        "certificate",
        "block",
        observed(**backup(ok=False, certificate_error="it is for another name", certificate=None)),
        "the certificate at 198.51.100.24 is not good for www.shop.example: it is for another name",
    ),
    ("certificate", "block", observed(**backup(ok=False, certificate=None)), "could not be read"),
    ("ttl", "pass", observed(), "Visitors follow within 1 min"),
    ("ttl", "warn", observed(**read(LONG)), "www.shop.example CNAME has a TTL of 1 h"),
    ("ttl", "warn", observed(**read(capabilities=SLOW_PROVIDER)), "ttl = 60 is below what a provider takes"),
    ("source-known", "pass", observed(), "Visitors reach primary now"),
    (
        "source-known",
        "block",
        observed(**read({**PRIMARY, WWW: BACKUP[WWW]})),
        "Visitors reach different deployments",
    ),
    ("source-known", "block", observed(**read(ELSEWHERE)), "none of this service's deployments"),
    ("source-known", "block", observed(readings=(), servers=()), "could not be read"),
    ("source-healthy", "pass", observed(), "primary is healthy"),
    ("source-healthy", "pass", observed(**primary("degraded")), "primary is degraded"),
    ("source-healthy", "pass", observed(**primary("unknown")), "primary is unknown"),
    ("source-healthy", "block", observed(**primary("unhealthy")), "primary is down: 503"),
    ("order", "pass", observed(earlier={"api": "backup"}), "api, which goes before shop, is on backup already"),
    ("order", "block", observed(earlier={"api": "primary"}), "api goes before shop, and is still on primary"),
    ("connection", "pass", observed(connection=connection()), "This computer is online."),
    (
        "connection",
        "block",
        observed(connection=connection(Connectivity.OFFLINE)),
        "This computer is offline.",
    ),
    (
        "connection",
        "block",
        observed(connection=connection(Connectivity.PORTAL, LocalFaultKind.PORTAL)),
        "A login page",
    ),
    ("connection", "warn", observed(connection=connection(kind=LocalFaultKind.DNS_SILENT)), "own DNS does not answer"),
    (
        "connection",
        "warn",
        observed(connection=connection(Connectivity.UNKNOWN, LocalFaultKind.ONLY_A_DEPLOYMENT)),
        "No witness answers",
    ),
    ("clock", "pass", observed(connection=connection(clock_ahead=-59.0)), "clock is right"),
    ("clock", "warn", observed(connection=connection(clock_ahead=-240.0)), "clock is 4 min behind"),
    ("clock", "warn", observed(connection=connection(clock_ahead=600.0)), "clock is 10 min ahead"),
    ("pinned", "block", observed(pins=pinned(Hold.NEVER)), "backup is taken out of use by a person: old data"),
    ("pinned", "warn", observed(pins=pinned(Hold.HEALTHY)), "backup is held healthy by a person: old data"),
    (
        "maintenance",
        "warn",
        observed(maintenance={"backup": NOW + timedelta(hours=2)}),
        "in maintenance for 2 h more",
    ),
    ("routing-name", "pass", observed(WITH_NAME, names=names(["192.0.2.1"], ["192.0.2.1"])), "leads to 192.0.2.1"),
    ("routing-name", "pass", observed(WITH_NAME, names=names(["192.0.2.1"], None)), "leads to 192.0.2.1"),
    ("routing-name", "block", observed(WITH_NAME, names=names([], [])), "edge.example.net has no address"),
    ("routing-name", "block", observed(WITH_NAME, names=names(None, [])), "edge.example.net has no address"),
    ("routing-name", "block", observed(WITH_NAME, names=names(["192.0.2.1"], [])), "gone at its own name servers"),
    ("routing-name", "warn", observed(WITH_NAME, names=names(None, ["192.0.2.1"])), "Resolvers do not find"),
    ("routing-name", "warn", observed(WITH_NAME, names=names(None, None)), "Resolvers do not find"),
    ("evidence", "pass", observed(watched=True, **proven(60)), "backup was last proven healthy 1 min ago"),
    ("evidence", "block", observed(watched=True, **proven(61)), "last proven healthy 1 min 1 s ago"),
    ("evidence", "block", observed(watched=True, **proven(None)), "was not seen to answer well"),
    ("platform-status", "pass", observed(status_pages=said(True)), "backup: its page is green"),
    ("platform-status", "warn", observed(status_pages=said(False)), "backup: its page is red"),
    ("journeys", "pass", observed(journeys=walked(True, "3 steps in 40 ms")), "backup, log in: 3 steps in 40 ms"),
    (
        "journeys",
        "block",
        observed(journeys=walked(False, "step 2 (GET /orders): 500")),
        "step 2 (GET /orders): 500",
    ),
    ("journeys", "warn", observed(journeys=walked(None, "not tried: locked")), "not tried: locked"),
    ("failback", "pass", observed(BACK, **healthy_for(60)), "backup has been healthy for 1 h"),
    ("failback", "warn", observed(BACK, **healthy_for(12)), "backup has been healthy for 12 min; 60 min is safer"),
    ("failback", "warn", observed(BACK), "for how long is not known, since nobody has watched it here"),
    (
        "recent-switch",
        "warn",
        observed(runs=(switched(720, emergency=True),)),
        "shop-1 ended 12 min ago; no other is",
    ),
    (
        "freeze",
        "block",
        observed(freezes=frozen("shop", 90)),
        "shop is frozen by anna for 1 h 30 min more: a release",
    ),
    ("trust", "block", unapproved(), "Action promote of shop is new outside Changeover, and may not act yet"),
    ("trust", "block", unapproved(was=True), "Action promote of shop has changed outside Changeover"),
    ("freeze", "block", observed(freezes=frozen(None, 1)), "Everything is frozen by anna for 1 min more: a release"),
    (
        "ownership",
        "warn",
        observed(**read({**PRIMARY, APEX: (*PRIMARY[APEX], HERITAGE)})),
        "external-dns (owner prod) keeps shop.example, and will put back what it has",
    ),
    ("dnssec", "pass", observed(signing=(Signing(zone=APEX, signed=("ns1",)),)), "is signed"),
    ("dnssec", "warn", observed(signing=(Signing(zone=APEX, signed=("ns1",), unsigned=("ns2",)),)), "no signatures"),
    ("platform", "pass", observed(**ran({}, SERVED)), "serves what its answer leads to, as it said 5 min ago"),
    ("platform", "warn", observed(**ran({"maintenance": True}, {})), "primary was in maintenance 5 min ago"),
    ("drift", "pass", observed(**ran({}, {})), "backup has what primary has, as their platforms said 5 min ago"),
    ("drift", "warn", observed(**ran({}, {"maintenance": True})), "backup is in maintenance"),
    ("database", "pass", observed(with_databases(service()), **replicating()), "everything that primary's has"),
    (
        "database",
        "block",
        observed(with_databases(service()), **replicating(replace(STANDBY, timeline=3))),
        "The database of backup has what primary's has not",
    ),
    (
        "fenced",
        "warn",
        observed(runs=(BACK_AGAIN,), **worked(2)),
        "backup works on while visitors are at primary",
    ),
    ("lease", "block", observed(lease="ben@desk is switching shop"), "ben@desk is switching shop"),
    ("records-changed", "warn", changed(300), "www.shop.example was changed in the last 5 min by somebody else: CNAME"),
    ("unfinished-run", "pass", observed(), "No unfinished run"),
    ("unfinished-run", "block", observed(unfinished_run="shop-4"), "Run shop-4 of shop is not finished"),
    ("lock", "pass", observed(), "Nobody else is working on it"),
    ("lock", "block", observed(locked=True), "Another Changeover is working on shop"),
]


@pytest.mark.parametrize(
    ("check", "level", "there", "words"), CASES, ids=[f"{c[0]}-{c[1]}-{n}" for n, c in enumerate(CASES)]
)
def test_each_check(check: str, level: str, there: Observation, words: str) -> None:
    """The worst finding of the check has this level and says this; warnings and blocks say what to do."""
    mine = found(there, check)
    assert worst(mine) == level, mine
    said = [f for f in mine if f.level == level]
    assert any(words in f.text for f in said), [f.text for f in said]
    assert all(f.fix for f in mine if f.level is not Level.PASS)


@pytest.mark.parametrize("emergency", [False, True], ids=["planned", "emergency"])
@pytest.mark.parametrize(("check", "level", "there", "words"), CASES, ids=[str(n) for n in range(len(CASES))])
def test_what_may_be_overridden(check: str, level: str, there: Observation, words: str, emergency: bool) -> None:
    """Only blocks; some never, the proofs of the target in an emergency only, everything else always."""
    for finding in findings(there, "backup", emergency):
        may = finding.check not in NEVER and (emergency or finding.check not in EMERGENCY_ONLY)
        assert finding.overridable is (finding.level is Level.BLOCK and may)
        assert finding.check in CHECKS


def test_every_check_is_in_the_table() -> None:
    """Each passes somewhere and blocks or warns somewhere; what is only ever a fault has nothing to pass."""
    seen = {(check, level) for check, level, _, _ in CASES}
    assert {check for check, _ in seen} == set(CHECKS)
    assert {check for check, level in seen if level == "pass"} == set(CHECKS) - ONLY_FAULTS
    assert {check for check, level in seen if level != "pass"} == set(CHECKS)


def test_a_service_that_is_ready_passes_everything() -> None:
    """In the order in which they are listed, each once."""
    more: dict[str, Any] = {
        "names": names(["192.0.2.1"], ["192.0.2.1"]),
        "earlier": {"api": "backup"},
        "status_pages": said(True),
    }
    more |= ran(SERVED, SERVED) | replicating()
    more |= {"journeys": walked(True, "fine"), "watched": True, "signing": (Signing(zone=APEX, signed=("ns1",)),)}
    passed = findings(observed(with_databases(WITH_NAME), connection=connection(clock_ahead=0.0), **more), "backup")
    assert {f.level for f in passed} == {Level.PASS}
    assert [f.check for f in passed] == [check for check in CHECKS if check not in ONLY_FAULTS | ONLY_BACK]


def test_only_what_a_switch_would_do_is_held_back() -> None:
    """Not an action for another target, nor one that an emergency leaves out."""
    there = unapproved()
    for action in (replace(PROMOTE, to=("elsewhere",)), replace(PROMOTE, name="other")):
        quiet = replace(there.snapshot, service=replace(ACTING, actions=(action,)))
        assert found(observed(snapshot=quiet), "trust") == []
    needing = replace(there.snapshot, service=replace(ACTING, actions=(replace(PROMOTE, needs="source"),)))
    assert len(found(observed(snapshot=needing), "trust")) == 1
    assert found(observed(snapshot=needing), "trust", emergency=True) == []


@pytest.mark.parametrize(("days", "words"), [(29, "30 days"), (20, "21 days"), (13, "14 days"), (6, "7 days")])
def test_a_certificate_is_spoken_of_earlier_the_nearer_its_end(days: int, words: str) -> None:
    """At 30, 21, 14 and 7 days, with who vouches for it."""
    (finding,) = found(observed(**backup(certificate=certificate(days))), "certificate")
    assert (finding.level, f"less than {words}" in finding.text) == (Level.WARN, True)
    assert "from R11" in finding.text


def test_a_computer_that_nobody_looked_at_is_not_spoken_of() -> None:
    """Neither where nothing failed, nor where the settings say that nobody is to be asked."""
    nobody = Connection(at=NOW, link=Connectivity.UNKNOWN)
    assert found(observed(), "connection") == found(observed(connection=nobody), "connection") == []


def test_stale_evidence_only_warns_in_an_emergency() -> None:
    """A planned switch waits for proof; in an emergency there may be none to wait for."""
    (finding,) = found(observed(watched=True, **proven(3600)), "evidence", emergency=True)
    assert finding.level is Level.WARN
    assert found(observed(**proven(3600)), "evidence") == []  # probes that were just sent are their own evidence


def test_a_deployment_that_changes_all_the_time_says_so() -> None:
    """It is not proven to be good, and a warning at the least."""
    flapping = replace(health_of("backup", "degraded"), state=State.FLAPPING)
    (finding,) = found(observed(health={"backup": flapping}), "target-answers")
    assert (finding.level, "changes between good and bad" in finding.text) == (Level.WARN, True)


def test_all_blocks_are_told_at_once() -> None:
    """Nobody repairs one thing to be shown the next."""
    worst_case = observed(
        **read({**PRIMARY, WWW: ()}, wildcards=(WWW,), policies={APEX: "geo"}, may_write=False, **EMPTY),
        servers=servers(BACKUP),
        **backup(health="unhealthy", ok=False, marker_ok=False, certificate_error="expired"),
        unfinished_run="shop-4",
        locked=True,
    )
    blocked = {f.check for f in findings(worst_case, "backup") if f.level is Level.BLOCK}
    assert blocked == {
        *("credential", "records-agree", "routing-policy", "wildcard", "answer-legal", "target-answers", "marker"),
        *("certificate", "source-known", "unfinished-run", "lock"),
    }


def test_a_dead_source_needs_the_word_emergency_and_then_warns() -> None:
    """The fix names the option; with it the same finding is a warning."""
    (planned,) = found(observed(**primary("unhealthy")), "source-healthy")
    (emergency,) = found(observed(**primary("unhealthy")), "source-healthy", emergency=True)
    assert (planned.level, "--emergency" in planned.fix) == (Level.BLOCK, True)
    assert emergency.level is Level.WARN


def test_a_person_may_say_where_visitors_should_be() -> None:
    """That they are elsewhere blocks: somebody else was faster."""
    (right,) = [f for f in findings(observed(), "backup", expected="primary") if f.check == "source-known"]
    (wrong,) = [f for f in findings(observed(), "backup", expected="backup") if f.check == "source-known"]
    assert (right.level, wrong.level) == (Level.PASS, Level.BLOCK)
    assert wrong.text == "Visitors are not at backup, as expected: primary"


def test_plain_http_has_no_certificate() -> None:
    """The check is left out."""
    plain = replace(service(), health=HealthCheck(scheme="http"))
    assert found(observed(plain), "certificate") == []


def test_an_override_keeps_its_reason_and_its_limits() -> None:
    """A block that may be overridden becomes a warning with the reason; another one stays, whatever is said."""
    there = observed(**read(ELSEWHERE), unfinished_run="shop-4", **backup(health="unhealthy", ok=False))
    reasons = dict.fromkeys(("source-known", "unfinished-run", "target-answers", "ttl"), "because")
    planned = {f.check: f for f in overridden(findings(there, "backup"), reasons)}
    assert (planned["source-known"].level, planned["source-known"].override) == (Level.WARN, "because")
    assert (planned["unfinished-run"].level, planned["unfinished-run"].override) == (Level.BLOCK, None)
    assert planned["target-answers"].level is Level.BLOCK
    assert (planned["ttl"].level, planned["ttl"].override) == (Level.PASS, None)
    emergency = {f.check: f for f in overridden(findings(there, "backup", emergency=True), reasons)}
    assert (emergency["target-answers"].level, emergency["target-answers"].override) == (Level.WARN, "because")


def test_names_of_checks() -> None:
    """What is no check is told; the worst level of nothing is a pass."""
    assert unknown_override(["ttl", "luck", "lock"]) == "luck"
    assert unknown_override(CHECKS) is None
    assert worst([]) is Level.PASS


def test_what_other_people_asked_for_ends_by_itself() -> None:
    """No freeze in force, an old switch, an acknowledged one: nothing is said."""
    acknowledged = switched(60, Outcome.COMPLETED, (30, Acknowledged()), emergency=True)
    for quiet in (
        observed(runs=(switched(3600, emergency=True),)),
        observed(runs=(acknowledged,)),
        observed(runs=(switched(60),)),
    ):
        assert found(quiet, "freeze") == found(quiet, "recent-switch") == []


def test_going_back_is_asked_for_patience_in_a_plan_only() -> None:
    """An emergency does not wait; away from the primary, or to a sick one, other checks speak."""
    assert found(observed(BACK, **healthy_for(12)), "failback", emergency=True) == []
    assert found(observed(**healthy_for(12)), "failback") == []
    assert [f for f in findings(observed(**healthy_for(12)), "primary") if f.check == "failback"] == []
    assert found(observed(BACK, **backup(health="unhealthy", ok=False)), "failback") == []
