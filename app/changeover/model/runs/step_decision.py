"""A person's word on one step of a run: which steps take which, and when."""

from __future__ import annotations

from enum import StrEnum

from changeover.model.runs.plan import ActionStep, ChangeRecords
from changeover.model.runs.run import Run, StepState
from changeover.model.settings.action import Approval


class StepDecision(StrEnum):
    """What a person can say of a step."""

    APPROVE = "approve"
    DECLINE = "decline"
    SKIP = "skip"
    REPEAT = "repeat"


#: The states in which a step takes each. What was declined, or what nobody answered, may still be approved.
_TAKES = {
    StepDecision.APPROVE: (StepState.PENDING, StepState.RUNNING, StepState.UNKNOWN, StepState.REFUSED),
    StepDecision.DECLINE: (StepState.PENDING, StepState.RUNNING, StepState.UNKNOWN),
    StepDecision.SKIP: (StepState.PENDING, StepState.FAILED, StepState.UNKNOWN),
    StepDecision.REPEAT: (StepState.UNKNOWN,),
}


def step_number(run: Run, text: str) -> int | None:
    """Which step of the run's present direction `text` names, by name or by number from 1; None where it names none."""
    names = [step.name for step in run.steps]
    if text in names:
        return names.index(text)
    return int(text) - 1 if text.isascii() and text.isdecimal() and 0 < int(text) <= len(names) else None


def why_not(run: Run, number: int, word: StepDecision) -> str:
    """Why the step takes no such word now, in a sentence; empty where it does."""
    step, progress = run.plan.steps[number], run.steps[number]
    asks = isinstance(step, ActionStep) and isinstance(step.operation, Approval)
    if not run.unfinished:
        return f"Run {run.run} is {run.outcome}: nothing of it is still to be done"
    if word in (StepDecision.APPROVE, StepDecision.DECLINE) and not asks:
        return f"“{step.name}” asks nobody: it cannot be approved or declined"
    if word is StepDecision.SKIP and isinstance(step, ChangeRecords):
        return f"“{step.name}” changes records, which is what the run is for: it cannot be skipped"
    if word is StepDecision.SKIP and asks:
        return f"“{step.name}” asks somebody: approve or decline it"
    if not isinstance(step, ActionStep):
        return f"“{step.name}” is done again by reading: nobody needs to {word} it"
    if progress.state not in _TAKES[word]:
        return f"“{step.name}” is {progress.state}: there is nothing to {word}"
    return ""
