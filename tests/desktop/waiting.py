"""Waiting for what a window shows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from PySide6.QtCore import QTimer

#: How long a scenario may take. A limit for what hangs, not a promise.
RETRY_BUDGET = 240.0


async def until(condition: Callable[[], object], what: str = "") -> None:
    """Waits until the condition holds. It is looked at between events: inside one, widgets may be half made."""
    met: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def look() -> None:
        if not met.done() and condition():
            met.set_result(None)

    timer = QTimer()
    timer.setInterval(10)
    timer.timeout.connect(look)
    timer.start()
    try:
        async with asyncio.timeout(RETRY_BUDGET / 2):
            await met
    except TimeoutError:
        raise AssertionError(f"waited in vain for {what or condition}") from None
    finally:
        timer.stop()
