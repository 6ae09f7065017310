"""What the history says of the past: points for charts, days, incidents, gaps, single results. Runs in a thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date, datetime, tzinfo

import msgspec

from changeover.model.health.history import (
    Day,
    Incident,
    Point,
    Resolution,
    day_bounds,
    days_between,
    gap_seconds,
    pieces,
    resolution,
)
from changeover.model.health.probe_result import Cause, Phases, ProbeResult, Round
from changeover.model.health.tally import Counts, Tally, merged
from changeover.storage.history.rollup import gaps_between, marks, tallies_between
from changeover.storage.history.writer import milliseconds, moment, usual_reason


def deployments(connection: sqlite3.Connection, service: str) -> dict[str, int]:
    """The deployments that were ever seen of a service, with their numbers."""
    rows = connection.execute("SELECT name, id FROM deployments WHERE service = ? ORDER BY id", (service,))
    return dict(rows.fetchall())


def last_proven(connection: sqlite3.Connection, service: str) -> dict[str, datetime]:
    """By deployment, when everything last answered well."""
    query = "SELECT name, proven FROM deployments WHERE service = ? AND proven IS NOT NULL"
    return {name: moment(proven) for name, proven in connection.execute(query, (service,))}


def tallies(
    connection: sqlite3.Connection, deployment: int, since: int, until: int, level: Resolution
) -> list[tuple[int, Tally]]:
    """What is kept of a time, by `level` where it goes, finer at the edges."""
    found = marks(connection)
    filled = {one: mark.until for one, mark in found.items()}
    pruned = {one: mark.since for one, mark in found.items()}
    parts = pieces(since, until, level, filled, pruned)
    return [pair for piece in parts for pair in tallies_between(connection, *piece, deployment)]


def series(
    connection: sqlite3.Connection, service: str, deployment: str, since: datetime, until: datetime
) -> tuple[Point, ...]:
    """The points of a chart, about 800 at most, those without any round left out."""
    number = deployments(connection, service).get(deployment)
    if number is None or since >= until:
        return ()
    start, end = milliseconds(since), milliseconds(until)
    level, step = resolution(start, end, {one: mark.since for one, mark in marks(connection).items()})
    slots: dict[int, list[tuple[int, Tally]]] = {}
    for at, one in tallies(connection, number, start - start % int(level), end, level):
        slots.setdefault((at - start) // step, []).append((at, one))
    return tuple(_point(pairs[0][0], merged(one for _, one in pairs)) for _, pairs in sorted(slots.items()))


def _point(at: int, one: Tally) -> Point:
    planned = one.maintenance
    return Point(
        at=moment(at),
        seconds=one.times.percentile(0.5),
        slowest=None if one.times.slowest is None else one.times.slowest / 1e6,
        good=one.counted.good,
        part=one.counted.part,
        bad=one.counted.bad,
        untried=one.counted.untried,
        maintenance=planned.tried + planned.untried,
    )


def hours(
    connection: sqlite3.Connection, service: str, deployment: str, since: datetime, until: datetime
) -> tuple[tuple[datetime, Tally], ...]:
    """What is kept of each hour that has any round."""
    number = deployments(connection, service).get(deployment)
    slots: dict[int, list[Tally]] = {}
    if number is not None:
        for at, one in tallies(connection, number, milliseconds(since), milliseconds(until), Resolution.HOUR):
            slots.setdefault(at - at % Resolution.HOUR, []).append(one)
    return tuple((moment(at), merged(several)) for at, several in sorted(slots.items()))


def days(
    connection: sqlite3.Connection, service: str, since: datetime, until: datetime, zone: tzinfo | None
) -> tuple[Day, ...]:
    """Each deployment on each day of the calendar on which it was checked, or on which there was a gap."""
    found = []
    known = deployments(connection, service)
    for day in days_between(since, until, zone):
        found += [one for name, number in known.items() if (one := _day(connection, name, number, day, until, zone))]
    return tuple(found)


def _day(
    connection: sqlite3.Connection, name: str, number: int, day: date, now: datetime, zone: tzinfo | None
) -> Day | None:
    begins, ends = day_bounds(day, zone)
    ends = max(begins, min(ends, now))
    start, end = milliseconds(begins), milliseconds(ends)
    whole = merged(one for _, one in tallies(connection, number, start, end, Resolution.HOUR))
    missing = gap_seconds(gaps_between(connection, start, end), begins, ends)
    if not missing and whole.counted == whole.maintenance == Counts():
        return None
    return Day(
        date=day,
        deployment=name,
        counted=whole.counted,
        maintenance=whole.maintenance,
        times=whole.times,
        gaps=missing,
    )


def incidents(connection: sqlite3.Connection, service: str, since: datetime, until: datetime) -> tuple[Incident, ...]:
    """The incidents that reach into a time, oldest first."""
    rows = connection.execute(
        "SELECT d.name, i.started, i.ended, i.cause, i.reason, i.evidence FROM incidents i "
        "JOIN deployments d ON d.id = i.deployment "
        "WHERE d.service = ? AND i.started < ? AND (i.ended IS NULL OR i.ended >= ?) ORDER BY i.started, i.id",
        (service, milliseconds(until), milliseconds(since)),
    )
    return tuple(
        Incident(
            service=service,
            deployment=name,
            started=moment(started),
            ended=None if ended is None else moment(ended),
            cause=Cause(cause) if cause else None,
            reason=reason,
            evidence=msgspec.json.decode(evidence),
        )
        for name, started, ended, cause, reason, evidence in rows
    )


def results(connection: sqlite3.Connection, service: str, since: datetime, until: datetime) -> Iterator[ProbeResult]:
    """Every single result that is kept of a time, oldest first. Certificates and markers are not kept."""
    rows = connection.execute(
        "SELECT r.at, d.name, p.hostname, p.address, p.target, r.ok, r.status, r.cause, t.text, "
        "r.connect, r.tls, r.first_byte, r.total "
        "FROM results r CROSS JOIN places p ON p.id = r.place JOIN deployments d ON d.id = p.deployment "
        "LEFT JOIN reasons t ON t.id = r.reason "
        "WHERE d.service = ? AND r.at >= ? AND r.at < ? ORDER BY r.at, r.place",
        (service, milliseconds(since), milliseconds(until)),
    )
    for at, name, hostname, address, target, ok, status, cause, reason, *phases in rows:
        yield ProbeResult(
            deployment=name,
            hostname=hostname,
            address=address,
            target=target or None,
            at=moment(at),
            ok=None if ok is None else bool(ok),
            status=status,
            cause=Cause(cause) if cause else None,
            reason=usual_reason(status, phases[3]) if reason is None else reason,
            phases=Phases(*(None if p is None else p / 1e6 for p in phases)),
        )


def newest_rounds(connection: sqlite3.Connection, service: str, since: datetime, until: datetime) -> dict[str, Round]:
    """By deployment, the newest round of a time."""
    found: dict[tuple[str, datetime], list[ProbeResult]] = {}
    for result in results(connection, service, since, until):
        found.setdefault((result.deployment, result.at), []).append(result)
    return {name: Round(at=at, results=tuple(several)) for (name, at), several in found.items()}
