"""The versions of a zone at its servers, and whole chains of names with their full TTLs, with BIND and Unbound."""

from __future__ import annotations

from pathlib import Path

from changeover.dns.lookup.client import Lookup
from changeover.dns.lookup.cname_chain import chain
from changeover.dns.lookup.soa import serials
from changeover.model.dns.propagation import EMPTY, Chain, ChainLink, longest_cache, serial_words
from changeover.model.settings.service import LookupSettings
from dns_servers.authoritative import ZONE_TEXT
from dns_servers.bind import Bind
from dns_servers.process import free_port
from dns_servers.unbound import Unbound

ZONE, PLATFORM = "shop.example", "platform.example"
WWW = f"www.{ZONE}"
CHAINED = ZONE_TEXT.replace("www CNAME primary.example.net.", f"www 300 CNAME edge.{PLATFORM}.")
PLATFORM_TEXT = """\
@ SOA ns1 hostmaster 1 3600 600 86400 900
@ NS ns1
ns1 A 127.0.0.1
edge 7200 CNAME rack7
rack7 30 A 192.0.2.7
empty 7200 CNAME rack8
"""


def lookup(timeout: float = 4.0, resolvers: tuple[str, ...] = (), **zones: str) -> Lookup:
    by_zone = {f"{name}.example": tuple(servers.split()) for name, servers in zones.items()}
    return Lookup(LookupSettings(resolvers=resolvers, nameservers=by_zone, doh=(), witnesses=()), timeout)


async def test_a_server_that_lags_is_known_by_its_serial(tmp_path: Path) -> None:
    """Its answers may be the same; its version of the zone is not. A silent one is left out."""
    with Bind(tmp_path, ipv6=True) as one, Bind(tmp_path) as other:
        servers = f"127.0.0.1:{one.port} [::1]:{one.port} {other.server} 127.0.0.1:{free_port()}"
        same = await serials(lookup(shop=servers), ZONE)
        assert [(s.serial, s.primary, s.negative_ttl) for s in same] == [(1, "ns1.shop.example", 60)] * 3
        assert serial_words(same) == ""
        one.change(add=["new 60 A 192.0.2.99"])
        differing = await serials(lookup(shop=servers), ZONE)
    assert serial_words(differing) == f"{other.server} has serial 1, the others 2"


class TestChain:
    async def test_every_name_has_its_full_ttl(self, tmp_path: Path) -> None:
        """Each from its own servers, not from a cache in which it counts down; the longest of all is found."""
        with Bind(tmp_path, zone_text=CHAINED) as own, Bind(tmp_path, PLATFORM, PLATFORM_TEXT) as platform:
            found = await chain(lookup(shop=own.server, platform=platform.server), WWW)
        links = (
            ChainLink(WWW, "CNAME", 300),
            ChainLink(f"edge.{PLATFORM}", "CNAME", 7200),
            ChainLink(f"rack7.{PLATFORM}", "A", 30),
        )
        assert found == Chain(WWW, links)
        assert longest_cache([found]).text == (
            "Resolvers may keep the old answer for 2 h: www.shop.example leads to edge.platform.example; "
            "edge.platform.example CNAME has a TTL of 2 h"
        )

    async def test_the_zone_of_a_foreign_name_is_found(self, tmp_path: Path) -> None:
        """By its SOA record, as a resolver has it; its name servers by NS records."""
        with (
            Bind(tmp_path, zone_text=CHAINED) as own,
            Bind(tmp_path, PLATFORM, PLATFORM_TEXT) as platform,
            Unbound(tmp_path, platform.server) as resolver,
        ):
            found = await chain(lookup(resolvers=(resolver.server,), shop=own.server, timeout=0.5), WWW)
        assert found.links == (ChainLink(WWW, "CNAME", 300),)  # its servers are at port 53, where nobody listens
        assert "platform.example" in found.broken

    async def test_of_servers_that_differ_the_longest_counts(self, tmp_path: Path) -> None:
        """A visitor may have got any of them."""
        longer = ZONE_TEXT.replace("@ A 192.0.2.10", "@ 4000 A 192.0.2.10")
        with Bind(tmp_path) as one, Bind(tmp_path, zone_text=longer) as other:
            for servers in (f"{one.server} {other.server}", f"{other.server} {one.server}"):
                found = await chain(lookup(shop=servers), ZONE)
                assert found.links == (ChainLink(ZONE, "A", 4000), ChainLink(ZONE, "AAAA", 60))

    async def test_that_there_is_nothing_is_kept_as_well(self, tmp_path: Path) -> None:
        """For the SOA's minimum or its TTL, whichever is shorter (RFC 2308, 5): here the zone's TTL of 60."""
        with Bind(tmp_path, PLATFORM, PLATFORM_TEXT) as platform:
            found = await chain(lookup(platform=platform.server), f"empty.{PLATFORM}")
        assert found.links == (ChainLink(f"empty.{PLATFORM}", "CNAME", 7200), ChainLink(f"rack8.{PLATFORM}", EMPTY, 60))

    async def test_a_chain_without_end_is_left(self, tmp_path: Path) -> None:
        """And that is told."""
        text = PLATFORM_TEXT + "".join(f"n{number} CNAME n{number + 1}\n" for number in range(40))
        with Bind(tmp_path, PLATFORM, text) as platform:
            found = await chain(lookup(platform=platform.server), f"n0.{PLATFORM}")
        assert "more than 32 names" in found.broken

    async def test_nobody_answers(self) -> None:
        """What is not known is said, and nothing raised."""
        found = await chain(lookup(shop=f"127.0.0.1:{free_port()}", timeout=0.5), WWW)
        assert found == Chain(WWW, (), "no name server of shop.example answers for www.shop.example")
