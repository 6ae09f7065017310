"""What is written into the history as it happens: rounds, incidents, gaps. All of this runs in a thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from changeover.model.health.history import Gap, GapKind, Resolution
from changeover.model.health.probe_result import Cause, Health, ProbeResult, Round

#: Longest reason that is kept.
_LONGEST_REASON = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class RoundSeen(Struct, frozen=True):
    """A round of a deployment, to be written."""

    service: str
    deployment: str
    probed: Round
    maintenance: bool


class IncidentBegun(Struct, frozen=True):
    """An incident that began, with its evidence as JSON."""

    service: str
    deployment: str
    started: datetime
    cause: Cause | None
    reason: str
    evidence: str


class IncidentEnded(Struct, frozen=True):
    """An incident that ended."""

    service: str
    deployment: str
    ended: datetime


Happening = RoundSeen | IncidentBegun | IncidentEnded | Gap


def milliseconds(moment: datetime) -> int:
    """A time as the database has it."""
    return (moment - _EPOCH) // _MILLISECOND


def moment(at: int) -> datetime:
    """A time of the database."""
    return _EPOCH + at * _MILLISECOND


def usual_reason(status: int | None, total: int | None) -> str:
    """What a good answer says of itself; it is not kept, since it says nothing more."""
    return f"{status} in {round(total / 1000)} ms" if status is not None and total is not None else ""


class Numbers:
    """The numbers of texts that come again and again. What was rolled back is forgotten with `clear`."""

    def __init__(self) -> None:
        self._deployments: dict[tuple[str, str], int] = {}
        self._places: dict[tuple[int, str, str, str], int] = {}
        self._reasons: dict[str, int] = {}

    def clear(self) -> None:
        self._deployments.clear()
        self._places.clear()
        self._reasons.clear()

    def deployment(self, connection: sqlite3.Connection, service: str, name: str) -> int:
        key = (service, name)
        if key not in self._deployments:
            self._deployments[key] = _number(connection, "deployments", ("service", "name"), key)
        return self._deployments[key]

    def place(self, connection: sqlite3.Connection, deployment: int, result: ProbeResult) -> int:
        key = (deployment, result.hostname, result.address, result.target or "")
        if key not in self._places:
            columns = ("deployment", "hostname", "address", "target")
            self._places[key] = _number(connection, "places", columns, key)
        return self._places[key]

    def reason(self, connection: sqlite3.Connection, text: str) -> int:
        text = text[:_LONGEST_REASON].encode(errors="replace").decode()  # what a server says may be no Unicode
        if text not in self._reasons:
            self._reasons[text] = _number(connection, "reasons", ("text",), (text,))
        return self._reasons[text]


def _number(connection: sqlite3.Connection, table: str, columns: Sequence[str], key: tuple[object, ...]) -> int:
    where = " AND ".join(f"{column} = ?" for column in columns)
    row = connection.execute(f"SELECT id FROM {table} WHERE {where}", key).fetchone()
    if row is not None:
        return int(row[0])
    marks = ", ".join("?" for _ in columns)
    written = connection.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", key)
    assert written.lastrowid is not None
    return written.lastrowid


def write(connection: sqlite3.Connection, happenings: Sequence[Happening], numbers: Numbers) -> None:
    """Writes all of these, in their order, into the transaction that is open."""
    rows: list[tuple[object, ...]] = []
    proven: dict[int, int] = {}
    times: list[int] = []
    for happening in happenings:
        if isinstance(happening, RoundSeen):
            number = numbers.deployment(connection, happening.service, happening.deployment)
            at = milliseconds(happening.probed.at)
            times.append(at)
            if happening.probed.verdict is Health.HEALTHY:
                proven[number] = at
            for result in happening.probed.results:
                rows.append(_row(connection, number, at, result, happening.maintenance, numbers))
        elif isinstance(happening, Gap):
            _write_gap(connection, happening)
        else:
            number = numbers.deployment(connection, happening.service, happening.deployment)
            _write_incident(connection, happening, number)
    if not times:
        return
    before = connection.total_changes
    connection.executemany(f"INSERT OR IGNORE INTO results VALUES ({', '.join('?' * 11)})", rows)
    added = connection.total_changes - before
    connection.executemany("UPDATE deployments SET proven = ? WHERE id = ?", ((at, id) for id, at in proven.items()))
    connection.execute(
        "UPDATE marks SET rows = rows + ?, since = min(since, ?), until = ? WHERE name = 'results'",
        (added, min(times), max(times)),
    )
    roll_again(connection, min(times))


def _row(
    connection: sqlite3.Connection, deployment: int, at: int, result: ProbeResult, maintenance: bool, numbers: Numbers
) -> tuple[object, ...]:
    phases = result.phases
    reached = (phases.connect, phases.tls, phases.first_byte, phases.total)
    connect, tls, first_byte, total = (None if p is None else round(p * 1e6) for p in reached)
    dull = result.ok and result.reason == usual_reason(result.status, total)
    return (
        at,
        numbers.place(connection, deployment, result),
        None if result.ok is None else int(result.ok),
        int(maintenance),
        result.status,
        result.cause,
        None if dull else numbers.reason(connection, result.reason),
        connect,
        tls,
        first_byte,
        total,
    )


def _write_incident(connection: sqlite3.Connection, happening: IncidentBegun | IncidentEnded, deployment: int) -> None:
    if isinstance(happening, IncidentEnded):
        connection.execute(
            "UPDATE incidents SET ended = max(started, ?) WHERE deployment = ? AND ended IS NULL",
            (milliseconds(happening.ended), deployment),
        )
        return
    # One that a former process began and did not see the end of goes on.
    connection.execute(
        "INSERT INTO incidents (deployment, started, cause, reason, evidence) SELECT ?, ?, ?, ?, ? "
        "WHERE NOT EXISTS (SELECT 1 FROM incidents WHERE deployment = ? AND ended IS NULL)",
        (
            deployment,
            milliseconds(happening.started),
            happening.cause,
            happening.reason,
            happening.evidence,
            deployment,
        ),
    )


def _write_gap(connection: sqlite3.Connection, gap: Gap) -> None:
    started, ended = milliseconds(gap.started), milliseconds(gap.ended)
    key = (started, gap.kind)
    known = connection.execute("SELECT ended FROM gaps WHERE started = ? AND kind = ?", key).fetchone()
    connection.execute("INSERT OR REPLACE INTO gaps (started, kind, ended) VALUES (?, ?, ?)", (*key, ended))
    connection.execute("UPDATE marks SET until = max(until, ?) WHERE name = 'results'", (ended,))
    if gap.kind is GapKind.CLOCK_SET:
        return
    # What was counted in it is counted anew, as not seen.
    news = (known[0] if known else started, ended)
    (first,) = connection.execute("SELECT min(at) FROM results WHERE at >= ? AND at < ?", news).fetchone()
    if first is not None:
        roll_again(connection, first)


def roll_again(connection: sqlite3.Connection, since: int) -> None:
    """Has what was rolled up of the time from `since` on rolled up again, from the results."""
    minute = since - since % Resolution.MINUTE
    connection.execute("UPDATE marks SET until = min(until, ?) WHERE name = 'minutes'", (minute,))
