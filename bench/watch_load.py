"""What watching costs: a thousand deployments checked every 30 s, and how soon a broken one is noticed.

    python bench/watch_load.py [--deployments N] [--seconds S]

nginx answers over HTTPS on loopback, in a process of its own that is not counted. The watch, its verdicts and its
history are the real ones. Lateness is how much later than asked a timer of 5 ms comes on the watch's loop, which is
the window's.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from changeover.dns.lookup.client import Lookup
from changeover.health.probe_environment import NetworkEnvironment
from changeover.health.watch import RoundRecorded, Watch
from changeover.model.dns.change import ZoneAt
from changeover.model.health.check import HealthCheck
from changeover.model.health.connectivity import Connection
from changeover.model.health.history import Gap
from changeover.model.health.probe_result import Health
from changeover.model.settings.service import Answer, Deployment, LookupSettings, Service
from changeover.monitoring.recorder import HistoryRecorder
from changeover.storage.history.history import History
from web_servers.nginx import Nginx

NAME = "www.shop.example"
NOWHERE = LookupSettings(resolvers=(), witnesses=(), doh=(), portal=None)
TIMER = 0.005


class Listener:
    """Keeps what a watch sees, and notes when something is called down."""

    def __init__(self, recorder: HistoryRecorder) -> None:
        self.recorder = recorder
        self.seen = 0
        self.down = asyncio.Event()

    def saw(self, seen: RoundRecorded) -> None:
        self.seen += 1
        self.recorder.saw(seen, False, False)
        if seen.health.health is Health.UNHEALTHY:
            self.down.set()

    def connection_changed(self, connection: Connection) -> None:
        pass

    def missed(self, gap: Gap) -> None:
        self.recorder.missed(gap)


def services(count: int, nginx: Nginx, interval: float) -> tuple[Service, ...]:
    check = HealthCheck(port=nginx.port, ca_file=str(nginx.ca_file), interval=interval)
    deployments = tuple(Deployment(name=f"d{n}", answer=Answer(a=("127.0.0.2",))) for n in range(2))
    zones = (ZoneAt("dns", "shop.example"),)
    return tuple(
        Service(name=f"s{n}", hostnames=(NAME,), dns=zones, deployments=deployments, health=check)
        for n in range(count // 2)
    )


async def lateness(found: list[float]) -> None:
    """Notes in `found` how late each timer was, in seconds, until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        asked = loop.time() + TIMER
        await asyncio.sleep(TIMER)
        found.append(loop.time() - asked)


async def load(count: int, seconds: float, nginx: Nginx, folder: Path) -> None:
    """Prints what so many deployments cost, after the first burst."""
    history = History(folder / "changeover.db")
    listener = Listener(HistoryRecorder(history))
    lookup = Lookup(NOWHERE)
    watch = Watch(NetworkEnvironment(lambda: lookup, lambda: NOWHERE), listener)
    watch.reset(services(count, nginx, 30))
    tasks = [asyncio.create_task(watch.run()), asyncio.create_task(listener.recorder.run())]
    await asyncio.sleep(45)
    late: list[float] = []
    tasks.append(asyncio.create_task(lateness(late)))
    seen, began, cpu = listener.seen, time.monotonic(), time.process_time()
    await asyncio.sleep(seconds)
    cpu, took = time.process_time() - cpu, time.monotonic() - began
    rounds = listener.seen - seen
    cuts = statistics.quantiles(late, n=100)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    await history.aclose()
    print(
        f"{count} deployments every 30 s: {rounds} rounds in {took:.0f} s, {100 * cpu / took:.1f} % of a core "
        f"(aim 8), loop late by {cuts[49] * 1000:.1f} ms at the median and "
        f"{cuts[98] * 1000:.1f} ms at p99 (aim 16), {memory:.0f} MB"
    )


async def notice(nginx: Nginx, interval: float) -> float:
    """The seconds from breaking a deployment to the verdict."""
    with tempfile.TemporaryDirectory() as folder:
        history = History(Path(folder) / "changeover.db")
        listener = Listener(HistoryRecorder(history))
        lookup = Lookup(NOWHERE)
        watch = Watch(NetworkEnvironment(lambda: lookup, lambda: NOWHERE), listener)
        watch.reset(services(2, nginx, interval))
        task = asyncio.create_task(watch.run())
        await asyncio.sleep(interval * 2 + 1)
        nginx.break_("web")
        began = time.monotonic()
        await listener.down.wait()
        took = time.monotonic() - began
        nginx.repair("web")
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await history.aclose()
        return took


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures what watching costs.")
    parser.add_argument("--deployments", type=int, default=1000, metavar="N")
    parser.add_argument("--seconds", type=float, default=90, metavar="S")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Nginx(Path(folder), {"web": ["127.0.0.2"]}, [NAME]) as nginx:
        for interval in (1.0, 2.0, 5.0):
            took = [asyncio.run(notice(nginx, interval)) for _ in range(3)]
            limit = interval * 3 + 1
            print(f"noticed at {interval:g} s × 3: after {max(took):.1f} s at most (aim {limit:g} s)")
        asyncio.run(load(asked.deployments, asked.seconds, nginx, Path(folder)))


if __name__ == "__main__":
    main()
