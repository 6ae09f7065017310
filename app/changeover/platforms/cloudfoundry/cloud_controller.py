"""A Cloud Foundry's API, asked: login first, one request or a whole list, and refusals as errors fit for people."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from changeover.dns.http.api import (
    Api,
    ApiAnswer,
    Hints,
    Query,
    Unreadable,
    Unsupported,
    pages,
    query_of,
    refusal,
    retry_read,
)
from changeover.dns.http.oauth import BearerApi
from changeover.model.errors import NotFound, PermissionDenied, Rejected
from changeover.model.secret import Secret
from changeover.platforms.cloudfoundry.declaration import CloudFoundryOptions
from changeover.platforms.cloudfoundry.resources import CfFaults, CfPage, CfRoot
from changeover.platforms.cloudfoundry.uaa import UaaLogin, ends_at, hint_of, uaa_address

#: How many of a list are asked for at once; the most that is allowed is 5000.
PER_PAGE = 1000

_T = TypeVar("_T")


class CloudController:
    """One foundation's API, with one account. `timeout` is in seconds for one request, a reading has twice that."""

    def __init__(
        self, account: str, options: CloudFoundryOptions, secrets: Mapping[str, Secret], timeout: float
    ) -> None:
        self._account = account
        self._options = options
        self._timeout = timeout
        self._login = UaaLogin(options, secrets)
        (self._secret,) = secrets.values() or (Secret(""),)
        self._plain = Api(options.endpoint.rstrip("/"), {}, timeout)
        self._signed: Api | None = None
        self._opening = asyncio.Lock()
        self._hints = Hints(
            credential=hint_of(options),
            permission="Give the user or client the role space_developer in the space, and the scopes"
            " cloud_controller.read and cloud_controller.write.",
            missing="Look at the deployment's organization, space and app: `cf target`, `cf apps`.",
            refused="Look at the app with `cf app` and `cf events`.",
        )

    async def root(self) -> CfRoot:
        """What the endpoint says of itself. Nothing secret is sent with the question."""

        async def read() -> CfRoot:
            return self._plain.decoded(self._checked(await self._plain.call("GET", "/")).content, CfRoot)

        root = await self._retried(read)
        if root.links.cloud_controller_v3 is None:
            host = self._plain.host
            raise Rejected(f"{host} has no Cloud Foundry API of version 3", "Correct the account's endpoint.")
        return root

    async def get(self, path: str, of: type[_T], **query: str) -> _T:
        """One resource, or one page of them."""

        async def read() -> _T:
            api = await self._api()
            return api.decoded(self._checked(await api.call("GET", path, query or None)).content, of)

        return await self._retried(read)

    async def listed(self, path: str, of: type[_T], **query: str) -> list[_T]:
        """All resources of a list, page by page."""

        async def page(further: Query) -> tuple[tuple[_T, ...], Query | None]:
            asked = {"per_page": str(PER_PAGE), **query, **further}
            api = await self._api()
            found = api.decoded(self._checked(await api.call("GET", path, asked)).content, CfPage[of])  # type: ignore[valid-type]
            return found.resources, query_of(found.pagination.next.href) if found.pagination.next else None

        return await self._retried(lambda: pages(page)) or []

    async def change(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> bytes:
        """One request that changes something, made once. Raises Lost where nobody knows whether it was done."""
        return self._checked(await (await self._api()).call(method, path, body=body)).content

    def decoded(self, content: bytes, of: type[_T]) -> _T:
        """What a change was answered with."""
        return self._plain.decoded(content, of)

    @property
    def login(self) -> UaaLogin:
        return self._login

    async def aclose(self) -> None:
        await self._plain.aclose()
        if self._signed is not None:
            await self._signed.aclose()

    async def _api(self) -> Api:
        """The API with its access tokens. Nothing of it is asked here but where these are had."""
        async with self._opening:
            if self._signed is None:
                if self._options.login == "token":
                    headers = {"Authorization": self._secret.after("Bearer ")}
                    self._signed = Api(self._options.endpoint.rstrip("/"), headers, self._timeout)
                else:
                    at = self._options.uaa.rstrip("/") or uaa_address(self._options, await self.root())
                    tokens = self._login.tokens(at, self._account, self._timeout)
                    self._signed = BearerApi(self._options.endpoint.rstrip("/"), tokens, self._timeout)
            return self._signed

    async def _retried(self, read: Callable[[], Awaitable[_T]]) -> _T:
        return await retry_read(read, 2 * self._timeout)

    def _checked(self, answer: ApiAnswer) -> ApiAnswer:
        if answer.status < 400:
            return answer
        api = self._signed or self._plain
        try:
            said = api.words(api.decoded(answer.content, CfFaults).words)
        except Unreadable:
            said = ""
        if answer.status == 401 and self._options.login == "token" and (end := ends_at(self._secret)) is not None:
            said = f"{said or 'the token is refused'} (it says that it is good until {end:%Y-%m-%d %H:%M} UTC)"
        raise refusal(answer, f"{api.host}: {said}" if said else f"{api.host} answers {answer.status}", self._hints)


async def if_there(read: Awaitable[_T], otherwise: _T) -> _T:
    """What a part that not every Cloud Foundry has, or shows to every role, says; `otherwise` where it is not told."""
    try:
        return await read
    except (NotFound, PermissionDenied, Unsupported):
        return otherwise
