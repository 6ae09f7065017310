from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from dns_servers.bind import Bind
from dns_servers.ground import Ground, skip_left_out
from dns_servers.grounds import GROUNDS

#: One provider for each way of writing: dynamic updates, whole batches, batches that the provider itself compares,
#: and record by record.
REPRESENTATIVES = ("rfc2136", "cloudflare", "route53", "vultr")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What code decides that providers share (mark `shared_code`) is tried on REPRESENTATIVES.

    All others are tried with the cases that the mark names, which show that they go through that code, and with every
    case in `make long`.
    """
    for item in items:
        mark = item.get_closest_marker("shared_code")
        if mark is not None and isinstance(item, pytest.Function):
            case = item.callspec
            first = any(name in case.params.values() for name in REPRESENTATIVES)
            if not first and not any(thin in case.id for thin in mark.args):
                item.add_marker(pytest.mark.long)


@pytest.fixture(params=GROUNDS)
async def ground(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ground]:
    """Each provider in turn, with a server and a zone behind it. A case that it is left out of says why."""
    skip_left_out(GROUNDS[request.param], request)
    with GROUNDS[request.param](tmp_path) as running:
        assert running.native == running.provider.capabilities.native_compare_and_set
        yield running
        await running.provider.aclose()


@pytest.fixture
def bind(tmp_path: Path) -> Iterator[Bind]:
    with Bind(tmp_path) as running:
        yield running
