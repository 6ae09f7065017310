"""What is RFC 2136's own: keys, delegations, what BIND would silently ignore, and how much fits into a message."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dns.message
import dns.opcode
import dns.rcode
import pytest

from changeover.dns.provider import Applied, Indeterminate, PreconditionFailed
from changeover.dns.providers.rfc2136 import Rfc2136
from changeover.dns.providers.rfc2136_account import PROVIDER
from changeover.dns.providers.rfc2136_options import ALGORITHMS, Rfc2136Options
from changeover.dns.wire.exchange import Server, connect, read_message
from changeover.model.dns.change import Change
from changeover.model.dns.records import RecordSet, address_set, record_set
from changeover.model.errors import AuthError, NotFound, PermissionDenied, Rejected, Unavailable
from changeover.model.secret import Secret
from dns_servers.answering import Answering, altered, cut_short, failing_at, not_its_own, unreadable
from dns_servers.authoritative import ZONE_TEXT
from dns_servers.bind import Bind
from dns_servers.powerdns import PowerDns
from dns_servers.process import free_port
from dns_servers.relay import Relay

ZONE, WWW, API = "shop.example", "www.shop.example", "api.shop.example"
CNAME = record_set(WWW, "CNAME", 60, ["primary.example.net"])
ADDRESS = record_set(WWW, "A", 60, ["198.51.100.1"])


def provider(bind: Bind, **options: Any) -> Rfc2136:
    given = {"server": bind.server, "key_name": bind.key_name, **options}
    return Rfc2136("dns-main", Rfc2136Options(**given), Secret(bind.secret) if given["key_name"] else None, timeout=30)


def change(before: RecordSet | None, after: RecordSet | None, name: str = WWW) -> Change:
    return Change(
        account="dns-main",
        zone=ZONE,
        name=name,
        before=(before,) if before else (),
        after=(after,) if after else (),
    )


class TwoZones(Bind):
    """A server that has the zone, and one within it."""

    def __init__(self, folder: Path, zone_text: str, inner: str) -> None:
        super().__init__(folder, ZONE, zone_text)
        (self._folder / "inner").write_text(f"$ORIGIN {inner}.\n$TTL 60\n{ZONE_TEXT}")
        self._inner = inner

    def _prepare(self) -> list[str]:
        arguments = super()._prepare()
        with (self._folder / "named.conf").open("a") as conf:
            conf.write(f'zone "{self._inner}" {{ type primary; file "{self._folder}/inner"; }};\n')
        return arguments


class TwoViews(Bind):
    """A server that shows one zone to who signs with the key, who may change it, and `inner` to everybody else."""

    def __init__(self, folder: Path, zone_text: str, inner: str) -> None:
        super().__init__(folder, ZONE, zone_text)
        (self._folder / "inner").write_text(f"$ORIGIN {ZONE}.\n$TTL 60\n{inner}")

    def _prepare(self) -> list[str]:
        arguments = super()._prepare()
        file = self._folder / "named.conf"
        before, zone = file.read_text().split("\nzone ")
        inner = f'zone "{ZONE}" {{ type primary; file "{self._folder}/inner"; }};'
        views = (
            f"view outer {{ match-clients {{ key changeover.; }}; zone {zone.strip()} }};\nview inner {{ {inner} }};\n"
        )
        file.write_text(f"{before}\n{views}")
        return arguments


async def test_a_server_on_this_computer_is_used_unsigned(tmp_path: Path) -> None:
    """Where it allows that."""
    with Bind(tmp_path, key=False) as bind:
        assert await provider(bind, key_name=None).apply(ZONE, [change(CNAME, ADDRESS)]) == Applied()
        assert "www.shop.example. 60 A 198.51.100.1" in bind.records()


async def test_many_names_at_a_slow_server(tmp_path: Path) -> None:
    """Reading, comparing and reading back take longer than the time-out, which is of silence; one that falls silent
    half way is given up, and how far it came is told."""
    names = [f"n{number}.{ZONE}" for number in range(30)]
    text = ZONE_TEXT + "".join(f"{name}. 60 A 192.0.2.1\n" for name in names)
    changes = [
        change(record_set(name, "A", 60, ["192.0.2.1"]), record_set(name, "A", 60, ["192.0.2.2"]), name)
        for name in names
    ]
    with Bind(tmp_path, zone_text=text) as bind, Relay(bind.port) as relay:
        relay.pause = 0.05
        options = Rfc2136Options(server=relay.server, key_name=bind.key_name)
        slow = Rfc2136("dns-main", options, Secret(bind.secret), timeout=1.0)
        assert await slow.apply(ZONE, changes) == Applied()
        assert await slow.read_back(ZONE, changes) == {c.name: c.after for c in changes}
        relay.patience = 7
        with pytest.raises(Unavailable, match="answered 7 of 30 questions, then nothing for 1 s"):
            await slow.read_back(ZONE, changes)


async def test_an_unsigned_update_that_is_not_allowed(bind: Bind) -> None:
    """Is a missing permission, told with the words of the server's configuration."""
    with pytest.raises(PermissionDenied, match="REFUSED") as caught:
        await provider(bind, key_name=None).apply(ZONE, [change(CNAME, ADDRESS)])
    assert "update-policy" in caught.value.hint


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"key_name": "another."}, "does not know this TSIG key"),
        ({"algorithm": "hmac-sha512"}, "does not know this TSIG key"),
    ],
)
async def test_a_key_that_the_server_does_not_know(bind: Bind, options: dict[str, str], said: str) -> None:
    """Its name and its algorithm are part of it."""
    with pytest.raises(AuthError, match=said):
        await provider(bind, **options).apply(ZONE, [change(CNAME, ADDRESS)])


async def test_a_name_that_is_delegated_away_is_refused(tmp_path: Path) -> None:
    """A record added there would be taken and serve nothing."""
    with Bind(tmp_path, zone_text=ZONE_TEXT + "sub NS ns.other.example.\n") as bind:
        for name in ("sub.shop.example", "www.sub.shop.example"):
            with pytest.raises(Rejected, match=f"{name} is delegated away"):
                await provider(bind).read(ZONE, [name])


async def test_a_name_inside_a_zone_is_no_zone(bind: Bind) -> None:
    """A zone is named by its apex."""
    with pytest.raises(NotFound, match=r"www\.shop\.example"):
        await provider(bind).read(WWW, [WWW])


async def test_a_server_that_fails_is_unavailable() -> None:
    """A zone that cannot be loaded is there all the same."""

    async def fail(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (wire := await read_message(reader)) is not None:
            answer = dns.message.make_response(dns.message.from_wire(wire))
            answer.set_rcode(dns.rcode.SERVFAIL)
            writer.write(answer.to_wire(prepend_length=True))
        writer.close()

    server = await asyncio.start_server(fail, "127.0.0.1", 0)
    options = Rfc2136Options(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
    with pytest.raises(Unavailable, match="SERVFAIL"):
        await Rfc2136("dns-main", options, None, timeout=30).read(ZONE, [WWW])
    server.close()


@pytest.mark.parametrize("rcode", [dns.rcode.NOERROR, dns.rcode.YXRRSET, dns.rcode.SERVFAIL])
async def test_an_unsigned_answer_to_a_signed_update_proves_nothing(bind: Bind, rcode: dns.rcode.Rcode) -> None:
    """Anybody on the way can say yes or no; what became of the update is read, and not taken from that."""

    async def forge(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, there = await connect(Server("127.0.0.1", bind.port))
        while (wire := await read_message(reader)) is not None:
            if dns.opcode.from_flags(int.from_bytes(wire[2:4], "big")) is dns.opcode.UPDATE:
                said = bytes((*wire[:2], wire[2] | 0x80, rcode, *bytes(8)))
            else:
                there.write(len(wire).to_bytes(2, "big") + wire)
                said = await read_message(behind) or b""
            writer.write(len(said).to_bytes(2, "big") + said)
        there.close()
        writer.close()

    server = await asyncio.start_server(forge, "127.0.0.1", 0)
    before = bind.records()
    signed = provider(bind, server=f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
    assert isinstance(await signed.apply(ZONE, [change(CNAME, ADDRESS)]), Indeterminate)
    assert bind.records() == before
    await signed.aclose()
    server.close()


async def test_no_cname_at_the_apex(bind: Bind) -> None:
    """BIND would say yes, delete the addresses and ignore the CNAME: SOA and NS stand there."""
    before = (await provider(bind).read(ZONE, [ZONE])).records[ZONE]
    zone = bind.records()
    addresses = tuple(r for r in before if r.type in ("A", "AAAA"))
    to_cname = Change(
        account="dns-main",
        zone=ZONE,
        name=ZONE,
        before=addresses,
        after=(record_set(ZONE, "CNAME", 60, ["backup.example.net"]),),
    )
    with pytest.raises(Rejected):
        await provider(bind).apply(ZONE, [to_cname])
    assert bind.records() == zone


async def test_an_own_record_like_the_wildcards_is_no_wildcard(bind: Bind) -> None:
    """A name that repeats what the wildcard beside it says, or has one of its own below it, is there itself."""
    bind.change(add=["* 60 A 192.0.2.40", "own 60 A 192.0.2.40", "up 60 A 192.0.2.41", "*.up 60 A 192.0.2.41"])
    own, up, covered = f"own.{ZONE}", f"up.{ZONE}", f"deep.covered.{ZONE}"
    reading = await provider(bind).read(ZONE, [own, up, covered])
    assert reading.wildcards == (covered,)
    assert {name: bool(records) for name, records in reading.records.items()} == {own: True, up: True, covered: False}


async def test_what_does_not_fit_into_a_message_is_refused_before_it_is_sent(bind: Bind) -> None:
    """64 KiB; nothing is changed, and the hint says what helps."""
    zone = bind.records()
    long = "x" * 60
    names = [f"{long}.{long}.n{number}.{ZONE}" for number in range(600)]
    changes = [change(None, record_set(name, "CNAME", 60, [f"{long}.{name}"]), name) for name in names]
    with pytest.raises(Rejected, match="fit into one update") as caught:
        await provider(bind).apply(ZONE, changes)
    assert "fewer hostnames" in caught.value.hint
    assert bind.records() == zone


async def test_a_conflict_says_what_stands_there(bind: Bind) -> None:
    """Also where only the server's comparison found it."""
    bind.change(add=['www2 60 HTTPS 1 . alpn="h2"'])
    created = change(None, record_set(f"www2.{ZONE}", "A", 60, ["198.51.100.1"]), f"www2.{ZONE}")
    result = await provider(bind).apply(ZONE, [created])
    assert result == PreconditionFailed((f'www2.{ZONE} was nothing, and is now HTTPS 1 . alpn="h2"',))


@pytest.mark.parametrize("sub", ["sub", "deep.sub"])
async def test_a_name_in_another_zone_of_the_same_server_is_refused(tmp_path: Path, sub: str) -> None:
    """Also where the zone that is named has a record of it, from before the other was split off."""
    inner = f"{sub}.{ZONE}"
    with TwoZones(tmp_path, zone_text=ZONE_TEXT + f"www.{sub} A 192.0.2.1\n", inner=inner) as bind:
        for name in (inner, f"www.{inner}", f"new.{inner}"):
            with pytest.raises(Rejected, match=f"{name} is in the zone {inner}"):
                await provider(bind).read(ZONE, [name])
        assert (await provider(bind).read(inner, [f"www.{inner}"])).records[f"www.{inner}"]
        assert (await provider(bind).read(ZONE, [WWW])).records[WWW]


async def test_a_name_below_a_dname_is_refused(bind: Bind) -> None:
    """What stands there is not served (RFC 6672, 2.4); what the server makes of the name is no record of it."""
    bind.change(add=["old 60 DNAME new.shop.example."])
    with pytest.raises(Rejected, match=r"below old\.shop\.example, a DNAME"):
        await provider(bind).read(ZONE, ["www.old.shop.example"])
    assert (await provider(bind).read(ZONE, [WWW])).records[WWW]


@pytest.mark.parametrize("rcode", [dns.rcode.NOTIMP, dns.rcode.SERVFAIL, dns.rcode.FORMERR, None], ids=str)
async def test_types_that_the_server_fails_at_spoil_nothing(tmp_path: Path, rcode: dns.rcode.Rcode | None) -> None:
    """HTTPS, CAA, TLSA and their like, and ANY, whatever is said instead of an answer; the update goes on as ever."""
    failing = ("HTTPS", "SVCB", "CAA", "TLSA", "URI", "ANY")
    with Bind(tmp_path, key=False) as bind, Answering(failing_at(bind.port, failing, rcode)) as server:
        asked = Rfc2136("dns-main", Rfc2136Options(server.server), None, timeout=2)
        assert (await asked.read(ZONE, [WWW])).records[WWW] == (CNAME,)
        assert await asked.apply(ZONE, [change(CNAME, ADDRESS)]) == Applied()
        assert await asked.apply(ZONE, [change(ADDRESS, CNAME)]) == Applied()
        assert "www.shop.example. 60 CNAME primary.example.net." in bind.records()


@pytest.mark.parametrize("alter", [not_its_own, cut_short, unreadable])
async def test_answers_of_no_use_to_unusual_types_spoil_nothing(
    tmp_path: Path, alter: Callable[[dns.message.Message], None]
) -> None:
    """One that is not the server's own is no delegation; one that is cut short or cannot be read is as silence."""
    with Bind(tmp_path, key=False, zone_text=ZONE_TEXT + "api A 192.0.2.1\n") as bind:
        other, before = record_set(API, "A", 60, ["192.0.2.2"]), record_set(API, "A", 60, ["192.0.2.1"])
        with Answering(altered(bind.port, ("SVCB", "CAA", "TLSA", "URI"), alter)) as server:
            asked = Rfc2136("dns-main", Rfc2136Options(server.server), None, timeout=2)
            assert (await asked.read(ZONE, [API])).records[API] == (before,)
            assert await asked.apply(ZONE, [change(before, other, API)]) == Applied()
        with Answering(altered(bind.port, ("A",), alter)) as server:
            asked = Rfc2136("dns-main", Rfc2136Options(server.server), None, timeout=2)
            with pytest.raises((Unavailable, Rejected)):
                await asked.read(ZONE, [API])


async def test_what_cannot_be_read_is_not_deleted(tmp_path: Path) -> None:
    """A CNAME makes everything at its name go; where something stands there that nobody can tell, it is not put."""
    with (
        Bind(tmp_path, key=False, zone_text=ZONE_TEXT + "api A 192.0.2.1\n") as bind,
        Answering(altered(bind.port, ("ANY",), unreadable)) as server,
    ):
        asked = Rfc2136("dns-main", Rfc2136Options(server.server), None, timeout=2)
        cname = record_set(API, "CNAME", 60, ["primary.example.net"])
        zone = bind.records()
        with pytest.raises(Rejected, match="cannot be read, which a CNAME would delete"):
            await asked.apply(ZONE, [change(record_set(API, "A", 60, ["192.0.2.1"]), cname, API)])
        assert bind.records() == zone


async def test_a_record_of_an_unusual_type_is_never_deleted(bind: Bind) -> None:
    """A CNAME makes everything at its name go, so it is not put where anything else stands, whatever that is."""
    bind.change(add=["h 60 A 192.0.2.1", 'h 60 HINFO "x" "y"', "h 60 TYPE65280 \\# 1 00"])
    before = record_set(f"h.{ZONE}", "A", 60, ["192.0.2.1"])
    zone = bind.records()
    result = await provider(bind).apply(
        ZONE, [change(before, record_set(f"h.{ZONE}", "CNAME", 60, ["a.b"]), before.name)]
    )
    assert result == PreconditionFailed((f"h.{ZONE} has HINFO, TYPE65280 as well, and a CNAME must stand alone",))
    assert bind.records() == zone


class TestAddresses:
    async def test_each_address_of_the_server_is_tried(self, bind: Bind) -> None:
        """Here "localhost", which is ::1 as well, where nobody listens."""
        asked = provider(bind, server=f"localhost:{bind.port}")
        loop = asyncio.get_running_loop()
        assert (await asked.read(ZONE, [WWW])).records[WWW] == (CNAME,)
        assert await asked.apply(ZONE, [change(CNAME, ADDRESS)]) == Applied()
        assert await loop.getaddrinfo("localhost", bind.port)

    async def test_where_none_answers_each_is_named(self) -> None:
        """With what it said."""
        asked = Rfc2136("dns-main", Rfc2136Options(f"localhost:{free_port()}"), None, timeout=5)
        with pytest.raises(Unavailable, match="refuses connections"):
            await asked.read(ZONE, [WWW])


class TestSignedQuestions:
    """BIND with two views of one zone: who signs with the key is shown the one that updates go to."""

    @pytest.mark.parametrize("inner", ["10.0.0.5", "192.0.2.10"], ids=["other addresses", "the same addresses"])
    async def test_the_view_of_the_key_is_read_and_changed(self, tmp_path: Path, inner: str) -> None:
        """By itself, and where the settings say so; also where both views had the same before."""
        with TwoViews(tmp_path, zone_text=ZONE_TEXT, inner=ZONE_TEXT.replace("192.0.2.10", inner)) as bind:
            for signing in ("auto", "on"):
                asked = provider(bind, sign_queries=signing)
                before = tuple(r for r in (await asked.read(ZONE, [ZONE])).records[ZONE] if r.type == "A")
                aaaa = record_set(ZONE, "AAAA", 60, ["2001:db8::10"])
                new = record_set(ZONE, "A", 60, ["198.51.100.1" if signing == "auto" else "198.51.100.2"])
                made = Change(account="dns-main", zone=ZONE, name=ZONE, before=(*before, aaaa), after=(new, aaaa))
                assert await asked.apply(ZONE, [made]) == Applied()
                assert await asked.read_back(ZONE, [made]) == {ZONE: made.after}

    async def test_unsigned_questions_there_blame_nobody(self, tmp_path: Path) -> None:
        """The server compares with what it does not show: nobody changed anything, and the error says what helps."""
        with TwoViews(tmp_path, zone_text=ZONE_TEXT, inner=ZONE_TEXT.replace("192.0.2.10", "10.0.0.5")) as bind:
            asked = provider(bind, sign_queries="off")
            before = address_set((await asked.read(ZONE, [ZONE])).records[ZONE])
            made = Change(account="dns-main", zone=ZONE, name=ZONE, before=before, after=before[1:])
            with pytest.raises(Rejected, match="still shows the same") as caught:
                await asked.apply(ZONE, [made])
        assert "sign_queries" in caught.value.hint

    async def test_a_server_that_knows_no_signatures_is_asked_without(self, bind: Bind) -> None:
        """Its answers to signed questions are not signed. Where the settings insist, that is an error."""

        with Answering(failing_at(bind.port, (), None)) as server:
            options = {"server": server.server, "key_name": bind.key_name}
            asked = Rfc2136("dns-main", Rfc2136Options(**options), Secret(bind.secret), timeout=5)
            assert (await asked.read(ZONE, [WWW])).records[WWW] == (CNAME,)
            insisting = Rfc2136Options(**options, sign_queries="on")
            with pytest.raises(AuthError, match="does not sign"):
                await Rfc2136("dns-main", insisting, Secret(bind.secret), timeout=5).read(ZONE, [WWW])


@pytest.mark.parametrize("name", ["changeover.", "Changeover.", "CHANGEOVER"])
async def test_a_keys_name_is_sent_in_lower_case(tmp_path: Path, name: str) -> None:
    """A MAC is made over that (RFC 8945, 4.3.3); PowerDNS takes no other."""
    with PowerDns(tmp_path) as powerdns:
        asked = Rfc2136("dns-main", Rfc2136Options(powerdns.server, name), Secret(powerdns.secret), timeout=30)
        assert (await asked.verify(ZONE, [WWW])).may_write is True


class TestSettings:
    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            *((name, name) for name in ALGORITHMS),
            ("HMAC-SHA512", "hmac-sha512"),
            ("hmac-sha512.", "hmac-sha512"),
            ("HMAC-SHA-256", "hmac-sha256"),
            ("hmac_sha_1.", "hmac-sha1"),
            (" Hmac_Sha384", "hmac-sha384"),
            ("HMAC-MD5", "hmac-md5.sig-alg.reg.int"),
            ("hmac-md5.sig-alg.reg.int.", "hmac-md5.sig-alg.reg.int"),
        ],
    )
    def test_a_complete_account(self, written: str, meant: str) -> None:
        """Every algorithm of RFC 8945 that dnspython signs with, as people and key files write it."""
        options = Rfc2136Options("ns1.shop.example:53", "changeover.", written)
        assert PROVIDER.faults(options) == []
        assert options.algorithm_name == meant
        assert [field.name for field in PROVIDER.secrets(options)] == ["secret"]
        assert PROVIDER.host(options) == "ns1.shop.example"

    @pytest.mark.parametrize("server", ["127.0.0.1:5301", "[::1]:5301", "localhost"])
    def test_an_unsigned_account_on_this_computer(self, server: str) -> None:
        """It has no secret."""
        assert PROVIDER.faults(Rfc2136Options(server)) == []
        assert PROVIDER.secrets(Rfc2136Options(server)) == ()

    @pytest.mark.parametrize(
        ("options", "key"),
        [
            (Rfc2136Options("ns1.shop.example:port"), "server"),
            (Rfc2136Options(""), "server"),
            (Rfc2136Options("ns1.shop.example", "changeover.", "sha256"), "algorithm"),
            (Rfc2136Options("ns1.shop.example", "changeover.", "gss-tsig"), "algorithm"),
            (Rfc2136Options("ns1.shop.example"), "key_name"),
            (Rfc2136Options("127.attacker.example:53"), "key_name"),
        ],
    )
    def test_faults(self, options: Rfc2136Options, key: str) -> None:
        """Each names its key and what would be right."""
        ((found, right),) = PROVIDER.faults(options)
        assert found == key
        assert right
