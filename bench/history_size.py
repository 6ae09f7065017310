"""Measures what the history costs: processor time of recording and rolling up, and the size of the file.

    python bench/history_size.py [--deployments N] [--hours H]

Every deployment has two addresses and is checked every 30 s; times are made up, the file is a real one.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sqlite3
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from changeover.model.health.probe_result import Cause, Phases, ProbeResult, Round
from changeover.storage.history.history import History

INTERVAL = 30
BEGIN = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def rounds(deployments: int, at: datetime, chance: random.Random) -> list[Round]:
    """One round of each deployment, spread over the interval; one result in a thousand is bad."""
    found = []
    for number in range(deployments):
        when = at + timedelta(seconds=INTERVAL * number / deployments)
        results = []
        for address in (f"192.0.2.{number % 250}", f"2001:db8::{number:x}"):
            total = chance.lognormvariate(-2.5, 0.4)
            phases = Phases(connect=total / 5, tls=total / 2, first_byte=total * 0.95, total=total)
            fails = chance.random() < 0.001
            reason = "503, expected 200-399" if fails else f"200 in {round(total * 1000)} ms"
            results.append(
                ProbeResult(
                    deployment="primary",
                    hostname="www.shop.example",
                    address=address,
                    at=when,
                    ok=not fails,
                    status=503 if fails else 200,
                    cause=Cause.DEPLOYMENT if fails else None,
                    reason=reason,
                    phases=phases,
                )
            )
        found.append(Round(at=when, results=tuple(results)))
    return found


async def measure(file: Path, deployments: int, hours: float) -> None:
    chance = random.Random(1)
    history = History(file)
    history.begin_recording()
    spent = {"flush": 0.0, "roll_up": 0.0}
    longest = {"flush": 0.0, "roll_up": 0.0}

    async def timed(name: str, now: datetime) -> None:
        started, cpu = time.perf_counter(), time.process_time()
        await (history.flush() if name == "flush" else history.roll_up(now))
        spent[name] += time.process_time() - cpu
        longest[name] = max(longest[name], time.perf_counter() - started)

    at = BEGIN
    steps = round(hours * 3600 / INTERVAL)
    for step in range(1, steps + 1):
        made = rounds(deployments, at, chance)
        for number, probed in enumerate(made):
            history.add_round(f"service-{number}", probed, "primary")
        at += timedelta(seconds=INTERVAL)
        await timed("flush", at)
        if step % 2 == 0:
            await timed("roll_up", at)
        if step in (20, steps):
            seconds = step * INTERVAL
            whole = sum(spent.values())
            print(f"{deployments} deployments, {seconds / 60:g} min: {100 * whole / seconds:.2f} % of a core", end="")
            print("".join(f", {name} {spent[name]:.2f} s (longest {longest[name]:.2f} s)" for name in spent))
    for name, span in (("hour", 1), ("day", 24), ("week", 168)):
        started = time.perf_counter()
        points = await history.series("service-7", "primary", at - timedelta(hours=span), at)
        print(f"chart of a {name}: {len(points)} points in {1000 * (time.perf_counter() - started):.0f} ms")
    started = time.perf_counter()
    await history.days("service-7", at - timedelta(days=7), at, UTC)
    print(f"seven days: {1000 * (time.perf_counter() - started):.0f} ms")
    await history.aclose()
    show_sizes(file)


def show_sizes(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    print(f"file: {file.stat().st_size / 1e6:.1f} MB")
    for table in ("results", "minutes", "hours"):
        (rows,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        (size,) = connection.execute("SELECT sum(pgsize) FROM dbstat WHERE name = ?", (table,)).fetchone()
        print(f"{table}: {rows} rows, {size / 1e6:.1f} MB, {size / max(rows, 1):.0f} bytes a row")
    connection.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures what the history costs.")
    parser.add_argument("--deployments", type=int, default=1000, metavar="N", help="how many (%(default)s)")
    parser.add_argument("--hours", type=float, default=24, metavar="H", help="how long (%(default)s)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder) / "changeover.db", asked.deployments, asked.hours))


if __name__ == "__main__":
    main()
