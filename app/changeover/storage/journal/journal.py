"""The journal of all runs: append-only, in SQLite, on disk before anything acts on it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import ParamSpec, TypeVar

import msgspec

from changeover.model.errors import UsageError
from changeover.model.runs.run import Entry, Event, Started
from changeover.storage.database.database import Database, transaction

P = ParamSpec("P")
T = TypeVar("T")


class Journal:
    """The journal in one database file. Writes return once the disk has them (WAL, synchronous FULL)."""

    def __init__(self, file: Path) -> None:
        hint = "Check that the disk is not full and that the file is yours. Nothing is done without a journal."
        self._database = Database(file, "The journal", hint, durable=True)
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
        self._database.close()

    async def _in_thread(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._database.in_thread(call, *args, **kwargs)

    def _open(self) -> sqlite3.Connection:
        return self._database.open()

    def _begin(self, started: Started) -> Entry:
        connection = self._open()
        service = started.plan.service
        with transaction(connection):
            (last,) = connection.execute("SELECT max(number) FROM runs WHERE service = ?", (service,)).fetchone()
            number = (last or 0) + 1
            run = f"{service}-{number}"
            connection.execute("INSERT INTO runs VALUES (?, ?)", (service, number))
            return self._append(run, started)

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
