"""The one database file: opened, brought to this version's schema, and used from one thread at a time."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar

from changeover.model.errors import ChangeoverError
from changeover.storage.database.schema import MIGRATIONS

#: So many seconds another process's write, or its opening of the file, is waited for.
_PATIENCE = 10.0

P = ParamSpec("P")
T = TypeVar("T")


class Database:
    """One connection to the file, opened at its first use. Calls run in threads, one after the other.

    A durable one has each transaction on disk before it returns (WAL, synchronous FULL). Another may lose the newest
    ones to a power cut, but is whole ever after (WAL, synchronous NORMAL). `name` and `hint` are for what goes wrong.
    """

    def __init__(self, file: Path, name: str, hint: str, *, durable: bool) -> None:
        self._file = file
        self._name = name
        self._hint = hint
        self._durable = durable
        self._connection: sqlite3.Connection | None = None
        self._order = asyncio.Lock()
        #: A call whose caller was cancelled runs on in its thread; nobody may use the connection before it has ended.
        self._busy = threading.Lock()

    async def in_thread(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs `call`, which may use `open`. Raises ChangeoverError where the file cannot be used."""

        def alone() -> T:
            with self._busy:
                return call(*args, **kwargs)

        async with self._order:
            try:
                return await asyncio.to_thread(alone)
            except (sqlite3.Error, OSError) as error:
                raise ChangeoverError(f"{self._name} {self._file} cannot be used: {error}", self._hint) from None

    def open(self) -> sqlite3.Connection:
        """The connection. Raises ChangeoverError where the file is from a newer Changeover."""
        if self._connection is None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self._file, check_same_thread=False, isolation_level=None, timeout=_PATIENCE)
            try:
                _use_log(connection)
                connection.execute(f"PRAGMA synchronous = {'FULL' if self._durable else 'NORMAL'}")
                self._migrate(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def close(self) -> None:
        with self._busy:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _migrate(self, connection: sqlite3.Connection) -> None:
        newest = len(MIGRATIONS)
        if self._version(connection) == newest:
            return
        with transaction(connection):
            # Another process may have done it meanwhile.
            for number in range(self._version(connection), newest):
                for statement in MIGRATIONS[number]:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number + 1}")
        # The tables go into the file now, so that the log is free for what follows.
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def _version(self, connection: sqlite3.Connection) -> int:
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise ChangeoverError(f"{self._file} is from a newer Changeover", "Update this one.")
        return version


def _use_log(connection: sqlite3.Connection) -> None:
    """Turns the write-ahead log on. SQLite itself does not wait where several processes do so at once."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
        time.sleep(0.01)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing. Other processes' writes wait meanwhile, so it should be short."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
