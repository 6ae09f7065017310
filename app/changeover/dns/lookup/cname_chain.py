"""A hostname's whole CNAME chain, with the full TTLs that authoritative servers give."""

from __future__ import annotations

from changeover.dns.lookup.client import LONGEST_CHAIN, Lookup
from changeover.dns.lookup.soa import serials
from changeover.model.dns.propagation import EMPTY, Chain, ChainLink
from changeover.model.errors import NotFound, Unavailable


async def chain(lookup: Lookup, hostname: str) -> Chain:
    """The way from `hostname` to its addresses, every CNAME followed to its own servers, with their full TTLs.

    All authoritative servers are asked; of different TTLs the longest counts.
    """
    links: list[ChainLink] = []
    name = hostname
    passed: set[str] = set()
    while name not in passed and len(passed) < LONGEST_CHAIN:
        passed.add(name)
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
        links += [ChainLink(name, rtype, ttl) for rtype, ttl in ttls.items()]
        alias = next((r.values[0] for answer in said for r in answer.records if r.type == "CNAME"), None)
        if alias is None:
            return Chain(hostname, tuple(links))
        name = alias.rstrip(".")
    if name in passed:
        return Chain(hostname, tuple(links), f"{hostname} leads round in a loop, over {name}")
    return Chain(hostname, tuple(links), f"{hostname} leads over more than {LONGEST_CHAIN} names")
