"""The history: every result of every probe, rolled up as it ages, with incidents and gaps, in the database."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import msgspec

from changeover.model.errors import ChangeoverError
from changeover.model.health.history import Day, Gap, GapKind, Incident, Point, Resolution
from changeover.model.health.probe_result import Cause, ProbeResult, Round
from changeover.model.health.tally import Tally
from changeover.storage.database.database import Database, transaction
from changeover.storage.history import queries as recall
from changeover.storage.history import rollup
from changeover.storage.history import writer as recording
from changeover.storage.history.rollup import Keep
from changeover.storage.history.writer import Happening, IncidentBegun, IncidentEnded, RoundSeen, milliseconds, moment
from changeover.storage.journal.lock import PRIVATE
from changeover.storage.private import private_folder

if TYPE_CHECKING:
    from filelock import FileLock

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

#: While the database takes nothing, so many rounds, incidents and gaps wait at most; then the oldest are dropped.
_WAITING = 50_000
_DAY = timedelta(days=1)


class History:
    """The history in one database file. One process records for it at a time; any may look.

    What is added waits in memory for `flush`: a crash loses the seconds since, and leaves the file whole.
    """

    def __init__(self, file: Path, keep: Keep | None = None) -> None:
        hint = "Check that the disk is not full and that the file is yours."
        self._keep = keep or Keep()
        self._writing = Database(file, "The history", hint, durable=False)
        self._looking = Database(file, "The history", hint, durable=False)
        self._lock_file = file.with_name("recorder.lock")
        self._lock: FileLock | None = None
        self._waiting: list[Happening] = []
        self._flushing = asyncio.Lock()
        self._numbers = recording.Numbers()
        self._texts_forgotten: datetime | None = None

    async def aclose(self) -> None:
        """Writes what waits, lets others record, and closes the file."""
        try:
            await self.flush()
        except ChangeoverError as error:
            log.error("%s; %d entries are lost", error.text, len(self._waiting))
        finally:
            if self._lock is not None:
                self._lock.release()
            self._writing.close()
            self._looking.close()

    # Recording

    def begin_recording(self) -> bool:
        """Makes this the one that records, until it is closed. False where another process does, or another window.

        Raises ChangeoverError where that cannot be found out.
        """
        if self.recording:
            return True
        import filelock

        file = self._lock_file
        self._lock = filelock.FileLock(file, mode=PRIVATE, is_singleton=False)
        try:
            private_folder(file.parent)
            self._lock.acquire(blocking=False)
        except filelock.Timeout:
            return False
        except OSError as error:
            raise ChangeoverError(
                f"The lock {file} cannot be used: {error.strerror or error}",
                "Check that the disk is not full and that the folder is yours. Nothing is recorded meanwhile.",
            ) from None
        return True

    @property
    def recording(self) -> bool:
        """Is this the one that records? What is added to another is dropped, so that nothing is counted twice."""
        return self._lock is not None and self._lock.is_locked

    def add_round(self, service: str, probed: Round, deployment: str, *, maintenance: bool = False) -> None:
        """Adds a round. One within a gap may be added as well; it does not count."""
        self._add(RoundSeen(service, deployment, probed, maintenance))

    def begin_incident(
        self,
        service: str,
        deployment: str,
        started: datetime,
        cause: Cause | None,
        reason: str,
        evidence: dict[str, Any],
    ) -> None:
        """Begins an incident, with its evidence by `model.history.evidence_of`. One that still lasts goes on instead.

        So a process that finds a deployment down, as its predecessor left it, may begin the incident again.
        """
        told = msgspec.json.encode(evidence).decode()
        self._add(IncidentBegun(service, deployment, started, cause, reason, told))

    def end_incident(self, service: str, deployment: str, ended: datetime) -> None:
        """Ends the deployment's incident, if one lasts."""
        self._add(IncidentEnded(service, deployment, ended))

    def add_gap(self, kind: GapKind, started: datetime, ended: datetime) -> None:
        """Adds a time in which nothing was seen. A gap of the same kind and beginning is replaced, so that it can grow.

        Rounds within it, already written ones too, count as not tried; not so where only the clock was set.
        """
        self._add(Gap(started=min(started, ended), ended=max(started, ended), kind=kind))

    def _add(self, happening: Happening) -> None:
        if self.recording:
            self._waiting.append(happening)

    async def flush(self) -> None:
        """Writes what was added, in one transaction. Raises ChangeoverError where it cannot; then it waits on."""
        async with self._flushing:
            taken, self._waiting = self._waiting, []
            if not taken:
                return
            try:
                await self._writing.in_thread(self._write, taken)
            except (ChangeoverError, asyncio.CancelledError):  # writing the same once more changes nothing
                self._waiting = [*taken, *self._waiting][-_WAITING:]
                raise

    def _write(self, happenings: Sequence[Happening]) -> None:
        connection = self._writing.open()
        try:
            with transaction(connection):
                recording.write(connection, happenings, self._numbers)
        except BaseException:
            self._numbers.clear()
            raise

    async def roll_up(self, now: datetime) -> None:
        """Writes what waits, rolls up what is over, and removes what is too old. About once a minute.

        It may be called more often, or be cut short at any time: the next call goes on.
        """
        await self.flush()
        if self.recording:
            await self._writing.in_thread(self._roll_up, now)

    def _roll_up(self, now: datetime) -> None:
        connection = self._writing.open()
        rollup.roll_up(connection, now)
        rollup.prune(connection, now, self._keep)
        if self._texts_forgotten is None or abs(now - self._texts_forgotten) > _DAY:
            self._numbers.clear()
            rollup.forget_texts(connection)
            self._texts_forgotten = now

    # Looking

    async def last_seen(self) -> datetime | None:
        """When anything was last written of what was seen; None where nothing ever was."""
        return await self._look(_last_seen)

    async def last_proven(self, service: str) -> dict[str, datetime]:
        """By deployment, when everything last answered well."""
        return await self._look(recall.last_proven, service)

    async def deployments(self, service: str) -> tuple[str, ...]:
        """The deployments that were ever seen of a service, in the order in which they were."""
        return tuple(await self._look(recall.deployments, service))

    async def series(self, service: str, deployment: str, since: datetime, until: datetime) -> tuple[Point, ...]:
        """The points of a chart, about 800 at most: rounds for an hour, minutes for a day, hours for more."""
        return await self._look(recall.series, service, deployment, since, until)

    async def hours(
        self, service: str, deployment: str, since: datetime, until: datetime
    ) -> tuple[tuple[datetime, Tally], ...]:
        """What is kept of each hour that has any round, oldest first."""
        return await self._look(recall.hours, service, deployment, since, until)

    async def days(self, service: str, since: datetime, until: datetime, zone: tzinfo | None = None) -> tuple[Day, ...]:
        """Each deployment on each day from that of `since` on; days of `zone`, or of the computer's own time zone.

        The first day is whole, the last goes up to `until`.
        """
        return await self._look(recall.days, service, since, until, zone)

    async def incidents(self, service: str, since: datetime, until: datetime) -> tuple[Incident, ...]:
        """The incidents that reach into a time, oldest first."""
        return await self._look(recall.incidents, service, since, until)

    async def gaps(self, since: datetime, until: datetime) -> tuple[Gap, ...]:
        """The gaps that reach into a time, oldest first."""
        return await self._look(rollup.gaps_between, milliseconds(since), milliseconds(until))

    async def newest_rounds(self, service: str, since: datetime, until: datetime) -> dict[str, Round]:
        """By deployment, the newest round of a time, if there is one. Certificates and markers are not kept."""
        return await self._look(recall.newest_rounds, service, since, until)

    async def results(self, service: str, since: datetime, until: datetime) -> AsyncIterator[ProbeResult]:
        """Every single result that is kept of a time, oldest first. Certificates and markers are not kept."""

        def some(connection: sqlite3.Connection, start: datetime, end: datetime) -> list[ProbeResult]:
            return list(recall.results(connection, service, start, end))

        first = await self._look(_first_result)
        start = since if first is None else max(since, first)
        while start < until:
            end = min(start + timedelta(hours=1), until)
            for result in await self._look(some, start, end):
                yield result
            start = end

    async def _look(
        self, call: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        def look() -> T:
            connection = self._looking.open()
            connection.execute("BEGIN")  # one view of the file, whatever is written meanwhile
            try:
                return call(connection, *args, **kwargs)
            finally:
                connection.execute("ROLLBACK")

        return await self._looking.in_thread(look)


def _last_seen(connection: sqlite3.Connection) -> datetime | None:
    at = rollup.marks(connection)[Resolution.ROUND].until
    return moment(at) if at else None


def _first_result(connection: sqlite3.Connection) -> datetime | None:
    (at,) = connection.execute("SELECT min(at) FROM results").fetchone()
    return None if at is None else moment(at)
