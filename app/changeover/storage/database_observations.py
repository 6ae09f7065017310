"""What database servers said last of themselves, for an emergency, in which the primary is not asked."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from changeover.model.databases.database_observation import DatabaseObservation
from changeover.model.databases.kept_database import KeptDatabase
from changeover.storage.last_said import LastSaid


class KeptDatabases:
    """Those of one database file, the newest of each deployment."""

    def __init__(self, file: Path) -> None:
        self._said = LastSaid(file, "database_observations", DatabaseObservation, "databases")

    def close(self) -> None:
        self._said.close()

    async def keep(self, service: str, deployment: str, observation: DatabaseObservation, at: datetime) -> None:
        """Keeps what was said at a moment in place of what was said before."""
        await self._said.keep(service, deployment, observation, at)

    async def of(self, service: str) -> dict[str, KeptDatabase]:
        """By deployment, what was said last."""
        said = await self._said.of(service)
        return {name: KeptDatabase(at=at, observation=found) for name, (at, found) in said.items()}
