"""The practice ground's resolver: it believes what it was told for the TTL, and not a second longer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import dns.message
import dns.rcode
import pytest

from changeover.dns.lookup.client import Lookup
from changeover.dns.wire.exchange import Server, ask, question
from changeover.lab.authority import Authority
from changeover.lab.resolver import Resolver
from changeover.model.settings.service import LookupSettings
from lab.messages import send, update
from lab.programs import dig

TEXT = """$TTL 60
@ SOA ns1 hostmaster 1 3600 600 86400 10
@ NS ns1
ns1 A 127.0.0.1
www 20 A 127.0.0.2
chain 100 CNAME www
outside CNAME www.example.net.
loop CNAME pool
pool CNAME loop
dangling CNAME nosuch
note TXT "a note"
none 0 A 192.0.2.1
"""


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.25

    def __call__(self) -> float:
        return self.now


class World:
    """A name server, the resolver in front of it, and the resolver's clock."""

    def __init__(self, authority: int, resolver: int, clock: Clock) -> None:
        self.authority = authority
        self.resolver = resolver
        self.clock = clock

    async def ask(self, name: str, rtype: str = "A") -> dns.message.Message:
        return await ask(Server("127.0.0.1", self.resolver), question(name, rtype, recursion=True))

    async def answer(self, name: str, rtype: str = "A") -> list[str]:
        """Each record of the answer in a few words."""
        answer = await self.ask(name, rtype)
        return [f"{rrset.name} {rrset.ttl} {rdata}" for rrset in answer.answer for rdata in rrset]

    async def change(self, *updates: str) -> None:
        assert await send(self.authority, update((), updates)) == "NOERROR"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    clock = Clock()
    async with Authority(tmp_path / "zone", "shop.example", TEXT).serving() as authority:
        resolver = Resolver(Server("127.0.0.1", authority), "shop.example", clock)
        async with resolver.serving() as port:
            yield World(authority, port, clock)


async def test_the_ttl_counts_down_and_then_the_new_answer_comes(world: World) -> None:
    """A change is not seen before the old answer has run out."""
    assert await world.answer("www.shop.example") == ["www.shop.example. 20 127.0.0.2"]
    await world.change("www ANY A 0", "www IN A 20 127.0.0.3")
    world.clock.now += 5
    assert await world.answer("www.shop.example") == ["www.shop.example. 15 127.0.0.2"]
    world.clock.now += 14.9
    assert await world.answer("www.shop.example") == ["www.shop.example. 1 127.0.0.2"]
    world.clock.now += 0.1
    assert await world.answer("www.shop.example") == ["www.shop.example. 20 127.0.0.3"]


async def test_each_part_of_a_chain_has_its_own_time(world: World) -> None:
    """The address runs out before the CNAME does, and is asked for again by itself."""
    before = ["chain.shop.example. 100 www.shop.example.", "www.shop.example. 20 127.0.0.2"]
    assert await world.answer("chain.shop.example") == before
    await world.change("www ANY A 0", "www IN A 20 127.0.0.3", "chain IN CNAME 100 note")
    world.clock.now += 30
    after = ["chain.shop.example. 70 www.shop.example.", "www.shop.example. 20 127.0.0.3"]
    assert await world.answer("chain.shop.example") == after


async def test_a_cname_that_is_still_believed_hides_a_new_address(world: World) -> None:
    """As at any resolver: the old CNAME is used for types that were never asked for."""
    await world.answer("chain.shop.example")
    await world.change("chain ANY CNAME 0", "chain IN AAAA 20 ::1")
    assert await world.answer("chain.shop.example", "AAAA") == ["chain.shop.example. 100 www.shop.example."]
    world.clock.now += 100
    assert await world.answer("chain.shop.example", "AAAA") == ["chain.shop.example. 20 ::1"]


@pytest.mark.parametrize(
    ("name", "rcode"), [("new.shop.example", dns.rcode.NXDOMAIN), ("note.shop.example", dns.rcode.NOERROR)]
)
async def test_that_there_is_nothing_is_believed_for_a_while(world: World, name: str, rcode: dns.rcode.Rcode) -> None:
    """For the SOA's minimum (RFC 2308, 5), whose rest stands in the answer."""
    answer = await world.ask(name)
    assert (answer.rcode(), answer.answer, answer.authority[0].ttl) == (rcode, [], 10)
    await world.change(f"{name}. IN A 20 192.0.2.9")
    world.clock.now += 9
    answer = await world.ask(name)
    assert (answer.rcode(), answer.answer, answer.authority[0].ttl) == (rcode, [], 1)
    world.clock.now += 1
    assert await world.answer(name) == [f"{name}. 20 192.0.2.9"]


async def test_no_name_at_all_holds_for_every_type(world: World) -> None:
    """RFC 2308, 5: a name that does not exist has no records of other types either."""
    await world.ask("new.shop.example", "A")
    await world.change("new IN TXT 20 note")
    assert (await world.ask("new.shop.example", "TXT")).rcode() == dns.rcode.NXDOMAIN


async def test_nothing_at_the_end_of_a_chain_is_believed_too(world: World) -> None:
    """It is the target that does not exist, whoever asks for it."""
    await world.ask("dangling.shop.example")
    await world.change("nosuch IN A 20 192.0.2.9")
    for name in ("dangling.shop.example", "nosuch.shop.example"):
        assert (await world.ask(name)).rcode() == dns.rcode.NXDOMAIN
    world.clock.now += 10
    assert len(await world.answer("dangling.shop.example")) == 2


async def test_one_missing_type_says_nothing_of_another(world: World) -> None:
    """That there is no CNAME at a name does not hide its address."""
    assert (await world.ask("www.shop.example", "CNAME")).answer == []
    assert await world.answer("www.shop.example") == ["www.shop.example. 20 127.0.0.2"]


async def test_a_ttl_of_nothing_is_asked_for_each_time(world: World) -> None:
    """Such a record is given on, and forgotten."""
    assert await world.answer("none.shop.example") == ["none.shop.example. 0 192.0.2.1"]
    await world.change("none ANY A 0", "none IN A 0 192.0.2.2")
    assert await world.answer("none.shop.example") == ["none.shop.example. 0 192.0.2.2"]


async def test_where_a_chain_leads(world: World) -> None:
    """Out of the zone: as far as it goes. To nothing: no such name. In a circle: a failure."""
    outside = await world.ask("outside.shop.example")
    assert (outside.rcode(), len(outside.answer)) == (dns.rcode.NOERROR, 1)
    dangling = await world.ask("dangling.shop.example")
    assert (dangling.rcode(), len(dangling.answer)) == (dns.rcode.NXDOMAIN, 1)
    loop = await world.ask("loop.shop.example")
    assert (loop.rcode(), loop.answer) == (dns.rcode.SERVFAIL, [])


async def test_other_names_are_refused(world: World) -> None:
    """It is no way out of the practice ground."""
    for name, rtype in (("www.example.com", "A"), ("example", "NS"), ("shop.example", "ANY")):
        answer = await world.ask(name, rtype)
        assert (answer.rcode(), answer.answer) == (dns.rcode.REFUSED, [])
    assert await send(world.resolver, update()) == "NOTIMP"


async def test_without_its_name_server_it_gives_what_it_still_believes(tmp_path: Path) -> None:
    """And says of everything else that it failed."""
    async with AsyncExitStack() as running, AsyncExitStack() as name_server:
        authority = Authority(tmp_path / "zone", "shop.example", TEXT)
        port = await name_server.enter_async_context(authority.serving())
        resolver = Resolver(Server("127.0.0.1", port), "shop.example", Clock())
        world = World(port, await running.enter_async_context(resolver.serving()), Clock())
        before = await world.answer("www.shop.example")
        await name_server.aclose()
        assert await world.answer("www.shop.example") == before
        assert (await world.ask("note.shop.example", "TXT")).rcode() == dns.rcode.SERVFAIL


async def test_dig_sees_the_ttl_fall(world: World) -> None:
    """The first answer has the whole TTL, the next one less; recursion is offered, authority is not claimed."""
    first = await dig(world.resolver, "www.shop.example", "A")
    assert "flags: qr rd ra;" in first
    assert "www.shop.example.\t20\tIN\tA\t127.0.0.2" in first
    world.clock.now += 7
    assert "www.shop.example.\t13\tIN\tA\t127.0.0.2" in await dig(world.resolver, "www.shop.example", "A", "+tcp")


async def test_time_passes_by_itself(tmp_path: Path) -> None:
    """Where no clock is given, it is a real one."""
    authority = Authority(tmp_path / "zone", "shop.example", TEXT)
    async with authority.serving() as port, Resolver(Server("127.0.0.1", port), "shop.example").serving() as resolver:
        world = World(port, resolver, Clock())
        assert await world.answer("www.shop.example") == ["www.shop.example. 20 127.0.0.2"]
        await asyncio.sleep(1.01)
        assert (await world.ask("www.shop.example")).answer[0].ttl < 20


async def test_the_product_reads_what_is_left(world: World) -> None:
    """The lookup of resolvers shows the TTL that remains."""
    lookup = Lookup(LookupSettings(resolvers=(f"127.0.0.1:{world.resolver}",)))
    await lookup.resolvers("www.shop.example")
    world.clock.now += 12
    (answer,) = await lookup.resolvers("www.shop.example")
    assert (answer.error, answer.ttl_left) == (None, 8)
