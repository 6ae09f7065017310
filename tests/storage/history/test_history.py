"""The history: what was seen is found again, as points, days, incidents, gaps and single results."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from changeover.model.health.history import GapKind, evidence_of
from changeover.model.health.probe_result import Cause, Health, Phases, Round
from changeover.model.health.tally import Counts
from storage.recorded import AT, after, one_round, opened, result, rows


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "changeover.db"


async def test_every_result_is_found_again(file: Path) -> None:
    """Name, address, phases, status, cause and reason, good ones too; by another process as well."""
    named = replace(result(AT), target="edge.example.net", address="2001:db8::1", phases=Phases(0.01, 0.02, 0.03, 0.04))
    odd = replace(result(AT, seconds=0.05), reason="200, but the certificate ends in 20 days", address="192.0.2.7")
    written = (result(AT), result(AT, False, 3.25, "192.0.2.2"), result(AT, None, 0, "192.0.2.3"), named, odd)
    async with opened(file) as history:
        history.add_round("shop", Round(at=AT, results=written), "primary")
        history.add_round("blog", one_round(AT), "primary")
        await history.flush()
        async with opened(file, record=False) as other:
            found = [r async for r in other.results("shop", AT, after(seconds=1))]
            assert [r async for r in other.results("shop", after(seconds=1), after(days=1))] == []
    assert found == list(written)


async def test_the_newest_rounds_of_a_time(file: Path) -> None:
    """Each deployment's own, whole, as another process wrote it; none from before."""
    async with opened(file) as history:
        for deployment, at in (("primary", AT), ("primary", after(seconds=30)), ("backup", AT)):
            oks = [replace(r, deployment=deployment) for r in one_round(at, True, at > AT).results]
            history.add_round("shop", Round(at=at, results=tuple(oks)), deployment)
        history.add_round("blog", one_round(after(seconds=40)), "primary")
        await history.flush()
        async with opened(file, record=False) as other:
            found = await other.newest_rounds("shop", AT, after(minutes=1))
            assert {name: (r.at, len(r.results), r.verdict) for name, r in found.items()} == {
                "primary": (after(seconds=30), 2, Health.HEALTHY),
                "backup": (AT, 2, Health.DEGRADED),
            }
            assert list(await other.newest_rounds("shop", after(seconds=1), after(minutes=1))) == ["primary"]


async def test_days_are_local_and_gaps_and_maintenance_are_left_out(file: Path) -> None:
    """The night in which the clocks go back has 25 hours; each check counts to the day of the person."""
    berlin = ZoneInfo("Europe/Berlin")
    begin = datetime(2026, 10, 24, 22, 0, tzinfo=UTC)  # midnight of the 25th in Berlin
    async with opened(file) as history:
        for minute in range(0, 27 * 60, 10):
            at = begin + timedelta(minutes=minute)
            history.add_round("shop", one_round(at, minute % 60 != 0), "primary", maintenance=60 <= minute < 120)
        slept = begin + timedelta(minutes=175), begin + timedelta(minutes=245)
        history.add_gap(GapKind.ASLEEP, *slept)
        end = begin + timedelta(hours=27)
        await history.flush()
        found = await history.days("shop", begin, end, berlin)
        await history.roll_up(end + timedelta(hours=2))
        assert found == await history.days("shop", begin, end, berlin)
    first, second = found
    assert (first.date, second.date) == (date(2026, 10, 25), date(2026, 10, 26))
    # 25 hours of 6 checks, the first of each bad; less an hour of maintenance, and 7 checks within the gap.
    assert first.counted == Counts(good=125 - 5 - 5, bad=25 - 1 - 2, untried=7)
    assert first.maintenance == Counts(good=5, bad=1)
    assert first.gaps == {GapKind.ASLEEP: 70 * 60}
    assert (second.counted, second.gaps) == (Counts(good=10, bad=2), {})


async def test_a_gap_that_is_known_late_takes_back_what_was_counted(file: Path) -> None:
    """Rounds that were rolled up as bad are not tried, once it is said that this computer was offline; it may grow."""
    async with opened(file) as history:
        for minute in range(120):
            history.add_round("shop", one_round(after(minutes=minute), minute < 30), "primary")
        await history.roll_up(after(hours=3))
        (day,) = await history.days("shop", AT, after(hours=2), UTC)
        assert day.counted == Counts(good=30, bad=90)
        for ended in (60, 120):
            history.add_gap(GapKind.OFFLINE, after(minutes=29), after(minutes=ended))
            await history.roll_up(after(hours=3))
        (day,) = await history.days("shop", AT, after(hours=2), UTC)
        assert day.counted == Counts(good=30, untried=90)
        assert day.gaps == {GapKind.OFFLINE: 91 * 60}
        (gap,) = await history.gaps(AT, after(hours=2))
        assert gap.ended == after(minutes=120)


async def test_a_clock_that_was_set_hides_nothing(file: Path) -> None:
    """And rounds with earlier times than those that were rolled up are rolled up as well."""
    async with opened(file) as history:
        for minute in (*range(60, 120), *range(60)):
            history.add_round("shop", one_round(after(minutes=minute)), "primary")
            if minute == 119:
                await history.roll_up(after(minutes=180))
                history.add_gap(GapKind.CLOCK_SET, after(minutes=120), AT)
        await history.roll_up(after(minutes=180))
        (day,) = await history.days("shop", AT, after(hours=2), UTC)
        assert day.counted == Counts(good=120)
        assert day.gaps == {}
        points = await history.series("shop", "primary", AT, after(days=1))
        assert sum(point.good for point in points) == 120


async def test_charts_of_an_hour_a_day_and_a_month(file: Path) -> None:
    """At most 800 points each; medians within 5 %, the slowest exact, and no round lost or counted twice."""
    async with opened(file) as history:
        for minute in range(3 * 24 * 60):
            at = after(minutes=minute)
            seconds = 0.4 if minute % 60 == 59 else 0.1
            history.add_round("shop", one_round(at, minute % 100 != 99, seconds=seconds), "primary")
        end = after(days=3)
        await history.roll_up(end)
        for span, at_least in ((1, 60), (24, 700), (7 * 24, 72), (31 * 24, 72)):
            since = max(AT, end - timedelta(hours=span))
            points = await history.series("shop", "primary", end - timedelta(hours=span), end)
            assert at_least <= len(points) <= 801
            assert sum(p.good + p.bad for p in points) == (end - since).total_seconds() / 60
            assert [p.at for p in points] == sorted({p.at for p in points})
            assert all(0.095 <= p.seconds <= 0.105 or p.seconds >= 0.38 for p in points if p.seconds is not None)
            assert max(p.slowest or 0 for p in points) == 0.4
        assert await history.series("shop", "backup", AT, end) == ()
        assert await history.series("shop", "primary", end, AT) == ()


async def test_incidents_with_their_evidence(file: Path) -> None:
    """Begun, ended, one at a time for a deployment; what a killed process left open is ended by the next."""
    rounds = [one_round(after(seconds=n * 30), False) for n in range(3)]
    evidence = evidence_of(rounds, None)
    async with opened(file) as history:
        history.begin_incident("shop", "primary", AT, Cause.DEPLOYMENT, "503, expected 200-399", evidence)
        history.begin_incident("shop", "backup", after(minutes=1), None, "refused", {})
        history.end_incident("shop", "backup", after(minutes=2))
    async with opened(file) as again:
        again.begin_incident("shop", "primary", after(minutes=5), Cause.DEPLOYMENT, "another", {})
        await again.flush()
        first, second = await again.incidents("shop", AT, after(hours=1))
        assert (first.deployment, first.started, first.ended) == ("primary", AT, None)
        assert (first.cause, first.reason, first.evidence) == (Cause.DEPLOYMENT, "503, expected 200-399", evidence)
        assert (second.deployment, second.ended, second.cause) == ("backup", after(minutes=2), None)
        again.end_incident("shop", "primary", after(minutes=20))
        again.end_incident("shop", "primary", after(minutes=30))
        await again.flush()
        assert [i.ended for i in await again.incidents("shop", after(minutes=10), after(hours=1))] == [
            after(minutes=20)
        ]
        assert await again.incidents("shop", after(minutes=21), after(hours=1)) == ()
        assert await again.incidents("blog", AT, after(hours=1)) == ()


async def test_when_it_was_last_seen_and_last_proven(file: Path) -> None:
    """The newest time of all that was seen; by deployment, the newest round in which everything answered well."""
    async with opened(file) as history:
        assert await history.last_seen() is None
        assert await history.last_proven("shop") == {}
        history.add_round("shop", one_round(AT, True, True), "primary")
        history.add_round("shop", one_round(after(minutes=1), True, False), "primary")
        history.add_round("shop", one_round(after(minutes=2), False), "backup")
        await history.flush()
        assert await history.last_seen() == after(minutes=2)
        assert await history.last_proven("shop") == {"primary": AT}
        assert await history.deployments("shop") == ("primary", "backup")
        history.add_gap(GapKind.OFFLINE, after(minutes=2), after(minutes=9))
        await history.flush()
        assert await history.last_seen() == after(minutes=9)


async def test_rolling_up_twice_changes_nothing(file: Path) -> None:
    """At the same time, and a moment later."""
    async with opened(file) as history:
        for minute in range(90):
            history.add_round("shop", one_round(after(minutes=minute), minute % 7 != 0), "primary")
        await history.roll_up(after(minutes=95))
        tables = [rows(file, f"SELECT * FROM {name}") for name in ("minutes", "hours", "results")]
        await history.roll_up(after(minutes=95))
        await history.roll_up(after(minutes=95, seconds=1))
        assert tables == [rows(file, f"SELECT * FROM {name}") for name in ("minutes", "hours", "results")]
        assert [len(table) for table in tables] == [90, 1, 90]
