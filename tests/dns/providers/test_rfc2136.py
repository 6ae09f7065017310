"""What is RFC 2136's own: keys, delegations, what BIND would silently ignore, and how much fits into a message."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import dns.message
import dns.rcode
import pytest

from changeover.dns.provider import Applied, PreconditionFailed
from changeover.dns.providers.rfc2136 import Rfc2136
from changeover.dns.providers.rfc2136_account import PROVIDER
from changeover.dns.providers.rfc2136_options import ALGORITHMS, Rfc2136Options
from changeover.dns.wire.exchange import read_message
from changeover.model.dns.change import Change
from changeover.model.dns.records import RecordSet, record_set
from changeover.model.errors import AuthError, NotFound, PermissionDenied, Rejected, Unavailable
from changeover.model.secret import Secret
from dns_servers.authoritative import ZONE_TEXT
from dns_servers.bind import Bind
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


class TestSettings:
    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    def test_a_complete_account(self, algorithm: str) -> None:
        """Every algorithm of RFC 8945 that dnspython signs with."""
        options = Rfc2136Options("ns1.shop.example:53", "changeover.", algorithm)
        assert PROVIDER.faults(options) == []
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
            (Rfc2136Options("ns1.shop.example"), "key_name"),
            (Rfc2136Options("127.attacker.example:53"), "key_name"),
        ],
    )
    def test_faults(self, options: Rfc2136Options, key: str) -> None:
        """Each names its key and what would be right."""
        ((found, right),) = PROVIDER.faults(options)
        assert found == key
        assert right
