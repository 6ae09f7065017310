"""Measures what the window's loop pays for the journal: at the first look, at one with nothing new, at one with news.

    python bench/journal_reads.py [--runs N] [--rounds N]

A window looks whenever a state changes. Each run is a switch of two hostnames.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from changeover.model.dns.capabilities import BatchLimit, Capabilities
from changeover.model.dns.change import Change
from changeover.model.dns.records import record_set
from changeover.model.runs.plan import Plan, plan_of
from changeover.model.runs.run import Ended, Intent, Outcome, Started, StepEnded, StepState
from changeover.storage.journal.journal import Journal
from changeover.storage.journal.recorded_runs import RecordedRuns


def plan() -> Plan:
    changes = [
        Change(
            account="dns-main",
            zone="shop.example",
            name=name,
            before=(record_set(name, "A", 60, ["192.0.2.1"]),),
            after=(record_set(name, "A", 60, ["192.0.2.2"]),),
        )
        for name in ("www.shop.example", "shop.example")
    ]
    can = Capabilities(label="DNS", batch=BatchLimit(), native_compare_and_set=True, propagates_atomically=True)
    return plan_of("shop", "primary", "backup", changes, {"dns-main": can}, datetime.now(UTC))


async def write(journal: Journal, runs: int) -> None:
    made = plan()
    for _ in range(runs):
        run = (await journal.begin(Started(plan=made))).run
        for number in range(len(made.steps)):
            await journal.append(run, Intent(step=number))
            await journal.append(run, StepEnded(step=number, state=StepState.DONE, text="done", seconds=0.1))
        await journal.append(run, Ended(outcome=Outcome.COMPLETED, text="Visitors are served by backup", seconds=1))


async def look(recorded: RecordedRuns) -> tuple[float, float]:
    """The seconds that one look takes, and the longest that the loop stood still meanwhile."""
    longest, before = 0.0, time.perf_counter()

    async def ticks() -> None:
        nonlocal longest, before
        while True:
            await asyncio.sleep(0)
            now = time.perf_counter()
            longest, before = max(longest, now - before), now

    ticking = asyncio.ensure_future(ticks())
    await asyncio.sleep(0)
    began = time.perf_counter()
    await recorded.all()
    took = time.perf_counter() - began
    await asyncio.sleep(0)
    ticking.cancel()
    return took, longest


async def measure(file: Path, runs: int, rounds: int) -> None:
    journal = Journal(file)
    await write(journal, runs)
    journal.close()
    found: dict[str, list[tuple[float, float]]] = {"first": [], "nothing new": [], "one entry more": []}
    for _ in range(rounds):
        journal = Journal(file)
        recorded = RecordedRuns(journal)
        found["first"].append(await look(recorded))
        found["nothing new"].append(await look(recorded))
        await journal.append("shop-1", Intent(step=0))
        found["one entry more"].append(await look(recorded))
        journal.close()
    for what, times in found.items():
        took, stood = ([pair[n] for pair in times] for n in (0, 1))
        print(f"{runs} runs, {what}: {_spread(took)}, of which the loop stood still for at most {_spread(stood)}")


def _spread(seconds: Sequence[float]) -> str:
    low, high = min(seconds) * 1000, max(seconds) * 1000
    return f"{statistics.median(seconds) * 1000:.2f} ms ({low:.2f}-{high:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures what the window's loop pays for the journal.")
    parser.add_argument("--runs", type=int, default=300, metavar="N")
    parser.add_argument("--rounds", type=int, default=7, metavar="N")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder) / "changeover.db", asked.runs, asked.rounds))


if __name__ == "__main__":
    main()
