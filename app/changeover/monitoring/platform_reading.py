"""What the platforms of a service say of its deployments: read now, or kept from when they last said something."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime

from msgspec import Struct

from changeover.accounts.accounts import Steering
from changeover.health.unforeseen import guarded
from changeover.model.errors import ChangeoverError, Unavailable
from changeover.model.formatting import duration
from changeover.model.platforms.platform_observation import KeptObservation, PlatformObservation
from changeover.model.settings.platform import ANY_ADDRESS
from changeover.model.settings.service import Deployment, Service
from changeover.storage.platform_observations import KeptObservations

log = logging.getLogger(__name__)

#: Seconds that one reading may take altogether.
LIMIT = 30.0


class PlatformReading(Struct, frozen=True):
    """What runs of one deployment, and when that was said. `error` says why nothing was said now.

    There is neither where nobody can steer it.
    """

    deployment: Deployment
    observation: PlatformObservation | None = None
    at: datetime | None = None
    error: ChangeoverError | None = None


async def read_platforms(
    service: str,
    deployments: Iterable[Deployment],
    open_platform: Callable[[Deployment], Awaitable[Steering]],
    kept: KeptObservations,
) -> tuple[PlatformReading, ...]:
    """What runs of each, all read at the same time. What is read is kept, and what was kept stands in for silence."""

    async def observe(deployment: Deployment) -> PlatformObservation:
        try:
            async with asyncio.timeout(LIMIT):
                _, platform, target = await open_platform(deployment)
                return await platform.observe(target)
        except TimeoutError:
            raise Unavailable(f"{deployment.platform} did not answer within {duration(LIMIT)}") from None

    async def one(deployment: Deployment) -> PlatformReading:
        if deployment.platform == ANY_ADDRESS:
            return PlatformReading(deployment)
        found: PlatformObservation | ChangeoverError
        try:
            what = f"what runs of {deployment.name}"
            found = await guarded(what, observe(deployment), lambda why: Unavailable(f"{what} is not known: {why}"))
        except ChangeoverError as error:
            found = error
        if isinstance(found, PlatformObservation):
            at = datetime.now(UTC)
            await _keep(kept, service, deployment.name, found, at)
            return PlatformReading(deployment, found, at)
        before = await _kept(kept, service, deployment.name)
        if before is None:
            return PlatformReading(deployment, error=found)
        return PlatformReading(deployment, before.observation, before.at, found)

    return tuple(await asyncio.gather(*(one(deployment) for deployment in deployments)))


async def _keep(
    kept: KeptObservations, service: str, deployment: str, observation: PlatformObservation, at: datetime
) -> None:
    try:
        await kept.keep(service, deployment, observation, at)
    except ChangeoverError as error:  # a full disk: what was read is told all the same
        log.warning("%s", error.text)


async def _kept(kept: KeptObservations, service: str, deployment: str) -> KeptObservation | None:
    try:
        return (await kept.of(service)).get(deployment)
    except ChangeoverError as error:
        log.warning("%s", error.text)
        return None


def tells_what_runs(service: Service) -> bool:
    """Can the platform of any of its deployments be asked, or its app?"""
    return service.version is not None or any(d.platform != ANY_ADDRESS for d in service.deployments)
