"""Reading platforms' status pages, within seconds and without believing them."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from changeover.health.http.request import Limits, Request, endpoint_of, exchange, path_of
from changeover.health.unforeseen import guarded
from changeover.model.errors import Unavailable
from changeover.model.health.status_page import ALSO, StatusPage, status_page, worse
from changeover.model.settings.service import Service

if TYPE_CHECKING:
    from changeover.dns.lookup.client import Lookup

#: Seconds for one page, the look-up of its name included.
TIMEOUT = 3.0


async def status_pages(service: Service, lookup: Lookup) -> tuple[StatusPage, ...]:
    """The status page of each deployment that has one, all at once. Never raises for what the net does."""
    wanted = [(d.name, d.status_page) for d in service.deployments if d.status_page is not None]

    async def one(deployment: str, url: str) -> StatusPage:
        def unread(why: str) -> StatusPage:
            return StatusPage(deployment=deployment, url=url, ok=None, text=f"its status page is not known: {why}")

        # At the same time: when a page does not answer, nobody has time for a second one.
        asked = (url, ALSO[url]) if url in ALSO else (url,)
        what = f"the status page of {deployment}"
        pages = await asyncio.gather(*(guarded(what, _read(deployment, at, lookup), unread) for at in asked))
        return functools.reduce(worse, pages)

    return tuple(await asyncio.gather(*(one(name, url) for name, url in wanted)))


async def _read(deployment: str, url: str, lookup: Lookup) -> StatusPage:
    parts = urlsplit(url)
    try:
        async with asyncio.timeout(TIMEOUT):
            addresses = await lookup.addresses(parts.hostname or "")
            if not addresses:
                why = "its name has no address"
            else:
                request = Request(path=path_of(parts), headers=(("Accept", "application/json"),))
                found = await exchange(endpoint_of(parts, addresses[0]), request, Limits(whole=TIMEOUT))
                if found.response is not None and found.response.status == 200:
                    return status_page(deployment, url, found.response.body)
                why = found.reason if found.response is None else f"it answers {found.response.status}"
    except Unavailable as error:
        why = error.text
    except TimeoutError:
        why = f"no answer within {TIMEOUT:g} s"
    return StatusPage(deployment=deployment, url=url, ok=None, text=f"its status page does not answer: {why}")
