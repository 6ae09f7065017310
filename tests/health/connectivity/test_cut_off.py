"""A laptop, its router and an internet, in networks of their own, with cables that are cut: every way to be offline."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
import trustme

import namespaces
from changeover.health.connectivity.interfaces import network_changed
from changeover.model.health.connectivity import Connection, Connectivity, Evidence
from changeover.model.wording.fault_words import connection_words
from health.connectivity.internet import NAME
from namespaces import Namespace, wire

TESTS = Path(__file__).resolve().parents[2]
INTERNET = ("11.1.1.1", "11.4.4.4", "11.8.8.8", "11.9.9.9")


class World(NamedTuple):
    laptop: Namespace
    router: Namespace
    internet: Namespace
    folder: Path

    def serve(self, how: str, at: Namespace | None = None) -> None:
        """An internet that behaves like this, or somebody in the router who plays one."""
        place = at or self.internet
        for address in INTERNET:
            place.ip("address", "add", f"{address}/32", "dev", "lo")
        place.start(sys.executable, "-m", "health.connectivity.internet", how, str(self.folder), ready="ready")

    def look(self) -> Connection:
        """What the laptop sees."""
        printed = self.laptop.run(sys.executable, "-m", "health.connectivity.look", str(self.folder / "ca.pem"))
        return msgspec.json.decode(printed, type=Connection)


@pytest.fixture(scope="module", autouse=True)
def possible() -> None:
    if (why := namespaces.unusable()) is not None:
        pytest.skip(why)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("certificates")
    authority = trustme.CA()
    leaf = authority.issue_cert(NAME, "11.1.1.1")
    authority.cert_pem.write_to_path(made / "ca.pem")
    leaf.private_key_pem.write_to_path(made / "key.pem")
    for number, blob in enumerate(leaf.cert_chain_pems):
        blob.write_to_path(made / "chain.pem", append=number > 0)
    return made


@pytest.fixture
def world(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("PYTHONPATH", str(TESTS), prepend=os.pathsep)
    with ExitStack() as stack:
        laptop, router, internet = (stack.enter_context(Namespace(name)) for name in ("laptop", "router", "internet"))
        wire(laptop, "10.9.0.2/24", "wlan0", router, "10.9.0.1/24", "lan0")
        wire(router, "10.10.0.1/24", "wan0", internet, "10.10.0.2/24", "eth0")
        laptop.ip("route", "add", "default", "via", "10.9.0.1")
        router.ip("route", "add", "default", "via", "10.10.0.2")
        internet.ip("route", "add", "default", "via", "10.10.0.1")
        router.run("sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
        yield World(laptop, router, internet, folder)


def only(connection: Connection, kind: str) -> Evidence:
    """The one piece of evidence of this kind, or the first."""
    return next(e for e in connection.evidence if e.kind == kind)


def sources(connection: Connection) -> frozenset[str]:
    return frozenset(e.witness for e in connection.evidence if e.kind == "interface" and e.ok)


def test_online_then_the_cable_to_the_provider_is_cut(world: World) -> None:
    """The router answers all the way through, which is what its sentence says; then all is well again."""
    world.serve("honest")
    before = world.look()
    assert (before.link, connection_words(before)) == (Connectivity.ONLINE, "This computer is online.")
    assert not before.dns_fails
    assert [e.witness for e in before.evidence if not e.ok] == []
    assert only(before, "gateway").text == "10.9.0.1 answers"
    assert sources(before) == {"10.9.0.2"}

    world.router.ip("link", "set", "wan0", "down")
    cut = world.look()
    assert cut.link is Connectivity.OFFLINE
    assert connection_words(cut) == "This computer is offline: the router answers, but nothing beyond it does."
    assert not cut.dns_fails

    world.router.ip("link", "set", "wan0", "up")
    world.router.ip("route", "add", "default", "via", "10.10.0.2")
    assert world.look().link is Connectivity.ONLINE


def test_the_router_is_gone(world: World) -> None:
    """The radio is on, the network is known, and nobody is there."""
    world.serve("honest")
    world.router.ip("link", "set", "lan0", "down")
    found = world.look()
    assert found.link is Connectivity.OFFLINE
    assert (
        connection_words(found)
        == "This computer is offline: none of 3 witnesses answers, and its router does not either."
    )


def test_the_wifi_is_lost(world: World) -> None:
    """The interface goes, and with it every route: nothing is sent, and witnesses at addresses count as not asked."""
    world.serve("honest")
    before = world.look()
    world.laptop.ip("link", "set", "wlan0", "down")
    lost = world.look()
    assert lost.link is Connectivity.OFFLINE
    assert (
        connection_words(lost) == "This computer is offline: no network leads out of it. Check the cable or the Wi-Fi."
    )
    assert [e.ok for e in lost.evidence if e.kind == "tcp"] == [None, None]
    assert only(lost, "gateway").text == "no default route"
    assert network_changed(sources(before), sources(lost))


def test_a_vpn_swallows_everything(world: World) -> None:
    """Routes lead into it, nothing comes out of it, and it has no router to ask."""
    world.serve("honest")
    wire(world.laptop, "10.88.0.2/32", "tun0", world.internet, "10.88.0.1/32", "void")
    world.laptop.ip("link", "set", "tun0", "arp", "off")  # as a tunnel: whatever goes in is taken
    for half in ("0.0.0.0/1", "128.0.0.0/1"):
        world.laptop.ip("route", "add", half, "dev", "tun0")
    found = world.look()
    assert found.link is Connectivity.OFFLINE
    assert connection_words(found) == (
        "This computer is offline: none of 3 witnesses answers, and everything goes through tun0. Check the VPN."
    )
    assert sources(found) == {"10.88.0.2"}


def test_a_login_page_stands_in_the_router(world: World) -> None:
    """It takes every connection at port 443 and sends every page to itself; it cannot prove to be the witness."""
    world.serve("login page", at=world.router)
    found = world.look()
    assert [e.ok for e in found.evidence if e.kind in ("tcp", "https")] == [True, True, False]
    assert found.link is Connectivity.PORTAL
    assert (
        connection_words(found)
        == "A login page stands between this computer and the internet. Open a browser and log in."
    )
    assert only(found, "portal").text == "302 instead of 204, which leads to http://10.9.0.1/login"


def test_the_resolver_is_dead(world: World) -> None:
    """Everything else works, and DNS over HTTPS shows it."""
    world.serve("dead dns")
    found = world.look()
    assert (found.link, found.dns_fails) == (Connectivity.ONLINE, True)
    assert connection_words(found) == (
        "This computer's own DNS does not answer; DNS over HTTPS does. Check the resolver or the VPN."
    )
    assert only(found, "https").ok, "it was found by DNS over HTTPS"


def test_the_resolver_lies(world: World) -> None:
    """A private address for a public name, where DNS over HTTPS has a public one; both are shown."""
    world.serve("lying dns")
    found = world.look()
    assert (found.link, found.dns_fails) == (Connectivity.ONLINE, True)
    assert connection_words(found) == (
        "This computer's own DNS answers falsely: 10.9.0.77 where DNS over HTTPS gives 11.4.4.4. "
        "Check the resolver or the VPN."
    )
