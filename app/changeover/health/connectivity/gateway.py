"""The router that this computer sends everything through, and whether it is alive. Known on Linux."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import struct
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from changeover.health.http.connection import Wire
from changeover.model.health.connectivity import GATEWAY, Evidence

#: DNS and web: what most routers serve inwards. A refusal is as good an answer as any.
_PORTS = (53, 80, 443)
#: Flags of the kernel's routing table (include/uapi/linux/route.h).
_UP, _THROUGH_ROUTER, _REJECT = 0x1, 0x2, 0x200
#: 0.0.0.0 and 128.0.0.0 as that table has them, which are also the masks of the whole net and of its halves.
_WIDE = tuple(f"{int.from_bytes(socket.inet_aton(text), sys.byteorder):08X}" for text in ("0.0.0.0", "128.0.0.0"))


class Route(NamedTuple):
    """Where everything goes that has no way of its own. `router` is None where the interface leads there itself."""

    interface: str
    router: str | None


async def gateway_evidence(timeout: float) -> Evidence:
    """Is the router alive? It is where it takes or refuses a connection."""
    try:
        route = default_route()
    except OSError:
        return Evidence(kind="gateway", witness=GATEWAY, ok=None, text="the router of this system is not known here")
    if route is None:
        return Evidence(kind="gateway", witness=GATEWAY, ok=False, text="no default route")
    if route.router is None:
        text = f"everything goes through {route.interface}, which has no router"
        return Evidence(kind="gateway", witness=route.interface, ok=None, text=text)
    alive = await _alive(route.router, timeout)
    said = "answers" if alive else f"does not answer within {timeout:g} s"
    return Evidence(kind="gateway", witness=route.router, ok=alive, text=f"{route.router} {said}")


async def _alive(address: str, timeout: float) -> bool:
    async def one(port: int) -> bool:
        try:
            async with asyncio.timeout(timeout):
                with Wire(address, most=0) as wire:
                    await wire.connect(port)
        except ConnectionRefusedError:
            return True
        except OSError:  # silent, or its interface is gone
            return False
        return True

    tasks = [asyncio.create_task(one(port)) for port in _PORTS]
    try:
        for answer in asyncio.as_completed(tasks):
            if await answer:
                return True
        return False
    finally:
        for task in tasks:
            task.cancel()


def default_route() -> Route | None:
    """The default route, by IPv4 where there is one. Raises OSError where this system does not tell."""
    found = ipv4_route(Path("/proc/net/route").read_text().splitlines()[1:])
    if found is None and (table := Path("/proc/net/ipv6_route")).exists():
        found = ipv6_route(table.read_text().splitlines())
    return found


def ipv4_route(lines: Iterable[str]) -> Route | None:
    """The route to everywhere that the kernel takes, of the lines of /proc/net/route.

    That is the narrowest, and of these the one with the lowest metric. VPNs put two halves of the net
    (0.0.0.0/1, 128.0.0.0/1) before the default route.
    """
    found = []
    for line in lines:
        interface, destination, router, flags_text, _, _, metric, mask, *_ = line.split()
        flags = int(flags_text, 16)
        if mask in _WIDE and destination in _WIDE and _usable(flags):
            through = socket.inet_ntoa(struct.pack("=I", int(router, 16))) if flags & _THROUGH_ROUTER else None
            found.append((mask == "00000000", int(metric), Route(interface, through)))
    return min(found, key=lambda entry: entry[:2])[2] if found else None


def ipv6_route(lines: Iterable[str]) -> Route | None:
    """As `ipv4_route`, of the other table. A router's link-local address comes with its interface."""
    found = []
    for line in lines:
        destination, length, _, _, router, metric, _, _, flags_text, interface = line.split()
        flags = int(flags_text, 16)
        if length == "00" and not int(destination, 16) and _usable(flags):
            at = ipaddress.IPv6Address(int(router, 16))
            through = f"{at}%{interface}" if at.is_link_local else str(at)
            found.append((int(metric, 16), Route(interface, through if flags & _THROUGH_ROUTER else None)))
    return min(found, key=lambda entry: entry[0])[1] if found else None


def _usable(flags: int) -> bool:
    return bool(flags & _UP) and not flags & _REJECT
