"""What was seen over time: days, points of a chart, incidents, and the gaps in which nothing was seen."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import IntEnum, StrEnum
from typing import Any

from msgspec import Struct, to_builtins

from changeover.model.health.connectivity import Connection
from changeover.model.health.probe_result import Cause, Round
from changeover.model.health.tally import Counts, Times

#: A chart gets at most about so many points.
POINTS = 800


class GapKind(StrEnum):
    """Why nothing was seen. A clock that was set makes a jump in the times, but hides nothing."""

    ASLEEP = "asleep"
    OFFLINE = "offline"
    NOT_RUNNING = "not running"
    CLOCK_SET = "clock set"


class Gap(Struct, frozen=True, kw_only=True):
    """A time in which this computer saw nothing of any service."""

    started: datetime
    ended: datetime
    kind: GapKind


class Incident(Struct, frozen=True, kw_only=True):
    """A time in which a deployment was down. `ended` is None while it lasts.

    `evidence` is what `evidence_of` gave when it began.
    """

    service: str
    deployment: str
    started: datetime
    ended: datetime | None
    cause: Cause | None
    reason: str
    evidence: dict[str, Any]


class Day(Struct, frozen=True, kw_only=True):
    """One deployment on one day of a person's calendar. `gaps` has the seconds of each kind of gap."""

    date: date
    deployment: str
    counted: Counts
    maintenance: Counts
    times: Times
    gaps: Mapping[GapKind, float]


class Point(Struct, frozen=True, kw_only=True):
    """One point of a chart: the median and the slowest good answer, in seconds, and how many rounds went how.

    It stands for the time from `at` to the next point. `maintenance` is how many rounds more there were during planned
    work. `seconds` is None where nothing answered well.
    """

    at: datetime
    seconds: float | None
    slowest: float | None
    good: int
    part: int
    bad: int
    untried: int
    maintenance: int


class Resolution(IntEnum):
    """How fine the kept data are; each is worth its length in milliseconds."""

    ROUND = 1
    MINUTE = 60_000
    HOUR = 3_600_000

    @property
    def finer(self) -> Resolution:
        return Resolution.MINUTE if self is Resolution.HOUR else Resolution.ROUND


#: Data of one level, from one time up to another (exclusive), in milliseconds since 1970.
Piece = tuple[Resolution, int, int]


def pieces(
    since: int, until: int, level: Resolution, filled: Mapping[Resolution, int], pruned: Mapping[Resolution, int]
) -> list[Piece]:
    """From which data a time is put together: `level` where it goes, finer ones at the edges and for what is new.

    `filled` is up to where each level is filled, `pruned` is before which nothing is left of it. Where the finer data
    are gone, what straddles an edge counts to the earlier time.
    """
    if level is Resolution.ROUND:
        return [(level, since, until)] if since < until else []
    finer = level.finer
    since, until = (_up(edge, level) if edge < pruned[finer] else edge for edge in (since, until))
    first, last = _up(since, level), min(_down(until, level), filled[level])
    if first >= last:
        return pieces(since, until, finer, filled, pruned)
    return [
        *pieces(since, first, finer, filled, pruned),
        (level, first, last),
        *pieces(last, until, finer, filled, pruned),
    ]


def _down(at: int, unit: int) -> int:
    return at - at % unit


def _up(at: int, unit: int) -> int:
    return at + -at % unit


def resolution(since: int, until: int, pruned: Mapping[Resolution, int]) -> tuple[Resolution, int]:
    """The level of data for a chart of this time, and the milliseconds of each of its points.

    An hour is drawn round by round, a day by minutes, a week and more by hours; coarser where the finer are gone.
    """
    span = until - since
    for level, longest in ((Resolution.ROUND, 6 * Resolution.HOUR), (Resolution.MINUTE, 48 * Resolution.HOUR)):
        if span <= longest and since >= pruned[level]:
            break
    else:
        level = Resolution.HOUR
    unit = 1000 if level is Resolution.ROUND else int(level)
    return level, max(unit, _up(-(-span // POINTS), unit))


def day_bounds(day: date, zone: tzinfo | None) -> tuple[datetime, datetime]:
    """When a day of the calendar begins and ends. It has 23 or 25 hours where the clocks change.

    Without a zone it is the computer's own.
    """
    begins = (datetime.combine(d, time(), zone) for d in (day, day + timedelta(days=1)))
    start, end = (moment.astimezone(UTC) for moment in begins)
    return start, end


def days_between(since: datetime, until: datetime, zone: tzinfo | None) -> list[date]:
    """The days of the calendar from that of `since` to that of `until`, both included."""
    first, last = since.astimezone(zone).date(), until.astimezone(zone).date()
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


Span = tuple[datetime, datetime]


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same times without overlaps, oldest first."""
    found: list[Span] = []
    for started, ended in sorted(spans):
        if found and started <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], ended))
        else:
            found.append((started, ended))
    return found


def hiding(gaps: Iterable[Gap]) -> list[Span]:
    """The times in which nothing was seen, without overlaps."""
    return joined((g.started, g.ended) for g in gaps if g.kind is not GapKind.CLOCK_SET)


def within(spans: Sequence[Span], at: datetime) -> bool:
    """Is `at` inside one of these times? Their first and last moments are not: something was seen then."""
    index = bisect.bisect_left(spans, at, key=lambda span: span[0]) - 1
    return index >= 0 and spans[index][0] < at < spans[index][1]


def gap_seconds(gaps: Iterable[Gap], since: datetime, until: datetime) -> dict[GapKind, float]:
    """How long each kind of gap lasted between these times. A clock that was set lasts no time."""
    found: dict[GapKind, float] = {}
    gaps = tuple(gaps)
    for kind in (GapKind.ASLEEP, GapKind.OFFLINE, GapKind.NOT_RUNNING):
        spans = ((max(g.started, since), min(g.ended, until)) for g in gaps if g.kind is kind)
        whole = joined((started, ended) for started, ended in spans if started < ended)
        seconds = sum((ended - started).total_seconds() for started, ended in whole)
        if seconds:
            found[kind] = seconds
    return found


#: Of what led to an incident, the newest rounds are kept, and of each the worst results.
_ROUNDS, _RESULTS = 10, 8


def evidence_of(rounds: Sequence[Round], connection: Connection | None, text: str = "") -> dict[str, Any]:
    """What made a verdict, as it is kept: the newest rounds, oldest first, and the connection of this computer.

    `text` is that connection in words.

    `{rounds[].{at, results[].{hostname, address, ok, status, cause, reason}}, connection}`
    """
    told = []
    for probed in rounds[-_ROUNDS:]:
        worst = sorted(probed.results, key=lambda r: (r.ok is None, bool(r.ok)))[:_RESULTS]
        results = [
            {
                "hostname": r.hostname,
                "address": r.address,
                "ok": r.ok,
                "status": r.status,
                "cause": r.cause,
                "reason": r.reason,
            }
            for r in worst
        ]
        told.append({"at": probed.at, "results": results})
    here = {"text": text, **to_builtins(connection)} if connection is not None else None
    found: dict[str, Any] = to_builtins({"rounds": told, "connection": here})
    return found
