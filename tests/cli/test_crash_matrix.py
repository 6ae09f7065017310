"""The process killed at every point of a run's journal: the zone is whole, and resume, undo and accept each end it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from changeover.model.errors import Refused
from changeover.switchboard import Switchboard
from shop import Shop

KILLED_AT = str(Path(__file__).with_name("killed_at.py"))
#: A run's journal: started, then intent and end of each of its three steps, then its own end.
RUN_ENTRIES = 8
#: An undo's has undo-started instead of started.
POINTS = [(number, moment) for number in range(1, RUN_ENTRIES + 1) for moment in ("before", "after")]
ENDERS = ("resume", "undo", "accept")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with Shop(tmp_path_factory.mktemp("crash")) as shop:
        yield shop


def kill(shop: Shop, number: int, moment: str, *arguments: str) -> None:
    ended = subprocess.run(
        [sys.executable, KILLED_AT, str(number), moment, *arguments],
        env=shop.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr


def scenarios() -> list[object]:
    """Every point, both directions, every way to end it; a third of them runs always, the rest when there is time."""
    found = []
    for direction in ("forward", "undo"):
        for place, (number, moment) in enumerate(POINTS):
            for turn, ender in enumerate(ENDERS):
                marks = () if (place + turn) % len(ENDERS) == 0 else (pytest.mark.long,)
                found.append(pytest.param(number, moment, direction, ender, marks=marks))
    return found


@pytest.mark.parametrize(("number", "moment", "direction", "ender"), scenarios())
async def test_killed_at(world: Shop, number: int, moment: str, direction: str, ender: str) -> None:
    """Afterwards the zone is one of the two, `runs` says what can be done, and each way ends the run."""
    board = Switchboard(world.home)
    try:
        await scenario(world, board, number, moment, direction, ender)
    finally:
        await board.aclose()


async def scenario(shop: Shop, board: Switchboard, number: int, moment: str, direction: str, ender: str) -> None:
    if (back := await board.prepare("shop", "primary")) and not back.already_there:
        await board.switch(back)
    on_primary = shop.bind.records()
    if direction == "forward":
        kill(shop, number, moment, "switch", "shop", "--to", "backup", "--yes")
    else:
        run = await board.switch(await board.prepare("shop", "backup"))
        kill(shop, number, moment, "undo", run.run, "--yes")
    after_crash = shop.bind.records()
    newest = next(iter(await board.runs()), None)

    if (number, moment) == (1, "before"):
        # Nothing had reached the journal: nothing was begun.
        assert newest is None or newest.outcome in ("completed", "undone")
        assert (after_crash == on_primary) is (direction == "forward")
        return
    assert newest is not None
    if (number, moment) == (RUN_ENTRIES, "after"):
        assert newest.outcome == ("completed" if direction == "forward" else "undone")
        return

    assert (newest.outcome, newest.next) == ("interrupted", ("resume", "undo", "accept"))
    moved = {line for line in after_crash if line.endswith(" 60 A 127.0.0.3")}
    assert (len(moved) == 2) != (after_crash == on_primary), "the zone is in neither of its two states"
    with pytest.raises(Refused):
        await board.switch(await board.prepare("shop", "backup", emergency=True))

    if ender == "accept":
        accepted = await board.accept(newest.run, "looked at it by hand")
        assert accepted.accepted == "looked at it by hand"
        assert shop.bind.records() == after_crash
    else:
        ended = await (board.resume if ender == "resume" else board.undo)(newest.run)
        forward = ender == "resume" and direction == "forward"
        assert ended.outcome == ("completed" if forward else "undone")
        assert (shop.bind.records() == on_primary) is not forward
        assert (await board.observe("shop")).active == ("backup" if forward else "primary")
    assert await board.unfinished_run("shop") is None
