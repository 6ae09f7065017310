"""The start of authority (SOA) of a zone at every name server: the version that each of them has."""

from __future__ import annotations

import asyncio
from typing import cast

import dns.rdatatype
from dns.rdtypes.ANY.SOA import SOA

from changeover.dns.lookup.client import Lookup
from changeover.dns.wire.exchange import Server, ask, question
from changeover.model.dns.propagation import Serial
from changeover.model.errors import Unavailable


async def serials(lookup: Lookup, zone: str) -> tuple[Serial, ...]:
    """The version of `zone` at every address of every authoritative server. Those that do not say are left out.

    Raises what `Lookup.name_servers` raises.
    """
    servers = [(ns.name, server) for ns in await lookup.name_servers(zone) for server in ns.servers]
    found = await asyncio.gather(*(_serial(name, server, zone, lookup.timeout) for name, server in servers))
    return tuple(serial for serial in found if serial is not None)


async def _serial(name: str, server: Server, zone: str, timeout: float) -> Serial | None:
    try:
        answer = await ask(server, question(zone, "SOA"), timeout)
    except Unavailable:
        return None  # the answers themselves tell of silent servers
    found = start_of_authority(answer)
    if found is None:
        return None
    ttl, soa = found
    primary = soa.mname.to_text(omit_final_dot=True).lower()
    return Serial(
        server=name,
        address=str(server),
        zone=zone,
        serial=soa.serial,
        primary=primary,
        negative_ttl=min(ttl, soa.minimum),
    )


def start_of_authority(message: dns.message.Message) -> tuple[int, SOA] | None:
    """The SOA record of a message with its TTL: the answer, or what stands beside "there is nothing"."""
    rrsets = [r for r in (*message.answer, *message.authority) if r.rdtype == dns.rdatatype.SOA]
    return (rrsets[0].ttl, cast(SOA, rrsets[0][0])) if rrsets else None
