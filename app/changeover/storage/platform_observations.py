"""What platforms and apps said last of each deployment, for the day on which one of them says nothing."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from changeover.model.platforms.app_version import AppVersion, KeptVersion
from changeover.model.platforms.platform_observation import KeptObservation, PlatformObservation
from changeover.storage.last_said import LastSaid


class KeptObservations:
    """Those of one database file, the newest of each deployment. Hashes of configuration values are not kept."""

    def __init__(self, file: Path) -> None:
        self._said = LastSaid(file, "platform_observations", PlatformObservation, "platforms")
        self._told = LastSaid(file, "app_versions", AppVersion, "apps")

    def close(self) -> None:
        self._said.close()
        self._told.close()

    async def keep(self, service: str, deployment: str, observation: PlatformObservation, at: datetime) -> None:
        """Keeps what was said at a moment in place of what was said before."""
        await self._said.keep(service, deployment, observation.for_keeping, at)

    async def of(self, service: str) -> dict[str, KeptObservation]:
        """By deployment, what was said last."""
        said = await self._said.of(service)
        return {name: KeptObservation(at=at, observation=found) for name, (at, found) in said.items()}

    async def keep_version(self, service: str, deployment: str, version: AppVersion, at: datetime) -> None:
        """Keeps what an app told at a moment in place of what it told before."""
        await self._told.keep(service, deployment, version, at)

    async def versions(self, service: str) -> dict[str, KeptVersion]:
        """By deployment, what its app told last."""
        told = await self._told.of(service)
        return {name: KeptVersion(at=at, version=found) for name, (at, found) in told.items()}
