"""Servers and names as they are: types that fail, CNAMEs that lead on and round, and whose answer it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from changeover.dns.lookup.client import Lookup
from changeover.dns.lookup.cname_chain import chain
from changeover.model.dns.observed import ServerAnswer
from changeover.model.dns.records import record_set
from changeover.model.errors import Unavailable
from changeover.model.settings.service import LookupSettings
from dns_servers.answering import (
    Answering,
    altered,
    cut_short,
    failing_at,
    not_its_own,
    refusing,
    scripted,
    to_another_question,
    unreadable,
)
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


class TestAnswersOfOneType:
    @pytest.mark.parametrize("alter", [not_its_own, cut_short, unreadable, to_another_question])
    @pytest.mark.parametrize("types", [("HTTPS", "SVCB"), ("AAAA",), ("AAAA", "HTTPS", "SVCB")], ids="+".join)
    @pytest.mark.parametrize("many", [False, True], ids=["one name", "many"])
    async def test_one_that_is_of_no_use_spoils_nothing(
        self, bind: Bind, types: tuple[str, ...], alter: Callable[[dns.message.Message], None], many: bool
    ) -> None:
        """Not authoritative for the type, cut short even over TCP, with a record that cannot be read, or to another
        question: what the server says of the other types counts, and what is unknown is not called empty."""
        names = ["mail.shop.example", *(["www.shop.example", ZONE] if many else [])]
        with Answering(altered(bind.port, types, alter)) as server:
            answer, *_ = await lookup(server.server, timeout=1.0).authoritative(ZONE, names)
        assert (answer.error, answer.records) == (None, (record_set("mail.shop.example", "A", 60, ["192.0.2.25"]),))
        assert answer.failed == types

    @pytest.mark.parametrize(
        ("alter", "told"),
        [(not_its_own, "not authoritative"), (cut_short, "does not answer"), (unreadable, "does not answer")],
    )
    async def test_without_the_addresses_nothing_is_known(
        self, bind: Bind, alter: Callable[[dns.message.Message], None], told: str
    ) -> None:
        """A name that has IPv4 only, where just that is of no use, is not taken for one without addresses."""
        with Answering(altered(bind.port, ("A",), alter)) as server:
            answer = await said_of("mail.shop.example", server.server, timeout=1.0)
        assert (answer.records, told in (answer.error or "")) == ((), True)

    async def test_silence_at_one_of_many_names(self, bind: Bind) -> None:
        """Is told at that name only."""

        def drops(query: dns.message.Message) -> dns.message.Message | None:
            asked = query.question[0]
            dropped = asked.name.to_text().startswith("mail") and asked.rdtype == dns.rdatatype.A
            return None if dropped else plain(query)

        plain = failing_at(bind.port, (), None)
        with Answering(drops) as server:
            names = ["mail.shop.example", WWW, ZONE]
            answers = await lookup(server.server, timeout=1.0).authoritative(ZONE, names)
        assert [a.error for a in answers] == ["it does not answer", None, None]

    async def test_what_else_is_in_an_answer_is_left_alone(self) -> None:
        """Names in other capitals are the same; records of other names, in the zone or not, are not its own."""
        extra = "mail.shop.example 60 A 192.0.2.9\nwww.bank.example 60 A 192.0.2.66"
        says = {(WWW, "A"): f"WwW.sHOP.example 60 A 192.0.2.1\n{extra}\n-bank.example 60 NS ns.bank.example."}
        with Answering(scripted(says, f"-{ZONE} 60 {SOA}")) as server:
            answer = await said_of(WWW, server.server)
        assert (answer.error, answer.records) == (None, (record_set(WWW, "A", 60, ["192.0.2.1"]),))

    @pytest.mark.parametrize("rcode", [dns.rcode.FORMERR, dns.rcode.NOTIMP])
    async def test_a_resolver_that_knows_no_edns(self, bind: Bind, rcode: dns.rcode.Rcode) -> None:
        """Is asked again without (RFC 6891, 6.2.2)."""
        plain = failing_at(bind.port, (), None)
        with Answering(lambda q: refusing(q, rcode) if q.edns >= 0 else plain(q)) as server:
            assert await lookup(resolver=server.server).addresses("mail.shop.example") == ("192.0.2.25",)


class TestAliases:
    @pytest.mark.parametrize("hops", [8, 12, 16])
    async def test_a_long_chain_over_several_zones_with_a_dname_in_it(self, tmp_path: Path, hops: int) -> None:
        """Each zone at its own server; the last but one hop is what a server makes of a DNAME."""
        texts = {"a.example": ZONE_TEXT, "b.example": ZONE_TEXT}
        zones = list(texts)
        for hop in range(hops):
            onward = f"n{hop + 1}" if hop + 1 < hops else "n.old"
            texts[zones[hop % 2]] += f"n{hop} CNAME {onward}.{zones[(hop + 1) % 2]}.\n"
        texts[zones[hops % 2]] += f"old DNAME new.{zones[(hops + 1) % 2]}.\n"
        texts[zones[(hops + 1) % 2]] += "n.new A 192.0.2.7\n"
        with (
            Bind(tmp_path, zones[0], texts[zones[0]]) as one,
            Bind(tmp_path, zones[1], texts[zones[1]]) as other,
        ):
            asked = Lookup(LookupSettings(nameservers={zones[0]: (one.server,), zones[1]: (other.server,)}, doh=()))
            assert await asked.own_addresses("n0.a.example") == ("192.0.2.7",)
            found = await chain(asked, "n0.a.example")
        assert (found.broken, found.links[-1].type, len(found.links)) == ("", "A", hops + 2)

    async def test_a_loop_over_two_zones(self, tmp_path: Path) -> None:
        """Is an outage, whichever servers it leads over, and no error."""
        text = ZONE_TEXT.replace("www CNAME primary.example.net.", "www CNAME www.{}.")
        with (
            Bind(tmp_path, "a.example", text.format("b.example")) as one,
            Bind(tmp_path, "b.example", text.format("a.example")) as other,
        ):
            servers = {"a.example": (one.server,), "b.example": (other.server,)}
            asked = Lookup(LookupSettings(nameservers=servers, doh=()))
            assert await asked.own_addresses("www.a.example") == ()
            assert "loop" in (await chain(asked, "www.a.example")).broken

    @pytest.mark.parametrize("target", ["old.shop.example.", "x.old.shop.example."], ids=["itself", "ever longer"])
    async def test_a_dname_to_itself_ends(self, tmp_path: Path, target: str) -> None:
        """A name below it has no address."""
        with Bind(tmp_path, zone_text=ZONE_TEXT + f"old DNAME {target}\n") as bind:
            assert not await lookup(bind.server).own_addresses("www.old.shop.example")
            assert (await chain(lookup(bind.server), "www.old.shop.example")).broken

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

    async def test_a_cname_in_a_zone_within_it(self) -> None:
        """Beside a CNAME nothing says which zone it is in; where a zone may begin above it, that is asked for."""
        name = "www.eu.shop.example"
        says = {(name, rtype): f"{name} 60 CNAME a.plat.example." for rtype in ("A", "AAAA", "HTTPS", "SVCB", "CNAME")}
        with Answering(scripted({**says, (f"eu.{ZONE}", "SOA"): f"eu.{ZONE} 60 {SOA}"}, f"-{ZONE} 60 {SOA}")) as server:
            assert (await said_of(name, server.server)).elsewhere == "eu.shop.example"
        with Answering(scripted(dict(says), f"-{ZONE} 60 {SOA}")) as server:
            assert (await said_of(name, server.server)).error is None

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
