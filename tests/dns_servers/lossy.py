"""A DNS server's front that loses messages: UPDATEs on their way in, or their answers on the way out."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Literal, Self

import dns.message
import dns.opcode

Loses = Literal["nothing", "updates", "answers"]


class LossyFront:
    """Passes TCP messages on to `port` of loopback, on a thread of its own.

    `loses` decides what happens to UPDATEs: passed on; dropped, and the connection closed; applied, and the connection
    closed without the answer. `after_update` is called once an UPDATE was applied, before anything is answered.
    """

    def __init__(self, port: int) -> None:
        self.loses: Loses = "nothing"
        self.after_update: Callable[[], None] = lambda: None
        self.updates = 0
        self.port = 0
        self._behind = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def server(self) -> str:
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        listening = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._serve, "127.0.0.1", 0), self._loop)
        self._server = listening.result(10)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", self._behind)
        back = asyncio.create_task(self._pump(behind_reader, writer))
        try:
            while True:
                message = await _message(reader)
                update = dns.message.from_wire(message, ignore_trailing=True, question_only=True)
                is_update = update.opcode() == dns.opcode.UPDATE
                if is_update:
                    self.updates += 1
                    if self.loses == "updates":
                        return
                    back.cancel()
                    await asyncio.gather(back, return_exceptions=True)
                behind_writer.write(len(message).to_bytes(2, "big") + message)
                if is_update:
                    answer = await _message(behind_reader)
                    await asyncio.to_thread(self.after_update)
                    if self.loses == "answers":
                        return
                    writer.write(len(answer).to_bytes(2, "big") + answer)
                    back = asyncio.create_task(self._pump(behind_reader, writer))
        except (asyncio.IncompleteReadError, OSError):
            return
        finally:
            back.cancel()
            writer.close()
            behind_writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(65536):
                writer.write(chunk)
        except OSError:
            return


async def _message(reader: asyncio.StreamReader) -> bytes:
    return await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
