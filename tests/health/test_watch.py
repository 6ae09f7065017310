"""How a watch goes about it: its pace, what it counts and what it does not, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from changeover.health.watch import LOOK_AGAIN, MAX_CONCURRENT, RoundRecorded, Watch
from changeover.model.dns.change import ZoneAt
from changeover.model.health.check import HealthCheck
from changeover.model.health.clock_gap import Clocks
from changeover.model.health.connectivity import Connection, Connectivity
from changeover.model.health.history import Gap, GapKind
from changeover.model.health.local_fault import LocalFault, LocalFaultKind
from changeover.model.health.probe_result import Cause, Health, ProbeResult, Round
from changeover.model.health.track import State
from changeover.model.settings.service import Answer, Deployment, Service
from health.virtual_time import run

NAME = "www.shop.example"


def service(*deployments: str, name: str = "shop", **check: Any) -> Service:
    made = tuple(Deployment(name=d, answer=Answer(a=(f"192.0.2.{n}",))) for n, d in enumerate(deployments, 1))
    zones = (ZoneAt("dns", "shop.example"),)
    return Service(name=name, hostnames=(NAME,), dns=zones, deployments=made, health=HealthCheck(**check))


class World:
    """ProbeEnvironment that do what a test says, and a listener that keeps what it is told.

    `bad` has the deployments that fail, `takes` by deployment the seconds that a probe takes.
    """

    def __init__(self) -> None:
        self.bad: set[str] = set()
        self.takes: dict[str, float] = {}
        self.link = Connectivity.ONLINE
        self.network = frozenset({"192.0.2.99"})
        self.slept = 0.0
        self.set = 0.0
        self.beginning = asyncio.Event()
        self.begun: list[tuple[float, str]] = []
        self.under_way = 0
        self.most = 0
        self.looks: list[float] = []
        self.seen: list[RoundRecorded] = []
        self.gaps: list[Gap] = []

    @property
    def time(self) -> float:
        return asyncio.get_running_loop().time()

    def read_clocks(self) -> Clocks:
        wall = 1_800_000_000 + self.time + self.slept + self.set
        return Clocks(wall=wall, monotonic=self.time, boot=self.time + self.slept)

    def networks(self) -> frozenset[str]:
        return self.network

    async def look_around(self) -> Connection:
        self.looks.append(self.time)
        await asyncio.sleep(0.1)
        return Connection(at=datetime.now(UTC), link=self.link)

    async def probe(self, service: Service, deployment: Deployment, known: dict[str, tuple[str, ...]]) -> Round:
        self.begun.append((self.time, deployment.name))
        self.beginning.set()
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(self.takes.get(deployment.name, 0.01))
        self.under_way -= 1
        at = datetime.fromtimestamp(self.read_clocks().wall, UTC)
        ok = deployment.name not in self.bad
        result = ProbeResult(
            deployment=deployment.name,
            hostname=NAME,
            address=deployment.answer.a[0],
            at=at,
            ok=ok,
            reason="200 in 10 ms" if ok else "503",
            cause=None if ok else Cause.PATH,
        )
        return Round(at=at, results=(result,))

    async def next_probe(self) -> None:
        """Waits until the next probe has begun."""
        self.beginning.clear()
        await self.beginning.wait()

    def saw(self, seen: RoundRecorded) -> None:
        self.seen.append(seen)

    def connection_changed(self, connection: Connection) -> None:
        pass

    def missed(self, gap: Gap) -> None:
        self.gaps.append(gap)

    def starts(self, deployment: str, since: float = 0.0) -> list[float]:
        return [at for at, name in self.begun if name == deployment and at >= since]

    def states(self, since: int = 0) -> list[State]:
        return [seen.health.state for seen in self.seen[since:]]


def watched(*services: Service) -> Callable[[Callable[[World, Watch], Coroutine[Any, Any, None]]], None]:
    """Runs a story with a watch going on."""

    def tell(story: Callable[[World, Watch], Coroutine[Any, Any, None]]) -> None:
        async def whole() -> None:
            world = World()
            watch = Watch(world, world)
            watch.reset(services)
            task = asyncio.create_task(watch.run())
            await story(world, watch)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

        run(whole())

    return tell


def test_each_keeps_its_own_place_in_the_interval() -> None:
    """Thirty services are not all probed at the same moment, and each at the same moment again and again."""

    async def story(world: World, watch: Watch) -> None:
        await asyncio.sleep(300)
        places = set()
        for number in range(30):
            starts = world.starts(f"d{number}", since=60)
            assert len(starts) in (8, 9)
            assert max(starts[n + 1] - starts[n] for n in range(len(starts) - 1)) == pytest.approx(30, abs=0.1)
            places.add(round(starts[0] % 30))
        assert len(places) >= 15

    watched(*(service(f"d{n}", name=f"s{n}") for n in range(30)))(story)


def test_only_so_many_at_once() -> None:
    """However many there are, and however slow."""

    async def story(world: World, watch: Watch) -> None:
        world.takes = {f"d{n}": 5.0 for n in range(200)}
        await asyncio.sleep(60)
        assert world.most == MAX_CONCURRENT

    watched(service(*(f"d{n}" for n in range(200))))(story)


def test_a_slow_deployment_delays_nobody_and_never_overtakes_itself() -> None:
    """The others keep their pace; the slow one begins again only when it is done."""

    async def story(world: World, watch: Watch) -> None:
        world.takes = {"slow": 45.0}
        await asyncio.sleep(600)
        slow, quick = world.starts("slow"), world.starts("quick", since=60)
        assert min(slow[n + 1] - slow[n] for n in range(len(slow) - 1)) >= 45
        assert max(quick[n + 1] - quick[n] for n in range(len(quick) - 1)) <= 31

    watched(service("slow", "quick"))(story)


def test_who_asks_for_a_check_gets_the_one_that_is_under_way() -> None:
    """Pressing a button again and again makes no more traffic."""

    async def story(world: World, watch: Watch) -> None:
        await asyncio.sleep(100)
        world.takes = {"one": 5.0}
        before = len(world.begun)
        await asyncio.gather(*(watch.probe_now("shop") for _ in range(10)))
        assert len(world.begun) == before + 1

    watched(service("one"))(story)


def test_when_it_was_proven_last_is_not_forgotten() -> None:
    """However long it has been failing since, and through sleep."""

    async def story(world: World, watch: Watch) -> None:
        await asyncio.sleep(100)
        proven = watch.health("shop")["one"].proven
        assert proven is not None
        world.bad = {"one"}
        await asyncio.sleep(1800)
        world.slept += 3600
        await asyncio.sleep(60)
        assert watch.health("shop")["one"].proven == proven

    watched(service("one"))(story)


def test_faster_while_suspect_and_while_a_run_goes_on() -> None:
    """Every 10 s until it is clear what is the matter, and for as long as a run is in progress; then at ease again."""

    async def story(world: World, watch: Watch) -> None:
        await asyncio.sleep(100)
        world.bad = {"one"}
        since = world.time
        await asyncio.sleep(65)
        starts = world.starts("one", since)
        assert [round(starts[n + 1] - starts[n]) for n in range(2)] == [10, 10]
        assert watch.health("shop")["one"].health is Health.UNHEALTHY
        with watch.hurrying("shop"):
            since = world.time
            await asyncio.sleep(61)
            assert len(world.starts("two", since)) >= 6
        since = world.time + 10
        await asyncio.sleep(160)
        assert len(world.starts("two", since)) in (5, 6)

    watched(service("one", "two"))(story)


def test_the_first_two_checks_after_waking_do_not_count() -> None:
    """They are made at once, and whatever they give, nothing is known before the ones that follow."""

    async def story(world: World, watch: Watch) -> None:
        await asyncio.sleep(100)
        woken, seen = world.time, len(world.seen)
        world.slept += 7 * 3600 + 12 * 60
        await asyncio.sleep(2.5)
        assert world.starts("one", woken)
        assert [gap.kind for gap in world.gaps] == [GapKind.ASLEEP]
        assert (world.gaps[0].ended - world.gaps[0].started).total_seconds() == pytest.approx(25920, abs=3)
        assert watch.health("shop")["one"].health is Health.UNKNOWN
        await asyncio.sleep(60)
        states = world.states(seen)
        assert states[:4] == [State.UNKNOWN, State.UNKNOWN, State.UNKNOWN, State.UP]

    watched(service("one"))(story)


@pytest.mark.parametrize("bad", [set(), {"one"}], ids=["it answers", "it fails"])
def test_a_check_that_was_under_way_during_sleep_does_not_count(bad: set[str]) -> None:
    """Its connection broke because the lid was closed; or it tells of a time long ago."""

    async def story(world: World, watch: Watch) -> None:
        await asyncio.sleep(100)
        world.takes = {"one": 5.0}
        world.bad = bad
        await world.next_probe()
        seen, began = len(world.seen), world.begun[-1][0]
        world.slept += 20
        await asyncio.sleep(5.5)
        world.bad, world.takes = set(), {}
        assert len(world.seen) == seen
        await asyncio.sleep(60)
        assert len(world.starts("one", began)) - 1 == len(world.seen) - seen

    watched(service("one"))(story)


def test_a_check_over_a_network_that_has_changed_does_not_count() -> None:
    """And the witnesses are asked anew at once."""

    async def story(world: World, watch: Watch) -> None:
        await asyncio.sleep(100)
        world.takes = {"one": 5.0}
        world.bad = {"one"}
        await world.next_probe()
        seen, changed = len(world.seen), world.time
        world.network = frozenset({"198.51.100.7"})
        world.bad, world.takes = set(), {}
        await asyncio.sleep(20)
        assert not any(s.probed.verdict is Health.UNHEALTHY for s in world.seen[seen:])
        assert next(at for at in world.looks if at >= changed) - changed <= 2.1

    watched(service("one"))(story)


def test_an_offline_computer_looks_whether_that_is_over() -> None:
    """Every 10 s; then everything is checked at once, and the time in between is a gap."""

    async def story(world: World, watch: Watch) -> None:
        await asyncio.sleep(100)
        world.link, world.bad = Connectivity.OFFLINE, {"one", "two"}
        await asyncio.sleep(200)
        assert {h.health for h in watch.health("shop").values()} == {Health.UNKNOWN}
        looks = [at for at in world.looks if at > 200]
        assert max(looks[n + 1] - looks[n] for n in range(len(looks) - 1)) <= LOOK_AGAIN + 0.2
        world.link, world.bad = Connectivity.ONLINE, set()
        back, seen = world.time, len(world.seen)
        await asyncio.sleep(LOOK_AGAIN + 0.5)
        assert world.starts("one", back)
        (gap,) = world.gaps
        assert gap.kind is GapKind.OFFLINE
        assert all(s.probed.verdict is Health.HEALTHY for s in world.seen[seen:])

    watched(service("one", "two"))(story)


def test_a_clock_that_is_set_changes_no_verdict() -> None:
    """Forwards or back: nothing is forgotten, and "failing since" moves along with the clock."""

    async def story(world: World, watch: Watch) -> None:
        world.bad = {"one"}
        await asyncio.sleep(100)
        before = watch.health("shop")["one"]
        world.set = -7200
        await asyncio.sleep(65)
        after = watch.health("shop")["one"]
        assert (before.health, after.health) == (Health.UNHEALTHY, Health.UNHEALTHY)
        assert before.since is not None and after.since is not None
        assert (after.since - before.since).total_seconds() == pytest.approx(-7200, abs=1)
        assert world.gaps == []

    watched(service("one"))(story)


def test_witnesses_that_nobody_can_reach_do_not_hide_a_site_that_answers() -> None:
    """A firewall may keep the witnesses away: once everything answers, this computer is online after all."""

    async def story(world: World, watch: Watch) -> None:
        await asyncio.sleep(100)
        world.link, world.bad = Connectivity.OFFLINE, {"one"}
        await asyncio.sleep(60)
        assert watch.connection is not None and watch.connection.blind
        world.bad = set()
        await asyncio.sleep(35)
        assert not watch.connection.blind
        assert watch.connection.fault == LocalFault(kind=LocalFaultKind.ONLY_A_DEPLOYMENT, subject="one")
        await asyncio.sleep(60)
        assert watch.health("shop")["one"].health is Health.HEALTHY

    watched(service("one"))(story)


def test_new_settings_are_taken_up_at_once_and_keep_what_still_holds() -> None:
    """A deployment that stays keeps its rounds; one that is checked in another way begins anew."""

    async def story(world: World, watch: Watch) -> None:
        await asyncio.sleep(100)
        kept = len(watch.rounds("shop")["one"])
        watch.reset((service("one", "two"), service("new", name="other", path="/other")))
        await asyncio.sleep(1)
        assert len(watch.rounds("shop")["one"]) > kept
        assert world.starts("new")
        watch.reset((service("one", "two", path="/health"),))
        assert watch.rounds("shop")["one"] == ()

    watched(service("one", "two"))(story)
