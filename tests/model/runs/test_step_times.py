"""A plan says how long each action took last time, where the same was done before."""

from __future__ import annotations

from msgspec.structs import replace

from changeover.model.runs.plan import ActionStep, Plan
from changeover.model.runs.plan_actions import with_actions
from changeover.model.runs.run import Ended, Intent, Outcome, Run, Started, StepEnded, StepState, UnreadableEvent
from changeover.model.runs.step_times import last_times, took_words
from model.emergencies import ACTIONS
from model.snapshots import service
from model.switches import folded, plan

MADE = with_actions(plan(), replace(service(), actions=ACTIONS), emergency=False)


def ran(state: StepState, seconds: float, number: int = 1, made: Plan = MADE) -> Run:
    """A run whose first step, "quiet", ended so."""
    events = [(9.0, Started(plan=made)), (8.0, Intent(step=0)), (7.0, StepEnded(step=0, state=state, seconds=seconds))]
    return folded([*events, (6.0, Ended(outcome=Outcome.INCOMPLETE))], number)


def test_the_last_time_that_it_was_done() -> None:
    """Not one in which it failed, was left out, or of which nobody knows."""
    assert MADE.steps[0].name == "quiet"
    assert last_times(MADE, ()) == {}
    assert last_times(MADE, (ran(StepState.DONE, 42, 3), ran(StepState.DONE, 7, 2))) == {0: 42}
    assert last_times(MADE, (ran(StepState.FAILED, 60, 2), ran(StepState.WARNING, 7))) == {0: 7}
    assert last_times(MADE, (ran(StepState.SKIPPED, 0),)) == {}
    assert last_times(MADE, (folded([(9.0, UnreadableEvent(newer=True))]), ran(StepState.DONE, 7))) == {0: 7}


def test_only_the_same_thing_counts() -> None:
    """Whatever has the same name; and what is left out takes no time."""
    first = MADE.steps[0]
    assert isinstance(first, ActionStep)
    other = replace(MADE, steps=(replace(first, operation=ACTIONS[1].operation), *MADE.steps[1:]))
    assert last_times(MADE, (ran(StepState.DONE, 42, made=other),)) == {}
    emergency = with_actions(plan(), replace(service(), actions=ACTIONS), emergency=True)
    assert last_times(emergency, (ran(StepState.DONE, 42),)) == {}


def test_in_words() -> None:
    """As every length of time."""
    assert took_words(None) == ""
    assert took_words(0.2) == "took less than 1 s last time"
    assert took_words(42.3) == "took 42 s last time"
    assert took_words(130) == "took 2 min 10 s last time"
