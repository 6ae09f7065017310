"""Live states under a watch of many services, in virtual time: each round is judged at once, and costs little."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from changeover.model.finding import Level
from changeover.model.health.connectivity import Connectivity
from changeover.model.health.probe_result import Health
from changeover.model.readiness import service_state
from changeover.model.readiness.pin import Hold, Pin
from changeover.monitoring.live_states import LiveStates
from health.virtual_time import run
from monitoring.world import SERVICES, Reader, Recorder, World


@contextlib.asynccontextmanager
async def watching(world: World, recorder: Recorder | None = None) -> AsyncIterator[LiveStates]:
    """The live states of twenty services, watched for long enough to know all of them."""
    live = LiveStates(world, Reader(world), recorder or Recorder())
    live.reset(SERVICES)
    task = asyncio.create_task(live.watch())
    await asyncio.sleep(100)
    yield live
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the checks of either group run from here on."""
    calls: Counter[str] = Counter()

    def count(name: str) -> None:
        real = getattr(service_state, name)

        def counting(*args: object) -> object:
            calls[name] += 1
            return real(*args)

        monkeypatch.setattr(service_state, name, counting)

    count("snapshot_findings")
    count("moment_findings")
    return calls


def test_a_round_runs_no_check_of_what_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour of twenty services: the records are compared when they are evaluated in full, not with every probe."""
    recorder = Recorder()

    async def work() -> None:
        async with watching(World(), recorder):
            calls = counted(monkeypatch)
            recorder.rounds = 0
            await asyncio.sleep(3600)
            assert recorder.rounds >= 4000
            assert calls["snapshot_findings"] <= 20 * 3, "in full every half an hour"
            assert calls["moment_findings"] >= recorder.rounds, "each round is judged at once"

    run(work())


def test_what_changed_is_checked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other records, or another target: only the services that it is about are checked anew, and rightly."""
    world = World()

    async def work() -> None:
        async with watching(world) as live:
            calls = counted(monkeypatch)
            world.switched.add("s3")
            await asyncio.sleep(40)
            moved, other = live.state("s3"), live.state("s4")
            assert (moved.active, moved.target, other.active, other.target) == (
                "backup",
                "primary",
                "primary",
                "backup",
            )
            assert "Visitors reach backup now" in [f.text for f in moved.findings]
            assert calls["snapshot_findings"] == 1

    run(work())


def test_a_failing_deployment_is_in_the_findings_with_its_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """And where it is the active one, the rules of an emergency apply to what was found before as well."""
    world = World()

    async def work() -> None:
        async with watching(world) as live:
            before = {f.check: f for f in live.state("s0").findings}
            assert before["source-healthy"].level is Level.PASS
            world.failing.add("primary")
            await asyncio.sleep(120)
            after = {f.check: f for f in live.state("s0").findings}
            assert live.state("s0").health["primary"].health is Health.UNHEALTHY
            assert (after["source-healthy"].level, after["source-healthy"].text) == (
                Level.WARN,
                "primary is down: 503",
            )
            assert set(after) == set(before), "none is lost"

    run(work())


def test_people_and_this_computer_are_laid_over_what_probes_say() -> None:
    """A pin counts at once and ends by itself; offline, nothing is known of anybody."""
    world, recorder = World(), Recorder()

    async def work() -> None:
        async with watching(world, recorder) as live:
            at = world.now()
            pin = Pin(
                service="s0",
                deployment="backup",
                hold=Hold.UNHEALTHY,
                reason="old data",
                set_at=at,
                until=at + timedelta(minutes=5),
            )
            world.pins = (pin,)
            live.take_pins(world.pins)
            assert live.state("s0").health["backup"].reason == "held unhealthy by a person: old data"
            assert live.state("s1").health["backup"].health is Health.HEALTHY
            await asyncio.sleep(400)
            assert recorder.held > 0
            assert live.state("s0").health["backup"].health is Health.HEALTHY
            assert live.knows("s0")
            world.link = Connectivity.OFFLINE
            await live.connection()
            assert {h.health for s in live.states() for h in s.health.values()} == {Health.UNKNOWN}
            assert not live.knows("s0")

    run(work())


def test_what_cannot_be_read_is_told_until_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    """Probes go on meanwhile, and do not hide it."""
    world = World()

    async def work() -> None:
        async with watching(world) as live:
            world.silent = True
            await asyncio.sleep(200)
            assert {s.error for s in live.states()} == {"The keyring does not answer"}
            assert live.state("s0").health["backup"].health is Health.HEALTHY
            world.silent = False
            await asyncio.sleep(200)
            assert {s.error for s in live.states()} == {None}

    run(work())
