"""Requests to a provider's HTTP API, made so that it is known which were surely not carried out.

What such APIs share stands here: the credential in a header and nowhere else, one request with its limits, the answer
as structs, pages to the end, waiting where the provider says so, and refusals as the errors of changeover.model.errors.

This is the one module that imports httpx, which its fork httpx2 can take the place of: `import httpx2 as httpx`. It
takes long to import, so only the providers that speak HTTP import this module.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import ssl
import time
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache, cached_property
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl, quote, urlsplit

import httpx
import msgspec
import stamina
from msgspec import Struct
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from changeover.model.errors import (
    AuthError,
    Conflict,
    NotFound,
    PermissionDenied,
    ProviderError,
    RateLimited,
    Rejected,
    Unavailable,
)
from changeover.model.foreign_text import one_line
from changeover.model.secret import Secret

log = logging.getLogger(__name__)

#: Bytes of an answer that are read; more is an error.
MAX_ANSWER = 16 * 1024 * 1024
#: Pages of one listing, which at 100 records a page are 150,000 records; more is an error.
MOST_PAGES = 1500
#: Characters of a provider's own words that an error repeats.
MOST_WORDS = 300

_T = TypeVar("_T")
Request = httpx.Request
Query = Mapping[str, Any]
#: Headers, or the fields of a form.
Fields = Mapping[str, str | Secret]

#: A path of names, each a `segment`.
_PATH = re.compile(r"(/[A-Za-z0-9._~%!$'()*+,;=:@-]*)*")
#: The next page in a Link header (RFC 8288), as far as DNS providers use it.
_NEXT = re.compile(r'<([^<>]*)>\s*;[^,<]*\brel="?next\b')


class Lost(Unavailable):
    """The request may have been carried out, but no answer tells what became of it."""


class UnderWay(Lost):
    """The request was taken and is being carried out; whether it will be made is not known yet."""


class Unreadable(Lost):
    """An answer came that makes no sense, and would make none if it was asked for again."""


class TooLarge(Unreadable):
    """There is more of an answer than is read."""


class Unsupported(Rejected):
    """The server does not have what was asked of it (501; RFC 9110, 15.6.2), and so did nothing."""


class ApiAnswer(NamedTuple):
    """What the server said; its status is below 300, 304 (only where If-None-Match was sent), or from 400 to 499."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Hints(Struct, frozen=True, kw_only=True):
    """What to do about each kind of refusal, in a provider's own terms."""

    credential: str
    permission: str
    missing: str
    refused: str


class Signature(httpx.Auth):
    """Signs each request right before it is sent, where an API wants more than a credential in a header."""

    requires_request_body = True

    @abstractmethod
    def sign(self, request: Request) -> None:
        """Adds the signature to the request's headers; its body is known."""

    def auth_flow(self, request: Request) -> Generator[Request, httpx.Response, None]:
        self.sign(request)
        yield request


class Api:
    """One API under one endpoint. The headers, the credential among them, are sent there and nowhere else.

    `timeout` is in seconds, for one request with its answer. No connection is made before the first request. No error
    repeats a secret of the headers, nor one of `secrets`, which are what `signature` signs with.
    """

    def __init__(
        self,
        endpoint: str,
        headers: Fields,
        timeout: float,
        *,
        signature: Signature | None = None,
        secrets: Sequence[Secret] = (),
    ) -> None:
        self.host = urlsplit(endpoint).netloc
        self._endpoint = endpoint
        self._headers = {"User-Agent": "changeover", **headers}
        self._timeout = timeout
        self._signature = signature
        self._secrets = (*secrets, *(value for value in headers.values() if isinstance(value, Secret)))

    def __repr__(self) -> str:
        return f"Api({self._endpoint!r}, headers hidden)"

    async def call(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        body: object | None = None,
        *,
        headers: Fields | None = None,
        content: bytes | None = None,
        form: Fields | None = None,
    ) -> ApiAnswer:
        """One request, made once, with `body` as JSON, `content` as it is, or a form. Redirects are not followed.

        Raises Lost where it may have been carried out (time-out, connection lost, a server error), Unavailable where
        it was not sent, Rejected for a redirect, and Unsupported where the server has no such thing.
        """
        if not _PATH.fullmatch(path) or {".", ".."}.intersection(path.split("/")):
            # A name or an id that a provider gave, and that would lead to another place of the API.
            raise Rejected(f"{self.host} cannot be asked for “{self.words(path)}”", CHECK_ENDPOINT)
        try:
            request = self._client.build_request(
                method, path, params=params, json=body, headers=_sent(headers), content=content, data=_sent(form)
            )
        except httpx.InvalidURL as error:
            raise Rejected(f"{self.host} cannot be asked for that: {self.words(str(error))}", CHECK_ENDPOINT) from None
        response, received = await self._exchange(request)
        if response.status_code == 501:
            raise Unsupported(f"{self.host} answers 501: it does not have that", CHECK_ENDPOINT)
        if response.status_code >= 500 or response.status_code == 408:
            raise Lost(f"{self.host} answers {response.status_code}", "Look at the provider's status page.")
        unchanged = response.status_code == 304 and "if-none-match" in request.headers
        if 300 <= response.status_code < 400 and not unchanged:
            raise Rejected(f"{self.host} redirects to another address", "Correct the account's endpoint.")
        return ApiAnswer(response.status_code, response.headers, received)

    def decoded(self, content: bytes, of: type[_T]) -> _T:
        """The JSON text of an answer as a `of`. Raises Unreadable where it is none."""
        try:
            return msgspec.json.decode(content, type=of)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            said = self.words(str(error))
            raise Unreadable(f"The answer of {self.host} could not be understood: {said}", CHECK_ENDPOINT) from None

    def words(self, text: str) -> str:
        """A provider's own words, fit to be shown: one line, not too long, and without the credential."""
        for word in [word for secret in self._secrets for word in secret.reveal().split() if len(word) >= 8]:
            text = text.replace(word, "…")
        return one_line(text, MOST_WORDS)

    async def _exchange(self, request: Request) -> tuple[httpx.Response, bytes]:
        content = bytearray()
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._client.send(request, auth=self._signature, stream=True)
                async with contextlib.aclosing(response):
                    if "," in response.headers.get("content-encoding", ""):  # packed twice, a kilobyte can be gigabytes
                        raise Lost(f"The answer of {self.host} is packed more than once", CHECK_ENDPOINT)
                    async for chunk in response.aiter_bytes():
                        content += chunk
                        if len(content) > MAX_ANSWER:
                            raise TooLarge(f"The answer of {self.host} is larger than {MAX_ANSWER} bytes")
                return response, bytes(content)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            said = str(error) or "no connection in time"
            raise Unavailable(f"{self.host} cannot be reached: {said}", "Check your connection.") from None
        except (TimeoutError, httpx.TimeoutException):
            raise Lost(f"{self.host} did not answer within {self._timeout:g} s", "Check your connection.") from None
        except httpx.RequestError as error:
            said = self.words(str(error))
            raise Lost(f"The connection to {self.host} broke: {said}", "Check your connection.") from None

    @cached_property
    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self._endpoint,
            headers=_sent(self._headers),
            # Connecting gives up first: what fails before anything was sent is known to have changed nothing.
            timeout=httpx.Timeout(self._timeout, connect=self._timeout / 3, pool=self._timeout / 4),
            follow_redirects=False,
            verify=_trusted(),
            # A proxy of the environment would see what is sent in plain text.
            trust_env=self._endpoint.startswith("https:"),
        )

    async def aclose(self) -> None:
        if "_client" in self.__dict__:
            await self._client.aclose()


CHECK_ENDPOINT = "Look at the account's endpoint: something else may answer there."


@cache
def _trusted() -> ssl.SSLContext:
    """The certificate authorities that all accounts trust, read once: that takes 20 ms of a processor."""
    return httpx.create_ssl_context()


def _sent(fields: Fields | None) -> dict[str, str] | None:
    """The fields as they are sent, secrets included."""
    if fields is None:
        return None
    return {name: value.reveal() if isinstance(value, Secret) else value for name, value in fields.items()}


def credential(secret: Secret, account: str, what: str, hint: str) -> Secret:
    """`secret` where it can be sent in a header. AuthError, which does not repeat it, where it cannot be a `what`."""
    text = secret.reveal()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise AuthError(f"The secret of account {account} is no {what}", hint)
    return secret


def refusal(answer: ApiAnswer, said: str, hints: Hints) -> ProviderError:
    """The error for an answer from 400 to 499, by its status (RFC 9110, 15.5); `said` has the provider's words."""
    match answer.status:
        case 401:
            return AuthError(said, hints.credential)
        case 403:
            return PermissionDenied(said, hints.permission)
        case 404 | 410:
            return NotFound(said, hints.missing)
        case 409 | 412:
            return Conflict(said, hints.refused)
        case 429:
            return RateLimited(said, "Wait and try again.", retry_after(answer.headers))
    return Rejected(said, hints.refused)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that the provider asks to wait for (RFC 9110, 10.2.3), None where it does not say."""
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,6}(\.\d{1,3})?", text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


async def pages(
    fetch: Callable[[Query], Awaitable[tuple[Sequence[_T], Query | None]]], most: int | None = None
) -> list[_T] | None:
    """All pages of a listing, or None where it has more than `most`.

    `fetch` gives one page, and what to ask for to get the next one; None after the last.
    """
    found: list[_T] = []
    asked: list[Query] = []
    query: Query | None = {}
    while query is not None:
        if query in asked:
            raise Unreadable("The pages of the provider's list do not end", CHECK_ENDPOINT)
        if len(asked) >= MOST_PAGES:
            raise TooLarge(f"The provider's list has more than {MOST_PAGES} pages, or they do not end", CHECK_ENDPOINT)
        if most is not None and len(asked) >= most:
            return None
        asked.append(query)
        page, query = await fetch(query)
        found += page
    return found


def segment(text: str) -> str:
    """A name as one segment of a path, whatever is in it: zone names come from people and from providers."""
    return quote(text, safe="@*")


def query_of(url: str) -> dict[str, str]:
    """What the address of another page asks for. Its host and path are not used: requests go to one endpoint only."""
    try:
        return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True, max_num_fields=20))
    except ValueError:
        raise Unreadable("The address of the next page could not be understood", CHECK_ENDPOINT) from None


def next_page(headers: Mapping[str, str]) -> dict[str, str] | None:
    """What the Link header (RFC 8288) says of the next page."""
    found = _NEXT.search(headers.get("link", ""))
    return query_of(found[1]) if found else None


def _log_retry(details: RetryDetails) -> None:
    log.info("asking again in %.1f s: %s", details.wait_for, details.caused_by)


# stamina's own line would be a warning on standard error, which says nothing to anybody.
set_on_retry_hooks([_log_retry])


async def retry_read(read: Callable[[], Awaitable[_T]], timeout: float) -> _T:
    """What `read` gives, asked up to three times within `timeout` seconds where that may help. Never for a write."""
    end = time.monotonic() + timeout

    def may_pass(error: Exception) -> bool | float:
        """Is it worth asking again? After how many seconds, where the provider says so and it is soon."""
        if isinstance(error, RateLimited):
            return _wait(error, end) or False
        return isinstance(error, Unavailable) and not isinstance(error, Unreadable)

    context = stamina.retry_context(
        on=may_pass, attempts=3, timeout=timeout, wait_initial=0.2, wait_jitter=0.2, wait_max=2.0
    )
    async for attempt in context:
        with attempt:
            found = await read()
    return found


async def retry_rate_limited(write: Callable[[], Awaitable[_T]], budget: float, pause: float | None = None) -> _T:
    """What `write` gives, made again only where it was surely not carried out: after an answer 429.

    Waits as the provider asks, `budget` seconds altogether; RateLimited where that is not enough. With `pause`, it is
    also made again after that many seconds where the provider does not say how long, or where nothing was sent.
    """
    end = time.monotonic() + budget
    while True:
        try:
            return await write()
        except (RateLimited, Unavailable) as error:
            if isinstance(error, Lost):
                raise
            wait = _wait(error, end) if isinstance(error, RateLimited) and error.retry_after is not None else pause
            if wait is None or time.monotonic() + wait >= end:
                raise
            await asyncio.sleep(wait)


def _wait(error: RateLimited, end: float) -> float | None:
    """The seconds to wait where they end before `end`. A provider that says 0 means a moment."""
    wait = None if error.retry_after is None else max(error.retry_after, 0.05)
    return wait if wait is not None and time.monotonic() + wait < end else None
