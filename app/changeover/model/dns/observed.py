"""What was observed in the DNS: what an authoritative server gives for a name, and what became of a routing name."""

from __future__ import annotations

from msgspec import Struct

from changeover.model.dns.records import AddressSet, same_answer


class ServerAnswer(Struct, frozen=True, kw_only=True):
    """What one address of one authoritative server said about one hostname; `error` where it said nothing usable.

    `nonexistent`: it says that there is no such name, which is more than that it has no address. `failed` are types
    that it fails at, of a name that it has other records of. `elsewhere` is the zone that it has the name in, where
    that is another than `zone`; then there is an `error` as well.
    """

    server: str
    address: str
    hostname: str
    zone: str
    records: AddressSet = ()
    error: str | None = None
    checked: bool = True
    nonexistent: bool = False
    failed: tuple[str, ...] = ()
    elsewhere: str | None = None

    def gives(self, records: AddressSet) -> bool:
        """Does it send visitors where `records` do, by all that it answers?"""
        return same_answer(self.records, tuple(r for r in records if r.type not in self.failed))


class RoutingName(Struct, frozen=True, kw_only=True):
    """A name that answers lead to: its addresses by resolvers and by its own servers; None where nobody answers."""

    name: str
    resolved: tuple[str, ...] | None
    own: tuple[str, ...] | None
