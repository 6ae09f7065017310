"""Freezes: what a person wants left alone."""

from __future__ import annotations

from datetime import datetime

from changeover.model.readiness.freeze import Freeze
from changeover.storage.timed_store import TimedStore


class Freezes(TimedStore[Freeze]):
    """The freezes of one database file, by service; that of everything is None's, and neither ends the other."""

    kind, table, noun = Freeze, "freezes", "freeze"

    async def set(
        self, service: str | None, reason: str, seconds: float, who: str = "", now: datetime | None = None
    ) -> Freeze:
        """Freezes a service, or everything, for so many seconds from now; an earlier freeze of it is replaced.

        Raises UsageError without a reason, and for a time that is not between 1 s and 72 h.
        """
        return await self._keep(Freeze(service=service, who=who, **self._term(reason, seconds, now)))
