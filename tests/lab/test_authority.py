"""The practice ground's name server, asked and changed by the programs and the provider that people use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsigkeyring
import dns.update
import pytest

from changeover.dns.provider import Applied, PreconditionFailed
from changeover.dns.providers.rfc2136 import Rfc2136
from changeover.dns.providers.rfc2136_options import Rfc2136Options
from changeover.dns.wire.exchange import Server, ask, question
from changeover.lab.authority import Authority
from changeover.model.dns.change import Change
from changeover.model.dns.records import AddressSet, address_set, record_set
from changeover.model.errors import UsageError
from dns_servers.bind import Bind
from dns_servers.questions import ask_all
from lab.messages import ZONE, ZONE_TEXT, send, update
from lab.programs import dig, nsupdate

TEXT = f"""$TTL 60
{ZONE_TEXT}
*.wild A 192.0.2.7
a.b.wild A 192.0.2.8
deleg NS ns.deleg
deleg NS ns.example.net.
ns.deleg A 192.0.2.99
chain CNAME link
link CNAME two
dangling CNAME nosuch
loop CNAME pool
pool CNAME loop
to-wild CNAME x.wild
to-deleg CNAME a.deleg
secure HTTPS 1 . alpn=h2
long TXT {" ".join(['"' + "x" * 200 + '"'] * 10)}
"""
NAMES = (
    *("@", "www", "two", "TWO", "deep.er", "er", "nope", "nope.er", "other.example.", "example.", "."),
    *("wild", "x.wild", "y.x.wild", "b.wild", "a.b.wild", "*.wild", "deleg", "a.deleg", "ns.deleg"),
    *("chain", "link", "dangling", "loop", "to-wild", "to-deleg", "secure"),
)
TYPES = ["A", "AAAA", "CNAME", "NS", "MX", "TXT", "DS", "HTTPS", "ANY"]


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    async with Authority(tmp_path / "zone", "shop.example", TEXT).serving() as port:
        yield port


async def test_answers_as_bind_does(tmp_path: Path, port: int) -> None:
    """The same rcode, flags, answers, SOA of a negative answer and NS of a referral, for every kind of name."""
    queries = [dns.message.make_query(_name(text), rtype, flags=0) for text in NAMES for rtype in TYPES]
    with Bind(tmp_path, zone_text=TEXT, key=False) as bind:
        theirs = await ask_all(Server(bind.address, bind.port), queries)
    ours = await ask_all(Server("127.0.0.1", port), queries)
    for query, their, our in zip(queries, theirs, ours, strict=True):
        assert _substance(our) == _substance(their), query.question[0]


def _name(text: str) -> dns.name.Name:
    return ZONE if text == "@" else dns.name.from_text(text, ZONE)


def _substance(message: dns.message.Message) -> tuple[object, ...]:
    """What an asker acts on. BIND names its servers beside each answer as well, which is a courtesy."""
    bare = not message.answer or not message.flags & dns.flags.AA
    proof = [r for r in message.authority if bare or r.rdtype == dns.rdatatype.SOA]
    sections = [frozenset((r.name, r.ttl, r.rdtype, frozenset(r)) for r in part) for part in (message.answer, proof)]
    return message.rcode(), message.flags, *sections


async def test_dig_shows_an_authoritative_answer(port: int) -> None:
    """By UDP and by TCP."""
    for way in ("+notcp", "+tcp"):
        said = await dig(port, "two.shop.example", "A", "+norecurse", way)
        assert "status: NOERROR" in said
        assert "flags: qr aa;" in said
        assert {"192.0.2.1", "192.0.2.2"} <= set(said.split())


async def test_a_long_answer_comes_by_tcp(port: int) -> None:
    """By UDP it is cut short and says so; dig then asks by TCP."""
    query = dns.message.make_query("long.shop.example", "TXT")
    answer = await asyncio.to_thread(dns.query.udp, query, "127.0.0.1", 5, port, raise_on_truncation=False)
    assert answer.flags & dns.flags.TC
    said = await dig(port, "long.shop.example", "TXT")
    assert "Truncated, retrying in TCP mode" in said
    assert said.count("x" * 200) == 10


async def test_nsupdate_changes_the_zone(port: int) -> None:
    """A switch by hand, with prerequisites; dig sees it at once, with a new serial."""
    said = await nsupdate(
        port,
        """prereq yxrrset www.shop.example CNAME primary.example.net.
        prereq nxrrset www.shop.example A
        update delete www.shop.example CNAME
        update add www.shop.example 20 A 127.0.0.3""",
    )
    assert said == ""
    assert (await dig(port, "www.shop.example", "A", "+short")).split() == ["127.0.0.3"]
    assert (await dig(port, "shop.example", "SOA", "+short")).split()[2] == "101"


@pytest.mark.parametrize(
    ("text", "rcode"),
    [
        ("prereq yxdomain nosuch.shop.example\nupdate add new.shop.example 60 A 192.0.2.9", "NXDOMAIN"),
        ("prereq nxdomain www.shop.example\nupdate add new.shop.example 60 A 192.0.2.9", "YXDOMAIN"),
        ("prereq yxrrset www.shop.example A\nupdate add new.shop.example 60 A 192.0.2.9", "NXRRSET"),
        ("prereq nxrrset www.shop.example CNAME\nupdate add new.shop.example 60 A 192.0.2.9", "YXRRSET"),
        ("prereq yxrrset two.shop.example A 192.0.2.1\nupdate add new.shop.example 60 A 192.0.2.9", "NXRRSET"),
        ("update delete ns1.shop.example A", "REFUSED"),
        ("update add other.example. 60 A 192.0.2.9", "NOTZONE"),
    ],
)
async def test_nsupdate_hears_why_nothing_changed(port: int, tmp_path: Path, text: str, rcode: str) -> None:
    """Each refusal has its own code, and leaves the zone as it was."""
    before = (tmp_path / "zone").read_text()
    assert rcode in await nsupdate(port, text)
    assert (tmp_path / "zone").read_text() == before


async def test_the_zone_outlives_the_server(tmp_path: Path) -> None:
    """What was changed is there after a restart, serial included; the text to start with is then no longer used."""
    file = tmp_path / "zone"
    async with Authority(file, "shop.example", TEXT).serving() as port:
        assert await nsupdate(port, "update add new.shop.example 60 A 192.0.2.9") == ""
    async with Authority(file, "shop.example", "").serving() as port:
        assert (await dig(port, "new.shop.example", "A", "+short")).split() == ["192.0.2.9"]
        assert (await dig(port, "shop.example", "SOA", "+short")).split()[2] == "101"


async def test_an_update_that_cannot_be_written_fails(tmp_path: Path) -> None:
    """No answer says yes to what a restart would forget."""
    folder = tmp_path / "gone"
    folder.mkdir()
    async with Authority(folder / "zone", "shop.example", TEXT).serving() as port:
        (folder / "zone").unlink()
        folder.rmdir()
        assert "SERVFAIL" in await nsupdate(port, "update add new.shop.example 60 A 192.0.2.9")
        assert "NXDOMAIN" in await dig(port, "new.shop.example", "A")


def test_a_spoilt_zone_file_is_named(tmp_path: Path) -> None:
    """The error has the file, and what to do about it."""
    (tmp_path / "zone").write_text("this is not a zone\n")
    with pytest.raises(UsageError, match=str(tmp_path / "zone")) as caught:
        Authority(tmp_path / "zone", "shop.example", TEXT)
    assert "Remove" in caught.value.hint


async def test_answers_many_questions_on_one_connection(port: int) -> None:
    """All are sent before the first answer is read (RFC 7766, 6.2.1.1)."""
    queries = [question("two.shop.example", rtype) for rtype in ("A", "AAAA", "TXT", "SOA") * 100]
    answers = await ask_all(Server("127.0.0.1", port), queries)
    assert [len(a.answer) for a in answers] == [1, 0, 1, 0] * 100


@pytest.mark.parametrize(
    ("wire", "rcode"),
    [
        pytest.param(update(("www ANY ANY 0",))[:-1], dns.rcode.FORMERR, id="cut-update"),
        pytest.param(b"\x12\x34\x00\x00\x00\x01" + bytes(6) + b"\xc0", dns.rcode.FORMERR, id="cut-question"),
        pytest.param(b"\x12\x34\x00\x00" + bytes(8), dns.rcode.FORMERR, id="no-question"),
        pytest.param(b"\x12\x34\x78\x00" + bytes(8), dns.rcode.NOTIMP, id="unknown-opcode"),
        pytest.param(dns.message.make_query("shop.example", "AXFR").to_wire(), dns.rcode.REFUSED, id="transfer"),
        pytest.param(dns.message.make_query("shop.example", "SOA", "CH").to_wire(), dns.rcode.REFUSED, id="class"),
    ],
)
async def test_says_what_is_wrong_with_a_request(port: int, wire: bytes, rcode: dns.rcode.Rcode) -> None:
    """With the request's own number, so that the asker knows."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(len(wire).to_bytes(2, "big") + wire)
    async with asyncio.timeout(60):
        response = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
    writer.close()
    assert response[:2] == wire[:2]
    assert response[2] & 0x80
    assert response[3] & 15 == rcode


async def test_a_signed_update_is_told_so(port: int) -> None:
    """Whoever signs expects to be checked; there is no key here to do it with."""
    signed = dns.update.UpdateMessage(ZONE, keyring=dns.tsigkeyring.from_text({"key.": "c2VjcmV0"}))
    signed.add("new", 60, "A", "192.0.2.9")
    assert await send(port, signed.to_wire()) == "NOTAUTH"


async def test_rubbish_does_not_stop_it(port: int) -> None:
    """Neither by UDP nor by TCP, whatever is sent."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=("127.0.0.1", port))
    wire = update(("www ANY ANY 0",), ("two ANY ANY 0",))
    for rubbish in (b"", b"\x00", b"\xff" * 12, b"\x00" * 12, *(wire[:size] for size in range(len(wire)))):
        transport.sendto(rubbish)
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(len(rubbish).to_bytes(2, "big") + rubbish)
        writer.close()
        await writer.wait_closed()
    transport.close()
    answer = await ask(Server("127.0.0.1", port), question("two.shop.example", "A"))
    assert len(answer.answer[0]) == 2


async def test_ends_while_connections_are_open(tmp_path: Path) -> None:
    """It does not wait for a client that says nothing more."""
    async with asyncio.timeout(60):
        async with Authority(tmp_path / "zone", "shop.example", TEXT).serving() as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            wire = question("two.shop.example", "A").to_wire()
            writer.write(len(wire).to_bytes(2, "big") + wire)
            await reader.readexactly(2)
        assert await reader.read() is not None
    writer.close()


async def test_the_provider_switches_and_switches_back(port: int) -> None:
    """A CNAME becomes addresses, and a set of addresses another one, in one batch; then back, TTLs and all."""
    provider = Rfc2136("lab-dns", Rfc2136Options(server=f"127.0.0.1:{port}"), None)
    names = ["www.shop.example", "two.shop.example"]
    reading = await provider.read("shop.example", names)
    before = {name: address_set(reading.records[name]) for name in names}
    after = {name: (record_set(name, "A", 20, ["127.0.0.3"]), record_set(name, "AAAA", 20, ["::1"])) for name in names}

    assert await provider.apply("shop.example", _changes(before, after)) == Applied()
    changed = await provider.read("shop.example", names)
    assert {name: address_set(changed.records[name]) for name in names} == after
    assert isinstance(await provider.apply("shop.example", _changes(before, after)), PreconditionFailed)
    assert await provider.apply("shop.example", _changes(after, before)) == Applied()
    assert (await provider.read("shop.example", names)).records == reading.records


def _changes(before: dict[str, AddressSet], after: dict[str, AddressSet]) -> list[Change]:
    return [
        Change(account="lab-dns", zone="shop.example", name=name, before=before[name], after=after[name])
        for name in before
    ]


async def test_the_provider_may_write(port: int) -> None:
    """Its own check says so, and changes nothing."""
    provider = Rfc2136("lab-dns", Rfc2136Options(server=f"127.0.0.1:{port}"), None)
    access = await provider.verify("shop.example", ["www.shop.example"])
    assert access.may_write is True
    assert (await dig(port, "shop.example", "SOA", "+short")).split()[2] == "100"


async def test_the_provider_knows_a_wildcard(port: int) -> None:
    """A name that only a wildcard answers for has no records of its own."""
    provider = Rfc2136("lab-dns", Rfc2136Options(server=f"127.0.0.1:{port}"), None)
    reading = await provider.read("shop.example", ["x.wild.shop.example"])
    assert reading.wildcards == ("x.wild.shop.example",)
