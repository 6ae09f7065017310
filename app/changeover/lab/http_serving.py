"""HTTP/1.1 on one connection of the practice ground, over what was asked and what is to be answered."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from http import HTTPStatus
from typing import NamedTuple

import h11

#: A connection on which nothing arrives is closed after this many seconds.
IDLE_TIMEOUT = 30.0
#: Bytes of a request's body that are kept; nobody here is sent as many.
MAX_BODY = 64 * 1024
_READ = 16 * 1024


class LabAnswer(NamedTuple):
    """What is answered: `kind` is the content's type, `headers` are those beside the usual ones."""

    status: int
    kind: str
    content: bytes
    headers: tuple[tuple[str, str], ...] = ()


#: Answers a request that was read with its body.
Respond = Callable[[h11.Request, bytes], LabAnswer]


async def serve_http(respond: Respond, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection, with as many requests as the client sends."""
    http = h11.Connection(h11.SERVER)
    with contextlib.suppress(TimeoutError, h11.RemoteProtocolError):
        while True:
            async with asyncio.timeout(IDLE_TIMEOUT):
                read = await _read_request(http, reader)
                if read is None:
                    return
                writer.write(_written(http, read[0], respond(*read)))
                await writer.drain()
            if http.our_state is h11.MUST_CLOSE:
                return
            http.start_next_cycle()


def _written(http: h11.Connection, request: h11.Request, answer: LabAnswer) -> bytes:
    headers = [
        *answer.headers,
        ("Content-Type", answer.kind),
        ("Content-Length", str(len(answer.content))),
        ("Cache-Control", "no-store"),
    ]
    phrase = HTTPStatus(answer.status).phrase.encode()
    head = http.send(h11.Response(status_code=answer.status, headers=headers, reason=phrase)) or b""
    content = b"" if request.method == b"HEAD" else http.send(h11.Data(data=answer.content)) or b""
    return head + content + (http.send(h11.EndOfMessage()) or b"")


async def _read_request(http: h11.Connection, reader: asyncio.StreamReader) -> tuple[h11.Request, bytes] | None:
    """The next request with the first of its body; None where the client is done."""
    request: h11.Request | None = None
    body = bytearray()
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await reader.read(_READ))
        elif isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.Data):
            body += event.data[: MAX_BODY - len(body)]
        elif isinstance(event, h11.EndOfMessage) and request is not None:
            return request, bytes(body)
        elif isinstance(event, h11.ConnectionClosed):
            return None
