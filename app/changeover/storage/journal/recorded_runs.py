"""The runs of all services, as the journal says that they stand."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from changeover.model.errors import Refused
from changeover.model.runs.open_run import open_run_words
from changeover.model.runs.run import Entry, Outcome, Run, fold, foremost
from changeover.storage.journal.store import JournalStore


class RecordedRuns:
    """Reads runs. One without an end goes on while its service's lock is held, and else is interrupted."""

    def __init__(self, journal: JournalStore) -> None:
        self._journal = journal
        #: By run, its entries and what they come to.
        self._folded: dict[str, tuple[tuple[Entry, ...], Run]] = {}

    async def all(self) -> tuple[Run, ...]:
        """All runs, newest first."""
        return tuple([await self._as_it_goes(*found) for found in await self._read_all()])

    async def of(self, service: str) -> tuple[Run, ...]:
        """The runs of one service, newest first."""
        mine = [found for found in await self._read_all() if found[1].service == service]
        return tuple([await self._as_it_goes(*found) for found in mine])

    async def foremost(self, service: str) -> Run | None:
        """The run that must be ended before the service takes a new one, else its newest."""
        return foremost(await self.of(service))

    async def newest(self, service: str) -> Run | None:
        return next(iter(await self.of(service)), None)

    async def one(self, run_id: str) -> Run:
        """One run. Raises UsageError where there is none of that name."""
        entries = await self._journal.read(run_id)
        return await self._as_it_goes(entries, fold(entries))

    async def later(self, run: Run) -> tuple[Run, ...]:
        """The runs of its service that were begun after `run`, newest first."""
        return tuple(itertools.takewhile(lambda one: one.run != run.run, await self.of(run.service)))

    async def unfinished(self, service: str) -> Run | None:
        """The run that must be ended before the service takes a new one."""
        return next((r for r in await self.of(service) if r.unfinished), None)

    def locked(self, service: str) -> AbstractAsyncContextManager[None]:
        """Holds the service's lock. Raises Refused where somebody else does."""
        return self._journal.lock(service)

    @asynccontextmanager
    async def to_go_on(self, run_id: str, verb: str) -> AsyncIterator[Run]:
        """The run, with its service locked, if `verb` is among what can be done with it."""
        service = (await self.one(run_id)).service
        async with self.locked(service):
            run = fold(await self._journal.read(run_id))
            refuse_unless_next(run, verb)
            if not run.unfinished:
                await self.refuse_unfinished(service)
            yield run

    async def refuse_unfinished(self, service: str) -> None:
        """Raises Refused where a run of the service is not finished. For who holds the lock: nobody is at it then."""
        for _, run in await self._read_all():
            if run.service == service and run.unfinished:
                raise Refused(*open_run_words(run))

    async def _read_all(self) -> list[tuple[tuple[Entry, ...], Run]]:
        """Every run's entries and their fold, newest first. What has nothing new is not folded again."""
        found = await self._journal.read_all()
        new = [entries for entries in found if self._folded.get(entries[0].run, ((),))[0] is not entries]
        if new:
            # Hundreds at once, when the journal is first read, are too much for the window's loop.
            folded = await asyncio.to_thread(lambda: [fold(entries) for entries in new])
            self._folded |= {run.run: (entries, run) for entries, run in zip(new, folded, strict=True)}
        return [self._folded[entries[0].run] for entries in found]

    async def _as_it_goes(self, entries: tuple[Entry, ...], run: Run) -> Run:
        if run.outcome is Outcome.INTERRUPTED and await self._journal.is_alive(run.service):
            return fold(entries, alive=True)
        return run


def refuse_unless_next(run: Run, verb: str) -> None:
    """Raises Refused where `verb` is not among what can be done with the run."""
    if verb in run.next:
        return
    if run.unreadable:
        text, fix = open_run_words(run)
        raise Refused(f"{text}: it takes no {verb}", fix)
    can = ", ".join(run.next) or "nothing more"
    raise Refused(f"Run {run.run} is {run.outcome}: it takes no {verb}", f"What can be done with it: {can}")
