"""What authoritative servers publish beside answers: the version of a zone, and a name's whole chain with full TTLs."""

from __future__ import annotations

import asyncio
from typing import cast

import dns.message
import dns.rdatatype
from dns.rdtypes.ANY.SOA import SOA

from changeover.dns.exchange import Server, ask, question
from changeover.dns.lookup import Lookup
from changeover.model.errors import NotFound, Unavailable
from changeover.model.propagation import EMPTY, Chain, Link, Serial

#: More CNAMEs in a row than this are a loop.
_LONGEST_CHAIN = 8


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


async def chain(lookup: Lookup, hostname: str) -> Chain:
    """The way from `hostname` to its addresses, every CNAME followed to its own servers, with their full TTLs.

    All authoritative servers are asked; of different TTLs the longest counts.
    """
    links: list[Link] = []
    name = hostname
    for _ in range(_LONGEST_CHAIN):
        try:
            zone = await lookup.zone_of(name)
            answers = await lookup.authoritative(zone, [name])
            versions = await serials(lookup, zone)
        except (Unavailable, NotFound) as error:
            return Chain(hostname, tuple(links), error.text)
        said = [answer for answer in answers if answer.error is None]
        if not said:
            return Chain(hostname, tuple(links), f"no name server of {zone} answers for {name}")
        ttls: dict[str, int] = {}
        for record in (record for answer in said for record in answer.records):
            ttls[record.type] = max(record.ttl, ttls.get(record.type, 0))
        if any(not answer.records for answer in said):
            ttls[EMPTY] = max((version.negative_ttl for version in versions), default=0)
        links += [Link(name, rtype, ttl) for rtype, ttl in ttls.items()]
        alias = next((r.values[0] for answer in said for r in answer.records if r.type == "CNAME"), None)
        if alias is None:
            return Chain(hostname, tuple(links))
        name = alias.rstrip(".")
    return Chain(hostname, tuple(links), f"{hostname} leads over more than {_LONGEST_CHAIN} names")
