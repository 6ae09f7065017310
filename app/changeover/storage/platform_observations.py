"""What platforms said last of each deployment, for the day on which one of them says nothing."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from changeover.model.platforms.platform_observation import KeptObservation, PlatformObservation
from changeover.storage.last_said import LastSaid


class KeptObservations:
    """Those of one database file, the newest of each deployment. Hashes of configuration values are not kept."""

    def __init__(self, file: Path) -> None:
        self._said = LastSaid(file, "platform_observations", PlatformObservation, "platforms")

    def close(self) -> None:
        self._said.close()

    async def keep(self, service: str, deployment: str, observation: PlatformObservation, at: datetime) -> None:
        """Keeps what was said at a moment in place of what was said before."""
        await self._said.keep(service, deployment, observation.for_keeping, at)

    async def of(self, service: str) -> dict[str, KeptObservation]:
        """By deployment, what was said last."""
        said = await self._said.of(service)
        return {name: KeptObservation(at=at, observation=found) for name, (at, found) in said.items()}
