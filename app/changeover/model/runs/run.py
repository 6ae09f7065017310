"""Runs: what the journal holds of one, the state folded from it, and what can be done next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from changeover.model.dns.change import Change
from changeover.model.finding import Finding
from changeover.model.runs.plan import ActionStep, Plan, Step


class StepState(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    WARNING = "warning"
    SKIPPED = "skipped"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """How a run stands. `running` and `interrupted` are said of a run whose journal has no end yet."""

    COMPLETED = "completed"
    REFUSED = "refused"
    FAILED = "failed"
    INCOMPLETE = "incomplete"
    UNDONE = "undone"
    RUNNING = "running"
    INTERRUPTED = "interrupted"


class Direction(StrEnum):
    FORWARD = "forward"
    UNDO = "undo"


class Started(Struct, frozen=True, kw_only=True, tag="started"):
    """A run begins: the plan is fixed.

    `who` and `why` are a person and their words, `notes` what is to be known beside the steps. `noticed` is when the
    incident began that it answers, `decided` when somebody looked at the plan.
    """

    plan: Plan
    findings: tuple[Finding, ...] = ()
    emergency: bool = False
    who: str = ""
    why: str = ""
    noticed: datetime | None = None
    decided: datetime | None = None
    notes: tuple[str, ...] = ()


class UndoStarted(Struct, frozen=True, kw_only=True, tag="undo-started"):
    """From here on the run goes back, by this plan."""

    plan: Plan


class Resumed(Struct, frozen=True, kw_only=True, tag="resumed"):
    """A run that was left unfinished goes on. `found` is what was read first.

    What acted on records or looks at them is done again, by reading; what else was done stays done.
    """

    found: str = ""


class Skipped(Struct, frozen=True, kw_only=True, tag="skipped"):
    """A person leaves a step out."""

    step: int
    reason: str
    who: str = ""


class Repeated(Struct, frozen=True, kw_only=True, tag="repeated"):
    """A person lets a step be done again of which nobody knows whether it was done."""

    step: int
    who: str = ""


class Approved(Struct, frozen=True, kw_only=True, tag="approved"):
    """A person says yes to a step that asks."""

    step: int
    who: str = ""
    note: str = ""


class Declined(Struct, frozen=True, kw_only=True, tag="declined"):
    """A person says no to a step that asks."""

    step: int
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


class Intent(Struct, frozen=True, kw_only=True, tag="intent"):
    """Step number `step` of the present direction is about to act."""

    step: int


class StepEnded(Struct, frozen=True, kw_only=True, tag="step-ended"):
    step: int
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


class Entry(Struct, frozen=True, kw_only=True):
    """One line of the journal."""

    run: str
    at: datetime
    event: Event


class StepProgress(Struct, frozen=True, kw_only=True):
    name: str
    text: str
    state: StepState = StepState.PENDING
    note: str = ""
    seconds: float = 0


class Run(Struct, frozen=True, kw_only=True):
    """A run as its journal tells it. `plan` and `steps` are of the present direction, `forward` is the first plan.

    `went` are the steps of the first plan as far as they went, `taken_back` the names of its actions that were undone.
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
    notes: tuple[str, ...] = ()
    paused: bool = False
    acknowledged: datetime | None = None
    reprotecting: datetime | None = None
    reprotected: datetime | None = None
    went: tuple[StepProgress, ...] = ()
    taken_back: frozenset[str] = frozenset()

    @property
    def changes(self) -> tuple[Change, ...]:
        return self.plan.changes

    @property
    def unfinished(self) -> bool:
        """Must somebody end this run before the service takes a new one?"""
        open_ends = (Outcome.INTERRUPTED, Outcome.INCOMPLETE, Outcome.RUNNING)
        return self.outcome in open_ends and self.accepted is None

    @property
    def next(self) -> tuple[str, ...]:
        """What can be done with the run now, safest way forward first."""
        if self.outcome is Outcome.RUNNING:
            return ()
        if self.unfinished:
            return ("resume", "undo", "accept")
        if self.accepted is not None:
            return ("undo",)
        if self.outcome is Outcome.COMPLETED:
            return ("undo",) if self.committed else ("undo", "commit")
        return ()


def fold(entries: Sequence[Entry], alive: bool = False) -> Run:
    """The state of one run from its journal, oldest entry first; `alive` while some process works on it.

    Any prefix of a journal gives a state: a run without an end is interrupted, whatever it was about to do, and the
    world must be read before anything is done about it. ValueError for a journal that does not begin with its plan.
    """
    if not entries or not isinstance(entries[0].event, Started):
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
    for entry in entries[1:]:
        match entry.event:
            case UndoStarted(plan=undo_plan):
                before_undo = (plan, direction, steps, end, accepted, went)
                went = went or steps
                plan, direction, end, accepted = undo_plan, Direction.UNDO, None, None
                steps = _fresh(plan)
            case Resumed():
                end, paused = None, False
                steps = [_gone_on(*pair) for pair in zip(plan.steps, steps, strict=True)]
            case Skipped(step=number, reason=reason):
                steps[number] = _progress(steps[number], StepState.SKIPPED, reason)
            case Repeated(step=number):
                steps[number] = _progress(steps[number], StepState.PENDING)
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
            case Intent(step=number):
                steps[number] = _progress(steps[number], StepState.RUNNING)
            case StepEnded(step=number, state=state, text=text, seconds=seconds):
                steps[number] = _progress(steps[number], state, text, seconds)
                done = state in (StepState.DONE, StepState.WARNING)
                if direction is Direction.UNDO and done and isinstance(plan.steps[number], ActionStep):
                    taken_back.add(steps[number].name)
            case Ended(outcome=Outcome.REFUSED | Outcome.FAILED) if direction is Direction.UNDO:
                plan, direction, steps, end, accepted, went = before_undo  # that undo changed nothing
            case Ended(outcome=outcome, text=text, seconds=seconds):
                end = (outcome, text, seconds, entry.at)
            case Committed():
                committed = entry.at
            case Accepted(reason=reason):
                accepted = reason
            case Started():
                pass  # there is one, the first
    open_state = Outcome.RUNNING if alive else Outcome.INTERRUPTED
    outcome, text, seconds, ended = end or (open_state, "", 0.0, None)
    if accepted is not None and end is None:
        outcome, ended = Outcome.INCOMPLETE, entries[-1].at
    if outcome is not Outcome.RUNNING:
        # Of an operation that was under way nobody knows whether it was done.
        steps = [_progress(s, StepState.UNKNOWN, s.note) if s.state is StepState.RUNNING else s for s in steps]
    return Run(
        run=entries[0].run,
        service=first.plan.service,
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
        notes=first.notes,
        paused=paused and outcome is Outcome.INTERRUPTED,
        acknowledged=acknowledged,
        reprotecting=reprotecting,
        reprotected=reprotected,
        went=tuple(went or steps),
        taken_back=frozenset(taken_back),
    )


def _gone_on(step: Step, progress: StepProgress) -> StepProgress:
    """A step as a run goes on with it: what is about records is done again, by reading.

    An operation that was done, left out or declined stays so. One that was under way when the run was cut off is for a
    person to decide.
    """
    if not isinstance(step, ActionStep) or progress.state in (StepState.PENDING, StepState.FAILED):
        return _progress(progress, StepState.PENDING)
    if progress.state is StepState.RUNNING:
        return _progress(progress, StepState.UNKNOWN)
    return progress


def _fresh(plan: Plan) -> list[StepProgress]:
    return [StepProgress(name=step.name, text=step.text) for step in plan.steps]


def _progress(step: StepProgress, state: StepState, note: str = "", seconds: float = 0) -> StepProgress:
    return StepProgress(name=step.name, text=step.text, state=state, note=note, seconds=seconds)
