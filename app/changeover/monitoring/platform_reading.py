"""What the platforms of a service say of its deployments: read now, or kept from when they last said something."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime

from msgspec import Struct

from changeover.accounts.accounts import Steering
from changeover.health.unforeseen import guarded, unforeseen
from changeover.model.errors import ChangeoverError, Unavailable
from changeover.model.formatting import duration
from changeover.model.platforms.platform_observation import KeptObservation, PlatformObservation
from changeover.model.settings.platform import ANY_ADDRESS
from changeover.model.settings.service import Deployment, Settings
from changeover.storage.platform_observations import KeptObservations

log = logging.getLogger(__name__)

#: Seconds between two readings of a watch, and those that one may take altogether.
EVERY, LIMIT = 300.0, 30.0


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


async def watch_platforms(settings: Callable[[], Settings], read: Callable[[str], Awaitable[object]]) -> None:
    """Has what the platforms and apps of every service say read every so often, one after the other, until cancelled.

    `read` does it for one service.
    """
    while True:
        for service in settings().services:
            nobody = all(deployment.platform == ANY_ADDRESS for deployment in service.deployments)
            if nobody and service.version is None:
                continue
            try:
                await read(service.name)
            except ChangeoverError as error:  # such as a service that was removed meanwhile
                log.warning("%s", error.text)
            except Exception as error:  # noqa: BLE001 - logged, without the values in its text
                unforeseen(f"the platforms of {service.name}", error)
        await asyncio.sleep(EVERY)
