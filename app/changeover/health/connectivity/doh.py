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
from changeover.health.http.request import Limits, Request, endpoint_of, exchange, path_of

_TYPE = "application/dns-message"


class BadAnswer(Exception):
    """Nothing came, or what came is no answer to the question. Its text says what it was."""


async def ask_doh(
    url: SplitResult, address: str, name: str, timeout: float, tls: ssl.SSLContext | None = None
) -> tuple[str, ...]:
    """The IPv4 addresses of `name` as the resolver of `url`, at `address`, gives them. Raises BadAnswer."""
    return addresses_in([await ask_over_https(url, address, question(name, "A", recursion=True), timeout, tls)])


async def ask_over_https(
    url: SplitResult, address: str, query: dns.message.Message, timeout: float, tls: ssl.SSLContext | None = None
) -> dns.message.Message:
    """What the resolver of `url`, at `address`, answers to a query within `timeout` seconds. Raises BadAnswer.

    `tls` stands in for the system's certificates.
    """
    query.id = 0  # RFC 8484, 4.1
    headers = (("Content-Type", _TYPE), ("Accept", _TYPE))
    request = Request(method="POST", path=path_of(url), headers=headers, body=query.to_wire())
    found = await exchange(endpoint_of(url, address, tls=tls), request, Limits(whole=timeout))
    if found.response is None:
        raise BadAnswer(found.reason)
    if found.response.status != 200:
        raise BadAnswer(f"it answers {found.response.status}")
    try:
        answer = dns.message.from_wire(found.response.body)
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
