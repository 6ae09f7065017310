"""The one database file: opened, brought to this version's schema, and used from one thread at a time."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ParamSpec, TypeVar

from changeover.model.errors import ChangeoverError
from changeover.storage.database.reserve import Reserve
from changeover.storage.database.schema import MIGRATIONS
from changeover.storage.private import private_file, private_folder, take_from_others

#: So many seconds another process's write, or its opening of the file, is waited for.
_PATIENCE = 10.0
#: Beside the database.
RESERVE = "changeover.reserve"

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
        self._reserve = Reserve(file.with_name(RESERVE))
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
                raise self._fault(error) from None

    async def in_need(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same, for what must be written on a full disk too: the room in reserve is used for it.

        `call` may be made twice, since one that found no room has left nothing.
        """

        def with_reserve() -> T:
            try:
                return call(*args, **kwargs)
            except (sqlite3.Error, OSError) as error:
                if not (_no_room(error) and self._reserve.spend()):
                    raise
                return call(*args, **kwargs)

        return await self.in_thread(with_reserve)

    def _fault(self, error: sqlite3.Error | OSError) -> ChangeoverError:
        if _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return damaged(self._name, self._file, str(error))
        return ChangeoverError(f"{self._name} {self._file} cannot be used: {error}", self._hint)

    def open(self) -> sqlite3.Connection:
        """The connection. Raises ChangeoverError where the file is from a newer Changeover."""
        if self._connection is None:
            try:
                self._connection = self._opened()
            except (sqlite3.Error, OSError) as error:
                if not (_no_room(error) and self._reserve.spend()):
                    raise
                self._connection = self._opened()
                self._reserve.keep(whatever_is_left=True)
            if self._durable:
                self._reserve.keep()
        return self._connection

    def _opened(self) -> sqlite3.Connection:
        private_folder(self._file.parent)
        if (wrong := no_plain_file(self._file)) is not None:
            raise damaged(self._name, self._file, f"{wrong.name} is no plain file")
        new = private_file(self._file)
        for end in ("wal", "shm"):  # new ones are as the file is
            with contextlib.suppress(FileNotFoundError):
                take_from_others(self._file.with_name(f"{self._file.name}-{end}"))
        connection = sqlite3.connect(self._file, check_same_thread=False, isolation_level=None, timeout=_PATIENCE)
        try:
            _use_log(connection)
            connection.execute(f"PRAGMA synchronous = {'FULL' if self._durable else 'NORMAL'}")
            self._migrate(connection, new)
        except BaseException:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        with self._busy:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _migrate(self, connection: sqlite3.Connection, new: bool) -> None:
        newest = len(MIGRATIONS)
        if self._version(connection) == newest:
            return
        with transaction(connection):
            # Another process may have done it meanwhile.
            if not new and self._version(connection) == 0 and has_numbers(self._file):
                raise damaged(self._name, self._file, "it is empty, though runs were recorded in it")
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


def no_plain_file(file: Path) -> Path | None:
    """What stands in the place of a database or of its logs and is no file: a folder, a device, a pipe, a link that
    leads nowhere. What is written there would be lost."""
    parts = (file.with_name(f"{file.name}{end}") for end in ("", "-wal", "-shm"))
    return next((part for part in parts if os.path.lexists(part) and not part.is_file()), None)


def has_numbers(file: Path) -> bool:
    """Were runs recorded beside this database, whatever it has of them now?"""
    return any(file.parent.glob("locks/*.number"))


def damaged(name: str, file: Path, why: str) -> ChangeoverError:
    """A database that is no longer whole, and the way out."""
    way_out = "Move the file aside, and keep what can be read of it, with: changeover repair"
    text = f"{name} {file} cannot be used, it is damaged: {why}"
    return ChangeoverError(text, f"Nothing is done without a journal. {way_out}")


def _code(error: Exception) -> int:
    """SQLite's primary result code; 0 for other errors."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _no_room(error: Exception) -> bool:
    """Has it failed for want of room on the disk, so that nothing of it was kept?"""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    shm = getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_IOERR_SHMSIZE
    return shm or _code(error) == sqlite3.SQLITE_FULL


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


@contextlib.contextmanager
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
