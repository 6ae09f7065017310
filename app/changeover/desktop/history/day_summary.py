"""The line under the chart: availability and response times in figures, and what does not count."""

from __future__ import annotations

from math import floor

from changeover.desktop.history.timeline import UNSEEN_WORDS, Past, Range, Timeline, points_of
from changeover.model.formatting import duration
from changeover.model.health.history import Point, gap_seconds
from changeover.model.health.tally import Counts, times_of
from changeover.model.readiness.service_state import ServiceState


def share(availability: float | None) -> str:
    """An availability for people: "99.95 %". Only what is whole is called 100 %."""
    if availability is None:
        return "not known"
    return "100 %" if availability == 1 else f"{floor(availability * 10000) / 100:.2f} %"


def day_line(state: ServiceState, past: Past, shown: Timeline) -> str:
    """Availability and response time of the active deployment, today and in the time shown, and what is left out."""
    counted, times = past.counted, past.times
    if past.range is Range.HOUR:
        points = [p for p in points_of(state, state.active, past) if p.at >= shown.since]
        counted = sum(map(_counts, points), Counts())
        times = times_of([round(p.seconds * 1e6) for p in points if p.seconds is not None])
    if not counted.tried:
        return ""
    parts = []
    if past.today is not None and past.today.counted.tried:
        parts.append(f"today {share(past.today.counted.availability)}")
    parts.append(f"{past.range.words} {share(counted.availability)}")
    p95 = times.percentile(0.95)
    if p95 is not None:
        parts.append(f"p95 {p95 * 1000:.0f} ms")
    left = _left_out(past, shown)
    return f"{state.active}: {' · '.join(parts)}" + (f"\nleft out: {', '.join(left)}" if left else "")


def _counts(point: Point) -> Counts:
    return Counts(point.good, point.part, point.bad, point.untried)


def _left_out(past: Past, shown: Timeline) -> list[str]:
    """What does not count: "asleep 7 h 12 min", "maintenance 30 min"."""
    found = gap_seconds(past.gaps, shown.since, shown.until)
    parts = [f"{UNSEEN_WORDS[kind]} {duration(seconds)}" for kind, seconds in found.items()]
    planned = sum((band.until - band.since).total_seconds() for band in shown.planned)
    return [*parts, f"maintenance {duration(planned)}"] if planned else parts
