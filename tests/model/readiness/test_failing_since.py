"""Since when visitors are not served, and when that was first said: by whichever process said it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from changeover.model.health.outage import Fault, FaultKind, Outage
from changeover.model.readiness.observation import failing_since
from changeover.model.runs.run import Outcome
from model.runs.test_recovery_time import run_of
from model.snapshots import health_of, observed, result
from model.strategies import NOW

BAD = replace(health_of("primary", "unhealthy", result("primary", ok=False)), since=NOW, judged_at=NOW)
SEEN = observed(health={"primary": BAD})


def outage(began: float, told: float | None) -> Outage:
    """So many minutes ago."""
    said = None if told is None else NOW - timedelta(minutes=told)
    return Outage(fault=Fault(FaultKind.SERVICE, "shop"), began=NOW - timedelta(minutes=began), told=said)


def test_the_first_that_anybody_said_counts() -> None:
    """A command that looks for the first time knows when the window said so, or a watch, whichever was first."""
    found = failing_since(SEEN, "primary", [outage(9, 8), outage(7, 6)])
    assert found == (NOW - timedelta(minutes=9), NOW - timedelta(minutes=8))
    assert failing_since(SEEN, "primary") == (NOW, NOW)


@pytest.mark.parametrize(
    "other",
    [outage(9, None), outage(2 * 24 * 60, 2 * 24 * 60), outage(-1, -2)],
    ids=["of an earlier version", "of another time", "of the future"],
)
def test_what_may_be_of_another_outage_does_not_count(other: Outage) -> None:
    """Nobody saw whether it was over in between."""
    assert failing_since(SEEN, "primary", [other]) == (NOW, NOW)


@pytest.mark.parametrize(("outcome", "counts"), [(Outcome.COMPLETED, False), (Outcome.REFUSED, True)])
def test_an_outage_from_before_a_switch_is_over(outcome: Outcome, counts: bool) -> None:
    """Visitors are elsewhere since then; a run that moved nobody ends nothing."""
    run = replace(run_of((1, 1, 1), outcome), ended=NOW - timedelta(minutes=5))
    seen = observed(health={"primary": BAD}, runs=(run,))
    began, _ = failing_since(seen, "primary", [outage(9, 8)])
    assert began == (NOW - timedelta(minutes=9) if counts else NOW)


def test_what_does_not_fail_has_no_beginning() -> None:
    """Whatever was told before."""
    assert failing_since(observed(), "primary", [outage(9, 8)]) == (None, None)
