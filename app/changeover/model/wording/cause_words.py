"""What is wrong with a deployment, in words that name the part at fault and nothing else."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from changeover.model.formatting import clock, counted, duration, ended, lasting
from changeover.model.health.probe_result import HEALTH_WORDS, Cause, DeploymentHealth, Health, ProbeResult, outcome_of
from changeover.model.health.track import State, changes
from changeover.model.readiness.pin import Hold
from changeover.model.wording.fault_words import app_words
from changeover.model.wording.service_status import fails_only_from_here, health_of, state_of

if TYPE_CHECKING:
    from changeover.model.readiness.service_state import ServiceState

HOLD_WORDS = {Hold.HEALTHY: "held healthy", Hold.UNHEALTHY: "held unhealthy", Hold.NEVER: "kept out of use"}


def bad_results(found: DeploymentHealth | None) -> list[ProbeResult]:
    """The results of the newest round that were bad, the worst first."""
    if found is None or found.last is None:
        return []
    worst = found.last.worst
    bad = [r for r in found.last.results if r.ok is False]
    return sorted(bad, key=lambda r: r is not worst)


def short_reason(found: DeploymentHealth) -> str:
    """What a failing deployment answers, as short as it can be told: "503", "connection refused"."""
    bad = bad_results(found)
    if not bad:
        return found.reason
    return str(bad[0].status) if bad[0].unexpected_status else bad[0].reason


def from_here_words(found: DeploymentHealth, now: datetime) -> str:
    """A deployment that fails from this computer alone."""
    return ended(f"{found.deployment} has been failing from here{lasting(found.since, now)}: {short_reason(found)}")


def cause_words(found: DeploymentHealth, now: datetime) -> str:
    """A failing deployment in one sentence that names what is at fault, and for how long it has been so."""
    name, long = found.deployment, lasting(found.since, now)
    bad = bad_results(found)
    worst = bad[0] if bad else None
    partly = found.health is Health.DEGRADED
    match found.cause:
        case Cause.ROUTING_NAME:
            return _routing_name(found, worst)
        case Cause.CERTIFICATE:
            why = (worst.certificate_error or worst.reason) if worst else found.reason
            return ended(f"The certificate of {name} has been refused{long}: {why}")
        case Cause.ADDRESS if partly and worst:
            return ended(f"{name} answers only in part{long}: {worst.address} does not answer well: {worst.reason}")
        case Cause.PATH if partly and worst:
            if len({r.hostname for r in bad}) < _hostnames(found):
                others = "The other hostname is fine." if _hostnames(found) == 2 else "Other hostnames are fine."
                return f"{ended(f'{name} does not answer well for {worst.hostname}{long}: {worst.reason}')} {others}"
            return ended(f"{name} answers only in part{long}: {found.reason}")
        case Cause.DNS:
            why = worst.reason if worst else found.reason
            return ended(f"The DNS has been failing for {name}{long}: {why}")
        case Cause.COMPUTER | Cause.ADDRESS | Cause.DEPLOYMENT | Cause.PATH | None:
            pass
    if partly:
        return ended(f"{name} answers only in part{long}: {found.reason}")
    return ended(f"{name} has been failing{long}: {short_reason(found)}")


def _hostnames(found: DeploymentHealth) -> int:
    return len({r.hostname for r in found.last.results}) if found.last else 0


def _routing_name(found: DeploymentHealth, worst: ProbeResult | None) -> str:
    """The name that visitors' resolvers follow to the deployment is dead, and whether the app behind it still is."""
    target = worst.target if worst is not None and worst.target else None
    dead = f"The routing name {target} is dead" if target else f"The routing name of {found.deployment} is dead"
    fault = worst.dead_name if worst is not None else None
    if fault is not None and not fault.own_servers:
        return ended(f"{dead}{app_words(fault)}")
    return ended(f"{dead}: {worst.reason if worst is not None else found.reason}")


def flapping_words(state: ServiceState, name: str) -> str:
    """How often the deployment changed between good and bad."""
    window = state.service.health.thresholds.flapping_window
    tried = [r for r in state.rounds.get(name, ()) if r.verdict is not Health.UNKNOWN][-window:]
    seen = changes(outcome_of(r.results) for r in tried)
    often = f": {counted(seen, 'time')} in its last {counted(len(tried), 'check')}" if seen > 1 else ", again and again"
    return f"{name} changes between good and bad{often}."


def held_words(state: ServiceState, name: str, now: datetime) -> str:
    """That a person vouches for the deployment, or against it, until when and why."""
    pin = state.overlay.pins[name]
    return ended(f"{name} is {HOLD_WORDS[pin.hold]} by a person until {clock(pin.until, now)}: {pin.reason}")


def maintenance_words(state: ServiceState, name: str, now: datetime) -> str:
    """Until when the planned work on the deployment lasts."""
    return f"{name} is in maintenance until {clock(state.overlay.maintenance[name], now)}."


def recovering_words(state: ServiceState, name: str) -> str:
    """What is still missing before the deployment is called up."""
    limits = state.service.health.thresholds
    return f"called up after {counted(limits.up_after, 'good check')} and {duration(limits.up_seconds)}"


def card_words(state: ServiceState, name: str, now: datetime) -> str:
    """The state of one deployment in a word or two, with its length or its end: "down for 2 min 10 s"."""
    found = state.health.get(name)
    shown = state_of(state, name)
    if shown is State.MAINTENANCE:
        return f"maintenance until {clock(state.overlay.maintenance[name], now)}"
    if shown is State.PINNED:
        pin = state.overlay.pins[name]
        return f"{HOLD_WORDS[pin.hold]} until {clock(pin.until, now)}"
    if found is None or found.last is None:
        return "not checked yet"
    match shown:
        case State.SUSPECT:
            return "suspect"
        case State.FLAPPING:
            return "flapping"
        case State.RECOVERING:
            return f"recovering{lasting(found.since, now)}"
        case State.UNKNOWN:
            return "not known"
        case State.UP | State.DOWN:
            pass
    if found.health is Health.UNHEALTHY or fails_only_from_here(state, name):
        where = " from here" if found.health is not Health.UNHEALTHY else ""
        return f"down{where}{lasting(found.since, now)}"
    return HEALTH_WORDS[Health.DEGRADED] if found.health is Health.DEGRADED else "healthy"


def card_detail(state: ServiceState, name: str) -> str:
    """What the newest checks of a deployment gave, shorter than the sentence tells it."""
    found = state.health.get(name)
    if found is None or found.last is None:
        return ""
    bad = bad_results(found)
    if bad and found.cause in _CAUSE_SHORT:
        return _CAUSE_SHORT[found.cause]
    worst = found.last.worst
    return short_reason(found) if bad else (worst.untried if worst is not None else "") or found.last.reason


_CAUSE_SHORT = {
    Cause.COMPUTER: "this computer sees nothing",
    Cause.DNS: "DNS fails",
    Cause.ROUTING_NAME: "routing name dead",
    Cause.CERTIFICATE: "certificate refused",
}


def state_tip(state: ServiceState, name: str, now: datetime) -> str:
    """The state of one deployment in a sentence: what it means and what ends it."""
    found = state.health.get(name)
    limits = state.service.health.thresholds
    shown = state_of(state, name)
    if fails_only_from_here(state, name) and found is not None and shown is State.DOWN:
        return f"{from_here_words(found, now)} Visitors are still answered through the public name."
    if shown is State.MAINTENANCE:
        return f"{maintenance_words(state, name, now)} Nothing is told and nothing counts meanwhile."
    if shown is State.PINNED:
        return held_words(state, name, now)
    if found is None or found.last is None:
        return f"{name} is not checked yet."
    match shown:
        case State.SUSPECT:
            after = f"it is called down after {limits.down_after} in a row"
            return f"{name} failed its last check; {after}. {ended(found.reason)}"
        case State.FLAPPING:
            return f"{flapping_words(state, name)} {ended(found.reason)}"
        case State.RECOVERING:
            return f"{name} answers again{lasting(found.since, now)}; {recovering_words(state, name)}."
        case State.UP | State.DOWN | State.UNKNOWN:
            pass
    if health_of(state, name) in (Health.UNHEALTHY, Health.DEGRADED):
        return cause_words(found, now)
    return ended(f"{name}: {found.reason}")
