"""Calling dns-lexicon: each call on a daemon thread, with an end, without its logs, and with its errors in our words.

dns-lexicon (dns-lexicon.readthedocs.io) makes blocking requests without a time limit, repeats some of them by itself,
even writes, and follows redirects with whatever headers it has. While it works for Changeover, its requests end with
the call's own time, nothing is repeated, a redirect to another host is an error, and once the time is over no further
request is sent. That holds for what is sent with the library requests, as nearly all of its providers do; for the few
that bring their own (zeep, xmlrpc, dnspython), a call that was given up may still go on.

Its Client is not used: that looks up the list of public suffixes in the Internet, to guess the zone that Changeover
knows already. A provider that asks for that list gets the copy that tldextract brings. What a provider prints is
dropped, since standard output is for answers. Its configuration is given in memory: no environment variable and no
file of the working directory is read, as it would by default.

The threads are daemons, since one of an executor would be waited for when the program ends (see storage.secrets).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import json
import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus, urljoin, urlsplit

from changeover.dns.http.api import MOST_WORDS, Lost, Unreadable, retry_after
from changeover.model.errors import (
    AuthError,
    NotFound,
    PermissionDenied,
    ProviderError,
    RateLimited,
    Rejected,
    Unavailable,
)
from changeover.model.foreign_text import one_line
from changeover.model.secret import Secret

_T = TypeVar("_T")

#: These write addresses, headers and answers into their logs, in which a provider may have put the credential.
_TALKATIVE = (
    *("lexicon", "requests", "urllib3", "requests_oauthlib", "oauthlib", "zeep", "botocore", "oci", "softlayer"),
    "tldextract",
)
#: How dns-lexicon's providers say that an account does not have a zone: as an AuthenticationError, in many words.
_NO_ZONE = re.compile(
    r"(?i)(?=.*(domain|zone))(?=.*\b(no|not|unknown)\b)(?!.*(auth|credential|login|permission|401|403))"
)
_INSTALL = "Install it beside Changeover: pip install 'changeover[lexicon]'"


class _Call:
    """Until when a call may send requests, and whether it has begun to do what it was made for.

    It is doubtful where one of its requests had no answer, or one that leaves open what became of it: some providers of
    dns-lexicon go on after that, or say no.
    """

    def __init__(self, seconds: float) -> None:
        self._lock = threading.Lock()
        self._deadline = time.monotonic() + seconds
        self._given_up = False
        self.begun = False
        self.doubtful = False

    def begin(self) -> None:
        """Raises TimeoutError where nobody waits for it any more."""
        with self._lock:
            if self._given_up:
                raise TimeoutError
            self.begun = True

    def give_up(self) -> None:
        with self._lock:
            self._given_up = True

    def in_doubt(self) -> None:
        self.doubtful = self.begun

    @property
    def left(self) -> float:
        """Seconds."""
        return 0.0 if self._given_up else self._deadline - time.monotonic()


class _Here(threading.local):
    """The call that this thread is for; None in threads that are not dns-lexicon's."""

    call: _Call | None = None


_here = _Here()


class Bridge:
    """One account at one of dns-lexicon's providers. `auth` is a JSON object of its options that are secrets."""

    def __init__(self, account: str, via: str, more: Mapping[str, str], auth: Secret, timeout: float) -> None:
        self.label = f"{via.upper()} through dns-lexicon"
        self._account = account
        self._via = via
        self._more = more
        self._auth = auth
        self._timeout = timeout

    async def call(self, zone: str, work: Callable[[Any], _T], *, ttl: int | None = None, writes: bool = False) -> _T:
        """What `work` makes of dns-lexicon's provider, which is authenticated for `zone`.

        Where it `writes`, Lost says that it may have been made; after any other error, only a reading tells.
        """
        options = self._options()
        await asyncio.to_thread(_prepare)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_T] = loop.create_future()
        call = _Call(self._timeout)

        def settle(result: Any, error: ProviderError | None) -> None:
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)

        def on_thread() -> None:
            result, told = None, None
            _here.call = call
            try:
                result = self._carry_out(zone, work, options, ttl, call)
            except BaseException as error:  # noqa: BLE001  (providers raise what they like, and its text may hold the secret)
                told = self._told(error, zone, call.begun, writes)
            if writes and call.doubtful and (told is not None or result is False) and not isinstance(told, Lost):
                text = told.text if told is not None else f"{self.label} says no, without a reason"
                told = Lost(f"{text}; but one of its answers did not come, or was an error", _LOOK)
            with contextlib.suppress(RuntimeError):  # the loop may be closed by now
                loop.call_soon_threadsafe(settle, result, told)

        threading.Thread(target=on_thread, name="dns-lexicon", daemon=True).start()
        try:
            async with asyncio.timeout(self._timeout):
                return await future
        except TimeoutError:
            call.give_up()  # before it is asked whether it has begun
            raise self._silent(call.begun and writes) from None
        finally:
            call.give_up()

    def _carry_out(
        self, zone: str, work: Callable[[Any], _T], options: Mapping[str, str], ttl: int | None, call: _Call
    ) -> _T:
        from lexicon.config import ConfigResolver

        found: dict[str, Any] = {"provider_name": self._via, "domain": zone, self._via: {**self._more, **options}}
        config = ConfigResolver()  # type: ignore[no-untyped-call]
        provider = _provider_class(self._via)(config.with_dict(found | ({"ttl": ttl} if ttl else {})))
        try:
            provider.authenticate()
            call.begin()
            return work(provider)
        finally:
            with contextlib.suppress(Exception):
                provider.cleanup()

    def _options(self) -> dict[str, str]:
        """The secrets as dns-lexicon names them. AuthError, which repeats none of them, where they are not such."""
        try:
            found = json.loads(self._auth.reveal())
        except ValueError:
            found = None
        takes = ", ".join(declared(self._via) or ()) or "what its help says"
        hint = f'Send a JSON object of texts, such as {{"auth_token": "…"}}. {self._via} takes: {takes}'
        if not isinstance(found, dict) or not found or not all(isinstance(text, str) for text in found.values()):
            raise AuthError(f"The secret of account {self._account} is no JSON object of texts", hint)
        if not all(text and text.isprintable() for text in found.values() if not text.startswith("-----BEGIN")):
            raise AuthError(f"The secret of account {self._account} has a text that nobody could type", hint)
        surplus = [key for key in found if key not in (declared(self._via) or found)]
        if surplus:
            raise AuthError(f"The secret of account {self._account} has keys that {self._via} does not take", hint)
        return found

    def _silent(self, maybe: bool) -> ProviderError:
        said = f"{self.label} did not answer within {self._timeout:g} s"
        return Lost(said, _CONNECTION) if maybe else Unavailable(said, _CONNECTION)

    def _told(self, error: BaseException, zone: str, begun: bool, writes: bool) -> ProviderError:
        """What an exception of dns-lexicon, or of what it uses, means. Never raised from it: it may hold the secret."""
        import requests
        from lexicon.exceptions import AuthenticationError, ProviderNotAvailableError

        maybe = begun and writes
        if isinstance(error, requests.HTTPError) and error.response is not None:
            return self._refusal(error.response, zone, begun, maybe)
        said = f"{self.label} says to account {self._account}: {self._words(str(error)) or 'nothing more'}"
        if isinstance(error, AuthenticationError):
            if _NO_ZONE.match(str(error)):
                return NotFound(f"{self.label} shows no zone {zone}: {self._words(str(error))}", _ZONE)
            return AuthError(said, _CREDENTIAL)
        if isinstance(error, ImportError | ProviderNotAvailableError) and not maybe:
            return Rejected(f"dns-lexicon lacks what {self._via} needs", f"pip install 'dns-lexicon[{self._via}]'")
        if isinstance(error, requests.Timeout | TimeoutError):
            return self._silent(maybe)
        if isinstance(error, requests.exceptions.InvalidHeader):
            return AuthError(f"The secret of account {self._account} cannot be sent", _CREDENTIAL)
        if isinstance(error, requests.exceptions.TooManyRedirects):
            return Lost(said, _LOOK) if maybe else Rejected(said, _LOOK)
        if isinstance(error, LookupError | ValueError | TypeError | AttributeError | RecursionError):
            # What requests raises for JSON that is none is a ValueError as well.
            text = f"The answer of {self.label} could not be understood ({type(error).__name__})"
            return Lost(text, _LOOK) if maybe else Unreadable(text, _LOOK)
        if isinstance(error, requests.RequestException | OSError):
            text = f"The connection to {self.label} failed: {self._words(str(error))}"
            return Lost(text, _CONNECTION) if maybe else Unavailable(text, _CONNECTION)
        # It may be a refusal in words; it may as well be a bug, or an answer that is none, after the write.
        return Lost(said, _LOOK) if maybe else Rejected(said, _LOOK)

    def _refusal(self, response: Any, zone: str, begun: bool, maybe: bool) -> ProviderError:
        """By its status (RFC 9110, 15.5). Before it has begun, it is the credential that is refused."""
        status, words = response.status_code, self._words(response.text)
        said = f"{self.label} says to account {self._account}: {words or 'nothing more'} (status {status})"
        if status >= 500 or status == 408:
            return Lost(said, _LOOK) if maybe else Unavailable(said, _LOOK)
        if status == 401 or (status == 403 and not begun):
            return AuthError(said, _CREDENTIAL)
        if status == 403:
            return PermissionDenied(said, "Give the credential the right to change DNS records in this zone.")
        if status in (404, 410):
            return NotFound(f"{said}. Zone {zone}", _ZONE)
        if status == 429:
            return RateLimited(said, "Wait and try again.", retry_after(response.headers))
        return Rejected(said, _LOOK)

    def _words(self, text: str) -> str:
        """A provider's own words, fit to be shown: one line, not too long, and without any secret."""
        for secret in self._secret_texts():
            text = text.replace(secret, "…")
        return one_line(text, MOST_WORDS)

    def _secret_texts(self) -> list[str]:
        texts = [self._auth.reveal()]
        with contextlib.suppress(ValueError, AttributeError):
            texts += [text for text in json.loads(texts[0]).values() if isinstance(text, str) and len(text) >= 4]
        written = {form for text in texts for form in _written(text)}
        return sorted(written, key=len, reverse=True)


def _written(text: str) -> tuple[str, ...]:
    """The forms in which an address, a body or a message may repeat a text."""
    quoted = (
        quote(text),
        quote(text, safe=""),
        quote(text, safe=_UNQUOTED),
        quote_plus(text),
        quote_plus(text, safe="/"),
    )
    return (text, *quoted, repr(text)[1:-1], json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])


#: What requests leaves as it is in an address.
_UNQUOTED = "!#$%&'()*+,/:;=?@[]~"
_CREDENTIAL = "Look at the credential, and add it again with: changeover account add NAME … --replace"
_CONNECTION = "Check your connection, and the provider's status page."
_ZONE = "Look at the zone's name, and at which account the credential belongs to."
_LOOK = "Look at the records at the provider; dns-lexicon.readthedocs.io says what its provider takes."


def installed() -> dict[str, bool] | None:
    """dns-lexicon's own list of its providers, and whether each has what it needs. None where it is not installed."""
    try:
        from lexicon._private.discovery import find_providers
    except ImportError:
        return None
    return find_providers()


@functools.cache
def declared(via: str) -> tuple[str, ...] | None:
    """The options that dns-lexicon's provider takes, secrets among them. None where that cannot be known."""
    try:
        parser = argparse.ArgumentParser(add_help=False)
        _provider_class(via).configure_parser(parser)
    except Exception:  # noqa: BLE001  (it may lack a library, or dns-lexicon be another version)
        return None
    return tuple(action.dest for action in parser._actions)


def _provider_class(via: str) -> Any:
    # Its Client is the public way to a provider, and no way here (see above).
    from lexicon._private.discovery import load_provider_module

    module = load_provider_module(via)
    vars(module)["print"] = _say_nothing
    if "tldextract" in vars(module):
        vars(module)["tldextract"] = SimpleNamespace(extract=_suffixes())
    return module.Provider


def _say_nothing(*_: object, **__: object) -> None:
    pass


@functools.cache
def _suffixes() -> Any:
    """What tldextract.extract is, without its requests, and without its files."""
    import tldextract

    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


@functools.cache
def _prepare() -> None:
    """Before the first call: imports, silence, and limits. Rejected where dns-lexicon is not installed."""
    if installed() is None:
        raise Rejected("dns-lexicon is not installed on this computer", _INSTALL)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    _limit_requests()


def _limit_requests() -> None:
    """Requests of dns-lexicon's threads end in time, are made once, and stay with their host. No others are touched."""
    from requests import Timeout
    from requests.adapters import HTTPAdapter
    from requests.exceptions import TooManyRedirects
    from urllib3.util.retry import Retry

    send = HTTPAdapter.send

    @functools.wraps(send)
    def limited(adapter: Any, request: Any, *arguments: Any, **named: Any) -> Any:
        if _here.call is None:
            return send(adapter, request, *arguments, **named)
        left = _here.call.left
        if left <= 0:
            raise Timeout("the time is over")
        adapter.max_retries = Retry(0, read=False)
        wanted = named.get("timeout")
        named["timeout"] = min(wanted, left) if isinstance(wanted, int | float) else left
        try:
            response = send(adapter, request, *arguments, **named)
        except BaseException:
            _here.call.in_doubt()
            raise
        if response.status_code >= 500 or response.status_code == 408:
            _here.call.in_doubt()
        if response.is_redirect:
            there = urljoin(request.url, response.headers["location"])
            if urlsplit(there)[:2] != urlsplit(request.url)[:2]:
                raise TooManyRedirects("it redirects to another address")
        return response

    setattr(HTTPAdapter, "send", limited)  # noqa: B010  (mypy takes it for a mistake)
