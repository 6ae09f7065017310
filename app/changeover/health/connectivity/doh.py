"""DNS over HTTPS (RFC 8484): the same question by a way that the network in between can neither see nor change."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from urllib.parse import SplitResult

import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype

from changeover.dns.wire.exchange import question
from changeover.health.http.fetch import fetch

_TYPE = "application/dns-message"


class BadAnswer(Exception):
    """What came is no answer to the question. Its text says what came."""


async def ask_doh(url: SplitResult, address: str, name: str, tls: ssl.SSLContext | None = None) -> tuple[str, ...]:
    """The IPv4 addresses of `name` as the resolver of `url`, at `address`, gives them.

    Raises BadAnswer, and FAULTS of `fetch`.
    """
    return addresses_in([await ask_over_https(url, address, question(name, "A", recursion=True), tls)])


async def ask_over_https(
    url: SplitResult, address: str, query: dns.message.Message, tls: ssl.SSLContext | None = None
) -> dns.message.Message:
    """What the resolver of `url`, at `address`, answers to a query. Raises BadAnswer, and FAULTS of `fetch`."""
    query.id = 0  # RFC 8484, 4.1
    headers = (("Content-Type", _TYPE), ("Accept", _TYPE))
    page = await fetch(url, address, tls, "POST", headers, query.to_wire())
    if page.status != 200:
        raise BadAnswer(f"it answers {page.status}")
    try:
        answer = dns.message.from_wire(page.body)
    except dns.exception.DNSException:
        raise BadAnswer("its answer is no DNS message") from None
    if not query.is_response(answer):
        raise BadAnswer("it answers another question")
    return answer


def addresses_in(answers: Sequence[dns.message.Message]) -> tuple[str, ...]:
    """The addresses that answers lead to, CNAMEs followed. Raises BadAnswer where one only says no."""
    for answer in answers:
        if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            raise BadAnswer(f"it answers {dns.rcode.to_text(answer.rcode())}")
    types = (dns.rdatatype.A, dns.rdatatype.AAAA)
    found = [r.to_text() for answer in answers for rrset in answer.answer if rrset.rdtype in types for r in rrset]
    return tuple(found)
