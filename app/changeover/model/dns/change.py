"""One change: the address set of one name, replaced by another."""

from __future__ import annotations

from msgspec import Struct

from changeover.model.dns.records import AddressSet

#: Where an address set stands: account, zone, name.
Place = tuple[str, str, str]


class Change(Struct, frozen=True, kw_only=True):
    """Replace the whole address set of one name, expected to be exactly `before`, by `after`."""

    account: str
    zone: str
    name: str
    before: AddressSet
    after: AddressSet

    @property
    def place(self) -> Place:
        return (self.account, self.zone, self.name)

    @property
    def inverse(self) -> Change:
        return Change(account=self.account, zone=self.zone, name=self.name, before=self.after, after=self.before)

    @property
    def changes_type(self) -> bool:
        return {r.type for r in self.before} != {r.type for r in self.after}


class ZoneAt(Struct, frozen=True, forbid_unknown_fields=True):
    """A zone at a DNS provider's account. A zone served by several providers has several of these."""

    account: str
    zone: str
