"""Maintenance windows: planned work, during which nothing is told and nothing counts against availability."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAYS: tuple[Day, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Maintenance(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One window, once (`date`) or every week (`days`), beginning at `at` by the clock of `zone`.

    `date` is like "2026-12-01", `at` like "02:30". It lasts `minutes` by the clock of the world, whatever a change to
    summer time does meanwhile. `deployments` are those it is for; none means all.
    """

    at: str
    minutes: int
    zone: str = "UTC"
    date: str | None = None
    days: tuple[Day, ...] = ()
    deployments: tuple[str, ...] = ()

    def _begin(self, day: datetime) -> datetime:
        local = datetime.combine(day.date(), time.fromisoformat(self.at), ZoneInfo(self.zone))
        return local.astimezone(UTC)

    def end(self, now: datetime) -> datetime | None:
        """When the window that `now` is in ends; None outside."""
        lasts = timedelta(minutes=self.minutes)
        if self.date is not None:
            begins = [self._begin(datetime.fromisoformat(self.date))]
        else:
            here = now.astimezone(ZoneInfo(self.zone))
            # A window of whole days touches one day more, and one that is longer by the local clock another.
            back = range(lasts.days + 3)
            days = [day for n in back if DAYS[(day := here - timedelta(days=n)).weekday()] in self.days]
            begins = [self._begin(day) for day in days]
        return max((begin + lasts for begin in begins if begin <= now < begin + lasts), default=None)


def maintenance_end(windows: Iterable[Maintenance], deployment: str, now: datetime) -> datetime | None:
    """When the maintenance that `deployment` is in now ends; None where it is in none."""
    ends = (w.end(now) for w in windows if not w.deployments or deployment in w.deployments)
    return max((end for end in ends if end is not None), default=None)
