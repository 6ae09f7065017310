"""How a service and its deployments stand at a glance: probes, a person's word, planned work and this computer."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from changeover.model.dns import active
from changeover.model.finding import Finding, Level
from changeover.model.health.probe_result import Health
from changeover.model.health.track import State
from changeover.model.readiness.lifecycle import brought, lifecycle, suggestion_blocked
from changeover.model.readiness.pin import Hold
from changeover.model.runs.run import Outcome, Run
from changeover.model.wording.local_fault import own_fault

if TYPE_CHECKING:
    from changeover.model.readiness.service_state import ServiceState

_HELD = {Hold.HEALTHY: Health.HEALTHY, Hold.UNHEALTHY: Health.UNHEALTHY}


class ServiceStatus(StrEnum):
    """One service in one word.

    healthy: visitors are served and nobody is needed. degraded, flapping, recovering: somebody should look. down:
    visitors are not served. unknown: not enough was seen yet. offline: this computer sees nothing. maintenance: what
    serves visitors is being worked on, as planned. held: a person vouches for what serves visitors.
    """

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    FLAPPING = "flapping"
    RECOVERING = "recovering"
    DOWN = "down"
    UNKNOWN = "unknown"
    OFFLINE = "offline"
    MAINTENANCE = "maintenance"
    HELD = "held"


def health_of(state: ServiceState, name: str) -> Health:
    """The health of a deployment that counts: a person's word where there is one, else what the checks say."""
    pin = state.overlay.pins.get(name)
    if pin is not None and pin.hold in _HELD:
        return _HELD[pin.hold]
    found = state.health.get(name)
    return found.health if found is not None else Health.UNKNOWN


def state_of(state: ServiceState, name: str) -> State:
    """The state of a deployment as it is shown: a person's word first, then planned work, then what the checks say."""
    if name in state.overlay.pins:
        return State.PINNED
    if name in state.overlay.maintenance:
        return State.MAINTENANCE
    found = state.health.get(name)
    return found.state if found is not None else State.UNKNOWN


def blind(state: ServiceState) -> bool:
    """Could the newest checks of every deployment not be tried from here?"""
    rounds = [d.last for d in state.health.values() if d.last is not None]
    return bool(rounds) and all(r.verdict is Health.UNKNOWN for r in rounds)


def all_down(state: ServiceState) -> bool:
    """Do all of several deployments fail, so that there is nowhere to send visitors?"""
    names = [d.name for d in state.service.deployments]
    return len(names) > 1 and all(health_of(state, name) is Health.UNHEALTHY for name in names)


def fails_only_from_here(state: ServiceState, name: str) -> bool:
    """Does nothing answer this computer well, while visitors are answered by this deployment?"""
    found, visit = state.health.get(name), state.overlay.visit
    if found is None or found.last is None or visit is None:
        return False
    failing = found.last.verdict is Health.UNHEALTHY and found.state is State.DOWN
    return failing and visit.deployment == name and bool(visit.ok)


def service_status(state: ServiceState) -> ServiceStatus:
    """How the service stands, the worst that is known first."""
    fault = own_fault(state)
    health = Health.UNKNOWN if fault or blind(state) else health_of(state, state.active)
    shown = state_of(state, state.active)
    unfinished = state.run is not None and state.run.unfinished and not state.working
    if health is Health.UNHEALTHY and shown is not State.MAINTENANCE:
        return ServiceStatus.DOWN
    if unfinished:
        return ServiceStatus.DEGRADED
    if fault is not None:
        return ServiceStatus.OFFLINE
    if state.active in (active.MIXED, active.ELSEWHERE) or state.snapshot.drift:
        return ServiceStatus.DEGRADED
    if shown is State.MAINTENANCE:
        return ServiceStatus.MAINTENANCE
    if health is not Health.HEALTHY:
        return _less_than_healthy(health, shown)
    if _standby_blocked(state) or unprotected(state):
        return ServiceStatus.DEGRADED
    return ServiceStatus.HELD if _vouched_for(state) else ServiceStatus.HEALTHY


def suggests_switch(state: ServiceState) -> bool:
    """Are visitors not served, and is there a place that is proven to serve them better?

    Not just after an emergency switch: see `held_back`.
    """
    return _better_place(state) and held_back(state) is None


def held_back(state: ServiceState) -> str | None:
    """Why no switch is suggested though there is a better place: an emergency switch was made just now."""
    return suggestion_blocked(state.runs, state.at) if _better_place(state) else None


def _better_place(state: ServiceState) -> bool:
    if service_status(state) is not ServiceStatus.DOWN or state.target is None:
        return False
    pin = state.overlay.pins.get(state.target)
    if pin is not None and pin.hold is Hold.NEVER:
        return False
    steady = state_of(state, state.target) is not State.FLAPPING
    return steady and health_of(state, state.target) in (Health.HEALTHY, Health.DEGRADED)


def arrived(state: ServiceState) -> Run | None:
    """The completed run that brought visitors to where they are, where no later one moved them."""
    run = brought(state.runs, state.active)
    return run if run is not None and run.outcome is Outcome.COMPLETED else None


def uncommitted(state: ServiceState) -> bool:
    """Are visitors away from the primary by a switch that nobody has said is to stay?"""
    run = arrived(state)
    return run is not None and run.committed is None and state.active != state.service.primary.name


def unprotected(state: ServiceState) -> bool:
    """Are visitors away from the primary by a switch, and has nobody said that there is a backup again?"""
    if state.service.deployment(state.active) is None:
        return False
    found = lifecycle(state.service, state.active, state.runs, state.at)
    return found.stage.amber and found.run is not None


def not_ready(state: ServiceState) -> list[Finding]:
    """What says that the target could not take over. That a person froze everything does not say so."""
    return [f for f in state.findings if f.level is Level.BLOCK and f.check not in ("freeze", "lease")]


def lacking(state: ServiceState) -> str | None:
    """Why no other deployment could take over now, or why that is not known; None where one could."""
    if state.target is None:
        return "where visitors go and how the deployments are is not known yet"
    blocks = not_ready(state)
    if blocks:
        return blocks[0].text
    return f"{state.target} changes between good and bad" if state_of(state, state.target) is State.FLAPPING else None


def _less_than_healthy(health: Health, shown: State) -> ServiceStatus:
    if health is Health.UNKNOWN:
        return ServiceStatus.UNKNOWN
    marked = {State.FLAPPING: ServiceStatus.FLAPPING, State.RECOVERING: ServiceStatus.RECOVERING}
    return marked.get(shown, ServiceStatus.DEGRADED)


def _vouched_for(state: ServiceState) -> bool:
    pin = state.overlay.pins.get(state.active)
    return pin is not None and pin.hold is Hold.HEALTHY


def _standby_blocked(state: ServiceState) -> bool:
    """Is it known that nothing could take over? Planned work on the standby is no surprise."""
    name = state.target or ""
    shown = state_of(state, name)
    known = health_of(state, name) is not Health.UNKNOWN and shown is not State.MAINTENANCE
    return known and (bool(not_ready(state)) or shown is State.FLAPPING)
