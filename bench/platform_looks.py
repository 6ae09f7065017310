"""Measures what looking at many apps on Heroku and Cloud Foundry costs, from far away: first, and when nothing changed.

    python bench/platform_looks.py [--apps N] [--latency MS]

The simulators of the tests answer, each answer that many milliseconds late; their own work is in the times.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from changeover.model.secret import Secret
from changeover.platforms.heroku.declaration import HerokuTarget
from changeover.platforms.heroku.heroku import Heroku
from platforms.heroku_ground import HerokuGround
from platforms.heroku_simulator import TOKEN, HerokuApp


async def heroku(apps: int, latency: float) -> None:
    with HerokuGround(Path(tempfile.mkdtemp())) as ground:
        names = [f"app-{number}" for number in range(apps)]
        ground.behind.apps.update({name: HerokuApp(name) for name in names})  # type: ignore[attr-defined]
        ground.behind.latency = latency
        account = Heroku("heroku-me", ground.behind.address, Secret(TOKEN), 30.0)
        for words in ("first", "again"):
            asked, began = len(ground.behind.requests), time.perf_counter()
            await asyncio.gather(*(account.observe(HerokuTarget(app=name)) for name in names))
            seconds = time.perf_counter() - began
            print(f"Heroku, {apps} apps, {words}: {len(ground.behind.requests) - asked} requests, {seconds:.2f} s")
        await account.aclose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--apps", type=int, default=20)
    parser.add_argument("--latency", type=float, default=100.0)
    chosen = parser.parse_args()
    asyncio.run(heroku(chosen.apps, chosen.latency / 1000))


if __name__ == "__main__":
    main()
