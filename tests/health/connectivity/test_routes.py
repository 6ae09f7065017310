"""The router, as the kernel's tables tell it, and the networks that come and go."""

from __future__ import annotations

import sys

import pytest

from changeover.health.connectivity.gateway import Route, ipv4_route, ipv6_route
from changeover.health.connectivity.interfaces import network_changed, source_address, source_addresses

LAN = "eth0 0001A8C0 00000000 0001 0 0 100 00FFFFFF 0 0 0"
ETHERNET = "eth0 00000000 0101A8C0 0003 0 0 100 00000000 0 0 0"
WIFI = "wlan0 00000000 0102A8C0 0003 0 0 600 00000000 0 0 0"
TUNNEL = "tun0 00000000 00000000 0001 0 0 0 00000080 0 0 0"
OTHER_HALF = "tun0 00000080 00000000 0001 0 0 0 00000080 0 0 0"
OPENVPN = "tun0 00000000 0100080A 0003 0 0 0 00000080 0 0 0"
REFUSED = "* 00000000 00000000 0200 0 0 0 00000000 0 0 0"
DOWN = "eth0 00000000 0101A8C0 0002 0 0 0 00000000 0 0 0"


@pytest.mark.skipif(sys.byteorder != "little", reason="the table is written in the order of the machine's bytes")
@pytest.mark.parametrize(
    ("lines", "route"),
    [
        ([], None),
        ([LAN], None),
        ([LAN, ETHERNET], Route("eth0", "192.168.1.1")),
        ([WIFI, LAN, ETHERNET], Route("eth0", "192.168.1.1")),
        ([WIFI], Route("wlan0", "192.168.2.1")),
        ([WIFI, TUNNEL, OTHER_HALF], Route("tun0", None)),
        ([ETHERNET, OPENVPN], Route("tun0", "10.8.0.1")),
        ([REFUSED], None),
        ([DOWN, WIFI], Route("wlan0", "192.168.2.1")),
    ],
)
def test_the_router_of_ipv4(lines: list[str], route: Route | None) -> None:
    """Of several the kernel's choice, a VPN's before all; routes that are down or refuse are none."""
    assert ipv4_route(lines) == route


NOWHERE = "0" * 32


def ipv6(router: str, metric: str, flags: str, interface: str) -> str:
    return f"{NOWHERE} 00 {NOWHERE} 00 {router} {metric} 00000001 00000000 {flags} {interface}"


LINK_LOCAL = ipv6("fe80" + "0" * 27 + "1", "00000400", "00000003", "wlan0")
GLOBAL = ipv6("20010db8" + "0" * 23 + "1", "00000100", "00000003", "eth0")
UNREACHABLE = ipv6(NOWHERE, "ffffffff", "00200200", "lo")
POINT_TO_POINT = ipv6(NOWHERE, "00000100", "00000001", "ppp0")


@pytest.mark.parametrize(
    ("lines", "route"),
    [
        ([UNREACHABLE], None),
        ([LINK_LOCAL, UNREACHABLE], Route("wlan0", "fe80::1%wlan0")),
        ([LINK_LOCAL, GLOBAL], Route("eth0", "2001:db8::1")),
        ([POINT_TO_POINT], Route("ppp0", None)),
    ],
)
def test_the_router_of_ipv6(lines: list[str], route: Route | None) -> None:
    """A link-local router comes with its interface, without which it cannot be reached."""
    assert ipv6_route(lines) == route


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ({"192.168.1.5"}, {"192.168.1.5"}, False),
        ({"192.168.1.5"}, set(), True),
        ({"192.168.1.5"}, {"10.8.0.2"}, True),
        ({"192.168.1.5"}, {"192.168.1.5", "2001:db8::7"}, True),
        ({"2001:db8::7"}, {"2001:db8::8"}, False),
        ({"2001:db8::7"}, {"2001:db8:0:1::7"}, True),
        ({"fe80::1%eth0"}, {"fe80::2%eth0"}, False),
    ],
)
def test_a_network_comes_or_goes(before: set[str], after: set[str], changed: bool) -> None:
    """Another address is another network; a private IPv6 address that is renewed is not."""
    assert network_changed(frozenset(before), frozenset(after)) is changed


def test_the_address_that_is_sent_from() -> None:
    """Each to its own kind; who cannot be reached has none."""
    assert source_address("127.0.0.1") == "127.0.0.1"
    assert source_address("::1") == "::1"
    assert source_addresses(["127.0.0.1", "127.0.0.7", "not an address"]) == {"127.0.0.1"}
