"""A laptop's life, from a seed: it sleeps, loses its Wi-Fi, goes through a VPN, sits behind login pages, and has its
clock set. A watch runs on it, in virtual time, and what it says is held against what was really the case.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

from changeover.health.watch import RoundRecorded, Watch
from changeover.model.dns.change import ZoneAt
from changeover.model.health.check import HealthCheck
from changeover.model.health.clock_gap import Clocks
from changeover.model.health.connectivity import Connection, Connectivity
from changeover.model.health.history import Gap
from changeover.model.health.probe_result import Cause, Health, ProbeResult, Round
from changeover.model.settings.service import Answer, Deployment, Service
from health.virtual_time import VirtualLoop

START = datetime(2026, 1, 5, 8, tzinfo=UTC).timestamp()
HOUR = 3600.0
#: An outage that was in sight for so many seconds must be found.
LONG_ENOUGH = 120.0
SERVICE = Service(
    name="shop",
    hostnames=("www.shop.example",),
    dns=(ZoneAt("dns", "shop.example"),),
    deployments=(
        Deployment(name="primary", answer=Answer(a=("192.0.2.1",))),
        Deployment(name="backup", answer=Answer(a=("192.0.2.2",))),
    ),
    health=HealthCheck(interval=30, timeout=10),
)


class Outage(NamedTuple):
    """A time in which the primary really is down, by the time that the laptop is awake."""

    began: float
    ended: float


class Laptop:
    """What the laptop is like right now, and what is done to it. It is also the watch's environment and its listener.

    `windows`: its monotonic clock goes on during sleep, as on Windows, and no clock tells sleep apart.
    """

    def __init__(self, loop: VirtualLoop, seed: int, windows: bool = False) -> None:
        self.loop = loop
        self.random = random.Random(seed)
        self.windows = windows
        self.slept = 0.0
        self.set = 0.0
        self.disturbed = 0
        self.link = Connectivity.ONLINE
        self.network = 1
        #: Since when, by `awake`, the laptop is awake and online without a break; None while it is not.
        self.sees_since: float | None = 0.0
        self.shaky_until = 0.0
        self.down: str | None = None
        #: What the watch said of the primary, and when, by `awake`.
        self.said: list[tuple[float, Health]] = [(0.0, Health.UNKNOWN)]
        self.sights: list[tuple[float, float]] = []
        self.gaps: list[Gap] = []
        self.rounds = 0

    @property
    def awake(self) -> float:
        """Seconds of waking time."""
        return self.loop.time() - (self.slept if self.windows else 0.0)

    @property
    def hours(self) -> float:
        """All that has passed, asleep or awake."""
        return (self.awake + self.slept) / HOUR

    # The watch's environment

    def read_clocks(self) -> Clocks:
        wall = START + self.awake + self.slept + self.set
        if self.windows:
            return Clocks(wall=wall, monotonic=self.loop.time())
        return Clocks(wall=wall, monotonic=self.awake, boot=self.awake + self.slept)

    async def probe(self, service: Service, deployment: Deployment, known: dict[str, tuple[str, ...]]) -> Round:
        self.rounds += 1
        at = datetime.fromtimestamp(self.read_clocks().wall, UTC)
        before = self.disturbed
        how = self._how_it_goes(deployment.name)
        await asyncio.sleep({"hangs": service.health.timeout, "ok": 0.05}.get(how, 0.1))
        if self.disturbed != before and self.random.random() < 0.7:
            how = "was cut"
        elif how == "ok":
            how = self._how_it_goes(deployment.name, again=True)
        result = ProbeResult(
            deployment=deployment.name,
            hostname=service.hostnames[0],
            address=deployment.answer.a[0],
            at=at,
            ok=how == "ok",
            reason=how,
            cause=None if how == "ok" else Cause.ADDRESS,
        )
        return Round(at=at, results=(result,))

    def _how_it_goes(self, deployment: str, again: bool = False) -> str:
        if self.link is not Connectivity.ONLINE:
            return self.random.choice(("hangs", "refused", "no such name"))
        if not again and self.loop.time() < self.shaky_until and self.random.random() < 0.3:
            return "no such name"  # witnesses answer already, but the resolver does not yet
        if deployment == "primary" and self.down is not None:
            return self.down
        return "ok" if again or self.random.random() > 0.001 else "was lost"

    async def look_around(self) -> Connection:
        await asyncio.sleep(3.0 if self.link is Connectivity.OFFLINE else 0.1)
        at = datetime.fromtimestamp(self.read_clocks().wall, UTC)
        return Connection(at=at, link=self.link)

    def networks(self) -> frozenset[str]:
        return frozenset() if self.link is Connectivity.OFFLINE else frozenset({f"192.0.2.{self.network}"})

    # The watch's listener

    def saw(self, seen: RoundRecorded) -> None:
        if seen.deployment == "primary":
            self._say(seen.health.health)
        else:
            assert seen.health.health is not Health.UNHEALTHY, "the backup never fails"

    def connection_changed(self, connection: Connection) -> None:
        if connection.blind:
            self._say(Health.UNKNOWN)

    def missed(self, gap: Gap) -> None:
        self.gaps.append(gap)
        self._say(Health.UNKNOWN)

    def _say(self, health: Health) -> None:
        if health is not self.said[-1][1]:
            self.said.append((self.awake, health))

    def said_at(self, awake: float) -> Health:
        """What the watch had said last at that time."""
        return next(health for at, health in reversed(self.said) if at <= awake)

    # What is done to it

    def disturb(self) -> None:
        """Connections that stand break."""
        self.disturbed += 1
        if self.sees_since is not None:
            self.sights.append((self.sees_since, self.awake))
        self.sees_since = self.awake if self.link is Connectivity.ONLINE else None

    def turn(self, link: Connectivity) -> None:
        """The network goes, comes, or is replaced by a login page."""
        if link is not Connectivity.OFFLINE and self.random.random() < 0.5:
            self.network = self.random.randint(1, 250)
        self.link = link
        self.shaky_until = self.loop.time() + self.random.uniform(0, 12)
        self.disturb()

    def sleep(self, seconds: float) -> None:
        """The lid is closed, and opened again."""
        self.slept += seconds
        if self.windows:
            self.loop.passed += seconds
        self.disturb()

    async def live(self, hours: float, outages: bool) -> list[Outage]:
        """Days and nights for so many hours. Gives the outages that there were."""
        happened: list[Outage] = []
        next_outage = self.awake + self.random.uniform(0.5, 3) * HOUR
        for pause, event in self._events():
            until = self.awake + pause
            while outages and next_outage < until:
                await self._until(next_outage)
                began = self.awake
                self.down = self.random.choice(("refused", "hangs", "503"))
                ends = began + self.random.choice((self.random.uniform(20, 110), self.random.uniform(125, 2 * HOUR)))
                if ends > until:  # the event comes first; the outage goes on through it
                    await self._until(until)
                    await self._happen(event)
                    until = ends
                await self._until(max(ends, self.awake))
                self.down = None
                happened.append(Outage(began, self.awake))
                next_outage = self.awake + self.random.uniform(0.5, 6) * HOUR
            if self.awake < until:
                await self._until(until)
            await self._happen(event)
            if self.hours >= hours:
                return happened
        raise AssertionError("a life does not end by itself")

    async def _until(self, awake: float) -> None:
        await asyncio.sleep(max(0.0, awake - self.awake))

    def _events(self) -> Iterator[tuple[float, str]]:
        """What happens next, and after how many seconds."""
        while True:
            for _ in range(self.random.randint(2, 6)):
                event = self.random.choice(("blip", "lost", "lost", "vpn", "portal", "clock", "nap", "nothing"))
                yield self.random.expovariate(1 / (1.2 * HOUR)), event
            yield self.random.expovariate(1 / HOUR), "night"

    async def _happen(self, event: str) -> None:
        draw = self.random.uniform
        if event == "blip":
            await self._without(Connectivity.OFFLINE, draw(0.2, 8))
        elif event == "lost":
            await self._without(Connectivity.OFFLINE, draw(8, 1200))
        elif event == "vpn":
            await self._without(Connectivity.OFFLINE, draw(1, 15))
            await asyncio.sleep(draw(60, HOUR))
            await self._without(Connectivity.OFFLINE, draw(1, 15))
        elif event == "portal":
            await self._without(Connectivity.PORTAL, draw(20, 900))
        elif event == "clock":
            self.set += self.random.choice((draw(-90, 90), draw(-3 * HOUR, 3 * HOUR)))
        elif event in ("nap", "night"):
            self.turn(Connectivity.OFFLINE)
            self.sleep(draw(5, 3 * HOUR) if event == "nap" else draw(6, 14) * HOUR)
            await asyncio.sleep(draw(0.5, 20))
            if self.random.random() < 0.15:
                await self._without(Connectivity.PORTAL, draw(20, 900))
            self.turn(Connectivity.ONLINE)

    async def _without(self, link: Connectivity, seconds: float) -> None:
        self.turn(link)
        await asyncio.sleep(seconds)
        self.turn(Connectivity.ONLINE)


class Life(NamedTuple):
    """What came of a laptop's life.

    `delays`: for each long enough sight of an outage, the seconds of waking time until it was called down; None where
    it was not. `false`: the times, in hours awake, at which the primary was called down and was not.
    """

    laptop: Laptop
    outages: list[Outage]
    delays: list[float | None]
    false: list[float]


async def lived(seed: int, hours: float, outages: bool, windows: bool = False) -> Life:
    """A whole life with a watch running, and what the watch said, held against what was the case."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    laptop = Laptop(loop, seed, windows)
    watch = Watch(laptop, laptop)
    watch.reset((SERVICE,))
    task = asyncio.create_task(watch.run())
    happened = await laptop.live(hours, outages)
    laptop.disturb()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return Life(laptop, happened, list(_delays(laptop, happened)), list(_false(laptop, happened)))


def _delays(laptop: Laptop, outages: list[Outage]) -> Iterator[float | None]:
    for outage in outages:
        for began, ended in laptop.sights:
            since, until = max(outage.began, began), min(outage.ended, ended)
            if until - since < LONG_ENOUGH:
                continue
            if laptop.said_at(since) is Health.UNHEALTHY:
                yield 0.0
                continue
            calls = (at for at, health in laptop.said if since < at <= until and health is Health.UNHEALTHY)
            yield next((at - since for at in calls), None)


def _false(laptop: Laptop, outages: list[Outage]) -> Iterator[float]:
    """Calls of "down" without an outage, in hours awake.

    A round that began within an outage may be judged a little after it. A relapse before the primary was called
    healthy again belongs to the outage before it.
    """
    was_down = False
    for at, health in laptop.said:
        real = any(o.began <= at <= o.ended + SERVICE.health.timeout + 4 for o in outages)
        if health is Health.UNHEALTHY and not real and not was_down:
            yield at / HOUR
        was_down = health is Health.UNHEALTHY or (was_down and health is Health.DEGRADED)
