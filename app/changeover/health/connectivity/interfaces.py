"""Which of its own addresses this computer would send from: so an interface that comes or goes is noticed."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable


def source_address(address: str) -> str | None:
    """The address that this computer would reach `address` from; None where no network leads there. Sends nothing."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 443))
            return str(probe.getsockname()[0])
    except OSError:  # no route, or no such address family at all
        return None


def source_addresses(addresses: Iterable[str]) -> frozenset[str]:
    """The addresses that this computer would reach these from. Empty where no network leads to any. Sends nothing."""
    return frozenset(source for a in addresses if (source := source_address(a)) is not None)


def network_changed(before: frozenset[str], after: frozenset[str]) -> bool:
    """Did a network come or go between two readings? IPv6 addresses change by themselves within one /64 (RFC 8981)."""
    return _networks(before) != _networks(after)


def _networks(addresses: Iterable[str]) -> set[str]:
    return {str(ipaddress.ip_network(f"{a.partition('%')[0]}/64", strict=False)) if ":" in a else a for a in addresses}
