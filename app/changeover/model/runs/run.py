"""Runs: what the journal holds of one, the state folded from it, and what can be done next."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, assert_never

from msgspec import Meta, Struct, field
from msgspec.structs import replace

from changeover.model.dns.change import Change
from changeover.model.finding import Finding
from changeover.model.platforms.platform_observation import PlatformObservation, reverse_of
from changeover.model.runs.plan import ActionStep, Plan, PlanKind, Step
from changeover.model.settings.action import Approval, Note, Operation, PlatformCall, WaitUntil

#: The version of the events below, which each is written with. It grows when an older Changeover could no longer tell
#: from them what happened. 1: rows without a version. 2: they say who resumed, undid and accepted. 3: a run may be one
#: operation of a platform, or do what another left out.
EVENT_VERSION = 3
#: The number of a step in the plan of the present direction.
StepNumber = Annotated[int, Meta(ge=0)]


class StepState(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    WARNING = "warning"
    SKIPPED = "skipped"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"


#: How an operation ended that has to be taken back, or may have to be.
_TOOK_PLACE = (StepState.DONE, StepState.WARNING, StepState.UNKNOWN, StepState.RUNNING)


class Outcome(StrEnum):
    """How a run stands. `running` and `interrupted` are said of a run whose journal has no end yet.

    Of a run that is `damaged` an entry cannot be read; one that is `newer` has an entry that only a newer Changeover
    understands. What they did is not known, unless a later entry ends them.
    """

    COMPLETED = "completed"
    REFUSED = "refused"
    FAILED = "failed"
    INCOMPLETE = "incomplete"
    UNDONE = "undone"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    DAMAGED = "damaged"
    NEWER = "newer"


class Direction(StrEnum):
    FORWARD = "forward"
    UNDO = "undo"


class Started(Struct, frozen=True, kw_only=True, tag="started"):
    """A run begins: the plan is fixed.

    `who` and `why` are a person and their words, `notes` what is to be known beside the steps. `noticed` is when the
    incident began that it answers, `told` when Changeover first said so, `decided` when somebody looked at the plan.
    `objective` is how long the team wants a recovery to take, in seconds.
    """

    plan: Plan
    findings: tuple[Finding, ...] = ()
    emergency: bool = False
    who: str = ""
    why: str = ""
    noticed: datetime | None = None
    decided: datetime | None = None
    notes: tuple[str, ...] = ()
    told: datetime | None = None
    objective: int | None = None


class UndoStarted(Struct, frozen=True, kw_only=True, tag="undo-started"):
    """From here on the run goes back, by this plan."""

    plan: Plan
    who: str = ""


class Resumed(Struct, frozen=True, kw_only=True, tag="resumed"):
    """A run that was left unfinished goes on. `found` is what was read first.

    What acted on records or looks at them is done again, by reading; what else was done stays done.
    """

    found: str = ""
    who: str = ""


class Skipped(Struct, frozen=True, kw_only=True, tag="skipped"):
    """A person leaves a step out: of a run that is over, one that it had left out for later."""

    step: StepNumber
    reason: str
    who: str = ""


class Repeated(Struct, frozen=True, kw_only=True, tag="repeated"):
    """A person lets a step be done again of which nobody knows whether it was done."""

    step: StepNumber
    who: str = ""


class Approved(Struct, frozen=True, kw_only=True, tag="approved"):
    """A person says yes to a step that asks."""

    step: StepNumber
    who: str = ""
    note: str = ""


class Declined(Struct, frozen=True, kw_only=True, tag="declined"):
    """A person says no to a step that asks."""

    step: StepNumber
    reason: str
    who: str = ""


class Escalated(Struct, frozen=True, kw_only=True, tag="escalated"):
    """From here on it is an emergency: steps that need the source are left out."""

    who: str = ""
    why: str = ""


class Paused(Struct, frozen=True, kw_only=True, tag="paused"):
    """A person stops the run between two steps, to go on later."""

    who: str = ""


class Acknowledged(Struct, frozen=True, kw_only=True, tag="acknowledged"):
    """A person has seen the end of an emergency: another switch may be suggested again."""

    who: str = ""


class Reprotecting(Struct, frozen=True, kw_only=True, tag="reprotecting"):
    """A person is setting up another backup."""

    who: str = ""
    note: str = ""


class Reprotected(Struct, frozen=True, kw_only=True, tag="reprotected"):
    """A person says that there is a backup again."""

    who: str = ""
    note: str = ""


class Intent(Struct, frozen=True, kw_only=True, tag="intent", omit_defaults=True):
    """Step number `step` of the present direction is about to act. `before` is what stood at a platform then."""

    step: StepNumber
    before: PlatformObservation | None = None


class StepEnded(Struct, frozen=True, kw_only=True, tag="step-ended"):
    step: StepNumber
    state: StepState
    text: str = ""
    seconds: float = 0


class Ended(Struct, frozen=True, kw_only=True, tag="ended"):
    outcome: Outcome
    text: str = ""
    seconds: float = 0


class Committed(Struct, frozen=True, kw_only=True, tag="committed"):
    """A person keeps what the run did."""

    who: str = ""


class Accepted(Struct, frozen=True, kw_only=True, tag="accepted"):
    """A person ended the run as it stands."""

    reason: str
    who: str = ""


Event = (
    Started
    | UndoStarted
    | Resumed
    | Intent
    | StepEnded
    | Ended
    | Committed
    | Accepted
    | Skipped
    | Repeated
    | Approved
    | Declined
    | Escalated
    | Paused
    | Acknowledged
    | Reprotecting
    | Reprotected
)


class UnreadableEvent(Struct, frozen=True):
    """Stands where a journal has an event that is damaged, or that only a newer Changeover understands."""

    newer: bool


class Entry(Struct, frozen=True, kw_only=True):
    """One line of the journal. `service` is empty where a damaged journal does not say whose run it is."""

    run: str
    at: datetime
    event: Event | UnreadableEvent
    service: str = ""


class StepProgress(Struct, frozen=True, kw_only=True):
    """How far a step is. `before` is what stood at its platform before it was first tried.

    `doubted`: an earlier try of an operation may have done it, whatever became of a later one.
    """

    name: str
    text: str
    state: StepState = StepState.PENDING
    note: str = ""
    seconds: float = 0
    before: PlatformObservation | None = None
    doubted: bool = False

    @property
    def may_be_done(self) -> bool:
        """Was it done, or may it have been, so that it has to be taken back?"""
        return self.state in _TOOK_PLACE or (self.doubted and self.state in (StepState.PENDING, StepState.FAILED))


class Run(Struct, frozen=True, kw_only=True):
    """A run as its journal tells it. `plan` and `steps` are of the present direction, `forward` is the first plan.

    `went` are the steps of the first plan as far as they went, `taken_back` the names of its actions that were undone.
    `paused`: somebody wants it to stop before its next step, or has stopped it so. `idle` are the seconds in which it
    stood still, after a crash or a pause, until somebody went on. `dropped` has, by name, why a person no longer wants
    a step done that was left out.
    """

    run: str
    service: str
    source: str
    to: str
    forward: Plan
    plan: Plan
    direction: Direction
    steps: tuple[StepProgress, ...]
    outcome: Outcome
    started: datetime
    ended: datetime | None
    text: str = ""
    seconds: float = 0
    findings: tuple[Finding, ...] = ()
    emergency: bool = False
    committed: datetime | None = None
    accepted: str | None = None
    who: str = ""
    why: str = ""
    noticed: datetime | None = None
    decided: datetime | None = None
    told: datetime | None = None
    objective: int | None = None
    idle: float = 0
    notes: tuple[str, ...] = ()
    paused: bool = False
    acknowledged: datetime | None = None
    reprotecting: datetime | None = None
    reprotected: datetime | None = None
    went: tuple[StepProgress, ...] = ()
    taken_back: frozenset[str] = frozenset()
    dropped: dict[str, str] = field(default_factory=dict)

    @property
    def changes(self) -> tuple[Change, ...]:
        return self.plan.changes

    @property
    def unfinished(self) -> bool:
        """Must somebody end this run before the service takes a new one?"""
        match self.outcome:
            case Outcome.COMPLETED | Outcome.REFUSED | Outcome.FAILED | Outcome.UNDONE:
                return False
            case Outcome.INCOMPLETE | Outcome.RUNNING | Outcome.INTERRUPTED:
                return self.accepted is None
            case Outcome.DAMAGED | Outcome.NEWER:
                return self.ended is None
            case _:
                assert_never(self.outcome)

    @property
    def unreadable(self) -> bool:
        """Is not all of its journal understood? Then it can be neither resumed nor undone."""
        return self.outcome in (Outcome.DAMAGED, Outcome.NEWER)

    @property
    def next(self) -> tuple[str, ...]:
        """What can be done with the run now, safest way forward first."""
        if self.outcome is Outcome.RUNNING:
            return ()
        if self.unreadable:
            return ("accept",) if self.unfinished else ()
        if self.forward.kind is PlanKind.OPERATION:
            return self._next_of_operation
        if self.unfinished:
            return ("resume", "undo", "accept")
        if self.accepted is not None:
            return ("undo",)
        if self.outcome is Outcome.COMPLETED:
            kept = self.committed or self.forward.kind is PlanKind.FENCE
            return ("undo",) if kept else ("undo", "commit")
        return ()

    @property
    def _next_of_operation(self) -> tuple[str, ...]:
        """The same for one operation of a platform: an undo where something takes back all that it did."""
        did = [pair for pair in zip(self.forward.steps, self.went, strict=True) if pair[1].may_be_done]
        back = all(isinstance(step, ActionStep) and taking_back(step, progress) for step, progress in did)
        if self.unfinished:
            return ("resume", "undo", "accept") if back else ("resume", "accept")
        return ("undo",) if did and back and self.outcome in (Outcome.COMPLETED, Outcome.INCOMPLETE) else ()


def taking_back(step: ActionStep, progress: StepProgress) -> Operation | None:
    """What takes a step back: what its settings say, else what puts back what stood at its platform."""
    if step.action.undo is None and isinstance(step.operation, PlatformCall):
        return reverse_of(step.operation, progress.before)
    return step.action.undo


def fold(entries: Sequence[Entry], alive: bool = False) -> Run:
    """The state of one run from its journal, oldest entry first; `alive` while some process works on it.

    Any journal gives a state. A run without an end is interrupted, whatever it was about to do, and the world must be
    read before anything is done about it. One with entries that cannot be understood, or that do not fit together, is
    newer or damaged. ValueError for an empty one.
    """
    if not entries:
        raise ValueError("a run's journal begins with its plan")
    unread = [entry.event for entry in entries if isinstance(entry.event, UnreadableEvent)]
    if not unread:
        try:
            return _told(entries, alive)
        except (IndexError, ValueError):
            return _in_doubt(entries, Outcome.DAMAGED)
    return _in_doubt(entries, Outcome.NEWER if all(event.newer for event in unread) else Outcome.DAMAGED)


def foremost(runs: Sequence[Run]) -> Run | None:
    """Of a service's runs, newest first, the one that must be ended before it takes a new one, else the newest."""
    return next((run for run in runs if run.unfinished), next(iter(runs), None))


def _in_doubt(entries: Sequence[Entry], outcome: Outcome) -> Run:
    """What is known of a run of which not everything is understood: its plan where that is, and whether it is over."""
    first = entries[0].event
    started = first if isinstance(first, Started) else None
    nothing = Plan(service=entries[0].service, source="unknown", to="unknown", steps=(), made_at=entries[0].at)
    plan = started.plan if started is not None else nothing
    over: Entry | None = None
    accepted: str | None = None
    said: dict[type, datetime] = {}
    for entry in entries:
        match entry.event:
            case Ended(outcome=Outcome.COMPLETED | Outcome.UNDONE):
                over = entry
            case Committed():
                over = entry
                said[Committed] = entry.at
            case Acknowledged() | Reprotecting() | Reprotected():
                said[type(entry.event)] = entry.at
            case Accepted(reason=reason):
                over, accepted = entry, reason
            case UndoStarted() | Resumed() | Intent() | StepEnded() | UnreadableEvent():
                over, accepted = None, None
            case _:
                pass  # a refused or failed undo leaves a run as it was, which is not known
    return Run(
        run=entries[0].run,
        service=entries[0].service or plan.service,
        source=plan.source,
        to=plan.to,
        forward=plan,
        plan=plan,
        direction=Direction.FORWARD,
        steps=tuple(_progress(step, StepState.UNKNOWN) for step in _fresh(plan)),
        outcome=outcome,
        started=entries[0].at,
        ended=over.at if over is not None else None,
        committed=said.get(Committed),
        accepted=accepted,
        acknowledged=said.get(Acknowledged),
        reprotecting=said.get(Reprotecting),
        reprotected=said.get(Reprotected),
        who=started.who if started is not None else "",
        why=started.why if started is not None else "",
        emergency=started.emergency if started is not None else False,
        findings=started.findings if started is not None else (),
    )


def _told(entries: Sequence[Entry], alive: bool) -> Run:
    """The state that a whole journal tells. IndexError or ValueError where its entries do not fit together."""
    if not isinstance(entries[0].event, Started):
        raise ValueError("a run's journal begins with its plan")
    first = entries[0].event
    plan, direction = first.plan, Direction.FORWARD
    steps = _fresh(plan)
    end: tuple[Outcome, str, float, datetime] | None = None
    committed: datetime | None = None
    accepted: str | None = None
    emergency, paused = first.emergency, False
    acknowledged: datetime | None = None
    reprotecting: datetime | None = None
    reprotected: datetime | None = None
    went: list[StepProgress] = []
    taken_back: set[str] = set()
    before_undo = (plan, direction, steps, end, accepted, went)
    dropped: dict[str, str] = {}
    idle = 0.0
    for previous, entry in itertools.pairwise(entries):
        match entry.event:
            case UndoStarted(plan=undo_plan):
                before_undo = (plan, direction, steps, end, accepted, went)
                went = went or steps
                plan, direction, end, accepted = undo_plan, Direction.UNDO, None, None
                steps = _fresh(plan)
            case Resumed():
                end, paused = None, False
                idle += max(0.0, (entry.at - previous.at).total_seconds())
                steps = [_gone_on(*pair) for pair in zip(plan.steps, steps, strict=True)]
            case Skipped(step=number, reason=reason):
                steps[number] = _progress(steps[number], StepState.SKIPPED, reason)
                over = accepted is not None or (end is not None and end[0] is Outcome.COMPLETED)
                dropped |= {steps[number].name: reason} if over and direction is Direction.FORWARD else {}
            case Repeated(step=number):
                doubted = _doubted(plan.steps[number], _progress(steps[number], StepState.UNKNOWN))
                steps[number] = _progress(doubted, StepState.PENDING)
            case Approved(step=number, who=who, note=note):
                said = f"approved by {who or 'somebody'}" + (f": {note}" if note else "")
                steps[number] = _progress(steps[number], StepState.DONE, said)
            case Declined(step=number, who=who, reason=reason):
                steps[number] = _progress(
                    steps[number], StepState.REFUSED, f"declined by {who or 'somebody'}: {reason}"
                )
            case Escalated():
                emergency = True
            case Paused():
                paused = True
            case Acknowledged():
                acknowledged = entry.at
            case Reprotecting():
                reprotecting = entry.at
            case Reprotected():
                reprotected = entry.at
            case Intent(step=number, before=before):
                steps[number] = _progress(steps[number], StepState.RUNNING)
                if steps[number].before is None:  # a second try may find what the first one has done
                    steps[number] = replace(steps[number], before=before)
            case StepEnded(step=number, state=state, text=text, seconds=seconds):
                steps[number] = _doubted(plan.steps[number], _progress(steps[number], state, text, seconds))
                done = state in (StepState.DONE, StepState.WARNING)
                if direction is Direction.UNDO and done and isinstance(plan.steps[number], ActionStep):
                    taken_back.add(steps[number].name)
            case Ended(outcome=Outcome.RUNNING | Outcome.INTERRUPTED | Outcome.DAMAGED | Outcome.NEWER):
                raise ValueError("a run does not end so")
            case Ended(outcome=Outcome.REFUSED | Outcome.FAILED) if direction is Direction.UNDO:
                plan, direction, steps, end, accepted, went = before_undo  # that undo changed nothing
            case Ended(outcome=outcome, text=text, seconds=seconds):
                end = (outcome, text, seconds, entry.at)
            case Committed():
                committed = entry.at
            case Accepted(reason=reason):
                accepted = reason
            case Started() | UnreadableEvent():
                raise ValueError("a run begins once, and all of it can be read")
            case _:
                assert_never(entry.event)
    open_state = Outcome.RUNNING if alive else Outcome.INTERRUPTED
    outcome, text, seconds, ended = end or (open_state, "", 0.0, None)
    if accepted is not None and end is None:
        outcome, ended = Outcome.INCOMPLETE, entries[-1].at
    if outcome is not Outcome.RUNNING:
        # Of an operation that was under way nobody knows whether it was done.
        steps = [_progress(s, StepState.UNKNOWN, s.note) if s.state is StepState.RUNNING else s for s in steps]
    return Run(
        run=entries[0].run,
        service=entries[0].service or first.plan.service,
        source=first.plan.source,
        to=first.plan.to,
        forward=first.plan,
        plan=plan,
        direction=direction,
        steps=tuple(steps),
        outcome=outcome,
        started=entries[0].at,
        ended=ended,
        text=text,
        seconds=seconds,
        findings=first.findings,
        emergency=emergency,
        committed=committed,
        accepted=accepted,
        who=first.who,
        why=first.why,
        noticed=first.noticed,
        decided=first.decided,
        told=first.told,
        objective=first.objective,
        idle=idle,
        notes=first.notes,
        paused=paused and outcome in (Outcome.INTERRUPTED, Outcome.RUNNING),
        acknowledged=acknowledged,
        reprotecting=reprotecting,
        reprotected=reprotected,
        went=tuple(went or steps),
        taken_back=frozenset(taken_back),
        dropped=dropped,
    )


def _gone_on(step: Step, progress: StepProgress) -> StepProgress:
    """A step as a run goes on with it: what is about records is done again, by reading.

    An operation that was done, left out or declined stays so. One that was under way when the run was cut off is for a
    person to decide.
    """
    if not isinstance(step, ActionStep) or progress.state in (StepState.PENDING, StepState.FAILED):
        return _progress(progress, StepState.PENDING)
    if progress.state is StepState.RUNNING:
        return _doubted(step, _progress(progress, StepState.UNKNOWN))
    return progress


def _doubted(step: Step, progress: StepProgress) -> StepProgress:
    """`progress`, which remembers that nobody knew whether an operation was done until one try was."""
    if progress.state in (StepState.DONE, StepState.WARNING):
        return replace(progress, doubted=False)
    acts = isinstance(step, ActionStep) and not isinstance(step.operation, WaitUntil | Approval | Note)
    return replace(progress, doubted=progress.doubted or (acts and progress.state is StepState.UNKNOWN))


def _fresh(plan: Plan) -> list[StepProgress]:
    return [StepProgress(name=step.name, text=step.text) for step in plan.steps]


def _progress(step: StepProgress, state: StepState, note: str = "", seconds: float = 0) -> StepProgress:
    return replace(step, state=state, note=note, seconds=seconds)
