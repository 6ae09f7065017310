"""Asks whether a zone is signed as the zone above says it is: DS above, DNSKEY and RRSIG at every name server.

No signature is verified here, which is a resolver's work. What is looked for is what a second DNS provider, or one that
a zone moved to, most often lacks: signatures at all, and the key that the DS records speak of (RFC 4035, 5).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import TypeVar

import dns.flags
import dns.message
import dns.name
import dns.rcode
from dns.rdtypes.ANY.DNSKEY import DNSKEY
from dns.rdtypes.ANY.DS import DS
from dns.rdtypes.ANY.RRSIG import RRSIG
from dns.rdtypes.ANY.SOA import SOA

from changeover.dns.lookup.client import Lookup
from changeover.dns.wire.exchange import Server, ask
from changeover.model.dns.dnssec import Signing
from changeover.model.errors import NotFound, Unavailable

_R = TypeVar("_R", DS, DNSKEY, RRSIG, SOA)


class _Server(Enum):
    SIGNED = "signed"
    UNSIGNED = "unsigned"
    OTHER_KEY = "other_key"


async def signing_of(zone: str, lookup: Lookup) -> Signing | None:
    """How the name servers of a signed zone sign it. None where the zone is not signed, or nobody says so.

    Name servers that do not answer are left out.
    """
    above = await _ds_of(zone, lookup)
    if not above:
        return None
    try:
        servers = await lookup.name_servers(zone)
    except (Unavailable, NotFound):
        return None
    pairs = [(ns.name, server) for ns in servers for server in ns.servers]
    states = await asyncio.gather(*(_state(zone, server, above, lookup.timeout) for _, server in pairs))

    def those(state: _Server) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for (name, _), found in zip(pairs, states, strict=True) if found is state))

    return Signing(
        zone=zone,
        signed=those(_Server.SIGNED),
        unsigned=those(_Server.UNSIGNED),
        other_key=those(_Server.OTHER_KEY),
    )


async def _ds_of(zone: str, lookup: Lookup) -> list[DS]:
    """The DS records of the zone, by the first resolver of the settings that answers."""
    for text in lookup.settings.resolvers:
        try:
            query = _question(zone, "DS")
            query.flags |= dns.flags.RD
            answer = await ask(await lookup.resolver(text), query, lookup.timeout)
        except (Unavailable, ValueError):
            continue
        if answer.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            return list(_records(answer, DS))
    return []


async def _state(zone: str, server: Server, above: Sequence[DS], timeout: float) -> _Server | None:
    try:
        keys, soa = await asyncio.gather(
            ask(server, _question(zone, "DNSKEY"), timeout), ask(server, _question(zone, "SOA"), timeout)
        )
    except Unavailable:
        return None
    if not list(_records(soa, SOA)):
        return None
    if not list(_records(soa, RRSIG)):
        return _Server.UNSIGNED
    import dns.dnssec  # brings half of cryptography, for the few whose zone is signed

    vouched = {(ds.key_tag, ds.algorithm) for ds in above}
    here = {(dns.dnssec.key_id(key), key.algorithm) for key in _records(keys, DNSKEY)}
    return _Server.SIGNED if vouched & here else _Server.OTHER_KEY


def _question(zone: str, rtype: str) -> dns.message.QueryMessage:
    query = dns.message.make_query(dns.name.from_text(zone), rtype, want_dnssec=True, payload=1232)
    query.flags = dns.flags.Flag(0)
    return query


def _records(answer: dns.message.Message, kind: type[_R]) -> Iterator[_R]:
    return (rdata for rrset in answer.answer for rdata in rrset if isinstance(rdata, kind))
