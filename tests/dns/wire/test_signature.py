"""Signed questions and the check of answers, against dnspython's own way of both."""

from __future__ import annotations

import time

import dns.exception
import dns.message
import dns.rcode
import dns.rrset
import dns.tsig
import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.dns.providers.rfc2136_options import ALGORITHMS
from changeover.dns.wire.answer import question_wire
from changeover.dns.wire.signature import Signer

SECRET = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0MTI="
WWW = "www.shop.example"


def key(algorithm: str = "hmac-sha256", secret: str = SECRET) -> dns.tsig.Key:
    return dns.tsig.Key("changeover.", secret, algorithm)


def answered(wire: bytes, with_key: dns.tsig.Key, answers: int) -> tuple[bytes, bytes]:
    """The answer of a server with that key, signed, and without its signature."""
    query = dns.message.from_wire(wire, keyring=with_key)
    plain = dns.message.make_response(dns.message.from_wire(question_wire(WWW, "A")))
    plain.id = query.id
    answer = dns.message.make_response(query)
    for one in (plain, answer):
        for number in range(answers):
            one.answer.append(dns.rrset.from_text(f"n{number}.{WWW}.", 60, "IN", "TXT", f'"{"x" * number}"'))
    return answer.to_wire(), plain.to_wire()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@given(number=st.integers(0, 20))
def test_a_question_is_signed_and_its_answer_taken(algorithm: str, number: int) -> None:
    """With every algorithm and any number of records before the signature; what is left is the answer alone."""
    wire, mac = Signer(key(algorithm)).signed(question_wire(WWW, "A"))
    answer, plain = answered(wire, key(algorithm), number)
    left = Signer(key(algorithm)).without_signature(answer, mac)
    assert left is not None
    assert dns.message.from_wire(left).to_text() == dns.message.from_wire(plain).to_text()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_right_answer_is_checked_the_quick_way(algorithm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of answers come at once, and dnspython takes ten times as long."""
    signer = Signer(key(algorithm))
    wire, mac = signer.signed(question_wire(WWW, "A"))
    answer, _ = answered(wire, key(algorithm), 3)
    monkeypatch.setattr(dns.tsig, "validate", None)
    assert signer.without_signature(answer, mac) is not None


@given(place=st.integers(2, 200), flip=st.integers(1, 255))
def test_what_was_altered_on_the_way_is_not_taken(place: int, flip: int) -> None:
    """Whichever byte of what is said it is; the id is none of it, which a relay may change."""
    wire, mac = Signer(key()).signed(question_wire(WWW, "A"))
    right, _ = answered(wire, key(), 3)
    answer = bytearray(right)
    answer[place % (len(answer) - 2) + 2] ^= flip
    try:
        left = Signer(key()).without_signature(bytes(answer), mac)
    except dns.exception.DNSException:
        return
    # It seems to have no signature at all, which the caller refuses; or it was in the signature's class and TTL.
    assert left in (None, Signer(key()).without_signature(right, mac))


@pytest.mark.parametrize("wrong", ["another secret", "another question", "no signature", "too late"])
def test_what_is_not_the_answer_of_who_has_the_key(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else's answer is taken, none to another question, and none without a signature."""
    wire, mac = Signer(key()).signed(question_wire(WWW, "A"))
    answer, plain = answered(wire, key(), 1)
    match wrong:
        case "no signature":
            assert Signer(key()).without_signature(plain, mac) is None
            return
        case "another secret":
            other = key(secret="d3Jvbmd3cm9uZ3dyb25nd3Jvbmd3cm9uZ3dyb25nMTI=")
            answer, _ = answered(Signer(other).signed(question_wire(WWW, "A"))[0], other, 1)
        case "another question":
            mac = Signer(key()).signed(question_wire("other.shop.example", "A"))[1]
        case _:
            now = time.time()
            monkeypatch.setattr(time, "time", lambda: now + 301)
    with pytest.raises(dns.exception.DNSException):
        Signer(key()).without_signature(answer, mac)


def test_a_refusal_of_the_signature_says_so() -> None:
    """As the error that the server gave: which key, or which clock."""
    wire, mac = Signer(key()).signed(question_wire(WWW, "A"))
    refusal = dns.message.make_response(dns.message.from_wire(wire, keyring=key()), tsig_error=dns.rcode.BADKEY)
    with pytest.raises(dns.tsig.PeerBadKey):
        Signer(key()).without_signature(refusal.to_wire(), mac)
