"""Who has followed a change: Unbound's real caches, resolvers by HTTPS, resolvers that stretch what they were given."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dns.message
import dns.rrset
import trustme

from changeover.model.dns.change import Change, ZoneAt
from changeover.model.dns.propagation import all_updated, panel_words, predicted
from changeover.model.dns.records import record_set
from changeover.model.runs.plan import ChangeRecords, Plan
from changeover.model.runs.run import Ended, Entry, Outcome, Run, Started, fold
from changeover.model.settings.service import Answer, Deployment, Service
from changeover.monitoring.propagation import cache_time, following, panel
from dns_servers.bind import Bind
from dns_servers.process import free_port
from dns_servers.unbound import Unbound
from health.connectivity.servers import Respond, over_https, response, saying, silence, web
from switchover.places import NEW, OLD, WWW, ZONE, ZONE_TEXT, lookup

SERVICE = Service(
    name="shop",
    hostnames=(WWW,),
    dns=(ZoneAt("dns", ZONE),),
    deployments=(
        Deployment(name="primary", answer=Answer(a=(OLD,))),
        Deployment(name="backup", answer=Answer(a=(NEW,))),
    ),
)
MOVE = {"delete": ["www A"], "add": [f"www 60 A {NEW}"]}


def run_of(ttl: int, ago: float = 0) -> Run:
    """A run that moved www to the new side so many seconds ago; the old answer had this TTL."""
    before, after = (record_set(WWW, "A", ttl, [OLD]),), (record_set(WWW, "A", 60, [NEW]),)
    change = Change(account="dns", zone=ZONE, name=WWW, before=before, after=after)
    at = datetime.now(UTC) - timedelta(seconds=ago)
    step = ChangeRecords(name="change-records", text="", account="dns", zone=ZONE, changes=(change,))
    plan = Plan(service="shop", source="primary", to="backup", steps=(step,), made_at=at)
    events = (Started(plan=plan), Ended(outcome=Outcome.COMPLETED))
    return fold([Entry(run="shop-1", at=at, event=event) for event in events])


async def test_everybody_has_it(tmp_path: Path) -> None:
    """Before any change: each resolver gives what the name servers give."""
    with Bind(tmp_path, zone_text=ZONE_TEXT) as bind, Unbound(tmp_path, bind.server) as resolver:
        (kept,) = await panel(SERVICE, lookup(bind.server, resolvers=(resolver.server,)))
        assert (kept.resolver, kept.over, kept.addresses) == (resolver.server, "UDP", (OLD,))
        assert (kept.updated, kept.error, kept.note) == (True, None, "")
        assert 0 < kept.ttl_left <= 60


async def test_the_last_one_follows_when_it_was_predicted(tmp_path: Path) -> None:
    """Of two caches one asked before the change and one after; the first is said to follow last, and does, in time."""
    text = ZONE_TEXT.replace("www 60 A", "www 3 A")
    with (
        Bind(tmp_path, zone_text=text) as bind,
        Unbound(tmp_path, bind.server) as behind,
        Unbound(tmp_path, bind.server) as fresh,
    ):
        there = lookup(bind.server, resolvers=(fresh.server, behind.server))
        await lookup(resolvers=(behind.server,)).resolvers(WWW)
        bind.change(**MOVE)
        seen = []
        async for kept in following(SERVICE, there, run_of(3), asyncio.Event()):
            seen.append((datetime.now(UTC), kept))
        first_at, first = seen[0]
        assert [k.updated for k in first] == [True, False]
        foretold = predicted(first, first_at)
        assert foretold is not None
        assert first_at < foretold <= first_at + timedelta(seconds=4)
        assert "1 resolver has not followed yet; the last resolver follows at " in panel_words(first, first_at)
        _, final = seen[-1]
        assert all_updated(final)
        assert all(at < foretold for at, kept in seen if not all_updated(kept))


async def test_a_resolver_that_stretches_what_it_was_given(tmp_path: Path) -> None:
    """It keeps the answer for ten minutes, though three seconds were published: that is said of it alone."""
    text = ZONE_TEXT.replace("www 60 A", "www 3 A")
    with (
        Bind(tmp_path, zone_text=text) as bind,
        Unbound(tmp_path, bind.server, "cache-min-ttl: 600") as stretching,
        Unbound(tmp_path, bind.server) as honest,
    ):
        there = lookup(bind.server, resolvers=(stretching.server, honest.server))
        await there.resolvers(WWW)
        bind.change(**MOVE)
        one, other = await panel(SERVICE, there, run_of(3))
        assert (one.updated, one.ttl_left > 500) == (False, True)
        assert one.note.endswith("more, longer than the 1 min that it was given")
        assert other.note == ""


async def test_a_resolver_that_is_late(tmp_path: Path) -> None:
    """Long after the change it still has the old answer, with a TTL that looks harmless."""
    with Bind(tmp_path, zone_text=ZONE_TEXT) as bind, Bind(tmp_path, zone_text=ZONE_TEXT) as frozen:
        bind.change(**MOVE)
        (kept,) = await panel(SERVICE, lookup(bind.server, resolvers=(frozen.server,)), run_of(60, ago=360))
        assert (kept.updated, kept.note) == (False, "still has the old answer, 5 min after it should have gone")


async def test_that_there_is_nothing_is_kept(tmp_path: Path) -> None:
    """A resolver that asked while the name was missing says for how long it keeps that."""
    with Bind(tmp_path, zone_text=ZONE_TEXT) as bind, Unbound(tmp_path, bind.server) as resolver:
        there = lookup(bind.server, resolvers=(resolver.server,))
        bind.change(delete=["www A"])
        await there.resolvers(WWW)
        bind.change(add=[f"www 60 A {NEW}"])
        (kept,) = await panel(SERVICE, there)
        assert (kept.updated, kept.records, 0 < kept.ttl_left <= 60) == (False, (), True)
        assert kept.note.startswith("says that there is nothing, for ")


async def test_name_servers_that_do_not_agree(tmp_path: Path) -> None:
    """Then nobody can say who has followed."""
    with Bind(tmp_path, zone_text=ZONE_TEXT) as one, Bind(tmp_path, zone_text=ZONE_TEXT) as other:
        one.change(**MOVE)
        kept = await panel(SERVICE, lookup(one.server, other.server, resolvers=(one.server,)))
        assert [k.updated for k in kept] == [None]
        assert "do not agree" in panel_words(kept, datetime.now(UTC))


def doh_of(ttl: int, address: str) -> Respond:
    """A resolver by HTTPS that has an IPv4 address, for so many seconds more."""

    def respond(_: bytes, body: bytes) -> bytes:
        query = dns.message.from_wire(body)
        answer = dns.message.make_response(query, recursion_available=True)
        if query.question[0].rdtype == 1:
            answer.answer.append(dns.rrset.from_text(query.question[0].name, ttl, "IN", "A", address))
        return response(200, "Content-Type: application/dns-message", body=answer.to_wire())

    return respond


async def test_resolvers_by_https(tmp_path: Path) -> None:
    """They are asked as the others are, with a certificate that is verified; each trouble is told at its resolver."""
    authority = trustme.CA()
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    with Bind(tmp_path, zone_text=ZONE_TEXT) as bind:
        bind.change(**MOVE)
        async with (
            web(doh_of(40, OLD), server) as behind,
            web(doh_of(60, NEW), server) as there,
            web(saying(503), server) as broken,
            web(silence, server) as silent,
            web(over_https({}), server) as empty,
        ):
            ports = (behind.port, there.port, broken.port, silent.port, free_port(), empty.port)
            urls = tuple(f"https://127.0.0.1:{port}/dns-query" for port in ports)
            kept = await panel(SERVICE, lookup(bind.server, doh=urls), run_of(60), tls=trusting)
            (refused,) = await panel(SERVICE, lookup(bind.server, doh=urls[:1]))
    assert [(k.resolver, k.over) for k in kept] == [(url, "HTTPS") for url in urls]
    assert [k.updated for k in kept] == [False, True, None, None, None, False]
    assert (kept[0].ttl_left, kept[0].addresses) == (40, (OLD,))
    assert [k.error for k in kept[2:5]] == ["it answers 503", "no answer within 3 s", "connection refused"]
    assert "certificate refused" in (refused.error or "")


async def test_how_long_resolvers_may_keep_it(tmp_path: Path) -> None:
    """The longest TTL of all hostnames' chains, as the authoritative servers give it."""
    text = ZONE_TEXT.replace(f"www 60 A {OLD}", f"www 30 CNAME edge\nedge 3600 A {OLD}")
    with Bind(tmp_path, zone_text=text) as bind:
        found = await cache_time(SERVICE, lookup(bind.server))
    assert (found.seconds, found.own, found.name) == (3600, 30, "edge.shop.example")
