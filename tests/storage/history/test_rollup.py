"""Rolling up loses nothing, in whatever steps it is done; and the file has its bounds."""

from __future__ import annotations

import random
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.model.health.history import GapKind
from changeover.model.health.tally import Checked, tally
from changeover.storage.history.rollup import Keep, pack, unpack
from storage.recorded import AT, after, one_round, opened, rows, sound


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "changeover.db"


@given(st.dictionaries(st.integers(0, 255), st.integers(1, 10**7)))
def test_a_histogram_is_packed_and_unpacked(buckets: dict[int, int]) -> None:
    """What is read from the file is what was written."""
    assert unpack(pack(sorted(buckets.items()))) == buckets


@pytest.mark.parametrize("seed", range(4))
async def test_minutes_and_hours_are_the_checks_themselves(file: Path, seed: int) -> None:
    """Rolled up at any moments, by several processes in turn: the day is what all its rounds give when counted."""
    chance = random.Random(seed)
    counted: list[Checked] = []
    while len(counted) < 26 * 120:
        async with opened(file) as history:
            for _ in range(chance.randrange(1, 900)):
                at = after(seconds=30 * len(counted))
                oks = tuple(chance.choice((True, True, True, False, None)) for _ in range(chance.randrange(1, 4)))
                seconds, planned = chance.lognormvariate(-2, 1), chance.random() < 0.1
                history.add_round("shop", one_round(at, *oks, seconds=seconds), "primary", maintenance=planned)
                history.add_round("blog", one_round(at, False), "primary")
                times = (round(seconds * 1e6),) * sum(ok is True for ok in oks)
                counted.append(Checked(oks=oks, times=times, maintenance=planned))
                if chance.random() < 0.01:
                    await history.roll_up(at)
    end = after(seconds=30 * len(counted))
    async with opened(file) as history:
        for moment in (end, end + timedelta(hours=2)):
            await history.roll_up(moment)
            days = [d for d in await history.days("shop", AT, end, UTC) if d.deployment == "primary"]
            first = next(n for n in range(len(counted)) if after(seconds=30 * n).date() != AT.date())
            second = first + 24 * 120
            for day, checks in zip(days, (counted[:first], counted[first:second]), strict=False):
                one = tally(checks)
                assert (day.counted, day.maintenance, day.times) == (one.counted, one.maintenance, one.times)
    assert sound(file)
    ((whole,),) = rows(file, "SELECT sum(good + part + bad + untried) FROM hours WHERE deployment = 2")
    assert whole == len(counted)


SMALL = Keep(results=timedelta(hours=2), minutes=timedelta(hours=6), hours=timedelta(days=3), incidents=5, gaps=5)


async def test_old_data_go_and_coarser_ones_stay(file: Path) -> None:
    """Results, minutes and hours as long as each is kept; the days that are counted from them are whole meanwhile."""
    async with opened(file, SMALL) as history:
        for hour in range(96):
            for minute in range(0, 60, 5):
                history.add_round("shop", one_round(after(hours=hour, minutes=minute)), "primary")
            await history.roll_up(after(hours=hour + 1))
        end = after(hours=96)
        lengths = {"results": 2 * 12, "minutes": 6 * 12, "hours": 72}
        for table, at_most in lengths.items():
            ((number,),) = rows(file, f"SELECT count(*) FROM {table}")
            assert at_most - 1 <= number <= at_most + 1, table
        days = await history.days("shop", end - timedelta(hours=48), end, UTC)
        assert [day.counted.good for day in days[:-1]] == [288] * (len(days) - 1)
    assert sound(file)


async def test_so_many_rows_at_most(file: Path) -> None:
    """Whatever their age, the oldest go first; the file stops growing, since the room is used again."""
    keep = Keep(result_rows=400, minute_rows=300, hour_rows=20, incidents=5, gaps=5)
    sizes = []
    async with opened(file, keep) as history:
        for hour in range(60):
            for minute in range(60):
                history.add_round("shop", one_round(after(hours=hour, minutes=minute), True, False), "primary")
            history.begin_incident("shop", "primary", after(hours=hour), None, "refused", {"text": "x" * 500})
            history.end_incident("shop", "primary", after(hours=hour, minutes=1))
            history.add_gap(GapKind.ASLEEP, after(hours=hour, seconds=1), after(hours=hour, seconds=2))
            await history.roll_up(after(hours=hour + 1))
            sizes.append(rows(file, "PRAGMA page_count")[0][0])
        numbers = {t: rows(file, f"SELECT count(*) FROM {t}")[0][0] for t in ("results", "minutes", "hours")}
        assert numbers == {"results": 400, "minutes": 300, "hours": 20}
        assert len(await history.incidents("shop", AT, after(hours=60))) == 5
        assert [g.started for g in await history.gaps(AT, after(hours=60))][-1] == after(hours=59, seconds=1)
        assert len(await history.gaps(AT, after(hours=60))) == 5
        (newest,) = rows(file, "SELECT max(at) FROM results")
        assert newest == (int(after(hours=59, minutes=59).timestamp() * 1000),)
    assert max(sizes[30:]) <= sizes[29] + 1, "pages"
    assert sound(file)


async def test_nothing_goes_before_it_is_rolled_up(file: Path) -> None:
    """A computer that was off for months: the last results it wrote are in the hours before they are removed."""
    async with opened(file) as history:
        for minute in range(100):
            history.add_round("shop", one_round(after(minutes=minute)), "primary")
    async with opened(file) as history:
        await history.roll_up(after(days=200))
        assert rows(file, "SELECT count(*) FROM results") == rows(file, "SELECT count(*) FROM minutes") == [(0,)]
        (day,) = await history.days("shop", AT, after(hours=3), UTC)
        assert day.counted.good == 100
    assert sound(file)


async def test_a_full_table_keeps_what_is_not_rolled_up(file: Path) -> None:
    """More results in a minute than there may be in all: they stay until the minute is over, and are counted."""
    async with opened(file, Keep(result_rows=1, minute_rows=1)) as history:
        for second in range(50):
            history.add_round("shop", one_round(after(seconds=second)), "primary")
            await history.roll_up(after(seconds=second))
        assert rows(file, "SELECT count(*) FROM results") == [(50,)]
        history.add_round("shop", one_round(after(minutes=1)), "primary")
        await history.roll_up(after(hours=2))
        assert rows(file, "SELECT count(*) FROM results") == rows(file, "SELECT count(*) FROM minutes") == [(1,)]
        (day,) = await history.days("shop", AT, after(hours=2), UTC)
        assert day.counted.good == 51
    assert sound(file)


async def test_texts_that_nothing_names_any_more_go(file: Path) -> None:
    """Addresses that come and go, and reasons, do not gather for ever; those still named stay, and are used on."""
    async with opened(file) as history:
        await history.roll_up(AT)
        history.add_round("shop", one_round(AT, False, False, False), "primary")
        await history.roll_up(after(hours=1))
        history.add_round("shop", one_round(after(days=3), True), "primary")
        await history.roll_up(after(days=3, hours=1))
        assert rows(file, "SELECT address FROM places") == [("192.0.2.1",)]
        assert rows(file, "SELECT text FROM reasons") == []
        history.add_round("shop", one_round(after(days=3, hours=2), False), "primary")
        await history.flush()
        (found,) = [r async for r in history.results("shop", after(days=3, hours=2), after(days=4))]
        assert found.reason == "503, expected 200-399"
