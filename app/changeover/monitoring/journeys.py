"""Taking a service's journeys at its deployments, with the secrets that they need."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from changeover.health.unforeseen import guarded
from changeover.model.errors import ChangeoverError, Unavailable
from changeover.model.health.check import JourneyResult
from changeover.model.secret import Secret
from changeover.model.settings.placeholders import secrets_of
from changeover.model.settings.service import Deployment, Service
from changeover.storage.keyring import Vault, vault_name

if TYPE_CHECKING:
    from changeover.dns.lookup.client import Lookup


async def journeys(
    service: Service, deployments: Sequence[Deployment], lookup: Lookup, vault: Vault, address: str | None = None
) -> tuple[JourneyResult, ...]:
    """Every journey of the service at each of `deployments`, for the first hostname, all at once.

    At the deployment's own address, or at `address`, where visitors find it. What keeps a journey from being tried
    becomes a result that says so.
    """
    if not service.health.journeys:
        return ()
    try:
        secrets = await _secrets(service, vault)
    except ChangeoverError as error:
        return tuple(_untried(service, d, error.text) for d in deployments)

    async def one(deployment: Deployment) -> Sequence[JourneyResult]:
        def unread(why: str) -> Sequence[JourneyResult]:
            return [_untried(service, deployment, why)]

        work = _at_one(service, deployment, lookup, secrets, address)
        return await guarded(f"the journeys of {service.name} at {deployment.name}", work, unread)

    found = await asyncio.gather(*(one(d) for d in deployments))
    return tuple(result for results in found for result in results)


async def _secrets(service: Service, vault: Vault) -> Mapping[str, Secret]:
    """Those that are in the keyring; a journey that misses one says which."""
    found = {}
    for name in sorted({name for journey in service.health.journeys for name in secrets_of(journey.steps)}):
        secret = await vault.get(vault_name(service.name), name, service.hostnames[0])
        if secret is not None:
            found[name] = secret
    return found


async def _at_one(
    service: Service, deployment: Deployment, lookup: Lookup, secrets: Mapping[str, Secret], address: str | None
) -> Sequence[JourneyResult]:
    from changeover.health.journey import run_journey

    hostname = service.hostnames[0]
    try:
        at = address or await _own_address(deployment, hostname, lookup)
    except Unavailable as error:
        return [_untried(service, deployment, error.text)]
    if at is None:
        return [_untried(service, deployment, "it has no address")]
    return await asyncio.gather(
        *(
            run_journey(journey, deployment, hostname, at, service.health, secrets)
            for journey in service.health.journeys
        )
    )


async def _own_address(deployment: Deployment, hostname: str, lookup: Lookup) -> str | None:
    answer = deployment.answer_for(hostname)
    addresses = await lookup.addresses(answer.target) if answer.target else (*answer.a, *answer.aaaa)
    return next(iter(addresses), None)


def _untried(service: Service, deployment: Deployment, why: str) -> JourneyResult:
    return JourneyResult(
        journey=service.health.journeys[0].name,
        deployment=deployment.name,
        hostname=service.hostnames[0],
        address="",
        ok=None,
        text=f"not tried: {why}",
    )
