"""Ports on loopback, and the connections that are served there for as long as a context lasts."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

#: A peer gets this many seconds to take the last of an answer, or to finish a TLS handshake.
CLOSE_TIMEOUT = 5.0
_ATTEMPTS = 20

ServeConnection = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Place(NamedTuple):
    """An address and the kind of socket that is wanted there."""

    address: str
    kind: socket.SocketKind = socket.SOCK_STREAM


def bound_sockets(places: Sequence[Place], preferred: int | None) -> tuple[int, list[socket.socket]]:
    """A socket at each of `places`, all at one port: `preferred` where it is free at all of them, else any.

    Raises OSError: EADDRNOTAVAIL where this computer does not have one of the addresses.
    """
    *first, last = [preferred or 0, *[0] * _ATTEMPTS]
    for port in first:
        try:
            return _bound(places, port)
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise
    return _bound(places, last)


def _bound(places: Sequence[Place], port: int) -> tuple[int, list[socket.socket]]:
    sockets = []
    with contextlib.ExitStack() as opened:
        for place in places:
            family = socket.AF_INET6 if ":" in place.address else socket.AF_INET
            bare = opened.enter_context(socket.socket(family, place.kind))
            bare.setblocking(False)
            stream = place.kind is socket.SOCK_STREAM
            if stream and os.name == "posix":
                # A restart must not wait for the last run's connections. On Windows this option means something else.
                bare.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bare.bind((place.address, port))
            if stream:
                bare.listen(128)  # at once: only a listening socket keeps others from binding the same port
            port = bare.getsockname()[1]
            sockets.append(bare)
        opened.pop_all()
    return port, sockets


class LabTasks:
    """Tasks that end with their context."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def end(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


@asynccontextmanager
async def connections(
    bound: socket.socket, serve: ServeConnection, tls: ssl.SSLContext | None = None
) -> AsyncIterator[None]:
    """Serves each connection to `bound` with `serve`. Connections that are open at the end are cut."""
    tasks = LabTasks()
    server = await asyncio.start_server(
        lambda reader, writer: tasks.start(_serve(serve, reader, writer)),
        sock=bound,
        ssl=tls,
        ssl_handshake_timeout=CLOSE_TIMEOUT if tls else None,
        ssl_shutdown_timeout=CLOSE_TIMEOUT if tls else None,
    )
    try:
        yield
    finally:
        server.close()
        await tasks.end()


async def _serve(serve: ServeConnection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await serve(reader, writer)
        writer.close()
        async with asyncio.timeout(CLOSE_TIMEOUT):
            await writer.wait_closed()
    except (OSError, TimeoutError):
        pass  # the peer is gone or silent: nobody is left to tell
    finally:
        writer.transport.abort()
