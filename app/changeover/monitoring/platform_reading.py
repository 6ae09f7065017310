"""What the platforms of a service say of its deployments, read now."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from msgspec import Struct

from changeover.accounts.accounts import Steering
from changeover.model.errors import ChangeoverError
from changeover.model.platforms.platform_observation import PlatformObservation
from changeover.model.settings.platform import ANY_ADDRESS
from changeover.model.settings.service import Deployment


class PlatformReading(Struct, frozen=True):
    """What runs of one deployment, or why that cannot be told; neither where nobody can steer it."""

    deployment: Deployment
    observation: PlatformObservation | None = None
    error: ChangeoverError | None = None


async def read_platforms(
    deployments: Iterable[Deployment], open_platform: Callable[[Deployment], Awaitable[Steering]]
) -> tuple[PlatformReading, ...]:
    """What runs of each, all read at the same time."""

    async def one(deployment: Deployment) -> PlatformReading:
        if deployment.platform == ANY_ADDRESS:
            return PlatformReading(deployment)
        try:
            _, platform, target = await open_platform(deployment)
            return PlatformReading(deployment, observation=await platform.observe(target))
        except ChangeoverError as error:
            return PlatformReading(deployment, error=error)

    return tuple(await asyncio.gather(*(one(deployment) for deployment in deployments)))
