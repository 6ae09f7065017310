"""The resolvers that this computer was told of by its network: read anew each time, since laptops change networks."""

from __future__ import annotations

import sys
from pathlib import Path

from changeover.model.dns.server_address import is_address

RESOLV_CONF = Path("/etc/resolv.conf")
#: Bytes of the file that are read; a real one has a few hundred.
_LONGEST = 65536


def system_resolvers() -> tuple[str, ...]:
    """Their addresses, in the system's order. A system without a list of them has none."""
    if sys.platform == "win32":
        return _of_the_registry()
    try:
        with RESOLV_CONF.open("rb") as opened:
            return resolvers_in(opened.read(_LONGEST))
    except OSError:
        return ()


def resolvers_in(content: bytes) -> tuple[str, ...]:
    """The addresses in a file of the form of resolv.conf(5). Lines that are none are passed over, as libc does."""
    lines = (line.split() for line in content.decode("utf-8", "replace").splitlines())
    return tuple(line[1] for line in lines if len(line) > 1 and line[0] == "nameserver" and is_address(line[1]))


def _of_the_registry() -> tuple[str, ...]:
    import dns.exception
    import dns.resolver

    try:
        found = dns.resolver.Resolver().nameservers
    except (dns.exception.DNSException, OSError, ValueError):
        return ()
    return tuple(server for server in found if isinstance(server, str))
