"""Measures what looking at many apps on Heroku and Cloud Foundry costs, from far away: first, and when nothing changed.

    python bench/platform_looks.py [--apps N] [--latency MS]

The simulators of the tests answer, from a process of their own, each answer that many milliseconds late. Where the
tests have fetched Heroku's own command line tool, what it takes to tell the same of one app is told as well.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from changeover.model.secret import Secret
from changeover.platforms.cloudfoundry.declaration import CloudFoundryTarget
from changeover.platforms.heroku.declaration import HerokuTarget
from changeover.platforms.heroku.heroku import Heroku
from changeover.platforms.platform import Platform
from dns_servers.http_simulator import HttpSimulator
from platforms.cloudfoundry_ground import CloudFoundryGround
from platforms.ground import PlatformGround
from platforms.heroku_ground import HerokuGround
from platforms.heroku_simulator import TOKEN, HerokuApp

#: Where tests/platforms/test_heroku_cli.py keeps it.
CLI = Path(__file__).resolve().parents[1] / ".pytest_cache" / "d" / "heroku-cli" / "node_modules" / ".bin" / "heroku"


class Served:
    """Simulators in a process of their own, so that their work is not that of who asks the first of them."""

    def __init__(self, ground: PlatformGround, simulators: Sequence[HttpSimulator], latency: float) -> None:
        self._ours, theirs = multiprocessing.Pipe()
        multiprocessing.get_context("fork").Process(
            target=self._serve, args=(ground, simulators, latency, theirs)
        ).start()
        for simulator, port in zip(simulators, self._ours.recv(), strict=True):
            simulator.port = port
        self.address = simulators[0].address

    @staticmethod
    def _serve(ground: PlatformGround, simulators: Sequence[HttpSimulator], latency: float, line: Connection) -> None:
        with ground:
            simulators[0].latency = latency
            line.send([simulator.port for simulator in simulators])
            while line.recv():
                line.send(len(simulators[0].requests))

    @property
    def asked(self) -> int:
        """How many requests the first has had."""
        self._ours.send(True)
        number: int = self._ours.recv()
        return number

    def stop(self) -> None:
        self._ours.send(False)


async def measured(label: str, served: Served, account: Platform, targets: Sequence[Any]) -> None:
    """Two looks at all of them, each with all at the same time."""
    for words in ("first", "again"):
        asked, began, worked = served.asked, time.perf_counter(), time.thread_time()
        await asyncio.gather(*(account.observe(target) for target in targets))
        seconds, own = time.perf_counter() - began, time.thread_time() - worked
        number = served.asked - asked
        print(f"{label}, {len(targets)} apps, {words}: {number} requests, {seconds:.2f} s, {own:.2f} s of a processor")
    await account.aclose()


def heroku(apps: int, latency: float) -> None:
    names = [f"app-{number}" for number in range(apps)]
    ground = HerokuGround(Path())
    ground.behind.apps.update({name: HerokuApp(name) for name in names})
    served = Served(ground, (ground.behind,), latency)
    account = Heroku("heroku-me", served.address, Secret(TOKEN), 30.0)
    asyncio.run(measured("Heroku", served, account, [HerokuTarget(app=name) for name in names]))
    if CLI.exists():
        asked, began = served.asked, time.perf_counter()
        for words in ("apps:info", "ps", "domains", "releases", "config"):
            command_line(served.address, words, names[0])
        seconds, number = time.perf_counter() - began, served.asked - asked
        print(f"The Heroku CLI, 1 app, five commands: {number} requests, {seconds:.2f} s")
    served.stop()


def command_line(address: str, words: str, app: str) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": tempfile.mkdtemp(),
        "HEROKU_HOST": address,
        "HEROKU_API_KEY": TOKEN,
        "DISABLE_TELEMETRY": "true",
        "HEROKU_SKIP_NEW_VERSION_CHECK": "1",
    }
    asked = [str(CLI), words, "--json", "-a", app]
    subprocess.run(asked, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=True)


def cloud_foundry(apps: int, latency: float) -> None:
    names = [f"app-{number}" for number in range(apps)]
    ground = CloudFoundryGround()
    for name in names:
        made = ground.simulator.add_app(name, ground.space, commit="4f4f592")
        ground.simulator.add_route(name, ground.domain, ground.space, [(made, "web")])
    served = Served(ground, (ground.behind, ground.uaa), latency)
    account = ground.open(served.address, 30.0)
    targets = [CloudFoundryTarget(organization="shop", space="production", app=name) for name in names]
    asyncio.run(measured("Cloud Foundry", served, account, targets))
    served.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--apps", type=int, default=20)
    parser.add_argument("--latency", type=float, default=100.0)
    chosen = parser.parse_args()
    heroku(chosen.apps, chosen.latency / 1000)
    cloud_foundry(chosen.apps, chosen.latency / 1000)


if __name__ == "__main__":
    main()
