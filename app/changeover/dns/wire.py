"""From DNS messages to record sets."""

from __future__ import annotations

from collections.abc import Iterable

import dns.name
import dns.rdatatype
import dns.rrset

from changeover.model.records import RecordSet, canonical_value

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
