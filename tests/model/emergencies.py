"""Emergencies of the shop that left something out for the source, and runs that did it since."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec.structs import replace

from changeover.model.runs.fencing import fence_plan, still_to_do
from changeover.model.runs.plan import ActionStep
from changeover.model.runs.plan_actions import with_actions
from changeover.model.runs.run import (
    Ended,
    Event,
    Intent,
    Outcome,
    Run,
    Started,
    StepEnded,
    StepState,
    UnreadableEvent,
)
from changeover.model.settings.action import Action, CommandLine, Note, Operation, Phase, PlatformCall, WaitUntil
from model.snapshots import service
from model.strategies import NOW
from model.switches import folded, plan

QUIET = PlatformCall(deployment="primary", verb="maintenance-on")
STOPPED = PlatformCall(deployment="primary", verb="scale", options={"instances": 0, "process": "worker"})
Needs = Literal["source", "target", "nothing"]


def action(
    name: str, phase: Phase, operation: Operation, needs: Needs = "source", undo: Operation | None = None
) -> Action:
    return Action(name=name, phase=phase, operation=operation, needs=needs, undo=undo)


ACTIONS = (
    action("quiet", Phase.QUIESCE, QUIET, undo=PlatformCall(deployment="primary", verb="maintenance-off")),
    action("drained", Phase.DRAIN, WaitUntil(until="seconds", seconds=5)),
    action("last dump", Phase.PROMOTE, CommandLine(command=("dump",))),
    action("proven", Phase.PROVE, WaitUntil(until="healthy"), "target"),
    action("worker stopped", Phase.FENCE, STOPPED),
    action("keys", Phase.FENCE, Note(note="revoke them"), "source"),
    action("told", Phase.FENCE, CommandLine(command=("tell",)), "nothing"),
)
#: What of them is still to be done afterwards.
NAMES = ["quiet", "worker stopped", "keys"]


def emergency(
    ago: float = 3600,
    outcome: Outcome | None = Outcome.COMPLETED,
    *said: tuple[float, Event | UnreadableEvent],
    number: int = 1,
    source: str = "primary",
    to: str = "backup",
    planned: bool = False,
) -> Run:
    """A run whose steps all went as its plan has them."""
    made = with_actions(plan(source, to), replace(service(), actions=ACTIONS), emergency=not planned)
    events: list[tuple[float, Event | UnreadableEvent]] = [(ago + 9, Started(plan=made, emergency=not planned))]
    for step_number, step in enumerate(made.steps):
        left = isinstance(step, ActionStep) and bool(step.skip)
        events.append((ago + 8, Intent(step=step_number)))
        events.append((ago + 7, StepEnded(step=step_number, state=StepState.SKIPPED if left else StepState.DONE)))
    if outcome is not None:
        events.append((ago, Ended(outcome=outcome)))
    return folded([*events, *said], number)


def fence(
    of: Run,
    states: Sequence[StepState | None],
    outcome: Outcome | None = Outcome.COMPLETED,
    *said: Event,
    number: int = 2,
) -> Run:
    """A run that did of it what was still to be done, as far as that went; None for what was cut off in its midst."""
    left = still_to_do((of,))
    assert left is not None
    events: list[tuple[float, Event | UnreadableEvent]] = [(90.0, Started(plan=fence_plan(left, NOW)))]
    for step_number, state in enumerate(states):
        events.append((80.0, Intent(step=step_number)))
        if state is not None:
            events.append((70.0, StepEnded(step=step_number, state=state)))
    if outcome is not None:
        events.append((60.0, Ended(outcome=outcome)))
    return folded([*events, *((50.0, event) for event in said)], number)
