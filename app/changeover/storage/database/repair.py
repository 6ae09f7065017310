"""A damaged database is moved aside under a name that says so, and what can be read of it is kept in a new one."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from changeover.model.errors import ChangeoverError
from changeover.storage.database.database import Database, has_numbers, no_plain_file, transaction

#: A file that is read gives at most so many rows of a table.
_MOST = 10_000_000


class Repaired(Struct, frozen=True):
    """Where the damaged file is now, and by table how many rows of it are in the new one."""

    moved: Path
    kept: dict[str, int]


def is_damaged(file: Path) -> bool:
    """Is there a database that is no longer whole? One that was cut to nothing is not, where there were runs."""
    if no_plain_file(file) is not None:
        return True
    if not file.exists():
        return False
    try:
        with contextlib.closing(_reading(file)) as connection:
            if connection.execute("PRAGMA user_version").fetchone() == (0,) and has_numbers(file):
                return True
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",))
    except sqlite3.DatabaseError as error:
        # One that is merely locked, or beyond this user's rights, is not damaged.
        return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def repair(file: Path, now: datetime) -> Repaired:
    """Moves the database aside, with its logs, and makes a new one of what can be read.

    For who has it to itself. Raises ChangeoverError where that cannot be done; the damaged file is never changed.
    """
    moved = file.with_name(f"{file.name}.damaged-{now:%Y%m%d-%H%M%S}")
    try:
        for end in ("", "-wal", "-shm"):
            part = file.with_name(file.name + end)
            # What is no file is not taken for the log of the one that is read below.
            mark = ".no-file" if end and not part.is_file() else ""
            with contextlib.suppress(FileNotFoundError):
                part.rename(moved.with_name(f"{moved.name}{end}{mark}"))
    except OSError as error:
        hint = "Check that the folder is yours. Nothing was changed."
        raise ChangeoverError(f"{file} cannot be moved aside: {error.strerror or error}", hint) from None
    new = Database(file, "The journal", "Check that the disk is not full and that the file is yours.", durable=True)
    try:
        to = new.open()
        return Repaired(moved, {table: _copied(moved, table, to) for table in _tables(to)})
    except (sqlite3.Error, OSError) as error:
        raise ChangeoverError(f"A new {file} cannot be written: {error}", f"The old one is {moved}.") from None
    finally:
        new.close()


def _reading(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{file.as_posix().replace('?', '%3f').replace('#', '%23')}?mode=rw", uri=True)
    connection.execute("PRAGMA query_only = ON")
    connection.text_factory = lambda raw: raw.decode(errors="replace")
    return connection


def _tables(connection: sqlite3.Connection) -> list[str]:
    select = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    return [name for (name,) in connection.execute(select)]


def _copied(moved: Path, table: str, to: sqlite3.Connection) -> int:
    """How many rows of a table were taken over: those before the first damage, and those behind the last."""
    there = [row[1] for row in _readable(moved, f"PRAGMA table_info({table})") if row is not None]
    columns = [row[1] for row in to.execute(f"PRAGMA table_info({table})") if row[1] in there]
    if not columns:
        return 0
    keys = [row[1] for row in sorted(to.execute(f"PRAGMA table_info({table})"), key=lambda row: row[5]) if row[5]]
    order = ", ".join(keys or ["rowid"])
    backwards = ", ".join(f"{key} DESC" for key in keys or ["rowid"])
    marks = ", ".join("?" * len(columns))
    with transaction(to):
        before = to.total_changes
        for how in (order, backwards):
            whole = False
            for row in _readable(moved, f"SELECT {', '.join(columns)} FROM {table} ORDER BY {how} LIMIT {_MOST}"):
                if row is None:
                    whole = True
                    break
                to.execute(f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({marks})", row)
            if whole:
                break
        return to.total_changes - before


def _readable(moved: Path, select: str) -> Iterator[tuple[object, ...] | None]:
    """The rows of a query until it meets damage; None at its end, where it met none."""
    try:
        with contextlib.closing(_reading(moved)) as connection:
            yield from connection.execute(select)
            yield None
    except sqlite3.DatabaseError:
        return
