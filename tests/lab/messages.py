"""Update messages written by hand, record by record, so that wrong ones can be made as well."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import dns.name
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype

ZONE = dns.name.from_text("shop.example")
#: What each name server of a comparison starts with; the TTL is 60 where none is given.
ZONE_TEXT = """\
@ SOA ns1 hostmaster 100 3600 600 86400 30
@ NS ns1
@ NS ns2
ns1 A 127.0.0.1
ns2 A 127.0.0.1
@ A 192.0.2.10
@ AAAA 2001:db8::10
@ MX 10 mail
@ TXT "v=spf1 -all"
mail A 192.0.2.25
www CNAME primary.example.net.
two A 192.0.2.1
two A 192.0.2.2
two TXT "beside"
deep.er A 192.0.2.3
"""


def update(
    prerequisites: Sequence[str] = (),
    updates: Sequence[str] = (),
    zones: Sequence[tuple[str, str, str]] = (("shop.example.", "SOA", "IN"),),
    additional: Sequence[str] = (),
) -> bytes:
    """An update message (RFC 2136, 2). Each record is `name class type ttl data`, and the data may be left out.

    Data that begins with \\# is the length and the octets in hexadecimal (RFC 3597, 5), sent as they are.
    """
    sections = [[_question(*zone) for zone in zones]]
    sections += [[_record(text) for text in section] for section in (prerequisites, updates, additional)]
    flags = dns.opcode.to_flags(dns.opcode.UPDATE)
    header = b"".join(number.to_bytes(2, "big") for number in (4711, flags, *(len(s) for s in sections)))
    return header + b"".join(b"".join(section) for section in sections)


def _question(name: str, rtype: str, rclass: str) -> bytes:
    return _wire(name) + _number(dns.rdatatype.from_text(rtype)) + _number(dns.rdataclass.from_text(rclass))


def _record(text: str) -> bytes:
    name, rclass, rtype, ttl, *rest = text.split(maxsplit=4)
    data = _data(rtype, rest[0]) if rest else b""
    return _question(name, rtype, rclass) + int(ttl).to_bytes(4, "big") + _number(len(data)) + data


def _data(rtype: str, text: str) -> bytes:
    if text.startswith("\\#"):
        return bytes.fromhex(text.split(maxsplit=2)[2]) if text.count(" ") > 1 else b""
    wire = dns.rdata.from_text("IN", rtype, text, origin=ZONE, relativize=False).to_wire()
    assert wire is not None
    return wire


def _wire(name: str) -> bytes:
    wire = (ZONE if name == "@" else dns.name.from_text(name, ZONE)).to_wire()
    assert wire is not None
    return wire


def _number(value: int) -> bytes:
    return int(value).to_bytes(2, "big")


async def send(port: int, wire: bytes) -> str:
    """Sends a message by TCP to the server at `port` and gives the rcode of its response in words."""
    async with asyncio.timeout(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(len(wire).to_bytes(2, "big") + wire)
        size = int.from_bytes(await reader.readexactly(2), "big")
        response = await reader.readexactly(size)
        writer.close()
        await writer.wait_closed()
    assert response[:2] == wire[:2]
    return dns.rcode.to_text(dns.rcode.Rcode(response[3] & 15))
