"""What is said of the steps of a plan and of a run, and what a person can do about each, without a window."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from changeover.model.formatting import ended
from changeover.model.runs.open_run import open_run_words, operation_ways
from changeover.model.runs.plan import ActionStep, Plan, PlanKind, Step
from changeover.model.runs.run import Direction, Outcome, Run, StepState, taking_back
from changeover.model.runs.step_decision import StepDecision, why_not
from changeover.model.runs.step_times import last_times, took_words
from changeover.model.settings.action import Approval

STATE_WORDS = {
    StepState.PENDING: "",
    StepState.RUNNING: "in progress",
    StepState.DONE: "done",
    StepState.WARNING: "done, with a warning",
    StepState.SKIPPED: "left out",
    StepState.REFUSED: "refused",
    StepState.FAILED: "failed",
    StepState.UNKNOWN: "not known",
}
#: What a person can do about one step, as its button says it.
VERBS = {"approve": "Approve…", "decline": "Decline…", "repeat": "Do it again…", "skip": "Skip…"}


def state_words(run: Run, number: int) -> str:
    """How a step stands, in a word or two."""
    if asks(run, number) is not None:
        return "waits for an answer"
    return STATE_WORDS[run.steps[number].state]


class Line(Struct, frozen=True):
    """One step of a plan as a sentence. `skip` says why it is left out and at what risk, `took` how long it took."""

    number: int
    text: str
    skip: str = ""
    took: str = ""


def plan_lines(plan: Plan, runs: Sequence[Run] = ()) -> list[list[Line]]:
    """All steps in order; those of one inner list are done at the same time. `runs` say how long each took last."""
    took = last_times(plan, runs)
    return [[_line(n, plan.steps[n], took_words(took.get(n))) for n in group] for group in plan.groups]


def _line(number: int, step: Step, took: str) -> Line:
    return Line(number, step.text, step.skip if isinstance(step, ActionStep) else "", took)


def asks(run: Run, number: int) -> Approval | None:
    """The question that a step waits with for a person's answer, if it does."""
    step, state = run.plan.steps[number], run.steps[number].state
    waits = run.unfinished and isinstance(step, ActionStep) and state in (StepState.RUNNING, StepState.UNKNOWN)
    return step.operation if waits and isinstance(step, ActionStep) and isinstance(step.operation, Approval) else None


def step_verbs(run: Run, number: int) -> tuple[str, ...]:
    """What a person can do about one step now: keys of VERBS. A question is shown once the run has come to it."""
    step, state = run.plan.steps[number], run.steps[number].state
    if isinstance(step, ActionStep) and (
        step.skip or (isinstance(step.operation, Approval) and state is StepState.PENDING)
    ):
        return ()
    repeats = isinstance(step, ActionStep) and not step.action.repeatable and not isinstance(step.operation, Approval)
    return tuple(w for w in VERBS if not why_not(run, number, StepDecision(w)) and (w != "repeat" or repeats))


class StepsNotice(Struct, frozen=True):
    """What stands above the steps: its look, a heading, and a sentence. Nothing where `heading` is empty."""

    role: str = "calm"
    heading: str = ""
    text: str = ""


def notice(run: Run, here: bool, now: datetime) -> StepsNotice:
    """What a person must know about a run besides its steps. `here`: this process works on it."""
    waiting = next((asks(run, n) for n in range(len(run.steps)) if asks(run, n) is not None), None)
    question = f"{waiting.question} " if waiting is not None else ""
    if run.paused and run.outcome is Outcome.INTERRUPTED:
        return StepsNotice(
            "caution", "Paused", f"{question}Nothing is done until somebody goes on. What stands is read first."
        )
    if waiting is not None and run.outcome is Outcome.RUNNING:
        where = "" if here else " Another Changeover works on it."
        return StepsNotice("caution", "Somebody must say yes", f"{question}Until then the run waits.{where}")
    if run.outcome is Outcome.RUNNING:
        if not here:
            return StepsNotice("calm", "Another Changeover works on this run", "What it does is shown here.")
        if run.emergency and run.direction is Direction.FORWARD:
            text = f"What needs {run.source} is left out."
            return StepsNotice("calm", "This is an emergency", text)
        return StepsNotice()
    if run.outcome is Outcome.INTERRUPTED:
        return StepsNotice("caution", "It stopped before its end", _ways_on(run, "Go on"))
    if run.outcome is Outcome.INCOMPLETE and run.unfinished:
        return StepsNotice(
            "alarm", f"{_what(run)} is not complete", f"{ended(run.text)} {_ways_on(run, 'Try again')}".strip()
        )
    if run.unreadable and run.unfinished:
        return StepsNotice("alarm", *open_run_words(run))
    return StepsNotice()


def go_on_words(run: Run) -> str:
    """What the button says that resumes a run."""
    return "Try again" if run.outcome is Outcome.INCOMPLETE else "Go on"


def done_words(run: Run) -> list[str]:
    """What was done so far and would have to be taken back, a line a step."""
    found = []
    for step, progress in zip(run.plan.steps, run.steps, strict=True):
        if isinstance(step, ActionStep) and taking_back(step, progress) is None:
            continue
        if progress.may_be_done and step.name not in ("name-servers", "visitors"):
            doubt = "" if progress.state in (StepState.DONE, StepState.WARNING) else " (perhaps)"
            found.append(f"{step.text}{doubt}")
    return found


def _what(run: Run) -> str:
    if run.forward.kind is PlanKind.OPERATION:
        return "It"
    return "The way back" if run.direction is Direction.UNDO else "The switch"


def _ways_on(run: Run, resume: str) -> str:
    if run.forward.kind is PlanKind.OPERATION:
        return operation_ways(run)
    back = "" if run.direction is Direction.UNDO else f", or undo it: back to {run.source}"
    return f"“{resume}” reads what stands first{back}."
