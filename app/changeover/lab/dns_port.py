"""A DNS server's port on loopback: messages by UDP and TCP, in and out."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import dns.exception
import dns.flags
import dns.message
import dns.rcode

from changeover.dns.wire.exchange import read_message
from changeover.lab.listening import LabTasks, Place, bound_sockets, connections

#: The one address where DNS is served: who can send a datagram to it can change the zone.
ADDRESS = "127.0.0.1"
#: The largest answer by UDP (DNS flag day 2020, www.dnsflagday.net/2020).
UDP_SIZE = 1232
#: A connection on which nothing arrives is closed after this many seconds.
IDLE_TIMEOUT = 60.0

#: Gives the response to a well-formed request, which comes as it was sent as well.
Answer = Callable[[dns.message.Message, bytes], Awaitable[dns.message.Message]]


@asynccontextmanager
async def dns_port(answer: Answer, preferred: int | None) -> AsyncIterator[int]:
    """Answers DNS requests with `answer`, and gives the port: `preferred` where it is free."""
    places = [Place(ADDRESS), Place(ADDRESS, socket.SOCK_DGRAM)]
    port, (stream, datagrams) = bound_sockets(places, preferred)
    tasks = LabTasks()
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(lambda: _Datagrams(answer, tasks), sock=datagrams)
    try:
        async with connections(stream, lambda reader, writer: _converse(answer, reader, writer)):
            yield port
    finally:
        transport.abort()
        await tasks.end()
        await protocol.closed.wait()  # only then is the port free for the next one


async def _respond(answer: Answer, wire: bytes) -> dns.message.Message | None:
    """The response to what was received; None for what is no request at all."""
    if len(wire) < 12 or wire[2] & 0x80:
        return None
    try:
        request = dns.message.from_wire(wire, keyring=False, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError):
        response = dns.message.Message(int.from_bytes(wire[:2], "big"))
        response.flags = dns.flags.Flag(dns.flags.QR | int.from_bytes(wire[2:4], "big") & 0x7900)
        response.set_rcode(dns.rcode.FORMERR)
        return response
    return await answer(request, wire)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, answer: Answer, tasks: LabTasks) -> None:
        self._answer = answer
        self._tasks = tasks
        self._transport: asyncio.DatagramTransport | None = None
        self.closed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._tasks.start(self._reply(data, addr))

    async def _reply(self, data: bytes, addr: Any) -> None:
        response = await _respond(self._answer, data)
        if response is not None and self._transport is not None:
            size = min(max(response.request_payload, 512), UDP_SIZE)
            self._transport.sendto(response.to_wire(max_size=size, prefer_truncation=True), addr)


async def _converse(answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Requests on one connection, as many as the peer sends, answered in their order (RFC 7766, 6.2.1)."""
    with contextlib.suppress(TimeoutError):
        while True:
            async with asyncio.timeout(IDLE_TIMEOUT):
                received = await read_message(reader)
            response = await _respond(answer, received) if received is not None else None
            if response is None:
                return
            writer.write(response.to_wire(max_size=65535, prefer_truncation=True, prepend_length=True))
            async with asyncio.timeout(IDLE_TIMEOUT):
                await writer.drain()
