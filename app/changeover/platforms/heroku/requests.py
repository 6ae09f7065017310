"""Requests to Heroku's two APIs: repeated where that may help, page by page, and what has not changed is not sent."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from changeover.model.errors import ProviderError, Rejected, Unavailable
from changeover.model.secret import Secret
from changeover.platforms.heroku.answers import ErrorBody
from changeover.platforms.heroku.declaration import API_HOST, DATA_HOST

if TYPE_CHECKING:
    from changeover.dns.http.api import Api, ApiAnswer, Query

log = logging.getLogger(__name__)

#: Seconds for one request with its answer; a reading has twice that, with its repetitions.
TIMEOUT = 10.0
#: Answers that are kept to be compared by their ETag.
_MOST_KEPT = 2000
#: Questions that are on their way at the same time, each on a connection of its own, and how many pools these are in:
#: the HTTP client goes through all connections of a pool with every question, and keeps 20 of them open.
_AT_ONCE, _POOLS = 100, 10

_T = TypeVar("_T")


class Requests:
    """Those of one account. `left` is how many Heroku grants until the hour ends, None where it has not said it."""

    def __init__(self, account: str, endpoint: str, token: Secret, timeout: float) -> None:
        self.left: int | None = None
        self._account = account
        self._endpoint = endpoint
        self._token = token
        self._timeout = timeout
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        #: By path and range, an answer with its ETag, and what to ask for to get the next page.
        self._kept: OrderedDict[tuple[str, str], tuple[str, bytes, str]] = OrderedDict()

    async def read(
        self,
        path: str,
        of: type[_T],
        headers: Mapping[str, str] | None = None,
        *,
        data: bool = False,
        keep: bool = True,
    ) -> _T:
        """`keep`: may the answer be kept in memory, so that it need not be sent again while it is the same?"""

        async def read() -> _T:
            content, _ = await self._got(path, headers, data=data, keep=keep)
            return self._api_for(data).decoded(content, of)

        return await self._retried(read)

    async def maybe(self, path: str, of: type[_T], *, data: bool = False, keep: bool = True) -> _T | None:
        """The same, or None where it is not told, for whatever reason: what is needed says it as well."""
        try:
            return await self.read(path, of, data=data, keep=keep)
        except ProviderError as error:
            log.info("%s: %s is not told: %s", self._account, path, error.text)
            return None

    async def listed(self, path: str, of: type[_T]) -> Sequence[_T]:
        """All pages of a list, which Heroku cuts by the Range header (platform-api-reference#ranges)."""
        from changeover.dns.http.api import pages

        async def fetch(query: Query) -> tuple[Sequence[_T], Query | None]:
            content, following = await self._got(path, {"Range": query.get("range", "id ..; max=1000")})
            page: tuple[_T, ...] = self._api_for(False).decoded(content, tuple[of, ...])  # type: ignore[valid-type]
            return page, {"range": following} if following else None

        return await self._retried(lambda: pages(fetch)) or ()

    async def _got(
        self, path: str, headers: Mapping[str, str] | None, *, data: bool = False, keep: bool = True
    ) -> tuple[bytes, str]:
        """One answer, and what to ask for to get the next page; taken from before where it is the same still."""
        place = (path, (headers or {}).get("Range", ""))
        before = self._kept.get(place)
        asked = dict(headers or {})
        if before is not None:
            asked["If-None-Match"] = before[0]
        async with self._at_once:
            answer = await self._api_for(data).call("GET", path, headers=asked)
        self._count(answer)
        if answer.status == 304 and before is not None:
            return before[1], before[2]
        self._checked(answer, data)
        following = answer.headers.get("next-range", "") if answer.status == 206 else ""
        tag = answer.headers.get("etag", "")
        if tag and keep:
            self._kept[place] = (tag, answer.content, following)
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return answer.content, following

    async def write(self, method: str, path: str, body: object | None = None, *, data: bool = False) -> None:
        answer = await self._api_for(data).call(method, path, body=body)
        self._count(answer)
        self._checked(answer, data)

    def _count(self, answer: ApiAnswer) -> None:
        said = answer.headers.get("ratelimit-remaining", "")
        if said.isascii() and said.isdigit() and len(said) < 9:
            self.left = int(said)

    def _checked(self, answer: ApiAnswer, data: bool) -> None:
        if answer.status < 300:
            return
        from changeover.dns.http.api import Hints, refusal

        api = self._api_for(data)
        try:
            said = api.decoded(answer.content, ErrorBody)
        except Unavailable:
            said = ErrorBody()
        if answer.status == 402:
            raise Rejected(api.words(said.message) or "Heroku wants to be paid", "Look at the account's billing page.")
        hints = Hints(
            credential="Make another key: heroku authorizations:create, and give it to the account.",
            permission="The key needs the scopes read-protected to look and write-protected to steer.",
            missing="Look at the app's name: heroku apps lists those that the key can see.",
            refused="Look at the app in Heroku's dashboard.",
        )
        raise refusal(answer, api.words(said.message) or f"{api.host} answers {answer.status}", hints)

    async def _retried(self, read: Callable[[], Awaitable[_T]]) -> _T:
        from changeover.dns.http.api import retry_read

        return await retry_read(read, 2 * self._timeout)

    async def aclose(self) -> None:
        opened = self.__dict__
        for api in (*opened.get("_apis", ()), *((opened["_data_api"],) if "_data_api" in opened else ())):
            await api.aclose()

    def _api_for(self, data: bool) -> Api:
        return self._data_api if data else next(self._turns)

    @cached_property
    def _turns(self) -> Iterator[Api]:
        return itertools.cycle(self._apis)

    @cached_property
    def _apis(self) -> tuple[Api, ...]:
        headers = {"Accept": "application/vnd.heroku+json; version=3"}
        return tuple(self._opened(self._endpoint, headers) for _ in range(_POOLS))

    @cached_property
    def _data_api(self) -> Api:
        return self._opened(self._endpoint.replace(f"//{API_HOST}", f"//{DATA_HOST}"), {"Accept": "application/json"})

    def _opened(self, endpoint: str, headers: dict[str, str]) -> Api:
        from changeover.dns.http.api import Api, credential  # they take long to import

        hint = "An API key is one word, such as HRKU-…: heroku authorizations:create makes one."
        token = credential(self._token, self._account, "Heroku API key", hint)
        return Api(endpoint, {"Authorization": token.after("Bearer "), **headers}, self._timeout)
