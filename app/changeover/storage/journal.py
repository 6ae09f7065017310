"""The journal of all runs: append-only, in SQLite, on disk before anything acts on it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import ParamSpec, TypeVar

import msgspec

from changeover.model.errors import ChangeoverError, UsageError
from changeover.model.run import Entry, Event, Started

_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    service TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (service, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS journal (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    run TEXT NOT NULL,
    at TEXT NOT NULL,
    event TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS journal_run ON journal (run);
PRAGMA user_version = 1;
"""
_VERSION = 1

P = ParamSpec("P")
T = TypeVar("T")


class Journal:
    """The journal in one database file. Writes return once the disk has them (WAL, synchronous FULL)."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._connection: sqlite3.Connection | None = None
        self._order = asyncio.Lock()
        self._known: dict[str, tuple[Entry, ...]] = {}
        self._seen = 0

    async def begin(self, started: Started) -> Entry:
        """Opens a new run with its plan. The run's name is the service's with the next number."""
        return await self._in_thread(self._begin, started)

    async def append(self, run: str, event: Event) -> Entry:
        """Adds one entry, durably."""
        return await self._in_thread(self._append, run, event)

    async def entries(self, run: str) -> tuple[Entry, ...]:
        """One run's entries, oldest first. Raises UsageError where there is no such run."""
        found = await self._in_thread(self._select, "WHERE run = ? ORDER BY seq", (run,))
        if not found:
            raise UsageError(f"There is no run {run}", "See them all with: changeover runs")
        return found

    async def all_runs(self) -> tuple[tuple[Entry, ...], ...]:
        """Every run's entries, newest run first. Only what was added since the last call is read."""
        return await self._in_thread(self._all_runs)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def _in_thread(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        async with self._order:
            try:
                return await asyncio.to_thread(call, *args, **kwargs)
            except (sqlite3.Error, OSError) as error:
                raise ChangeoverError(
                    f"The journal {self._file} cannot be used: {error}",
                    "Check that the disk is not full and that the file is yours. Nothing is done without a journal.",
                ) from None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self._file, check_same_thread=False, isolation_level=None, timeout=10)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > _VERSION:
                connection.close()
                raise ChangeoverError(f"{self._file} is from a newer Changeover", "Update this one.")
            if version < _VERSION:
                connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
            self._connection = connection
        return self._connection

    def _begin(self, started: Started) -> Entry:
        connection = self._open()
        service = started.plan.service
        connection.execute("BEGIN IMMEDIATE")
        try:
            (last,) = connection.execute("SELECT max(number) FROM runs WHERE service = ?", (service,)).fetchone()
            number = (last or 0) + 1
            run = f"{service}-{number}"
            connection.execute("INSERT INTO runs VALUES (?, ?)", (service, number))
            entry = self._append(run, started)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
        return entry

    def _append(self, run: str, event: Event) -> Entry:
        entry = Entry(run=run, at=datetime.now(UTC), event=event)
        row = (run, entry.at.isoformat(), msgspec.json.encode(event).decode())
        self._open().execute("INSERT INTO journal (run, at, event) VALUES (?, ?, ?)", row)
        return entry

    def _all_runs(self) -> tuple[tuple[Entry, ...], ...]:
        rows = self._open().execute("SELECT seq, run, at, event FROM journal WHERE seq > ? ORDER BY seq", (self._seen,))
        for seq, run, at, event in rows:
            entry = Entry(run=run, at=datetime.fromisoformat(at), event=_decoder.decode(event))
            self._known[run] = (*self._known.get(run, ()), entry)
            self._seen = seq
        return tuple(reversed(self._known.values()))

    def _select(self, where: str, values: Sequence[str]) -> tuple[Entry, ...]:
        rows = self._open().execute(f"SELECT run, at, event FROM journal {where}", values)
        return tuple(
            Entry(run=run, at=datetime.fromisoformat(at), event=_decoder.decode(event)) for run, at, event in rows
        )


_decoder = msgspec.json.Decoder(Event)
