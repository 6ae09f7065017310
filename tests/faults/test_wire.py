"""A thousand faults on the wire to real servers: nothing of anybody's is lost, no name is ever empty, and what a run
says of itself is true."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from faults.engine import SERVERS, SOA, ZONE
from faults.lane import Lane, zone_text
from faults.server import Watcher

#: At the same time, on one server.
LANES = 6
FEW = pytest.param(30, id="a few")
MANY = pytest.param(1500, id="many", marks=[pytest.mark.long, pytest.mark.timeout(1500)])


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("faults", [FEW, MANY])
async def test_faults_on_the_wire(
    server: str, faults: int, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Lost, cut, late and repeated messages, while somebody else edits and a watcher looks all the time."""
    text = SOA + "".join(zone_text(number) for number in range(LANES))
    with SERVERS[server](tmp_path, zone=ZONE, zone_text=text) as running:
        start = running.records()
        lanes = [Lane(running, number, f"{server}, {faults}", tmp_path) for number in range(LANES)]
        by_name = {name: lane for lane in lanes for name in lane.names}
        with Watcher(running, by_name, lambda name: by_name[name].may_give(name)) as watcher:
            counts = await strike(lanes, faults)
        notes = {note for lane in lanes for note in lane.notes}
        assert running.records() == start | notes, "beside the runs, every edit of somebody else's stands"
    assert watcher.wrong == []
    record_property("faults", f"{server}: {told(lanes, counts)}; {watcher.looks} looks, none of them empty")


async def strike(lanes: list[Lane], faults: int) -> Counter[str]:
    """Switches and puts back in all lanes at once, until as many faults have struck."""

    def struck() -> int:
        return sum(lane.proxy.struck.total() for lane in lanes)

    async def keep_on(lane: Lane) -> None:
        while struck() < faults:
            await lane.round()

    async with contextlib.AsyncExitStack() as stack:
        for lane in lanes:
            await stack.enter_async_context(lane.proxy)
            stack.callback(lane.close)
        async with asyncio.TaskGroup() as group:
            for lane in lanes:
                group.create_task(keep_on(lane))
    assert struck() >= faults
    return sum((lane.counts for lane in lanes), Counter[str]())


def told(lanes: list[Lane], counts: Counter[str]) -> str:
    """What was done to messages, and what came of the runs."""
    struck = sum((lane.proxy.struck for lane in lanes), Counter[str]())
    updates = sum(number for what, number in struck.items() if what.startswith("update"))
    kinds = Counter[str]()
    for what, number in struck.items():
        kinds[what.partition(": ")[2]] += number
    of_faults = ", ".join(f"{number} × {kind}" for kind, number in kinds.most_common())
    of_runs = ", ".join(f"{number} × {what}" for what, number in counts.most_common())
    return f"{struck.total()} faults, {updates} of them on updates ({of_faults}); runs and edits: {of_runs}"
