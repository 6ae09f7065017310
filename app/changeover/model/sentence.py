"""The state of a service in plain words: one sentence that tells the whole of it, and one glance."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from changeover.model import active
from changeover.model.finding import Level
from changeover.model.health import Health
from changeover.model.run import Direction, Outcome, Run
from changeover.model.words import counted, duration

if TYPE_CHECKING:
    from changeover.model.state import ServiceState

_NOWHERE = {
    active.MIXED: "Visitors reach different deployments, by hostname or name server.",
    active.ELSEWHERE: "Visitors are sent to something that is none of this service's deployments.",
    active.UNKNOWN: "Where visitors go now could not be read.",
}
_NOWHERE_SHORT = {
    active.MIXED: "visitors are split",
    active.ELSEWHERE: "visitors go elsewhere",
    active.UNKNOWN: "not known where visitors go",
}
HEALTH_WORDS = {
    Health.HEALTHY: "healthy",
    Health.DEGRADED: "answers in part",
    Health.UNHEALTHY: "failing",
    Health.UNKNOWN: "not checked yet",
}


class Sentence(Struct, frozen=True):
    """What a person reads first. `urgent` is what needs somebody; it is empty on a quiet day."""

    urgent: str
    rest: str

    @property
    def text(self) -> str:
        return f"{self.urgent} {self.rest}".strip()


def clock(moment: datetime, now: datetime) -> str:
    """`moment` for people, in the time zone of `now`: "14:02" today, else "11 Nov 14:02"."""
    there = moment.astimezone(now.tzinfo)
    time = f"{there:%H:%M}"
    if there.date() == now.date():
        return time
    year = f" {there.year}" if there.year != now.year else ""
    return f"{there.day} {there:%b}{year} {time}"


def sentence(state: ServiceState, now: datetime) -> Sentence:
    """The whole state in words. `now` is in the person's time zone."""
    if state.working:
        return Sentence("", _working(state.run))
    if state.run is not None and state.run.unfinished:
        return _unfinished(state.run)
    if state.situation is None:
        if state.error:
            return Sentence("Nothing could be read.", state.error)
        return Sentence("", "Reading where visitors go and checking the deployments.")
    if state.active in _NOWHERE:
        return Sentence(_NOWHERE[state.active], f"{_ended(state.error or '')} {_healths(state)}".strip())
    return _known(state, now)


def overall(state: ServiceState) -> Health:
    """How the service stands at a glance.

    Healthy: visitors are served and nobody is needed. Degraded: somebody should look, since the service answers in
    part, a run is not finished, visitors are not where they should be, or nothing could take over. Unhealthy: visitors
    are not served. Unknown: not enough was seen yet.
    """
    here = state.health.get(state.active)
    health = here.health if here and not _blind(state) else Health.UNKNOWN
    if health is Health.UNHEALTHY:
        return Health.UNHEALTHY
    if state.run is not None and state.run.unfinished and not state.working:
        return Health.DEGRADED
    if state.situation is not None and state.active in (active.MIXED, active.ELSEWHERE):
        return Health.DEGRADED
    if health is not Health.HEALTHY:
        return health
    standby = state.health.get(state.target or "")
    if standby is not None and standby.health is not Health.UNKNOWN and state.readiness is Level.BLOCK:
        return Health.DEGRADED
    return Health.DEGRADED if _uncommitted(state) else Health.HEALTHY


def urgent(state: ServiceState) -> bool:
    """Are visitors not served, and is there somewhere to send them?"""
    return overall(state) is Health.UNHEALTHY and state.target is not None


def list_line(state: ServiceState, now: datetime) -> str:
    """Where the service runs and how, for a list: "on primary · healthy"."""
    if state.working:
        return "switching now"
    if state.run is not None and state.run.unfinished:
        return f"run {state.run.run} is {state.run.outcome}"
    if state.active in _NOWHERE:
        return _NOWHERE_SHORT[state.active] if state.situation or state.error else "reading"
    since = _since(state)
    where = f"on {state.active} since {clock(since, now)}" if since else f"on {state.active}"
    return f"{where} · {_health_text(state, state.active, now)}"


def _working(run: Run | None) -> str:
    if run is None or run.outcome is not Outcome.RUNNING:
        return "A switch is being prepared."
    if run.direction is Direction.UNDO:
        return f"Run {run.run} is being undone: visitors go back to {run.source}."
    return f"Visitors are being switched from {run.source} to {run.to}."


def _unfinished(run: Run) -> Sentence:
    if run.outcome is Outcome.INTERRUPTED:
        return Sentence(f"Run {run.run} was interrupted.", "Resume, undo or accept it.")
    if run.outcome is Outcome.RUNNING:
        return Sentence("", f"Another Changeover is working on run {run.run}.")
    return Sentence(f"Run {run.run} is incomplete.", f"{_ended(run.text)} Resume, undo or accept it.".strip())


def _known(state: ServiceState, now: datetime) -> Sentence:
    here = state.health.get(state.active)
    health = here.health if here else Health.UNKNOWN
    reach = f"Visitors reach {state.active}."
    since = _since(state)
    if since is not None:
        reach = f"Visitors reach {state.active} since {clock(since, now)}."
    if _blind(state):
        reasons = [d.last.reason for d in state.health.values() if d.last is not None]
        return Sentence("", f"{reach} This computer could not check any deployment just now: {_ended(reasons[0])}")
    if health is Health.UNHEALTHY:
        failing = _health_text(state, state.active, now).replace("failing", "has been failing", 1)
        return Sentence(f"{state.active} {failing}.", _standby(state))
    if health is Health.DEGRADED:
        reason = f": {here.reason}" if here else ""
        return Sentence(_ended(f"{state.active} answers only in part{reason}"), _standby(state))
    if health is Health.UNKNOWN:
        return Sentence("", f"{reach} Its health is not known yet: a few checks are needed.")
    if _uncommitted(state):
        return Sentence("", f"{reach} You can undo this.")
    return Sentence("", f"{reach} {_quiet(state)}")


def _quiet(state: ServiceState) -> str:
    if state.target is None:
        return f"{state.active} is healthy. There is no backup."
    healthy = all(d.health is Health.HEALTHY for d in state.health.values())
    if healthy and len(state.health) == len(state.service.deployments) and state.readiness is not Level.BLOCK:
        count = len(state.health)
        which = "Both deployments are" if count == 2 else f"All {counted(count, 'deployment')} are"
        return f"{which} healthy and {called(state, state.target)} is ready."
    return f"{state.active} is healthy. {_standby(state)}"


def _standby(state: ServiceState) -> str:
    """Whether the deployment that would take over is ready, with the reason where it is not."""
    if state.target is None:
        return "There is no backup."
    name = called(state, state.target)
    start = name[:1].upper() + name[1:] if name != state.target else name
    standby = state.health.get(state.target)
    if standby is None or standby.health is Health.UNKNOWN:
        return f"{start} is not checked yet."
    blocks = [f for f in state.findings if f.level is Level.BLOCK]
    if not blocks:
        return f"{start} is ready."
    return f"{start} is not ready: {_ended(blocks[0].text)}"


def called(state: ServiceState, name: str) -> str:
    """ "the backup" for the only one, else its name."""
    deployments = state.service.deployments
    return "the backup" if len(deployments) == 2 and name == deployments[1].name else name


def _ended(text: str) -> str:
    return text if not text or text.endswith(".") else f"{text}."


def _blind(state: ServiceState) -> bool:
    """Could the newest checks not be tried at all? Then this computer is the one with a fault, not the service."""
    rounds = [d.last for d in state.health.values() if d.last is not None]
    return bool(rounds) and all(r.verdict is Health.UNKNOWN for r in rounds)


def _healths(state: ServiceState) -> str:
    return _ended(", ".join(f"{name} is {_word(d.health)}" for name, d in state.health.items()))


def _word(health: Health) -> str:
    return {Health.DEGRADED: "answering in part"}.get(health, HEALTH_WORDS[health])


def _health_text(state: ServiceState, name: str, now: datetime) -> str:
    found = state.health.get(name)
    if found is not None and _blind(state):
        return "could not be checked"
    if found is None:
        return HEALTH_WORDS[Health.UNKNOWN]
    if found.health is Health.UNHEALTHY and found.since is not None:
        return f"failing for {duration(max(0.0, (now - found.since).total_seconds()))}"
    return HEALTH_WORDS[found.health]


def _switched(state: ServiceState) -> Run | None:
    """The run that brought visitors to where they are, where it is the newest one."""
    run = state.run
    if run is None or run.outcome is not Outcome.COMPLETED or run.to != state.active:
        return None
    return run


def _since(state: ServiceState) -> datetime | None:
    run = _switched(state)
    away = state.active != state.service.primary.name
    return run.ended if run is not None and away else None


def _uncommitted(state: ServiceState) -> bool:
    run = _switched(state)
    return run is not None and run.committed is None and state.active != state.service.primary.name
