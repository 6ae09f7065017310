"""What a chart of some time shows, worked out without a window: lines, and the times in which there is none."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum

from msgspec import Struct

from changeover.model.formatting import duration
from changeover.model.health.history import Day, Gap, GapKind, Incident, Point, Span, joined
from changeover.model.health.probe_result import Health, Round
from changeover.model.health.tally import Counts, Times
from changeover.model.readiness.service_state import ServiceState
from changeover.model.settings.maintenance import maintenance_end
from changeover.model.settings.service import Service


class Range(Enum):
    """How much time a chart shows. The value is the word on its button."""

    HOUR = "Hour"
    DAY = "Day"
    WEEK = "Week"
    MONTH = "Month"

    @property
    def length(self) -> timedelta:
        hours = {Range.HOUR: 1, Range.DAY: 24, Range.WEEK: 7 * 24, Range.MONTH: 30 * 24}[self]
        return timedelta(hours=hours)

    @property
    def words(self) -> str:
        return {Range.HOUR: "last hour", Range.DAY: "last 24 h", Range.WEEK: "last 7 days"}.get(self, "last 30 days")

    def apart(self, service: Service) -> timedelta:
        """Points further apart than this have something between them that nobody saw."""
        every = timedelta(seconds=service.health.interval * 2.5 + service.health.timeout)
        coarse = {Range.HOUR: 0, Range.DAY: 5 * 60}.get(self, 150 * 60)
        return max(every, timedelta(seconds=coarse))


class Past(Struct, frozen=True, kw_only=True):
    """What the history has of one service and one time; `counted` and `times` are the active deployment's.

    `read` is False for as long as the history is being read.
    """

    range: Range = Range.HOUR
    read: bool = True
    points: Mapping[str, Sequence[Point]] = {}
    gaps: tuple[Gap, ...] = ()
    incidents: tuple[Incident, ...] = ()
    today: Day | None = None
    counted: Counts = Counts()
    times: Times = Times()


class Band(Struct, frozen=True):
    """A time that is shaded, and what to say about it."""

    since: datetime
    until: datetime
    words: str


#: A moment and a response time in milliseconds.
Sample = tuple[datetime, float]


class Timeline(Struct, frozen=True, kw_only=True):
    """Everything that a chart draws. `lines` are by deployment, each in stretches without a break."""

    since: datetime
    until: datetime
    lines: Mapping[str, Sequence[Sequence[Sample]]]
    failing: tuple[Band, ...] = ()
    unseen: tuple[Band, ...] = ()
    planned: tuple[Band, ...] = ()

    @property
    def highest(self) -> float:
        """The slowest answer, in milliseconds; 100 where there is none."""
        return max((ms for line in self.lines.values() for part in line for _, ms in part), default=100.0)


#: The first minutes are not stretched over the whole width.
SHORTEST = timedelta(minutes=2)
UNSEEN_WORDS = {GapKind.ASLEEP: "asleep", GapKind.OFFLINE: "offline", GapKind.NOT_RUNNING: "not watched"}


def timeline(state: ServiceState, past: Past, now: datetime) -> Timeline:
    """What the chart shows of a service: its live rounds, and before them what the history has."""
    names = [d.name for d in state.service.deployments]
    gaps = past.gaps + _still_offline(state, now)
    points = {name: points_of(state, name, past) for name in names}
    since = now - past.range.length
    if past.range is Range.HOUR:
        known = [found[0].at for found in points.values() if found] + [gap.started for gap in gaps]
        since = max(since, min(*known, now - SHORTEST, now - SHORTEST))
    apart = past.range.apart(state.service)
    shown = {name: [p for p in found if p.at >= since - apart] for name, found in points.items()}
    here = shown.get(state.active, [])
    unseen = unseen_bands(gaps, here, since, now, apart)
    hidden = [(b.since, b.until) for b in unseen]
    return Timeline(
        since=since,
        until=now,
        lines={name: stretches([p for p in found if p.at >= since], apart, hidden) for name, found in shown.items()},
        failing=failing_bands(here, past.incidents, state.active, (since, now), apart, hidden),
        unseen=unseen,
        planned=tuple(
            Band(begun, ended, f"maintenance {duration((ended - begun).total_seconds())}")
            for begun, ended in _without(spans(here, _is_planned, (since, now), apart), hidden)
        ),
    )


def _still_offline(state: ServiceState, now: datetime) -> tuple[Gap, ...]:
    """The gap that lasts while this computer is offline; the history has it once it is over."""
    if state.overlay.connection is None or not state.overlay.connection.blind:
        return ()
    last = max((r[-1].at for r in state.rounds.values() if r), default=state.overlay.connection.at)
    return (Gap(started=last, ended=now, kind=GapKind.OFFLINE),)


def point_of(service: Service, deployment: str, probed: Round) -> Point:
    """A live round as a point of the chart. During planned work it counts apart, as it does in the history."""
    planned = maintenance_end(service.maintenance, deployment, probed.at) is not None
    verdict = None if planned else probed.verdict
    seconds = probed.seconds if not planned else None
    return Point(
        at=probed.at,
        seconds=seconds,
        slowest=seconds,
        good=int(verdict is Health.HEALTHY),
        part=int(verdict is Health.DEGRADED),
        bad=int(verdict is Health.UNHEALTHY),
        untried=int(verdict is Health.UNKNOWN),
        maintenance=int(planned),
    )


def points_of(state: ServiceState, name: str, past: Past) -> list[Point]:
    """What the history has, and in the hour the live rounds after it."""
    before = list(past.points.get(name, ()))
    if past.range is not Range.HOUR:
        return before
    live = [point_of(state.service, name, probed) for probed in state.rounds.get(name, ())]
    return [p for p in before if not live or p.at < live[0].at] + live


def stretches(points: Iterable[Point], apart: timedelta, hidden: Sequence[Span] = ()) -> list[list[Sample]]:
    """The response times in milliseconds, broken where nothing answered well and where nothing was seen."""
    found: list[list[Sample]] = []
    last: datetime | None = None
    for point in points:
        if point.seconds is None or _covered(hidden, point.at):
            last = None
            continue
        if last is None or point.at - last > apart or _between(hidden, last, point.at):
            found.append([])
        found[-1].append((point.at, point.seconds * 1000))
        last = point.at
    return found


def thinned(part: Sequence[Sample], every: timedelta) -> list[Sample]:
    """A stretch with at most one sample in each time of this length, the median: more would only make a blot."""
    if len(part) < 3 or (part[-1][0] - part[0][0]) / every >= len(part) - 1:
        return list(part)
    found: list[Sample] = []
    bucket: list[Sample] = []
    for sample in part:
        if bucket and sample[0] - bucket[0][0] >= every:
            found.append(_middle(bucket))
            bucket = []
        bucket.append(sample)
    return [*found, _middle(bucket)]


def _middle(bucket: Sequence[Sample]) -> Sample:
    ordered = sorted(ms for _, ms in bucket)
    return bucket[len(bucket) // 2][0], ordered[len(ordered) // 2]


def _covered(hidden: Sequence[Span], at: datetime) -> bool:
    index = bisect.bisect_right(hidden, at, key=lambda span: span[0]) - 1
    return index >= 0 and hidden[index][0] < at < hidden[index][1]


def _between(hidden: Sequence[Span], one: datetime, other: datetime) -> bool:
    index = bisect.bisect_left(hidden, one, key=lambda span: span[0])
    return index < len(hidden) and hidden[index][0] < other


def _is_bad(point: Point) -> bool:
    return point.bad > 0 and not point.good and not point.part


def _is_unseen(point: Point) -> bool:
    return point.untried > 0 and not (point.good or point.part or point.bad or point.maintenance)


def _is_planned(point: Point) -> bool:
    return point.maintenance > 0 and not (point.good or point.part or point.bad)


def spans(points: Sequence[Point], what: Callable[[Point], bool], whole: Span, apart: timedelta) -> list[Span]:
    """The times in which every point is `what`: each lasts up to the next point, or as long as points are apart."""
    since, until = whole
    found: list[Span] = []
    for number, point in enumerate(points):
        if not what(point):
            continue
        following = points[number + 1].at if number + 1 < len(points) else until
        begun, ended = max(point.at, since), min(following, until, point.at + apart)
        if begun < ended:
            found.append((begun, ended))
    return joined(found)


def unseen_bands(
    gaps: Iterable[Gap], points: Sequence[Point], since: datetime, until: datetime, apart: timedelta
) -> tuple[Band, ...]:
    """The times in which nothing was seen, with the reason and the whole length: "asleep 7 h 12 min"."""
    found: list[Band] = []
    taken: list[Span] = []
    for gap in sorted(gaps, key=lambda g: (list(GapKind).index(g.kind), g.started)):
        if gap.kind not in UNSEEN_WORDS:
            continue
        words = f"{UNSEEN_WORDS[gap.kind]} {duration((gap.ended - gap.started).total_seconds())}"
        for begun, ended in _without([(max(gap.started, since), min(gap.ended, until))], taken):
            found.append(Band(begun, ended, words))
        taken = joined([*taken, (gap.started, gap.ended)])
    for begun, ended in _without(spans(points, _is_unseen, (since, until), apart), taken):
        found.append(Band(begun, ended, f"nothing seen {duration((ended - begun).total_seconds())}"))
    return tuple(sorted(found, key=lambda band: band.since))


def failing_bands(
    points: Sequence[Point],
    incidents: Iterable[Incident],
    deployment: str,
    whole: Span,
    apart: timedelta,
    hidden: Sequence[Span],
) -> tuple[Band, ...]:
    """The times in which the deployment answered nobody, as incidents and points tell, but for what was not seen."""
    since, until = whole
    told = [
        (max(i.started, since), min(i.ended or until, until))
        for i in incidents
        if i.deployment == deployment and (i.ended or until) > since and i.started < until
    ]
    every = joined([*told, *spans(points, _is_bad, whole, apart)])
    return tuple(
        Band(begun, ended, f"{deployment} did not answer well for {duration((ended - begun).total_seconds())}")
        for begun, ended in _without(every, hidden)
    )


def _without(of: Iterable[Span], hidden: Sequence[Span]) -> list[Span]:
    """The parts of these times that are outside the hidden ones."""
    found: list[Span] = []
    for begun, ended in of:
        at = begun
        for start, end in hidden:
            if end <= at or start >= ended:
                continue
            if start > at:
                found.append((at, start))
            at = max(at, end)
        if at < ended:
            found.append((at, ended))
    return found
