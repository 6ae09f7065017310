"""A made-up world for live states: what is probed, read and recorded, in any loop's time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from changeover.health.watch import RoundRecorded
from changeover.model.errors import Unavailable
from changeover.model.health.clock_gap import Clocks
from changeover.model.health.connectivity import Connection, Connectivity
from changeover.model.health.history import Gap
from changeover.model.health.probe_result import Cause, Round, Visit
from changeover.model.readiness.freeze import Freeze
from changeover.model.readiness.pin import Pin
from changeover.model.readiness.snapshot import Snapshot
from changeover.model.runs.run import Run
from changeover.model.settings.service import Deployment, Service
from model.snapshots import BACKUP, PRIMARY, reading, result, servers, service, snapshot

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
SERVICES = tuple(replace(service(), name=f"s{number}") for number in range(20))


class World:
    """What a watch sees of it, and what is read; a test changes it."""

    def __init__(self) -> None:
        self.failing: set[str] = set()
        self.switched: set[str] = set()
        self.pins: tuple[Pin, ...] = ()
        self.silent = False
        self.link = Connectivity.ONLINE

    def now(self) -> datetime:
        return START + timedelta(seconds=asyncio.get_running_loop().time())

    def read_clocks(self) -> Clocks:
        passed = asyncio.get_running_loop().time()
        return Clocks(wall=START.timestamp() + passed, monotonic=passed, boot=passed)

    def networks(self) -> frozenset[str]:
        return frozenset({"192.0.2.1"})

    async def look_around(self) -> Connection:
        return Connection(at=self.now(), link=self.link)

    async def probe(self, service: Service, deployment: Deployment, known: dict[str, tuple[str, ...]]) -> Round:
        await asyncio.sleep(0.05)
        bad = {"ok": False, "cause": Cause.DEPLOYMENT, "reason": "503"}
        one = result(deployment.name, at=self.now(), **(bad if deployment.name in self.failing else {}))
        return Round(at=self.now(), results=(one,))


class Reader:
    """Reads the world's records; where nothing has changed, gives what was known."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def snapshot(self, service: Service, known: Snapshot | None) -> Snapshot:
        await asyncio.sleep(0.01)
        if self.world.silent:
            raise Unavailable("The keyring does not answer")
        there = BACKUP if service.name in self.world.switched else PRIMARY
        fresh = snapshot(service, readings=(reading(there),), servers=servers(there))
        return known if known is not None and known.servers == fresh.servers else fresh

    async def visit(self, service: Service) -> Visit:
        return Visit(hostname=service.hostnames[0], at=self.world.now(), text="")

    async def foremost_run(self, service: str) -> Run | None:
        return None

    async def pins(self) -> tuple[Pin, ...]:
        return self.world.pins

    async def freezes(self) -> tuple[Freeze, ...]:
        return ()


class Recorder:
    """Counts the rounds, and those of deployments that a person holds."""

    def __init__(self) -> None:
        self.rounds = 0
        self.held = 0

    def saw(self, seen: RoundRecorded, maintenance: bool, held: bool) -> None:
        self.rounds += 1
        self.held += held

    def missed(self, gap: Gap) -> None:
        """Nothing is kept."""

    async def run(self) -> None:
        await asyncio.Event().wait()
