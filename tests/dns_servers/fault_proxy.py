"""A proxy for DNS over TCP and UDP that loses, delays, cuts and repeats messages, as somebody plans it.

Relay stops one chosen message; this stands in the way of every message, and counts what it did to them.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from enum import StrEnum
from typing import Self

_UPDATE = 5
#: Seconds that the server behind the proxy may take for an answer.
_ANSWER_WITHIN = 10.0


class Fault(StrEnum):
    """What happens to one request and its answer."""

    LOSE_REQUEST = "request lost"
    LOSE_ANSWER = "answer lost"
    DELAY = "delayed"
    CUT_REQUEST = "request cut in its midst"
    CUT_ANSWER = "answer cut in its midst"
    REPEAT = "request repeated, first answer"
    REPEAT_LAST = "request repeated, last answer"
    LATE_REQUEST = "request late"
    LATE_ANSWER = "answer late"


#: Says what happens to the next message, an update or a query.
Decide = Callable[[bool], Fault | None]
Hook = Callable[[], Awaitable[None]]


def by_chance(seed: str, updates: float, queries: float, faults: Sequence[Fault] = tuple(Fault)) -> Decide:
    """A plan that strikes this share of updates and of queries, always the same for the same seed."""
    chance = random.Random(seed)

    def decide(update: bool) -> Fault | None:
        strike = chance.random() < (updates if update else queries)
        fault = chance.choice(faults)
        return fault if strike else None

    return decide


class FaultProxy:
    """Passes messages on to `port` of 127.0.0.1, and does to each what `decide` says.

    `patience` is for how many seconds the client waits for an answer; what is late arrives a little after it has given
    up. `before_update` is called right before the next update is passed on, `after_update` once it was carried out and
    before its answer goes back. `struck` counts the faults.
    """

    def __init__(self, port: int, decide: Decide, patience: float) -> None:
        self.decide = decide
        self.before_update: Hook | None = None
        self.after_update: Hook | None = None
        self.struck: Counter[str] = Counter()
        self.port = 0
        self._target = ("127.0.0.1", port)
        self._late = patience + 0.3
        self._tasks: set[asyncio.Task[None]] = set()
        self._on_their_way: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._datagrams: asyncio.DatagramTransport | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        while self._datagrams is None:
            server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
            self.port = server.sockets[0].getsockname()[1]
            try:
                address = ("127.0.0.1", self.port)
                self._datagrams, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self._asked), address)
            except OSError:  # the port is free for TCP only
                server.close()
                continue
            self._server = server
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None and self._datagrams is not None
        self._server.close()
        self._datagrams.close()
        for task in [*self._tasks, *self._on_their_way]:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._on_their_way, return_exceptions=True)

    @property
    def server(self) -> str:
        """host:port, as the settings file has it."""
        return f"127.0.0.1:{self.port}"

    async def settled(self) -> None:
        """Returns when nothing is on its way to the server any more."""
        while self._on_their_way:
            await asyncio.wait(self._on_their_way)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._keep(self._tasks, self._relay(reader, writer))

    def _keep(self, tasks: set[asyncio.Task[None]], work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client's connection, message by message, until either side or a fault ends it."""
        upstream = _Upstream(self._target)
        try:
            while (message := await _read(reader)) is not None:
                answer = await self._treat(message, upstream, writer)
                if answer is None:
                    return
                writer.write(len(answer).to_bytes(2, "big") + answer)
                await writer.drain()
        except OSError:
            return  # the client went away, or the server did; the other sees its connection closed
        finally:
            writer.close()
            upstream.close()

    async def _treat(self, message: bytes, upstream: _Upstream, writer: asyncio.StreamWriter) -> bytes | None:
        """The answer to pass back, or None where this connection ends here."""
        update = _is_update(message)
        fault = self._strike(update, "TCP")
        if fault is Fault.LOSE_REQUEST:
            return None
        if fault is Fault.CUT_REQUEST:
            await upstream.send_part(message)
            return None
        if fault is Fault.LATE_REQUEST:
            self._keep(self._on_their_way, self._deliver_late(message))
            await asyncio.sleep(self._late)
            return None
        if fault is Fault.DELAY:
            await asyncio.sleep(0.05)
        answer = await self._carry_out(message, upstream, twice=fault in (Fault.REPEAT, Fault.REPEAT_LAST))
        if fault is Fault.LATE_ANSWER:
            await asyncio.sleep(self._late)
        if answer is None or fault is Fault.LOSE_ANSWER:
            return None
        if fault is Fault.CUT_ANSWER:
            writer.write(len(answer[0]).to_bytes(2, "big") + answer[0][: len(answer[0]) // 2])
            return None
        return answer[-1 if fault is Fault.REPEAT_LAST else 0]

    def _strike(self, update: bool, transport: str) -> Fault | None:
        fault = self.decide(update)
        if fault is not None:
            self.struck[f"{'update' if update else 'query'} by {transport}: {fault}"] += 1
        return fault

    async def _carry_out(self, message: bytes, upstream: _Upstream, *, twice: bool) -> list[bytes] | None:
        """The server's answers, one or two, with the hooks before and after an update."""
        update = _is_update(message)
        if update and self.before_update is not None:
            hook, self.before_update = self.before_update, None
            await hook()
        answers = [await upstream.ask(message) for _ in range(2 if twice else 1)]
        if update and self.after_update is not None:
            hook, self.after_update = self.after_update, None
            await hook()
        found = [answer for answer in answers if answer is not None]
        return found or None

    async def _deliver_late(self, message: bytes) -> None:
        await asyncio.sleep(self._late)
        upstream = _Upstream(self._target)
        with contextlib.suppress(OSError):
            await upstream.ask(message)
        upstream.close()

    def _asked(self, message: bytes, client: tuple[str, int]) -> None:
        self._keep(self._tasks, self._treat_datagram(message, client))

    async def _treat_datagram(self, message: bytes, client: tuple[str, int]) -> None:
        fault = self._strike(_is_update(message), "UDP")
        if fault is Fault.LOSE_REQUEST:
            return
        if fault is Fault.LATE_REQUEST:
            await asyncio.sleep(self._late)
        if fault is Fault.DELAY:
            await asyncio.sleep(0.05)
        times = 2 if fault in (Fault.REPEAT, Fault.REPEAT_LAST) else 1
        sent = message[: len(message) // 2] if fault is Fault.CUT_REQUEST else message
        answers = [await _ask_by_udp(self._target, sent) for _ in range(times)]
        if fault is Fault.LATE_ANSWER:
            await asyncio.sleep(self._late)
        if fault is Fault.LOSE_ANSWER or self._datagrams is None:
            return
        for answer in answers:
            if answer is not None:
                self._datagrams.sendto(answer[: len(answer) // 2] if fault is Fault.CUT_ANSWER else answer, client)


class _Upstream:
    """A connection to the server, opened when it is first needed."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, message: bytes) -> bytes | None:
        """The server's answer; None where it closes the connection or takes too long."""
        reader, writer = await self._open()
        writer.write(len(message).to_bytes(2, "big") + message)
        try:
            async with asyncio.timeout(_ANSWER_WITHIN):
                return await _read(reader)
        except TimeoutError:
            return None

    async def send_part(self, message: bytes) -> None:
        _, writer = await self._open()
        writer.write(len(message).to_bytes(2, "big") + message[: len(message) // 2])
        await writer.drain()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._target)
            opened = self._streams[1].get_extra_info("socket")
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._streams

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, received: Callable[[bytes, tuple[str, int]], None]) -> None:
        self._received = received

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._received(data, addr)


async def _ask_by_udp(target: tuple[str, int], message: bytes) -> bytes | None:
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[bytes] = loop.create_future()

    def received(data: bytes, _: tuple[str, int]) -> None:
        if not answer.done():
            answer.set_result(data)

    transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(received), remote_addr=target)
    try:
        transport.sendto(message)
        async with asyncio.timeout(1):
            return await answer
    except TimeoutError:
        return None
    finally:
        transport.close()


def _is_update(message: bytes) -> bool:
    return len(message) > 2 and (message[2] >> 3) & 15 == _UPDATE


async def _read(reader: asyncio.StreamReader) -> bytes | None:
    """The next message (RFC 1035, 4.2.2), or None at the end."""
    try:
        return await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
    except asyncio.IncompleteReadError:
        return None
