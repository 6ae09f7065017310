"""Changes as a plan holds them, for the tests of one provider."""

from __future__ import annotations

from changeover.dns.provider import Provider
from changeover.model.dns.change import Change
from changeover.model.dns.records import AddressSet, RecordSet, address_set, record_set
from dns_servers.ground import ZONE_NAME

WWW = f"www.{ZONE_NAME}"


def plain(rtype: str, *values: str, name: str = WWW, ttl: int = 60) -> RecordSet:
    """A record set without anything that a provider adds."""
    return record_set(name, rtype, ttl, values)


async def stands(provider: Provider, name: str = WWW) -> AddressSet:
    """The address set that the provider reads at a name."""
    return address_set((await provider.read(ZONE_NAME, [name])).records[name])


async def planned(provider: Provider, *after: RecordSet) -> Change:
    """The change of one name that a plan would hold: from what is read now to what the provider makes of `after`."""
    name = after[0].name
    before = await stands(provider, name)
    made = provider.normalize(ZONE_NAME, before, after)
    return Change(account="dns-main", zone=ZONE_NAME, name=name, before=before, after=made)
