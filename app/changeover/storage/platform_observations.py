"""What platforms and apps said last of each deployment, for the day on which one of them says nothing."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeVar

import msgspec
from msgspec import Struct

from changeover.model.platforms.app_version import AppVersion, KeptVersion
from changeover.model.platforms.platform_observation import KeptObservation, PlatformObservation
from changeover.storage.database.database import Database
from changeover.storage.history.writer import milliseconds, moment

log = logging.getLogger(__name__)

S = TypeVar("S", bound=Struct)
_Table = Literal["platform_observations", "app_versions"]


class KeptObservations:
    """Those of one database file, the newest of each deployment. Hashes of configuration values are not kept."""

    def __init__(self, file: Path) -> None:
        hint = "Check that the disk is not full and that the file is yours."
        self._database = Database(file, "The list of what platforms said", hint, durable=False)

    def close(self) -> None:
        self._database.close()

    async def keep(self, service: str, deployment: str, observation: PlatformObservation, at: datetime) -> None:
        """Keeps what a platform said at a moment in place of what it said before."""
        await self._keep("platform_observations", service, deployment, observation.for_keeping, at)

    async def of(self, service: str) -> dict[str, KeptObservation]:
        """By deployment, what its platform said last."""
        found = await self._all("platform_observations", service, PlatformObservation)
        return {name: KeptObservation(at=at, observation=observation) for name, at, observation in found}

    async def keep_version(self, service: str, deployment: str, version: AppVersion, at: datetime) -> None:
        """Keeps what an app told at a moment in place of what it told before."""
        await self._keep("app_versions", service, deployment, version, at)

    async def versions(self, service: str) -> dict[str, KeptVersion]:
        """By deployment, what its app told last."""
        found = await self._all("app_versions", service, AppVersion)
        return {name: KeptVersion(at=at, version=version) for name, at, version in found}

    async def _keep(self, table: _Table, service: str, deployment: str, content: Struct, at: datetime) -> None:
        row = (service, deployment, milliseconds(at), msgspec.json.encode(content))
        await self._database.in_thread(self._write, table, row)

    async def _all(self, table: _Table, service: str, kind: type[S]) -> list[tuple[str, datetime, S]]:
        """What another version of Changeover wrote, and cannot be read, is left out."""
        found = []
        for deployment, at, content in await self._database.in_thread(self._read, table, service):
            try:
                found.append((deployment, moment(at), msgspec.json.decode(content, type=kind)))
            except (msgspec.DecodeError, OverflowError, TypeError) as error:
                log.warning("what was kept of %s at %s cannot be read: %s", deployment, service, error)
        return found

    def _write(self, table: _Table, row: tuple[str, str, int, bytes]) -> None:
        self._database.open().execute(f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?, ?)", row)

    def _read(self, table: _Table, service: str) -> list[tuple[str, int, bytes]]:
        select = f"SELECT deployment, at, content FROM {table} WHERE service = ?"
        return self._database.open().execute(select, (service,)).fetchall()
