"""DNS messages to one server and back: a question by UDP, then TCP; many questions over one TCP connection."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Sequence
from typing import NamedTuple

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype

from changeover.dns.wire.sockets import QUESTIONS
from changeover.model.errors import Unavailable

#: An answer by UDP is waited for this long before the question is asked again, by TCP in the end.
UDP_TIMEOUT = 1.5
#: Seconds of silence after which a server is given up.
TIMEOUT = 5.0
#: Seconds for each of many questions, on average, after which a server is too slow, although it answers.
EACH = 0.5
#: The bit of a header's third byte that says "cut short" (RFC 1035, 4.1.1).
_TRUNCATED = 0x02
#: What is said to an OPT record by those that do not know it, or not its version.
_KNOWS_NO_EDNS = (dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.BADVERS)


class Server(NamedTuple):
    """The address and port of a DNS server."""

    address: str
    port: int = 53

    def __str__(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return host if self.port == 53 else f"{host}:{self.port}"


class NoRoute(Unavailable):
    """This computer has no route to that address family, so the server was not asked at all."""


class Unfinished(Unavailable):
    """Some questions were answered, and some were not: `answers` has None for those."""

    def __init__(self, text: str, hint: str, answers: list[bytes | None]) -> None:
        super().__init__(text, hint)
        self.answers = answers


def question(name: str, rtype: str, recursion: bool = False) -> dns.message.QueryMessage:
    """A query for one name and type. Recursion is asked for only where a resolver is meant."""
    query = dns.message.make_query(dns.name.from_text(name), rtype, use_edns=0, payload=1232)
    query.flags = dns.flags.RD if recursion else 0
    return query


class _Datagrams(asyncio.DatagramProtocol):
    """Keeps what comes. dns.asyncquery does the same for as much processor time, and takes 25 ms more to import."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[bytes | OSError] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.received.put_nowait(data)

    def error_received(self, exc: Exception) -> None:
        self.received.put_nowait(OSError(str(exc)))


async def ask(server: Server, query: dns.message.Message, timeout: float = TIMEOUT) -> dns.message.Message:
    """The server's answer to one query, as `ask_wire` gets it. Raises Unavailable and NoRoute.

    A server that knows no EDNS is asked again without (RFC 6891, 6.2.2), unless signatures are wanted.
    """
    wire = await ask_wire(server, query.to_wire(), timeout)
    try:
        answer = dns.message.from_wire(_with_id(query.id, wire), ignore_trailing=True, raise_on_truncation=False)
    except dns.exception.DNSException:
        raise Unavailable(f"{server} sent an answer that cannot be read", _CHECK_SERVER) from None
    if query.edns >= 0 and not query.ednsflags & dns.flags.DO and answer.rcode() in _KNOWS_NO_EDNS:
        asked = query.question[0]
        plain = dns.message.make_query(asked.name, asked.rdtype, flags=query.flags, use_edns=False)
        return await ask(server, plain, timeout)
    return answer


async def ask_wire(server: Server, query: bytes, timeout: float = TIMEOUT) -> bytes:
    """The server's answer to one query: by UDP, by TCP where that is cut short or stays silent. Its id is set here.

    Raises Unavailable, naming the server, when there is no answer within `timeout` seconds, and NoRoute when this
    computer cannot reach that address family at all.
    """
    try:
        async with QUESTIONS.one(), asyncio.timeout(timeout):
            answer = await _ask_udp(server, _with_id(secrets.randbelow(65536), query), min(UDP_TIMEOUT, timeout / 2))
            if answer is None or answer[2] & _TRUNCATED:
                (answer,) = await _Pipeline(server, [query], timeout).answers()
            return answer
    except TimeoutError:
        raise Unavailable(f"{server} did not answer within {timeout:g} s", _CHECK_SERVER) from None


async def _ask_udp(server: Server, query: bytes, wait: float) -> bytes | None:
    loop = asyncio.get_running_loop()
    try:
        transport, datagrams = await loop.create_datagram_endpoint(_Datagrams, remote_addr=server)
    except OSError as error:
        raise NoRoute(f"{server} cannot be reached from here: {error.strerror or error}") from None
    try:
        transport.sendto(query)
        async with asyncio.timeout(wait):
            while True:
                received = await datagrams.received.get()
                if isinstance(received, OSError):
                    return None
                if received[:2] == query[:2] and _answers(received, query):
                    return received
    except TimeoutError:
        return None
    finally:
        transport.close()


def _with_id(id_: int, message: bytes) -> bytes:
    return id_.to_bytes(2, "big") + message[2:]


async def exchange(server: Server, queries: Sequence[bytes], timeout: float = TIMEOUT) -> list[bytes]:
    """The answers to many queries, as they came and in the queries' order, over one TCP connection.

    Queries are sent without waiting for answers, which may come in any order (RFC 7766, 6.2.1.1); ids are set here,
    and an answer counts only with its query's id and question. A server that closes the connection half way is asked
    for the rest over a new one.

    `timeout` is for silence, in seconds: every answer begins it anew, for as long as EACH allows for all of them.
    Raises Unavailable, or Unfinished with what was answered, and NoRoute as `ask_wire` does.
    """
    async with QUESTIONS.one():
        return await _Pipeline(server, queries, timeout).answers()


class _Pipeline:
    """Many queries on their way to one server. Those with their answers leave `_waiting`, which has them by id."""

    def __init__(self, server: Server, queries: Sequence[bytes], timeout: float) -> None:
        first = secrets.randbelow(65536)
        self._server = server
        self._timeout = timeout
        self._waiting = {(first + number) % 65536: query for number, query in enumerate(queries)}
        self._ids = list(self._waiting)
        self._answers: dict[int, bytes] = {}
        self._began = asyncio.get_running_loop().time()

    async def answers(self) -> list[bytes]:
        try:
            async with asyncio.timeout(self._timeout) as silence:
                while self._waiting:
                    before = len(self._answers)
                    await self._connection(silence)
                    if len(self._answers) == before:
                        raise self._missing(f"{self._server} closed the connection without an answer")
        except TimeoutError:
            raise self._missing(self._late()) from None
        return [self._answers[id_] for id_ in self._ids]

    def _missing(self, text: str) -> Unavailable:
        if not self._answers:
            return Unavailable(text, _CHECK_SERVER)
        return Unfinished(text, _CHECK_SERVER, [self._answers.get(id_) for id_ in self._ids])

    async def _connection(self, silence: asyncio.Timeout) -> None:
        """Takes what one connection answers."""
        reader, writer = await connect(self._server)
        try:
            messages = [_with_id(id_, query) for id_, query in self._waiting.items()]
            writer.write(b"".join(len(message).to_bytes(2, "big") + message for message in messages))
            buffer = b""
            while self._waiting and (received := await reader.read(262144)):
                buffer += received
                before, start = len(self._answers), 0
                while len(buffer) - start >= 2:
                    end = start + 2 + int.from_bytes(buffer[start : start + 2], "big")
                    if end > len(buffer):
                        break
                    self._take(buffer[start + 2 : end])
                    start = end
                buffer = buffer[start:]
                if len(self._answers) > before:
                    silence.reschedule(min(asyncio.get_running_loop().time() + self._timeout, self._end))
        except OSError:
            return
        finally:
            writer.close()

    def _take(self, answer: bytes) -> None:
        id_ = int.from_bytes(answer[:2], "big")
        if id_ in self._waiting and _answers(answer, self._waiting[id_]):
            self._answers[id_] = answer
            del self._waiting[id_]

    @property
    def _end(self) -> float:
        return self._began + self._timeout + EACH * len(self._ids)

    def _late(self) -> str:
        if not self._answers:
            return f"{self._server} did not answer within {self._timeout:g} s"
        passed = asyncio.get_running_loop().time() - self._began
        told = f"{self._server} answered {len(self._answers)} of {len(self._ids)} questions"
        if asyncio.get_running_loop().time() >= self._end:
            return f"{told} in {passed:.1f} s, which is too slow to wait for the rest"
        return f"{told}, then nothing for {self._timeout:g} s"


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
