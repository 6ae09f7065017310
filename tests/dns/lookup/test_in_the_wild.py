"""Servers and names as they are: types that fail, CNAMEs that lead on and round, and whose answer it is."""

from __future__ import annotations

from pathlib import Path

import dns.rcode
import pytest

from changeover.dns.lookup.client import Lookup
from changeover.dns.lookup.cname_chain import chain
from changeover.model.dns.observed import ServerAnswer
from changeover.model.dns.records import record_set
from changeover.model.errors import Unavailable
from changeover.model.settings.service import LookupSettings
from dns_servers.answering import Answering, failing_at, scripted
from dns_servers.authoritative import ZONE_TEXT
from dns_servers.bind import Bind

ZONE, WWW = "shop.example", "www.shop.example"
SOA = "SOA ns1.shop.example. host.shop.example. 1 3600 600 86400 60"
CHAIN = ZONE_TEXT + "".join(f"n{number} CNAME n{number + 1}\n" for number in range(40)) + "n40 A 192.0.2.7\n"
SERVFAIL = dns.rcode.SERVFAIL


def lookup(server: str = "", resolver: str = "", timeout: float = 4.0) -> Lookup:
    zones = {ZONE: (server,)} if server else {}
    settings = LookupSettings(resolvers=(resolver,) if resolver else (), nameservers=zones, doh=(), witnesses=())
    return Lookup(settings, timeout)


async def said_of(name: str, server: str, timeout: float = 4.0) -> ServerAnswer:
    (answer,) = await lookup(server, timeout=timeout).authoritative(ZONE, [name])
    return answer


class TestTypes:
    @pytest.mark.parametrize("rcode", [SERVFAIL, dns.rcode.NOTIMP, dns.rcode.REFUSED, dns.rcode.FORMERR, None], ids=str)
    @pytest.mark.parametrize("types", [("HTTPS", "SVCB"), ("AAAA",), ("AAAA", "HTTPS", "SVCB")], ids="+".join)
    async def test_one_that_fails_spoils_nothing(
        self, bind: Bind, types: tuple[str, ...], rcode: dns.rcode.Rcode | None
    ) -> None:
        """Whatever a server says instead of an answer, silence included: what it says of the others counts."""
        with Answering(failing_at(bind.port, types, rcode)) as server:
            answer = await said_of("mail.shop.example", server.server, timeout=1.0)
        assert (answer.error, answer.records) == (None, (record_set("mail.shop.example", "A", 60, ["192.0.2.25"]),))
        assert answer.failed == types
        assert answer.gives((*answer.records, record_set("mail.shop.example", "AAAA", 60, ["::1"]))) is (
            "AAAA" in types
        )

    async def test_of_many_names_as_well(self, bind: Bind) -> None:
        """They are asked over one connection, on which some questions stay without an answer."""
        with Answering(failing_at(bind.port, ("HTTPS", "SVCB"), None)) as server:
            names = [ZONE, "mail.shop.example", WWW]
            answers = await lookup(server.server, timeout=1.0).authoritative(ZONE, names)
        assert [(a.error, [r.type for r in a.records]) for a in answers] == [
            (None, ["A", "AAAA"]),
            (None, ["A"]),
            (None, ["CNAME"]),
        ]

    async def test_nothing_of_one_and_a_failure_of_the_other_is_no_empty_answer(self, bind: Bind) -> None:
        """A name with an IPv4 address only, of which IPv4 is not answered, is not called a name without addresses."""
        with Answering(failing_at(bind.port, ("A",), SERVFAIL)) as server:
            assert (await said_of("mail.shop.example", server.server)).error == "it answers SERVFAIL"

    @pytest.mark.parametrize("failing", ["A", "AAAA"])
    async def test_at_a_resolver(self, bind: Bind, failing: str) -> None:
        """Addresses of the other family are addresses; where there are none, nobody says that there are none."""
        with Answering(failing_at(bind.port, (failing,), SERVFAIL)) as server:
            asked = lookup(resolver=server.server)
            assert await asked.addresses(ZONE) == (("2001:db8::10",) if failing == "A" else ("192.0.2.10",))
            with pytest.raises(Unavailable, match="SERVFAIL"):
                await asked.addresses("nothing.shop.example")


class TestAliases:
    @pytest.mark.parametrize("first", [24, 28, 32])
    async def test_a_long_chain_is_followed(self, tmp_path: Path, first: int) -> None:
        """8, 12 and 16 CNAMEs in a row lead to an address."""
        with Bind(tmp_path, zone_text=CHAIN) as bind:
            name = f"n{first}.{ZONE}"
            found = await chain(lookup(bind.server), name)
            assert await lookup(bind.server).own_addresses(name) == ("192.0.2.7",)
            assert await lookup(resolver=bind.server).addresses(name) == ("192.0.2.7",)
        assert (found.broken, len(found.links)) == ("", 40 - first + 1)

    async def test_a_dname_is_followed(self, tmp_path: Path) -> None:
        """What the server makes of it is a CNAME (RFC 6672, 3.1)."""
        with Bind(tmp_path, zone_text=ZONE_TEXT + "old DNAME new\nwww.new 30 A 192.0.2.8\n") as bind:
            assert await lookup(bind.server).own_addresses("www.old.shop.example") == ("192.0.2.8",)
            found = await chain(lookup(bind.server), "www.old.shop.example")
        assert [(link.name, link.type) for link in found.links] == [
            ("www.old.shop.example", "CNAME"),
            ("www.new.shop.example", "A"),
        ]

    @pytest.mark.parametrize("length", [1, 2, 3])
    async def test_a_loop_is_an_outage_and_no_error(self, tmp_path: Path, length: int) -> None:
        """Also one that a name leads to itself by. The name has no address, and what stands there is known."""
        ring = "".join(f"r{number} CNAME r{(number + 1) % length}\n" for number in range(length))
        with Bind(tmp_path, zone_text=ZONE_TEXT + ring) as bind:
            assert await lookup(bind.server).own_addresses("r0.shop.example") == ()
            assert "loop" in (await chain(lookup(bind.server), "r0.shop.example")).broken
            (record,) = (await said_of("r0.shop.example", bind.server)).records
        assert record.values == (f"r{1 % length}.shop.example",)

    async def test_a_server_that_fails_at_a_loop_is_asked_for_the_cname(self) -> None:
        """As PowerDNS does, which follows it before it answers."""
        failing = {(WWW, rtype): SERVFAIL for rtype in ("A", "AAAA", "HTTPS", "SVCB")}
        says = {**failing, (WWW, "CNAME"): f"{WWW} 60 CNAME primary.shop.example."}
        with Answering(scripted(says, f"-{ZONE} 60 {SOA}")) as server:
            answer = await said_of(WWW, server.server)
        assert (answer.error, answer.records) == (None, (record_set(WWW, "CNAME", 60, ["primary.shop.example"]),))


class TestWhoseAnswer:
    async def test_a_zone_within_it_on_the_same_server_is_another(self) -> None:
        """An answer counts as the zone's only where its authority says so."""
        says = {("www.eu.shop.example", "A"): "www.eu.shop.example 60 A 192.0.2.1"}
        inner = f"-eu.{ZONE} 60 {SOA}"
        with Answering(scripted(says, inner)) as server:
            answer = await said_of("www.eu.shop.example", server.server)
        assert answer.elsewhere == "eu.shop.example"
        assert "in the zone eu.shop.example, not in shop.example" in (answer.error or "")

    @pytest.mark.parametrize(
        ("name", "answers"),
        [
            pytest.param(
                WWW, {(WWW, "SOA"): f"{WWW} 60 CNAME a.plat.example.\n-plat.example 60 {SOA}"}, id="elsewhere"
            ),
            pytest.param(WWW, {(WWW, "SOA"): f"{WWW} 60 CNAME example.\nexample 60 {SOA}"}, id="to the apex above"),
            pytest.param(WWW, {(WWW, "SOA"): SERVFAIL}, id="round in a loop"),
            pytest.param(f"a.b.{ZONE}", {}, id="two labels below"),
            pytest.param(ZONE, {(ZONE, "SOA"): f"{ZONE} 60 {SOA}"}, id="the apex"),
        ],
    )
    async def test_the_zone_is_at_the_first_cut_above_the_name(
        self, name: str, answers: dict[tuple[str, str], str | dns.rcode.Rcode]
    ) -> None:
        """Wherever a CNAME there leads: it is no zone of the CNAME's target."""
        with Answering(scripted({(ZONE, "SOA"): f"{ZONE} 60 {SOA}", **answers}, f"-{ZONE} 60 {SOA}")) as resolver:
            assert await lookup(resolver=resolver.server).zone_of(name) == ZONE
