"""Freezes: kept for every process to see, with a reason and a name, and never for longer than 72 hours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from changeover.model.errors import UsageError
from changeover.model.readiness.freeze import Freeze
from changeover.storage.freezes import Freezes
from storage.recorded import AT, after, rows


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "changeover.db"


@pytest.fixture
async def freezes(file: Path) -> AsyncIterator[Freezes]:
    opened = Freezes(file)
    yield opened
    opened.close()


async def test_a_freeze_is_seen_by_every_process_until_it_ends(freezes: Freezes, file: Path) -> None:
    """With its reason and who set it; it ends by itself, at its very end."""
    made = await freezes.set("shop", " a release ", 3600, "anna", AT)
    assert made == Freeze(service="shop", reason="a release", set_at=AT, until=after(hours=1), who="anna")
    other = Freezes(file)
    assert await other.all(after(minutes=59)) == (made,)
    assert await other.all(after(hours=1)) == ()
    other.close()


async def test_everything_and_one_service_are_frozen_apart(freezes: Freezes, file: Path) -> None:
    """Each has one freeze at most, the newest; ending one leaves the other, and says whether there was any."""
    await freezes.set("shop", "one", 60, now=AT)
    everything = await freezes.set(None, "two", 60, now=AT)
    newer = await freezes.set("shop", "three", 120, now=after(seconds=1))
    assert await freezes.all(after(seconds=2)) == (everything, newer)
    assert await freezes.clear("shop")
    assert not await freezes.clear("shop")
    assert await freezes.all(after(seconds=2)) == (everything,)
    assert await freezes.clear(None)
    assert rows(file, "SELECT count(*) FROM freezes") == [(0,)]


async def test_it_is_on_disk_before_anything_relies_on_it(freezes: Freezes) -> None:
    """As with the journal: no power cut takes back what a person was told."""
    await freezes.set(None, "a reason", 60)
    assert freezes._database.open().execute("PRAGMA synchronous").fetchone() == (2,), "FULL"


@pytest.mark.parametrize("seconds", [0, -1, timedelta(hours=72, seconds=1).total_seconds(), float("inf"), float("nan")])
async def test_a_freeze_has_its_bounds(freezes: Freezes, seconds: float) -> None:
    """From a second to 72 hours; nothing is written otherwise."""
    with pytest.raises(UsageError, match="from 1 s to 72 h"):
        await freezes.set("shop", "a reason", seconds)
    assert await freezes.all() == ()


async def test_a_freeze_has_a_reason(freezes: Freezes) -> None:
    """Who meets it at three in the morning must know why."""
    with pytest.raises(UsageError, match="A reason is needed"):
        await freezes.set(None, "  ", 60)
