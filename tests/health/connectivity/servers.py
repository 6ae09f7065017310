"""Witnesses, resolvers and portals that do exactly what a test says."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import dns.message
import dns.rrset

#: Gives the whole response to a request's head and body; None for silence.
Respond = Callable[[bytes, bytes], bytes | None]


class Counted:
    """A server on `port`; `heads` are those of the requests that it was sent."""

    def __init__(self) -> None:
        self.port = 0
        self.connections = 0
        self.heads: list[bytes] = []


@asynccontextmanager
async def web(
    respond: Respond, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[Counted]:
    """A web server for one request on each connection."""
    counted = Counted()
    tasks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        counted.connections += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            counted.heads.append(head)
            sizes = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
            answer = respond(head, await reader.readexactly(int(sizes[0])) if sizes else b"")
            if answer is None:
                await reader.read()
            else:
                writer.write(answer)
                await writer.drain()
        writer.close()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(talk(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(connected, host, port, ssl=tls)
    counted.port = server.sockets[0].getsockname()[1]
    try:
        yield counted
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def response(status: int, *headers: str, body: bytes = b"", clock: timedelta = timedelta()) -> bytes:
    """A response of a server whose clock is `clock` ahead of the right time."""
    lines = [
        f"HTTP/1.1 {status} Said",
        f"Date: {format_datetime(datetime.now(UTC) + clock, usegmt=True)}",
        *([] if status == 204 else [f"Content-Length: {len(body)}"]),
        *headers,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def saying(status: int, *headers: str, body: bytes = b"", clock: timedelta = timedelta()) -> Respond:
    """Always this response."""
    return lambda _head, _body: response(status, *headers, body=body, clock=clock)


def silence(_head: bytes, _body: bytes) -> None:
    """Takes the request, and never says a word."""


def answer_to(wire: bytes, known: Mapping[str, Sequence[str]]) -> bytes:
    """The DNS answer to a query; a name that is not known does not exist."""
    query = dns.message.from_wire(wire)
    answer = dns.message.make_response(query, recursion_available=True)
    asked = query.question[0]
    name = asked.name.to_text(omit_final_dot=True)
    if name not in known:
        answer.set_rcode(dns.rcode.NXDOMAIN)
    elif asked.rdtype == dns.rdatatype.A and known[name]:
        answer.answer.append(dns.rrset.from_text(asked.name, 60, "IN", "A", *known[name]))
    return answer.to_wire()


def over_https(known: Mapping[str, Sequence[str]]) -> Respond:
    """A resolver by DNS over HTTPS."""

    def respond(head: bytes, body: bytes) -> bytes:
        assert head.startswith(b"POST /dns-query ")
        return response(200, "Content-Type: application/dns-message", body=answer_to(body, known))

    return respond


class _Resolver(asyncio.DatagramProtocol):
    def __init__(self, known: Mapping[str, Sequence[str]]) -> None:
        self._known = known
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._transport.sendto(answer_to(data, self._known), addr)


@asynccontextmanager
async def resolver(known: Mapping[str, Sequence[str]], host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """A resolver by UDP, as the settings have it."""
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Resolver(known), local_addr=(host, port)
    )
    try:
        yield f"{host}:{transport.get_extra_info('sockname')[1]}"
    finally:
        transport.close()
