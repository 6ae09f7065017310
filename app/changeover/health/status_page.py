"""Reading platforms' status pages, within seconds and without believing them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from changeover.health.http.fetch import FAULTS, TIMEOUT, fault_words, fetch
from changeover.model.errors import Unavailable
from changeover.model.health.status_page import StatusPage, status_page
from changeover.model.settings.service import Service

if TYPE_CHECKING:
    from changeover.dns.lookup.client import Lookup


async def status_pages(service: Service, lookup: Lookup) -> tuple[StatusPage, ...]:
    """The status page of each deployment that has one, all at once. Never raises for what the net does."""
    wanted = [(d.name, d.status_page) for d in service.deployments if d.status_page is not None]
    return tuple(await asyncio.gather(*(_read(name, url, lookup) for name, url in wanted)))


async def _read(deployment: str, url: str, lookup: Lookup) -> StatusPage:
    parts = urlsplit(url)
    try:
        async with asyncio.timeout(TIMEOUT):
            addresses = await lookup.addresses(parts.hostname or "")
            if not addresses:
                why = "its name has no address"
            else:
                page = await fetch(parts, addresses[0], headers=[("Accept", "application/json")])
                if page.status == 200:
                    return status_page(deployment, url, page.body)
                why = f"it answers {page.status}"
    except Unavailable as error:
        why = error.text
    except FAULTS as error:
        why = fault_words(error, TIMEOUT)
    return StatusPage(deployment=deployment, url=url, ok=None, text=f"its status page does not answer: {why}")
