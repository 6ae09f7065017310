"""Live states under a watch of many services, in virtual time: each round is judged at once, and costs little."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from changeover.health.watch import RoundRecorded
from changeover.model.finding import Level
from changeover.model.health.connectivity import Connection, Connectivity
from changeover.model.health.probe_result import Health, Round
from changeover.model.readiness import service_state
from changeover.model.readiness.pin import Hold, Pin
from changeover.model.readiness.snapshot import Snapshot
from changeover.model.settings.service import Deployment, Service
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


class Broken(World):
    """A world in which Changeover's own code fails: at one service's primary, or wherever else a test says."""

    def __init__(self) -> None:
        super().__init__()
        self.broken: set[str] = set()

    async def probe(self, service: Service, deployment: Deployment, known: dict[str, tuple[str, ...]]) -> Round:
        if "probe" in self.broken and (service.name, deployment.name) == ("s3", "primary"):
            raise TypeError("'<' not supported between instances of 'str' and 'int'")
        return await super().probe(service, deployment, known)

    async def look_around(self) -> Connection:
        if "witnesses" in self.broken:
            raise OverflowError
        return await super().look_around()

    def networks(self) -> frozenset[str]:
        if "networks" in self.broken:
            raise ValueError
        return super().networks()


class BrokenReader(Reader):
    async def snapshot(self, service: Service, known: Snapshot | None) -> Snapshot:
        assert isinstance(self.world, Broken)
        if "records" in self.world.broken and service.name == "s3":
            raise RecursionError
        return await super().snapshot(service, known)


class BrokenRecorder(Recorder):
    def saw(self, seen: RoundRecorded, maintenance: bool, held: bool) -> None:
        super().saw(seen, maintenance, held)
        raise AttributeError


@pytest.mark.parametrize("what", ["probe", "records", "witnesses", "networks", "all"])
def test_what_nobody_foresaw_makes_one_thing_unknown_and_ends_nothing(what: str) -> None:
    """Never a stale green card: at the first reading that fails by itself, its service says so. All others go on.

    And what can be read again is known again.
    """
    world = Broken()

    async def work() -> None:
        async with watching(world) as live:
            live._reading = BrokenReader(world)
            assert live.state("s3").health["primary"].health is Health.HEALTHY
            world.broken = {"probe", "records", "witnesses", "networks"} if what == "all" else {what}
            world.failing.add("backup")
            live._evaluate("s3")
            await asyncio.sleep(31)
            state, primary = live.state("s3"), live.state("s3").health.get("primary")
            if what in ("probe", "all") and primary is not None:
                assert primary.health is Health.UNKNOWN
                assert primary.reason.startswith("not known: Changeover failed to read this (TypeError in ")
            if what in ("records", "all"):
                assert state.snapshot.empty or primary is None or primary.unread
            await asyncio.sleep(300)
            if what != "witnesses" and what != "all":
                assert live.state("s4").health["backup"].health is Health.UNHEALTHY, "others are judged on"
            assert live.state("s4").health["primary"].health is Health.HEALTHY
            world.broken.clear()
            world.failing.clear()
            live._evaluate("s3")
            await asyncio.sleep(400)
            assert live.state("s3").health["primary"].health is Health.HEALTHY
            assert live.state("s3").error is None and live.state("s3").active == "primary"

    run(work())


def test_a_window_or_a_history_that_fails_stops_no_watch() -> None:
    """Who is told of changes may fail, and so may what keeps them: the watch goes on, and others are told."""
    world, recorder, told = World(), BrokenRecorder(), Counter[str | None]()

    async def work() -> None:
        async with watching(world, recorder) as live:

            def broken(name: str | None) -> None:
                raise RuntimeError("Internal C++ object already deleted.")

            live.subscribe(broken)
            live.subscribe(lambda name: told.update([name]))
            world.failing.add("primary")
            await asyncio.sleep(120)
            assert live.state("s7").health["primary"].health is Health.UNHEALTHY
            assert told["s7"] and recorder.rounds

    run(work())
