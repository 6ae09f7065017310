"""Names and values as the APIs of DNS providers write them, and in the one form that Changeover compares.

Beside each value, a record set's `details` keep what an undo must restore: under "written" the provider's own notation
of it, under other keys what else is kept there.
"""

from __future__ import annotations

from collections.abc import Collection

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.TXT
import msgspec

from changeover.model.dns.records import NAME_TYPES, AddressSet, RecordSet, canonical_value

#: The most bytes of one string of a TXT record (RFC 1035, 3.3).
_STRING = 255


def relative_name(zone: str, name: str) -> str:
    """`name` without its zone; empty for the zone itself."""
    return name.removesuffix(zone).rstrip(".")


def full_name(zone: str, label: str | None) -> str:
    """The name that is `label` within the zone; the zone itself where that is empty or "@"."""
    return (zone if label in (None, "", "@") else f"{label}.{zone}").lower()


def record_value(rtype: str, text: str, zone: str = "") -> str:
    """A value in a zone file's notation as the one text that Changeover compares; names in it are relative to `zone`.

    What cannot be read stays as the provider writes it, and so is never mistaken for something else.
    """
    try:
        if rtype in ("A", "AAAA"):
            return canonical_value(rtype, text)
        if rtype in NAME_TYPES:
            absolute = text if text.endswith(".") or not zone else full_name(zone, text)
            return canonical_value(rtype, absolute)
        origin = dns.name.from_text(zone) if zone else dns.name.root
        return dns.rdata.from_text("IN", rtype, text, origin=origin, relativize=False).to_text()
    except (ValueError, dns.exception.DNSException):
        return text


def written_value(rtype: str, value: str) -> str:
    """The same value for an API that takes a zone file's notation: host names are absolute."""
    return f"{value}." if rtype in NAME_TYPES else value


def as_written(record: RecordSet, value: str) -> str:
    """A value of `record` in the provider's own notation, or, where none is known, in a zone file's."""
    return str(record.details.get(value, {}).get("written", written_value(record.type, value)))


def text_value(*texts: str) -> str:
    """Bare texts as the value of a TXT record in a zone file: quoted, in strings of at most 255 bytes."""
    octets = [text.encode("utf-8", "surrogatepass") for text in texts]
    strings = [text[start : start + _STRING] for text in octets for start in range(0, max(len(text), 1), _STRING)]
    return dns.rdtypes.ANY.TXT.TXT(dns.rdataclass.IN, dns.rdatatype.TXT, strings).to_text()


def carried_over(
    before: AddressSet,
    record: RecordSet,
    ttl: int,
    keys: Collection[str] = ("written",),
    *,
    shared: Collection[str] = (),
    alias: bool = False,
) -> RecordSet:
    """`record` with that TTL, and with what stands in `before` beside the set of its type.

    A value that stays has what stood beside it under `keys`, but no "default_ttl" other than its TTL; every value has
    what stood beside any under the `shared` keys. With `alias`, ANAME becomes ALIAS.
    """
    rtype = "ALIAS" if alias and record.type == "ANAME" else record.type
    former = next((r.details for r in before if r.type == rtype), {})
    common = {key: note for notes in former.values() for key, note in notes.items() if key in shared}
    details = {}
    for value in record.values:
        own = {key: note for key, note in former.get(value, {}).items() if key in keys}
        if own.get("default_ttl", ttl) != ttl:
            del own["default_ttl"]
        details[value] = common | own
    return msgspec.structs.replace(
        record,
        type=rtype,
        ttl=ttl,
        details={value: notes for value, notes in details.items() if notes},
        opaque=record.opaque or rtype == "ALIAS",
    )
