"""Percentiles are right within 5 %, and merging loses nothing."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from changeover.model.health.probe_result import ProbeResult, outcome_of
from changeover.model.health.tally import Checked, Counts, Tally, merged, tally, times_of

#: From 10 microseconds to 1,000 seconds.
times = st.one_of(st.integers(10, 10**9), st.integers(0, 60).map(lambda n: round(10 * 1.1**n)))
oks = st.lists(st.sampled_from([True, False, None]), max_size=4).map(tuple)
checked = st.builds(
    Checked, oks=oks, times=st.lists(times, max_size=3).map(tuple), maintenance=st.booleans(), hidden=st.booleans()
)


@given(st.lists(times, min_size=1, max_size=300), st.floats(0, 1))
def test_a_percentile_is_within_5_percent(found: list[int], share: float) -> None:
    """Beside the nearest-rank percentile of the very times."""
    exact = sorted(found)[max(1, math.ceil(share * len(found))) - 1] / 1e6
    estimate = times_of(found).percentile(share)
    assert estimate is not None
    assert abs(estimate - exact) <= 0.05 * exact


@given(st.lists(times, min_size=1))
def test_bounds_are_exact(found: list[int]) -> None:
    """No percentile is outside of what was measured, and both ends are exact."""
    kept = times_of(found)
    assert (kept.fastest, kept.slowest, kept.total, kept.number) == (min(found), max(found), sum(found), len(found))
    for share in (0.0, 0.5, 1.0):
        estimate = kept.percentile(share)
        assert estimate is not None
        assert min(found) / 1e6 <= estimate <= max(found) / 1e6


@given(st.lists(st.lists(checked, max_size=6), max_size=6))
def test_merging_is_counting_all_at_once(parts: list[list[Checked]]) -> None:
    """Minutes merged to an hour are the hour's own checks counted."""
    assert merged(tally(part) for part in parts) == tally([one for part in parts for one in part])


@given(oks)
def test_a_round_goes_as_health_says(found: tuple[bool | None, ...]) -> None:
    """What is counted as good, part, bad or untried is what the verdict is made from."""
    at = datetime(2026, 11, 23, tzinfo=UTC)
    results = (ProbeResult(deployment="a", hostname="h", address="x", at=at, ok=ok, reason="") for ok in found)
    assert Checked(oks=found, times=()).outcome == outcome_of(results)


def test_availability_leaves_out_what_says_nothing() -> None:
    """Untried rounds, gaps and maintenance are out of it; one of two addresses is a half."""
    good, bad = Checked(oks=(True, True), times=(1000, 2000)), Checked(oks=(False,), times=())
    part, untried = Checked(oks=(True, False), times=(3000,)), Checked(oks=(None,), times=())
    planned = Checked(oks=(False,), times=(), maintenance=True)
    hidden = Checked(oks=(False,), times=(), hidden=True)
    one = tally([good, good, good, bad, untried, planned, hidden])
    assert one.counted == Counts(good=3, bad=1, untried=2)
    assert one.maintenance == Counts(bad=1)
    assert one.counted.availability == 0.75
    assert tally([good, part]).counted.availability == 0.75
    assert tally([untried, hidden, planned]).counted.availability is None
    assert Tally().times.percentile(0.5) is None


def test_response_times_of_maintenance_and_gaps_are_left_out() -> None:
    """What is slow during planned work makes no percentile worse."""
    slow = (9_000_000,)
    one = tally(
        [
            Checked(oks=(True,), times=(1000,)),
            Checked(oks=(True,), times=slow, maintenance=True),
            Checked(oks=(True,), times=slow, hidden=True),
        ]
    )
    assert (one.times.number, one.times.slowest) == (1, 1000)
