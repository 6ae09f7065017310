"""Is it me? Asks everybody who knows whether this computer is online, all at once, within a few seconds."""

from __future__ import annotations

import asyncio
import ssl
import time
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from changeover.health.connectivity.gateway import gateway_evidence
from changeover.health.connectivity.interfaces import source_address, source_addresses
from changeover.health.connectivity.names import Names
from changeover.health.http.fetch import FAULTS, TIMEOUT, FetchedPage, connected, fault_words, fetch
from changeover.model.dns.server_address import is_address
from changeover.model.health.connectivity import GATEWAY, Connection, Evidence, judge
from changeover.model.settings.service import LookupSettings

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
        asking = [group.create_task(_ask(entry, names, tls, timeout)) for entry in settings.witnesses]
        if settings.portal is not None:
            asking.append(group.create_task(_ask_portal(settings.portal, names, tls, timeout)))
        if (name := _checked_name(settings)) is not None:
            asking += names.by_resolvers(name) + names.by_doh(name)
    return judge([*_interfaces(settings), *(task.result() for task in asking)], datetime.now(UTC))


def _checked_name(settings: LookupSettings) -> str | None:
    """The name that resolvers are compared by: that of the first https witness that has one."""
    hosts = (urlsplit(entry).hostname for entry in settings.witnesses if entry.startswith("https://"))
    return next((host for host in hosts if host and host != "localhost" and not is_address(host)), None)


async def _ask(entry: str, names: Names, tls: ssl.SSLContext | None, timeout: float) -> Evidence:
    if entry == GATEWAY:
        return await gateway_evidence(timeout)
    url = urlsplit(entry)
    # Plain http proves no more than that somebody takes connections.
    kind: Literal["tcp", "https"] = "https" if url.scheme == "https" else "tcp"
    try:
        async with asyncio.timeout(timeout):
            said = await (_connect(url, names, timeout) if url.scheme == "tcp" else _get(url, names, tls, timeout))
    except TimeoutError as error:
        said = fault_words(error, timeout)
    if isinstance(said, FetchedPage):
        return Evidence(kind=kind, witness=entry, ok=True, text=said.text, ahead=said.ahead)
    if isinstance(said, float):
        return Evidence(kind=kind, witness=entry, ok=True, text=f"takes a connection in {round(said * 1000)} ms")
    host = url.hostname or ""
    if is_address(host) and source_address(host) is None:
        return Evidence(kind=kind, witness=entry, ok=None, text="no network leads there")
    return Evidence(kind=kind, witness=entry, ok=False, text=said)


async def _connect(url: SplitResult, names: Names, timeout: float) -> float | str:
    """The seconds that a connection took, or why there is none."""
    said = "its name has no address"
    async for address in names.addresses(url.hostname or ""):
        started = time.monotonic()
        try:
            (await connected(address, url.port or 443)).close()
        except OSError as error:
            said = fault_words(error, timeout)
        else:
            return time.monotonic() - started
    return said


async def _get(url: SplitResult, names: Names, tls: ssl.SSLContext | None, timeout: float) -> FetchedPage | str:
    """The answer, or why there is none. A resolver may lie about a name; only the right server has its certificate."""
    said = "its name has no address"
    async for address in names.addresses(url.hostname or "", doh=url.scheme == "https"):
        try:
            return await fetch(url, address, tls)
        except FAULTS as error:
            said = fault_words(error, timeout)
    return said


async def _ask_portal(text: str, names: Names, tls: ssl.SSLContext | None, timeout: float) -> Evidence:
    try:
        async with asyncio.timeout(timeout):
            page = await _get(urlsplit(text), names, tls, timeout)
    except TimeoutError as error:
        page = fault_words(error, timeout)
    if isinstance(page, str):
        return Evidence(kind="portal", witness=text, ok=None, text=page)
    if page.status == _NOBODY_BETWEEN:
        return Evidence(kind="portal", witness=text, ok=True, text=page.text, ahead=page.ahead)
    leads = f", which leads to {page.headers['location'][:200]}" if "location" in page.headers else ""
    return Evidence(kind="portal", witness=text, ok=False, text=f"{page.status} instead of {_NOBODY_BETWEEN}{leads}")


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
