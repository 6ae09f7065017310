"""The practice ground's zone: kept in a text file, and looked up as RFC 1034 (4.3.2) says."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import dns.exception
import dns.name
import dns.node
import dns.rcode
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rrset
import dns.transaction
import dns.zone

from changeover.model.errors import UsageError
from changeover.storage.settings.file import write_atomically

_CHAIN = 16
_WILDCARD = dns.name.from_text("*", None)


def load(file: Path, origin: dns.name.Name, start: str) -> dns.zone.Zone:
    """The zone that `file` holds. Where there is no such file, the zone is made from the text `start`, and kept there.

    Raises UsageError where the file is not a zone.
    """
    if not file.exists():
        zone = dns.zone.from_text(start, origin, relativize=False)
        with zone.reader() as content:
            save(file, content)
        return zone
    try:
        return dns.zone.from_text(file.read_text(encoding="utf-8"), origin, relativize=False)
    except (dns.exception.DNSException, KeyError, ValueError) as error:
        raise UsageError(
            f"{file} is not a usable zone: {error}",
            "Remove that file and start the practice ground again: it begins with a new zone.",
        ) from None


def save(file: Path, content: dns.transaction.Transaction) -> None:
    """Keeps `content`, committed or not, in `file`. Raises OSError."""
    found = sorted(content.iterate_rdatasets(), key=lambda item: (item[0], item[1].rdtype != dns.rdatatype.SOA))
    write_atomically(file, "".join(f"{rdataset.to_text(name)}\n" for name, rdataset in found))


class ZoneAnswer(NamedTuple):
    """What a zone has to say about a question. `authoritative` is false for a referral."""

    rcode: dns.rcode.Rcode
    answer: list[dns.rrset.RRset]
    authority: list[dns.rrset.RRset]
    additional: list[dns.rrset.RRset]
    authoritative: bool = True


def find(zone: dns.zone.Zone, name: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> ZoneAnswer:
    """The answer to a question for a name in the zone: CNAMEs followed inside the zone, wildcards, delegations."""
    answer: list[dns.rrset.RRset] = []
    for _ in range(_CHAIN):
        cut = _delegation(zone, name)
        if cut is not None and not (cut == name and rdtype == dns.rdatatype.DS):
            return _referral(zone, cut, answer)
        node = _node(zone, name)
        if node is None:
            rcode = dns.rcode.NOERROR if _has_names_below(zone, name) else dns.rcode.NXDOMAIN
            return ZoneAnswer(rcode, answer, [_negative_soa(zone)], [])
        matching = [r for r in node if rdtype in (r.rdtype, dns.rdatatype.ANY)]
        if matching:
            return ZoneAnswer(dns.rcode.NOERROR, answer + [_rrset(name, r) for r in matching], [], [])
        cname = node.get_rdataset(dns.rdataclass.IN, dns.rdatatype.CNAME)
        if cname is None:
            return ZoneAnswer(dns.rcode.NOERROR, answer, [_negative_soa(zone)], [])
        answer.append(_rrset(name, cname))
        name = cname[0].target
        if not name.is_subdomain(_origin(zone)):
            return ZoneAnswer(dns.rcode.NOERROR, answer, [], [])
        if any(name == rrset.name for rrset in answer):
            break
    return ZoneAnswer(dns.rcode.SERVFAIL, answer, [], [])


def _origin(zone: dns.zone.Zone) -> dns.name.Name:
    assert zone.origin is not None
    return zone.origin


def _rrset(name: dns.name.Name, rdataset: dns.rdataset.Rdataset) -> dns.rrset.RRset:
    return dns.rrset.from_rdata_list(name, rdataset.ttl, list(rdataset))


def _node(zone: dns.zone.Zone, name: dns.name.Name) -> dns.node.Node | None:
    """What stands at `name`, or what a wildcard puts there (RFC 4592, 3.3.1)."""
    node = zone.get_node(name)
    if node is not None or _has_names_below(zone, name):
        return node
    encloser = name.parent()
    while zone.get_node(encloser) is None and not _has_names_below(zone, encloser):
        encloser = encloser.parent()
    return zone.get_node(_WILDCARD.concatenate(encloser))


def _has_names_below(zone: dns.zone.Zone, name: dns.name.Name) -> bool:
    return any(other != name and other.is_subdomain(name) for other in zone)


def _delegation(zone: dns.zone.Zone, name: dns.name.Name) -> dns.name.Name | None:
    """The highest name below the apex, at `name` or above it, that has NS records."""
    cut = None
    while name != _origin(zone):
        if zone.get_rdataset(name, dns.rdatatype.NS) is not None:
            cut = name
        name = name.parent()
    return cut


def _referral(zone: dns.zone.Zone, cut: dns.name.Name, answer: list[dns.rrset.RRset]) -> ZoneAnswer:
    servers = zone.find_rrset(cut, dns.rdatatype.NS)
    glue = [
        zone.find_rrset(server.target, rdtype)
        for server in servers
        for rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA)
        if server.target.is_subdomain(_origin(zone)) and zone.get_rdataset(server.target, rdtype) is not None
    ]
    return ZoneAnswer(dns.rcode.NOERROR, answer, [servers], glue, authoritative=bool(answer))


def _negative_soa(zone: dns.zone.Zone) -> dns.rrset.RRset:
    """The SOA as it stands in a negative answer: its TTL says how long that may be cached (RFC 2308, 3)."""
    soa = zone.find_rrset(_origin(zone), dns.rdatatype.SOA)
    return dns.rrset.from_rdata(soa.name, min(soa.ttl, soa[0].minimum), soa[0])
