"""Records as dns-lexicon's providers list and take them: each in a notation of its own.

What they should list is said in dns-lexicon's interface (dns-lexicon.readthedocs.io/en/latest/developer_guide.html):
full names without a final dot, contents without quotes. What they do list differs: "@.shop.example" for the apex, names
relative to the zone, quoted texts, texts of several strings without the outer quotes, TTLs as texts or not at all, MX
records without their priority. The last cannot be repaired here; only addresses and CNAMEs are ever written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import dns.rdatatype
from msgspec import Struct

from changeover.dns.http.notation import record_value, text_value
from changeover.dns.http.record_by_record import Record
from changeover.model.dns.records import NAME_TYPES, hostname
from changeover.model.dns.txt_record import text_of

MOST_TTL = 2**31 - 1

Listed = Mapping[str, Any]


class Notation(Struct, frozen=True):
    """How a zone's records are listed: the targets of CNAMEs with a final dot or without, TTLs or none."""

    dotted: bool = False
    shows_ttl: bool = True


def notation_of(listed: Iterable[Listed]) -> Notation:
    """What these records tell of the notation. Raises what `understood` raises."""
    there = [one for one in listed if _type(one) in ("A", "AAAA", "CNAME")]
    return Notation(
        dotted=any(one["content"].endswith(".") for one in there if _type(one) == "CNAME"),
        shows_ttl=not there or any(_ttl(one) is not None for one in there),
    )


def understood(zone: str, one: Listed, unknown_ttl: int) -> tuple[str, Record]:
    """A listed record with its id, empty where it has none. LookupError, TypeError or ValueError where it is no such.

    Where it has no TTL, that is `unknown_ttl`.
    """
    rtype, content = _type(one), one["content"]
    if not isinstance(one["name"], str) or not isinstance(content, str) or not rtype.isalnum():
        raise TypeError
    ttl = _ttl(one)
    record = Record(
        name=_full_name(zone, one["name"]),
        type=rtype,
        ttl=unknown_ttl if ttl is None else ttl,
        value=_value(zone, rtype, content),
    )
    return str(one.get("id") or ""), record


def written(record: Record, notation: Notation) -> tuple[str, ...]:
    """The value as dns-lexicon takes it: a bare text, an address, a host name as the zone's others are listed.

    Where a host name is refused so, the other way is worth a try.
    """
    if record.type == "TXT":
        return (text_of(record.value),)
    if record.type not in NAME_TYPES:
        return (record.value,)
    plain, absolute = record.value, f"{record.value}."
    return (absolute, plain) if notation.dotted else (plain, absolute)


def is_type(text: str) -> bool:
    """Is it a type of DNS, and not a provider's own such as URL?"""
    try:
        dns.rdatatype.from_text(text)
    except (dns.rdatatype.UnknownRdatatype, ValueError):
        return False
    return True


def _type(one: Listed) -> str:
    return str(one["type"]).upper()


def _full_name(zone: str, text: str) -> str:
    name = text.strip().rstrip(".").lower()
    if not name.isascii():
        name = hostname(name)
    if name in ("", "@", zone, f"@.{zone}"):
        return zone
    return name if name.endswith(f".{zone}") else f"{name}.{zone}"


def _value(zone: str, rtype: str, content: str) -> str:
    if rtype == "TXT":
        whole = len(content) > 1 and content.startswith('"') and content.endswith('"')
        if whole or '" "' in content:
            return record_value(rtype, content if whole else f'"{content}"')
        return text_value(content)
    if rtype in NAME_TYPES and content.rstrip(".") == "@":
        return zone
    return record_value(rtype, content)


def _ttl(one: Listed) -> int | None:
    """The TTL that is listed, None where there is none."""
    listed = one.get("ttl")
    if listed in (None, ""):
        return None
    ttl = int(str(listed))
    if not 0 <= ttl <= MOST_TTL:
        raise ValueError
    return ttl
