"""Web servers that do exactly what a test says, byte by byte."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class WebServer:
    """Talks as it is told on a loopback port. `names` are those that TLS clients asked for (SNI)."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self.port = 0
        self.connections = 0
        self.names: list[str | None] = []

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await self._talk(reader, writer)
        writer.close()


@contextlib.asynccontextmanager
async def serving(
    talk: Talk, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[WebServer]:
    """A server on a port of its own, over TLS if `tls` is given."""
    web = WebServer(talk)
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(web.connected(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    if tls is not None:
        tls.sni_callback = lambda _, name, __: web.names.append(name)
    server = await asyncio.start_server(connected, host, port, ssl=tls)
    web.port = server.sockets[0].getsockname()[1]
    try:
        yield web
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def answering(*parts: bytes) -> Talk:
    """Reads a request, sends these bytes, and closes the connection."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in parts:
            writer.write(part)
            await writer.drain()

    return talk


def dripping(start: bytes, drop: bytes, pause: float = 0.0) -> Talk:
    """Reads a request, sends `start`, and then `drop` again and again for as long as somebody listens."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(start)
        while not writer.is_closing():
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(pause)

    return talk


@contextlib.contextmanager
def flooding(start: bytes, again: bytes) -> Iterator[int]:
    """A server of its own thread, on the port that is given: after a request it sends `start`, and then `again` without
    end or pause, as fast as somebody reads."""

    def flood(listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listening.accept()
                with connection, contextlib.suppress(OSError):
                    connection.recv(65536)
                    connection.sendall(start)
                    while True:
                        connection.sendall(again)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=flood, args=(listening,), daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes the connection and whatever comes, and never says a word."""
    while await reader.read(65536):
        continue


async def hanging_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes what comes first, and closes the connection."""
    await reader.read(65536)


def noting(heads: list[str], answer: bytes) -> Talk:
    """As `answering`, and keeps the heads of the requests."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(answer)
        await writer.drain()

    return talk


def header(head: str, name: str) -> str | None:
    """The value of one header of a request's head; None where it has none."""
    lines = (line.partition(":") for line in head.split("\r\n")[1:])
    return next((value.strip() for key, _, value in lines if key.lower() == name.lower()), None)
