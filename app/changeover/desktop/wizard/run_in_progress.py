"""A run in progress. It goes on whether or not a window looks at it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from changeover.model.errors import ChangeoverError
from changeover.model.runs.run import Run


class Start(Protocol):
    """Begins the run: a switch, an undo or a resume of the switchboard."""

    def __call__(self, *, on_progress: Callable[[Run], None], stop: asyncio.Event) -> Awaitable[Run]: ...


class Work(QObject):
    """One run in this process, from its start to its end."""

    progressed = Signal()
    ended = Signal()

    def __init__(self, service: str, to: str, start: Start) -> None:
        """`to` is where visitors go by it."""
        super().__init__()
        self.service = service
        self.to = to
        self._start = start
        self.run: Run | None = None
        self.error: ChangeoverError | None = None
        self.over = asyncio.Event()
        self.stop = asyncio.Event()

    @property
    def done(self) -> bool:
        return self.over.is_set()

    async def go(self) -> None:
        """Runs it. A refusal is kept in `error`; what nobody expected is raised."""
        try:
            self.run = await self._start(on_progress=self._progress, stop=self.stop)
        except ChangeoverError as error:
            self.error = error
        finally:
            self.over.set()
            self.ended.emit()

    def _progress(self, run: Run) -> None:
        self.run = run
        self.progressed.emit()
