"""Signing plain questions with TSIG, and checking the answers (RFC 8945): the quick way for many of them.

What is as it should be is signed and checked here. The rest is left to dnspython, which says what is wrong with it.
"""

from __future__ import annotations

import hmac
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

_TYPE = struct.pack("!HHI", dns.rdatatype.TSIG, dns.rdataclass.ANY, 0)
_CLASS_AND_TTL = struct.pack("!HI", dns.rdataclass.ANY, 0)
#: What is signed behind the times: no error, and no other data.
_NOTHING_MORE = bytes(4)


class Signer:
    """A key, ready for many messages."""

    def __init__(self, key: dns.tsig.Key) -> None:
        self._key = key
        self._size = dns.tsig.mac_sizes[key.algorithm]
        self._hash = _hash(key.algorithm)
        name, algorithm = key.name.to_digestable(), key.algorithm.to_digestable()
        #: The TSIG record as far as it is the same in all messages (RFC 8945, 4.2), and what of it is signed (4.3.3).
        self._head = name + _TYPE + (len(algorithm) + 16 + self._size).to_bytes(2, "big") + algorithm
        self._variables = name + _CLASS_AND_TTL + algorithm
        self._length = len(self._head) + 16 + self._size

    def signed(self, question: bytes) -> tuple[bytes, bytes]:
        """`question`, which has nothing in its additional section, with a signature; and the MAC in it."""
        id_, times = question[:2], struct.pack("!QH", int(time.time()), FUDGE)[2:]
        mac = self._mac(question + self._variables + times + _NOTHING_MORE)
        record = self._head + times + self._size.to_bytes(2, "big") + mac + id_ + _NOTHING_MORE
        return question[:10] + b"\0\1" + question[12:] + record, mac

    def without_signature(self, answer: bytes, mac: bytes) -> bytes | None:
        """`answer` to the question with that `mac`, without its signature, which was checked. None where it has none.

        Raises DNSException where the signature is wrong, or the message is damaged; of that, dns.tsig.PeerError where
        the server says that it is the question's signature that is wrong.
        """
        if answer[10:12] == b"\0\0":
            return None
        start = len(answer) - self._length
        if start < 12 or not self._good(answer, start, mac):
            start = _last_record(answer)
            if not self._checked_by_dnspython(answer, start, mac):
                return None
        return _before(answer, start)

    def _good(self, answer: bytes, start: int, mac: bytes) -> bool:
        """Is there, up to the end, the record of a server that says nothing against the question, and is it right?

        Nobody without the key can make one that is right, wherever in the message it begins.
        """
        times = start + len(self._head)
        if not answer.startswith(self._head, start) or answer[-4:] != _NOTHING_MORE:
            return False
        if answer[times + 8 : times + 10] != self._size.to_bytes(2, "big"):
            return False
        said = answer[-6:-4] + _before(answer, start)[2:] + self._variables + answer[times : times + 8] + _NOTHING_MORE
        right = self._mac(len(mac).to_bytes(2, "big") + mac + said)
        at, fudge = struct.unpack("!QH", b"\0\0" + answer[times : times + 8])
        return hmac.compare_digest(right, answer[times + 10 : -6]) and abs(at - int(time.time())) <= fudge

    def _checked_by_dnspython(self, answer: bytes, start: int, mac: bytes) -> bool:
        """Is there a signature? Raises DNSException where it is wrong."""
        try:
            owner, place = dns.name.from_wire(answer, start)
            kind, _, _, size = struct.unpack_from("!HHIH", answer, start + place)
            if kind != dns.rdatatype.TSIG:
                return False
            found = dns.rdata.from_wire("ANY", dns.rdatatype.TSIG, answer, start + place + 10, size)
        except (struct.error, IndexError):
            raise dns.exception.FormError from None
        assert isinstance(found, TSIG)
        dns.tsig.validate(answer, self._key, owner, found, int(time.time()), mac, start)  # type: ignore[no-untyped-call]
        return True

    def _mac(self, message: bytes) -> bytes:
        return hmac.digest(self._key.secret, message, self._hash)[: self._size]


def _hash(algorithm: dns.name.Name) -> str:
    """The hash function's name: "sha256" of hmac-sha256 and of hmac-sha256-128, whose MAC is cut."""
    return algorithm.labels[0].decode("ascii").lower().split("-")[1]


def _before(message: bytes, start: int) -> bytes:
    """The message without the last of its additional records, which begins there."""
    count = int.from_bytes(message[10:12], "big")
    return message[:10] + (count - 1).to_bytes(2, "big") + message[12:start]


def _last_record(message: bytes) -> int:
    """Where the last record of a message begins. Raises FormError where it is damaged."""
    questions, *records = struct.unpack_from("!HHHH", message, 4)
    place = 12
    try:
        for _ in range(questions):
            place = _behind_name(message, place) + 4
        for _ in range(sum(records) - 1):
            place = _behind_name(message, place)
            place += 10 + int.from_bytes(message[place + 8 : place + 10], "big")
    except IndexError:
        raise dns.exception.FormError from None
    return place


def _behind_name(message: bytes, place: int) -> int:
    while 0 < message[place] < 0xC0:
        place += 1 + message[place]
    return place + (2 if message[place] else 1)
