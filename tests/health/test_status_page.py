"""Reading status pages over the net: within seconds, and silence is not green."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from changeover.dns.lookup.client import Lookup
from changeover.health.status_page import status_pages
from changeover.model.health.status_page import ALSO
from changeover.model.settings.service import LookupSettings, Service
from health.connectivity.servers import saying, silence, web
from model.snapshots import service

LOOKUP = Lookup(LookupSettings(resolvers=(), witnesses=(), doh=(), portal=None))


def with_page(url: str) -> Service:
    primary, backup = service().deployments
    return replace(service(), deployments=(replace(primary, status_page=url), backup))


async def test_a_page_is_read() -> None:
    """By its own words."""
    body = b'{"status": {"indicator": "minor", "description": "Slow builds"}}'
    async with web(saying(200, body=body)) as server:
        (page,) = await status_pages(with_page(f"http://127.0.0.1:{server.port}/api/v2/status.json"), LOOKUP)
    assert (page.deployment, page.ok, page.text) == ("primary", False, "its status page reports: Slow builds")


async def test_silence_redirects_and_refusals_are_not_green() -> None:
    """Nothing is known then."""
    async with web(silence) as quiet, web(saying(302, "Location: http://127.0.0.1/")) as elsewhere:
        for port, words in ((quiet.port, "no answer within"), (elsewhere.port, "it answers 302")):
            (page,) = await status_pages(with_page(f"http://127.0.0.1:{port}/"), LOOKUP)
            assert (page.ok, words in page.text) == (None, True), page.text


async def test_where_one_of_two_pages_is_silent_the_other_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Heroku's page and Salesforce Trust, which takes its place."""
    body = b'[{"key": "HEROKU", "status": "MINOR_INCIDENT_CORE"}]'
    async with web(silence) as quiet, web(saying(200, body=body)) as trust:
        first, second = (f"http://127.0.0.1:{server.port}/status" for server in (quiet, trust))
        monkeypatch.setitem(ALSO, first, second)
        (page,) = await status_pages(with_page(first), LOOKUP)
    assert (page.url, page.ok, "minor incident core" in page.text) == (second, False, True)
