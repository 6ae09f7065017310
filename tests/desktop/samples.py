"""Hand-made states of services, as the switchboard would give them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from changeover.model.capabilities import BatchLimit, Capabilities
from changeover.model.check import HealthCheck
from changeover.model.finding import Finding, Level
from changeover.model.health import DeploymentHealth, Health, Phases, ProbeResult, Round, deployment_health
from changeover.model.plan import Plan, ZoneReading, make_plan
from changeover.model.readiness import findings
from changeover.model.run import Accepted, Committed, Ended, Entry, Intent, Outcome, Run, Started, StepEnded, StepState
from changeover.model.run import fold as fold_run
from changeover.model.service import Answer, Deployment, Marker, Service, ZoneAt
from changeover.model.situation import Situation
from changeover.model.state import ServiceState, is_emergency, switch_target

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


def probed(deployment: str, at: datetime, ok: bool | None, ms: float, why: str = "") -> Round:
    """One round with one result."""
    result = ProbeResult(
        deployment=deployment,
        hostname="www.shop.example",
        address="198.51.100.24",
        at=at,
        ok=ok,
        reason=why or (f"200 in {ms:.0f} ms" if ok else "503, expected 200-399"),
        status=(200 if ok else 503) if ok is not None else None,
        marker_ok=ok,
        certificate_expires=NOW + timedelta(days=63),
        phases=Phases(total=ms / 1000 if ok else None),
    )
    return Round(at=at, results=(result,))


def in_part(good: Round) -> Round:
    """The same round with a second address that did not answer well."""
    bad = probed(good.results[0].deployment, good.at, False, 0).results[0]
    return replace(good, results=(*good.results, replace(bad, address="198.51.100.25")))


def rounds(deployment: str, verdicts: str, around: float = 90, every: float = 30) -> tuple[Round, ...]:
    """Rounds up to NOW: "." a good one, "~" good in part, "x" bad, "?" not tried."""
    count = len(verdicts)
    found = []
    for number, sign in enumerate(verdicts):
        at = NOW - timedelta(seconds=(count - 1 - number) * every + 10)
        ms = around + (number * 37 % 29)
        ok = {".": True, "~": True, "x": False, "?": None}[sign]
        made = probed(deployment, at, ok, ms, "not checked: no route to the network" if ok is None else "")
        found.append(in_part(made) if sign == "~" else made)
    return tuple(found)


def state(
    service: Service = SHOP,
    active: str = "primary",
    checks: dict[str, str] | None = None,
    run: Run | None = None,
    **more: object,
) -> ServiceState:
    """A whole state in which `active` is published and `checks` were made."""
    made = {d.name: "." * 40 for d in service.deployments} | (checks or {})
    kept = {name: rounds(name, signs, 84 + 25 * i) for i, (name, signs) in enumerate(made.items()) if signs}
    health: dict[str, DeploymentHealth] = {
        d.name: deployment_health(d.name, kept.get(d.name, ())) for d in service.deployments
    }
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
    situation = Situation(service=service, at=NOW, readings=(reading,), health=health, unfinished_run=unfinished)
    target = switch_target(service, active)
    found = findings(situation, target, is_emergency(active, health))
    whole = ServiceState(
        service=service,
        active=active,
        health=health,
        rounds=kept,
        situation=situation,
        target=target,
        findings=found,
        run=run,
    )
    return replace(whole, **more)


def run(outcome: Outcome | None, *, committed: bool = False, accepted: str | None = None, text: str = "") -> Run:
    """A run from primary to backup; `outcome` None is one without an end."""
    base = state()
    assert base.situation is not None
    plan = make_plan(SHOP, "primary", "backup", base.situation.readings, NOW - timedelta(minutes=19))
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


def plan(of: ServiceState, to: str) -> Plan:
    """The plan of a switch from that state."""
    assert of.situation is not None
    return make_plan(of.service, of.active, to, of.situation.readings, NOW)


def finding(
    level: Level, check: str = "target-answers", text: str = "backup answers: 200 in 84 ms", **more: object
) -> Finding:
    return replace(Finding(check=check, level=level, text=text), **more)


def named(name: str, of: ServiceState) -> ServiceState:
    """The same state of a service with another name."""
    return replace(of, service=replace(of.service, name=name))


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


def gallery() -> dict[str, ServiceState]:
    """States that the window must show well, by name."""
    interrupted = run(None)
    return {
        "quiet": state(run=run(Outcome.UNDONE)),
        "down": state(checks=DOWN),
        "down-and-no-backup": state(checks={"primary": "." * 30 + "xxxxx", "backup": "." * 20 + "xxxx"}),
        "degraded": state(checks={"primary": "." * 20 + "~~~~"}),
        "on-backup": state(active="backup", run=run(Outcome.COMPLETED)),
        "kept": state(active="backup", run=run(Outcome.COMPLETED, committed=True)),
        "interrupted": state(active="mixed", run=interrupted),
        "incomplete": state(
            active="backup", run=run(Outcome.INCOMPLETE, text="ns1.shop.example still gives the old answer")
        ),
        "mixed": state(active="mixed"),
        "elsewhere": state(active="elsewhere"),
        "unreadable": state(active="unknown", error="Cloudflare does not answer", findings=()),
        "reading": ServiceState(service=SHOP),
        "offline": state(checks={"primary": "." * 20 + "?" * 5, "backup": "?" * 9}),
        "long-names": state(service=LONG),
        "working": state(run=run(None), working=True),
    }


def health_of(found: ServiceState, name: str) -> Health:
    return found.health[name].health
