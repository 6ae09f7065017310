"""What an emergency left out is still to be done until it is done or dropped, by the journal alone."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from changeover.model.runs.fencing import StillToDo, fence_plan, fenced, still_to_do, why_not_fenced
from changeover.model.runs.plan import ActionStep, Plan
from changeover.model.runs.plan_actions import undoing, with_actions
from changeover.model.runs.run import (
    Ended,
    Escalated,
    Event,
    Outcome,
    Reprotected,
    Run,
    Skipped,
    Started,
    StepEnded,
    StepState,
    UndoStarted,
    UnreadableEvent,
)
from changeover.model.settings.action import PlatformCall
from model.emergencies import ACTIONS, NAMES, emergency, fence
from model.snapshots import service
from model.strategies import NOW
from model.switches import folded, plan, switched


def names(*runs: Run) -> list[str]:
    left = still_to_do(runs)
    return [] if left is None else [step.name for step in left.steps]


def test_what_an_emergency_left_out_for_the_source() -> None:
    """What keeps it from working on, and nothing that made sense only before the switch."""
    run = emergency()
    assert names(run) == NAMES
    left = still_to_do((run,))
    assert left is not None
    assert left.words == "Still to do at primary when it answers: quiet; worker stopped; keys."
    made = fence_plan(left, NOW)
    assert [step.skip for step in made.steps if isinstance(step, ActionStep)] == ["", "", ""]
    assert (made.changes, made.kind.moves_visitors, made.fences) == ((), False, "shop-1")


def test_nothing_where_nothing_was_left_out() -> None:
    """A planned switch did it all."""
    assert names(emergency(planned=True)) == []
    assert names(switched(3600, emergency=True)) == []
    assert names() == []
    made = with_actions(plan(), replace(service(), actions=ACTIONS), emergency=False)
    said = [(9, Started(plan=made)), (8, Skipped(step=0, reason="not today")), (7, Ended(outcome=Outcome.COMPLETED))]
    assert made.steps[0].name == "quiet"
    assert names(folded(said)) == [], "a person left it out of a planned switch"


def test_a_planned_run_that_became_an_emergency() -> None:
    """What it left out from then on counts as well, and what a person had skipped."""
    made = with_actions(plan(), replace(service(), actions=ACTIONS), emergency=False)
    numbers = {step.name: number for number, step in enumerate(made.steps)}
    said: list[tuple[float, Event | UnreadableEvent]] = [
        (99, Started(plan=made)),
        (98, Skipped(step=numbers["quiet"], reason="it hangs")),
        (97, Escalated(why="it burns")),
        (96, StepEnded(step=numbers["worker stopped"], state=StepState.SKIPPED)),
        (95, StepEnded(step=numbers["keys"], state=StepState.DONE)),
        (94, Ended(outcome=Outcome.COMPLETED)),
    ]
    assert names(folded(said)) == ["quiet", "worker stopped"]


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (None, ()),
        (Outcome.INCOMPLETE, ()),
        (
            Outcome.COMPLETED,
            ((10.0, UndoStarted(plan=plan("backup", "primary"))), (9.0, Ended(outcome=Outcome.UNDONE))),
        ),
        (Outcome.COMPLETED, ((10.0, UndoStarted(plan=plan("backup", "primary"))),)),
        (Outcome.COMPLETED, ((10.0, Reprotected()),)),
        (Outcome.COMPLETED, ((10.0, UnreadableEvent(newer=False)),)),
        (Outcome.FAILED, ()),
    ],
    ids=["open", "incomplete", "undone", "going back", "protected again", "damaged", "failed"],
)
def test_only_while_it_makes_sense(
    outcome: Outcome | None, said: tuple[tuple[float, Event | UnreadableEvent], ...]
) -> None:
    """A side that visitors may be at, or that is a backup again, is not to be fenced."""
    assert names(emergency(3600, outcome, *said)) == []


def test_what_was_done_and_what_was_dropped_is_no_longer_to_be_done() -> None:
    """Step by step; what failed or is not known stays."""
    run = emergency()
    assert names(fence(run, [StepState.DONE, StepState.WARNING, StepState.DONE]), run) == []
    failed = fence(run, [StepState.DONE, StepState.FAILED], Outcome.FAILED)
    assert names(failed, run) == ["worker stopped", "keys"]
    assert names(run, failed) == NAMES, "runs are given newest first"
    number = [step.name for step in run.forward.steps].index("keys")
    dropped = emergency(3600, Outcome.COMPLETED, (10, Skipped(step=number, reason="it has none")))
    assert names(dropped) == ["quiet", "worker stopped"]
    assert dropped.dropped == {"keys": "it has none"}
    assert names(fence(run, [StepState.DONE], None, Skipped(step=1, reason="no")), run) == ["keys"]


def test_what_nobody_knows() -> None:
    """A crash between the intent and the outcome."""
    run = emergency()
    left = still_to_do((fence(run, [StepState.DONE, None], None), run))
    assert left is not None
    assert left.doubtful == ("worker stopped",)
    assert left.words.startswith("Still to do at primary when it answers: worker stopped (whether it was done is not")


def test_what_was_taken_back_is_to_be_done_again() -> None:
    """As if it had never been done."""
    run = emergency()
    done = fence(run, [StepState.DONE, StepState.DONE, StepState.DONE])
    back = undoing(replace(done.forward, steps=()), done.forward, done.went, done.taken_back)
    assert [step.name for step in back.steps] == ["quiet"], "of the others nothing is known that takes them back"
    undone = fence(
        run,
        [StepState.DONE, StepState.DONE, StepState.DONE],
        Outcome.COMPLETED,
        UndoStarted(plan=back),
        StepEnded(step=0, state=StepState.DONE),
        Ended(outcome=Outcome.UNDONE),
    )
    assert names(undone, run) == ["quiet"]


def test_an_undo_of_the_emergency_takes_back_what_was_done_since() -> None:
    """Visitors would come back to a side in maintenance else."""
    run = emergency()
    empty = Plan(service="shop", source="backup", to="primary", steps=(), made_at=NOW)

    def back(*later: Run) -> list[str]:
        of = fenced(run, later)
        return [step.name for step in undoing(empty, of.forward, of.went, of.taken_back).steps]

    assert "quiet" not in back()
    assert "quiet" in back(fence(run, [StepState.DONE]))
    assert "quiet" in back(fence(run, [None], None)), "it may have been done"
    assert "quiet" not in back(fence(run, [StepState.FAILED], Outcome.FAILED))
    assert "quiet" not in back(fence(emergency(number=7), [StepState.DONE])), "another run's"


def test_the_newest_emergency_counts() -> None:
    """A side that visitors came back to since is not to be fenced; one that they never came back to is."""
    first = emergency(7200)
    again = emergency(3600, number=3, source="backup", to="primary")
    left = still_to_do((again, first))
    assert left is not None
    assert (left.run.run, left.where) == ("shop-3", "backup")
    assert names(switched(60, source="backup", to="primary", number=3), first) == []
    assert names(switched(60, Outcome.UNDONE, source="backup", to="primary", number=3), first) == NAMES
    assert names(replace(switched(60, number=3), source="backup", to="third"), first) == NAMES


def test_where_visitors_are_nothing_is_fenced() -> None:
    """By the records, by who answers, and where neither is known."""
    left = StillToDo(run=emergency(), steps=())
    assert why_not_fenced(service(), left, "backup", "backup") == ""
    assert why_not_fenced(service(), left, "backup", None) == ""
    assert why_not_fenced(service(), left, "primary", None) == "Visitors are at primary: it must not be fenced"
    assert why_not_fenced(service(), left, "backup", "primary") == "Visitors are at primary: it must not be fenced"
    assert "not known where visitors are (mixed)" in why_not_fenced(service(), left, "mixed", None)
    assert "not known where visitors are (unknown)" in why_not_fenced(service(), left, "unknown", "backup")
    call = ActionStep(name="x", text="x", action=ACTIONS[0], operation=PlatformCall(deployment="backup", verb="stop"))
    assert "Visitors are at backup" in why_not_fenced(service(), replace(left, steps=(call,)), "backup", None)
