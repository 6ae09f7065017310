"""The state of a service in plain words: one sentence that tells the whole of it, and one glance."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, assert_never

from msgspec import Struct

from changeover.model.dns import active
from changeover.model.formatting import clock, counted, ended, lasting
from changeover.model.health.connectivity import Connectivity
from changeover.model.health.probe_result import HEALTH_WORDS, Health
from changeover.model.health.track import State
from changeover.model.readiness.drift import drift_words
from changeover.model.readiness.freeze import freeze_words
from changeover.model.readiness.lifecycle import Stage, lifecycle, review_words
from changeover.model.readiness.pin import Hold
from changeover.model.runs.open_run import open_run_words, unreadable_words
from changeover.model.runs.plan import PlanKind
from changeover.model.runs.run import Direction, Outcome, Run
from changeover.model.wording.cause_words import (
    HOLD_WORDS,
    cause_words,
    flapping_words,
    from_here_words,
    held_words,
    maintenance_words,
    recovering_words,
    short_reason,
)
from changeover.model.wording.local_fault import nothing_seen, own_fault, own_fault_line
from changeover.model.wording.service_status import (
    all_down,
    arrived,
    blind,
    fails_only_from_here,
    health_of,
    held_back,
    not_ready,
    state_of,
    suggests_switch,
    unprotected,
)

if TYPE_CHECKING:
    from changeover.model.readiness.service_state import ServiceState

__all__ = ["HEALTH_WORDS", "Sentence", "called", "clock", "list_line", "sentence", "urgent"]

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


class Sentence(Struct, frozen=True):
    """What a person reads first. `urgent` needs somebody, or says why nothing is known; on a quiet day it is empty."""

    urgent: str
    rest: str

    @property
    def text(self) -> str:
        return f"{self.urgent} {self.rest}".strip()


def sentence(state: ServiceState, now: datetime) -> Sentence:
    """The whole state in words. `now` is in the person's time zone."""
    if state.working:
        return Sentence("", _working(state.run))
    if state.run is not None and state.run.unfinished:
        return _unfinished(state.run)
    if own_fault(state) is not None:
        return Sentence(*nothing_seen(state, now))
    if state.snapshot.empty:
        if state.error:
            return Sentence("Nothing could be read.", state.error)
        return Sentence("", "Reading where visitors go and checking the deployments.")
    if state.active in _NOWHERE:
        same = " and ".join(state.snapshot.undecided)
        undecided = f"Where visitors go cannot be decided: {same} have the same answer." if same else ""
        told = Sentence(undecided or _NOWHERE[state.active], f"{ended(state.error or '')} {_healths(state)}".strip())
    else:
        told = _known(state, now)
    frozen = " ".join(ended(freeze_words(freeze, now)) for freeze in state.overlay.freezes)
    return Sentence(_joined(told.urgent, _changed_by_others(state, now)), _joined(told.rest, frozen))


def urgent(state: ServiceState) -> bool:
    """Are visitors not served, and is there somewhere to send them?"""
    return suggests_switch(state)


def list_line(state: ServiceState, now: datetime) -> str:
    """Where the service runs and how, for a list: "on primary · healthy"."""
    if state.working:
        return "at work now" if state.run is not None and _moves_nobody(state.run) else "switching now"
    if state.run is not None and state.run.unfinished:
        how = unreadable_words(state.run) if state.run.unreadable else f"is {state.run.outcome}"
        return f"run {state.run.run} {how}"
    if own_fault(state) is not None:
        return own_fault_line(state)
    if state.active in _NOWHERE:
        if state.snapshot.undecided:
            return "cannot be decided"
        return "reading" if state.snapshot.empty and not state.error else _NOWHERE_SHORT[state.active]
    if all_down(state) and state_of(state, state.active) is State.DOWN:
        return "every deployment is failing"
    since = _since(state)
    where = f"on {state.active} since {clock(since, now)}" if since else f"on {state.active}"
    return f"{where} · {_health_text(state, state.active, now)}"


def called(state: ServiceState, name: str) -> str:
    """ "the backup" for the only one, else its name."""
    deployments = state.service.deployments
    return "the backup" if len(deployments) == 2 and name == deployments[1].name else name


def _working(run: Run | None) -> str:
    if run is None or run.outcome is not Outcome.RUNNING:
        return "A switch is being prepared."
    if run.forward.kind is PlanKind.OPERATION:
        what = "taken back" if run.direction is Direction.UNDO else "done"
        return f"One thing is being {what} by the platform of {run.to}: {run.forward.steps[0].text}."
    if run.direction is Direction.UNDO:
        back = f": visitors go back to {run.source}" if run.forward.kind.moves_visitors else ""
        return f"Run {run.run} is being undone{back}."
    match run.forward.kind:
        case PlanKind.SWITCH:
            return f"Visitors are being switched from {run.source} to {run.to}."
        case PlanKind.PREPARE:
            return "The TTLs of its records are being lowered."
        case PlanKind.RESTORE_TTL:
            return "The TTLs of its records are being restored."
        case PlanKind.FENCE:
            return f"What an emergency left out at {run.source} is being done."
        case _:
            assert_never(run.forward.kind)


def _moves_nobody(run: Run) -> bool:
    return run.forward.kind in (PlanKind.OPERATION, PlanKind.FENCE) and run.ended is None


def _unfinished(run: Run) -> Sentence:
    if run.unreadable:
        update = "Update this Changeover, or make" if run.outcome is Outcome.NEWER else "Make"
        return Sentence(f"{open_run_words(run)[0]}.", f"{update} sure of its records by hand, then accept it.")
    if run.outcome is Outcome.INTERRUPTED:
        return Sentence(f"Run {run.run} was interrupted.", "Resume, undo or accept it.")
    if run.outcome is Outcome.RUNNING:
        return Sentence("", f"Another Changeover is working on run {run.run}.")
    return Sentence(f"Run {run.run} is incomplete.", f"{ended(run.text)} Resume, undo or accept it.".strip())


def _known(state: ServiceState, now: datetime) -> Sentence:
    name = state.active
    here = state.health.get(name)
    health, shown = health_of(state, name), state_of(state, name)
    reach = f"Visitors reach {name}."
    since = _since(state)
    if since is not None:
        reach = f"Visitors reach {name} since {clock(since, now)}."
    if shown is State.MAINTENANCE:
        meanwhile = f" It does not answer well now: {short_reason(here)}." if here and here.cause else ""
        return Sentence("", f"{maintenance_words(state, name, now)}{meanwhile} {_standby(state, now)}")
    if shown is State.PINNED:
        return _pinned(state, reach, now)
    if blind(state):
        reasons = [d.last.reason for d in state.health.values() if d.last is not None]
        return Sentence("", f"{reach} This computer could not check any deployment just now: {ended(reasons[0])}")
    if health is Health.UNHEALTHY and here is not None:
        if all_down(state):
            return _every_one_fails(state, now)
        held = ended(held_back(state) or "")
        rest = _joined(_here_is_fine(state), _visit(state), _standby(state, now), held)
        return Sentence(cause_words(here, now), rest)
    if health is Health.DEGRADED and here is not None:
        if shown is State.FLAPPING:
            last = ended(f"{here.reason[:1].upper()}{here.reason[1:]}")
            return Sentence(flapping_words(state, name), _joined(last, _standby(state, now)))
        if shown is State.RECOVERING:
            left = f"It is {recovering_words(state, name)}."
            return Sentence(f"{name} answers again{lasting(here.since, now)}.", _joined(left, _standby(state, now)))
        words = from_here_words(here, now) if fails_only_from_here(state, name) else cause_words(here, now)
        return Sentence(words, _joined(_visit(state), _standby(state, now)))
    if health is Health.UNKNOWN:
        return Sentence("", f"{reach} Its health is not known yet: a few checks are needed.")
    if unprotected(state):
        return _unprotected(state, reach, now)
    return Sentence("", _joined(reach, _quiet(state, now), _visit(state)))


def _unprotected(state: ServiceState, reach: str, now: datetime) -> Sentence:
    """Visitors are served by a backup, and there is none behind it."""
    found = lifecycle(state.service, state.active, state.runs, now)
    if found.stage is Stage.SWITCHED:
        in_time = found.undo_until is not None and now < found.undo_until
        plain = "You can undo this." if in_time else "Nobody has said yet that this is to stay: commit it or go back."
        overdue = found.review_at is not None and now >= found.review_at
        review = review_words(found, now)
        return Sentence(review if overdue else "", _joined(reach, plain, "" if overdue else review, _visit(state)))
    alone = f"It runs without a backup until somebody confirms that {called(state, state.target or '')} can take over."
    if found.stage is Stage.RE_PROTECTING and found.since is not None:
        alone = f"It runs without a backup; one is being set up since {clock(found.since, now)}."
    return Sentence("", _joined(reach, alone, _visit(state)))


def _changed_by_others(state: ServiceState, now: datetime) -> str:
    """That somebody else changed what a run left, for the first name of those it was done to."""
    drift = state.snapshot.drift
    if not drift:
        return ""
    more = f" {counted(len(drift) - 1, 'other hostname')} as well." if drift[1:] else ""
    return f"{ended(drift_words(drift[0], now))}{more}"


def _pinned(state: ServiceState, reach: str, now: datetime) -> Sentence:
    """A person's word first; then what the checks say, where they say something else."""
    name, pin = state.active, state.overlay.pins[state.active]
    found = state.health.get(name)
    fails = found is not None and found.last is not None and found.last.cause is not None
    checks = f"Its checks fail: {short_reason(found)}." if fails and found is not None else ""
    if pin.hold is Hold.UNHEALTHY:
        return Sentence(held_words(state, name, now), _standby(state, now))
    return Sentence("", _joined(reach, held_words(state, name, now), checks, _standby(state, now)))


def _every_one_fails(state: ServiceState, now: datetime) -> Sentence:
    each = "; ".join(
        f"{name}: {short_reason(found)}{lasting(found.since, now)}"
        for name, found in state.health.items()
        if found.last is not None
    )
    stay = "Visitors stay where they are: there is nowhere better to send them."
    fails = f"Every deployment of {state.service.name} is failing."
    return Sentence(fails, _joined(_here_is_fine(state), stay, _visit(state), ended(each)))


def _here_is_fine(state: ServiceState) -> str:
    """What speaks against a fault of this computer, and what the platform says of itself."""
    online = state.overlay.connection is not None and state.overlay.connection.link is Connectivity.ONLINE
    said = [
        f"{p.deployment}: {p.text}"
        for p in state.snapshot.status_pages
        if p.deployment == state.active and p.ok is not None
    ]
    return _joined("Your own connection is fine." if online else "", *(ended(words) for words in said))


def _visit(state: ServiceState) -> str:
    """What visitors get, where it is not what the active deployment's own checks suggest."""
    visit = state.overlay.visit
    if visit is None or visit.ok is None:
        return ""
    fails = health_of(state, state.active) is not Health.HEALTHY
    if visit.ok and fails:
        return "Visitors are still answered through the public name."
    if not visit.ok and not fails:
        return ended(f"The last visit through public DNS failed: {visit.text}")
    return ""


def _joined(*sentences: str) -> str:
    return " ".join(each for each in sentences if each)


def _quiet(state: ServiceState, now: datetime) -> str:
    if state.target is None:
        return f"{state.active} is healthy. There is no backup."
    names = [d.name for d in state.service.deployments]
    plain = all(health_of(state, n) is Health.HEALTHY and not _spoken_for(state, n) for n in names)
    if plain and not not_ready(state):
        which = "Both deployments are" if len(names) == 2 else f"All {counted(len(names), 'deployment')} are"
        return f"{which} healthy and {called(state, state.target)} is ready."
    return f"{state.active} is healthy. {_standby(state, now)}"


def _spoken_for(state: ServiceState, name: str) -> bool:
    return name in state.overlay.pins or name in state.overlay.maintenance


def _standby(state: ServiceState, now: datetime) -> str:
    """Whether the deployment that would take over is ready, with the reason where it is not."""
    if state.target is None:
        return "There is no backup."
    name = called(state, state.target)
    start = name[:1].upper() + name[1:] if name != state.target else name
    if state.target in state.overlay.maintenance:
        return f"{start} is in maintenance until {clock(state.overlay.maintenance[state.target], now)}."
    pin = state.overlay.pins.get(state.target)
    if pin is not None and pin.hold is not Hold.HEALTHY:
        return held_words(state, state.target, now)
    if health_of(state, state.target) is Health.UNKNOWN:
        return f"{start} is not checked yet."
    if state_of(state, state.target) is State.FLAPPING:
        return f"{start} is not ready: it changes between good and bad."
    blocks = not_ready(state)
    if not blocks:
        return f"{start} is ready."
    return f"{start} is not ready: {ended(blocks[0].text)}"


def _healths(state: ServiceState) -> str:
    return ended(", ".join(f"{name} is {_word(health_of(state, name))}" for name in state.health))


def _word(health: Health) -> str:
    return {Health.DEGRADED: "answering in part"}.get(health, HEALTH_WORDS[health])


def _health_text(state: ServiceState, name: str, now: datetime) -> str:
    found = state.health.get(name)
    if state_of(state, name) is State.MAINTENANCE:
        return "in maintenance"
    if name in state.overlay.pins:
        return HOLD_WORDS[state.overlay.pins[name].hold]
    if found is not None and blind(state):
        return "could not be checked"
    if found is None:
        return HEALTH_WORDS[Health.UNKNOWN]
    if fails_only_from_here(state, name):
        return "failing from here"
    if found.health is Health.UNHEALTHY:
        return f"failing{lasting(found.since, now)}"
    if found.health is Health.DEGRADED and found.state in (State.FLAPPING, State.RECOVERING):
        return str(found.state)
    return HEALTH_WORDS[found.health]


def _since(state: ServiceState) -> datetime | None:
    run = arrived(state)
    away = state.active != state.service.primary.name
    return run.ended if run is not None and away else None
