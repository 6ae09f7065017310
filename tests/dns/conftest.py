from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from dns_servers.bind import Bind
from dns_servers.ground import Ground, skip_left_out
from dns_servers.grounds import GROUNDS


@pytest.fixture(params=GROUNDS)
async def ground(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ground]:
    """Each provider in turn, with a server and a zone behind it. A case that it is left out of says why."""
    skip_left_out(GROUNDS[request.param], request)
    with GROUNDS[request.param](tmp_path) as running:
        yield running
        await running.provider.aclose()


@pytest.fixture
def bind(tmp_path: Path) -> Iterator[Bind]:
    with Bind(tmp_path) as running:
        yield running
