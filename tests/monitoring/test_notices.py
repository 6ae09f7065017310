"""Telling of outages: each once, whatever restarts lie in between, and whether or not it can be written down."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from changeover.model.health.outage import Outage
from changeover.model.health.probe_result import Health
from changeover.model.readiness.service_state import ServiceState
from changeover.model.wording.notice import Notice
from changeover.monitoring.live_states import LiveStates
from changeover.monitoring.notices import tell_outages
from changeover.storage.outages import ToldOutages
from changeover.switchboard import Switchboard
from monitoring.world import SERVICES, Reader, Recorder, World
from shop import Shop
from watched import until

#: Quick to recover, so that nobody waits for three minutes.
QUICK = "[services.health.thresholds]\nup_after = 2\nup_seconds = 1\n\n[[services.deployments]]"


class Ear:
    """Somebody who is told."""

    def __init__(self) -> None:
        self.notices: asyncio.Queue[Notice] = asyncio.Queue()

    async def next(self) -> Notice:
        async with asyncio.timeout(60):
            return await self.notices.get()


@contextlib.asynccontextmanager
async def telling(shop: Shop, ear: Ear) -> AsyncIterator[Switchboard]:
    """A Changeover that watches, and tells."""
    board = Switchboard(shop.home)
    tasks = [
        asyncio.create_task(board.watch()),
        asyncio.create_task(board.tell_outages("desktop", ear.notices.put_nowait)),
    ]
    try:
        yield board
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await board.aclose()


async def kept(shop: Shop, services: list[str]) -> dict[str, Outage]:
    """What the database has, once it has outages of these services."""
    told = ToldOutages(shop.home.database)
    try:
        async with asyncio.timeout(60):
            while list(found := await told.of("desktop")) != services:
                continue
        return found
    finally:
        told.close()


def primary_is(health: Health, state: ServiceState) -> bool:
    return "primary" in state.health and state.health["primary"].health is health


async def test_an_outage_is_told_once_across_restarts(shop: Shop) -> None:
    """Not at the next start again; its end is told by whichever Changeover sees it, with the outage's beginning."""
    text = shop.home.settings_file.read_text()
    shop.home.settings_file.write_text(text.replace("[[services.deployments]]", QUICK, 1))
    shop.web.break_("primary")
    first, second, third = Ear(), Ear(), Ear()
    async with telling(shop, first):
        told = await first.next()
        assert (told.title, told.grave) == ("shop is down", True)
        began = (await kept(shop, ["shop"]))["shop"].began
    async with telling(shop, second) as board:
        await until(board, lambda s: primary_is(Health.UNHEALTHY, s))
        shop.web.repair("primary")
        over = await second.next()
        assert (over.title, over.grave) == ("shop is up again", False)
        assert f"It had been down since {began.astimezone():%H:%M}" in over.text
        await kept(shop, [])
    async with telling(shop, third) as board:
        await until(board, lambda s: primary_is(Health.HEALTHY, s))
    assert first.notices.empty()
    assert second.notices.empty()
    assert third.notices.empty()


class Logged(logging.Handler):
    """Waits for what could not be kept to be logged."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if "is not kept" in record.getMessage():
            self.seen.set()


@pytest.fixture
def logged() -> Iterator[Logged]:
    handler = Logged()
    logging.getLogger("changeover.monitoring.notices").addHandler(handler)
    yield handler
    logging.getLogger("changeover.monitoring.notices").removeHandler(handler)


async def test_what_cannot_be_kept_is_told_all_the_same(tmp_path: Path, logged: Logged) -> None:
    """A file that cannot be used hides no outage, and the log says what is missing; one fault is one message."""
    (tmp_path / "data").touch()
    world, ear = World(), Ear()
    world.failing.add("primary")
    live = LiveStates(world, Reader(world), Recorder())
    live.reset(SERVICES)
    told = ToldOutages(tmp_path / "data" / "changeover.db")
    tasks = [asyncio.create_task(live.watch())]
    tasks.append(asyncio.create_task(tell_outages(live, told, "desktop", ear.notices.put_nowait)))
    try:
        notice = await ear.next()
        async with asyncio.timeout(60):
            await logged.seen.wait()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert notice.grave
