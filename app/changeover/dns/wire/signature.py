"""Signing plain questions with TSIG, and checking the answers (RFC 8945): the quick way for many of them."""

from __future__ import annotations

import struct
import time

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.tsig
from dns.rdtypes.ANY.TSIG import TSIG

#: Seconds by which the clocks may differ (RFC 8945, 10).
FUDGE = 300


def signed(question: bytes, key: dns.tsig.Key) -> tuple[bytes, bytes]:
    """`question`, which has nothing in its additional section, with a signature; and the MAC in it."""
    id_ = int.from_bytes(question[:2], "big")
    blank = TSIG(dns.rdataclass.ANY, dns.rdatatype.TSIG, key.algorithm, 0, FUDGE, b"", id_, 0, b"")  # type: ignore[no-untyped-call]
    tsig, _ = dns.tsig.sign(question, key, blank, int(time.time()), b"")  # type: ignore[no-untyped-call]
    data = tsig.to_wire() or b""
    record = (key.name.to_wire() or b"") + struct.pack("!HHIH", dns.rdatatype.TSIG, dns.rdataclass.ANY, 0, len(data))
    return question[:10] + b"\0\1" + question[12:] + record + data, tsig.mac


def without_signature(answer: bytes, key: dns.tsig.Key, mac: bytes) -> bytes | None:
    """`answer` to the question with that `mac`, without its signature, which was checked. None where it has none.

    Raises DNSException where the signature is wrong, or the message is damaged; of that, dns.tsig.PeerError where the
    server says that it is the question's signature that is wrong.
    """
    count = int.from_bytes(answer[10:12], "big")
    if not count:
        return None
    try:
        start = _last_record(answer)
        owner, place = dns.name.from_wire(answer, start)
        kind, _, _, size = struct.unpack_from("!HHIH", answer, start + place)
        if kind != dns.rdatatype.TSIG:
            return None
        found = dns.rdata.from_wire("ANY", dns.rdatatype.TSIG, answer, start + place + 10, size)
    except (struct.error, IndexError):
        raise dns.exception.FormError from None
    assert isinstance(found, TSIG)
    dns.tsig.validate(answer, key, owner, found, int(time.time()), mac, start)  # type: ignore[no-untyped-call]
    return answer[:10] + (count - 1).to_bytes(2, "big") + answer[12:start]


def _last_record(message: bytes) -> int:
    """Where the last record of a message begins."""
    questions, *records = struct.unpack_from("!HHHH", message, 4)
    place = 12
    for _ in range(questions):
        place = _behind_name(message, place) + 4
    for _ in range(sum(records) - 1):
        place = _behind_name(message, place)
        place += 10 + int.from_bytes(message[place + 8 : place + 10], "big")
    return place


def _behind_name(message: bytes, place: int) -> int:
    while 0 < message[place] < 0xC0:
        place += 1 + message[place]
    return place + (2 if message[place] else 1)
