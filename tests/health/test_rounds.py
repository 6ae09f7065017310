"""Rounds of probes: every address of every hostname, names resolved as the settings say, never judged from one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from changeover.dns.lookup.client import Lookup
from changeover.health.rounds import MAX_CONCURRENT, probe_now, probe_round
from changeover.model.dns.change import ZoneAt
from changeover.model.health.check import HealthCheck
from changeover.model.health.probe_result import Cause, Health
from changeover.model.settings.service import Answer, Deployment, LookupSettings, Marker, Service
from dns_servers.bind import Bind
from dns_servers.process import free_port
from health.web import Talk, WebServer, serving
from web_servers.nginx import Nginx

WWW, APEX = "www.shop.example", "shop.example"
ZONE = """\
@ SOA ns1 hostmaster 1 3600 600 86400 60
@ NS ns1
ns1 A 127.0.0.1
edge A 127.0.0.1
edge AAAA ::1
chain CNAME edge
empty TXT "no address"
"""


@pytest.fixture(scope="module")
def bind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bind]:
    with Bind(tmp_path_factory.mktemp("dns"), zone_text=ZONE) as running:
        yield running


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with Nginx(tmp_path_factory.mktemp("web"), {"backup": ["127.0.0.1", "::1"]}, [WWW, APEX]) as running:
        yield running


@pytest.fixture
def lookup(bind: Bind) -> Lookup:
    return Lookup(LookupSettings(resolvers=(bind.server,)))


def service_of(answer: Answer, check: HealthCheck, **answers: Answer) -> tuple[Service, Deployment]:
    by_name = {APEX: answers["apex"]} if answers else {}
    backup = Deployment(name="backup", answer=answer, answers=by_name, marker=Marker("X-Deployment", "backup"))
    service = Service(
        name="shop", hostnames=(WWW, APEX), dns=(ZoneAt("dns", APEX),), deployments=(backup,), health=check
    )
    return service, backup


def secure(nginx: Nginx) -> HealthCheck:
    return HealthCheck(port=nginx.port, ca_file=str(nginx.ca_file), timeout=20)


async def test_every_address_of_every_hostname_is_probed(nginx: Nginx, lookup: Lookup) -> None:
    """IPv4 and IPv6, each with the hostname's own name; a hostname's own answer comes before the common one."""
    answer = Answer(a=("127.0.0.1",), aaaa=("::1",))
    probed = await probe_round(*service_of(answer, secure(nginx)), lookup)
    assert {(r.hostname, r.address) for r in probed.results} == {
        (name, address) for name in (WWW, APEX) for address in ("127.0.0.1", "::1")
    }
    assert (probed.verdict, all(r.marker_ok for r in probed.results)) == (Health.HEALTHY, True)
    own = await probe_round(*service_of(answer, secure(nginx), apex=Answer(a=("127.0.0.1",))), lookup)
    assert [r.address for r in own.results if r.hostname == APEX] == ["127.0.0.1"]


@pytest.mark.parametrize("target", ["edge.shop.example", "chain.shop.example"])
@pytest.mark.parametrize("kind", ["cname", "alias"])
async def test_a_name_is_resolved_by_the_settings_resolver(
    nginx: Nginx, lookup: Lookup, kind: str, target: str
) -> None:
    """All addresses of the target, a chain followed; no other resolver knows these names."""
    probed = await probe_round(*service_of(Answer(**{kind: target}), secure(nginx)), lookup)
    assert {(r.address, r.target) for r in probed.results} == {("127.0.0.1", target), ("::1", target)}
    assert probed.verdict is Health.HEALTHY


DEAD = "{} has no address: the routing name is dead"


@pytest.mark.parametrize("target", ["empty.shop.example", "nobody.shop.example"])
async def test_a_target_without_an_address_is_a_bad_result(nginx: Nginx, lookup: Lookup, target: str) -> None:
    """The resolver answers, and there is nothing: visitors would get nothing either. The app itself may be well."""
    words = f"{DEAD.format(target)}, the app may be alive"
    probed = await probe_round(*service_of(Answer(cname=target), secure(nginx)), lookup)
    assert (probed.verdict, probed.cause) == (Health.UNHEALTHY, Cause.ROUTING_NAME)
    assert {(r.reason, r.target, r.address) for r in probed.results} == {(words, target, "")}
    part = await probe_round(*service_of(Answer(cname=target), secure(nginx), apex=Answer(a=("127.0.0.1",))), lookup)
    assert (part.verdict, part.cause) == (Health.DEGRADED, Cause.ROUTING_NAME)
    assert part.reason == f"{words} ({WWW})"


async def test_an_app_that_is_alive_behind_a_dead_name(nginx: Nginx, lookup: Lookup) -> None:
    """Asked at the address that the name led to last (F10). That makes nothing good: visitors do not get there."""
    target = "nobody.shop.example"
    service, backup = service_of(Answer(cname=target), secure(nginx))
    known = {target: ("127.0.0.1",)}
    alive = await probe_round(service, backup, lookup, known)
    assert (alive.verdict, alive.cause, len(alive.results)) == (Health.UNHEALTHY, Cause.ROUTING_NAME, 2)
    assert {r.reason for r in alive.results} == {f"{DEAD.format(target)}; the app still answers at 127.0.0.1"}
    refused = replace(service, health=HealthCheck(port=free_port()))
    gone = await probe_round(refused, backup, lookup, known)
    words = f"{DEAD.format(target)}, and the app does not answer at 127.0.0.1 either (connection refused)"
    assert {r.reason for r in gone.results} == {words}


async def test_an_address_that_only_the_own_name_servers_give(nginx: Nginx, bind: Bind, tmp_path: Path) -> None:
    """The resolver remembers that there was none: the name's own servers say better, and their address is tried."""
    zone = "@ SOA ns1 hostmaster 1 3600 600 86400 60\n@ NS ns1\nns1 A 127.0.0.1\n"
    with Bind(tmp_path, zone_text=zone) as forgetful:
        settings = LookupSettings(resolvers=(forgetful.server,), nameservers={APEX: (bind.server,)})
        service, backup = service_of(Answer(cname="edge.shop.example"), secure(nginx))
        probed = await probe_round(service, backup, Lookup(settings))
    said = "edge.shop.example has no address at the resolver, though its own name servers give one"
    assert {r.reason for r in probed.results} == {f"{said}; the app still answers at 127.0.0.1"}
    assert (probed.verdict, probed.cause) == (Health.UNHEALTHY, Cause.ROUTING_NAME)


async def test_ipv6_left_behind(tmp_path: Path, lookup: Lookup) -> None:
    """IPv4 answers and IPv6 is dead (F24): not healthy, and the reason names the address."""
    with Nginx(tmp_path, {"backup": ["127.0.0.1"]}, [WWW, APEX]) as only_ipv4:
        probed = await probe_round(
            *service_of(Answer(a=("127.0.0.1",), aaaa=("::1",)), secure(only_ipv4)),
            lookup,
        )
    assert (probed.verdict, probed.cause) == (Health.DEGRADED, Cause.ADDRESS)
    assert probed.reason == f"connection refused ({WWW} at ::1)"


async def test_silent_resolvers_say_nothing_about_a_deployment(nginx: Nginx, tmp_path: Path) -> None:
    """A round without any answer counts for nothing: not known, and not down."""
    silent = Lookup(LookupSettings(resolvers=(f"127.0.0.1:{free_port()}",)), timeout=0.3)
    service, backup = service_of(Answer(cname="edge.shop.example"), secure(nginx))
    probed = await probe_round(service, backup, silent)
    assert probed.verdict is Health.UNKNOWN
    assert {(r.ok, r.cause, r.target) for r in probed.results} == {(None, Cause.DNS, "edge.shop.example")}
    judged = await probe_now(service, backup, silent)
    assert judged.health is Health.UNKNOWN
    assert judged.reason.startswith("not checked: edge.shop.example could not be resolved")


async def test_the_next_resolver_is_asked(nginx: Nginx, bind: Bind) -> None:
    """In the order of the settings."""
    both = Lookup(LookupSettings(resolvers=(f"127.0.0.1:{free_port()}", bind.server)), timeout=20)
    probed = await probe_round(*service_of(Answer(cname="edge.shop.example"), secure(nginx)), both)
    assert probed.verdict is Health.HEALTHY


def counting(web: list[WebServer], statuses: str) -> Talk:
    """Answers the connections one after the other: g is 200, b is 500; the last one counts for all that follow."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = min(web[0].connections, len(statuses)) - 1
        await reader.readuntil(b"\r\n\r\n")
        status = {"g": b"200 OK", "b": b"500 No"}[statuses[number]]
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    return talk


@pytest.mark.parametrize(
    ("statuses", "probes", "health"),
    [
        ("gg", 2, "healthy"),
        ("bbb", 3, "unhealthy"),
        ("bgg", 3, "healthy"),
        ("gbg", 3, "degraded"),
        ("gbb", 3, "degraded"),
        ("bgb", 3, "degraded"),
        ("bbg", 3, "degraded"),
    ],
)
async def test_a_command_never_judges_from_one_probe(lookup: Lookup, statuses: str, probes: int, health: str) -> None:
    """Two good ones or three bad ones; what is neither answers in part. No more probes than that."""
    servers: list[WebServer] = []
    async with serving(counting(servers, statuses)) as web:
        servers.append(web)
        check = HealthCheck(scheme="http", port=web.port, timeout=20)
        service, backup = service_of(Answer(a=("127.0.0.1",)), check)
        one = replace(service, hostnames=(WWW,))
        judged = await probe_now(one, backup, lookup)
        assert (web.connections, judged.health) == (probes, health)
        assert judged.last is not None
        assert judged.checked_at == judged.last.at


async def test_a_round_that_was_made_before_counts(lookup: Lookup) -> None:
    """One good round and one more are enough."""
    servers: list[WebServer] = []
    async with serving(counting(servers, "g")) as web:
        servers.append(web)
        check = HealthCheck(scheme="http", port=web.port, timeout=20)
        service, backup = service_of(Answer(a=("127.0.0.1",)), check)
        one = replace(service, hostnames=(WWW,))
        first = await probe_round(one, backup, lookup)
        judged = await probe_now(one, backup, lookup, first)
        assert (web.connections, judged.health) == (2, Health.HEALTHY)


async def test_a_watch_that_saw_it_well_spares_the_second_probe(lookup: Lookup) -> None:
    """Its newest round counts beside one good probe now; not where it was bad, elsewhere, or the probe is bad."""
    servers: list[WebServer] = []
    async with serving(counting(servers, "gggggggggbbb")) as web:
        servers.append(web)
        check = HealthCheck(scheme="http", port=web.port, timeout=5)
        service, backup = service_of(Answer(a=("127.0.0.1",)), check)
        one = replace(service, hostnames=(WWW,))
        seen = await probe_round(one, backup, lookup)
        failed = replace(seen, results=tuple(replace(r, ok=False) for r in seen.results))
        elsewhere = replace(seen, results=tuple(replace(r, address="127.0.0.9") for r in seen.results))
        for known, probes in ((seen, 1), (failed, 2), (elsewhere, 2), (None, 2)):
            before = web.connections
            judged = await probe_now(one, backup, lookup, None, known)
            assert (web.connections - before, judged.health) == (probes, Health.HEALTHY)
            assert judged.last is not None
            assert judged.last is not known
        await probe_now(one, backup, lookup, None, seen)
        judged = await probe_now(one, backup, lookup, None, seen)
        assert judged.health is Health.UNHEALTHY, "three bad ones of its own"


async def test_hundreds_of_hostnames_are_not_probed_all_at_once(lookup: Lookup) -> None:
    """So many connections at a time, and all of them in the end."""
    now = most = 0
    full = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        if now >= MAX_CONCURRENT:
            full.set()
        await reader.readuntil(b"\r\n\r\n")
        await full.wait()  # nobody leaves before the others have come, if they can
        now -= 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with serving(talk) as web:
        service, backup = service_of(Answer(a=("127.0.0.1",)), HealthCheck(scheme="http", port=web.port, timeout=20))
        many = replace(service, hostnames=tuple(f"h{number}.shop.example" for number in range(150)))
        probed = await probe_round(many, backup, lookup)
    assert (len(probed.results), probed.verdict) == (150, Health.HEALTHY)
    assert most == MAX_CONCURRENT
