"""Requests to a provider's HTTP API, made so that it is known which were surely not carried out.

httpx takes long to import: only the providers that speak HTTP import this module.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import httpx
import stamina

from changeover.dns.provider import is_this_computer
from changeover.model.errors import RateLimited, Rejected, Unavailable

#: Bytes of an answer that are read; more is an error.
MAX_ANSWER = 16 * 1024 * 1024

_T = TypeVar("_T")


class Lost(Unavailable):
    """The request may have been carried out, but no answer tells what became of it."""


class Answer(NamedTuple):
    """What the server said; its status is below 300, or from 400 to 499."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Api:
    """One API under one endpoint. The headers, the credential among them, are sent there and nowhere else.

    `timeout` is in seconds, for one request with its answer. No connection is made before the first request.
    """

    def __init__(self, endpoint: str, headers: Mapping[str, str], timeout: float) -> None:
        self.host = urlsplit(endpoint).netloc
        self._endpoint = endpoint
        self._headers = {"User-Agent": "changeover", **headers}
        self._timeout = timeout

    def __repr__(self) -> str:
        return f"Api({self._endpoint!r}, headers hidden)"

    async def call(
        self, method: str, path: str, params: Mapping[str, Any] | None = None, body: object | None = None
    ) -> Answer:
        """One request, made once. Redirects are not followed.

        Raises Lost where it may have been carried out (time-out, connection lost, a server error), Unavailable where
        it was not sent, and Rejected for a redirect.
        """
        response, content = await self._exchange(method, path, params, body)
        if response.status_code >= 500 or response.status_code == 408:
            raise Lost(f"{self.host} answers {response.status_code}", "Look at the provider's status page.")
        if 300 <= response.status_code < 400:
            raise Rejected(f"{self.host} redirects to another address", "Correct the account's endpoint.")
        return Answer(response.status_code, response.headers, content)

    async def _exchange(
        self, method: str, path: str, params: Mapping[str, Any] | None, body: object | None
    ) -> tuple[httpx.Response, bytes]:
        content = bytearray()
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._client.stream(method, path, params=params, json=body) as response,
            ):
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > MAX_ANSWER:
                        raise Lost(f"The answer of {self.host} is larger than {MAX_ANSWER} bytes")
                return response, bytes(content)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            said = str(error) or "no connection in time"
            raise Unavailable(f"{self.host} cannot be reached: {said}", "Check your connection.") from None
        except (TimeoutError, httpx.TimeoutException):
            raise Lost(f"{self.host} did not answer within {self._timeout:g} s", "Check your connection.") from None
        except httpx.RequestError as error:
            raise Lost(f"The connection to {self.host} broke: {error}", "Check your connection.") from None

    @cached_property
    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self._endpoint,
            headers=self._headers,
            # Connecting gives up first: what fails before anything was sent is known to have changed nothing.
            timeout=httpx.Timeout(self._timeout, connect=self._timeout / 3, pool=self._timeout / 4),
            follow_redirects=False,
            # A proxy of the environment would see what is sent in plain text.
            trust_env=self._endpoint.startswith("https:"),
        )

    async def aclose(self) -> None:
        if "_client" in self.__dict__:
            await self._client.aclose()


async def repeated(read: Callable[[], Awaitable[_T]], timeout: float) -> _T:
    """What `read` gives, asked up to three times within `timeout` seconds where that may help. Never for a write."""
    context = stamina.retry_context(
        on=_may_pass, attempts=3, timeout=timeout, wait_initial=0.2, wait_jitter=0.2, wait_max=2.0
    )
    async for attempt in context:
        with attempt:
            found = await read()
    return found


def _may_pass(error: Exception) -> bool | float:
    """Is it worth asking again? After how many seconds, where the provider says so and it is soon."""
    if isinstance(error, RateLimited):
        return error.retry_after if error.retry_after is not None and 0 < error.retry_after <= 2 else False
    return isinstance(error, Unavailable)


def is_safe_endpoint(endpoint: str) -> bool:
    """Is it an https address, or plain http on this computer, and nothing but scheme, host, port and path?"""
    try:
        parts = urlsplit(endpoint)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.query or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_this_computer(host))


def endpoint_host(endpoint: str) -> str:
    """The host of an endpoint's address, in lower case, without the port."""
    return urlsplit(endpoint).hostname or ""
