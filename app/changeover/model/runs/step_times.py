"""How long the actions of a plan took when they were done last, by the journal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from changeover.model.formatting import duration
from changeover.model.runs.plan import ActionStep, Plan
from changeover.model.runs.run import Run, StepState

_DONE = (StepState.DONE, StepState.WARNING)


def last_times(plan: Plan, runs: Iterable[Run]) -> Mapping[int, float]:
    """By the number of a step of `plan`, how many seconds the same took last time. `runs` come newest first.

    It is the same only where it has the same name and does the same thing.
    """
    found: dict[int, float] = {}
    for run in runs:
        if run.unreadable:
            continue
        took = {
            step.name: (step.operation, progress.seconds)
            for step, progress in zip(run.forward.steps, run.went, strict=True)
            if isinstance(step, ActionStep) and progress.state in _DONE
        }
        for number, step in enumerate(plan.steps):
            if number not in found and isinstance(step, ActionStep) and not step.skip and step.name in took:
                operation, seconds = took[step.name]
                found |= {number: seconds} if operation == step.operation else {}
    return found


def took_words(seconds: float | None) -> str:
    """ "took 42 s last time"; empty where nobody knows."""
    if seconds is None:
        return ""
    return f"took {duration(seconds) if seconds >= 1 else 'less than 1 s'} last time"
