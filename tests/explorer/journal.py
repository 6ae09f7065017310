"""A journal in memory, that one computer keeps over crashes, and the hand that one process has in it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from changeover.model.errors import UsageError
from changeover.model.runs.run import Entry, Event, Intent, Started
from explorer import platform_promises, promises
from explorer.world import START, World

if TYPE_CHECKING:
    from explorer.process import Process


class Disk:
    """What is durable at one computer."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.runs: dict[str, list[Entry]] = {}
        #: Runs of which a person said that an undo replaces what others have changed.
        self.anyway: set[str] = set()

    def write(self, run: str, event: Event) -> Entry:
        entry = Entry(run=run, at=datetime.fromtimestamp(START + self.world.now, UTC), event=event)
        self.runs.setdefault(run, []).append(entry)
        self.world.note(self.name, f"journal of {run}: {_words(event)}")
        return entry


class ProcessJournal:
    """The journal as one process uses it. Has the methods of JournalStore (storage/journal/store.py) that runs use.

    The process may die before or after any entry.
    """

    def __init__(self, disk: Disk, process: Process) -> None:
        self._disk = disk
        self._process = process

    def stored(self, run: str) -> list[Entry]:
        """What is on the disk, whatever the process believes."""
        return self._disk.runs.get(run, [])

    async def begin(self, started: Started) -> Entry:
        service = started.plan.service
        run = f"{service}-{len(self._disk.runs) + 1}"
        self._process.run = run
        return await self.append(run, started)

    async def append(self, run: str, event: Event) -> Entry:
        process = self._process
        process.run = run
        await process.point("before an entry")
        await asyncio.sleep(0.001)
        await process.point()
        entry = self._disk.write(run, event)
        promises.written(process, run, self._disk.runs[run])
        if process.setting.platforms is not None:
            platform_promises.written(process.setting.platforms, process, run, self._disk.runs[run])
        await process.point("after an entry")
        return entry

    async def read(self, run: str) -> tuple[Entry, ...]:
        await self._process.point()
        if run not in self._disk.runs:
            raise UsageError(f"There is no run {run}")
        return tuple(self._disk.runs[run])

    async def read_all(self) -> tuple[tuple[Entry, ...], ...]:
        await self._process.point()
        return tuple(tuple(entries) for entries in reversed(self._disk.runs.values()))


class AfterTheAct(ProcessJournal):
    """A planted bug: an intent is written only together with what comes after it."""

    def __init__(self, disk: Disk, process: Process) -> None:
        super().__init__(disk, process)
        self._held: list[tuple[str, Intent]] = []

    async def append(self, run: str, event: Event) -> Entry:
        if isinstance(event, Intent):
            self._held.append((run, event))
            return Entry(run=run, at=datetime.fromtimestamp(START, UTC), event=event)
        held, self._held = self._held, []
        for of, intent in held:
            await super().append(of, intent)
        return await super().append(run, event)


def _words(event: Event) -> str:
    what = type(event).__name__
    facts = [f"{k} {getattr(event, k)}" for k in ("step", "state", "outcome", "text", "reason") if hasattr(event, k)]
    return ", ".join([what, *facts])
