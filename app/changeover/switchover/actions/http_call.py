"""Making an action's HTTP call: once, with its secrets, to the host that these were added for, and nowhere else."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from changeover.accounts.trust import Trust
from changeover.dns.provider import is_this_computer
from changeover.health.http.request import Endpoint, Exchange, Limits, Request, endpoint_of, exchange, path_of
from changeover.model.errors import ChangeoverError
from changeover.model.foreign_text import one_line
from changeover.model.health.conditions import expected
from changeover.model.runs.run import StepState
from changeover.model.runs.verification import Verdict
from changeover.model.settings.action import HttpCall
from changeover.model.settings.placeholders import (
    SECRET,
    Unfilled,
    body_of_call,
    headers_of_call,
    secrets_of_call,
    url_of_call,
)
from changeover.model.settings.service import Service
from changeover.model.settings.service_secrets import host_of

if TYPE_CHECKING:
    from changeover.dns.lookup.client import Lookup

#: Seconds until a connection, and TLS on it, stand; there may be another address to try.
_CONNECT = 10.0
#: Seconds that an attempt gets in any case.
_LEAST = 0.1
#: Characters of an answer that are told.
_SHOWN = 200


async def call(what: HttpCall, key: str, limit: float, service: Service, lookup: Lookup, trust: Trust) -> Verdict:
    """Makes the call, within `limit` seconds, with `key` as its Idempotency-Key: the same when it is made again.

    DONE: the status is an expected one. FAILED: nothing was sent, or the answer says otherwise. UNKNOWN: it was sent,
    and there was no answer. Redirects are not followed, certificates are verified, and no secret is in any sentence.
    """
    shown = f"{what.method} {what.url}"
    deadline = time.monotonic() + limit
    try:
        request = await _request(what, key, service, trust)
        addresses = await _addresses(what, lookup)
    except (ChangeoverError, Unfilled) as error:
        return Verdict(StepState.FAILED, f"{shown}: not sent: {error}")
    if not addresses:
        return Verdict(StepState.FAILED, f"{shown}: not sent: {host_of(what)} has no address")
    url = urlsplit(what.url)
    ca_file = service.health.ca_file if url.scheme == "https" else None
    endpoints = [endpoint_of(url, address, ca_file) for address in addresses]
    found = await _first_that_takes_it(endpoints, request, deadline)
    if found.response is None:
        if _was_sent(found, endpoints[0]):
            return Verdict(StepState.UNKNOWN, f"{shown}: {found.reason}; whether it was done is not known")
        return Verdict(StepState.FAILED, f"{shown}: not sent: {found.reason}")
    status, seconds = found.response.status, found.response.seconds
    text = f"{shown}: {status} in {round(seconds * 1000)} ms"
    if expected(status, what.expect_status):
        return Verdict(StepState.DONE, text)
    # An answer may repeat what was sent, so it is told only where that holds no secret.
    said = "" if secrets_of_call(what) else _words(found.response.body)
    return Verdict(StepState.FAILED, f"{text}, expected {what.expect_status}" + (f"; it said: {said}" if said else ""))


async def _request(what: HttpCall, key: str, service: Service, trust: Trust) -> Request:
    """What is sent, secrets included. Raises ChangeoverError or Unfilled, in words without any."""
    kept = await trust.call_secrets(service, what)
    secrets = {f"{SECRET}{name}": secret for name, secret in kept.items()}
    parts = urlsplit(url_of_call(what, secrets))
    own = ("Idempotency-Key", quote(key, safe=" !#$&'()*+,/:;=?@[]~"))
    headers = (own, *headers_of_call(what, secrets))
    return Request(method=what.method, path=path_of(parts), headers=headers, body=body_of_call(what, secrets))


async def _addresses(what: HttpCall, lookup: Lookup) -> Sequence[str]:
    host = host_of(what)
    try:
        return (str(ipaddress.ip_address(host)),)
    except ValueError:
        if is_this_computer(host):
            return ("127.0.0.1", "::1")
        return await lookup.addresses(host)


async def _first_that_takes_it(endpoints: Sequence[Endpoint], request: Request, deadline: float) -> Exchange:
    """The answer of the first endpoint that a request could be sent to: it is sent to one only."""
    for endpoint in endpoints[:-1]:
        found = await exchange(endpoint, request, _limits(deadline))
        if found.response is not None or _was_sent(found, endpoint):
            return found
    return await exchange(endpoints[-1], request, _limits(deadline))


def _limits(deadline: float) -> Limits:
    """What is left until then, in tenths of a second, as sentences tell them."""
    left = max(round(deadline - time.monotonic(), 1), _LEAST)
    return Limits(whole=left, connect=_CONNECT, tls=_CONNECT)


def _was_sent(found: Exchange, endpoint: Endpoint) -> bool:
    """Could the other side have seen the request? Certainly not before the connection, and TLS on it, stood."""
    stood = found.phases.tls if endpoint.secure else found.phases.connect
    return stood is not None and found.ok is not None


def _words(body: bytes) -> str:
    """The beginning of an answer, in one line and without control characters."""
    return one_line(body[: 4 * _SHOWN].decode("utf-8", "replace"), _SHOWN)
