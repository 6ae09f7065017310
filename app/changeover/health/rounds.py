"""Rounds of probes: every address of a deployment, once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from changeover.health.probe import probe
from changeover.model.errors import Unavailable
from changeover.model.health import DOWN_AFTER, DeploymentHealth, ProbeResult, Round, deployment_health, settled
from changeover.model.service import Deployment, Service

if TYPE_CHECKING:
    from changeover.dns.lookup import Lookup

#: Between the probes of a command, which has no history to rest on.
PAUSE = 0.2
#: A service with hundreds of hostnames must not open hundreds of connections at once.
AT_ONCE = 20


async def probe_round(service: Service, deployment: Deployment, lookup: Lookup) -> Round:
    """Probes `deployment` at every address of every hostname of `service`."""
    at = datetime.now(UTC)
    gate = asyncio.Semaphore(AT_ONCE)
    targets = {answer.target for name in service.hostnames if (answer := deployment.answer_for(name)).target}
    found = await asyncio.gather(*(_addresses(target, lookup) for target in targets if target))
    resolved = dict(zip(targets, found, strict=True))

    async def one(name: str, address: str) -> ProbeResult:
        async with gate:
            return await probe(deployment, name, address, service.health)

    probes: list[Coroutine[None, None, ProbeResult]] = []
    failed: list[ProbeResult] = []
    for name in service.hostnames:
        answer = deployment.answer_for(name)
        addresses: Sequence[str] | ProbeProblem = (*answer.a, *answer.aaaa)
        if answer.target:
            addresses = resolved[answer.target]
        if isinstance(addresses, ProbeProblem):
            failed.append(addresses.result(deployment.name, name, at))
        else:
            probes.extend(one(name, address) for address in addresses)
    return Round(at=at, results=(*failed, *await asyncio.gather(*probes)))


class ProbeProblem:
    """Why there was no address to probe. `ok` is None where that says nothing about the deployment."""

    def __init__(self, ok: bool | None, reason: str) -> None:
        self.ok = ok
        self.reason = reason

    def result(self, deployment: str, hostname: str, at: datetime) -> ProbeResult:
        return ProbeResult(deployment=deployment, hostname=hostname, address="", at=at, ok=self.ok, reason=self.reason)


async def _addresses(target: str, lookup: Lookup) -> Sequence[str] | ProbeProblem:
    try:
        found = await lookup.addresses(target)
    except Unavailable as error:
        return ProbeProblem(None, f"not checked: {error.text}")
    return found or ProbeProblem(False, f"{target} has no address")


async def probe_now(
    service: Service, deployment: Deployment, lookup: Lookup, first: Round | None = None
) -> DeploymentHealth:
    """The health of a deployment from a few probes, then and there, for a command that has no history.

    `first` is a round that was probed just now, if there is one.
    """
    rounds = [first or await probe_round(service, deployment, lookup)]
    while not settled(rounds) and len(rounds) < DOWN_AFTER:
        await asyncio.sleep(PAUSE)
        rounds.append(await probe_round(service, deployment, lookup))
    return deployment_health(deployment.name, rounds)
