"""The service by its public names, at the addresses that its authoritative servers give to visitors."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from changeover.dns.lookup.client import Lookup
from changeover.health.rounds import MAX_CONCURRENT
from changeover.health.sample import sample
from changeover.model.dns.observed import ServerAnswer
from changeover.model.errors import NotFound, Unavailable
from changeover.model.health.baseline import Answered, Baseline, baseline_of
from changeover.model.settings.service import Service

#: Requests to each address that make a sample.
REQUESTS = 3
#: Of a service with hundreds of hostnames, so many are compared with what they were before.
MOST_NAMES = 20


async def public_addresses(lookup: Lookup, service: Service, hostnames: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """By hostname, the addresses that visitors get: from the authoritative servers, names followed by resolvers.

    Raises Unavailable where no server of a zone answers, NotFound where it has none.
    """
    zones = dict.fromkeys(service.zone_of(name) or "" for name in hostnames)
    answers: list[ServerAnswer] = []
    for zone in zones:
        said = await lookup.authoritative(zone, [n for n in hostnames if service.zone_of(n) == zone])
        good = [answer for answer in said if answer.error is None]
        if not good:
            raise Unavailable(f"No name server of {zone} answers", "Check your connection.")
        answers += good
    found: dict[str, dict[str, None]] = {name: {} for name in hostnames}
    for answer in answers:
        for record in answer.records:
            for value in record.values:
                if record.type in ("A", "AAAA"):
                    found[answer.hostname][value] = None
                elif record.type == "CNAME":
                    found[answer.hostname].update(dict.fromkeys(await lookup.addresses(value)))
    return {name: tuple(addresses) for name, addresses in found.items()}


async def take_baseline(service: Service, lookup: Lookup) -> Baseline:
    """How the service answers its visitors now, for a comparison after a switch. Never raises for what the net does.

    It takes as long as three requests, or as one that fails; hostnames that do not answer are left out.
    """
    names = service.hostnames[:MOST_NAMES]
    found = await asyncio.gather(*(public_addresses(lookup, service, [n]) for n in names), return_exceptions=True)
    places: dict[str, tuple[str, ...]] = {}
    for one in found:  # a name that leads nowhere is left out, and no other with it
        if isinstance(one, dict):
            places |= one
        elif not isinstance(one, Unavailable | NotFound):
            raise one
    marker = service.primary.marker.header if service.primary.marker is not None else None
    answers = await samples(service, places, marker, REQUESTS)
    return baseline_of(answers, datetime.now(UTC))


async def samples(
    service: Service, places: Mapping[str, Sequence[str]], marker: str | None, requests: int
) -> tuple[Answered, ...]:
    """So many plain requests, one after another, to each address of each hostname; one that fails is the last there.

    `marker` is the header that tells who answers.
    """
    gate = asyncio.Semaphore(MAX_CONCURRENT)

    async def at(name: str, address: str) -> list[Answered]:
        found: list[Answered] = []
        async with gate:
            while len(found) < requests and (not found or found[-1].status is not None):
                found.append(await sample(name, address, service.health, marker))
        return found

    works = [at(name, address) for name in list(places)[:MOST_NAMES] for address in places[name]]
    return tuple(answer for found in await asyncio.gather(*works) for answer in found)
