"""From DNS messages to record sets, and the short way for many plain questions about addresses."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterable
from typing import NamedTuple

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from changeover.model.dns.records import RecordSet, canonical_value

#: Signatures and denial proofs belong to the server, not to the person.
_DNSSEC = {dns.rdatatype.RRSIG, dns.rdatatype.NSEC, dns.rdatatype.NSEC3}


def record_sets_in(section: Iterable[dns.rrset.RRset], name: str) -> tuple[RecordSet, ...]:
    """The record sets that a message's section has at `name`, in canonical form."""
    owner = dns.name.from_text(name)
    return tuple(to_record_set(rrset) for rrset in section if rrset.name == owner and rrset.rdtype not in _DNSSEC)


def to_record_set(rrset: dns.rrset.RRset) -> RecordSet:
    """One RRset in canonical form."""
    rtype = dns.rdatatype.to_text(rrset.rdtype)
    values = [canonical_value(rtype, rdata.to_text()) for rdata in rrset]
    name = rrset.name.to_text(omit_final_dot=True).lower()
    return RecordSet(name=name, type=rtype, ttl=rrset.ttl, values=tuple(sorted(values)))


_ADDRESS_FORMS = {1: ("A", 4, ipaddress.IPv4Address), 28: ("AAAA", 16, ipaddress.IPv6Address)}
_POINTER_TO_QUESTION = b"\xc0\x0c"
#: The bit of a header's third byte that says "authoritative".
_AA = dns.flags.AA >> 8


def name_wire(name: str) -> bytes:
    """A canonical host name as it stands in a message (RFC 1035, 3.1)."""
    return b"".join(bytes([len(label)]) + label.encode("ascii") for label in name.split(".")) + b"\0"


def question_wire(name: str, rtype: str) -> bytes:
    """A query for one name and type, without recursion and without EDNS: for TCP. Its id is 0."""
    header = struct.pack("!HHHHHH", 0, 0, 1, 0, 0, 0)
    return header + name_wire(name) + struct.pack("!HH", dns.rdatatype.from_text(rtype), 1)


class WireAnswer(NamedTuple):
    """What a server says to one question. `referral`: not it, but another server has the name."""

    rcode: dns.rcode.Rcode
    referral: bool
    records: tuple[RecordSet, ...]


def answer_to(wire: bytes, name: str) -> WireAnswer:
    """Reads an answer, with the record sets that it has at `name`. Raises DNSException where it is damaged.

    dnspython parses a message in full, authority and additional section included, which is most of the time that many
    answers take. Where the answer has only addresses of the name that was asked for, those are taken straight from it.
    """
    referral = not wire[2] & _AA and wire[8:10] != b"\0\0"
    plain = _plain_addresses(wire, name)
    if plain is not None:
        return WireAnswer(dns.rcode.from_flags(wire[3], 0), referral, plain)
    message = dns.message.from_wire(wire, ignore_trailing=True, raise_on_truncation=False)
    return WireAnswer(message.rcode(), referral, record_sets_in(message.answer, name))


def _plain_addresses(wire: bytes, name: str) -> tuple[RecordSet, ...] | None:
    """The address record set of an answer that has nothing else, or None for any other answer."""
    place = 12 + len(name) + 2 + 4
    values: list[str] = []
    kind, ttl = 0, 0
    for number in range(int.from_bytes(wire[6:8], "big")):
        if wire[place : place + 2] != _POINTER_TO_QUESTION or len(wire) < place + 12:
            return None
        before = kind
        kind, _, ttl, size = struct.unpack_from("!HHIH", wire, place + 2)
        if number > 0 and kind != before:
            return None
        form = _ADDRESS_FORMS.get(kind)
        if form is None or size != form[1] or len(wire) < place + 12 + size:
            return None
        values.append(str(form[2](wire[place + 12 : place + 12 + size])))
        place += 12 + size
    if not values:
        return ()
    return (RecordSet(name=name, type=_ADDRESS_FORMS[kind][0], ttl=ttl, values=tuple(sorted(values))),)
