"""Pins: what a person holds against the probes."""

from __future__ import annotations

from datetime import datetime

from changeover.model.readiness.pin import Hold, Pin
from changeover.storage.timed_store import TimedStore


class Pins(TimedStore[Pin]):
    """The pins of one database file, by service and deployment."""

    kind, table, noun = Pin, "pins", "pin"

    async def set(
        self, service: str, deployment: str, hold: Hold, reason: str, seconds: float, now: datetime | None = None
    ) -> Pin:
        """Pins a deployment for so many seconds from now; an earlier pin of it is replaced.

        Raises UsageError without a reason, and for a time that is not between 1 s and 72 h.
        """
        term = self._term(reason, seconds, now)
        return await self._keep(Pin(service=service, deployment=deployment, hold=hold, **term))
