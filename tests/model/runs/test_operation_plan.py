"""One operation of a platform as a run: what can be done with it at every point, and what it risks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from changeover.model.platforms.platform_observation import PlatformObservation
from changeover.model.runs.operation_plan import (
    may_have_visitors,
    operation_plan,
    operation_risks,
    takes_out_of_service,
)
from changeover.model.runs.plan import Plan
from changeover.model.runs.plan_actions import undoing
from changeover.model.runs.run import (
    Accepted,
    Ended,
    Entry,
    Event,
    Intent,
    Outcome,
    Repeated,
    Resumed,
    Run,
    Started,
    StepEnded,
    StepState,
    fold,
)
from changeover.model.settings.action import Verb
from changeover.model.settings.platform import PlatformOperation, ScaleOptions
from model.snapshots import service
from model.strategies import NOW

STOOD = PlatformObservation(wanted=2, maintenance=False)


def operation(verb: Verb, reverse: Verb | None, idempotent: bool = True) -> PlatformOperation:
    return PlatformOperation(
        verb=verb, does="", reverse=reverse, permission="", idempotent=idempotent, options=ScaleOptions
    )


SCALE, RESTART = operation("scale", "scale"), operation("restart", None, idempotent=False)


def plan(verb: str = "scale") -> Plan:
    if verb == "restart":
        return operation_plan("shop", "primary", RESTART, {}, NOW)
    return operation_plan("shop", "primary", SCALE, {"instances": 5}, NOW)


def told(of: Plan, *events: Event) -> Run:
    every: Sequence[Event] = (Started(plan=of), *events)
    return fold([Entry(run="shop-1", at=NOW + timedelta(seconds=n), event=e) for n, e in enumerate(every)])


def end(state: StepState) -> StepEnded:
    return StepEnded(step=0, state=state, text="said")


BEGUN = Intent(step=0, before=STOOD)
DONE, UNKNOWN, FAILED = end(StepState.DONE), end(StepState.UNKNOWN), end(StepState.FAILED)
COMPLETED, INCOMPLETE = Ended(outcome=Outcome.COMPLETED), Ended(outcome=Outcome.INCOMPLETE)


@pytest.mark.parametrize(
    ("verb", "events", "ways"),
    [
        ("scale", (), ("resume", "undo", "accept")),
        ("scale", (BEGUN,), ("resume", "undo", "accept")),
        ("scale", (BEGUN, DONE), ("resume", "undo", "accept")),
        ("scale", (BEGUN, DONE, COMPLETED), ("undo",)),
        ("scale", (BEGUN, UNKNOWN, INCOMPLETE, Accepted(reason="so be it")), ("undo",)),
        ("scale", (BEGUN, FAILED, Ended(outcome=Outcome.FAILED)), ()),
        ("restart", (), ("resume", "undo", "accept")),
        ("restart", (BEGUN,), ("resume", "accept")),
        ("restart", (BEGUN, UNKNOWN, INCOMPLETE), ("resume", "accept")),
        ("restart", (BEGUN, DONE, COMPLETED), ()),
        ("restart", (BEGUN, UNKNOWN, INCOMPLETE, Accepted(reason="so be it")), ()),
    ],
)
def test_what_can_be_done_with_it(verb: str, events: tuple[Event, ...], ways: tuple[str, ...]) -> None:
    """An undo is offered where something takes back all that was, or may have been, done."""
    assert told(plan(verb), *events).next == ways


def test_what_changed_nothing_needs_no_undo() -> None:
    """As many ran before."""
    same = Intent(step=0, before=replace(STOOD, wanted=5))
    assert told(plan(), same, DONE, COMPLETED).next == ()


@pytest.mark.parametrize(
    "later",
    [
        (Resumed(), BEGUN, FAILED, INCOMPLETE),
        (Resumed(), BEGUN, FAILED, INCOMPLETE, Resumed(), BEGUN, FAILED, INCOMPLETE),
        (Repeated(step=0),),
        (Repeated(step=0), Resumed(), BEGUN, FAILED, INCOMPLETE),
    ],
)
@pytest.mark.parametrize("first", [(BEGUN, UNKNOWN, INCOMPLETE), (BEGUN,)])
def test_a_first_try_in_doubt_is_not_forgotten(first: tuple[Event, ...], later: tuple[Event, ...]) -> None:
    """That a later one was refused does not say that the first one was not done: an undo takes it back."""
    run = told(plan(), *first, *later)
    (step,) = undoing(replace(plan(), steps=()), run.forward, run.went, run.taken_back).steps
    assert step.text == "Take back scale: Scale primary to 2 instances (whether it was done is not known)"


def test_what_was_refused_from_the_beginning_is_not_taken_back() -> None:
    """And once a try was done, there is no doubt any more."""
    refused = told(plan(), BEGUN, FAILED, INCOMPLETE, Resumed(), BEGUN, FAILED, INCOMPLETE)
    assert undoing(replace(plan(), steps=()), refused.forward, refused.went, refused.taken_back).steps == ()
    done = told(plan(), BEGUN, UNKNOWN, INCOMPLETE, Resumed(), BEGUN, DONE, COMPLETED)
    (step,) = undoing(replace(plan(), steps=()), done.forward, done.went, done.taken_back).steps
    assert "not known" not in step.text


@pytest.mark.parametrize(
    ("verb", "options", "out"),
    [
        *((verb, {}, True) for verb in ("maintenance-on", "stop", "rollback", "promote")),
        *((verb, {}, False) for verb in ("maintenance-off", "start", "restart", "purge-cache", "enable-certificates")),
        ("detach-domain", {"hostname": "www.shop.example"}, True),
        ("attach-domain", {"hostname": "www.shop.example"}, False),
        ("scale", {"instances": 0}, True),
        ("scale", {"instances": 0, "process": "web"}, True),
        ("scale", {"instances": 0, "process": "worker"}, False),
        ("scale", {"instances": 1}, False),
        ("scale", {}, False),
    ],
)
def test_what_takes_a_deployment_out_of_service(verb: str, options: dict[str, Any], out: bool) -> None:
    """Scaling to nothing does for the process that serves visitors, whatever that is called."""
    primary = service().primary
    assert takes_out_of_service(primary, verb, options) is out
    if verb == "scale" and options.get("process") == "worker":
        other = replace(primary, options={"process": "worker"})
        assert takes_out_of_service(other, verb, options)


def test_risks_are_those_of_where_visitors_are() -> None:
    """At it, elsewhere, or nobody knows; what nothing takes back, and what must not be done twice."""
    of = service()
    stop = operation("stop", "start")
    assert operation_risks(of, of.primary, stop, {}, "primary") == (
        "Visitors are at primary now, and would not be served as they are.",
    )
    assert operation_risks(of, of.primary, stop, {}, "backup") == (
        "Visitors are at backup now. primary could not take over meanwhile.",
    )
    (unknown,) = operation_risks(of, of.primary, stop, {}, "unknown")
    assert unknown.startswith("It is not known whether visitors are at primary")
    assert [may_have_visitors(of, "primary", active) for active in ("primary", "backup", "mixed")] == [
        True,
        False,
        True,
    ]
    assert len(operation_risks(of, of.primary, RESTART, {}, "backup")) == 2
    assert operation_risks(of, of.primary, SCALE, {"instances": 3}, "primary") == ()
