"""What was observed in the DNS: what an authoritative server gives for a name, and what became of a routing name."""

from __future__ import annotations

from msgspec import Struct

from changeover.model.dns.records import AddressSet


class ServerAnswer(Struct, frozen=True, kw_only=True):
    """What one address of one authoritative server said about one hostname; `error` where it said nothing usable.

    `nonexistent`: it says that there is no such name, which is more than that it has no address.
    """

    server: str
    address: str
    hostname: str
    zone: str
    records: AddressSet = ()
    error: str | None = None
    checked: bool = True
    nonexistent: bool = False


class RoutingName(Struct, frozen=True, kw_only=True):
    """A name that answers lead to: its addresses by resolvers and by its own servers; None where nobody answers."""

    name: str
    resolved: tuple[str, ...] | None
    own: tuple[str, ...] | None
