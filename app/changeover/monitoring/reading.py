"""Reading a service's snapshot: its records at every account, and what the authoritative servers say."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

from changeover.dns.lookup.client import Lookup
from changeover.dns.provider import Provider
from changeover.health.unforeseen import guarded
from changeover.model.dns.capabilities import Capabilities
from changeover.model.dns.change import ZoneAt
from changeover.model.dns.dnssec import Signing
from changeover.model.dns.lease import lease_name
from changeover.model.dns.observed import RoutingName, ServerAnswer
from changeover.model.dns.records import address_set
from changeover.model.errors import ChangeoverError, KeyringError, NotFound, Unavailable
from changeover.model.runs.plan import ZoneReading
from changeover.model.settings.service import Service


async def read_zones(service: Service, providers: Mapping[str, Provider | ChangeoverError]) -> tuple[ZoneReading, ...]:
    """One reading for each account and zone of the service. What fails becomes a reading with an error.

    `providers` has, by account, the provider or why it could not be opened. Each credential is also tried for its
    right to write.
    """

    async def one(entry: ZoneAt) -> ZoneReading:
        provider, at = providers[entry.account], datetime.now(UTC)
        capabilities = _NOTHING if isinstance(provider, ChangeoverError) else provider.capabilities

        def unread(why: str) -> ZoneReading:
            error = Unavailable(f"{entry.zone} at {entry.account} is not known: {why}")
            return _unreadable(entry, capabilities, error, at)

        work = _read_zone(service, entry, provider)
        return await guarded(f"{entry.zone} at {entry.account}", work, unread)

    return tuple(await asyncio.gather(*(one(entry) for entry in service.dns)))


async def _read_zone(service: Service, entry: ZoneAt, provider: Provider | ChangeoverError) -> ZoneReading:
    at = datetime.now(UTC)
    if isinstance(provider, ChangeoverError):
        return _unreadable(entry, _NOTHING, provider, at)
    names = service.hostnames_in(entry.zone)
    asked = (*names, lease_name(entry.zone)) if service.lease and provider.capabilities.leases else names
    try:
        reading = await provider.read(entry.zone, asked)
        access = await provider.verify(entry.zone, names)
    except ChangeoverError as error:
        return _unreadable(entry, provider.capabilities, error, at)
    wanted = {
        deployment.name: {
            name: provider.normalize(
                entry.zone,
                address_set(reading.records[name]),
                deployment.answer_for(name).record_sets(name, max(service.ttl, provider.capabilities.least_ttl)),
            )
            for name in names
        }
        for deployment in service.deployments
    }
    return ZoneReading(
        account=entry.account,
        zone=entry.zone,
        capabilities=provider.capabilities,
        at=at,
        records=reading.records,
        wanted=wanted,
        wildcards=tuple(name for name in reading.wildcards if name in names),
        policies=reading.policies,
        may_write=access.may_write,
    )


#: Stands for a provider that could not be opened.
_NOTHING = Capabilities(label="DNS provider", batch=None, native_compare_and_set=False, propagates_atomically=False)


def _unreadable(entry: ZoneAt, capabilities: Capabilities, error: ChangeoverError, at: datetime) -> ZoneReading:
    kind = "keyring" if isinstance(error, KeyringError) else error.kind
    return ZoneReading(
        account=entry.account,
        zone=entry.zone,
        capabilities=capabilities,
        at=at,
        error=error.text,
        error_kind=kind,
        hint=error.hint,
    )


async def read_servers(service: Service, lookup: Lookup) -> tuple[ServerAnswer, ...]:
    """What every authoritative server of the service's zones says about its hostnames."""
    zones = sorted({entry.zone for entry in service.dns})

    async def one(zone: str) -> tuple[ServerAnswer, ...]:
        def unread(why: str) -> tuple[ServerAnswer, ...]:
            return _silent(service, zone, f"not known: {why}")

        return await guarded(f"the name servers of {zone}", _read_servers(service, zone, lookup), unread)

    found = await asyncio.gather(*(one(zone) for zone in zones))
    return tuple(answer for answers in found for answer in answers)


async def _read_servers(service: Service, zone: str, lookup: Lookup) -> tuple[ServerAnswer, ...]:
    try:
        return await lookup.authoritative(zone, service.hostnames_in(zone))
    except (Unavailable, NotFound) as error:
        return _silent(service, zone, error.text)


def _silent(service: Service, zone: str, why: str) -> tuple[ServerAnswer, ...]:
    return tuple(
        ServerAnswer(server=f"the name servers of {zone}", address="", hostname=name, zone=zone, error=why)
        for name in service.hostnames_in(zone)
    )


async def read_signing(service: Service, lookup: Lookup) -> tuple[Signing, ...]:
    """How those zones of the service are signed that the zones above call signed."""
    from changeover.dns.lookup.dnssec import signing_of

    zones = sorted({entry.zone for entry in service.dns})

    async def one(zone: str) -> Signing | None:
        return await guarded(f"how {zone} is signed", signing_of(zone, lookup), lambda _: None)

    found = await asyncio.gather(*(one(zone) for zone in zones))
    return tuple(signing for signing in found if signing is not None)


async def read_names(service: Service, lookup: Lookup) -> tuple[RoutingName, ...]:
    """Every name that an answer of the service leads to, as resolvers and its own name servers see it."""
    answers = [d.answer_for(name) for d in service.deployments for name in service.hostnames]
    targets = dict.fromkeys(answer.target for answer in answers if answer.target is not None)

    async def one(target: str) -> RoutingName:
        def unread(_: str) -> RoutingName:
            return RoutingName(name=target, resolved=None, own=None)

        return await guarded(f"where {target} leads", _read_name(target, lookup), unread)

    return tuple(await asyncio.gather(*(one(target) for target in targets)))


async def _read_name(target: str, lookup: Lookup) -> RoutingName:
    async def resolved() -> tuple[str, ...] | None:
        try:
            return await lookup.addresses(target)
        except Unavailable:
            return None

    public, own = await asyncio.gather(resolved(), lookup.own_addresses(target))
    return RoutingName(name=target, resolved=public, own=own)
