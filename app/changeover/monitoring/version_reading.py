"""What the app of each deployment tells of itself: asked now, or kept from when it last told something."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from changeover.health.unforeseen import guarded
from changeover.model.errors import ChangeoverError, Unavailable
from changeover.model.formatting import duration
from changeover.model.health.conditions import expected
from changeover.model.platforms.app_version import AppVersion, app_version
from changeover.model.settings.service import Deployment, Service
from changeover.model.settings.version_endpoint import VersionEndpoint
from changeover.monitoring.journeys import own_address
from changeover.storage.platform_observations import KeptObservations

if TYPE_CHECKING:
    from changeover.dns.lookup.client import Lookup

log = logging.getLogger(__name__)

#: Seconds for one app, the look-up of its address included.
LIMIT = 30.0
#: Anything else is no answer of the endpoint: a redirect, a page of errors, somebody in front of the app.
_ANSWERED = "200-299"


class VersionReading(Struct, frozen=True, kw_only=True):
    """What one deployment's app told, and when. `why` says why it told nothing now; what it told before then stands."""

    deployment: Deployment
    version: AppVersion | None = None
    at: datetime | None = None
    why: str = ""


async def read_versions(
    service: Service, deployments: Iterable[Deployment], lookup: Lookup, kept: KeptObservations
) -> tuple[VersionReading, ...]:
    """What each app tells, all asked at the same time; nobody is where the service names no endpoint.

    A deployment is asked as a probe does: at an address of its own, for the first hostname, certificates verified.
    """
    endpoint = service.version
    if endpoint is None:
        return ()

    async def one(deployment: Deployment) -> VersionReading:
        def unread(why: str) -> AppVersion | str:
            return f"what it tells is not known: {why}"

        asking = _asked(service, deployment, endpoint, lookup)
        found = await guarded(f"the version of {service.name} at {deployment.name}", asking, unread)
        at, before = datetime.now(UTC), None
        try:
            if isinstance(found, AppVersion):
                await kept.keep_version(service.name, deployment.name, found, at)
            else:
                before = (await kept.versions(service.name)).get(deployment.name)
        except ChangeoverError as error:  # a full disk: what was read is told all the same
            log.warning("%s", error.text)
        if isinstance(found, AppVersion):
            return VersionReading(deployment=deployment, version=found, at=at)
        if before is None:
            return VersionReading(deployment=deployment, why=found)
        return VersionReading(deployment=deployment, version=before.version, at=before.at, why=found)

    return tuple(await asyncio.gather(*(one(deployment) for deployment in deployments)))


async def _asked(
    service: Service, deployment: Deployment, endpoint: VersionEndpoint, lookup: Lookup
) -> AppVersion | str:
    """What the app tells now, or why it tells nothing."""
    from changeover.health.http.request import checked, request_of

    hostname, check = service.hostnames[0], service.health
    try:
        async with asyncio.timeout(LIMIT):
            address = await own_address(deployment, hostname, lookup)
            if address is None:
                return "it has no address"
            found = await checked(hostname, address, check, request_of(check, endpoint.path))
    except Unavailable as error:
        return error.text
    except TimeoutError:
        return f"no answer within {duration(LIMIT)}"
    if found.response is None:
        return found.reason
    if not expected(found.response.status, _ANSWERED):
        return f"{endpoint.path} answers {found.response.status}"
    return app_version(endpoint, found.response)
