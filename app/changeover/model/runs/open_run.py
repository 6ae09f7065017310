"""What is said of a run that stands in the way of the next one, or of which not everything is understood."""

from __future__ import annotations

from changeover.model.runs.plan import ActionStep
from changeover.model.runs.run import Outcome, Run, StepState


def open_run_words(run: Run) -> tuple[str, str]:
    """What is the matter with a run that is unfinished or unreadable, and what to do about it."""
    look = f"Look at it with: changeover report {run.run}"
    accept = f"changeover accept {run.run} --reason TEXT"
    whose = f"Run {run.run} of {run.service}" if run.service else f"Run {run.run}"
    if not run.unreadable:
        return f"{whose} is not finished", f"{look}. Then resume, undo or accept it."
    why = "" if run.outcome is Outcome.NEWER else ": not all of its journal can be read"
    text = f"{whose} {unreadable_words(run)}{why}"
    over = "" if run.unfinished else "It is over and stands in nobody's way. "
    if run.outcome is Outcome.NEWER:
        way = f", or make sure of its records by hand and end it: {accept}" if run.unfinished else ""
        return text, f"{over}Update this Changeover{way}."
    if not run.unfinished:
        return text, f"{over}{look}. To go back, switch."
    return text, f"{look}. Make sure of its records by hand, then end it: {accept}"


def operation_ways(run: Run) -> str:
    """What can be done about one operation of a platform that has no end."""
    unknown = [
        step
        for step, progress in zip(run.plan.steps, run.steps, strict=True)
        if progress.state is StepState.UNKNOWN and isinstance(step, ActionStep) and not step.action.repeatable
    ]
    way = "say whether it is to be done again or left out" if unknown else "go on with it, which does no harm"
    return f"Look at the platform first; then {way}, or accept it as it stands."


def unreadable_words(run: Run) -> str:
    """ "is damaged" or "was written by a newer Changeover": how a run is of which not everything is understood."""
    return "was written by a newer Changeover" if run.outcome is Outcome.NEWER else "is damaged"
