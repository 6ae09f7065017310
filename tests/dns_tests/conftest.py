from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest

from dns_servers.bind import Bind
from dns_servers.ground import Ground
from dns_servers.grounds import GROUNDS


@pytest.fixture(params=GROUNDS)
async def ground(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ground]:
    """Each provider in turn, with a server and a zone behind it. A case that it is left out of says why."""
    left_out: Mapping[str, str] = getattr(GROUNDS[request.param], "left_out", {})
    case = request.node.originalname
    for key, reason in left_out.items():
        function, _, part = key.removesuffix("]").partition("[")
        if function in (case, f"{getattr(request.node.cls, '__name__', '')}::{case}") and part in request.node.name:
            pytest.skip(reason)
    with GROUNDS[request.param](tmp_path) as running:
        yield running
        await running.provider.aclose()


@pytest.fixture
def bind(tmp_path: Path) -> Iterator[Bind]:
    with Bind(tmp_path) as running:
        yield running
