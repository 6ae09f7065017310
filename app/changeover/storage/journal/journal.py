"""The journal in one SQLite file on this computer: on disk before anything acts on it."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from changeover.model.errors import UsageError
from changeover.model.runs.run import Entry, Event, Started, UnreadableEvent
from changeover.storage.database.database import Database, transaction
from changeover.storage.home import Home
from changeover.storage.journal.lock import is_locked, service_lock
from changeover.storage.journal.run_numbers import keep_number, last_number, number_file
from changeover.storage.journal.store import decoded, encoded

#: As bytes, since SQLite's driver gives nothing of a query where one text in it is damaged.
_SELECT = """
    SELECT seq, j.run, service, at, version, checksum, CAST(event AS BLOB)
    FROM journal AS j LEFT JOIN runs USING (run)
"""
#: Stands for a time that is damaged.
_NO_TIME = datetime.fromtimestamp(0, UTC)


class Journal:
    """A JournalStore in one database file (WAL, synchronous FULL), with the locks of services in files beside it.

    Liveness is the operating system's word: a lock on a file dies with the process that holds it.
    """

    def __init__(self, file: Path) -> None:
        hint = "Check that the disk is not full and that the file is yours. Nothing is done without a journal."
        self._database = Database(file, "The journal", hint, durable=True)
        self._home = Home.at(file.parent)
        self._known: dict[str, tuple[Entry, ...]] = {}
        self._seen = 0
        #: The run that this process wrote of last. One that could not be begun has done nothing.
        self.written: str | None = None

    async def begin(self, started: Started) -> Entry:
        """Opens a new run with its plan. The run's name is the service's with the next number."""
        run = self._database.in_need if started.emergency else self._database.in_thread
        return await run(self._begin, started)

    async def append(self, run: str, event: Event) -> Entry:
        """Adds one entry, durably."""
        self.written = run
        return await self._database.in_need(self._append, run, event)

    async def read(self, run: str) -> tuple[Entry, ...]:
        """One run's entries, oldest first. Raises UsageError where there is no such run."""
        found = await self._database.in_thread(self._read, run)
        if not found:
            raise UsageError(f"There is no run {run}", "See them all with: changeover runs")
        return found

    async def read_all(self) -> tuple[tuple[Entry, ...], ...]:
        """Every run's entries, newest run first. Only what was added since the last call is read."""
        return await self._database.in_thread(self._read_all)

    @asynccontextmanager
    async def lock(self, service: str) -> AsyncIterator[None]:
        """Holds the service's lock. Raises Refused where another process, or another run of this one, does."""
        with service_lock(self._home.lock_file(service), service):
            yield

    async def is_alive(self, service: str) -> bool:
        """Does some process of this computer hold the service's lock?"""
        return is_locked(self._home.lock_file(service))

    def close(self) -> None:
        self._database.close()

    def _open(self) -> sqlite3.Connection:
        connection = self._database.open()
        connection.text_factory = _text
        return connection

    def _begin(self, started: Started) -> Entry:
        connection = self._open()
        service = started.plan.service
        kept = number_file(self._home.lock_file(service))
        with transaction(connection):
            (last,) = connection.execute("SELECT max(number) FROM runs WHERE service = ?", (service,)).fetchone()
            number = max(last or 0, last_number(kept)) + 1
            run = f"{service}-{number}"
            connection.execute("INSERT INTO runs (service, number, run) VALUES (?, ?, ?)", (service, number, run))
            entry = self._append(run, started)
        self.written = run
        keep_number(kept, number)
        return entry

    def _append(self, run: str, event: Event) -> Entry:
        entry = Entry(run=run, at=datetime.now(UTC), event=event)
        version, raw, checksum = encoded(event)
        self._open().execute(
            "INSERT INTO journal (run, at, event, version, checksum) VALUES (?, ?, ?, ?, ?)",
            (run, entry.at.isoformat(), raw.decode(), version, checksum),
        )
        return entry

    def _read(self, run: str) -> tuple[Entry, ...]:
        return tuple(_entry(row) for row in self._open().execute(f"{_SELECT} WHERE j.run = ? ORDER BY seq", (run,)))

    def _read_all(self) -> tuple[tuple[Entry, ...], ...]:
        added: dict[str, list[Entry]] = {}
        for row in self._open().execute(f"{_SELECT} WHERE seq > ? ORDER BY seq", (self._seen,)):
            entry = _entry(row)
            added.setdefault(entry.run, []).append(entry)
            self._seen = row[0]
        for run, entries in added.items():
            self._known[run] = (*self._known.get(run, ()), *entries)
        return tuple(reversed(self._known.values()))


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")


def _entry(row: tuple[Any, ...]) -> Entry:
    """One row. What is damaged in it makes its event unreadable, and hides nothing else."""
    _, run, service, at, version, checksum, raw = row
    event = decoded(version, raw, checksum)
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        moment, event = _NO_TIME, UnreadableEvent(newer=False)
    return Entry(run=run, at=moment, event=event, service=service or "")
