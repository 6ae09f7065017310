"""What is shown of a service, and what stands before a switch: snapshots that windows and commands read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from msgspec import Struct, field
from msgspec.structs import replace

from changeover.model.dns.active import UNKNOWN
from changeover.model.finding import Finding, Level, worst
from changeover.model.health.connectivity import Connection
from changeover.model.health.probe_result import DeploymentHealth, Health, Round, Visit
from changeover.model.readiness.freeze import Freeze
from changeover.model.readiness.pin import Hold, Pin
from changeover.model.readiness.snapshot import Snapshot
from changeover.model.readiness.zone_checks import findings
from changeover.model.runs.plan import Plan
from changeover.model.runs.run import Run
from changeover.model.settings.service import Service


class ServiceState(Struct, frozen=True, kw_only=True):
    """Everything known about one service right now.

    `rounds` are the probes kept, oldest first, by deployment. `target` is where a switch would lead, and `findings`
    say whether it could. `run` is the newest run. `working`: a run is in progress in this process. `connection` is this
    computer's, where it was looked at. `pins` and `maintenance` (when it ends) are by deployment, those in force only.
    `visit` is what a visitor of the first hostname gets, through public DNS. `freezes` are those it is under.
    """

    service: Service
    active: str = UNKNOWN
    health: dict[str, DeploymentHealth] = field(default_factory=dict)
    rounds: dict[str, tuple[Round, ...]] = field(default_factory=dict)
    snapshot: Snapshot | None = None
    target: str | None = None
    findings: tuple[Finding, ...] = ()
    run: Run | None = None
    error: str | None = None
    working: bool = False
    connection: Connection | None = None
    pins: dict[str, Pin] = field(default_factory=dict)
    maintenance: dict[str, datetime] = field(default_factory=dict)
    visit: Visit | None = None
    freezes: tuple[Freeze, ...] = ()

    @property
    def runs(self) -> tuple[Run, ...]:
        """The service's runs, newest first, as far as they are known."""
        known = self.snapshot.runs if self.snapshot is not None else ()
        if self.run is None:
            return known
        return (self.run, *(r for r in known if r.run != self.run.run))

    @property
    def readiness(self) -> Level:
        return worst(self.findings)


class Preparation(Struct, frozen=True, kw_only=True):
    """What a person looks at before a switch: the plan, None where the records could not be read, and all findings."""

    service: str
    to: str
    emergency: bool
    plan: Plan | None
    findings: tuple[Finding, ...]
    snapshot: Snapshot
    at: datetime

    @property
    def blocked(self) -> list[Finding]:
        return [f for f in self.findings if f.level is Level.BLOCK]

    @property
    def already_there(self) -> bool:
        """Nothing is to be changed, and nothing unfinished stands in between."""
        waiting = any(f.check in ("unfinished-run", "lock") for f in self.blocked)
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


def assessed(state: ServiceState, snapshot: Snapshot) -> ServiceState:
    """`state` as `snapshot` shows it: where visitors go, where a switch would lead, and what speaks against it."""
    active = snapshot.active
    target = switch_target(snapshot.service, active, snapshot.health, snapshot.pins)
    errors = [r.error for r in snapshot.readings if r.error is not None]
    return replace(
        state,
        active=active,
        health=snapshot.health,
        snapshot=snapshot,
        target=target,
        findings=findings(snapshot, target, is_emergency(active, snapshot.health)),
        connection=snapshot.connection,
        pins=snapshot.pins,
        maintenance=snapshot.maintenance,
        freezes=snapshot.freezes,
        error=errors[0] if errors else None,
    )
