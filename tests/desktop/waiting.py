"""Waiting for what a window shows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication

#: How long a scenario may take. A limit for what hangs, not a promise.
PATIENCE = 60.0


class _Watcher(QObject):
    """Looks at a condition whenever the application has an event for anything."""

    def __init__(self, condition: Callable[[], object], met: asyncio.Future[None]) -> None:
        super().__init__()
        self._condition = condition
        self._met = met
        self._looking = False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not self._met.done() and not self._looking:
            self._looking = True
            if self._condition():
                self._met.set_result(None)
            self._looking = False
        return False


async def until(condition: Callable[[], object], what: str = "") -> None:
    """Waits until the condition holds; it is looked at with every event of the application."""
    if condition():
        return
    application = QApplication.instance()
    assert application is not None
    met: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    watcher = _Watcher(condition, met)
    application.installEventFilter(watcher)
    try:
        async with asyncio.timeout(PATIENCE / 2):
            await met
    except TimeoutError:
        raise AssertionError(f"waited in vain for {what or condition}") from None
    finally:
        application.removeEventFilter(watcher)
