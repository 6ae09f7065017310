"""From DNS messages to record sets, and the short way for many plain questions about addresses."""

from __future__ import annotations

import functools
import ipaddress
import re
import socket
import struct
from collections.abc import Callable, Iterable
from typing import NamedTuple

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from changeover.model.dns.records import RecordSet, canonical_value

#: Signatures and denial proofs belong to the server, not to the person.
_DNSSEC = {dns.rdatatype.RRSIG, dns.rdatatype.NSEC, dns.rdatatype.NSEC3}


def record_sets_in(section: Iterable[dns.rrset.RRset], name: str) -> tuple[RecordSet, ...]:
    """The record sets (of class IN) that a message's section has at `name`, in canonical form."""
    owner = dns.name.from_text(name)
    mine = (r for r in section if r.rdclass == dns.rdataclass.IN and r.name == owner and r.rdtype not in _DNSSEC)
    return tuple(to_record_set(rrset) for rrset in mine)


def to_record_set(rrset: dns.rrset.RRset) -> RecordSet:
    """One RRset in canonical form."""
    rtype = dns.rdatatype.to_text(rrset.rdtype)
    values = [canonical_value(rtype, rdata.to_text()) for rdata in rrset]
    name = rrset.name.to_text(omit_final_dot=True).lower()
    return RecordSet(name=name, type=rtype, ttl=rrset.ttl, values=tuple(sorted(values)))


#: By type, its name, the size of its value, and how that is written (RFC 5952).
_ADDRESS_FORMS: dict[int, tuple[str, int, Callable[[bytes], str]]] = {
    1: ("A", 4, socket.inet_ntoa),
    28: ("AAAA", 16, lambda value: str(ipaddress.IPv6Address(value))),
}
_CNAME, _IN = 5, 1
_SOA_WIRE = b"\0\6"
#: A TTL has 31 bits (RFC 2181, 8).
_MOST_SECONDS = 2**31 - 1
_POINTER_TO_QUESTION = b"\xc0\x0c"
#: The bits of a header's third byte that say "authoritative" and "cut short".
_AA, _TC = dns.flags.AA >> 8, dns.flags.TC >> 8
#: What labels of a host name are made of. Whatever else a label holds is written with escapes, which dnspython knows.
_PLAIN = re.compile(rb"[a-zA-Z0-9_-]+")


@functools.lru_cache(maxsize=4096)
def name_wire(name: str) -> bytes:
    """A canonical host name as it stands in a message (RFC 1035, 3.1). Each is needed often."""
    return b"".join(bytes([len(label)]) + label.encode("ascii") for label in name.split(".")) + b"\0"


def question_wire(name: str, rtype: str) -> bytes:
    """A query for one name and type, without recursion and without EDNS. Its id is 0."""
    return _ONE_QUESTION + name_wire(name) + _type_wire(rtype)


_ONE_QUESTION = struct.pack("!HHHHHH", 0, 0, 1, 0, 0, 0)


@functools.cache
def _type_wire(rtype: str) -> bytes:
    """A type and the class IN."""
    return struct.pack("!HH", dns.rdatatype.from_text(rtype), _IN)


class WireAnswer(NamedTuple):
    """What a server says to one question. `referral`: not it, but another server has the name.

    `zone` is the zone that "there is nothing" is said of (RFC 2308, 2); None where something else is said.
    """

    rcode: dns.rcode.Rcode
    authoritative: bool
    referral: bool
    records: tuple[RecordSet, ...]
    zone: str | None = None

    @property
    def good(self) -> bool:
        """Does the server say what there is, or that there is nothing, rather than that it cannot answer?"""
        return self.rcode in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)


def answer_to(wire: bytes, name: str) -> WireAnswer:
    """Reads an answer, with the record sets that it has at `name`. Raises DNSException where it is damaged, or cut
    short: what it lacks is not known (RFC 2181, 9).

    dnspython parses a message in full, authority and additional section included, which is most of the time that many
    answers take. Where the answer has only addresses or a CNAME of the name that was asked for, those are taken
    straight from it.
    """
    authoritative = bool(wire[2] & _AA)
    referral = not authoritative and wire[8:10] != b"\0\0"
    zone = _empty_zone(wire, name)
    plain = _plain_records(wire, name) if not wire[2] & _TC else None
    if plain is not None:
        return WireAnswer(dns.rcode.Rcode(wire[3] & 0x0F), authoritative, referral, plain, zone)
    message = dns.message.from_wire(wire, ignore_trailing=True, raise_on_truncation=True)
    return WireAnswer(message.rcode(), authoritative, referral, record_sets_in(message.answer, name), zone)


def _empty_zone(wire: bytes, name: str) -> str | None:
    """The owner of the SOA record beside an answer without records; None where there is no plain one."""
    place = 12 + len(name) + 2 + 4
    if wire[4:10] < b"\0\1\0\0\0\1" or wire[6:8] != b"\0\0" or len(wire) < place:
        return None
    owner, end = _name_at(wire, place)
    return owner if wire[end : end + 2] == _SOA_WIRE else None


def _plain_records(wire: bytes, name: str) -> tuple[RecordSet, ...] | None:
    """The only record set of an answer, addresses or a CNAME; none where it has none; None for any other answer."""
    place = 12 + len(name) + 2 + 4
    count = int.from_bytes(wire[6:8], "big")
    if count == 0:  # an OPT record behind it may hold the other half of the rcode
        return () if wire[10:12] == b"\0\0" else None
    if wire[4:6] != b"\0\1" or wire[12 : place - 4].lower() != name_wire(name) or len(wire) < place:
        return None
    values = set()
    first, least = 0, _MOST_SECONDS
    for number in range(count):
        if wire[place : place + 2] != _POINTER_TO_QUESTION or len(wire) < place + 12:
            return None
        kind, rclass, ttl, size = struct.unpack_from("!HHIH", wire, place + 2)
        if number == 0:
            first = kind
        place += 12
        value = _value(wire, place, size, kind)
        if value is None or kind != first or rclass != _IN or ttl > _MOST_SECONDS or (kind == _CNAME and count > 1):
            return None
        values.add(value)
        least = min(least, ttl)
        place += size
    rtype = "CNAME" if first == _CNAME else _ADDRESS_FORMS[first][0]
    return (RecordSet(name=name, type=rtype, ttl=least, values=tuple(sorted(values))),)


def _value(wire: bytes, place: int, size: int, kind: int) -> str | None:
    """An address or the target of a CNAME in canonical form; None for anything else, damage included."""
    if kind == _CNAME:
        target, end = _name_at(wire, place)
        return target if end == place + size else None
    form = _ADDRESS_FORMS.get(kind)
    if form is None or size != form[1] or len(wire) < place + size:
        return None
    return form[2](wire[place : place + size])


def _name_at(wire: bytes, place: int) -> tuple[str | None, int]:
    """A host name, its pointers followed (RFC 1035, 4.1.4), and where it ends. None where it is no plain one."""
    labels: list[bytes] = []
    end, limit = 0, place
    while place < len(wire) and (size := wire[place]):
        if size >= 0xC0:
            end = end or place + 2
            place = int.from_bytes(wire[place : place + 2], "big") & 0x3FFF
            if place >= limit:
                return None, end
            limit = place
            continue
        label = wire[place + 1 : place + 1 + size]
        if len(label) < size or not _PLAIN.fullmatch(label):
            return None, end
        labels.append(label)
        place += 1 + size
    if place >= len(wire) or not labels or sum(map(len, labels)) + len(labels) > 254:
        return None, end
    return b".".join(labels).decode("ascii").lower(), end or place + 1
