"""Providers whose readings are behind their writes: what an account wrote itself is never taken for somebody else's.

The simulators show what stood before a write for a while (dns_servers.http_simulator), PowerDNS through a relay that
does. dns-lexicon looks itself, after each write, at what became of it.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from changeover.dns.provider import Applied, Guard, PreconditionFailed, Provider
from changeover.model.dns.capabilities import Lag
from changeover.model.dns.change import Change
from changeover.model.dns.records import address_set, record_set
from dns_servers.ground import ZONE_NAME, HttpGround
from dns_servers.grounds import HTTP_GROUNDS

NAME, SIGN = "mail.shop.example", "_changeover.shop.example"
BEHIND = [name for name in HTTP_GROUNDS if name != "lexicon"]
LEASES = [name for name in BEHIND if name in ("azure", "cloudflare", "google", "route53")]
#: Seconds for which readings are old here.
LAG = 1.5


@pytest.fixture
async def ground(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[HttpGround]:
    with HTTP_GROUNDS[request.param](tmp_path) as running:
        yield running
        await running.provider.aclose()


async def planned(provider: Provider, *addresses: str) -> Change:
    """Another address set for NAME."""
    before = address_set((await provider.read(ZONE_NAME, [NAME])).records[NAME])
    after = provider.normalize(ZONE_NAME, before, (record_set(NAME, "A", before[0].ttl, addresses),))
    return Change(account="dns-main", zone=ZONE_NAME, name=NAME, before=before, after=after)


def lags(ground: HttpGround) -> None:
    ground.behind.lag = LAG


@pytest.mark.parametrize("ground", BEHIND, indirect=True)
async def test_an_undo_right_after_works(ground: HttpGround) -> None:
    """Read back at once, the records are as before; the account knows better, and what it undoes is what it wrote."""
    provider, start = ground.provider, ground.records()
    change = await planned(provider, "198.51.100.1", "198.51.100.2")
    lags(ground)
    assert await provider.apply(ZONE_NAME, [change]) == Applied()
    old = await provider.read_back(ZONE_NAME, [change])
    assert address_set((await provider.read(ZONE_NAME, [NAME])).records[NAME]) == change.after
    assert await provider.apply(ZONE_NAME, [change.inverse]) == Applied()
    assert ground.records() == start
    assert old[NAME] in (change.before, change.after)
    assert provider.capabilities.lag is not None


@pytest.mark.parametrize("ground", BEHIND, indirect=True)
async def test_it_does_lag_here(ground: HttpGround) -> None:
    """Else the other tests would show nothing."""
    change = await planned(ground.provider, "198.51.100.1")
    lags(ground)
    assert await ground.provider.apply(ZONE_NAME, [change]) == Applied()
    assert await ground.provider.read_back(ZONE_NAME, [change]) == {NAME: change.before}


@pytest.mark.parametrize("ground", BEHIND, indirect=True)
async def test_somebody_else_s_change_is_seen_all_the_same(ground: HttpGround) -> None:
    """What readings do not show yet is not overwritten: the account waits for them, or the provider compares."""
    provider = ground.provider
    change = await planned(provider, "198.51.100.1")
    lags(ground)
    assert await provider.apply(ZONE_NAME, [change]) == Applied()
    ground.remove(NAME, "A")
    ground.add(NAME, change.after[0].ttl, "A", "203.0.113.99")
    zone = ground.records()
    assert isinstance(await provider.apply(ZONE_NAME, [change.inverse]), PreconditionFailed)
    assert ground.records() == zone


@pytest.mark.parametrize("ground", LEASES, indirect=True)
async def test_a_lease_that_was_just_written_guards_a_write(ground: HttpGround) -> None:
    """It is not refused because of its own lease, and is renewed and removed although readings are old."""
    provider, start = ground.provider, ground.records()
    change = await planned(provider, "198.51.100.1")
    first, second = "changeover-lease v1 one", "changeover-lease v1 two"
    lags(ground)
    assert await provider.swap_txt(ZONE_NAME, SIGN, None, first) == Applied()
    assert await provider.apply(ZONE_NAME, [change], Guard(SIGN, first)) == Applied()
    assert await provider.swap_txt(ZONE_NAME, SIGN, first, second) == Applied()
    assert await provider.apply(ZONE_NAME, [change.inverse], Guard(SIGN, second)) == Applied()
    assert await provider.swap_txt(ZONE_NAME, SIGN, second, None) == Applied()
    assert ground.records() == start


@pytest.mark.parametrize("ground", ["vultr"], indirect=True)
async def test_what_was_written_is_remembered_for_as_long_as_it_lags(ground: HttpGround) -> None:
    """Afterwards a reading is the truth again: whoever brought back what stood before is not overruled."""
    provider = ground.provider
    assert provider.capabilities.lag is not None
    provider.capabilities = replace(provider.capabilities, lag=Lag(LAG, provider.capabilities.lag.call))
    change = await planned(provider, "198.51.100.1")
    lags(ground)
    assert await provider.apply(ZONE_NAME, [change]) == Applied()
    began = time.monotonic()
    ground.remove(NAME, "A")
    ground.add(NAME, change.before[0].ttl, "A", change.before[0].values[0])
    assert isinstance(await provider.apply(ZONE_NAME, [change.inverse]), PreconditionFailed)
    assert time.monotonic() - began >= LAG - 0.1
    assert address_set((await provider.read(ZONE_NAME, [NAME])).records[NAME]) == change.before
