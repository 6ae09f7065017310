"""The contract of a DNS provider: what Changeover asks of it, and what it promises in return.

A provider reads the record sets of given names and replaces whole address sets, expecting exactly what was read.
It never changes or removes a record set of another type, and never one at another name.

Reading. `await provider.read("shop.example", ["shop.example", "www.shop.example"])` gives for each name everything
that stands there, in canonical form; a name without records gives an empty tuple:

    {"shop.example": (RecordSet(name="shop.example", type="A", ttl=60, values=("192.0.2.10",)),
                      RecordSet(name="shop.example", type="MX", ttl=3600, values=("10 mail.shop.example.",))),
     "www.shop.example": (RecordSet(name="www.shop.example", type="CNAME", ttl=60, values=("primary.example.net",)),)}

Changing. Each `Change` says "replace the address set of this name, expected to be exactly `before`, by `after`":

    change = Change(account="dns-main", zone="shop.example", name="www.shop.example",
                    before=(www_cname,), after=(www_a, www_aaaa))
    result = await provider.apply("shop.example", [change])

- `Applied`: every change of the batch is made. A record set whose type stays was replaced in place.
- `PreconditionFailed`: some name was not as expected. Nothing was changed, at no name; `conflicts` says where.
- `Indeterminate`: the answer was lost (time-out, connection, a 5xx). Everything or nothing may have happened, and where
  `batch` is None a part. The caller reads and decides; the provider never repeats a write by itself.
- A ProviderError is raised when provably nothing was changed: a wrong credential, a refusal, no connection.

With `before` empty the name is expected to have no address records. `after` is never empty unless the run undoes the
creation of a name.

What a provider cannot compare itself (Cloudflare everything, RFC 2136 the TTL) it reads again right before the write.

Texts. Programs that share a zone leave each other texts in TXT records, one of each kind at a name; the kind is the
text's first word. Where `capabilities.leases` says so, a provider keeps such texts by compare-and-set:

    name, first, second = "_changeover.shop.example", "changeover-lease v1 …", "changeover-lease v1 …"
    await provider.swap_txt("shop.example", name, None, first)      # expects no text of this kind, and creates it
    await provider.swap_txt("shop.example", name, first, second)    # expects exactly `first`, and replaces it
    await provider.swap_txt("shop.example", name, second, None)     # expects `second` to be there, and removes it

The results are those of `apply`. Other TXT values at the name, of other kinds, stay as they are, TTL included.
`PreconditionFailed` says that the text is another. Two that create at the same moment do not both get `Applied`; a
provider that has no compare-and-set reads again after the write, and takes back a text that collided.

Guards. With `Guard(name, first)`, `apply` makes its changes only where `first` is the one text of its kind at `name`;
else it is `PreconditionFailed`, and nothing was changed. So a run whose lease was taken over cannot write. Where the
server compares natively (RFC 2136), the guard is one more prerequisite of the same message, and holds to the last
instant. Elsewhere (Cloudflare) the text is read again with the records, right before the write; a lease that is taken
over in the instant between stays unseen by that one write.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from msgspec import Struct

from changeover.model.dns.capabilities import Capabilities
from changeover.model.dns.change import Change
from changeover.model.dns.records import AddressSet, RecordSet, address_set, values_text
from changeover.model.dns.txt_record import kind_of, texts
from changeover.model.secret import Secret
from changeover.model.settings.account_fields import AccountKind


class Applied(Struct, frozen=True):
    """Every change of the batch is made."""


class PreconditionFailed(Struct, frozen=True):
    """Nothing was changed: these names were not as expected. The texts say what stood there, as far as known."""

    conflicts: tuple[str, ...]


class Indeterminate(Struct, frozen=True):
    """Nobody knows what happened; `text` says why. `under_way`: the provider took it, and may yet make it."""

    text: str
    under_way: bool = False


Result = Applied | PreconditionFailed | Indeterminate

#: Seconds that a text may be cached. Nobody reads it by way of a cache, but a TXT record has a TTL.
TEXT_TTL = 60


class Guard(Struct, frozen=True):
    """What a write expects besides the records that it changes: `text` is the one text of its kind at `name`."""

    name: str
    text: str


class RecordsRead(Struct, frozen=True, kw_only=True):
    """What stands at the names that were asked for.

    `records` has every name asked for. `wildcards`: names that only a wildcard answers for; their `records` are empty.
    `policies`: names whose records carry a routing policy, with the policy in words.
    """

    records: dict[str, tuple[RecordSet, ...]]
    wildcards: tuple[str, ...] = ()
    policies: dict[str, str] = {}


def conflicts(change: Change, live: Iterable[RecordSet]) -> list[str]:
    """In words, how `live`, all that stands at the change's name, differs from what the change expects there."""
    there = tuple(live)
    now, expected = address_set(there), address_set(change.before)
    if now != expected:
        was, found = values_text(expected), values_text(now)
        return [
            f"{change.name} was {was}, and is now {found if found != was else 'so with another TTL or other flags'}"
        ]
    others = sorted({r.type for r in there if r not in now})
    gets_cname = any(r.type == "CNAME" for r in change.after) and all(r.type != "CNAME" for r in expected)
    if gets_cname and others and change.name != change.zone:
        return [f"{change.name} has {', '.join(others)} as well, and a CNAME must stand alone"]
    return []


def text_conflicts(name: str, text: str, live: Iterable[RecordSet]) -> list[str]:
    """In words, how `live`, what stands at `name`, differs from having `text` as its one text of this kind."""
    found = texts(live, kind_of(text))
    if found == (text,):
        return []
    return [f"{name} said “{text}”, and now says {' and '.join(f'“{one}”' for one in found) or 'nothing'}"]


def swap_conflicts(name: str, before: str | None, after: str | None, live: Iterable[RecordSet]) -> list[str]:
    """In words, how `live`, what stands at `name`, differs from what `swap_txt` expects there."""
    if before is None:
        there = texts(live, kind_of(after)) if after is not None else ()
        return [f"{name} said nothing, and now says “{there[0]}”"] if there else []
    if after is None:
        return [] if before in texts(live, kind_of(before)) else [f"{name} does not say “{before}” any more"]
    return text_conflicts(name, before, live)


class Access(Struct, frozen=True, kw_only=True):
    """What a credential can do: the zones it sees, and whether it may write there (None: not known).

    `writable`: the zones that it may change altogether, where that is known and the provider has credentials that can
    change less; an account that uses fewer of them is told so. `expires`: when the credential ends, with its time zone.
    """

    zones: tuple[str, ...]
    may_write: bool | None
    writable: tuple[str, ...] | None = None
    expires: datetime | None = None


class Provider(Protocol):
    """One account at a DNS provider. Errors are those of changeover.model.errors, with the provider's own words."""

    capabilities: Capabilities
    #: How long the last write was blind, in seconds at most: from when its comparison was asked for until the write was
    #: answered. None before the first write, and where the provider itself compares.
    race_window: float | None

    async def read(self, zone: str, names: Sequence[str]) -> RecordsRead:
        """Everything that stands at `names` (see above). Raises NotFound where the account does not have the zone."""
        ...

    async def apply(self, zone: str, changes: Sequence[Change], guard: Guard | None = None) -> Result:
        """Makes one batch of changes, all or nothing where `batch` is not None, if the guard holds (see above)."""
        ...

    async def swap_txt(self, zone: str, name: str, before: str | None, after: str | None) -> Result:
        """Creates, replaces or removes one text, expecting `before` (see above). Never repeats a write by itself.

        A text is one line of ASCII of at most 255 characters without quotes and backslashes. Raises Rejected where the
        name cannot hold one, and PermissionDenied where the credential may not write there.
        """
        ...

    async def read_back(self, zone: str, changes: Sequence[Change]) -> dict[str, AddressSet]:
        """The address sets that stand at the names of `changes` now, read right after a write.

        May ask for less than `read`: only for the types that `changes` speak of.
        """
        ...

    def normalize(self, zone: str, before: AddressSet, after: AddressSet) -> AddressSet:
        """What this provider makes of `after` where `before` stands: flags carried over, TTLs as it means them.

        Pure. `read` after an applied change gives exactly this.
        """
        ...

    async def verify(self, zone: str, names: Sequence[str]) -> Access:
        """Proves that the credential can read the zone and says whether it may change `names`, changing nothing."""
        ...

    async def zones(self) -> tuple[str, ...] | None:
        """The zones that the credential sees, or None where the provider cannot list them."""
        ...

    async def aclose(self) -> None:
        """Closes connections. The provider is not used afterwards."""
        ...


class ProviderType(AccountKind, Protocol):
    """What a module of changeover.dns.providers declares as its `PROVIDER`."""

    @staticmethod
    def open(account: str, options: Any, secrets: Mapping[str, Secret]) -> Provider:
        """The account, ready for use. No I/O happens before the first call."""
        ...


def is_this_computer(host: str) -> bool:
    """Is it a loopback address or "localhost", where a credential may go unprotected, or none is needed?"""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
