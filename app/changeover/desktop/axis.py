"""Round values and round moments for the axes of a chart."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil, floor, log10


def scale(highest: float) -> list[float]:
    """Round values for the axis, from 0 to at least `highest`: three to five steps of 1, 2 or 5."""
    rough = max(highest, 1.0) / 4
    power = 10.0 ** floor(log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough)
    return [i * step for i in range(ceil(max(highest, 1.0) / step) + 1)]


def ticks(since: datetime, until: datetime, many: int) -> list[tuple[datetime, str]]:
    """Round moments for the axis, at most `many`, in the time zone of `until`: times of a day, else days."""
    zone = until.tzinfo
    start = since.astimezone(zone)
    span = until - since
    if span <= timedelta(hours=30):
        steps = [1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 720]
        minutes = next((s for s in steps if span / timedelta(minutes=s) <= many), steps[-1])
        midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
        first = ceil((start - midnight) / timedelta(minutes=minutes))
        count = int(span / timedelta(minutes=minutes)) + 2
        moments = (midnight + timedelta(minutes=minutes * (first + n)) for n in range(count))
        return [(at, f"{at:%H:%M}") for at in moments if at <= until]
    days = next((s for s in (1, 2, 5, 7, 10, 14) if span / timedelta(days=s) <= many), 30)
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    moments = (midnight + timedelta(days=n * days) for n in range(int(span / timedelta(days=days)) + 1))
    return [(at, f"{at:%a} {at.day}" if days == 1 else f"{at.day} {at:%b}") for at in moments if at <= until]
