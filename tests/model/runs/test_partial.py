"""What is said of a run that stopped half way, and where its undo need not look."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from changeover.model.dns.capabilities import BatchLimit, Capabilities
from changeover.model.dns.change import Change
from changeover.model.dns.records import record_set
from changeover.model.runs.partial import untouched, who_has_what
from changeover.model.runs.plan import Plan, plan_of
from changeover.model.runs.run import (
    Ended,
    Entry,
    Event,
    Intent,
    Outcome,
    Resumed,
    Started,
    StepEnded,
    StepState,
    UndoStarted,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PENDING, DONE, FAILED, REFUSED, UNKNOWN = (
    StepState.PENDING,
    StepState.DONE,
    StepState.FAILED,
    StepState.REFUSED,
    StepState.UNKNOWN,
)


def plan(*accounts: str) -> Plan:
    """Two hostnames at each account, then the two checks."""
    can = Capabilities(label="DNS", batch=BatchLimit(), native_compare_and_set=True, propagates_atomically=True)
    changes = [
        Change(
            account=account,
            zone="shop.example",
            name=f"{name}.shop.example",
            before=(record_set(f"{name}.shop.example", "A", 60, ["192.0.2.1"]),),
            after=(record_set(f"{name}.shop.example", "A", 60, ["192.0.2.2"]),),
        )
        for account in accounts
        for name in ("www", "api")
    ]
    return plan_of("shop", "primary", "backup", changes, dict.fromkeys(accounts, can), NOW)


def entries(*events: Event) -> list[Entry]:
    return [Entry(run="shop-1", at=NOW, event=event) for event in events]


def ended(step: int, state: StepState) -> tuple[Intent, StepEnded]:
    return Intent(step=step), StepEnded(step=step, state=state, text="", seconds=0)


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ((DONE, FAILED), "Changed: 2 hostnames of shop.example at account a. Not changed: {} b"),
        ((DONE, REFUSED), "Changed: 2 hostnames of shop.example at account a. Not changed: {} b"),
        ((UNKNOWN, PENDING), "Not changed: {} b. Not known: {} a"),
        ((DONE, DONE), "Changed: {} a, {} b"),
    ],
)
def test_which_account_has_what(states: tuple[StepState, StepState], said: str) -> None:
    """Every batch is in one of three lists, by account and zone."""
    place = "2 hostnames of shop.example at account"
    assert who_has_what(plan("a", "b"), (*states, PENDING, PENDING)) == said.replace("{}", place)


def test_of_one_batch_nothing_more_is_to_be_said() -> None:
    """The step's own words are enough."""
    assert who_has_what(plan("a"), (UNKNOWN, PENDING, PENDING)) == ""


START = Started(plan=plan("a", "b"))
UNDO = UndoStarted(plan=plan("a"))


@pytest.mark.parametrize(
    ("events", "left_alone"),
    [
        ((), {"a", "b"}),
        (ended(0, DONE), {"b"}),
        ((*ended(0, DONE), *ended(1, FAILED)), {"b"}),
        ((*ended(0, DONE), *ended(1, UNKNOWN)), set()),
        ((*ended(0, DONE), Intent(step=1)), set()),
        ((*ended(0, DONE), *ended(1, UNKNOWN), Resumed(), *ended(0, DONE), *ended(1, FAILED)), set()),
        ((*ended(0, DONE), Intent(step=1), Resumed(), *ended(0, DONE)), set()),
        ((*ended(0, DONE), *ended(1, FAILED), UNDO), set()),
        ((*ended(0, FAILED), Ended(outcome=Outcome.FAILED, text="", seconds=0)), {"a", "b"}),
    ],
)
def test_an_account_is_untouched_only_where_that_is_certain(events: tuple[Event, ...], left_alone: set[str]) -> None:
    """Never where a batch was under way, or was not known, at any time; nor once the run went back."""
    assert untouched(entries(START, *events)) == left_alone
