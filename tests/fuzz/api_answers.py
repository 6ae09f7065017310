"""The answers of each HTTP API, as functions of bytes: real conversations, with one answer spoilt.

What a provider asks while a zone is read, verified and listed, and a platform while its account and an app are looked
at, is recorded once against its simulator, and given again without a network: the first byte says which answer is
spoilt, the second which status it has, the rest is its body.
"""

from __future__ import annotations

import asyncio
import functools
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import httpx
import stamina

from changeover.model.errors import ChangeoverError
from dns_servers.ground import ZONE_NAME
from dns_servers.grounds import HTTP_GROUNDS
from platforms.grounds import GROUNDS as PLATFORM_GROUNDS

NAMES = ["www.shop.example", "mail.shop.example", ZONE_NAME]
STATUSES = (200, 200, 200, 200, 201, 206, 400, 401, 403, 404, 409, 422, 429)


class _Reply(NamedTuple):
    method: str
    target: str
    status: int
    headers: tuple[tuple[str, str], ...]
    content: bytes


Talk = Callable[[], Awaitable[None]]
Look = Callable[[], Awaitable[object]]


class _Conversation(NamedTuple):
    talk: Talk
    replies: tuple[_Reply, ...]


def _talking(handle: Callable[..., object]) -> mock._patch[object]:
    return mock.patch.object(httpx.AsyncHTTPTransport, "handle_async_request", handle)


async def _take(looks: Sequence[Look]) -> None:
    for look in looks:
        try:
            await look()
        except ChangeoverError as error:
            assert error.text.isprintable(), error.text


@contextmanager
def _with_provider(name: str, folder: Path) -> Iterator[Talk]:
    """All that only looks at a zone."""
    with HTTP_GROUNDS[name](folder) as ground:

        async def talk() -> None:
            provider = ground.open()
            try:
                await _take(
                    (
                        provider.zones,
                        lambda: provider.read(ZONE_NAME, NAMES),
                        lambda: provider.verify(ZONE_NAME, NAMES[:1]),
                    )
                )
            finally:
                await provider.aclose()

        yield talk


@contextmanager
def _with_platform(name: str, folder: Path) -> Iterator[Talk]:
    """All that only looks at an account and at an app; twice, since a second look is asked in another way."""
    with PLATFORM_GROUNDS[name](folder) as ground:

        async def talk() -> None:
            platform = ground.open(ground.behind.address)
            look = lambda: platform.observe(ground.target)  # noqa: E731
            try:
                await _take((platform.discover, look, look))
            finally:
                await platform.aclose()

        yield talk


def _target(request: httpx.Request) -> str:
    return request.url.raw_path.decode("latin-1")


@functools.cache
def _conversation(name: str) -> _Conversation:
    replies: list[_Reply] = []
    real = httpx.AsyncHTTPTransport.handle_async_request

    async def recording(self: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        response = await real(self, request)
        content = await response.aread()
        await response.aclose()
        headers = tuple(response.headers.items())
        replies.append(_Reply(request.method, _target(request), response.status_code, headers, content))
        return httpx.Response(response.status_code, headers=response.headers, content=content)

    folder = Path(tempfile.mkdtemp(prefix="changeover-fuzz-"))
    having = _with_platform if name in PLATFORM_GROUNDS else _with_provider
    with having(name, folder) as talk, _talking(recording):
        asyncio.run(talk())
    assert replies, name
    return _Conversation(talk, tuple(replies))


def read_answers(name: str, data: bytes) -> None:
    """The conversation with one answer spoilt. Whatever comes of it is an answer, or an error for people."""
    talk, replies = _conversation(name)
    which = data[0] % len(replies) if data else 0
    status = STATUSES[data[1] % len(STATUSES)] if len(data) > 1 else 200
    spoilt = replies[which]._replace(status=status, content=data[2:])
    given = {(r.method, r.target): r for r in reversed(replies)}
    given[spoilt.method, spoilt.target] = spoilt

    async def replaying(_: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        reply = given.get((request.method, _target(request)))
        if reply is None:
            return httpx.Response(404, json={"message": "nobody asked for that before"})
        kept = [(k, v) for k, v in reply.headers if k.lower() not in ("content-length", "transfer-encoding")]
        return httpx.Response(reply.status, headers=kept, content=reply.content)

    with _talking(replaying), stamina.set_testing(True, attempts=1):
        asyncio.run(talk())


def seeds(name: str) -> list[bytes]:
    """Each answer of the conversation, to be spoilt."""
    return [bytes((number, 0)) + reply.content for number, reply in enumerate(_conversation(name).replies)]
