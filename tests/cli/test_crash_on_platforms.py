"""The process killed at every entry of one operation's journal, at Heroku and at Cloud Foundry, and ended each way.

A step that is not the same done twice is never done twice; an undo asks for exactly what stood before, and for nothing
where nothing was done; the other platform is asked for nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec
import pytest

from changeover.accounts.accounts import credential_of
from changeover.model.errors import Refused
from changeover.model.runs.run import Outcome, Run
from changeover.model.secret import Secret
from changeover.model.settings.action import Verb
from changeover.storage.keyring import Vault
from changeover.switchboard import Switchboard
from dns_servers.http_simulator import HttpSimulator
from keyring_session import KeyringSession
from platforms.cloudfoundry_ground import SECRET
from platforms.ground import PlatformGround
from platforms.heroku_simulator import TOKEN
from two_platforms import Moving

Record = Callable[[str, object], None]
ANNA = "anna@laptop"
ENDERS = ("resume", "undo", "accept")
#: What there is at the beginning, as a number of instances, and what is then asked for.
BEGINS, ASKED = {"start": 0}, 3
OPERATIONS: tuple[tuple[str, Verb], ...] = (
    *(("primary", verb) for verb in ("scale", "maintenance-on", "attach-domain", "restart")),
    *(("backup", verb) for verb in ("scale", "maintenance-on", "attach-domain", "stop", "start", "restart")),
)
#: Of Cloud Foundry's they are all declared to be the same done twice.
NOT_TWICE, NOT_TAKEN_BACK = (("primary", "restart"),), ("restart",)


class Case(NamedTuple):
    """Where a process dies: before or after entry `number` of the run's start or of its undo, which has four each."""

    deployment: str
    verb: Verb
    direction: str
    number: int
    moment: str
    ender: str


def cases(often: int) -> Iterator[Any]:
    """Every point and every way to end it; one in `often` runs always, the rest when there is time."""
    place = 0
    for deployment, verb in OPERATIONS:
        for direction in ("forward", "undo"):
            if direction == "undo" and verb in NOT_TAKEN_BACK:
                continue
            for number in (1, 2, 3, 4):
                for moment in ("before", "after"):
                    for ender in ENDERS:
                        marks = () if place % often == 0 else (pytest.mark.long,)
                        case = Case(deployment, verb, direction, number, moment, ender)
                        yield pytest.param(case, marks=marks, id=" ".join(map(str, case)))
                        place += 1


class Steered(Moving):
    """Both platforms, and a switchboard in this process that knows their secrets."""

    def board(self) -> Switchboard:
        vault = Vault(self.home)
        made = Switchboard(self.home, vault)
        for account in made.settings.accounts:
            credential = credential_of(account)
            for field in credential.fields:
                text = TOKEN if account.provider == "heroku" else SECRET.reveal()
                vault.hold(account.name, field, credential.host, Secret(text))
        return made

    @property
    def grounds(self) -> dict[str, PlatformGround]:
        return {"primary": self.heroku, "backup": self.cloud_foundry}


def writes(simulator: HttpSimulator) -> int:
    return sum(method != "GET" and not path.endswith("/oauth/token") for method, path in simulator.requests)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Steered]:
    with KeyringSession(tmp_path_factory.mktemp("keyring")) as session:
        # What is approved is kept in one place, for commands and for this process.
        session.environment["XDG_DATA_HOME"] = os.environ["XDG_DATA_HOME"]
        with Steered(tmp_path_factory.mktemp("steered"), session) as running:
            yield running


class Story:
    """One case, with what stood before and what was asked of the platforms since."""

    def __init__(self, shop: Steered, board: Switchboard, case: Case) -> None:
        self.shop = shop
        self.board = board
        self.case = case
        self.ground = shop.grounds[case.deployment]
        (self.other,) = (one for name, one in shop.grounds.items() if name != case.deployment)
        for ground in shop.grounds.values():
            ground.begin(BEGINS.get(case.verb, 2), maintenance=False)
        self.before, self.elsewhere = self.ground.world(), self.other.world()
        self.asked_before, self.asked_elsewhere = writes(self.ground.behind), writes(self.other.behind)
        given = self.ground.options(case.verb, ASKED)
        told = {} if given is None else msgspec.to_builtins(given)
        self.options = {key: value for key, value in told.items() if value not in ("", None)}

    @property
    def asked(self) -> int:
        """How many requests have changed something since the beginning."""
        return writes(self.ground.behind) - self.asked_before

    @property
    def is_done(self) -> bool:
        return self.ground.stands(self.case.verb, ASKED)

    async def crash(self) -> None:
        case = self.case
        if case.direction == "undo":
            plan = self.board.operation_plan("shop", case.deployment, case.verb, self.options)
            run = await self.board.operate(plan, who=ANNA)
            assert (run.outcome, run.next, self.is_done) == (Outcome.COMPLETED, ("undo",), True), run.text
            self.shop.kill(case.number, case.moment, "undo", run.run, "--yes")
        else:
            sets = [word for key, value in self.options.items() for word in ("--set", f"{key}={value}")]
            words = ("platform", "shop", case.deployment, case.verb, *sets, "--yes")
            self.shop.kill(case.number, case.moment, *words)

    async def newest(self) -> Run | None:
        return next(iter(await self.board.runs()), None)


@pytest.mark.parametrize("case", list(cases(often=17)))
async def test_killed_at(shop: Steered, case: Case, record_property: Record) -> None:
    """What the journal has decides; what nobody knows is not done again but where that does no harm."""
    board = shop.board()
    try:
        known = await Story(shop, board, case).newest()
        story = Story(shop, board, case)
        await story.crash()
        newest = await story.newest()
        came = await ended(story, newest, known)
        record_property("killed on a platform", came)
        assert story.other.world() == story.elsewhere
        assert writes(story.other.behind) == story.asked_elsewhere
        assert await board.unfinished_run("shop") is None
    finally:
        await board.aclose()


async def ended(story: Story, newest: Run | None, known: Run | None) -> str:
    """Ends the run as the case says, and looks at what became of the platform. Gives what came of it in words."""
    case, board = story.case, story.board
    forward = case.direction == "forward"
    if (case.number, case.moment) == (1, "before"):
        if forward:
            assert (newest, story.asked) == (known, 0)
            assert story.ground.world() == story.before
        else:
            assert newest is not None
            assert (newest.outcome, story.is_done) == (Outcome.COMPLETED, True)
        return "not begun"
    assert newest is not None
    if (case.number, case.moment) == (4, "after"):
        assert newest.outcome is (Outcome.COMPLETED if forward else Outcome.UNDONE)
        assert story.is_done is forward
        return "over before"
    assert newest.outcome is Outcome.INTERRUPTED
    at_crash, asked = story.ground.world(), story.asked
    with pytest.raises(Refused):
        plan = board.operation_plan("shop", case.deployment, case.verb, story.options)
        await board.operate(plan, who=ANNA)
    assert story.asked == asked

    if case.ender == "accept":
        await board.accept(newest.run, "looked at it by hand", who=ANNA)
        assert (story.ground.world(), story.asked) == (at_crash, asked)
        return "accepted"
    if not forward:
        run = await (board.resume if case.ender == "resume" else board.undo)(newest.run, who=ANNA)
        assert run.outcome is Outcome.UNDONE, run.text
        assert story.ground.world() == story.before
        return "taken back"
    return await (resumed if case.ender == "resume" else undone)(story, newest)


async def resumed(story: Story, newest: Run) -> str:
    """It ends done. What is not the same done twice was done once, by whichever of the two processes."""
    case, board = story.case, story.board
    intended = (case.number, case.moment) not in ((1, "after"), (2, "before"))
    known = (case.number, case.moment) in ((3, "after"), (4, "before"))
    asked = story.asked
    run = await board.resume(newest.run, who=ANNA)
    if known:
        assert (run.outcome, story.asked) == (Outcome.COMPLETED, asked), "it was known to be done"
        assert story.is_done
        return "resumed, known to be done"
    if intended and (case.deployment, case.verb) in NOT_TWICE:
        assert (run.outcome, story.asked) == (Outcome.INCOMPLETE, asked), "nobody knows whether it was done"
        assert "say that it is to be repeated, or skip it" in run.text
        done_before = asked > 0
        if done_before:
            await board.skip(run.run, "1", "it was done, as I have seen", who=ANNA)
        else:
            await board.repeat(run.run, "1", who=ANNA)
        run = await board.resume(run.run, who=ANNA)
        assert (run.outcome, story.asked, story.is_done) == (Outcome.COMPLETED, 1, True)
        return "skipped" if done_before else "repeated by a person"
    assert run.outcome is Outcome.COMPLETED, run.text
    assert story.is_done
    if not intended:
        assert story.asked == story.ground.requests(case.verb), "it is done once, by who goes on"
        return "resumed, not begun"
    return "resumed, done again" if story.asked > asked else "resumed, found done"


async def undone(story: Story, newest: Run) -> str:
    """What stood before stands again, exactly; what nothing takes back is not said to be taken back."""
    case, board = story.case, story.board
    intended = (case.number, case.moment) not in ((1, "after"), (2, "before"))
    asked = story.asked
    if case.verb in NOT_TAKEN_BACK and intended:
        assert newest.next == ("resume", "accept")
        with pytest.raises(Refused):
            await board.undo(newest.run, who=ANNA)
        assert story.asked == asked
        await board.accept(newest.run, "nothing takes it back", who=ANNA)
        return "takes no undo"
    run = await board.undo(newest.run, who=ANNA)
    assert run.outcome is Outcome.UNDONE, run.text
    assert story.ground.world() == story.before
    if not intended:
        assert story.asked == 0, "nothing was done, so nothing is asked for"
        return "undone, not begun"
    return "undone"
