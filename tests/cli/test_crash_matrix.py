"""The process killed at every point of a run's journal: the zone is whole, and resume, undo and accept each end it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

import pytest

from changeover.lab.app import AppSettings, LabApp
from changeover.model.errors import Refused
from changeover.model.runs.run import Run
from changeover.switchboard import Switchboard
from platforms.lab_ground import LabApi
from shop import Shop

#: A run's journal: started (an undo's has undo-started), then intent and end of each of its steps, then its own end.
ENTRIES = {"forward": 8, "undo": 8}
#: The same with operations beside DNS: four more steps, and two of these to take back.
WITH_OPERATIONS = {"forward": 16, "undo": 12}
#: The same with three operations of a platform, of which each is taken back.
WITH_PLATFORM = {"forward": 14, "undo": 14}
ENDERS = ("resume", "undo", "accept")
OPERATIONS = """
[[services.actions]]
name = "lock"
phase = "quiesce"
command = ["touch", "{folder}/locked"]
undo = {{ command = ["rm", "-f", "{folder}/locked"] }}
repeatable = true

[[services.actions]]
name = "drain"
phase = "drain"
wait = {{ seconds = 0.1 }}

[[services.actions]]
name = "tell"
phase = "prove"
note = "Tell the shop floor."

[[services.actions]]
name = "open"
phase = "lift"
command = ["touch", "{folder}/open"]
undo = {{ command = ["rm", "-f", "{folder}/open"] }}
repeatable = true

[lookup]"""

PLATFORM_ACCOUNT = """
[accounts.lab-platform]
provider = "lab"
endpoint = "{endpoint}"

[[services]]
"""
ON_PLATFORM = """
name = "{name}"
platform = "lab"
account = "lab-platform"
app = "{name}"
"""
#: None has an undo of its own, and none says that it may be repeated: the platform declares both.
PLATFORM_OPERATIONS = """
[[services.actions]]
name = "close"
phase = "quiesce"
to = ["backup"]
platform = {{ deployment = "primary", verb = "maintenance-on" }}

[[services.actions]]
name = "room"
phase = "promote"
to = ["backup"]
platform = {{ deployment = "backup", verb = "scale", instances = 5 }}

[[services.actions]]
name = "rest"
phase = "fence"
to = ["backup"]
platform = {{ deployment = "primary", verb = "scale", instances = 0 }}

[lookup]"""
BEFORE = {"primary": AppSettings(instances=3), "backup": AppSettings(instances=2)}
AFTER = {"primary": AppSettings(instances=0, maintenance=True), "backup": AppSettings(instances=5)}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with Shop(tmp_path_factory.mktemp("crash")) as shop:
        yield shop


def scenarios(entries: dict[str, int], often: int) -> list[object]:
    """Every point, both directions, every way to end it; one in `often` runs always, the rest when there is time."""
    found = []
    for direction, count in entries.items():
        points = [(number, moment) for number in range(1, count + 1) for moment in ("before", "after")]
        for place, (number, moment) in enumerate(points):
            for turn, ender in enumerate(ENDERS):
                marks = () if (place + turn) % often == 0 else (pytest.mark.long,)
                found.append(pytest.param(number, moment, direction, ender, marks=marks))
    return found


@pytest.fixture(scope="module")
def busy_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The same shop, with operations beside DNS before and after its records are changed."""
    with Shop(tmp_path_factory.mktemp("operations")) as shop:
        text = shop.home.settings_file.read_text().replace("[lookup]", OPERATIONS.format(folder=shop.folder))
        shop.home.settings_file.write_text(text)
        shop.json("trust", "--yes")
        yield shop


class SteeredShop(Shop):
    """The same shop, run by the practice ground's platform, whose apps are here. It begins with `BEFORE`."""

    def __enter__(self) -> Self:
        self.apps = {name: LabApp(name, self.folder) for name in BEFORE}
        self.api = LabApi(self.apps).__enter__()
        super().__enter__()
        text = self.home.settings_file.read_text()
        for old, new in (
            ("\n[[services]]\n", PLATFORM_ACCOUNT.format(endpoint=self.api.address)),
            *((f'\nname = "{name}"\n', ON_PLATFORM.format(name=name)) for name in BEFORE),
            ("\n[lookup]", PLATFORM_OPERATIONS.format()),
        ):
            assert old in text
            text = text.replace(old, new, 1)
        self.home.settings_file.write_text(text)
        self.json("trust", "--yes")
        return self

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self.api.__exit__(*error)

    def begin(self) -> None:
        for name, settings in BEFORE.items():
            self.apps[name].set(settings)

    @property
    def stands(self) -> dict[str, AppSettings]:
        return {name: app.settings for name, app in self.apps.items()}


@pytest.fixture(scope="module")
def steered_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SteeredShop]:
    with SteeredShop(tmp_path_factory.mktemp("steered")) as shop:
        yield shop


@pytest.mark.parametrize(("number", "moment", "direction", "ender"), scenarios(ENTRIES, often=6))
async def test_killed_at(world: Shop, number: int, moment: str, direction: str, ender: str) -> None:
    """Afterwards the zone is one of the two, `runs` says what can be done, and each way ends the run."""
    await scenario(world, number, moment, direction, ender, last=ENTRIES[direction])


@pytest.mark.parametrize(("number", "moment", "direction", "ender"), scenarios(WITH_OPERATIONS, often=16))
async def test_killed_among_operations(busy_world: Shop, number: int, moment: str, direction: str, ender: str) -> None:
    """So it is with commands, waits and notes around the records: what was done is done, or taken back."""
    await scenario(busy_world, number, moment, direction, ender, last=WITH_OPERATIONS[direction])
    newest = await newest_run(busy_world)
    if newest is not None and newest.outcome in ("completed", "undone"):
        traces = {name for name in ("locked", "open") if (busy_world.folder / name).exists()}
        assert traces == ({"locked", "open"} if newest.outcome == "completed" else set())


@pytest.mark.parametrize(("number", "moment", "direction", "ender"), scenarios(WITH_PLATFORM, often=16))
async def test_killed_among_a_platforms_operations(
    steered_world: SteeredShop, number: int, moment: str, direction: str, ender: str
) -> None:
    """So it is with maintenance and scale: taken back exactly, to the number that ran, also after a resume."""
    steered_world.begin()
    await scenario(steered_world, number, moment, direction, ender, last=WITH_PLATFORM[direction])
    newest = await newest_run(steered_world)
    if newest is not None and newest.outcome == "completed" and newest.to == "backup":
        assert steered_world.stands == AFTER
        board = Switchboard(steered_world.home)
        try:
            newest = await board.undo(newest.run, who="anna@laptop")
        finally:
            await board.aclose()
    if newest is not None and newest.outcome == "undone":
        assert steered_world.stands == BEFORE


async def newest_run(shop: Shop) -> Run | None:
    board = Switchboard(shop.home)
    try:
        return next(iter(await board.runs()), None)
    finally:
        await board.aclose()


async def scenario(shop: Shop, number: int, moment: str, direction: str, ender: str, last: int) -> None:
    board = Switchboard(shop.home)
    try:
        await story(shop, board, number, moment, direction, ender, last)
    finally:
        await board.aclose()


async def story(
    shop: Shop, board: Switchboard, number: int, moment: str, direction: str, ender: str, last: int
) -> None:
    if (back := await board.prepare("shop", "primary")) and not back.already_there:
        await board.switch(back, who="anna@laptop")
    for trace in ("locked", "open"):
        (shop.folder / trace).unlink(missing_ok=True)
    on_primary = shop.bind.records()
    if direction == "forward":
        shop.kill(number, moment, "switch", "shop", "--to", "backup", "--yes")
    else:
        run = await board.switch(await board.prepare("shop", "backup"), who="anna@laptop")
        shop.kill(number, moment, "undo", run.run, "--yes")
    after_crash = shop.bind.records()
    newest = next(iter(await board.runs()), None)

    if (number, moment) == (1, "before"):
        # Nothing had reached the journal: nothing was begun.
        assert newest is None or newest.outcome in ("completed", "undone")
        assert (after_crash == on_primary) is (direction == "forward")
        return
    assert newest is not None
    if (number, moment) == (last, "after"):
        assert newest.outcome == ("completed" if direction == "forward" else "undone")
        return

    assert (newest.outcome, newest.next) == ("interrupted", ("resume", "undo", "accept"))
    moved = {line for line in after_crash if line.endswith(" 60 A 127.0.0.3")}
    assert (len(moved) == 2) != (after_crash == on_primary), "the zone is in neither of its two states"
    with pytest.raises(Refused):
        await board.switch(await board.prepare("shop", "backup", emergency=True), who="anna@laptop")

    if ender == "accept":
        accepted = await board.accept(newest.run, "looked at it by hand", who="anna@laptop")
        assert accepted.accepted == "looked at it by hand"
        assert shop.bind.records() == after_crash
    else:
        ended = await (board.resume if ender == "resume" else board.undo)(newest.run, who="anna@laptop")
        forward = ender == "resume" and direction == "forward"
        assert ended.outcome == ("completed" if forward else "undone")
        assert (shop.bind.records() == on_primary) is not forward
        assert (await board.observe("shop")).active == ("backup" if forward else "primary")
    assert await board.unfinished_run("shop") is None
