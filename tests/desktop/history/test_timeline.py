"""What a chart of an hour, a day, a week or a month shows, without any window."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from changeover.desktop.history.chart import scale, ticks
from changeover.desktop.history.day_summary import day_line, share
from changeover.desktop.history.timeline import Past, Range, stretches, thinned, timeline
from changeover.model.health.history import Gap, GapKind, Point
from desktop.samples import ASLEEP, NOW, OFFLINE, OUTAGE, past, planned, point, state

HOUR = timedelta(hours=1)
DAY = past(Range.DAY)


def seconds(spans: object) -> list[float]:
    return [(band.until - band.since).total_seconds() for band in spans]  # type: ignore[attr-defined]


def test_a_line_breaks_where_nothing_answered() -> None:
    """Where a check failed, and where nothing was checked for a while."""
    shown = timeline(state(checks={"primary": "...x.." + " " * 10 + "..."}), Past(), NOW)
    assert [len(part) for part in shown.lines["primary"]] == [3, 2, 3]
    assert seconds(shown.failing) == [30]
    lasting = timeline(state(checks={"primary": "..xx"}), Past(), NOW)
    assert lasting.failing[0].until == NOW


def test_sleep_is_never_drawn_as_uptime() -> None:
    """A gap is a band with its reason and whole length; no line crosses it, and nothing in it counts as failing."""
    shown = timeline(state(), DAY, NOW)
    assert [band.words for band in shown.unseen] == ["asleep 7 h 12 min", "offline 1 h 20 min"]
    for line in shown.lines.values():
        for part in line:
            for band in shown.unseen:
                assert part[-1][0] <= band.since or part[0][0] >= band.until
    assert seconds(shown.failing) == [12 * 60]
    assert [band.words for band in shown.planned] == ["maintenance 40 min"]


def test_an_outage_that_sleep_cut_off_is_failing_only_while_it_was_seen() -> None:
    """Of an incident that spans a gap, the hidden part is not red."""
    long = replace(OUTAGE, started=ASLEEP.started - HOUR, ended=ASLEEP.ended + HOUR)
    shown = timeline(state(), replace(DAY, incidents=(long,), points={}), NOW)
    assert seconds(shown.failing) == [3600, 3600]


def test_being_offline_is_a_gap_while_it_lasts() -> None:
    """The history has it once it is over; until then it reaches from the last check to now."""
    shown = timeline(state(checks={"primary": "." * 30 + " " * 10, "backup": ""}, connection=OFFLINE), Past(), NOW)
    assert [band.words for band in shown.unseen] == ["offline 5 min 10 s"]
    assert shown.failing == ()


def test_rounds_that_could_not_be_tried_are_a_gap() -> None:
    """Neither up nor down."""
    shown = timeline(state(checks={"primary": "." * 10 + "?" * 10 + ".."}), Past(), NOW)
    assert [band.words for band in shown.unseen] == ["nothing seen 5 min"]
    assert [len(part) for part in shown.lines["primary"]] == [10, 2]


def test_planned_work_is_shaded_apart() -> None:
    """A failure during maintenance is not red, and its response times are not drawn."""
    of = state(service=planned("primary"), checks={"primary": "." * 30 + "x" * 10})
    shown = timeline(of, Past(), NOW)
    assert shown.failing == ()
    assert shown.planned[0].since >= NOW.replace(minute=10, second=0)
    assert shown.planned[-1].until == NOW
    assert day_line(of, Past(), shown).startswith("primary: last hour 100 %")


def test_the_hour_joins_history_and_live_rounds() -> None:
    """What was seen before this start is in front of the live rounds, none twice."""
    live = state(checks={"primary": "." * 10})
    before = [point(NOW - timedelta(minutes=n), ".") for n in range(50, 0, -1)]
    shown = timeline(live, Past(points={"primary": before}), NOW)
    moments = [at for part in shown.lines["primary"] for at, _ in part]
    assert moments == sorted(set(moments))
    assert len(moments) == 10 + sum(p.at < live.rounds["primary"][0].at for p in before)


def test_the_line_under_the_chart() -> None:
    """Availability today and in the time shown, the slow answers, and what was left out."""
    assert day_line(state(), DAY, timeline(state(), DAY, NOW)) == (
        "primary: today 98.08 % · last 24 h 99.00 % · p95 130 ms\n"
        "left out: asleep 7 h 12 min, offline 1 h 20 min, maintenance 40 min"
    )
    nothing = Past(range=Range.WEEK)
    assert day_line(state(), nothing, timeline(state(), nothing, NOW)) == ""


@pytest.mark.parametrize(
    ("availability", "words"),
    [(1.0, "100 %"), (0.99996, "99.99 %"), (0.5, "50.00 %"), (0.0, "0.00 %"), (None, "not known")],
)
def test_only_what_is_whole_is_called_so(availability: float | None, words: str) -> None:
    """A single failed check in a month is not rounded away."""
    assert share(availability) == words


@pytest.mark.parametrize(
    ("highest", "steps"),
    [(84, [0, 50, 100]), (0.4, [0, 0.5, 1]), (1200, [0, 500, 1000, 1500]), (200, [0, 50, 100, 150, 200])],
)
def test_the_axis_has_round_numbers(highest: float, steps: list[float]) -> None:
    """From zero to above the highest value in steps of 1, 2 or 5."""
    assert scale(highest) == pytest.approx(steps)


@pytest.mark.parametrize(
    ("which", "labels"),
    [
        (Range.HOUR, ["13:30", "13:45", "14:00", "14:15"]),
        (Range.DAY, ["18:00", "00:00", "06:00", "12:00"]),
        (Range.WEEK, ["17 Nov", "19 Nov", "21 Nov", "23 Nov"]),
        (Range.MONTH, ["25 Oct", "4 Nov", "14 Nov"]),
    ],
)
def test_the_axis_fits_the_range(which: Range, labels: list[str]) -> None:
    """Times of a day for an hour and a day, days for more."""
    assert [label for _, label in ticks(NOW - which.length, NOW, 4)] == labels


def test_the_axis_is_in_the_persons_time() -> None:
    """Midnight is theirs."""
    there = NOW.astimezone(timezone(timedelta(hours=9)))
    assert all(at.utcoffset() == timedelta(hours=9) for at, _ in ticks(NOW - HOUR, there, 5))
    assert [at.hour for at, _ in ticks(there - timedelta(days=6), there, 7)] == [0] * 6


POINTS = st.lists(st.tuples(st.integers(1, 400), st.sampled_from([".", "x", "?", "m", ".x"])), max_size=60)
GAPS = st.lists(st.tuples(st.integers(0, 6000), st.integers(1, 3000), st.sampled_from(GapKind)), max_size=6)


@given(POINTS, GAPS)
def test_gaps_are_out_of_everything(steps: list[tuple[int, str]], gaps: list[tuple[int, int, GapKind]]) -> None:
    """However gaps, failures and planned work lie: bands are within the time shown, and none is in two colours."""
    at = NOW - timedelta(seconds=6000)
    points: list[Point] = []
    for step, signs in steps:
        at += timedelta(seconds=step)
        if at < NOW:
            points.append(point(at, signs))
    hidden = tuple(
        Gap(
            started=(begun := NOW - timedelta(seconds=7000 - start)), ended=begun + timedelta(seconds=length), kind=kind
        )
        for start, length, kind in gaps
    )
    found = Past(range=Range.DAY, points={"primary": points}, gaps=hidden, incidents=(OUTAGE,))
    shown = timeline(state(), found, NOW)
    bands = [*shown.failing, *shown.unseen, *shown.planned]
    assert all(shown.since <= band.since < band.until <= shown.until for band in bands)
    ordered = sorted([*shown.failing, *shown.unseen], key=lambda band: band.since)
    assert all(one.until <= other.since for one, other in itertools.pairwise(ordered))
    for part in shown.lines["primary"]:
        assert not any(band.since < moment < band.until for band in shown.unseen for moment, _ in part)


@given(st.lists(st.floats(1, 1000), min_size=1, max_size=300), st.integers(1, 500))
def test_thinning_keeps_the_ends_and_the_bounds(values: list[float], every: int) -> None:
    """A dense line becomes a readable one within the same bounds, in the order of time."""
    part: list[tuple[datetime, float]] = [(NOW + timedelta(seconds=10 * n), ms) for n, ms in enumerate(values)]
    made = thinned(part, timedelta(seconds=every))
    assert len(made) <= len(part)
    assert {ms for _, ms in made} <= set(values)
    assert [at for at, _ in made] == sorted(at for at, _ in made)
    assert len(made) <= (part[-1][0] - part[0][0]) / timedelta(seconds=every) + 2 or every < 10


def test_stretches_of_points() -> None:
    """Points further apart than the service is checked have nothing between them."""
    points = [point(NOW - timedelta(seconds=s), ".") for s in (300, 270, 90, 60)]
    assert [len(part) for part in stretches(points, timedelta(seconds=85))] == [2, 2]


def test_no_line_leads_over_a_short_sleep() -> None:
    """Not even where the points of a week are further apart than the sleep was long."""
    points = [point(NOW - timedelta(hours=n), ".") for n in range(10, 0, -1)]
    nap = Gap(started=NOW - timedelta(hours=5.7), ended=NOW - timedelta(hours=5.4), kind=GapKind.ASLEEP)
    found = Past(range=Range.WEEK, points={"primary": points}, gaps=(nap,))
    assert [len(part) for part in timeline(state(), found, NOW).lines["primary"]] == [5, 5]
