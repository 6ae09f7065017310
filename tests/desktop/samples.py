"""Hand-made states of services, as the switchboard would give them."""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from changeover.desktop.history.timeline import Past, Range
from changeover.model.dns.capabilities import BatchLimit, Capabilities
from changeover.model.dns.change import ZoneAt
from changeover.model.dns.propagation import CachedAnswer
from changeover.model.dns.records import record_set
from changeover.model.finding import Finding, Level
from changeover.model.health.certificate import Certificate
from changeover.model.health.check import HealthCheck
from changeover.model.health.connectivity import Connection, Connectivity
from changeover.model.health.history import Day, Gap, GapKind, Incident, Point
from changeover.model.health.local_fault import LocalFault, LocalFaultKind
from changeover.model.health.probe_result import (
    Cause,
    DeadName,
    Health,
    Phases,
    ProbeResult,
    Round,
    Visit,
    judged,
)
from changeover.model.health.soak import Look, Soak, judged_soak
from changeover.model.health.tally import Counts, times_of
from changeover.model.platforms.app_version import AppVersion, KeptVersion, Told
from changeover.model.platforms.platform_observation import KeptObservation, PlatformObservation, Process
from changeover.model.readiness.freeze import Freeze
from changeover.model.readiness.observation import observed
from changeover.model.readiness.overlay import overlay_at
from changeover.model.readiness.pin import Hold, Pin
from changeover.model.readiness.service_state import ServiceState, assess, unread
from changeover.model.readiness.snapshot import Snapshot
from changeover.model.runs.plan import Plan, PlanKind, ZoneReading, make_plan
from changeover.model.runs.plan_actions import with_actions
from changeover.model.runs.run import (
    Accepted,
    Committed,
    Ended,
    Entry,
    Event,
    Intent,
    Outcome,
    Run,
    Started,
    StepEnded,
    StepState,
)
from changeover.model.runs.run import fold as fold_run
from changeover.model.settings.action import Action, Approval, CommandLine, HttpCall, Note, Phase, WaitUntil
from changeover.model.settings.maintenance import Maintenance
from changeover.model.settings.service import Answer, Deployment, Marker, Service
from changeover.model.settings.version_endpoint import VersionEndpoint

NOW = datetime(2026, 11, 23, 14, 20, 31, tzinfo=UTC)
CAPABILITIES = Capabilities(
    label="Cloudflare",
    batch=BatchLimit(records=200),
    native_compare_and_set=False,
    propagates_atomically=False,
    apex_cname=True,
)
PRIMARY = Deployment(
    name="primary",
    answer=Answer(cname="fathomless-elm.herokudns.com"),
    marker=Marker(header="X-Deployment", value="primary"),
)
BACKUP = Deployment(
    name="backup",
    answer=Answer(a=("198.51.100.24",), aaaa=("2001:db8::24",)),
    marker=Marker(header="X-Deployment", value="backup"),
)
SHOP = Service(
    name="shop",
    hostnames=("www.shop.example", "shop.example"),
    dns=(ZoneAt(account="dns-main", zone="shop.example"),),
    deployments=(PRIMARY, BACKUP),
    health=HealthCheck(path="/health"),
)


CERTIFICATE = Certificate(
    names=("www.shop.example", "shop.example"),
    issuer="R11, Let's Encrypt",
    issued=NOW - timedelta(days=27),
    expires=NOW + timedelta(days=63),
)


def probed(deployment: str, at: datetime, ok: bool | None, ms: float, why: str = "", **more: object) -> Round:
    """One round with one result."""
    result = ProbeResult(
        deployment=deployment,
        hostname="www.shop.example",
        address="198.51.100.24",
        at=at,
        ok=ok,
        reason=why or (f"200 in {ms:.0f} ms" if ok else "503, expected 200-399"),
        status=(200 if ok else 503) if ok is not None else None,
        unexpected_status=ok is False and not why,
        marker_ok=ok,
        certificate=CERTIFICATE if ok else None,
        phases=Phases(total=ms / 1000 if ok else None),
    )
    return Round(at=at, results=(replace(result, **more),))


def in_part(good: Round) -> Round:
    """The same round with a second address that did not answer well."""
    bad = probed(good.results[0].deployment, good.at, False, 0).results[0]
    return replace(good, results=(*good.results, replace(bad, address="198.51.100.25")))


def one_hostname(good: Round) -> Round:
    """The same round with a second hostname that did not answer well."""
    bad = probed(good.results[0].deployment, good.at, False, 0).results[0]
    return replace(good, results=(*good.results, replace(bad, hostname="shop.example")))


TARGET = "fathomless-elm.herokudns.com"
#: By sign, what a bad round is like.
BAD = {
    "x": {},
    "n": {
        "why": f"{TARGET} has no address: the routing name is dead; the app still answers at 192.0.2.1",
        "cause": Cause.ROUTING_NAME,
        "dead_name": DeadName(alive_at="192.0.2.1"),
        "target": TARGET,
        "address": "",
        "status": None,
    },
    "c": {
        "why": "the certificate expired 3 days ago",
        "cause": Cause.CERTIFICATE,
        "certificate_error": "it expired 3 days ago",
        "status": None,
    },
}


def rounds(deployment: str, verdicts: str, around: float = 90, every: float = 30) -> tuple[Round, ...]:
    """Rounds up to NOW: "." good, "~" good at one of two addresses, "h" for one of two hostnames, "x" bad, "n" with a
    dead routing name, "c" with a refused certificate, "?" not tried, " " no round at all."""
    count = len(verdicts)
    found = []
    for number, sign in enumerate(verdicts):
        at = NOW - timedelta(seconds=(count - 1 - number) * every + 10)
        ms = around + (number * 37 % 29)
        if sign == " ":
            continue
        ok = None if sign == "?" else sign not in BAD
        untried = {"why": "not checked: no route to the network", "untried": "no route to the network"}
        bad = BAD.get(sign, untried if ok is None else {})
        made = probed(deployment, at, ok, ms, **bad)  # type: ignore[arg-type]
        found.append(in_part(made) if sign == "~" else one_hostname(made) if sign == "h" else made)
    return tuple(found)


def state(
    service: Service = SHOP,
    active: str = "primary",
    checks: dict[str, str] | None = None,
    run: Run | None = None,
    *,
    connection: Connection | None = None,
    pins: tuple[Pin, ...] = (),
    freezes: tuple[Freeze, ...] = (),
    visit: Visit | None = None,
    **more: object,
) -> ServiceState:
    """A whole state in which `active` is published and `checks` were made, put together as the live states are."""
    made = {d.name: "." * 40 for d in service.deployments} | (checks or {})
    kept = {name: rounds(name, signs, 84 + 25 * i) for i, (name, signs) in enumerate(made.items()) if signs}
    wanted = {
        d.name: {name: d.answer_for(name).record_sets(name, service.ttl) for name in service.hostnames}
        for d in service.deployments
    }
    published = wanted.get(active) or next(iter(wanted.values()))
    reading = ZoneReading(
        account="dns-main",
        zone="shop.example",
        capabilities=CAPABILITIES,
        at=NOW,
        records=published,
        wanted=wanted,
        may_write=True,
    )
    unfinished = run.run if run is not None and run.unfinished else None
    snapshot = Snapshot(service=service, at=NOW, readings=(reading,), unfinished_run=unfinished)
    limits = service.health.thresholds
    health = {d.name: judged(d.name, kept.get(d.name, ()), limits) for d in service.deployments}
    overlay = overlay_at(service, NOW, connection=connection, pins=pins, freezes=freezes, visit=visit)
    seen = observed(snapshot, health, overlay, NOW, watched=True)
    whole = assess(seen, replace(unread(service, NOW), rounds=kept, run=run))
    return replace(whole, active=active, **more)


def run(outcome: Outcome | None, *, committed: bool = False, accepted: str | None = None, text: str = "") -> Run:
    """A run from primary to backup; `outcome` None is one without an end."""
    base = state()
    plan = make_plan(SHOP, "primary", "backup", base.snapshot.readings, NOW - timedelta(minutes=19))
    started = NOW - timedelta(minutes=19)
    events: list[object] = [Started(plan=plan, findings=base.findings), Intent(step=0)]
    if outcome is not None:
        events += [StepEnded(step=0, state=StepState.DONE, seconds=0.4, text="2 record sets changed"), Intent(step=1)]
        last = StepState.UNKNOWN if outcome is Outcome.INCOMPLETE else StepState.DONE
        events += [StepEnded(step=1, state=last, seconds=1.2), Intent(step=2)]
        events += [StepEnded(step=2, state=last, seconds=0.2, text="www.shop.example: backup at 198.51.100.24")]
        events.append(Ended(outcome=outcome, seconds=1.8, text=text))
    if committed:
        events.append(Committed())
    if accepted is not None:
        events.append(Accepted(reason=accepted))
    entries = [
        Entry(run="shop-3", at=started + timedelta(seconds=i), event=event)
        for i, event in enumerate(events)  # type: ignore[arg-type]
    ]
    return fold_run(entries)


def panel_of(ended: Run, now: datetime) -> list[CachedAnswer]:
    """Three resolvers just after a run: one has followed, one keeps the old answer for 42 s, one does not answer."""
    old = (record_set("www.shop.example", "CNAME", 42, [TARGET]),)
    of = {"hostname": "www.shop.example", "at": now, "over": "UDP"}
    return [
        CachedAnswer(resolver="1.1.1.1", records=ended.changes[0].after, updated=True, **of),  # type: ignore[arg-type]
        CachedAnswer(resolver="8.8.8.8", records=old, ttl_left=42, updated=False, **of),  # type: ignore[arg-type]
        CachedAnswer(resolver="9.9.9.9", error="9.9.9.9:53 does not answer", **of),  # type: ignore[arg-type]
    ]


def soak_of(now: datetime, *, worse: bool) -> Soak:
    """The time after a switch that ended four minutes ago."""
    since = now - timedelta(minutes=4)
    bad = Look(at=now, ok=False, reason="www.shop.example at 198.51.100.24: 503")
    looks = [Look(at=now, ok=True, seconds=0.09)] * 20 + [bad] * (4 if worse else 0)
    return judged_soak("backup", since, since + timedelta(minutes=30), now, looks)


def plan(of: ServiceState, to: str) -> Plan:
    """The plan of a switch from that state."""
    return make_plan(of.service, of.active, to, of.snapshot.readings, NOW)


def finding(
    level: Level, check: str = "target-answers", text: str = "backup answers: 200 in 84 ms", **more: object
) -> Finding:
    return replace(Finding(check=check, level=level, text=text), **more)


def named(name: str, of: ServiceState) -> ServiceState:
    """The same state of a service with another name."""
    return replace(of, snapshot=replace(of.snapshot, service=replace(of.service, name=name)))


#: A shop whose switch has steps beyond DNS.
ACTING = replace(
    SHOP,
    actions=(
        Action(
            name="read-only",
            phase=Phase.QUIESCE,
            operation=HttpCall(url="https://ops.shop.example/read-only"),
            undo=HttpCall(url="https://ops.shop.example/read-only", method="DELETE"),
            needs="source",
            risk="Orders taken meanwhile may be lost.",
        ),
        Action(
            name="jobs",
            phase=Phase.QUIESCE,
            operation=CommandLine(command=("bin/jobs", "stop")),
            undo=CommandLine(command=("bin/jobs", "start")),
            together="stop",
        ),
        Action(
            name="mail-queue",
            phase=Phase.QUIESCE,
            operation=CommandLine(command=("bin/mail", "hold")),
            together="stop",
        ),
        Action(
            name="ready", phase=Phase.PROVE, operation=WaitUntil(until="healthy", deployment="backup"), repeatable=True
        ),
        Action(name="go", phase=Phase.PROVE, operation=Approval(question="Does the backup look right to you?")),
        Action(name="press", phase=Phase.LIFT, operation=Note(note="Tell the support team that it is over")),
    ),
)


def acting_plan(emergency: bool = False) -> Plan:
    """The plan of a switch to the backup with steps beyond DNS."""
    return with_actions(plan(state(service=ACTING), "backup"), ACTING, emergency)


def acting_run(*events: Event, emergency: bool = False, alive: bool = True) -> Run:
    """A run of that plan, a minute old, after these entries of its journal."""
    started = Started(plan=acting_plan(emergency), emergency=emergency, who="anna@laptop", why="The quarterly drill")
    at = NOW - timedelta(minutes=1)
    entries = [
        Entry(run="shop-4", at=at + timedelta(seconds=number), event=event)
        for number, event in enumerate((started, *events))
    ]
    return fold_run(entries, alive=alive)


def done(*numbers: int) -> tuple[Event, ...]:
    """These steps came to a good end."""
    return tuple(
        event
        for number in numbers
        for event in (Intent(step=number), StepEnded(step=number, state=StepState.DONE, seconds=0.4))
    )


DOWN = {"primary": "." * 36 + "xxxxx"}
LONG = replace(
    SHOP,
    name="the-customer-portal-of-the-northern-region",
    hostnames=("www.the-customer-portal-of-the-northern-region.shop.example", "shop.example", "m.shop.example"),
    deployments=(
        replace(
            PRIMARY,
            answer=Answer(cname="the-quite-long-name-of-a-load-balancer-1234567890.eu-central-1.elb.example.net"),
        ),
        replace(BACKUP, name="backup-in-another-country"),
        Deployment(name="last-resort", answer=Answer(cname="static-pages.example.org")),
    ),
)


ONLINE = Connection(at=NOW, link=Connectivity.ONLINE)
OFFLINE = Connection(at=NOW, link=Connectivity.OFFLINE, fault=LocalFault(kind=LocalFaultKind.BEYOND_ROUTER))
PORTAL = Connection(at=NOW, link=Connectivity.PORTAL, fault=LocalFault(kind=LocalFaultKind.PORTAL))
NO_DNS = Connection(at=NOW, link=Connectivity.ONLINE, fault=LocalFault(kind=LocalFaultKind.DNS_SILENT))
WRONG_CLOCK = replace(ONLINE, clock_ahead=125.0)
#: Rounds that ended three minutes ago.
SEEN_BEFORE = "." * 34 + " " * 6
#: Failed, and good again for a minute and a half.
RECOVERING = "." * 20 + "xxxx" + "..."
FLAPPING = "." * 12 + "x.x..x.x."
EVERY_ONE = {"primary": "." * 30 + "xxxxx", "backup": "." * 20 + "xxxx"}


def pin(deployment: str, hold: Hold, reason: str = "The new release answers 503 to probes only") -> Pin:
    return Pin(
        service="shop",
        deployment=deployment,
        hold=hold,
        reason=reason,
        set_at=NOW - timedelta(hours=1),
        until=NOW + timedelta(hours=2),
    )


def planned(*deployments: str) -> Service:
    """The service during its weekly maintenance."""
    window = Maintenance(at="14:10", minutes=50, days=("monday",), deployments=deployments)
    return replace(SHOP, maintenance=(window,))


def visited(ok: bool, by: str | None = "primary") -> Visit:
    """What a visitor got twelve seconds ago."""
    result = probed(by or "primary", NOW - timedelta(seconds=12), ok, 91).results[0]
    who = f", answered by {by}" if by else ""
    text = f"www.shop.example at {result.address}: {result.reason}{who}"
    return Visit(hostname="www.shop.example", at=result.at, text=text, result=result, deployment=by)


FREEZE = Freeze(
    service="shop",
    reason="The new release goes out",
    set_at=NOW - timedelta(hours=1),
    until=NOW + timedelta(hours=2),
    who="anna",
)


def shortened() -> Run:
    """A run that lowered the TTLs 90 s ago, from 5 min."""
    whole = run(Outcome.COMPLETED, committed=True)
    forward = replace(whole.forward, kind=PlanKind.PREPARE, visitors_follow_within=300, to="primary")
    return replace(whole, to="primary", forward=forward, plan=forward, ended=NOW - timedelta(seconds=90))


RUNS = PlatformObservation(
    wanted=2,
    running=2,
    release="v41",
    maintenance=False,
    commit="4f4f592a1b2c3d4e",
    hostnames=("www.shop.example", "shop.example"),
    processes=(Process(name="web", wanted=2, running=2, size="standard-1x"), Process(name="worker", wanted=1)),
    config={"RAILS_ENV": "1", "SECRET_KEY_BASE": "2", "SMTP_HOST": "3"},
    runtime="heroku-24",
)
DIFFERS = replace(
    RUNS,
    wanted=1,
    running=0,
    release="v18",
    commit="99e1f0aa1b2c3d4e",
    maintenance=True,
    processes=(Process(name="web", wanted=1, running=0, size="eco"),),
    config={"RAILS_ENV": "4", "SECRET_KEY_BASE": "2", "A_VARIABLE_WITH_A_NAME_THAT_IS_LONGER_THAN_MOST_COLUMNS": "5"},
)


def on_platforms(backup: PlatformObservation) -> ServiceState:
    """Both deployments run on a platform, which said so some minutes ago."""
    at = NOW - timedelta(minutes=4)
    before = state()
    kept = {name: KeptObservation(at=at, observation=one) for name, one in (("primary", RUNS), ("backup", backup))}
    snapshot = replace(before.snapshot, platforms=kept)
    return assess(replace(before, snapshot=snapshot), before)


def told_by_apps() -> ServiceState:
    """Both deployments' apps told what they run: another commit, and a schema that one of them does not tell."""
    before = state()
    endpoint = VersionEndpoint(path="/version", commit="json:sha", schema="json:schema")
    told = {
        "primary": AppVersion(commit=Told(value="4f4f592a1b2c3d4e"), schema=Told(value="20260301")),
        "backup": AppVersion(
            commit=Told(value="99e1f0aa1b2c3d4e"), schema=Told(why='there is no "schema" in its JSON')
        ),
    }
    versions = {name: KeptVersion(at=NOW - timedelta(minutes=2), version=one) for name, one in told.items()}
    service = replace(before.snapshot.service, version=endpoint)
    return assess(replace(before, snapshot=replace(before.snapshot, service=service, versions=versions)), before)


@functools.cache
def gallery() -> dict[str, ServiceState]:
    """States that the window must show well, by name. Made once: to change one, replace it."""
    interrupted = run(None)
    return {
        "quiet": state(run=run(Outcome.UNDONE)),
        "visited": state(connection=ONLINE, visit=visited(True)),
        "down": state(checks=DOWN),
        "down-online": state(checks=DOWN, connection=ONLINE, visit=visited(False, None)),
        "down-from-here": state(checks=DOWN, connection=ONLINE, visit=visited(True)),
        "down-and-no-backup": state(checks=EVERY_ONE, connection=ONLINE),
        "down-and-backup-unknown": state(checks={**DOWN, "backup": ""}, connection=ONLINE),
        "routing-name": state(checks={"primary": "." * 36 + "nnnnn"}, connection=ONLINE),
        "certificate": state(checks={"primary": "." * 36 + "ccccc"}, connection=ONLINE),
        "degraded": state(checks={"primary": "." * 20 + "~~~~"}),
        "one-hostname": state(checks={"primary": "." * 20 + "hhhh"}),
        "suspect": state(checks={"primary": "." * 20 + "x"}),
        "recovering": state(checks={"primary": RECOVERING}),
        "flapping": state(checks={"primary": FLAPPING}),
        "backup-flapping": state(checks={"backup": FLAPPING}),
        "maintenance": state(service=planned("primary"), checks=DOWN),
        "backup-maintenance": state(service=planned("backup")),
        "held": state(checks=DOWN, pins=(pin("primary", Hold.HEALTHY),)),
        "held-down": state(pins=(pin("primary", Hold.UNHEALTHY, "Its database is read-only"),)),
        "out-of-use": state(pins=(pin("backup", Hold.NEVER, "Its disk is being replaced"),)),
        "visit-fails": state(visit=visited(False)),
        "on-backup": state(active="backup", run=run(Outcome.COMPLETED)),
        "kept": state(active="backup", run=run(Outcome.COMPLETED, committed=True)),
        "emergency-review": state(active="backup", run=replace(run(Outcome.COMPLETED), emergency=True)),
        "frozen": state(freezes=(FREEZE,)),
        "ttl-shortened": state(run=shortened()),
        "protected-reversed": state(
            active="backup", run=replace(run(Outcome.COMPLETED, committed=True), reprotected=NOW - timedelta(minutes=5))
        ),
        "interrupted": state(active="mixed", run=interrupted),
        "damaged-run": state(active="mixed", run=replace(interrupted, outcome=Outcome.DAMAGED)),
        "newer-run": state(active="backup", run=replace(interrupted, outcome=Outcome.NEWER)),
        "incomplete": state(
            active="backup", run=run(Outcome.INCOMPLETE, text="ns1.shop.example still gives the old answer")
        ),
        "mixed": state(active="mixed"),
        "elsewhere": state(active="elsewhere"),
        "unreadable": state(active="unknown", error="Cloudflare does not answer", findings=()),
        "reading": unread(SHOP, NOW),
        "offline": state(checks={"primary": SEEN_BEFORE, "backup": SEEN_BEFORE}, connection=OFFLINE),
        "portal": state(checks={"primary": SEEN_BEFORE, "backup": "." * 30 + "xxxx" + " " * 6}, connection=PORTAL),
        "no-dns": state(checks={"primary": "." * 20 + "?" * 20, "backup": "." * 20 + "?" * 20}, connection=NO_DNS),
        "untried": state(checks={"primary": "." * 20 + "?" * 5, "backup": "?" * 9}),
        "long-names": state(service=LONG),
        "working": state(run=run(None), working=True),
        "same-on-both": on_platforms(RUNS),
        "drift": on_platforms(DIFFERS),
        "told-by-apps": told_by_apps(),
    }


#: A night of a laptop, as the history has it: asleep, then an outage, a short time offline, and planned work.
ASLEEP = Gap(started=NOW - timedelta(hours=16), ended=NOW - timedelta(hours=8, minutes=48), kind=GapKind.ASLEEP)
AWAY = Gap(
    started=NOW - timedelta(hours=4, minutes=30), ended=NOW - timedelta(hours=3, minutes=10), kind=GapKind.OFFLINE
)
OUTAGE = Incident(
    service="shop",
    deployment="primary",
    started=NOW - timedelta(hours=6, minutes=12),
    ended=NOW - timedelta(hours=6),
    cause=Cause.DEPLOYMENT,
    reason="503, expected 200-399",
    evidence={},
)


def point(at: datetime, signs: str, ms: float = 90) -> Point:
    """One point of a chart: "." good, "x" bad, "?" not tried, "m" during planned work."""
    good = signs.count(".")
    seconds = ms / 1000 if good else None
    return Point(
        at=at,
        seconds=seconds,
        slowest=seconds,
        good=good,
        part=0,
        bad=signs.count("x"),
        untried=signs.count("?"),
        maintenance=signs.count("m"),
    )


def night(deployment: str = "primary", around: float = 90) -> list[Point]:
    """The last 24 hours in points of two minutes, with ASLEEP, AWAY and OUTAGE in them, and planned work at 13:00."""
    found = []
    for number in range(720):
        at = NOW - timedelta(minutes=2 * (720 - number))
        if any(gap.started < at < gap.ended for gap in (ASLEEP, AWAY)):
            continue
        out = deployment == OUTAGE.deployment and OUTAGE.started <= at < (OUTAGE.ended or NOW)
        work = NOW.replace(hour=13, minute=0) <= at < NOW.replace(hour=13, minute=40)
        ms = around + (number * 37 % 29) + 25 * (number % 97 == 0)
        found.append(point(at, "mmmm" if work else "xxxx" if out else "....", ms))
    return found


TODAY = Day(
    date=NOW.date(),
    deployment="primary",
    counted=Counts(good=1230, bad=24),
    maintenance=Counts(good=80),
    times=times_of([90_000, 110_000]),
    gaps={},
)


def past(which: Range) -> Past:
    """What the history has of that night, drawn over a day, a week or a month."""
    return Past(
        range=which,
        points={"primary": night(), "backup": night("backup", 120)},
        gaps=(ASLEEP, AWAY),
        incidents=(OUTAGE,),
        today=TODAY,
        counted=Counts(good=2400, bad=24),
        times=times_of([90_000, 130_000]),
    )


def health_of(found: ServiceState, name: str) -> Health:
    return found.health[name].health
