"""One small HTTP request to an address that is known already: for witnesses, DNS over HTTPS and the portal check.

h11 on asyncio streams. Certificates are verified, redirects are not followed, no proxy is used, cookies do not exist.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import SplitResult

import h11

from changeover.health.http.connection import tls_context

#: Seconds for a whole question to one witness, from the look-up of its name to the end of its answer.
TIMEOUT = 3.0
#: Bytes of a response that are read.
MAX_BODY = 64 * 1024
#: What the net may do to a request.
FAULTS = (OSError, EOFError, h11.RemoteProtocolError)
_EXPIRED, _NOT_YET_VALID = 10, 9


class FetchedPage(NamedTuple):
    """A response; header names in lower case. `ahead`: this computer's clock, in seconds, before its Date."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    ahead: float | None

    @property
    def text(self) -> str:
        return f"{self.status} in {round(self.seconds * 1000)} ms"


async def fetch(
    url: SplitResult,
    address: str,
    tls: ssl.SSLContext | None = None,
    method: str = "GET",
    headers: Sequence[tuple[str, str]] = (),
    body: bytes = b"",
) -> FetchedPage:
    """What the server at `address` answers for `url`. Raises FAULTS; has no time-out of its own.

    `tls` stands in for the system's certificates.
    """
    secure = url.scheme == "https"
    usual = 443 if secure else 80
    started = time.monotonic()
    with await connected(address, url.port or usual) as connection:
        reader, writer = await asyncio.open_connection(
            sock=connection,
            ssl=(tls or tls_context(None)) if secure else None,
            server_hostname=url.hostname if secure else None,
            limit=MAX_BODY,
        )
        try:
            asked = time.time()
            http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_BODY)
            request = h11.Request(
                method=method,
                target=f"{url.path or '/'}{'?' + url.query if url.query else ''}",
                headers=[
                    ("Host", url.netloc),
                    ("User-Agent", "Changeover"),
                    ("Connection", "close"),
                    *headers,
                    *([("Content-Length", str(len(body)))] if body else []),
                ],
            )
            for event in (request, h11.Data(data=body), h11.EndOfMessage()):
                writer.write(http.send(event) or b"")
            head, answered, content = await _read(reader, http)
        finally:
            writer.transport.abort()
    found = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
    ahead = _ahead(found, (asked + answered) / 2)
    return FetchedPage(head.status_code, found, content, time.monotonic() - started, ahead)


async def _read(reader: asyncio.StreamReader, http: h11.Connection) -> tuple[h11.Response, float, bytes]:
    """A response's head, when that arrived by the wall clock, and its body as far as it is wanted."""
    head: tuple[h11.Response, float] | None = None
    body = b""
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            received = await reader.read(MAX_BODY)
            if not received and head is None:
                raise EOFError("the connection was closed without an answer")
            http.receive_data(received)
        elif isinstance(event, h11.Response):
            head = event, time.time()
        elif isinstance(event, h11.Data):
            body += event.data
        if head is not None and (isinstance(event, h11.EndOfMessage) or len(body) >= MAX_BODY):
            return *head, body[:MAX_BODY]


def _ahead(headers: Mapping[str, str], now: float) -> float | None:
    """`now` less the moment that Date and Age tell (RFC 9110, 6.6.1; RFC 9111, 5.1). Date leaves out half a second."""
    try:
        told = parsedate_to_datetime(headers["date"])
        age = int(headers.get("age", "0"))
    except (KeyError, ValueError):
        return None
    return now - (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp() - age - 0.5


async def connected(address: str, port: int) -> socket.socket:
    """A TCP connection to an address; one like "fe80::1%eth0" names its interface. Raises OSError."""
    host, _, interface = address.partition("%")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        place = (host, port, 0, socket.if_nametoindex(interface)) if interface else (host, port)
        await asyncio.get_running_loop().sock_connect(connection, place)
    except BaseException:
        connection.close()
        raise
    return connection


def fault_words(error: Exception, seconds: float) -> str:
    """What the net did, in a few words. `seconds` is the time that there was."""
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in (_EXPIRED, _NOT_YET_VALID):
            when = "expired" if error.verify_code == _EXPIRED else "not yet valid"
            return f"its certificate is {when}: is this computer's clock right?"
        return f"its certificate is refused: {error.verify_message or error}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {(error.reason or str(error)).replace('_', ' ').lower()}"
    if isinstance(error, TimeoutError) and error.errno is None:
        return f"no answer within {seconds:g} s"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower() or "the connection was closed"
    return str(error)
