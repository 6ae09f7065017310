"""A wire to a server of MySQL's protocol that is cut at one statement."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_QUERY = 3  # the command, behind three bytes of length and a number that is 0 for a command


@asynccontextmanager
async def cut_at(port: int, statement: int, *, executed: bool) -> AsyncIterator[int]:
    """A port that leads to `port` and ends at that statement (from 0 on): before the server has it, or is done with it.

    Nothing is encrypted.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, there = await asyncio.open_connection("127.0.0.1", port)

        async def answer() -> None:
            while data := await back.read(65536):
                writer.write(data)

        answering = asyncio.create_task(answer())
        seen = 0
        try:
            while data := await reader.read(65536):
                if data[3:5] == bytes([0, _QUERY]):
                    if seen == statement:
                        answering.cancel()
                        await asyncio.wait([answering])
                        if executed:
                            there.write(data)
                            await back.read(1)
                        return
                    seen += 1
                there.write(data)
        finally:
            answering.cancel()
            there.close()
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as proxy:
        yield proxy.sockets[0].getsockname()[1]
