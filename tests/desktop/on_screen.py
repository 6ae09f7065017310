"""The whole desktop on a practice ground, for as long as a scenario lasts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from changeover.desktop.application import DesktopSession, run
from changeover.lab.ground import PracticeGround
from changeover.storage.home import Home
from changeover.switchboard import Switchboard
from desktop.waiting import until


@asynccontextmanager
async def desktop(home: Path, ground: PracticeGround | None = None) -> AsyncIterator[DesktopSession]:
    """The desktop on the settings in `home`."""
    board = Switchboard(Home.at(home))
    opened: list[DesktopSession] = []
    running = asyncio.create_task(run(board, ground, opened=opened.append))
    try:
        await until(lambda: opened or running.done(), "the window")
        session = opened[0]
        yield session
        session.quit.set()
        await running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await board.aclose()
        for window in QApplication.topLevelWidgets():
            if window.windowType() is not Qt.WindowType.Popup:  # that is its field's
                window.deleteLater()


@asynccontextmanager
async def lab_desktop(home: Path) -> AsyncIterator[DesktopSession]:
    """The desktop on a practice ground of its own."""
    async with PracticeGround.started(home) as ground, desktop(home, ground) as session:
        yield session


def click(widget: QWidget) -> None:
    """Presses a widget as a mouse does; it must be there and usable."""
    assert widget.isVisible(), f"{widget} is not visible"
    assert widget.isEnabled(), f"{widget} cannot be used"
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)
