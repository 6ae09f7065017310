"""The runs of all services, as the journal and the locks say that they stand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractContextManager, asynccontextmanager

from changeover.model.errors import Refused
from changeover.model.runs.run import Entry, Outcome, Run, fold
from changeover.storage.home import Home
from changeover.storage.journal.journal import Journal
from changeover.storage.journal.lock import is_locked, service_lock


class RecordedRuns:
    """Reads runs. One without an end goes on while its service is locked, and else is interrupted."""

    def __init__(self, home: Home, journal: Journal) -> None:
        self._home = home
        self._journal = journal

    async def all(self) -> tuple[Run, ...]:
        """All runs, newest first."""
        return tuple(self._folded(entries) for entries in await self._journal.all_runs())

    async def of(self, service: str) -> tuple[Run, ...]:
        """The runs of one service, newest first."""
        return tuple(r for r in await self.all() if r.service == service)

    async def newest(self, service: str) -> Run | None:
        return next(iter(await self.of(service)), None)

    async def one(self, run_id: str) -> Run:
        """One run. Raises UsageError where there is none of that name."""
        return self._folded(await self._journal.entries(run_id))

    async def unfinished(self, service: str) -> Run | None:
        """The run that must be ended before the service takes a new one."""
        return next((r for r in await self.of(service) if r.unfinished), None)

    def locked(self, service: str) -> AbstractContextManager[None]:
        """Holds the service's lock. Raises Refused where somebody else does."""
        return service_lock(self._home.lock_file(service), service)

    @asynccontextmanager
    async def to_go_on(self, run_id: str, verb: str) -> AsyncIterator[Run]:
        """The run, with its service locked, if `verb` is among what can be done with it."""
        service = (await self.one(run_id)).service
        with self.locked(service):
            run = fold(await self._journal.entries(run_id))
            refuse_unless_next(run, verb)
            if not run.unfinished:
                await self.refuse_unfinished(service)
            yield run

    async def refuse_unfinished(self, service: str) -> None:
        """Raises Refused where a run of the service is not finished. For who holds the lock: nobody is at it then."""
        entries = [fold(e) for e in await self._journal.all_runs() if e[0].run.rpartition("-")[0] == service]
        for run in entries:
            if run.unfinished:
                raise Refused(
                    f"Run {run.run} of {service} is not finished",
                    f"Look at it with: changeover report {run.run}. Then resume, undo or accept it.",
                )

    def _folded(self, entries: Iterable[Entry]) -> Run:
        journal = tuple(entries)
        run = fold(journal)
        if run.outcome is Outcome.INTERRUPTED and is_locked(self._home.lock_file(run.service)):
            return fold(journal, alive=True)
        return run


def refuse_unless_next(run: Run, verb: str) -> None:
    """Raises Refused where `verb` is not among what can be done with the run."""
    if verb not in run.next:
        can = ", ".join(run.next) or "nothing more"
        raise Refused(f"Run {run.run} is {run.outcome}: it takes no {verb}", f"What can be done with it: {can}")
