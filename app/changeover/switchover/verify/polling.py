"""Looking again and again at what has not arrived yet."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

#: Between two looks at what has not arrived yet, at first and at most.
_FIRST_PAUSE, _LAST_PAUSE = 0.1, 1.0


async def attempts(timeout: float, stop: asyncio.Event) -> AsyncIterator[float]:
    """Yields at once and then after growing pauses, until `timeout` seconds are over or `stop` is set.

    What it yields are the seconds that have passed.
    """
    began = time.monotonic()
    pause = _FIRST_PAUSE
    while True:
        yield time.monotonic() - began
        if stop.is_set() or time.monotonic() + pause > began + timeout:
            return
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LAST_PAUSE)
