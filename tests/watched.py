"""A switchboard that watches the shop, and waiting for what it sees."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from changeover.model.readiness.service_state import ServiceState
from changeover.switchboard import Switchboard
from shop import Shop


@asynccontextmanager
async def watching(shop: Shop) -> AsyncIterator[Switchboard]:
    board = Switchboard(shop.home)
    task = asyncio.create_task(board.watch())
    try:
        yield board
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await board.aclose()


async def until(board: Switchboard, wanted: Callable[[ServiceState], bool]) -> ServiceState:
    """The first state of the shop that is as wanted; told by the switchboard, not polled for."""
    found: asyncio.Future[ServiceState] = asyncio.get_running_loop().create_future()

    def look(_: str | None) -> None:
        state = board.state("shop")
        if wanted(state) and not found.done():
            found.set_result(state)

    end = board.subscribe(look)
    look(None)
    try:
        async with asyncio.timeout(120):
            return await found
    finally:
        end()
