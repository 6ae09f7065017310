"""How long until visitors were served again, in its parts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.model.dns.change import Change
from changeover.model.dns.records import record_set
from changeover.model.runs.plan import ChangeRecords, CheckNameServers, CheckVisitors, Plan
from changeover.model.runs.recovery_time import recovery_time
from changeover.model.runs.run import (
    Ended,
    Entry,
    Event,
    Intent,
    Outcome,
    Paused,
    Resumed,
    Started,
    StepEnded,
    StepState,
    fold,
)

BEGAN = datetime(2031, 5, 6, 14, 0, 0, tzinfo=UTC)
NAME = "www.shop.example"
CHANGE = Change(
    account="dns",
    zone="shop.example",
    name=NAME,
    before=(record_set(NAME, "A", 60, ["192.0.2.1"]),),
    after=(record_set(NAME, "A", 60, ["192.0.2.2"]),),
)
PLAN = Plan(
    service="shop",
    source="primary",
    to="backup",
    made_at=BEGAN,
    steps=(
        ChangeRecords(name="change-records", text="", account="dns", zone="shop.example", changes=(CHANGE,)),
        CheckNameServers(name="name-servers", text="", changes=(CHANGE,)),
        CheckVisitors(name="visitors", text="", deployment="backup", hostnames=(NAME,)),
    ),
)


def run_of(seconds: tuple[float, float, float], outcome: Outcome = Outcome.COMPLETED, **started: object):  # type: ignore[no-untyped-def]
    """A run whose steps took so long, one after another."""
    at, entries = BEGAN, [Entry(run="shop-1", at=BEGAN, event=Started(plan=PLAN, **started))]  # type: ignore[arg-type]

    def add(event: Event) -> None:
        entries.append(Entry(run="shop-1", at=at, event=event))

    for number, took in enumerate(seconds):
        add(Intent(step=number))
        at += timedelta(seconds=took)
        add(StepEnded(step=number, state=StepState.DONE, seconds=took))
    add(Ended(outcome=outcome))
    return fold(entries)


def test_the_parts() -> None:
    """From the beginning of the incident to the last proof, beside the objective."""
    run = run_of((2, 3, 5), noticed=BEGAN - timedelta(minutes=2), decided=BEGAN - timedelta(minutes=1), objective=300)
    found = recovery_time(run, followed=BEGAN + timedelta(seconds=62))
    assert (found.noticed, found.decided) == (60, 60)
    assert (found.executed, found.propagated, found.verified, found.total) == (2, 3, 5, 130)
    assert (found.resolvers, found.met) == (62, True)
    assert found.text == (
        "Served again after 2 min 10 s: noticed 1 min, decided 1 min, executed 2 s, propagated 3 s, verified 5 s; "
        "within the objective of 5 min."
    )


def test_too_slow() -> None:
    """By how much is said."""
    found = recovery_time(run_of((2, 3, 95), objective=60))
    assert (found.noticed, found.decided, found.met) == (None, None, False)
    assert found.text.endswith("verified 1 min 35 s; 40 s longer than the objective of 1 min.")


@pytest.mark.parametrize("outcome", [Outcome.INCOMPLETE, Outcome.FAILED, Outcome.REFUSED])
def test_what_was_never_proven_met_nothing(outcome: Outcome) -> None:
    """However fast it was: done is when visitors are served."""
    found = recovery_time(run_of((1, 1, 1), outcome, objective=60))
    assert (found.met, found.text.startswith("Not proven to be served again; so far 3 s")) == (None, True)


_SECONDS = st.integers(0, 10**5)


@given(st.tuples(_SECONDS, _SECONDS, _SECONDS), _SECONDS, _SECONDS)
def test_the_parts_make_the_whole(seconds: tuple[int, int, int], noticed: int, decided: int) -> None:
    """From the incident to the end of the run, nothing is lost and nothing counted twice."""
    looked = BEGAN - timedelta(seconds=decided)
    run = run_of(seconds, noticed=looked - timedelta(seconds=noticed), decided=looked)
    found = recovery_time(run)
    assert run.ended is not None
    assert found.total == pytest.approx((run.ended - BEGAN).total_seconds() + noticed + decided)


@pytest.mark.parametrize("looked", [1, 59, 3600])
def test_noticed_is_when_it_was_first_said_and_not_when_somebody_clicked(looked: int) -> None:
    """Who takes an hour to come to the screen has taken it for the decision; the product had said so long before."""
    began, told = BEGAN - timedelta(seconds=looked + 90), BEGAN - timedelta(seconds=looked + 30)
    found = recovery_time(run_of((1, 1, 1), noticed=began, told=told, decided=BEGAN - timedelta(seconds=1)))
    assert (found.noticed, found.decided) == (60, looked + 30)
    assert found.total == looked + 93


@pytest.mark.parametrize("word", [None, Paused(who="anna")], ids=["a crash", "a pause"])
def test_a_pause_is_not_execution(word: Event | None) -> None:
    """The time in which nothing was done stands for itself; it counts for the whole, since nobody was served."""
    at = BEGAN
    entries = [
        Entry(run="shop-1", at=BEGAN, event=Started(plan=PLAN)),
        Entry(run="shop-1", at=at, event=Intent(step=0)),
    ]
    entries += [Entry(run="shop-1", at=at, event=word)] if word is not None else []
    at += timedelta(hours=1)
    entries.append(Entry(run="shop-1", at=at, event=Resumed()))
    for number in range(3):
        entries.append(Entry(run="shop-1", at=at, event=Intent(step=number)))
        at += timedelta(seconds=2)
        entries.append(Entry(run="shop-1", at=at, event=StepEnded(step=number, state=StepState.DONE, seconds=2)))
    entries.append(Entry(run="shop-1", at=at, event=Ended(outcome=Outcome.COMPLETED)))
    found = recovery_time(fold(entries))
    assert (found.stopped, found.executed, found.propagated, found.verified) == (3600, 2, 2, 2)
    assert "stopped 1 h" in found.text
    assert found.total == 3606
