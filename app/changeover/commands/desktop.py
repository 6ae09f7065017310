"""`changeover` alone: the desktop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from changeover.commands.session import command, debugging

if TYPE_CHECKING:
    from changeover.lab.ground import PracticeGround
    from changeover.switchboard import Switchboard


@command
def open_window() -> int:
    """Opens the desktop on the person's own settings, until it is closed."""
    from changeover.desktop.application import open_desktop

    return open_desktop(_switchboard)


@asynccontextmanager
async def _switchboard() -> AsyncIterator[tuple[Switchboard, PracticeGround | None]]:
    from changeover.storage.home import Home
    from changeover.storage.log import start_log
    from changeover.switchboard import Switchboard

    home = Home.from_environment()
    start_log(home.log_file, debugging())
    board = Switchboard(home)
    try:
        yield board, None
    finally:
        await board.aclose()
