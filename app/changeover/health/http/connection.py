"""A connection to one address, plain or by TLS, on asyncio's socket calls.

asyncio's streams do the same with several objects and callbacks more for each connection: a sixth of the processor time
of a check (bench/probe_cost.py). A check needs none of what they add.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from types import TracebackType
from typing import Self

_AT_ONCE = 16 * 1024


class Wire:
    """One connection to an address; one like "fe80::1%eth0" names its interface.

    Not more than `most` bytes are received. Closes when its `with` block ends, without waiting for anything.
    """

    def __init__(self, address: str, most: int) -> None:
        self._address, _, self._interface = address.partition("%")
        self._most = self._left = most
        self._loop = asyncio.get_running_loop()
        self._socket = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._received = ssl.MemoryBIO()
        self._to_send = ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    async def connect(self, port: int) -> None:
        """Raises OSError."""
        scope = (0, socket.if_nametoindex(self._interface)) if self._interface else ()
        await self._loop.sock_connect(self._socket, (self._address, port, *scope))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def secure(self, context: ssl.SSLContext, hostname: str) -> ssl.SSLObject:
        """Makes a TLS handshake, with `hostname` as SNI. Raises ssl.SSLError, or OSError where the connection ends.

        The last message of the handshake goes out with the first that is sent.
        """
        tls = context.wrap_bio(self._received, self._to_send, server_hostname=hostname)
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                if not await self._fill():
                    raise ConnectionError from None
            else:
                self._tls = tls
                return tls

    async def send(self, data: bytes) -> None:
        """Raises OSError."""
        if self._tls is None:
            await self._loop.sock_sendall(self._socket, data)
        else:
            self._tls.write(data)
            await self._flush()

    async def receive(self) -> bytes:
        """Some bytes; none where the other side has closed. Raises OSError, which ssl.SSLError is one of."""
        if self._tls is None:
            return await self._some()
        while True:
            try:
                return self._tls.read(_AT_ONCE)
            except ssl.SSLZeroReturnError:
                return b""
            except ssl.SSLWantReadError:
                await self._flush()
                if not await self._fill():
                    return b""

    async def _flush(self) -> None:
        if self._to_send.pending:
            await self._loop.sock_sendall(self._socket, self._to_send.read())

    async def _fill(self) -> bool:
        data = await self._some()
        self._received.write(data)
        return bool(data)

    async def _some(self) -> bytes:
        """What has come. Where something is there already, `sock_recv` lets nobody else have a turn."""
        if self._left <= 0:
            raise OSError(f"more than {self._most // 1024} KiB came")
        data = await self._loop.sock_recv(self._socket, _AT_ONCE)
        self._left -= len(data)
        if self._most - self._left > _AT_ONCE:
            await asyncio.sleep(0)
        return data


async def shown_certificate(address: str, port: int, hostname: str, most: int) -> bytes | None:
    """The certificate that a server shows for `hostname`, unverified, in DER. Nothing is sent over that connection.

    Not more than `most` bytes are received. None where there is no handshake. The caller limits the time.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with Wire(address, most) as wire:
        try:
            await wire.connect(port)
            tls = await wire.secure(context, hostname)
        except OSError:
            return None
        return tls.getpeercert(binary_form=True)
