"""Reading the history for what a page shows; nothing here touches a window, and nothing blocks it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from changeover.desktop.history.timeline import Past, Range
from changeover.model.health.history import Day, Gap, Incident, Point
from changeover.model.health.tally import Tally, merged
from changeover.model.readiness.service_state import ServiceState

#: How far back the activity looks for incidents.
ACTIVITY = timedelta(days=30)


class HistoryReader(Protocol):
    """The part of storage.history.History that a page reads."""

    async def series(self, service: str, deployment: str, since: datetime, until: datetime) -> tuple[Point, ...]: ...

    async def hours(
        self, service: str, deployment: str, since: datetime, until: datetime
    ) -> tuple[tuple[datetime, Tally], ...]: ...

    async def days(self, service: str, since: datetime, until: datetime) -> tuple[Day, ...]: ...

    async def incidents(self, service: str, since: datetime, until: datetime) -> tuple[Incident, ...]: ...

    async def gaps(self, since: datetime, until: datetime) -> tuple[Gap, ...]: ...


async def read_past(history: HistoryReader, state: ServiceState, which: Range, now: datetime) -> Past:
    """What the history has of the last hour, day, week or month, and of today.

    Raises ChangeoverError where the history cannot be read.
    """
    name, since = state.service.name, now - which.length
    names = [d.name for d in state.service.deployments]
    points = await asyncio.gather(*(history.series(name, each, since, now) for each in names))
    tallies: Sequence[tuple[datetime, Tally]] = ()
    if which is not Range.HOUR:
        tallies = await history.hours(name, state.active, since, now)
    whole = merged(tally for _, tally in tallies)
    days = await history.days(name, now, now)
    return Past(
        range=which,
        points=dict(zip(names, points, strict=True)),
        gaps=await history.gaps(since, now),
        incidents=await history.incidents(name, since, now),
        today=next((d for d in days if d.deployment == state.active and d.date == now.date()), None),
        counted=whole.counted,
        times=whole.times,
    )


async def read_activity(
    history: HistoryReader, service: str, now: datetime
) -> tuple[tuple[Incident, ...], tuple[Gap, ...]]:
    """The incidents of a service in the last month, and the gaps of the last week."""
    incidents = await history.incidents(service, now - ACTIVITY, now)
    return incidents, await history.gaps(now - ACTIVITY / 4, now)
