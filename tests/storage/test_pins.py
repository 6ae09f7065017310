"""Pins: kept for every process to see, with a reason, and never for longer than 72 hours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from changeover.model.errors import UsageError
from changeover.model.readiness.pin import Hold, Pin
from changeover.storage.pins import Pins
from storage.recorded import AT, after, rows


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "changeover.db"


@pytest.fixture
async def pins(file: Path) -> AsyncIterator[Pins]:
    opened = Pins(file)
    yield opened
    opened.close()


async def test_a_pin_is_seen_by_every_process_until_it_ends(pins: Pins, file: Path) -> None:
    """With its reason; it ends by itself, at its very end."""
    made = await pins.set("shop", "primary", Hold.UNHEALTHY, " it lies ", 3600, AT)
    assert made == Pin(
        service="shop",
        deployment="primary",
        hold=Hold.UNHEALTHY,
        reason="it lies",
        set_at=AT,
        until=after(hours=1),
    )
    other = Pins(file)
    assert await other.all(after(minutes=59)) == (made,)
    assert await other.all(after(hours=1)) == ()
    other.close()


async def test_a_new_pin_takes_the_place_of_the_old_one(pins: Pins, file: Path) -> None:
    """A deployment has one at most; another's is not touched, and clearing says whether there was any."""
    await pins.set("shop", "primary", Hold.UNHEALTHY, "one", 60, AT)
    await pins.set("shop", "backup", Hold.NEVER, "two", 60, AT)
    newer = await pins.set("shop", "primary", Hold.HEALTHY, "three", 120, AT)
    assert newer in await pins.all(AT)
    assert await pins.clear("shop", "primary")
    assert not await pins.clear("shop", "primary")
    assert [p.deployment for p in await pins.all(AT)] == ["backup"]
    assert rows(file, "SELECT count(*) FROM pins") == [(1,)]


async def test_it_is_on_disk_before_anything_relies_on_it(pins: Pins) -> None:
    """As with the journal: no power cut takes back what a person was told."""
    await pins.set("shop", "primary", Hold.NEVER, "a reason", 60)
    assert pins._database.open().execute("PRAGMA synchronous").fetchone() == (2,), "FULL"


@pytest.mark.parametrize("seconds", [0, -1, timedelta(hours=72, seconds=1).total_seconds(), float("inf"), float("nan")])
async def test_a_pin_has_its_bounds(pins: Pins, seconds: float) -> None:
    """From a second to 72 hours; nothing is written otherwise."""
    with pytest.raises(UsageError, match="from 1 s to 72 h"):
        await pins.set("shop", "primary", Hold.NEVER, "a reason", seconds)
    assert await pins.all() == ()


async def test_a_pin_has_a_reason(pins: Pins) -> None:
    """Who finds it at three in the morning must know why."""
    with pytest.raises(UsageError, match="A reason is needed"):
        await pins.set("shop", "primary", Hold.NEVER, "  ", 60)
