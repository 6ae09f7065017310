from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from changeover.dns.provider import Provider
from dns_servers.http_simulator import HttpSimulator


@pytest.fixture
async def provider(request: pytest.FixtureRequest, simulator: HttpSimulator) -> AsyncIterator[Provider]:
    """The account that the module's `opened` gives on its simulator."""
    running: Provider = request.module.opened(simulator)
    yield running
    await running.aclose()
