"""Dynamic updates (RFC 2136): a message is applied to a zone as a whole, or not at all.

Unsigned, so only for a server that nobody but this computer reaches. Where the RFC leaves something open, and where it
has been found to be read in several ways, this does as BIND 9.18 does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import dns.exception
import dns.name
import dns.node
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.ttl
import dns.zone
from dns.rcode import Rcode
from dns.rdataclass import IN
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.SOA import SOA
from dns.serial import Serial
from dns.transaction import Transaction

import dns.wire

#: Called with the changed zone before the change becomes visible. What it raises undoes the change.
Keep = Callable[[Transaction], None]

_DENIAL = (RdataType.NSEC, RdataType.NSEC3, RdataType.RRSIG)
_ADDRESSES = (RdataType.A, RdataType.AAAA)


class _Failed(Exception):
    def __init__(self, rcode: Rcode) -> None:
        super().__init__(dns.rcode.to_text(rcode))
        self.rcode = rcode


class _Record(NamedTuple):
    """One resource record of the message. `rdata` is None where it has no data at all."""

    name: dns.name.Name
    rdtype: RdataType
    rdclass: int
    ttl: int
    rdata: dns.rdata.Rdata | None


class _Message(NamedTuple):
    zone: dns.name.Name
    zone_class: int
    prerequisites: list[_Record]
    updates: list[_Record]
    signed: bool


def apply_update(zone: dns.zone.Zone, wire: bytes, keep: Keep) -> Rcode:
    """Applies the update message `wire` to `zone` and says how it went. The serial grows when something changed.

    `keep` is called only when something changed; an OSError of it gives SERVFAIL, and nothing has changed then.
    """
    try:
        message = _read(wire)
        if message.signed or message.zone != zone.origin or message.zone_class != IN:
            return Rcode.NOTAUTH
        _prescan(message)
        with zone.writer() as content:
            _check_prerequisites(content, message)
            _process(content, message, keep)
    except _Failed as failed:
        return failed.rcode
    except dns.exception.DNSException:
        return Rcode.FORMERR
    except OSError:
        return Rcode.SERVFAIL
    return Rcode.NOERROR


def _read(wire: bytes) -> _Message:
    """The message in its parts, each record by itself and in its order (RFC 2136, 2)."""
    parser = dns.wire.Parser(wire)
    _, _, zones, prerequisites, updates, additional = parser.get_struct("!HHHHHH")
    if zones != 1:
        raise _Failed(Rcode.FORMERR)
    zone = dns.name.from_wire_parser(parser)
    zone_type, zone_class = parser.get_struct("!HH")
    if zone_type != RdataType.SOA:
        raise _Failed(Rcode.FORMERR)
    sections = [[_record(parser) for _ in range(count)] for count in (prerequisites, updates, additional)]
    signed = any(record.rdtype == RdataType.TSIG for record in sections[2])
    return _Message(zone, zone_class, sections[0], sections[1], signed)


def _record(parser: dns.wire.Parser) -> _Record:
    name = dns.name.from_wire_parser(parser)
    number, rdclass, ttl, size = parser.get_struct("!HHIH")
    rdtype = RdataType.make(number)
    with parser.restrict_to(size):
        rdata = dns.rdata.from_wire_parser(IN, rdtype, parser) if size else None
    return _Record(name, rdtype, rdclass, ttl if ttl <= dns.ttl.MAX_TTL else 0, rdata)


def _prescan(message: _Message) -> None:
    """What is wrong with the message itself, whatever the zone has (RFC 2136, 3.2.5 and 3.4.1.3)."""
    for record in message.updates:
        if not record.name.is_subdomain(message.zone):
            raise _Failed(Rcode.NOTZONE)
        meta = dns.rdatatype.is_metatype(record.rdtype)
        empty = record.rdata is None
        match record.rdclass:
            case dns.rdataclass.IN:
                right = not meta and not empty
            case dns.rdataclass.ANY:
                right = record.ttl == 0 and empty and (not meta or record.rdtype == RdataType.ANY)
            case dns.rdataclass.NONE:
                right = record.ttl == 0 and not meta and not empty
            case _:
                right = False
        if not right:
            raise _Failed(Rcode.FORMERR)
        if record.rdtype in _DENIAL:
            raise _Failed(Rcode.REFUSED)  # they belong to who signs the zone


def _check_prerequisites(content: Transaction, message: _Message) -> None:
    """RFC 2136, 3.2. Record sets of which the values are given are compared as sets, whatever their TTL."""
    given: dict[tuple[dns.name.Name, RdataType], set[dns.rdata.Rdata]] = {}
    for record in message.prerequisites:
        if record.ttl != 0:
            raise _Failed(Rcode.FORMERR)
        if not record.name.is_subdomain(message.zone):
            raise _Failed(Rcode.NOTZONE)
        any_type = record.rdtype == RdataType.ANY
        exists = content.name_exists(record.name) if any_type else _exists(content, record.name, record.rdtype)
        match record.rdclass, record.rdata:
            case dns.rdataclass.ANY, None:
                if not exists:
                    raise _Failed(Rcode.NXDOMAIN if any_type else Rcode.NXRRSET)
            case dns.rdataclass.NONE, None:
                if exists:
                    raise _Failed(Rcode.YXDOMAIN if any_type else Rcode.YXRRSET)
            case dns.rdataclass.IN, dns.rdata.Rdata() as rdata:
                given.setdefault((record.name, record.rdtype), set()).add(rdata)
            case _:
                raise _Failed(Rcode.FORMERR)
    for (name, rdtype), rdatas in given.items():
        if set(content.get(name, rdtype) or ()) != rdatas:
            raise _Failed(Rcode.NXRRSET)


def _exists(content: Transaction, name: dns.name.Name, rdtype: RdataType) -> bool:
    return content.get(name, rdtype) is not None


def _process(content: Transaction, message: _Message, keep: Keep) -> None:
    """RFC 2136, 3.4.2, and the serial (3.6). Without a change nothing is committed."""
    before = _standing(content, message)
    serial = _serial(content, message.zone)
    for record in message.updates:
        _apply(content, message.zone, record)
    after = _standing(content, message)
    if after == before:
        content.rollback()
        return
    _refuse_lost_hosts(content, message.zone, [rdata for _, _, rdata in after - before])
    if _serial(content, message.zone) == serial:
        content.update_serial(name=message.zone)
    keep(content)


def _standing(content: Transaction, message: _Message) -> set[tuple[dns.name.Name, int, dns.rdata.Rdata]]:
    """Every record, with its TTL, at the names that the message is about."""
    names = {record.name for record in message.updates}
    sets = [(name, rdataset) for name in names for rdataset in content.get_node(name) or ()]
    return {(name, rdataset.ttl, rdata) for name, rdataset in sets for rdata in rdataset}


def _serial(content: Transaction, zone: dns.name.Name) -> Serial:
    soa = content.get(zone, RdataType.SOA)
    assert soa is not None
    return Serial(soa[0].serial)


def _apply(content: Transaction, zone: dns.name.Name, record: _Record) -> None:
    apex = record.name == zone
    if record.rdclass == IN:
        assert record.rdata is not None
        _add(content, record.name, record.ttl, record.rdata)
    elif record.rdata is not None:
        _delete_record(content, record.name, record.rdata, apex)
    else:
        there = [r.rdtype for r in content.get_node(record.name) or ()]
        wanted = there if record.rdtype == RdataType.ANY else [record.rdtype]
        for rdtype in wanted:
            if not (apex and rdtype in (RdataType.SOA, RdataType.NS)):
                content.delete(record.name, rdtype)


def _add(content: Transaction, name: dns.name.Name, ttl: int, rdata: dns.rdata.Rdata) -> None:
    """RFC 2136, 3.4.2.2. An added record's TTL becomes that of its whole set (RFC 2181, 5.2)."""
    node = content.get_node(name)
    kinds = {dns.node.NodeKind.classify(rdata.rdtype, rdata.covers())}
    if node is not None:
        kinds.add(node.classify())
    if {dns.node.NodeKind.CNAME, dns.node.NodeKind.REGULAR} <= kinds:
        return  # silently: prerequisites are the only way to learn of it
    if name.is_wild() and rdata.rdtype == RdataType.NS:
        return  # RFC 4592, 4.2
    existing = content.get(name, rdata.rdtype)
    if isinstance(rdata, SOA) and (existing is None or Serial(rdata.serial) <= Serial(existing[0].serial)):
        return
    if existing is None or dns.rdatatype.is_singleton(rdata.rdtype):
        content.replace(name, ttl, rdata)
    else:
        others = [r for r in existing if r != rdata]
        content.replace(name, dns.rdataset.from_rdata_list(ttl, [*others, rdata]))


def _delete_record(content: Transaction, name: dns.name.Name, rdata: dns.rdata.Rdata, apex: bool) -> None:
    """RFC 2136, 3.4.2.4. The last NS record of the apex stays, and so does the SOA."""
    if apex and rdata.rdtype == RdataType.SOA:
        return
    if apex and rdata.rdtype == RdataType.NS and len(content.get(name, RdataType.NS) or ()) == 1:
        return
    content.delete(name, rdata)


def _refuse_lost_hosts(content: Transaction, zone: dns.name.Name, added: Iterable[dns.rdata.Rdata]) -> None:
    """Name servers of the zone, and mail servers that are added, need an address where their names are in the zone."""
    hosts = [server.target for server in content.get(zone, RdataType.NS) or ()]
    hosts += [rdata.exchange for rdata in added if isinstance(rdata, MX)]
    for host in hosts:
        if host.is_subdomain(zone) and not any(_exists(content, host, rdtype) for rdtype in _ADDRESSES):
            raise _Failed(Rcode.REFUSED)
