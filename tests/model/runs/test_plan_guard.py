"""The last look at a plan: what none may do is refused, whoever made it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from changeover.model.dns.records import record_set
from changeover.model.runs.plan import ChangeRecords, Plan, make_plan
from changeover.model.runs.plan_guard import FRESH, unsafe
from model.snapshots import APEX, PRIMARY, WWW, reading, service
from model.strategies import NOW

GOOD = make_plan(service(), "primary", "backup", (reading(PRIMARY),), NOW)


def changed(**fields: Any) -> Plan:
    """The good plan with its first change made another."""
    step = next(s for s in GOOD.steps if isinstance(s, ChangeRecords))
    first, *others = step.changes
    steps = tuple(
        replace(s, changes=(replace(first, **fields), *others)) if isinstance(s, ChangeRecords) else s
        for s in GOOD.steps
    )
    return replace(GOOD, steps=steps)


def test_what_the_planner_makes_is_safe() -> None:
    """And stays so for as long as it takes to look at it."""
    assert unsafe(GOOD, service(), NOW) == unsafe(GOOD, service(), NOW + FRESH) == ()


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (changed(name="mail.shop.example"), "mail.shop.example at account dns does not belong to shop"),
        (changed(account="other"), "at account other does not belong to shop"),
        (changed(zone="example"), "does not belong to shop"),
        (changed(after=(record_set(WWW, "NS", 60, ["ns1.example"]),)), "NS records are not Changeover's to change"),
        (changed(before=(record_set(WWW, "MX", 60, ["10 mail"]),)), "MX records are not Changeover's to change"),
        (changed(after=()), "would be left without an answer"),
        (changed(after=(record_set(APEX, "A", 60, ["192.0.2.1"]),)), "records of another name"),
        (changed(name=APEX), "1 name is to be changed more than once"),
    ],
)
def test_what_no_plan_may_do(plan: Plan, words: str) -> None:
    """Other names, other zones, other types, an empty answer, the same name twice."""
    assert any(words in said for said in unsafe(plan, service(), NOW)), unsafe(plan, service(), NOW)


def test_a_plan_is_not_kept_for_later() -> None:
    """The records may be others by then."""
    assert unsafe(GOOD, service(), NOW + 2 * FRESH + timedelta(seconds=1)) == (
        "it was made from what was read minutes ago",
    )
