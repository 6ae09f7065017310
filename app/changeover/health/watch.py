"""Watching: every deployment probed at its own pace, judged as it goes, and never blamed for this computer's faults.

What is done to the world (probing, asking witnesses, reading clocks) is handed in, so that years of a laptop's life
can be run through the very same code in minutes.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from msgspec import Struct

from changeover.health.connectivity.interfaces import network_changed
from changeover.health.unforeseen import unforeseen
from changeover.model.health.clock_gap import Clocks, Interruption, interruption
from changeover.model.health.connectivity import Connection, Connectivity
from changeover.model.health.history import Gap, GapKind
from changeover.model.health.local_fault import LocalFault, LocalFaultKind
from changeover.model.health.probe_result import (
    DeploymentHealth,
    Health,
    Round,
    Tracks,
    deployment_health,
    tracks_after,
    unread_result,
)
from changeover.model.health.track import State, blind, moved
from changeover.model.settings.service import Deployment, Service

#: Probes of deployments under way at once.
MAX_CONCURRENT = 50
#: Rounds kept in memory for each deployment: six hours at 30 s.
KEPT_ROUNDS = 720
#: Between the first rounds of a deployment of which nothing is known yet, in seconds, and how many there are of them.
FIRST_PAUSE, FIRST_ROUNDS = 0.2, 3
#: The clocks are compared this often. A tick that is later than the slack is an interruption.
TICK, SLACK = 2.0, 4.0
#: So many outcomes after waking, or after being offline, do not count: networks take a moment.
GRACE = 2
#: This computer's connection is looked at this often, in seconds: while it is offline, and else.
LOOK_AGAIN, LOOK_USUALLY = 10.0, 30 * 60.0
#: A look this old, in seconds, still explains a failed probe: of something new, and of what was bad already. A verdict
#: of "down" takes one that was made after it.
FRESH_LOOK, OLD_LOOK = 5.0, 60.0
#: A program that stood still for less than this, in seconds, lost its probes under way and nothing else.
SHORT_STALL = 30.0


class ProbeEnvironment(Protocol):
    """What a watch does to the world."""

    async def probe(self, service: Service, deployment: Deployment, known: dict[str, tuple[str, ...]]) -> Round:
        """One round; `known` has by routing name the addresses that answered last."""
        ...

    async def look_around(self) -> Connection:
        """Asks the witnesses."""
        ...

    def read_clocks(self) -> Clocks: ...

    def networks(self) -> frozenset[str]:
        """The addresses that this computer sends from."""
        ...


class RoundRecorded(Struct, frozen=True, kw_only=True):
    """A round that counted, and the health before and after it. `rounds` are the newest ones, oldest first."""

    service: Service
    deployment: str
    probed: Round
    rounds: tuple[Round, ...]
    before: DeploymentHealth | None
    health: DeploymentHealth
    connection: Connection | None


class Listener(Protocol):
    """What a watch tells, on the loop, as it happens."""

    def saw(self, seen: RoundRecorded) -> None: ...

    def connection_changed(self, connection: Connection) -> None: ...

    def missed(self, gap: Gap) -> None: ...


class _Key(NamedTuple):
    service: str
    deployment: str


class _Watched:
    """What is kept of one deployment."""

    def __init__(self, service: Service, deployment: Deployment) -> None:
        self.service = service
        self.deployment = deployment
        self.tracks: Tracks = {}
        self.rounds: deque[Round] = deque(maxlen=KEPT_ROUNDS)
        self.health: DeploymentHealth | None = None
        self.known: dict[str, tuple[str, ...]] = {}
        self.now = asyncio.Event()
        self.probing = asyncio.Lock()
        self.started = 0
        self.failed = False

    @property
    def offset(self) -> float:
        """Where in its interval this deployment is probed, from 0 to 1: spread evenly, and the same every day."""
        text = f"{self.service.name}\n{self.deployment.name}".encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=4).digest(), "big") / 2**32


class Watch:
    """Probes all deployments of its services until cancelled. Lives on one asyncio loop."""

    def __init__(self, environment: ProbeEnvironment, listener: Listener) -> None:
        self._environment = environment
        self._listener = listener
        self._watched: dict[_Key, _Watched] = {}
        self._busy: dict[str, int] = {}
        self._restart = asyncio.Event()
        self._gate = asyncio.Semaphore(MAX_CONCURRENT)
        self._look = asyncio.Lock()
        self._looked = float("-inf")
        self._look_now = asyncio.Event()
        self._epoch = 0
        self._offline_since: datetime | None = None
        clocks = environment.read_clocks()
        self._base = (clocks.wall, clocks.monotonic)
        self._ticked = clocks
        self._networks = environment.networks()
        self.connection: Connection | None = None

    def reset(self, services: Sequence[Service]) -> None:
        """Takes these services. What is known of a deployment is kept where neither it nor its check has changed."""
        old, self._watched = self._watched, {}
        for service in services:
            for deployment in service.deployments:
                key = _Key(service.name, deployment.name)
                kept = old.get(key)
                same = kept is not None and kept.deployment == deployment and kept.service.health == service.health
                same = same and kept is not None and kept.service.hostnames == service.hostnames
                self._watched[key] = kept if same and kept is not None else _Watched(service, deployment)
                self._watched[key].service = service
        self._restart.set()

    def health(self, service: str) -> dict[str, DeploymentHealth]:
        """By deployment, what is known of it."""
        return {k.deployment: w.health for k, w in self._watched.items() if k.service == service and w.health}

    def rounds(self, service: str) -> dict[str, tuple[Round, ...]]:
        """By deployment, the rounds kept, oldest first."""
        return {k.deployment: tuple(w.rounds) for k, w in self._watched.items() if k.service == service}

    def now(self) -> datetime:
        """The time, from the steady clock: it never jumps within a verdict."""
        wall, monotonic = self._base
        return datetime.fromtimestamp(wall + self._environment.read_clocks().monotonic - monotonic, UTC)

    @contextmanager
    def hurrying(self, service: str) -> Iterator[None]:
        """Probes a service's deployments faster for as long as a run is in progress."""
        self._busy[service] = self._busy.get(service, 0) + 1
        self._wake(service)
        try:
            yield
        finally:
            self._busy[service] -= 1

    async def run(self) -> None:
        """Watches until cancelled. New services are taken up at once."""
        while True:
            self._restart.clear()
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._watch_one(w)) for w in self._watched.values()]
                tasks += [group.create_task(self._watch_clocks()), group.create_task(self._watch_connection())]
                await self._restart.wait()
                for task in tasks:
                    task.cancel()

    async def probe_now(self, service: str) -> None:
        """One round of every deployment of a service, now; those under way are awaited instead."""
        await asyncio.gather(*(self._round(w) for k, w in self._watched.items() if k.service == service))

    def _wake(self, service: str | None = None) -> None:
        for key, watched in self._watched.items():
            if service in (None, key.service):
                watched.now.set()

    async def _watch_one(self, watched: _Watched) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            watched.now.clear()
            await self._round(watched)
            pause = self._pause(watched, began)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, began + pause - loop.time())):
                    await watched.now.wait()

    def _pause(self, watched: _Watched, began: float) -> float:
        """From the start of a round to the start of the next, in seconds."""
        check = watched.service.health
        health = watched.health
        known = health is not None and health.health is not Health.UNKNOWN
        if not known and watched.started <= FIRST_ROUNDS and not self._blind:
            return FIRST_PAUSE
        calm = known and health is not None and health.state in (State.UP, State.DOWN)
        fast = min(check.interval, check.suspect_interval)
        if self._busy.get(watched.service.name) or not calm:
            return check.interval if self._blind else fast
        # Back to this deployment's own place in the interval, wherever a wake-up or a fast time has led.
        left = 1 - (began / check.interval - watched.offset) % 1
        return check.interval * (left if left > 0.1 else 1 + left)

    @property
    def _blind(self) -> bool:
        return self.connection is not None and self.connection.blind

    @property
    def _offline(self) -> bool:
        return self.connection is not None and self.connection.link is Connectivity.OFFLINE

    async def _round(self, watched: _Watched) -> None:
        if watched.probing.locked():  # none overtakes itself; who asks for a round gets the one under way
            async with watched.probing:
                return
        async with watched.probing, self._gate:
            epoch, began = self._epoch, self.now()
            watched.started += 1
            service, deployment = watched.service, watched.deployment
            try:
                probed = await self._environment.probe(service, deployment, watched.known)
                self._compare_clocks()
                if epoch == self._epoch:
                    await self._take(watched, Round(at=began, results=probed.results), epoch)
            except Exception as error:  # noqa: BLE001 - logged; whatever it is, everything else goes on
                self._unread(watched, unforeseen(f"{deployment.name} of {service.name}", error), began)

    def _unread(self, watched: _Watched, why: str, at: datetime) -> None:
        """Nothing is known of a deployment whose round Changeover failed to read."""
        name, hostname = watched.deployment.name, watched.service.hostnames[0]
        probed = Round(at=at, results=(unread_result(name, hostname, why, at),))
        watched.rounds.clear()  # what cannot be read may be among them
        watched.failed = True
        self._judge(watched, probed, {})

    async def _take(self, watched: _Watched, probed: Round, epoch: int) -> None:
        limits = watched.service.health.thresholds
        tracks = tracks_after(watched.tracks, probed, limits)
        watched.failed = probed.verdict is not Health.HEALTHY
        if watched.failed:
            connection = await self.look(_fresh_enough(watched.tracks, tracks))
            if connection.blind or epoch != self._epoch:
                return
        elif self._offline and not any(w.failed for w in self._watched.values()):
            self._take_connection(_proven_by(watched.deployment.name, self.connection, self.now()))
        good = {r.target: r.address for r in probed.results if r.ok and r.target}
        for target in good:
            watched.known[target] = tuple(r.address for r in probed.results if r.ok and r.target == target)
        self._judge(watched, probed, tracks)

    def _judge(self, watched: _Watched, probed: Round, tracks: Tracks) -> None:
        watched.tracks = tracks
        watched.rounds.append(probed)
        limits = watched.service.health.thresholds
        before = watched.health
        name = watched.deployment.name
        newest = tuple(watched.rounds)[-limits.flapping_window :]
        watched.health = deployment_health(name, tracks, newest, limits, before.proven if before else None)
        self._listener.saw(
            RoundRecorded(
                service=watched.service,
                deployment=name,
                probed=probed,
                rounds=newest,
                before=before,
                health=watched.health,
                connection=self.connection,
            )
        )

    # Is it me?

    async def look(self, fresh: float = 0.0) -> Connection:
        """This computer's connection, looked at within the last `fresh` seconds; who comes together looks once."""
        asked = asyncio.get_running_loop().time()
        async with self._look:
            if self.connection is None or self._looked < asked - fresh:
                self._looked = asyncio.get_running_loop().time()
                self._take_connection(await self._environment.look_around())
            assert self.connection is not None
            return self.connection

    def _take_connection(self, connection: Connection) -> None:
        before, self.connection = self.connection, connection
        now = self.now()
        if connection.blind and self._offline_since is None:
            self._offline_since = now
            self._lose_sight(skip=0)
            self._look_now.set()
        elif not connection.blind and self._offline_since is not None:
            self._listener.missed(Gap(kind=GapKind.OFFLINE, started=self._offline_since, ended=now))
            self._offline_since = None
            self._lose_sight(skip=GRACE)
            self._wake()
        if before is None or (before.link, before.fault) != (connection.link, connection.fault):
            self._listener.connection_changed(connection)

    async def _watch_connection(self) -> None:
        while True:
            self._look_now.clear()
            try:
                await self.look(FRESH_LOOK)
            except Exception as error:  # noqa: BLE001 - logged; it is looked at again
                unforeseen("this computer's connection", error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN if self._blind else LOOK_USUALLY):
                    await self._look_now.wait()

    def _lose_sight(self, skip: int) -> None:
        """Nothing could be seen for a while: no count goes on, and rounds under way do not count."""
        self._epoch += 1
        now = self.now()
        for watched in self._watched.values():
            watched.tracks = {place: blind(track, now, skip) for place, track in watched.tracks.items()}
            if watched.health is not None:
                limits = watched.service.health.thresholds
                newest = tuple(watched.rounds)[-1:]
                proven = watched.health.proven
                watched.health = deployment_health(watched.deployment.name, watched.tracks, newest, limits, proven)

    # Sleep and clocks

    async def _watch_clocks(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            try:
                self._compare_clocks()
                self._compare_networks()
            except Exception as error:  # noqa: BLE001 - logged; the next tick compares again
                unforeseen("this computer's clocks and networks", error)

    def _compare_clocks(self) -> None:
        before, self._ticked = self._ticked, self._environment.read_clocks()
        found = interruption(before, self._ticked, TICK, SLACK)
        if found is not None:
            self._interrupted(found)

    def _compare_networks(self) -> None:
        """Another network: what is under way over the old one does not count, and who asks looks around anew."""
        before, self._networks = self._networks, self._environment.networks()
        if network_changed(before, self._networks):
            self._epoch += 1
            self._looked = float("-inf")
            self._look_now.set()

    def _interrupted(self, found: Interruption) -> None:
        self._base = (self._ticked.wall, self._ticked.monotonic)
        self._epoch += 1
        if found.clock_set:
            by = timedelta(seconds=found.clock_set)
            for watched in self._watched.values():
                watched.tracks = {place: moved(track, by) for place, track in watched.tracks.items()}
        if found.asleep or found.stalled >= SHORT_STALL:
            now = self.now()
            self._lose_sight(skip=GRACE)
            started = now - timedelta(seconds=found.unseen)
            kind = GapKind.ASLEEP if found.asleep else GapKind.NOT_RUNNING
            self._listener.missed(Gap(kind=kind, started=started, ended=now))
            self._looked = float("-inf")
            self._look_now.set()
            self._wake()


def _fresh_enough(before: Tracks, after: Tracks) -> float:
    """How old, in seconds, a look around may be that goes with a bad round which leads from `before` to `after`."""
    new = [track.state for place, track in after.items() if place not in before or before[place].state != track.state]
    if State.DOWN in new:
        return 0.0
    return FRESH_LOOK if State.SUSPECT in (t.state for t in after.values()) else OLD_LOOK


def _proven_by(deployment: str, offline: Connection | None, at: datetime) -> Connection:
    """What an answer proves that came while all witnesses were silent."""
    fault = LocalFault(kind=LocalFaultKind.ONLY_A_DEPLOYMENT, subject=deployment)
    return Connection(at=at, link=Connectivity.UNKNOWN, fault=fault, evidence=offline.evidence if offline else ())
