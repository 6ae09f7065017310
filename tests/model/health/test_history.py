"""Days, gaps and the choice of data: every moment counts once, and to the day of the person who looks."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.model.health.connectivity import Connection, Connectivity
from changeover.model.health.history import (
    POINTS,
    Gap,
    GapKind,
    Resolution,
    day_bounds,
    days_between,
    evidence_of,
    gap_seconds,
    hiding,
    joined,
    pieces,
    resolution,
    within,
)
from changeover.model.health.probe_result import Cause, ProbeResult, Round

AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
BERLIN, KOLKATA = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata")


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        (date(2026, 3, 28), BERLIN, 24),
        (date(2026, 3, 29), BERLIN, 23),
        (date(2026, 10, 25), BERLIN, 25),
        (date(2026, 10, 25), KOLKATA, 24),
        (date(2026, 4, 24), ZoneInfo("Africa/Cairo"), 23),  # the clocks go forward at midnight: it begins at 1:00
    ],
)
def test_a_day_is_as_long_as_its_clock_says(day: date, zone: ZoneInfo, hours: int) -> None:
    """23 and 25 hours where the clocks change; and it ends where the next one begins."""
    begins, ends = day_bounds(day, zone)
    assert ends - begins == timedelta(hours=hours)
    assert ends == day_bounds(day + timedelta(days=1), zone)[0]
    assert begins.astimezone(zone).date() == day
    assert (begins - timedelta(seconds=1)).astimezone(zone).date() == day - timedelta(days=1)


def test_days_are_those_of_the_zone() -> None:
    """Half past eleven in the evening in UTC is the next day in Berlin."""
    late = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
    assert days_between(late, late, UTC) == [date(2026, 11, 23)]
    assert days_between(late - timedelta(days=1), late, BERLIN) == [date(2026, 11, 23), date(2026, 11, 24)]


edges = st.integers(0, 40 * Resolution.HOUR)


@given(edges, edges, st.integers(0, 40), st.integers(0, 3000), st.sampled_from(Resolution))
def test_pieces_hold_every_moment_once(since: int, until: int, hours: int, more: int, level: Resolution) -> None:
    """They follow one another, none is asked of a level beyond where it is filled, and slots are whole."""
    filled = {
        Resolution.ROUND: 0,
        Resolution.MINUTE: hours * Resolution.HOUR + more * Resolution.MINUTE,
        Resolution.HOUR: hours * Resolution.HOUR,
    }
    found = pieces(since, until, level, filled, dict.fromkeys(Resolution, 0))
    ends = [since, *(stop for _, _, stop in found)]
    assert [start for _, start, _ in found] == ends[:-1]
    assert ends[-1] == until or since >= until
    for one, start, stop in found:
        assert start < stop
        assert start % one == stop % one == 0
        assert one is Resolution.ROUND or stop <= filled[one]
        assert one <= level


def test_where_the_minutes_are_gone_an_hour_counts_to_one_day() -> None:
    """In Kolkata a day begins at half past an hour of UTC: that hour goes to the day before, and to no other."""
    day = 24 * Resolution.HOUR
    edge = 10 * day + Resolution.HOUR // 2
    filled = dict.fromkeys(Resolution, 20 * day)
    pruned = {Resolution.ROUND: 19 * day, Resolution.MINUTE: 15 * day, Resolution.HOUR: 0}
    before = pieces(edge - day, edge, Resolution.HOUR, filled, pruned)
    after = pieces(edge, edge + day, Resolution.HOUR, filled, pruned)
    assert before == [(Resolution.HOUR, 9 * day + Resolution.HOUR, 10 * day + Resolution.HOUR)]
    assert after == [(Resolution.HOUR, 10 * day + Resolution.HOUR, 11 * day + Resolution.HOUR)]


@given(st.integers(1, 731 * 24 * Resolution.HOUR))
def test_a_chart_has_so_many_points_at_most(span: int) -> None:
    """Whatever it spans, up to two years."""
    _, step = resolution(0, span, dict.fromkeys(Resolution, 0))
    assert span / step <= POINTS


def test_a_chart_is_as_fine_as_what_is_kept() -> None:
    """Rounds for an hour, minutes for a day, hours for a month; coarser where the finer are pruned."""
    kept = dict.fromkeys(Resolution, 0)
    spans = [Resolution.HOUR, 24 * Resolution.HOUR, 7 * 24 * Resolution.HOUR, 31 * 24 * Resolution.HOUR]
    levels = [resolution(0, span, kept)[0] for span in spans]
    assert levels == [Resolution.ROUND, Resolution.MINUTE, Resolution.HOUR, Resolution.HOUR]
    assert resolution(0, Resolution.HOUR, {**kept, Resolution.ROUND: 1})[0] is Resolution.MINUTE
    assert resolution(0, Resolution.HOUR, {**kept, Resolution.ROUND: 1, Resolution.MINUTE: 1})[0] is Resolution.HOUR


spans = st.lists(st.tuples(st.integers(0, 100), st.integers(0, 20)), max_size=8)


@given(spans, st.integers(0, 130))
def test_what_is_within_a_gap(found: list[tuple[int, int]], moment: int) -> None:
    """Overlapping gaps are one; a moment is within if it is inside of any of these, ends excluded."""
    pairs = [(AT + minutes(start), AT + minutes(start + length)) for start, length in found]
    whole = joined(pairs)
    assert all(one[1] < other[0] for one, other in itertools.pairwise(whole))
    at = AT + minutes(moment)
    assert within(whole, at) == any(started < at < ended for started, ended in whole)
    assert not any(started < at < ended for started, ended in pairs) or within(whole, at)
    assert not any(within(whole, edge) for span in whole for edge in span)


def test_gaps_are_told_by_kind_and_within_the_day() -> None:
    """Clipped to the time asked for, two of a kind that overlap counted once, a set clock not at all."""
    gaps = [
        Gap(started=AT - minutes(60), ended=AT + minutes(10), kind=GapKind.ASLEEP),
        Gap(started=AT + minutes(5), ended=AT + minutes(20), kind=GapKind.ASLEEP),
        Gap(started=AT + minutes(50), ended=AT + minutes(90), kind=GapKind.OFFLINE),
        Gap(started=AT, ended=AT + minutes(30), kind=GapKind.CLOCK_SET),
    ]
    assert gap_seconds(gaps, AT, AT + minutes(60)) == {GapKind.ASLEEP: 1200, GapKind.OFFLINE: 600}
    assert gap_seconds(gaps, AT + minutes(20), AT + minutes(50)) == {}
    assert not within(hiding(gaps), AT + minutes(25))
    assert within(hiding(gaps), AT + minutes(15))


def test_evidence_is_bounded_and_plain() -> None:
    """The newest ten rounds, the worst results of each, and the connection, as JSON can have them."""

    def result(number: int, ok: bool | None) -> ProbeResult:
        why = {"reason": "refused", "cause": Cause.DEPLOYMENT}
        return ProbeResult(deployment="a", hostname="h", address=str(number), at=AT, ok=ok, **why)  # type: ignore[arg-type]

    probed = [Round(at=AT + minutes(n), results=tuple(result(i, i < 30) for i in range(40))) for n in range(25)]
    connection = Connection(at=AT, link=Connectivity.ONLINE)
    found = evidence_of(probed, connection, "This computer is online.")
    assert len(found["rounds"]) == 10
    assert found["rounds"][-1]["at"] == "2026-11-23T03:24:00Z"
    assert all(r["ok"] is False for kept in found["rounds"] for r in kept["results"])
    assert found["rounds"][0]["results"][0] == {
        "hostname": "h",
        "address": "30",
        "ok": False,
        "status": None,
        "cause": "deployment",
        "reason": "refused",
    }
    assert found["connection"]["link"] == "online"
    assert found["connection"]["text"] == "This computer is online."
