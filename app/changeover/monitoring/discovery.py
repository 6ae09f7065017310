"""Asking every account for a hostname's zone, and the world where its delegation leads."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import dns.flags
import dns.message
import dns.rcode

from changeover.dns.lookup.client import Lookup, NameServer
from changeover.dns.provider import Provider
from changeover.dns.wire.answer import record_sets_in
from changeover.dns.wire.exchange import ask, question
from changeover.model.dns.discovery import (
    Asked,
    Discovery,
    HostedZone,
    discovered,
    longest_zone,
    name_servers_in,
    parents,
    zone_seen,
)
from changeover.model.errors import (
    AuthError,
    ChangeoverError,
    NotFound,
    PermissionDenied,
    ProviderError,
    Rejected,
    Unavailable,
)
from changeover.model.settings.service import Account

#: Of a parent's name servers, so many are asked for the delegation: all of them have the same.
_ASKED = 3


async def discover(
    hostname: str, accounts: Sequence[Account], providers: Mapping[str, Provider | ChangeoverError], lookup: Lookup
) -> Discovery:
    """Who has the zone of `hostname`. `providers` has, by account, the provider or why it could not be opened."""
    every = asyncio.gather(*(_ask(hostname, account, providers[account.name]) for account in accounts))
    asked, seen = await asyncio.gather(every, _seen(hostname, lookup))
    known = zone_seen(hostname, seen) or ""
    zones = {one.held.zone for one in asked if one.held is not None}
    # What lies below may be delegated to servers that do not answer, which resolvers then say nothing about.
    zones |= {name for name in seen if len(name) >= len(known)}
    delegated = await asyncio.gather(*(_at_the_parent(zone, seen, lookup) for zone in zones))
    seen |= {zone: servers for zone, servers in zip(zones, delegated, strict=True) if servers}
    return discovered(hostname, asked, seen)


async def _ask(hostname: str, account: Account, provider: Provider | ChangeoverError) -> Asked:
    """What one account says. An error of its own keeps nobody from asking the others."""
    if isinstance(provider, ChangeoverError):
        return _failed(account, account.provider, provider)
    label = provider.capabilities.label
    try:
        held = await _held(hostname, provider)
    except ChangeoverError as error:
        return _failed(account, label, error)
    return Asked(account=account.name, provider=account.provider, label=label, via=_via(account), held=held)


def _failed(account: Account, label: str, error: ChangeoverError) -> Asked:
    text = error.text.rstrip(".")
    return Asked(
        account=account.name, provider=account.provider, label=label, via=_via(account), error=text, hint=error.hint
    )


def _via(account: Account) -> str:
    """What the account's provider is at dns-lexicon, where that is its way."""
    return str(account.options.get("via", "")) if account.provider == "lexicon" else ""


async def _held(hostname: str, provider: Provider) -> HostedZone | None:
    try:
        listed = await provider.zones()
    except PermissionDenied:  # it may have the right to one zone, and none to list them
        listed = None
    if listed is not None:
        zone = longest_zone(hostname, listed)
        return await _read(hostname, zone, provider) if zone is not None else None
    refusal: ProviderError | None = None
    for zone in parents(hostname):
        try:
            return await _read(hostname, zone, provider)
        except NotFound:
            continue
        except (AuthError, PermissionDenied, Rejected) as error:
            # So some say that a zone is not theirs; which is meant, only a shorter name tells.
            refusal = refusal or error
    if refusal is not None:
        raise refusal
    return None


async def _read(hostname: str, zone: str, provider: Provider) -> HostedZone:
    reading = await provider.read(zone, list(dict.fromkeys([hostname, zone])))
    return HostedZone(
        zone=zone,
        records=reading.records[hostname],
        wildcard=hostname in reading.wildcards,
        policy=reading.policies.get(hostname),
        name_servers=name_servers_in(reading.records[zone]),
    )


async def _seen(hostname: str, lookup: Lookup) -> dict[str, tuple[str, ...] | None]:
    """The name servers of `hostname` and of every name above it, as the settings or the resolvers have them."""

    async def one(name: str) -> tuple[str, ...] | None:
        if name in lookup.settings.nameservers:
            return await _at_its_own(name, lookup)
        try:
            records = await lookup.resolve(name, "NS")
        except Unavailable:
            return None
        return name_servers_in(r for r in records if r.name == name) or ()

    names = parents(hostname)
    return dict(zip(names, await asyncio.gather(*(one(name) for name in names)), strict=True))


async def _at_its_own(zone: str, lookup: Lookup) -> tuple[str, ...] | None:
    """What the name servers of the settings say, which stand in for following the delegation."""
    try:
        return await _said(zone, await lookup.name_servers(zone), lookup.timeout)
    except (Unavailable, NotFound):
        return None


async def _at_the_parent(
    zone: str, seen: Mapping[str, tuple[str, ...] | None], lookup: Lookup
) -> tuple[str, ...] | None:
    """The delegation at the servers of the zone above, which is what resolvers follow; None where it is not there."""
    above = next((name for name in parents(zone)[1:] if seen.get(name)), None)
    if above is None or zone in lookup.settings.nameservers:
        return None
    try:
        return await _said(zone, (await lookup.name_servers(above))[:_ASKED], lookup.timeout)
    except (Unavailable, NotFound):
        return None


async def _said(zone: str, name_servers: Sequence[NameServer], timeout: float) -> tuple[str, ...] | None:
    """The NS records that these servers have for `zone`, as an answer or a referral; None where none of them says."""

    async def one(name_server: NameServer) -> tuple[str, ...] | None:
        for server in name_server.servers[:1]:
            try:
                answer = await ask(server, question(zone, "NS"), timeout)
            except Unavailable:
                return None
            return _name_servers(zone, answer)
        return None

    answers = await asyncio.gather(*(one(name_server) for name_server in name_servers))
    known = [answer for answer in answers if answer is not None]
    return max(known, key=len, default=None)


def _name_servers(zone: str, answer: dns.message.Message) -> tuple[str, ...] | None:
    found = name_servers_in(record_sets_in([*answer.answer, *answer.authority], zone))
    if found is not None:
        return found
    says_no = answer.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN) and answer.flags & dns.flags.AA
    return () if says_no else None
