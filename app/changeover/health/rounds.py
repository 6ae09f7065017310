"""Rounds of probes: every address of a deployment, once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from changeover.health.probe import probe
from changeover.health.unforeseen import guarded
from changeover.model.errors import Unavailable
from changeover.model.health.probe_result import (
    MAX_ROUNDS,
    Cause,
    DeadName,
    DeploymentHealth,
    ProbeResult,
    Round,
    confirms,
    judged,
    settled,
    unread_result,
)
from changeover.model.settings.service import Deployment, Service
from changeover.model.wording.fault_words import dead_name_words, untried_words

if TYPE_CHECKING:
    from changeover.dns.lookup.client import Lookup

#: Between the probes of a command, which has no history to rest on.
PAUSE = 0.2
#: A service with hundreds of hostnames must not open hundreds of connections at once.
MAX_CONCURRENT = 20
_NONE: Mapping[str, Sequence[str]] = MappingProxyType({})


class _Nowhere(Struct, frozen=True, kw_only=True):
    """Why a name leads to no address: `unresolved` says why nobody could be asked, else the name is `dead`.

    `unread`: Changeover failed to read the answer. `last` are addresses behind it all the same: those that it led to
    before, or that only its own servers still give.
    """

    dead: DeadName = DeadName()
    unresolved: str | None = None
    unread: bool = False
    last: tuple[str, ...] = ()


async def probe_round(
    service: Service, deployment: Deployment, lookup: Lookup, known: Mapping[str, Sequence[str]] = _NONE
) -> Round:
    """Probes `deployment` at every address of every hostname of `service`.

    `known` has by target the addresses that it led to last. Where it leads nowhere now, these are probed as well, only
    to say whether the app is alive behind its dead name: visitors do not get there, so the result stays bad.
    """
    at = datetime.now(UTC)
    gate = asyncio.Semaphore(MAX_CONCURRENT)
    targets = {answer.target for name in service.hostnames if (answer := deployment.answer_for(name)).target}
    found = await asyncio.gather(*(_resolved(t, lookup, known, service.health.timeout) for t in targets if t))
    resolved = dict(zip(targets, found, strict=True))

    async def one(name: str, address: str, target: str | None) -> ProbeResult:
        async with gate:
            return await probe(deployment, name, address, service.health, target)

    async def nowhere(name: str, target: str, why: _Nowhere) -> ProbeResult:
        result = ProbeResult(
            deployment=deployment.name, hostname=name, address="", at=at, ok=None, reason="", target=target
        )
        if why.unresolved is not None and why.unread:
            return unread_result(deployment.name, name, why.unresolved, at, target=target)
        if why.unresolved is not None:
            return replace(result, reason=untried_words(why.unresolved), untried=why.unresolved, cause=Cause.DNS)
        dead = _behind(why.dead, await asyncio.gather(*(one(name, address, target) for address in why.last)))
        reason = dead_name_words(dead, target)
        return replace(result, ok=False, reason=reason, cause=Cause.ROUTING_NAME, dead_name=dead)

    probes: list[Coroutine[None, None, ProbeResult]] = []
    for name in service.hostnames:
        answer = deployment.answer_for(name)
        addresses: Sequence[str] | _Nowhere = (*answer.a, *answer.aaaa)
        if answer.target:
            addresses = resolved[answer.target]
        if isinstance(addresses, _Nowhere):
            probes.append(nowhere(name, answer.target or "", addresses))
        else:
            probes.extend(one(name, address, answer.target) for address in addresses)
    return Round(at=at, results=tuple(await asyncio.gather(*probes)))


async def _resolved(
    target: str, lookup: Lookup, known: Mapping[str, Sequence[str]], seconds: float
) -> Sequence[str] | _Nowhere:
    def unread(why: str) -> Sequence[str] | _Nowhere:
        return _Nowhere(unresolved=why, unread=True)

    return await guarded(f"where {target} leads", _addresses(target, lookup, known, seconds), unread)


async def _addresses(
    target: str, lookup: Lookup, known: Mapping[str, Sequence[str]], seconds: float
) -> Sequence[str] | _Nowhere:
    """By a resolver, as visitors get them; where there are none, the target's own name servers are asked as well."""
    try:
        found = await lookup.addresses(target)
    except Unavailable as error:
        return _Nowhere(unresolved=error.text)
    if found:
        return found
    try:
        async with asyncio.timeout(seconds):
            own = await lookup.own_addresses(target)
    except TimeoutError:
        own = None
    return _Nowhere(dead=DeadName(own_servers=bool(own)), last=tuple(own or known.get(target, ())))


def _behind(dead: DeadName, behind: Sequence[ProbeResult]) -> DeadName:
    """What the addresses that a dead name led to say of the app behind it."""
    good = next((r for r in behind if r.ok), None)
    if good is not None:
        return replace(dead, alive_at=good.address)
    bad = next((r for r in behind if r.ok is False), None)
    return replace(dead, silent_at=bad.address, silence=bad.reason) if bad is not None else dead


async def probe_now(
    service: Service, deployment: Deployment, lookup: Lookup, first: Round | None = None, seen: Round | None = None
) -> DeploymentHealth:
    """The health of a deployment from a few probes, then and there, for a command that watches nothing.

    `first` is a round that was probed just now, if there is one. `seen` is the newest round of somebody who does watch;
    where both are good, and at the same places, it is evidence enough beside the first.
    """
    rounds = [first or await probe_round(service, deployment, lookup)]
    if seen is not None and confirms(seen, rounds[0]):
        rounds.insert(0, seen)
    while not settled(rounds) and len(rounds) < MAX_ROUNDS:
        await asyncio.sleep(PAUSE)
        rounds.append(await probe_round(service, deployment, lookup))
    return judged(deployment.name, rounds)
