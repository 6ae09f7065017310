"""Looking names up at authoritative servers and at resolvers, with BIND and Unbound."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path

import pytest

from changeover.dns.lookup.client import Lookup
from changeover.model.dns.observed import ServerAnswer
from changeover.model.dns.records import record_set
from changeover.model.errors import NotFound, Unavailable
from changeover.model.settings.service import LookupSettings
from dns_servers.authoritative import ZONE_TEXT
from dns_servers.bind import Bind
from dns_servers.process import free_port
from dns_servers.relay import Relay
from dns_servers.unbound import Unbound

ZONE, WWW = "shop.example", "www.shop.example"
WWW_CNAME = (record_set(WWW, "CNAME", 60, ["primary.example.net"]),)
APEX_ADDRESSES = (record_set(ZONE, "A", 60, ["192.0.2.10"]), record_set(ZONE, "AAAA", 60, ["2001:db8::10"]))


def lookup(*name_servers: str, resolvers: tuple[str, ...] = (), timeout: float = 4.0) -> Lookup:
    settings = LookupSettings(resolvers=resolvers, nameservers={ZONE: name_servers} if name_servers else {})
    return Lookup(settings, timeout)


class TestAuthoritative:
    async def test_every_server_is_asked_at_every_address(self, tmp_path: Path) -> None:
        """IPv4 and IPv6; each answer names the server and the address that gave it."""
        with Bind(tmp_path, ipv6=True) as one, Bind(tmp_path) as other:
            servers = (f"127.0.0.1:{one.port}", f"[::1]:{one.port}", other.server)
            answers = await lookup(*servers).authoritative(ZONE, [WWW, ZONE])
        assert list(answers) == [
            ServerAnswer(server=server, address=server, hostname=name, zone=ZONE, records=records)
            for server in servers
            for name, records in ((WWW, WWW_CNAME), (ZONE, APEX_ADDRESSES))
        ]

    async def test_a_change_shows_at_once(self, bind: Bind) -> None:
        """No answer is remembered."""
        there = lookup(bind.server)
        before = await there.authoritative(ZONE, [WWW])
        bind.change(delete=["www"], add=["www 30 A 198.51.100.1"])
        after = await there.authoritative(ZONE, [WWW])
        assert [a.records for a in (*before, *after)] == [WWW_CNAME, (record_set(WWW, "A", 30, ["198.51.100.1"]),)]

    async def test_a_name_that_is_not_there_is_an_empty_answer(self, bind: Bind) -> None:
        """It is no error: the server knows that there is nothing."""
        (answer,) = await lookup(bind.server).authoritative(ZONE, ["nothing.shop.example"])
        assert (answer.records, answer.error, answer.checked) == ((), None, True)

    async def test_many_names_are_asked_at_once(self, bind: Bind) -> None:
        """By one connection to each server."""
        names = [f"n{number}.shop.example" for number in range(300)]
        bind.change(add=[f"{name}. 60 A 192.0.2.1" for name in names])
        answers = await lookup(bind.server).authoritative(ZONE, names)
        assert [(a.hostname, a.records) for a in answers] == [
            (name, (record_set(name, "A", 60, ["192.0.2.1"]),)) for name in names
        ]

    async def test_a_server_that_falls_silent_half_way(self, bind: Bind) -> None:
        """Is told with how many questions it answered; none of its answers is taken for the whole."""
        names = [f"n{number}.shop.example" for number in range(20)]
        with Relay(bind.port) as relay:
            relay.patience = 7
            answers = await lookup(relay.server, timeout=1.0).authoritative(ZONE, names, ("A",))
        assert {answer.error for answer in answers} == {
            f"{relay.server} answered 7 of 20 questions, then nothing for 1 s"
        }

    async def test_a_large_answer_arrives_whole(self, tmp_path: Path) -> None:
        """More addresses than one datagram holds."""
        values = [f"2001:db8::{number:x}" for number in range(1, 81)]
        text = ZONE_TEXT + "".join(f"big AAAA {value}\n" for value in values)
        with Bind(tmp_path, zone_text=text) as bind:
            (answer,) = await lookup(bind.server).authoritative(ZONE, ["big.shop.example"])
        assert answer.records == (record_set("big.shop.example", "AAAA", 60, values),)

    async def test_an_https_record_is_part_of_the_answer(self, bind: Bind) -> None:
        """It decides where browsers go."""
        bind.change(add=['shop.example. 60 HTTPS 1 . alpn="h2"'])
        (answer,) = await lookup(bind.server).authoritative(ZONE, [ZONE])
        assert [r.type for r in answer.records] == ["A", "AAAA", "HTTPS"]

    async def test_each_trouble_is_told_at_its_server(self, tmp_path: Path) -> None:
        """One is silent, one is down, one refuses, one is not authoritative, one cannot be reached; one answers."""
        with ExitStack() as stack:
            good, silent, stranger = (
                stack.enter_context(Bind(tmp_path, zone)) for zone in (ZONE, ZONE, "other.example")
            )
            resolver = stack.enter_context(Unbound(tmp_path, good.server))
            # A cache answers questions without recursion from what it has (RFC 1034, 4.3.2).
            for rtype in ("A", "AAAA", "HTTPS", "SVCB"):
                await lookup(resolvers=(resolver.server,)).resolve(ZONE, rtype)
            silent.pause()
            down, nowhere = f"127.0.0.1:{free_port()}", "[fe80::1]:53"
            servers = (good.server, silent.server, stranger.server, resolver.server, down, nowhere)
            answers = await lookup(*servers, timeout=0.5).authoritative(ZONE, [ZONE])
        found = {answer.server: answer for answer in answers}
        assert found[good.server].records == APEX_ADDRESSES
        assert found[good.server].error is None
        assert "did not answer within 0.5 s" in (found[silent.server].error or "")
        assert found[stranger.server].error == "it answers REFUSED"
        assert "not authoritative" in (found[resolver.server].error or "")
        assert "refuses connections" in (found[down].error or "")
        assert {server: answer.checked for server, answer in found.items()} == {s: s != nowhere for s in servers}


class TestNameServers:
    async def test_they_are_found_by_the_zones_ns_records(self, tmp_path: Path) -> None:
        """With all their addresses, IPv4 first."""
        text = ZONE_TEXT + "@ NS ns2\nns2 AAAA ::1\nns2 A 127.0.0.2\n"
        with Bind(tmp_path, zone_text=text) as bind, Unbound(tmp_path, bind.server) as resolver:
            there = lookup(resolvers=(resolver.server,))
            servers = await there.name_servers(ZONE)
        assert {ns.name: [s.address for s in ns.servers] for ns in servers} == {
            "ns1.shop.example": ["127.0.0.1"],
            "ns2.shop.example": ["127.0.0.2", "::1"],
        }

    async def test_a_name_server_whose_name_does_not_resolve_is_told(self, tmp_path: Path) -> None:
        """And keeps nobody from asking the others."""
        text = ZONE_TEXT.replace("@ NS ns1", "@ NS ns1\n@ NS ns.elsewhere.example.")
        with Bind(tmp_path, zone_text=text) as bind, Unbound(tmp_path, bind.server) as resolver:
            there = lookup(resolvers=(resolver.server,))
            found = {ns.name: ns.servers for ns in await there.name_servers(ZONE)}
        assert found["ns.elsewhere.example"] == ()
        assert found["ns1.shop.example"]

    async def test_a_zone_without_name_servers_is_not_found(self, bind: Bind, tmp_path: Path) -> None:
        """The error says to look at the delegation."""
        with Unbound(tmp_path, bind.server) as resolver:
            with pytest.raises(NotFound, match=r"nothing\.shop\.example") as caught:
                await lookup(resolvers=(resolver.server,)).authoritative("nothing.shop.example", [WWW])
            assert "delegated" in caught.value.hint


class TestResolvers:
    async def test_the_ttl_counts_down_while_the_old_answer_is_kept(self, bind: Bind, tmp_path: Path) -> None:
        """After a change a resolver goes on with what it has, and says for how long."""
        with Unbound(tmp_path, bind.server) as resolver:
            there = lookup(resolvers=(resolver.server,))
            (first,) = await there.resolvers(ZONE)
            assert [(r.type, r.values) for r in first.records] == [(r.type, r.values) for r in APEX_ADDRESSES]
            assert 0 < first.ttl_left <= 60
            bind.change(delete=["@ A", "@ AAAA"], add=["@ 60 A 198.51.100.1"])
            async with asyncio.timeout(10):
                while (later := (await there.resolvers(ZONE))[0]).ttl_left == first.ttl_left:
                    pass  # asking again is all that can be waited for
            assert later.ttl_left < first.ttl_left
            assert [r.values for r in later.records] == [r.values for r in first.records]

    async def test_each_resolver_answers_for_itself(self, bind: Bind, tmp_path: Path) -> None:
        """One that is down or refuses has an error, and no records that look like a name that is gone."""
        with Unbound(tmp_path, bind.server) as resolver:
            down = f"127.0.0.1:{free_port()}"
            answers = await lookup(resolvers=(resolver.server, down, bind.server)).resolvers("www.other.example")
            assert [bool(a.error) for a in answers] == [True, True, True]
            assert answers[2].error == "it answers REFUSED"
            answers = await lookup(resolvers=(resolver.server, down)).resolvers("mail.shop.example")
        assert [[r.values for r in a.records] for a in answers] == [[("192.0.2.25",)], []]
        assert [bool(a.error) for a in answers] == [False, True]

    async def test_the_first_resolver_that_answers_is_believed(self, bind: Bind, tmp_path: Path) -> None:
        """One that is down or refuses is passed over."""
        with Unbound(tmp_path, bind.server) as resolver, Bind(tmp_path, "other.example") as stranger:
            resolvers = (f"127.0.0.1:{free_port()}", stranger.server, resolver.server)
            assert await lookup(resolvers=resolvers).addresses(ZONE) == ("192.0.2.10", "2001:db8::10")

    async def test_nobody_answers(self) -> None:
        """The error names every resolver that was tried."""
        down = f"127.0.0.1:{free_port()}"
        with pytest.raises(Unavailable, match=down):
            await lookup(resolvers=(down,)).resolve(WWW, "A")

    async def test_an_address_stands_for_itself(self) -> None:
        """Nobody is asked."""
        assert await lookup().addresses("192.0.2.1") == ("192.0.2.1",)
        assert await lookup().addresses("2001:db8::1") == ("2001:db8::1",)
        assert await lookup().addresses("localhost") == ("127.0.0.1",)
