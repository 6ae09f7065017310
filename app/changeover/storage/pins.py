"""Pins: what a person holds against the probes, kept in the database so that every process sees it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from changeover.model.errors import UsageError
from changeover.model.readiness.pin import Hold, Pin
from changeover.storage.database.database import Database
from changeover.storage.history.writer import milliseconds, moment

#: A pin ends by itself after at most so many seconds, as a zonal shift of AWS ARC does: 72 hours.
LONGEST = 72 * 3600.0
_COLUMNS = "service, deployment, hold, reason, set_at, until"


class Pins:
    """The pins of one database file. Setting and clearing return once the disk has it."""

    def __init__(self, file: Path) -> None:
        hint = "Check that the disk is not full and that the file is yours."
        self._database = Database(file, "The list of pins", hint, durable=True)

    def close(self) -> None:
        self._database.close()

    async def set(
        self, service: str, deployment: str, hold: Hold, reason: str, seconds: float, now: datetime | None = None
    ) -> Pin:
        """Pins a deployment for so many seconds from now; an earlier pin of it is replaced.

        Raises UsageError without a reason, and for a time that is not between 1 s and 72 h.
        """
        if not reason.strip():
            raise UsageError("A reason is needed to pin a deployment", "Others will ask why. Give it with --reason.")
        if not 1 <= seconds <= LONGEST:
            raise UsageError(f"A pin lasts from 1 s to {LONGEST / 3600:g} h", "It can be set again later.")
        set_at = moment(milliseconds(now or datetime.now(UTC)))
        until = set_at + timedelta(seconds=round(seconds))
        pin = Pin(service=service, deployment=deployment, hold=hold, reason=reason.strip(), set_at=set_at, until=until)
        await self._database.in_thread(self._write, pin)
        return pin

    async def clear(self, service: str, deployment: str) -> bool:
        """Removes a deployment's pin. False where it had none."""
        return await self._database.in_thread(self._delete, service, deployment)

    async def all(self, now: datetime | None = None) -> tuple[Pin, ...]:
        """The pins that hold now."""
        return await self._database.in_thread(self._read, milliseconds(now or datetime.now(UTC)))

    async def get(self, service: str, deployment: str, now: datetime | None = None) -> Pin | None:
        """A deployment's pin, if it has one that holds now."""
        found = await self.all(now)
        return next((p for p in found if (p.service, p.deployment) == (service, deployment)), None)

    def _write(self, pin: Pin) -> None:
        row = (pin.service, pin.deployment, pin.hold, pin.reason, milliseconds(pin.set_at), milliseconds(pin.until))
        self._database.open().execute(f"INSERT OR REPLACE INTO pins ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", row)

    def _delete(self, service: str, deployment: str) -> bool:
        delete = "DELETE FROM pins WHERE service = ? AND deployment = ?"
        return self._database.open().execute(delete, (service, deployment)).rowcount > 0

    def _read(self, now: int) -> tuple[Pin, ...]:
        rows = self._database.open().execute(f"SELECT {_COLUMNS} FROM pins WHERE until > ? ORDER BY set_at", (now,))
        return tuple(
            Pin(
                service=service,
                deployment=deployment,
                hold=Hold(hold),
                reason=reason,
                set_at=moment(set_at),
                until=moment(until),
            )
            for service, deployment, hold, reason, set_at, until in rows
        )
