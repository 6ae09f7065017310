"""Taking a service's journeys at its deployments, with the secrets that they need."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from changeover.health.unforeseen import guarded
from changeover.model.errors import ChangeoverError, Unavailable
from changeover.model.health.check import Journey, JourneyResult
from changeover.model.secret import Secret
from changeover.model.settings.placeholders import secrets_of
from changeover.model.settings.service import Deployment, Service

if TYPE_CHECKING:
    from changeover.accounts.trust import Trust
    from changeover.dns.lookup.client import Lookup


async def journeys(
    service: Service, deployments: Sequence[Deployment], lookup: Lookup, trust: Trust, address: str | None = None
) -> tuple[JourneyResult, ...]:
    """Every journey of the service at each of `deployments`, for the first hostname, all at once.

    At the deployment's own address, or at `address`, where visitors find it. What keeps a journey from being tried
    becomes a result that says so; those that carry no secrets are not kept by what is wrong with secrets.
    """
    every = service.health.journeys
    if not every:
        return ()
    left: tuple[Journey, ...] = ()
    why = ""
    secrets: Mapping[str, Secret] = {}
    try:
        secrets = await trust.journey_secrets(service)
    except ChangeoverError as error:
        left, why = tuple(journey for journey in every if secrets_of(journey.steps)), f"{error.text}. {error.hint}"
    taken = tuple(journey for journey in every if journey not in left)

    async def one(deployment: Deployment) -> Sequence[JourneyResult]:
        def unread(why: str) -> Sequence[JourneyResult]:
            return [_untried(service, journey, deployment, why) for journey in taken[:1]]

        work = _at_one(service, taken, deployment, lookup, secrets, address)
        return await guarded(f"the journeys of {service.name} at {deployment.name}", work, unread)

    found = await asyncio.gather(*(one(d) for d in deployments))
    untried = (_untried(service, journey, d, why) for d in deployments for journey in left)
    return (*(result for results in found for result in results), *untried)


async def _at_one(
    service: Service,
    taken: Sequence[Journey],
    deployment: Deployment,
    lookup: Lookup,
    secrets: Mapping[str, Secret],
    address: str | None,
) -> Sequence[JourneyResult]:
    from changeover.health.journey import run_journey

    hostname = service.hostnames[0]
    why = "it has no address"
    try:
        at = address or await own_address(deployment, hostname, lookup)
    except Unavailable as error:
        at, why = None, error.text
    if at is None:
        return [_untried(service, journey, deployment, why) for journey in taken[:1]]
    return await asyncio.gather(
        *(run_journey(journey, deployment, hostname, at, service.health, secrets) for journey in taken)
    )


async def own_address(deployment: Deployment, hostname: str, lookup: Lookup) -> str | None:
    """An address of the deployment itself for `hostname`; None where it has none. Raises Unavailable."""
    answer = deployment.answer_for(hostname)
    addresses = await lookup.addresses(answer.target) if answer.target else (*answer.a, *answer.aaaa)
    return next(iter(addresses), None)


def _untried(service: Service, journey: Journey, deployment: Deployment, why: str) -> JourneyResult:
    return JourneyResult(
        journey=journey.name,
        deployment=deployment.name,
        hostname=service.hostnames[0],
        address="",
        ok=None,
        text=f"not tried: {why}",
    )
