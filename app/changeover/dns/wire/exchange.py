"""DNS messages to one server and back: a question by UDP, then TCP; many questions over one TCP connection."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Sequence
from typing import NamedTuple

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype

from changeover.model.errors import Unavailable

#: An answer by UDP is waited for this long before the question is asked again, by TCP in the end.
UDP_TIMEOUT = 1.5
TIMEOUT = 5.0


class Server(NamedTuple):
    """The address and port of a DNS server."""

    address: str
    port: int = 53

    def __str__(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return host if self.port == 53 else f"{host}:{self.port}"


class NoRoute(Unavailable):
    """This computer has no route to that address family, so the server was not asked at all."""


def question(name: str, rtype: str, recursion: bool = False) -> dns.message.QueryMessage:
    """A query for one name and type. Recursion is asked for only where a resolver is meant."""
    query = dns.message.make_query(dns.name.from_text(name), rtype, use_edns=0, payload=1232)
    query.flags = dns.flags.RD if recursion else 0
    return query


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.received: asyncio.Queue[bytes | OSError] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.received.put_nowait(data)

    def error_received(self, exc: Exception) -> None:
        self.received.put_nowait(OSError(str(exc)))


async def ask(server: Server, query: dns.message.Message, timeout: float = TIMEOUT) -> dns.message.Message:
    """The server's answer to one query: by UDP, by TCP where that is cut short or stays silent.

    Raises Unavailable, naming the server, when there is no usable answer within `timeout` seconds, and NoRoute when
    this computer cannot reach that address family at all.
    """
    try:
        async with asyncio.timeout(timeout):
            answer = await _ask_udp(server, query, min(UDP_TIMEOUT, timeout / 2))
            if answer is None or answer.flags & dns.flags.TC:
                answer = (await ask_all(server, [query], timeout))[0]
            return answer
    except TimeoutError:
        raise Unavailable(f"{server} did not answer within {timeout:g} s", _CHECK_SERVER) from None


async def _ask_udp(server: Server, query: dns.message.Message, wait: float) -> dns.message.Message | None:
    loop = asyncio.get_running_loop()
    try:
        transport, datagrams = await loop.create_datagram_endpoint(_Datagrams, remote_addr=server)
    except OSError as error:
        raise NoRoute(f"{server} cannot be reached from here: {error.strerror or error}") from None
    try:
        transport.sendto(query.to_wire())
        async with asyncio.timeout(wait):
            while True:
                received = await datagrams.received.get()
                if isinstance(received, OSError):
                    return None
                answer = _parse(received)
                if answer is not None and query.is_response(answer):
                    return answer
    except TimeoutError:
        return None
    finally:
        transport.close()


def _parse(wire: bytes) -> dns.message.Message | None:
    try:
        return dns.message.from_wire(wire, ignore_trailing=True, raise_on_truncation=False)
    except dns.exception.DNSException:
        return None


async def ask_all(
    server: Server, queries: Sequence[dns.message.Message], timeout: float = TIMEOUT
) -> list[dns.message.Message]:
    """The answers to many queries, in their order. Raises Unavailable and NoRoute as `ask` does."""
    answers = []
    wires = await exchange(server, [query.to_wire() for query in queries], timeout)
    for query, wire in zip(queries, wires, strict=True):
        answer = _parse(query.id.to_bytes(2, "big") + wire[2:])
        if answer is None:
            raise Unavailable(f"{server} sent an answer that cannot be read", _CHECK_SERVER)
        answers.append(answer)
    return answers


async def exchange(server: Server, queries: Sequence[bytes], timeout: float = TIMEOUT) -> list[bytes]:
    """The answers to many queries, as they came and in the queries' order, over one TCP connection.

    Queries are sent without waiting for answers, which may come in any order (RFC 7766, 6.2.1.1); ids are set here,
    and an answer counts only with its query's id and question. A server that closes the connection half way is asked
    for the rest over a new one. Raises Unavailable and NoRoute as `ask` does.
    """
    first = random.randrange(65536)
    waiting = {(first + number) % 65536: query for number, query in enumerate(queries)}
    ids = list(waiting)
    answers: dict[int, bytes] = {}
    try:
        async with asyncio.timeout(timeout):
            while waiting:
                before = len(answers)
                await _pipeline(server, waiting, answers)
                if len(answers) == before:
                    raise Unavailable(f"{server} closed the connection without an answer", _CHECK_SERVER)
    except TimeoutError:
        raise Unavailable(f"{server} did not answer within {timeout:g} s", _CHECK_SERVER) from None
    return [answers[id_] for id_ in ids]


async def _pipeline(server: Server, waiting: dict[int, bytes], answers: dict[int, bytes]) -> None:
    """Moves from `waiting` to `answers` what one connection answers."""
    reader, writer = await connect(server)
    try:
        messages = [id_.to_bytes(2, "big") + query[2:] for id_, query in waiting.items()]
        writer.write(b"".join(len(message).to_bytes(2, "big") + message for message in messages))
        buffer = b""
        while waiting and (received := await reader.read(262144)):
            buffer += received
            start = 0
            while len(buffer) - start >= 2:
                end = start + 2 + int.from_bytes(buffer[start : start + 2], "big")
                if end > len(buffer):
                    break
                answer = buffer[start + 2 : end]
                start = end
                id_ = int.from_bytes(answer[:2], "big")
                if id_ in waiting and _answers(answer, waiting[id_]):
                    answers[id_] = answer
                    del waiting[id_]
            buffer = buffer[start:]
    except OSError:
        return
    finally:
        writer.close()


def _answers(answer: bytes, query: bytes) -> bool:
    """Is this a response, and to this question? A response that only says no may leave out the question."""
    if len(answer) < 12 or not answer[2] & 0x80:
        return False
    if answer[4:6] == b"\0\0":
        return bool(answer[3] & 0x0F)
    end = 12
    while query[end]:
        end += 1 + query[end]
    return answer[12 : end + 5].lower() == query[12 : end + 5].lower()


async def connect(server: Server) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A TCP connection to a DNS server. Raises Unavailable or NoRoute."""
    try:
        reader, writer = await asyncio.open_connection(server.address, server.port)
    except ConnectionRefusedError:
        raise Unavailable(f"{server} refuses connections", _CHECK_SERVER) from None
    except OSError as error:
        raise NoRoute(f"{server} cannot be reached from here: {error.strerror or error}") from None
    opened = writer.get_extra_info("socket")
    if opened is not None:
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return reader, writer


async def read_message(reader: asyncio.StreamReader) -> bytes | None:
    """The next message of a TCP connection (RFC 1035, 4.2.2), or None where the server closed it."""
    try:
        size = int.from_bytes(await reader.readexactly(2), "big")
        return await reader.readexactly(size)
    except asyncio.IncompleteReadError:
        return None


_CHECK_SERVER = "Check that the DNS server runs and that a firewall lets TCP and UDP through."
