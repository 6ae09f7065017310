"""A watch that goes on for days needs no more memory than one of an hour."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from changeover.dns.lookup.client import Lookup
from changeover.health.probe_environment import NetworkEnvironment
from changeover.health.watch import RoundRecorded, Watch
from changeover.model.dns.change import ZoneAt
from changeover.model.health.check import HealthCheck
from changeover.model.health.connectivity import Connection
from changeover.model.health.history import Gap
from changeover.model.settings.service import Answer, Deployment, LookupSettings, Service
from changeover.monitoring.recorder import HistoryRecorder
from changeover.storage.history.history import History
from web_servers.nginx import Nginx

NAME = "www.shop.example"
NOWHERE = LookupSettings(resolvers=(), witnesses=(), doh=(), portal=None)
SERVICES, INTERVAL = 200, 2.0
#: Minutes after which the memory is looked at.
LOOKS = [float(text) for text in os.environ.get("CHANGEOVER_MEMORY_MINUTES", "5 15 30").split()]


class Listener:
    """Keeps what a watch sees, as the window does."""

    def __init__(self, recorder: HistoryRecorder) -> None:
        self.recorder = recorder

    def saw(self, seen: RoundRecorded) -> None:
        self.recorder.saw(seen, False, False)

    def connection_changed(self, connection: Connection) -> None:
        pass

    def missed(self, gap: Gap) -> None:
        self.recorder.missed(gap)


def resident() -> float:
    """The memory of this process, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.long
@pytest.mark.timeout(int(LOOKS[-1] * 60) + 300)
async def test_the_memory_of_a_watch_is_flat(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """200 services, every 2 s, for half an hour: between the 5th and the 30th minute it grows by a tenth at most."""
    deployments = tuple(Deployment(name=f"d{n}", answer=Answer(a=("127.0.0.2",))) for n in range(2))
    zones = (ZoneAt("dns", "shop.example"),)
    with Nginx(tmp_path, {"primary": ["127.0.0.2"]}, [NAME]) as nginx:
        check = HealthCheck(port=nginx.port, ca_file=str(nginx.ca_file), interval=INTERVAL)
        services = tuple(
            Service(name=f"s{n}", hostnames=(NAME,), dns=zones, deployments=deployments, health=check)
            for n in range(SERVICES)
        )
        history = History(tmp_path / "history.db")
        lookup = Lookup(NOWHERE)
        recorder = HistoryRecorder(history)
        watch = Watch(NetworkEnvironment(lambda: lookup, lambda: NOWHERE), Listener(recorder))
        watch.reset(services)
        tasks = [asyncio.create_task(watch.run()), asyncio.create_task(recorder.run())]
        found, passed = [], 0.0
        for minutes in LOOKS:
            done, _ = await asyncio.wait(tasks, timeout=(minutes - passed) * 60, return_when=asyncio.FIRST_COMPLETED)
            assert not done, "the watch ended"
            passed = minutes
            found.append(resident())
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await history.aclose()
    told = ", ".join(f"{megabytes:.0f} MB at {minutes:g} min" for megabytes, minutes in zip(found, LOOKS, strict=True))
    record_property("memory", told)
    print(f"memory of a watch of {SERVICES} services: {told}")
    assert found[-1] <= found[0] * 1.1, told
