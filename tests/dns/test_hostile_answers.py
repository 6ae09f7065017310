"""Whatever an API answers, it becomes a result or an error for people, and the credential goes nowhere else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from changeover.dns.provider import Applied, Indeterminate, PreconditionFailed, RecordsRead
from changeover.model.dns.change import Change
from changeover.model.dns.records import address_set, record_set
from changeover.model.errors import ProviderError
from dns_servers.cloudflare_simulator import CloudflareSimulator
from dns_servers.ground import ZONE_NAME, HttpGround
from dns_servers.grounds import HTTP_GROUNDS
from dns_servers.hostile import hostile
from dns_servers.http_simulator import Answer

NAMES = ["www.shop.example", "api.shop.example"]


@pytest.fixture
def elsewhere() -> Iterator[CloudflareSimulator]:
    """Another host. What it is does not matter: nobody asks it."""
    with CloudflareSimulator() as other:
        yield other


@pytest.fixture(params=HTTP_GROUNDS)
async def ground(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[HttpGround]:
    with HTTP_GROUNDS[request.param](tmp_path) as running:
        # A write that a hostile answer says was made is never seen; how long one waits for it is tested elsewhere.
        running.provider.capabilities = replace(running.provider.capabilities, lag=None)
        yield running
        await running.provider.aclose()


async def _try(ground: HttpGround, other: CloudflareSimulator, seeds: range) -> None:
    records = (await ground.provider.read(ZONE_NAME, NAMES)).records
    honest = ground.behind.answers[-1]
    zone = ground.records()
    before = address_set(records[NAMES[0]])
    after = (record_set(NAMES[0], "A", 60, ["198.51.100.1"]),)
    change = Change(account="dns-main", zone=ZONE_NAME, name=NAMES[0], before=before, after=after)
    for seed in seeds:
        answer = hostile(seed, honest, other.endpoint, ground.secret)
        reading = await _outcome(ground, answer, change, writes=False)
        assert isinstance(reading, ProviderError | RecordsRead), seed
        written = await _outcome(ground, answer, change, writes=True)
        assert isinstance(written, ProviderError | Indeterminate | PreconditionFailed | Applied), seed
        assert not isinstance(written, Applied) or answer.status < 300, seed
    assert not other.requests
    assert ground.records() == zone


async def _outcome(ground: HttpGround, answer: Answer, change: Change, writes: bool) -> object:
    """What reading or writing comes to where that answer is given. An error is fit for people and tells no secret."""
    ground.behind.forget_misbehaviour()
    ground.behind.misbehave(
        "answer", writes_only=writes, times=3, status=answer.status, headers=answer.headers, body=answer.content
    )
    try:
        if writes:
            return await ground.provider.apply(ZONE_NAME, [change])
        return await ground.provider.read(ZONE_NAME, NAMES)
    except ProviderError as error:
        assert ground.secret not in f"{error.text} {error.hint}"
        assert error.text.isprintable()
        assert len(error.text) < 1000
        return error


async def test_some_hostile_answers(ground: HttpGround, elsewhere: CloudflareSimulator) -> None:
    """A small part of the long test."""
    await _try(ground, elsewhere, range(12))


@pytest.mark.long
async def test_two_thousand_hostile_answers(ground: HttpGround, elsewhere: CloudflareSimulator) -> None:
    """Wrong types, cut, deep, HTML, other encodings, redirects, endless pages, and the credential sent back."""
    await _try(ground, elsewhere, range(2000))
