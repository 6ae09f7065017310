"""A provider's HTTP API on a loopback port, which can go wrong in every way that a network can."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import pickle
import re
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Literal, NamedTuple, Self

import h11

Headers = Iterable[tuple[str, str]]


class Answer(NamedTuple):
    status: int
    headers: Headers
    content: bytes


class Misbehaviour(NamedTuple):
    what: Literal["pass", "answer", "drop-before", "drop-after", "hang", "answer-after"]
    writes_only: bool
    answer: Answer


def copied(state: Mapping[str, Any]) -> dict[str, Any]:
    """A simulator's state, without what cannot be copied, such as a counter: that is no state of a zone."""
    found = {}
    for name, value in state.items():
        with contextlib.suppress(TypeError):
            found[name] = copy.deepcopy(value)
    return found


class HttpSimulator(ABC):
    """What is behind the port says `_answer`. Used as a context manager; it runs in a thread of its own, so that
    blocking and asynchronous tests can use it.

    `before_write` is called once, right before the next request that is no GET is carried out. `requests` has the
    method and the path of every request, `bodies` what came with those that are no GET, `answers` what was answered
    where nothing went wrong. `lag` are the seconds after a write for which readings whose target has `lagging` in it
    (a regular expression) show what stood before.
    """

    lagging: ClassVar[str] = "record|rrset"

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
        self.bodies: list[bytes] = []
        self.answers: list[Answer] = []
        self.before_write: Callable[[], None] | None = None
        self.port = 0
        #: Seconds that every answer takes to arrive.
        self.latency = 0.0
        self.lag = 0.0
        self._former: dict[str, Any] = {}
        self._shows_former_until = 0.0
        self.lock = threading.RLock()
        self._misbehaviours: list[Misbehaviour] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = asyncio.Event()
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None
        self._own = {*vars(self), "_own"}

    @abstractmethod
    def _answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Carries out one request. `headers` have lower-case names. Called with the lock held."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def misbehave(
        self,
        what: Literal["answer", "drop-before", "drop-after", "hang", "answer-after"],
        *,
        times: int = 1,
        after: int = 0,
        writes_only: bool = False,
        status: int = 503,
        headers: Headers = (),
        body: bytes = b"error",
    ) -> None:
        """The next `times` requests go wrong, those that come `after` as many that do not.

        "answer" gives that status and does nothing; "answer-after" does what was asked and then gives that status;
        "drop-before" and "drop-after" close the connection before and after doing it; "hang" never answers.
        """
        answer = Answer(status, tuple(headers), body)
        self._misbehaviours += [Misbehaviour("pass", writes_only, answer)] * after
        self._misbehaviours += [Misbehaviour(what, writes_only, answer)] * times

    def forget_misbehaviour(self) -> None:
        self._misbehaviours.clear()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the simulator did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Closes the port. A second call does nothing."""
        if self._thread is None or not self._thread.is_alive():
            return
        assert self._loop is not None
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(10)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        tasks: set[asyncio.Task[None]] = set()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                await self._converse(reader, writer)
            except (OSError, asyncio.CancelledError, h11.RemoteProtocolError):
                pass
            finally:
                tasks.discard(task)
                writer.close()

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stopped.wait()
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        http = h11.Connection(h11.SERVER)
        while True:
            request: h11.Request | None = None
            body = bytearray()
            while True:
                event = http.next_event()
                if event is h11.NEED_DATA:
                    http.receive_data(await reader.read(65536))
                elif isinstance(event, h11.Request):
                    request = event
                elif isinstance(event, h11.Data):
                    body += event.data
                else:
                    break
            answer = await self._handle(request, bytes(body)) if request is not None else None
            if answer is None:
                return
            bare = answer.status == 204
            head = [] if bare else [("Content-Type", "application/json"), ("Content-Length", str(len(answer.content)))]
            writer.write(http.send(h11.Response(status_code=answer.status, headers=[*head, *answer.headers])) or b"")
            writer.write(b"" if bare else http.send(h11.Data(data=answer.content)) or b"")
            writer.write(http.send(h11.EndOfMessage()) or b"")
            await writer.drain()
            if http.our_state is h11.MUST_CLOSE:
                return
            http.start_next_cycle()

    def _answer_with_lag(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        now = time.monotonic()
        if method != "GET" and self.lag:
            before = copied(self._state())
            answer = self._answer(method, target, headers, body)
            # Else it only asked, such as what a credential may do. Zones are objects that do not compare.
            if not before or pickle.dumps(copied(self._state())) != pickle.dumps(before):
                if now >= self._shows_former_until:
                    self._former = before
                self._shows_former_until = now + self.lag
            return answer
        if method == "GET" and now < self._shows_former_until and re.search(self.lagging, target.partition("?")[0]):
            return self._former_answer(method, target, headers, body)
        return self._answer(method, target, headers, body)

    def _state(self) -> dict[str, Any]:
        """What a simulator itself keeps, but for how much may still be asked of it."""
        return {name: value for name, value in vars(self).items() if name not in {*self._own, "remaining"}}

    def _former_answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """What a reading would have given before the last writes."""
        now = self._state()
        vars(self).update(self._former)
        try:
            return self._answer(method, target, headers, body)
        finally:
            vars(self).update(now)

    async def _handle(self, request: h11.Request, body: bytes) -> Answer | None:
        method, target = request.method.decode(), request.target.decode()
        self.requests.append((method, target))
        await asyncio.sleep(self.latency)
        writes = method != "GET"
        if writes:
            self.bodies.append(body)
        fault = next((m for m in self._misbehaviours if writes or not m.writes_only), None)
        if fault is not None:
            self._misbehaviours.remove(fault)
            if fault.what == "pass":
                fault = None
            elif fault.what == "hang":
                await asyncio.Event().wait()
            elif fault.what == "drop-before":
                return None
            elif fault.what == "answer":
                return fault.answer
        with self.lock:
            if writes and self.before_write is not None:
                hook, self.before_write = self.before_write, None
                hook()
            headers = {name.decode().lower(): value.decode("latin-1") for name, value in request.headers}
            answer = self._answer_with_lag(method, target, headers, body)
        if fault is not None and fault.what == "drop-after":
            return None
        if fault is not None:
            return fault.answer
        self.answers.append(answer)
        return answer
