"""Record sets, and which of them decide where visitors go."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import Any

from msgspec import Struct, field

#: The types that decide where a visitor of a name ends up. A plan replaces all of them at once, so that nobody
#: stays behind: not the visitors with IPv6, not those whose browser reads HTTPS records (RFC 9460).
#: ALIAS and ANAME are providers' own names for "the addresses of that name" at an apex.
ADDRESS_TYPES = ("A", "AAAA", "CNAME", "ALIAS", "ANAME", "HTTPS", "SVCB")

#: Types whose one value is a host name.
NAME_TYPES = ("CNAME", "ALIAS", "ANAME")

#: IDNA 2003 replaces or drops these characters, IDNA 2008 and today's browsers keep them.
_DEVIATING = "\u00df\u03c2\u200c\u200d"
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


class RecordSet(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All records of one name and type (RFC 2181, section 5).

    `name` is lower case without the final dot; `values` are sorted, in canonical text: addresses as RFC 5952 writes
    them, host names like `name`, everything else as the zone file has it, with absolute names.
    `details` is what the provider keeps beside a value (proxied, comment, tags), by value, so that undo restores it.
    `opaque` says that the name servers answer with other data than this set: it is proxied, flattened or an alias.
    """

    name: str
    type: str
    ttl: int
    values: tuple[str, ...]
    details: dict[str, dict[str, Any]] = field(default_factory=dict)
    opaque: bool = False


#: The address set of one name; empty where the name has no address records.
AddressSet = tuple[RecordSet, ...]


def hostname(text: str) -> str:
    """`text` as a canonical host name: lower case, A-labels, no final dot. ValueError says what is wrong with it."""
    name = text.strip().rstrip(".").lower()
    if any(character in name for character in _DEVIATING):
        raise ValueError(f"{text!r} is read in two ways (RFC 5894, 7.2); write its xn-- form")
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError as error:
            raise ValueError(f"{text!r} is not a host name: {error}") from None
    if not name or len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise ValueError(f"{text!r} is not a host name; one looks like www.shop.example")
    if name.rpartition(".")[2].isdecimal():
        raise ValueError(f"{text!r} is an address, not a host name; one looks like www.shop.example")
    return name


def canonical_value(rtype: str, text: str) -> str:
    """One value of a record set in canonical text. ValueError for an address that is none."""
    if rtype == "A":
        return str(ipaddress.IPv4Address(text))
    if rtype == "AAAA":
        address = ipaddress.IPv6Address(text)
        if address.scope_id is not None:
            raise ValueError(f"{text!r} is an address on one link only")
        return str(address)
    if rtype in NAME_TYPES:
        return text.rstrip(".").lower()
    return text


def record_set(name: str, rtype: str, ttl: int, values: Iterable[str]) -> RecordSet:
    """A plain record set with canonical, sorted values and nothing that a provider adds."""
    return RecordSet(
        name=name,
        type=rtype,
        ttl=ttl,
        values=tuple(sorted({canonical_value(rtype, value) for value in values})),
    )


def address_set(records: Iterable[RecordSet]) -> AddressSet:
    """Those of a name's record sets that decide where its visitors go, in the order of ADDRESS_TYPES."""
    return tuple(sorted((r for r in records if r.type in ADDRESS_TYPES), key=lambda r: ADDRESS_TYPES.index(r.type)))


def same_answer(one: AddressSet, other: AddressSet) -> bool:
    """Do both send visitors to the same place? TTLs and provider details do not matter here."""
    return {(r.type, r.values) for r in one} == {(r.type, r.values) for r in other}


def in_zone(name: str, zone: str) -> bool:
    """Is `name` the zone's apex or below it?"""
    return name == zone or name.endswith("." + zone)


def names_above(name: str, zone: str) -> tuple[str, ...]:
    """The names between `name` and the apex of `zone`, neither of them among these."""
    labels = name.removesuffix(f".{zone}").split(".") if name != zone else []
    return tuple(".".join([*labels[start:], zone]) for start in range(1, len(labels)))


def values_text(records: Iterable[RecordSet]) -> str:
    """An address set in a few words: "A 192.0.2.1, 192.0.2.2; AAAA 2001:db8::1"."""
    return "; ".join(f"{r.type} {', '.join(r.values)}" for r in records) or "nothing"
