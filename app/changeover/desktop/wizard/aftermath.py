"""What is said after a run: how long each part took, how long it can be undone, when the last resolver follows."""

from __future__ import annotations

from datetime import datetime

from changeover.model.formatting import duration
from changeover.model.health.soak import Soak, SoakState
from changeover.model.readiness.lifecycle import UNDO_WINDOW
from changeover.model.runs.plan import PlanKind
from changeover.model.runs.recovery_time import recovery_time
from changeover.model.runs.run import Direction, Outcome, Run

#: What a run may be for that is kept and undone as it stands, with no time after it to wait for.
_WITHOUT_VISITORS = (PlanKind.OPERATION, PlanKind.FENCE)


def recovery_words(run: Run) -> str:
    """How long it took until visitors were served, in its parts; nothing for a run that is not about that."""
    if run.outcome is not Outcome.COMPLETED or run.direction is Direction.UNDO or not run.forward.kind.moves_visitors:
        return ""
    return recovery_time(run).text


def undo_words(run: Run, now: datetime) -> str:
    """For how long a switch is offered to be undone; nothing where it is not."""
    if (
        run.outcome is not Outcome.COMPLETED
        or run.ended is None
        or run.forward.kind in (PlanKind.OPERATION, PlanKind.FENCE)
    ):
        return ""
    if run.committed is not None:
        return "It was kept. An undo is still possible, but what was done there since stays there."
    left = (run.ended + UNDO_WINDOW - now).total_seconds()
    if left <= 0:
        return "The time for an undo is over; it is still possible. Keep it, or go back."
    return f"It can be undone for {duration(left)} more. “Keep it” says that this is the new normal."


def soak_words(soak: Soak) -> tuple[str, bool]:
    """How the time after a switch goes, and whether it became worse."""
    return f"{soak.text}.", soak.state is SoakState.WORSENED
