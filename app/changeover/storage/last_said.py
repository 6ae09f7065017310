"""What was said last of each deployment of a service, for the day on which nobody says anything."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path
from typing import Generic, Literal, TypeVar

import msgspec
from msgspec import Struct

from changeover.storage.database.database import Database
from changeover.storage.history.writer import milliseconds, moment

log = logging.getLogger(__name__)

S = TypeVar("S", bound=Struct)


class LastSaid(Generic[S]):
    """One table of a database file: by service and deployment the newest `kind`, with its moment.

    `words` are who says it: "platforms".
    """

    def __init__(
        self,
        file: Path,
        table: Literal["platform_observations", "app_versions", "database_observations"],
        kind: type[S],
        words: str,
    ) -> None:
        hint = "Check that the disk is not full and that the file is yours."
        self._database = Database(file, f"The list of what {words} said", hint, durable=False)
        self._insert = f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?, ?)"
        self._select = f"SELECT deployment, at, content FROM {table} WHERE service = ?"
        self._kind = kind

    def close(self) -> None:
        self._database.close()

    async def keep(self, service: str, deployment: str, said: S, at: datetime) -> None:
        """Keeps what was said at a moment in place of what was said before."""
        content = msgspec.json.encode(said)
        await self._database.in_thread(self._write, (service, deployment, milliseconds(at), content))

    async def of(self, service: str) -> dict[str, tuple[datetime, S]]:
        """By deployment, what was said last. What another version of Changeover wrote, and cannot be read, is not."""
        found = {}
        for deployment, at, content in await self._database.in_thread(self._read, service):
            try:
                found[deployment] = (moment(at), msgspec.json.decode(content, type=self._kind))
            except (msgspec.DecodeError, OverflowError, TypeError) as error:
                log.warning("what was kept of %s at %s cannot be read: %s", deployment, service, error)
        return found

    def _write(self, row: tuple[str, str, int, bytes]) -> None:
        self._database.open().execute(self._insert, row)

    def _read(self, service: str) -> list[tuple[str, int, bytes]]:
        return self._database.open().execute(self._select, (service,)).fetchall()
