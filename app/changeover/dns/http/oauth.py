"""Access tokens by OAuth 2.0 (RFC 6749), for APIs that take no lasting credential.

A token is asked for when it is first needed, at its own endpoint, and kept in memory until shortly before its end.
What proves who asks (a client secret, a signed assertion) goes to that endpoint and nowhere else; the token goes to
the API and nowhere else. Neither shows in an error or a log.

A token that could not be had means that the API was not asked: whatever goes wrong there has changed nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from changeover.dns.http.api import CHECK_ENDPOINT, Api, ApiAnswer, Fields, Hints, Lost, Unreadable, refusal
from changeover.model.errors import AuthError, ProviderError, Unavailable
from changeover.model.secret import Secret

#: Seconds before its end from when a token is not used any more.
MARGIN = 120.0
#: A token without an end is kept for so long; it is only recommended that the answer says it (RFC 6749, 5.1).
_USUAL = 300
#: Nobody's token is used longer than this, whatever the answer says.
_LONGEST = 86400.0


class _Token(Struct, frozen=True):
    """RFC 6749, 5.1. Microsoft's first version writes the seconds as a text."""

    access_token: Annotated[str, Meta(pattern=r"\A[!-~]{1,16384}\Z")]
    token_type: Annotated[str, Meta(pattern=r"\A[Bb]earer\Z")]
    expires_in: Annotated[int, Meta(ge=0)] | Annotated[str, Meta(pattern=r"\A\d{1,9}\Z")] = _USUAL
    refresh_token: Annotated[str, Meta(pattern=r"\A[!-~]{1,16384}\Z")] | None = None


class _Fault(Struct, frozen=True):
    """RFC 6749, 5.2."""

    error: str
    error_description: str = ""


class AccessTokens:
    """The tokens of one account.

    `endpoint` is the whole address. `grant` gives the fields of the request, anew for each; `secrets` are what it is
    made with, `headers` go with it. `who` is told in errors ("Google"), `hint` says what to do about a credential that
    is refused. `refresh` is the last refresh token that came with one (RFC 6749, 6), for grants that use it.
    """

    def __init__(
        self,
        endpoint: str,
        grant: Callable[[], Fields],
        timeout: float,
        *,
        account: str,
        who: str,
        hint: str,
        secrets: Sequence[Secret] = (),
        headers: Fields | None = None,
    ) -> None:
        parts = urlsplit(endpoint)
        self._api = Api(f"{parts.scheme}://{parts.netloc}", headers or {}, timeout, secrets=secrets)
        self._path = parts.path
        self._grant = grant
        self._account = account
        self._who = who
        self._hint = hint
        self._token: Secret | None = None
        self.refresh: Secret | None = None
        self._until = 0.0
        self._asking = asyncio.Lock()

    async def current(self, refused: Secret | None = None) -> Secret:
        """A token that is good for a while, and another than the `refused` one."""
        async with self._asking:
            if self._token is None or self._token == refused or time.monotonic() >= self._until:
                self._token = None
                self._token = await self._ask()
            return self._token

    @property
    def kept(self) -> Secret | None:
        """The token that was had before."""
        return self._token

    def words(self, text: str) -> str:
        """A provider's own words, fit to be shown, without the tokens and without what they are had for."""
        for kept in (self._token, self.refresh):
            text = text.replace(kept.reveal(), "…") if kept is not None else text
        return self._api.words(text)

    async def _ask(self) -> Secret:
        began = time.monotonic()
        try:
            answer = await self._api.call("POST", self._path, form=self._grant())
            if answer.status >= 300:
                raise self._refusal(answer)
            token = self._api.decoded(answer.content, _Token)
        except Lost as error:
            # The API itself was not asked yet.
            raise Unavailable(error.text, error.hint) from None
        self._until = began + min(float(token.expires_in), _LONGEST) - MARGIN
        if token.refresh_token is not None:
            self.refresh = Secret(token.refresh_token)
        return Secret(token.access_token)

    def _refusal(self, answer: ApiAnswer) -> ProviderError:
        try:
            fault = self._api.decoded(answer.content, _Fault)
            words = self.words(fault.error_description or fault.error)
        except Unreadable:
            words = "nothing more"
        said = f"{self._who} gives account {self._account} no access token: {words} (status {answer.status})"
        if answer.status in (400, 401, 403):
            return AuthError(said, self._hint)
        hints = Hints(credential=self._hint, permission=self._hint, missing=CHECK_ENDPOINT, refused=CHECK_ENDPOINT)
        return refusal(answer, said, hints)

    async def aclose(self) -> None:
        await self._api.aclose()


class BearerApi(Api):
    """An API that wants an access token with each request (RFC 6750).

    A token that is refused before its end, as after a computer's sleep or a change of keys, is replaced once: with the
    answer 401 the request was not carried out.
    """

    def __init__(self, endpoint: str, tokens: AccessTokens, timeout: float) -> None:
        super().__init__(endpoint, {}, timeout)
        self._tokens = tokens

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
        async def once(token: Secret) -> ApiAnswer:
            signed = {**(headers or {}), "Authorization": token.after("Bearer ")}
            return await super(BearerApi, self).call(
                method, path, params, body, headers=signed, content=content, form=form
            )

        kept = self._tokens.kept
        token = await self._tokens.current()
        answer = await once(token)
        if answer.status == 401 and token == kept:
            answer = await once(await self._tokens.current(refused=token))
        return answer

    def words(self, text: str) -> str:
        return self._tokens.words(text)

    async def aclose(self) -> None:
        await self._tokens.aclose()
        await super().aclose()
