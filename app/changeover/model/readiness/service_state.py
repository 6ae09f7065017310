"""What is shown of a service, and what stands before a switch: snapshots that windows and commands read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from msgspec import Struct, field
from msgspec.structs import replace

from changeover.model.dns.active import UNKNOWN
from changeover.model.finding import Finding, Level, worst
from changeover.model.health.probe_result import DeploymentHealth, Health, Round
from changeover.model.readiness.all_checks import in_order, moment_findings, snapshot_findings
from changeover.model.readiness.observation import Observation
from changeover.model.readiness.pin import Hold, Pin
from changeover.model.readiness.snapshot import Snapshot
from changeover.model.runs.plan import Plan
from changeover.model.runs.run import Run
from changeover.model.settings.service import Service


class ServiceState(Observation, frozen=True, kw_only=True):
    """Everything known about one service right now, and what follows from it; made by `assess`.

    `rounds` are the probes kept, oldest first, by deployment. `target` is where a switch would lead, None while nothing
    was read, and `findings` say whether it could; `lasting` are those of them that hold while the snapshot does.
    `run` is the newest run. `working`: a run is in progress in this process.
    """

    active: str = UNKNOWN
    rounds: dict[str, tuple[Round, ...]] = field(default_factory=dict)
    target: str | None = None
    findings: tuple[Finding, ...] = ()
    lasting: tuple[Finding, ...] = ()
    run: Run | None = None
    error: str | None = None
    working: bool = False

    @property
    def runs(self) -> tuple[Run, ...]:
        """The service's runs, newest first, as far as they are known."""
        known = self.snapshot.runs
        if self.run is None:
            return known
        return (self.run, *(r for r in known if r.run != self.run.run))

    @property
    def readiness(self) -> Level:
        return worst(self.findings)


class Preparation(Struct, frozen=True, kw_only=True):
    """What a person looks at before a switch: the plan, None where the records could not be read, and all findings.

    `noticed` is when the active deployment began to fail, where it does, and `told` when it was first said to be down.
    `dns_first`: the records are changed before any action.
    """

    service: str
    to: str
    emergency: bool
    plan: Plan | None
    findings: tuple[Finding, ...]
    snapshot: Snapshot
    at: datetime
    dns_first: bool = False
    noticed: datetime | None = None
    told: datetime | None = None

    @property
    def blocked(self) -> list[Finding]:
        return [f for f in self.findings if f.level is Level.BLOCK]

    @property
    def already_there(self) -> bool:
        """Nothing is to be changed, nothing unfinished stands in between, and no name server says otherwise."""
        waiting = any(f.check in ("unfinished-run", "lock", "records-agree") for f in self.blocked)
        return self.plan is not None and not self.plan.steps and not waiting


def switch_target(
    service: Service,
    active: str,
    health: Mapping[str, DeploymentHealth] = MappingProxyType({}),
    pins: Mapping[str, Pin] = MappingProxyType({}),
) -> str:
    """Where a switch would lead: away from a backup to the primary, and from everything else to a backup.

    Of several, the first that no person has taken out of use and that is not down; where there is none, the first.
    """
    names = [d.name for d in service.deployments]
    others = [name for name in names if name != active] if active in names[1:] else names[1:]
    usable = [name for name in others if name not in pins or pins[name].hold is not Hold.NEVER]
    up = [name for name in usable if name not in health or health[name].health is not Health.UNHEALTHY]
    return (up or usable or others)[0]


def is_emergency(active: str, health: Mapping[str, DeploymentHealth]) -> bool:
    """Is the active deployment down, so that the rules of an emergency apply?"""
    return active in health and health[active].health is Health.UNHEALTHY


def unread(service: Service, at: datetime) -> ServiceState:
    """The state of a service of which nothing is known yet."""
    return ServiceState(snapshot=Snapshot(service=service, at=at), at=at)


def _unreadable(snapshot: Snapshot) -> str | None:
    """What of a snapshot could not be read; this computer's own journal before what others did not tell."""
    return snapshot.unrecorded or next((r.error for r in snapshot.readings if r.error is not None), None)


def assess(seen: Observation, before: ServiceState) -> ServiceState:
    """The state that follows from what is seen: where visitors go, where a switch would lead, what speaks against it.

    `before` is the state until now. Probes come often and readings seldom: what follows from the snapshot alone is
    taken over from it while that is the same.
    """
    snapshot = seen.snapshot
    same = before.snapshot is snapshot
    state = ServiceState(
        snapshot=snapshot,
        at=seen.at,
        health=seen.health,
        overlay=seen.overlay,
        watched=seen.watched,
        rounds=before.rounds,
        run=before.run,
        working=before.working,
        error=before.error if same else _unreadable(snapshot),
    )
    if snapshot.empty:
        return state
    active = before.active if same else snapshot.active
    target = switch_target(seen.service, active, seen.health, seen.overlay.pins)
    lasting = before.lasting if same and target == before.target else snapshot_findings(snapshot, active, target)
    emergency = is_emergency(active, seen.health)
    found = in_order((*lasting, *moment_findings(seen, active, target, emergency)), emergency)
    return replace(state, active=active, target=target, lasting=lasting, findings=found)
