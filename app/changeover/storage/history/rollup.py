"""Results rolled up to minutes, and minutes to hours; and what has become too old, or too much, removed.

Everything is done in short transactions, each with the mark of how far it has come: a crash loses nothing, and doing
it twice changes nothing. All of this runs in a thread.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from changeover.model.health.history import Gap, GapKind, Resolution, hiding, within
from changeover.model.health.tally import Checked, Counts, Tally, Times, merged, tally
from changeover.storage.database.database import transaction
from changeover.storage.history.writer import milliseconds, moment

#: A minute is rolled up so many milliseconds after its end, when its last rounds have been written.
_SETTLED = 30_000
#: At most so many rows are removed in one transaction, and so many transactions made at a time.
_ROWS_AT_ONCE, _REMOVALS = 20_000, 100

TABLES = {Resolution.ROUND: "results", Resolution.MINUTE: "minutes", Resolution.HOUR: "hours"}


class Keep(Struct, frozen=True, kw_only=True):
    """How long each level is kept, and of how many rows at most; then the oldest go.

    Measured with a thousand deployments: a result takes about 41 bytes, a minute 49, an hour 94. So the file stays
    below about 800 MB, whatever is watched. With 20 deployments of two addresses, every 30 s, only the age counts, and
    the file stays below 90 MB. The room of what was removed is used again.
    """

    results: timedelta = timedelta(hours=48)
    minutes: timedelta = timedelta(days=30)
    hours: timedelta = timedelta(days=731)
    result_rows: int = 6_000_000
    minute_rows: int = 5_000_000
    hour_rows: int = 3_000_000
    incidents: int = 10_000
    gaps: int = 20_000

    def of(self, level: Resolution) -> tuple[timedelta, int]:
        return {
            Resolution.ROUND: (self.results, self.result_rows),
            Resolution.MINUTE: (self.minutes, self.minute_rows),
            Resolution.HOUR: (self.hours, self.hour_rows),
        }[level]


class RollupMark(Struct, frozen=True):
    """Of one level: how many rows it has, before when it was pruned, up to where it is filled."""

    rows: int
    since: int
    until: int


def marks(connection: sqlite3.Connection) -> dict[Resolution, RollupMark]:
    found = {row[0]: RollupMark(*row[1:]) for row in connection.execute("SELECT name, rows, since, until FROM marks")}
    return {level: found[name] for level, name in TABLES.items()}


def pack(buckets: Iterable[tuple[int, int]]) -> bytes:
    """A histogram in few bytes: for each bucket its number, then its count in groups of 7 bits (LEB128)."""
    packed = bytearray()
    for bucket, count in buckets:
        packed.append(bucket)
        while count > 0x7F:
            packed.append(count & 0x7F | 0x80)
            count >>= 7
        packed.append(count)
    return bytes(packed)


def unpack(packed: bytes) -> dict[int, int]:
    """The histogram of `pack`."""
    found: dict[int, int] = {}
    numbers = iter(packed)
    for bucket in numbers:
        count = 0
        for shift in itertools.count(0, 7):
            number = next(numbers)
            count |= (number & 0x7F) << shift
            if number < 0x80:
                break
        found[bucket] = count
    return found


_COLUMNS = "good, part, bad, untried, m_good, m_part, m_bad, m_untried, total, fastest, slowest, times"


def _tally_of(row: tuple[Any, ...]) -> Tally:
    return Tally(
        counted=Counts(*row[0:4]),
        maintenance=Counts(*row[4:8]),
        times=Times(unpack(row[11]), row[8], row[9], row[10]),
    )


def _row_of(one: Tally) -> tuple[object, ...]:
    counts = [(c.good, c.part, c.bad, c.untried) for c in (one.counted, one.maintenance)]
    times = one.times
    return (*counts[0], *counts[1], times.total, times.fastest, times.slowest, pack(sorted(times.buckets.items())))


def gaps_between(connection: sqlite3.Connection, since: int, until: int) -> tuple[Gap, ...]:
    """All gaps that reach into a time, oldest first."""
    rows = connection.execute(
        "SELECT started, ended, kind FROM gaps WHERE started < ? AND ended > ? ORDER BY started", (until, since)
    )
    return tuple(Gap(started=moment(s), ended=moment(e), kind=GapKind(kind)) for s, e, kind in rows)


def rounds_between(
    connection: sqlite3.Connection, since: int, until: int, deployment: int | None = None
) -> Iterator[tuple[int, int, Checked]]:
    """Every round of a time, or those of one deployment, oldest first: its time, its deployment, and what it gave."""
    hidden = hiding(gaps_between(connection, since, until))
    only, values = "", [since, until]
    if deployment is not None:
        only = "AND r.place IN (SELECT id FROM places WHERE deployment = ?)"
        values.append(deployment)
    rows = connection.execute(
        "SELECT r.at, p.deployment, r.ok, r.total, r.maintenance FROM results r CROSS JOIN places p ON p.id = r.place "
        f"WHERE r.at >= ? AND r.at < ? {only} ORDER BY r.at, p.deployment",
        values,
    )
    for (at, number), found in itertools.groupby(rows, key=lambda row: (row[0], row[1])):
        results = list(found)
        yield (
            at,
            number,
            Checked(
                oks=tuple(None if ok is None else bool(ok) for _, _, ok, _, _ in results),
                times=tuple(total for _, _, ok, total, _ in results if ok and total is not None),
                maintenance=bool(results[0][4]),
                hidden=within(hidden, moment(at)),
            ),
        )


def tallies_between(
    connection: sqlite3.Connection, level: Resolution, since: int, until: int, deployment: int
) -> Iterator[tuple[int, Tally]]:
    """What is kept of a deployment at one level, by time, oldest first."""
    if level is Resolution.ROUND:
        for at, _, checked in rounds_between(connection, since, until, deployment):
            yield at, tally([checked])
        return
    # One look for each slot: the table is by time first, and most of its rows are other deployments'.
    rows = connection.execute(
        f"WITH RECURSIVE slots(slot) AS (SELECT ?1 UNION ALL SELECT slot + ?2 FROM slots WHERE slot + ?2 < ?3) "
        f"SELECT at, {_COLUMNS} FROM slots CROSS JOIN {TABLES[level]} ON at = slot AND deployment = ?4",
        (since, int(level), until, deployment),
    )
    for at, *columns in rows:
        yield at, _tally_of(tuple(columns))


def roll_up(connection: sqlite3.Connection, now: datetime) -> None:
    """Minutes from results and hours from minutes, as far as they are over."""
    _roll(connection, Resolution.MINUTE, milliseconds(now) - _SETTLED)
    _roll(connection, Resolution.HOUR, marks(connection)[Resolution.MINUTE].until)


def _roll(connection: sqlite3.Connection, level: Resolution, end: int) -> None:
    """Fills a level from the finer one, up to the last whole slot before `end`, at most an hour at once."""
    end -= end % level
    source = TABLES[level.finer]
    while True:
        found = marks(connection)
        pruned = found[level.finer].since
        start = max(found[level].until, pruned + -pruned % level)
        (first,) = connection.execute(f"SELECT min(at) FROM {source} WHERE at >= ?", (start,)).fetchone()
        if first is None or first >= end:
            if found[level].until < end:
                _fill(connection, level, start, end, [])
            return
        stop = min(first - first % Resolution.HOUR + Resolution.HOUR, end)
        _fill(connection, level, start, stop, list(_rolled(connection, level, start, stop)))


def _rolled(
    connection: sqlite3.Connection, level: Resolution, since: int, until: int
) -> Iterator[tuple[int, int, Tally]]:
    if level is Resolution.MINUTE:
        rounds: dict[tuple[int, int], list[Checked]] = {}
        for at, deployment, checked in rounds_between(connection, since, until):
            rounds.setdefault((at - at % level, deployment), []).append(checked)
        for (at, deployment), several in rounds.items():
            yield at, deployment, tally(several)
        return
    tallies: dict[tuple[int, int], list[Tally]] = {}
    query = f"SELECT at, deployment, {_COLUMNS} FROM minutes WHERE at >= ? AND at < ?"
    for at, deployment, *columns in connection.execute(query, (since, until)):
        tallies.setdefault((at - at % level, deployment), []).append(_tally_of(tuple(columns)))
    for (at, deployment), minutes in tallies.items():
        yield at, deployment, merged(minutes)


def _fill(
    connection: sqlite3.Connection, level: Resolution, since: int, until: int, found: Sequence[tuple[int, int, Tally]]
) -> None:
    """Replaces the rows of a time, and sets the mark behind them."""
    rows = sorted((at, deployment, *_row_of(one)) for at, deployment, one in found)
    table = TABLES[level]
    with transaction(connection):
        removed = connection.execute(f"DELETE FROM {table} WHERE at >= ? AND at < ?", (since, until)).rowcount
        connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * 14)})", rows)
        connection.execute(
            "UPDATE marks SET rows = rows + ?, since = min(since, ?), until = ? WHERE name = ?",
            (len(rows) - removed, since, until, table),
        )
        if level is Resolution.MINUTE:
            hour = since - since % Resolution.HOUR
            connection.execute("UPDATE marks SET until = min(until, ?) WHERE name = 'hours'", (hour,))


def prune(connection: sqlite3.Connection, now: datetime, keep: Keep) -> None:
    """Removes what is too old or too much, some of it each time; nothing that is not rolled up yet."""
    removals = _REMOVALS
    for level in TABLES:
        longest, most = keep.of(level)
        while removals and _remove_some(connection, level, milliseconds(now - longest), most):
            removals -= 1
    with transaction(connection):
        for table, most in (("incidents", keep.incidents), ("gaps", keep.gaps)):
            connection.execute(f"DELETE FROM {table} WHERE ended < ?", (milliseconds(now - keep.hours),))
            newest = f"SELECT started FROM {table} ORDER BY started DESC LIMIT 1 OFFSET ?"
            connection.execute(f"DELETE FROM {table} WHERE started <= ({newest})", (most,))


def _remove_some(connection: sqlite3.Connection, level: Resolution, oldest: int, most: int) -> bool:
    """Removes the oldest rows, at most some at once. False where nothing is to be removed."""
    table = TABLES[level]

    def nth(number: int) -> int | None:
        row = connection.execute(f"SELECT at FROM {table} ORDER BY at LIMIT 1 OFFSET ?", (number,)).fetchone()
        return None if row is None else int(row[0])

    with transaction(connection):
        found = marks(connection)
        over = found[level].rows - most
        if over > 0:
            oldest = max(oldest, (nth(over - 1) or 0) + 1)
        if level is not Resolution.HOUR:
            oldest = min(oldest, found[Resolution.MINUTE if level is Resolution.ROUND else Resolution.HOUR].until)
        first = nth(0)
        if first is None or first >= oldest:
            return False
        bound = min(oldest, (nth(_ROWS_AT_ONCE) or oldest) + 1)
        removed = connection.execute(f"DELETE FROM {table} WHERE at < ?", (bound,)).rowcount
        change = "UPDATE marks SET rows = rows - ?, since = max(since, ?) WHERE name = ?"
        connection.execute(change, (removed, bound, table))
    return True


def forget_texts(connection: sqlite3.Connection) -> None:
    """Removes the places and reasons that no result names any more."""
    for table, column in (("places", "place"), ("reasons", "reason")):
        used = set(connection.execute(f"SELECT DISTINCT {column} FROM results WHERE {column} IS NOT NULL"))
        unused = set(connection.execute(f"SELECT id FROM {table}")) - used
        with transaction(connection):
            connection.executemany(f"DELETE FROM {table} WHERE id = ?", unused)
