"""Keeps the page's chart and activity up to what the history has, without ever waiting for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime

from changeover.desktop.history.history_reader import HistoryReader, read_activity, read_past
from changeover.desktop.runtime.tasks import Tasks
from changeover.desktop.service.service_page import ServicePage
from changeover.model.health.history import Gap, Incident
from changeover.model.readiness.service_state import ServiceState

#: It is read again after so many seconds; an outage that began or ended is in it a little later.
EVERY, SOON = 60.0, 7.0


class PageHistory:
    """The history of the chosen service, as far as the page shows it."""

    def __init__(
        self,
        page: ServicePage,
        history: HistoryReader,
        tasks: Tasks,
        chosen: Callable[[], ServiceState | None],
        came: Callable[[], object],
    ) -> None:
        """`chosen` gives the service that is shown; `came` is called when incidents and gaps may be others."""
        self._page = page
        self._history = history
        self._tasks = tasks
        self._chosen = chosen
        self._came = came
        self._reading: asyncio.Task[None] | None = None
        self._due = float("inf")
        self._seen: tuple[object, ...] = ("",)
        self._incidents: tuple[Incident, ...] = ()
        self.gaps: tuple[Gap, ...] = ()

    def incidents(self, service: str) -> list[Incident]:
        """Those of this service, as far as they were read."""
        return [i for i in self._incidents if i.service == service]

    def follow(self, state: ServiceState) -> None:
        """The page shows this state: reads at once for another service, and soon where something began or ended."""
        seen = (state.service.name, tuple(h.state for h in state.health.values()), state.overlay.connection)
        if seen[0] != self._seen[0]:
            self.read_later()
        if seen != self._seen:
            self._seen = seen
            self._due = min(self._due, time.monotonic() + SOON)

    def tick(self) -> None:
        """A second has passed."""
        if time.monotonic() >= self._due:
            self.read_later()

    def read_later(self) -> None:
        """Reads it in a task, unless that is under way: none piles up behind a slow disk."""
        if self._reading is None or self._reading.done():
            self._reading = self._tasks.spawn(self._read(), "reading the history")

    async def _read(self) -> None:
        """Reads until it is what the page shows, whatever was chosen meanwhile."""
        while (state := self._chosen()) is not None:
            which, name = self._page.history.range, state.service.name
            now = datetime.now().astimezone()
            self._due = time.monotonic() + EVERY
            past = await read_past(self._history, state, which, now)
            self._incidents, self.gaps = await read_activity(self._history, name, now)
            chosen = self._chosen()
            if chosen is None or (chosen.service.name == name and self._page.history.range is which):
                self._page.history.show_past(past, now)
                self._came()
                return
