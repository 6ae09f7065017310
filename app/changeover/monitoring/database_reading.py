"""What the databases of a service say of themselves: read now, or kept from when they last said something."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from changeover.health.unforeseen import guarded
from changeover.model.databases.kept_database import KeptDatabase
from changeover.model.errors import ChangeoverError, Unavailable
from changeover.model.formatting import duration
from changeover.model.settings.service import Deployment, Service
from changeover.storage.database_observations import KeptDatabases

if TYPE_CHECKING:
    from changeover.databases.database_server import DatabaseServer

log = logging.getLogger(__name__)

#: Seconds that one look may take altogether, with the keyring.
LIMIT = 30.0
#: Opens the database of a deployment.
OpenDatabase = Callable[[Service, Deployment], Awaitable["DatabaseServer"]]


def has_databases(service: Service) -> bool:
    """Does any of its deployments name one?"""
    return any(deployment.database is not None for deployment in service.deployments)


class DatabaseReading(Struct, frozen=True):
    """How the database of one deployment stands, and when that was said. `error` says why nothing was said now."""

    deployment: Deployment
    kept: KeptDatabase | None = None
    error: ChangeoverError | None = None


async def read_databases(
    service: Service, open_database: OpenDatabase, kept: KeptDatabases
) -> tuple[DatabaseReading, ...]:
    """How each stands, as far as the deployments name one. What is read is kept, and stands in for silence later.

    A primary is read after the standbys, so that what is written meanwhile counts as lag and never as divergence.
    """

    async def look(deployment: Deployment) -> KeptDatabase | ChangeoverError:
        try:
            async with asyncio.timeout(LIMIT):
                server = await open_database(service, deployment)
                return KeptDatabase(observation=await server.observe(), at=datetime.now(UTC))
        except TimeoutError:
            return Unavailable(f"The database of {deployment.name} did not answer within {duration(LIMIT)}")
        except ChangeoverError as error:
            return error

    async def observe(deployment: Deployment) -> KeptDatabase | ChangeoverError:
        what = f"the database of {deployment.name}"
        return await guarded(what, look(deployment), lambda why: Unavailable(f"{what} is not known: {why}"))

    deployments = [deployment for deployment in service.deployments if deployment.database is not None]
    found = await _each(deployments, observe)
    roles = {name: one.observation.role for name, one in found.items() if isinstance(one, KeptDatabase)}
    if "standby" in roles.values():
        found |= await _each([d for d in deployments if roles.get(d.name) == "primary"], observe)
    return tuple([await _reading(service.name, d, found[d.name], kept) for d in deployments])


async def _each(
    deployments: list[Deployment], observe: Callable[[Deployment], Awaitable[KeptDatabase | ChangeoverError]]
) -> dict[str, KeptDatabase | ChangeoverError]:
    """By deployment, all at the same time."""
    found = await asyncio.gather(*(observe(deployment) for deployment in deployments))
    return {deployment.name: one for deployment, one in zip(deployments, found, strict=True)}


async def _reading(
    service: str, deployment: Deployment, found: KeptDatabase | ChangeoverError, kept: KeptDatabases
) -> DatabaseReading:
    try:
        if isinstance(found, KeptDatabase):
            await kept.keep(service, deployment.name, found.observation, found.at)
            return DatabaseReading(deployment, found)
        return DatabaseReading(deployment, (await kept.of(service)).get(deployment.name), found)
    except ChangeoverError as error:  # a full disk: what was read is told all the same
        log.warning("%s", error.text)
    if isinstance(found, KeptDatabase):
        return DatabaseReading(deployment, found)
    return DatabaseReading(deployment, error=found)
