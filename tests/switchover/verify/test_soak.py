"""The half hour after a switch: it passes, it worsens and says so, it goes on after a restart."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from changeover.dns.lookup.client import Lookup
from changeover.model.health.baseline import Baseline, Sample
from changeover.model.health.soak import Soak, SoakState
from changeover.switchover.verify.soak import soak
from dns_servers.bind import Bind
from dns_servers.process import free_port
from switchover.places import NEW, OLD, WWW, ZONE_TEXT, Places, lookup, page, places

TEXT = ZONE_TEXT.replace(OLD, NEW)


async def soaked(
    shop: Places, there: Lookup, minutes: float, ended: datetime | None = None, baseline: Baseline | None = None
) -> tuple[Soak, list[Soak]]:
    """How it ended, and everything that was told on the way."""
    told: list[Soak] = []
    deployment = shop.service.deployment("backup")
    assert deployment is not None
    end = await soak(
        shop.service,
        deployment,
        there,
        ended or datetime.now(UTC),
        minutes=minutes,
        every=0.02,
        baseline=baseline,
        on_progress=told.append,
    )
    return end, told


async def test_it_holds(tmp_path: Path) -> None:
    """Each look is told, and in the end for how long visitors were served."""
    with Bind(tmp_path, zone_text=TEXT) as bind:
        async with places() as shop:
            end, told = await soaked(shop, lookup(bind.server), 0.02)
    assert end.state is SoakState.PASSED
    assert {s.state for s in told[:-1]} == {SoakState.GOING}
    assert len(told) > 2
    assert all(look.ok for look in end.looks)
    assert end.text.startswith("backup has served visitors for 1 s: ")


async def test_it_worsens(tmp_path: Path) -> None:
    """Three bad looks end it, long before its time, with the reason."""
    with Bind(tmp_path, zone_text=TEXT) as bind:
        async with places() as shop:
            shop.say[NEW] = lambda _: page("backup", status=200 if shop.asked[NEW] <= 4 else 503)
            end, told = await soaked(shop, lookup(bind.server), 30)
    assert (end.state, len(told)) == (SoakState.WORSENED, 7)
    assert "3 of the last 6 looks were bad" in end.text
    assert "503" in end.text


async def test_somebody_else_answers(tmp_path: Path) -> None:
    """Visitors that are at another deployment are not served by this one."""
    with Bind(tmp_path, zone_text=TEXT) as bind:
        async with places() as shop:
            shop.say[NEW] = lambda _: page("primary")
            end, _ = await soaked(shop, lookup(bind.server), 30)
    assert end.state is SoakState.WORSENED
    assert f"{WWW} at {NEW} answers as primary" in end.text


async def test_it_is_slower_than_before(tmp_path: Path) -> None:
    """Three times, by the median."""
    before = Baseline(at=datetime.now(UTC), samples=(Sample(hostname=WWW, status=200, seconds=0.01, size=9),))
    with Bind(tmp_path, zone_text=TEXT) as bind:
        async with places() as shop:
            shop.delay = 0.15
            end, _ = await soaked(shop, lookup(bind.server), 30, baseline=before)
    assert end.state is SoakState.WORSENED
    assert end.text.endswith("ms, before the switch it was 10 ms")


async def test_a_computer_that_sees_nothing_says_nothing() -> None:
    """Without any name server there is no look, neither good nor bad."""
    async with places() as shop:
        end, told = await soaked(shop, lookup(f"127.0.0.1:{free_port()}", timeout=0.1), 0.01)
    assert end.state is SoakState.PASSED
    assert end.text == "The time is over, and backup was not looked at"
    assert {look.ok for s in told for look in s.looks} == {None}


async def test_it_ends_with_its_run_and_not_with_this_program(tmp_path: Path) -> None:
    """After a restart it goes on for the rest of its time; when that is over, it is over at once."""
    with Bind(tmp_path, zone_text=TEXT) as bind:
        async with places() as shop:
            ended = datetime.now(UTC) - timedelta(minutes=30)
            end, told = await soaked(shop, lookup(bind.server), 30, ended=ended)
            assert (len(told), shop.asked[NEW]) == (1, 0)
            assert end.until == ended + timedelta(minutes=30)


async def test_it_can_be_cancelled(tmp_path: Path) -> None:
    """At any time."""
    with Bind(tmp_path, zone_text=TEXT) as bind:
        async with places() as shop:
            first = asyncio.Event()
            deployment = shop.service.deployments[1]
            task = asyncio.create_task(
                soak(
                    shop.service,
                    deployment,
                    lookup(bind.server),
                    datetime.now(UTC),
                    on_progress=lambda _: first.set(),
                )
            )
            async with asyncio.timeout(20):
                await first.wait()
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()
