"""Is it me? Asks everybody who knows whether this computer is online, all at once, within a few seconds."""

from __future__ import annotations

import asyncio
import ssl
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Literal, NamedTuple
from urllib.parse import SplitResult, urlsplit

from changeover.health.connectivity.gateway import gateway_evidence
from changeover.health.connectivity.interfaces import source_address, source_addresses
from changeover.health.connectivity.names import Names, unread
from changeover.health.http.request import Exchange, Limits, Request, endpoint_of, exchange, path_of
from changeover.health.unforeseen import guarded
from changeover.model.dns.server_address import is_address
from changeover.model.health.conditions import Response, seconds_told
from changeover.model.health.connectivity import GATEWAY, Connection, Evidence, judge
from changeover.model.settings.service import LookupSettings

#: Seconds for a whole question to one witness, from the look-up of its name to the end of its answer.
TIMEOUT = 3.0
#: What a portal check's address answers where nobody stands in between.
_NOBODY_BETWEEN = 204


async def look_around(
    settings: LookupSettings, *, tls: ssl.SSLContext | None = None, timeout: float = TIMEOUT
) -> Connection:
    """This computer's connection now. Never raises for what the net does; without witnesses, asks nobody at all.

    `timeout` is in seconds, for everything: whoever has not answered by then does not. `tls` stands in for the
    system's certificates.
    """
    if not settings.witnesses:
        return judge((), datetime.now(UTC))
    async with asyncio.TaskGroup() as group:
        names = Names(settings, group, tls, timeout)
        asking = [group.create_task(_witness(entry, names, tls, timeout)) for entry in settings.witnesses]
        if settings.portal is not None:
            asking.append(group.create_task(_portal(settings.portal, names, tls, timeout)))
        if (name := _checked_name(settings)) is not None:
            asking += names.by_resolvers(name) + names.by_doh(name)
    return judge([*_interfaces(settings), *(task.result() for task in asking)], datetime.now(UTC))


def _checked_name(settings: LookupSettings) -> str | None:
    """The name that resolvers are compared by: that of the first https witness that has one."""
    hosts = (urlsplit(entry).hostname for entry in settings.witnesses if entry.startswith("https://"))
    return next((host for host in hosts if host and host != "localhost" and not is_address(host)), None)


async def _witness(entry: str, names: Names, tls: ssl.SSLContext | None, timeout: float) -> Evidence:
    return await guarded(f"the witness {entry}", _ask(entry, names, tls, timeout), partial(unread, _kind(entry), entry))


async def _portal(url: str, names: Names, tls: ssl.SSLContext | None, timeout: float) -> Evidence:
    return await guarded(f"what {url} answers", _ask_portal(url, names, tls, timeout), partial(unread, "portal", url))


def _kind(entry: str) -> Literal["gateway", "tcp", "https"]:
    """Plain http proves no more than that somebody takes connections."""
    return "gateway" if entry == GATEWAY else "https" if entry.startswith("https:") else "tcp"


async def _ask(entry: str, names: Names, tls: ssl.SSLContext | None, timeout: float) -> Evidence:
    if entry == GATEWAY:
        return await gateway_evidence(timeout)
    url = urlsplit(entry)
    kind = _kind(entry)
    said = await _asked(url, names, tls, timeout)
    if isinstance(said, _Answer):
        return Evidence(kind=kind, witness=entry, ok=True, text=said.text, ahead=said.ahead)
    host = url.hostname or ""
    if is_address(host) and source_address(host) is None:
        return Evidence(kind=kind, witness=entry, ok=None, text="no network leads there")
    return Evidence(kind=kind, witness=entry, ok=False, text=said)


class _Answer(NamedTuple):
    """A response, or a connection where no more was asked for. `ahead` is as in Evidence."""

    text: str
    response: Response | None = None
    ahead: float | None = None


async def _asked(url: SplitResult, names: Names, tls: ssl.SSLContext | None, timeout: float) -> _Answer | str:
    """The answer, or why there is none. A resolver may lie about a name; only the right server has its certificate."""
    said = "its name has no address"
    request = None if url.scheme == "tcp" else Request(path=path_of(url))
    try:
        async with asyncio.timeout(timeout):
            async for address in names.addresses(url.hostname or "", doh=url.scheme == "https"):
                began = time.time()
                found = await exchange(endpoint_of(url, address, tls=tls), request, Limits(whole=timeout))
                if found.ok:
                    return _answer(found, began)
                said = _why(found)
    except TimeoutError:
        return f"no answer within {timeout:g} s"
    return said


def _answer(found: Exchange, began: float) -> _Answer:
    milliseconds = round((found.phases.total or 0) * 1000)
    if found.response is None:
        return _Answer(f"takes a connection in {milliseconds} ms")
    asked = found.phases.tls or found.phases.connect or 0
    answered = found.phases.first_byte or asked
    text = f"{found.response.status} in {milliseconds} ms"
    return _Answer(text, found.response, _ahead(found.response, began + (asked + answered) / 2))


def _why(found: Exchange) -> str:
    """Why there is no answer. A certificate that is out of its time is more often this computer's own fault."""
    shown, now = found.certificate, datetime.now(UTC)
    out_of_time = found.certificate_error is not None and shown and not shown.issued <= now < shown.expires
    return f"{found.reason}; is this computer's clock right?" if out_of_time else found.reason


def _ahead(response: Response, now: float) -> float | None:
    """`now` less the moment that Date and Age tell (RFC 9110, 6.6.1; RFC 9111, 5.1). Date leaves out half a second."""
    age = seconds_told(response.header("age") or "0")
    try:
        told = parsedate_to_datetime(response.header("date") or "")
        then = (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
    return None if age is None else now - then - age - 0.5


async def _ask_portal(text: str, names: Names, tls: ssl.SSLContext | None, timeout: float) -> Evidence:
    said = await _asked(urlsplit(text), names, tls, timeout)
    if isinstance(said, str) or said.response is None:
        return Evidence(kind="portal", witness=text, ok=None, text=str(said))
    status, where = said.response.status, said.response.header("location")
    if status == _NOBODY_BETWEEN:
        return Evidence(kind="portal", witness=text, ok=True, text=said.text, ahead=said.ahead)
    leads = f", which leads to {where[:200]}" if where is not None else ""
    return Evidence(kind="portal", witness=text, ok=False, text=f"{status} instead of {_NOBODY_BETWEEN}{leads}")


def _interfaces(settings: LookupSettings) -> list[Evidence]:
    """Does any network lead to those who were asked? Nothing is said where all of them are names."""
    hosts = [urlsplit(entry).hostname or "" for entry in settings.witnesses if entry != GATEWAY]
    known = [host for host in hosts if is_address(host)]
    if not known:
        return []
    sources = source_addresses(known)
    if not sources:
        return [Evidence(kind="interface", witness="network", ok=False, text="no network leads to any witness")]
    return [Evidence(kind="interface", witness=a, ok=True, text=f"sends from {a}") for a in sorted(sources)]
