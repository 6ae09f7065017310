"""Actions in plans: an order that cannot be wrong, what an emergency leaves out, and how operations are taken back."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from changeover.model.platforms.platform_observation import PlatformObservation
from changeover.model.runs.plan import ActionStep, ChangeRecords, CheckNameServers, CheckVisitors, Plan, make_plan
from changeover.model.runs.plan_actions import undoing, with_actions
from changeover.model.runs.run import StepProgress, StepState
from changeover.model.settings.action import ACTION_PHASES, Action, CommandLine, Note, Operation, Phase, PlatformCall
from model.snapshots import PRIMARY, reading, service
from model.strategies import NOW

BARE = make_plan(service(), "primary", "backup", (reading(PRIMARY),), NOW)


def action(name: str, phase: Phase, **more: Any) -> Action:
    back = CommandLine(command=("undo", name)) if more.pop("reversible", False) else None
    return Action(name=name, phase=phase, operation=CommandLine(command=(name,)), undo=back, **more)


def planned(*actions: Action, emergency: bool = False, dns_first: bool = False) -> Plan:
    return with_actions(BARE, replace(service(), actions=actions), emergency, dns_first)


def names(plan: Plan) -> list[str]:
    return [step.name for step in plan.steps]


def went(plan: Plan, *states: StepState) -> tuple[StepProgress, ...]:
    """The plan's steps, of which these are the states; all others are done."""
    all_ = [*states, *[StepState.DONE] * (len(plan.steps) - len(states))]
    return tuple(
        StepProgress(name=step.name, text=step.text, state=state) for step, state in zip(plan.steps, all_, strict=True)
    )


@given(st.lists(st.sampled_from(ACTION_PHASES), max_size=8))
def test_the_order_is_that_of_the_phases_whatever_the_settings_say(phases: list[Phase]) -> None:
    """Quiesce, drain, promote, prove; then the records, the name servers, the visitors; then lift and fence."""
    plan = planned(*(action(f"a{n}", phase) for n, phase in enumerate(phases)))
    place = [
        list(Phase).index(step.action.phase)
        if isinstance(step, ActionStep)
        else list(Phase).index(Phase.DNS if isinstance(step, ChangeRecords) else Phase.VERIFY)
        for step in plan.steps
    ]
    assert place == sorted(place)
    assert plan.changes == BARE.changes


def test_actions_of_one_phase_keep_the_order_of_the_settings() -> None:
    """Except those that are done together, which are one group."""
    plan = planned(
        action("stop mail", Phase.QUIESCE),
        action("stop jobs", Phase.QUIESCE, together="stop"),
        action("stop web", Phase.QUIESCE, together="stop"),
        action("unlock", Phase.LIFT),
    )
    kinds = (ChangeRecords, CheckNameServers, CheckVisitors)
    assert [type(s) for s in plan.steps if not isinstance(s, ActionStep)] == list(kinds)
    assert names(plan)[:3] == ["stop mail", "stop jobs", "stop web"]
    assert plan.groups == ((0,), (1, 2), (3,), (4,), (5,), (6,))


def test_an_emergency_lists_what_it_leaves_out_and_the_risk() -> None:
    """What needs the source cannot be done; it stands in the plan with what that means."""
    lock = action("lock orders", Phase.QUIESCE, needs="source", risk="Orders of the last seconds may be lost.")
    (step, *_) = planned(lock, emergency=True).steps
    assert isinstance(step, ActionStep)
    assert step.skip == "left out: it needs primary, which does not work. Orders of the last seconds may be lost."
    (step, *_) = planned(lock).steps
    assert isinstance(step, ActionStep) and step.skip == ""


def test_an_action_may_be_for_some_switches_only() -> None:
    """By where they lead."""
    plan = planned(action("there", Phase.PROMOTE, to=("backup",)), action("back", Phase.PROMOTE, to=("primary",)))
    assert "there" in names(plan) and "back" not in names(plan)
    nothing = with_actions(replace(BARE, steps=()), replace(service(), actions=(action("x", Phase.LIFT),)), False)
    assert nothing.steps == ()


def test_operations_are_taken_back_in_reverse_around_the_records() -> None:
    """What came after the records comes before them now; what has no reverse, or never took place, is left alone."""
    forward = planned(
        action("lock", Phase.QUIESCE, reversible=True),
        action("promote", Phase.PROMOTE, reversible=True),
        action("tell", Phase.PROVE),
        action("unlock", Phase.LIFT, reversible=True),
    )
    back = undoing(BARE, forward, went(forward), frozenset())
    assert names(back) == ["unlock", *names(BARE), "promote", "lock"]
    assert [s.operation for s in back.steps if isinstance(s, ActionStep)] == [
        CommandLine(command=("undo", name)) for name in ("unlock", "promote", "lock")
    ]
    begun = went(forward, StepState.DONE, StepState.UNKNOWN, *[StepState.PENDING] * 5)
    half = undoing(replace(BARE, steps=()), forward, begun, frozenset())
    assert names(half) == ["promote", "lock"]
    assert "not known" in half.steps[0].text
    assert names(undoing(BARE, forward, went(forward), {"unlock", "lock"})) == [*names(BARE), "promote"]


def test_the_records_first() -> None:
    """The target is prepared before visitors are looked at, and is taken back only once they have left it again."""
    acts = [action(phase.value, phase, reversible=True) for phase in ACTION_PHASES]
    forward = planned(*acts, emergency=True, dns_first=True)
    before = ["quiesce", "drain", "promote", "prove"]
    assert names(forward) == ["change-records", *before, "name-servers", "visitors", "lift", "fence"]
    assert [step.phase for step in acts] == list(ACTION_PHASES)
    back = undoing(BARE, forward, went(forward), frozenset())
    assert names(back) == ["fence", "lift", *names(BARE), *reversed(before)]


def test_notes_are_operations_that_take_nothing_back() -> None:
    """A note without a reverse is not repeated when the run is undone."""
    tell = Action(name="tell", phase=Phase.QUIESCE, operation=Note(note="Tell the shop floor."))
    forward = planned(tell)
    assert names(undoing(BARE, forward, went(forward), frozenset())) == names(BARE)


def test_what_a_platform_did_is_taken_back_by_what_stood_before() -> None:
    """Unless the settings say how; and not where nobody knows what stood there."""
    call = PlatformCall(deployment="backup", verb="scale", options={"instances": 3})
    before = PlatformObservation(wanted=1)

    def way_back(stood: PlatformObservation | None, undo: Operation | None = None) -> list[str]:
        forward = planned(Action(name="room", phase=Phase.PROMOTE, operation=call, undo=undo))
        done = went(forward)
        done = (replace(done[0], before=stood), *done[1:])
        return [step.text for step in undoing(BARE, forward, done, frozenset()).steps if isinstance(step, ActionStep)]

    assert way_back(before) == ["Take back room: Scale backup to 1 instance"]
    assert way_back(None) == []
    assert way_back(PlatformObservation(wanted=3)) == []
    assert way_back(before, CommandLine(command=("shrink",))) == ["Take back room: Run shrink"]
