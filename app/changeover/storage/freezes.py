"""Freezes: what a person wants left alone, kept in the database so that every process sees it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from changeover.model.errors import UsageError
from changeover.model.readiness.freeze import Freeze
from changeover.storage.database.database import Database
from changeover.storage.history.writer import milliseconds, moment

#: A freeze ends by itself after at most so many seconds, or it would be forgotten: 72 hours.
LONGEST = 72 * 3600.0
#: Stands for every service in the table; no service has this name.
_EVERYTHING = ""
_COLUMNS = "service, reason, set_at, until, who"


class Freezes:
    """The freezes of one database file. Setting and clearing return once the disk has it."""

    def __init__(self, file: Path) -> None:
        hint = "Check that the disk is not full and that the file is yours."
        self._database = Database(file, "The list of freezes", hint, durable=True)

    def close(self) -> None:
        self._database.close()

    async def set(
        self, service: str | None, reason: str, seconds: float, who: str = "", now: datetime | None = None
    ) -> Freeze:
        """Freezes a service, or everything, for so many seconds from now; an earlier freeze of it is replaced.

        Raises UsageError without a reason, and for a time that is not between 1 s and 72 h.
        """
        if not reason.strip():
            raise UsageError("A reason is needed for a freeze", "Others will ask why. Give it with --reason.")
        if not 1 <= seconds <= LONGEST:
            raise UsageError(f"A freeze lasts from 1 s to {LONGEST / 3600:g} h", "It can be set again later.")
        set_at = moment(milliseconds(now or datetime.now(UTC)))
        until = set_at + timedelta(seconds=round(seconds))
        freeze = Freeze(service=service, reason=reason.strip(), set_at=set_at, until=until, who=who)
        await self._database.in_thread(self._write, freeze)
        return freeze

    async def clear(self, service: str | None) -> bool:
        """Ends the freeze of a service, or that of everything; neither ends the other. False where there was none."""
        return await self._database.in_thread(self._delete, service or _EVERYTHING)

    async def all(self, now: datetime | None = None) -> tuple[Freeze, ...]:
        """The freezes that hold now, oldest first."""
        return await self._database.in_thread(self._read, milliseconds(now or datetime.now(UTC)))

    def _write(self, freeze: Freeze) -> None:
        row = (
            freeze.service or _EVERYTHING,
            freeze.reason,
            milliseconds(freeze.set_at),
            milliseconds(freeze.until),
            freeze.who,
        )
        self._database.open().execute(f"INSERT OR REPLACE INTO freezes ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)", row)

    def _delete(self, service: str) -> bool:
        return self._database.open().execute("DELETE FROM freezes WHERE service = ?", (service,)).rowcount > 0

    def _read(self, now: int) -> tuple[Freeze, ...]:
        select = f"SELECT {_COLUMNS} FROM freezes WHERE until > ? ORDER BY set_at"
        return tuple(
            Freeze(
                service=None if service == _EVERYTHING else service,
                reason=reason,
                set_at=moment(set_at),
                until=moment(until),
                who=who,
            )
            for service, reason, set_at, until, who in self._database.open().execute(select, (now,))
        )
