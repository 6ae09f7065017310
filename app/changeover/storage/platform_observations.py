"""What platforms said last of each deployment, for the day on which one of them says nothing."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path

import msgspec

from changeover.model.platforms.platform_observation import KeptObservation, PlatformObservation
from changeover.storage.database.database import Database
from changeover.storage.history.writer import milliseconds, moment

log = logging.getLogger(__name__)


class KeptObservations:
    """Those of one database file, the newest of each deployment. Hashes of configuration values are not kept."""

    def __init__(self, file: Path) -> None:
        hint = "Check that the disk is not full and that the file is yours."
        self._database = Database(file, "The list of what platforms said", hint, durable=False)

    def close(self) -> None:
        self._database.close()

    async def keep(self, service: str, deployment: str, observation: PlatformObservation, at: datetime) -> None:
        """Keeps what was said at a moment in place of what was said before."""
        content = msgspec.json.encode(observation.for_keeping)
        await self._database.in_thread(self._write, (service, deployment, milliseconds(at), content))

    async def of(self, service: str) -> dict[str, KeptObservation]:
        """By deployment, what was said last. What another version of Changeover wrote, and cannot be read, is not."""
        found = {}
        for deployment, at, content in await self._database.in_thread(self._read, service):
            try:
                observation = msgspec.json.decode(content, type=PlatformObservation)
                found[deployment] = KeptObservation(at=moment(at), observation=observation)
            except (msgspec.DecodeError, OverflowError, TypeError) as error:
                log.warning("what was kept of %s at %s cannot be read: %s", deployment, service, error)
        return found

    def _write(self, row: tuple[str, str, int, bytes]) -> None:
        self._database.open().execute("INSERT OR REPLACE INTO platform_observations VALUES (?, ?, ?, ?)", row)

    def _read(self, service: str) -> list[tuple[str, int, bytes]]:
        select = "SELECT deployment, at, content FROM platform_observations WHERE service = ?"
        return self._database.open().execute(select, (service,)).fetchall()
