"""What an emergency left out for the side that did not answer, and what of it is still to be done there.

Nothing of this is kept: it follows from the journal, by what the run left out and what was done of it since.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from changeover.model.runs.plan import ActionStep, Plan, PlanKind
from changeover.model.runs.run import Outcome, Run, StepProgress, StepState
from changeover.model.settings.action import CommandLine, HttpCall, Note, Phase, PlatformCall
from changeover.model.settings.service import Service

_PHASES = (Phase.QUIESCE, Phase.FENCE)
_DONE = (StepState.DONE, StepState.WARNING)
_DOUBTFUL = (StepState.UNKNOWN, StepState.RUNNING)


class StillToDo(Struct, frozen=True, kw_only=True):
    """The steps of `run` that were left out for its source, and that nobody has done or dropped since.

    Of those that `doubtful` names nobody knows whether they were done.
    """

    run: Run
    steps: tuple[ActionStep, ...]
    doubtful: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        return self.run.source

    @property
    def names(self) -> str:
        """ "primary quiet; worker of primary stopped (whether it was done is not known)"."""
        doubt = " (whether it was done is not known)"
        return "; ".join(f"{step.name}{doubt if step.name in self.doubtful else ''}" for step in self.steps)

    @property
    def words(self) -> str:
        """A sentence: "Still to do at primary when it answers: worker of primary stopped."."""
        return f"Still to do at {self.where} when it answers: {self.names}."

    @property
    def sides(self) -> frozenset[str]:
        """The deployments that the steps act on, as far as that is known."""
        calls = (step.operation for step in self.steps)
        return frozenset((self.where, *(call.deployment for call in calls if isinstance(call, PlatformCall))))


def still_to_do(runs: Iterable[Run]) -> StillToDo | None:
    """What is still to be done by `runs`, those of one service, newest first; None where nothing is.

    Where several emergencies left something out, that of the newest comes first. A side that visitors came back to
    since, or that somebody said to be protected again, is no longer to be fenced.
    """
    fences: list[Run] = []
    reached: set[str] = set()
    for run in runs:
        if run.forward.kind is PlanKind.FENCE:
            fences.append(run)
        if run.forward.kind is not PlanKind.SWITCH or run.outcome in _WITHOUT_EFFECT:
            continue
        if run.unreadable or run.unfinished or run.reprotected is not None:
            return None
        if run.emergency and run.source not in reached:
            found = _of_one(run, [fence for fence in fences if fence.forward.fences == run.run])
            if found.steps:
                return found
        reached.add(run.to)
    return None


_WITHOUT_EFFECT = (Outcome.REFUSED, Outcome.FAILED, Outcome.UNDONE)


def fence_plan(left: StillToDo, made_at: datetime) -> Plan:
    """What does it: the steps as the run has them. It touches no record and moves nobody."""
    steps = tuple(replace(step, skip="") for step in left.steps)
    run = left.run
    return Plan(
        service=run.service,
        source=run.source,
        to=run.to,
        steps=steps,
        made_at=made_at,
        kind=PlanKind.FENCE,
        fences=run.run,
    )


def fenced(run: Run, runs: Iterable[Run]) -> Run:
    """`run` with what was done since of what it left out, as if it had done that itself: an undo takes it back."""
    went = {step.name: step for step in _went(fence for fence in runs if fence.forward.fences == run.run)}
    steps = (went.get(step.name, step) if step.state is StepState.SKIPPED else step for step in run.went)
    return replace(run, went=tuple(steps))


def why_not_fenced(service: Service, left: StillToDo, active: str, answered: str | None) -> str:
    """What keeps a side from being fenced, in a sentence; empty where visitors are known to be elsewhere.

    `active` is where the records send them, `answered` the deployment that was seen to answer a visitor just now.
    """
    if active in left.sides or answered in left.sides:
        return f"Visitors are at {active if active in left.sides else answered}: it must not be fenced"
    if service.deployment(active) is None:
        return f"It is not known where visitors are ({active}), so that nothing may be fenced"
    return ""


def _of_one(run: Run, fences: Sequence[Run]) -> StillToDo:
    went = {step.name: step.state for step in _went(fences)}
    left = [
        step
        for step, progress in zip(run.forward.steps, run.went, strict=True)
        if isinstance(step, ActionStep) and progress.state is StepState.SKIPPED and _was_for_source(step)
    ]
    steps = [s for s in left if s.name not in run.dropped and went.get(s.name) not in (*_DONE, StepState.SKIPPED)]
    return StillToDo(
        run=run, steps=tuple(steps), doubtful=tuple(s.name for s in steps if went.get(s.name) in _DOUBTFUL)
    )


def _was_for_source(step: ActionStep) -> bool:
    """Does it keep the source from working on? Waits and questions do not, and are of no use afterwards."""
    acts = isinstance(step.operation, HttpCall | CommandLine | PlatformCall | Note)
    return step.action.needs == "source" and step.action.phase in _PHASES and acts


def _went(fences: Iterable[Run]) -> list[StepProgress]:
    """The steps of these, newest first, as far as they went and were not taken back; the oldest stands last."""
    return [
        step
        for fence in fences
        for step in reversed(fence.went)
        if step.name not in fence.taken_back and step.state is not StepState.PENDING
    ][::-1]
