"""What stops a run before its next step, also where that step is no DNS: a lost lease, a pause, a stop, its time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from changeover.dns.lookup.client import Lookup
from changeover.model.dns.lease import Holder
from changeover.model.errors import Refused
from changeover.model.health.check import JourneyResult
from changeover.model.runs.plan import ActionStep, Plan
from changeover.model.runs.run import Outcome, Paused, Run, Started, StepState
from changeover.model.runs.verification import Verdict
from changeover.model.settings.action import Action, CommandLine, Phase
from changeover.model.settings.service import Answer, Deployment, LookupSettings, Service
from changeover.storage.home import Home
from changeover.storage.journal.journal import Journal
from changeover.switchboard import Switchboard
from changeover.switchover.lease import ZoneLeases
from changeover.switchover.runner import Runner
from shop import Shop

SERVICE = Service(
    name="shop",
    hostnames=("www.shop.example",),
    dns=(),
    deployments=(
        Deployment(name="primary", answer=Answer(a=("127.0.0.2",))),
        Deployment(name="backup", answer=Answer(a=("127.0.0.3",))),
    ),
)


def step(name: str) -> ActionStep:
    operation = CommandLine(command=("true",))
    action = Action(name=name, phase=Phase.PROMOTE, operation=operation)
    return ActionStep(name=name, text=name, action=action, operation=operation)


class TwoSteps:
    """A run of two operations; `meanwhile` is what happens during the first one. `done` are those that were done."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.done: list[str] = []
        self.stop = asyncio.Event()
        self.leases = ZoneLeases({}, Holder(owner="anna@laptop", service="shop"), {})
        self.service = SERVICE
        self.run = ""

    async def go(self, meanwhile: Callable[[TwoSteps], Awaitable[None]]) -> Run:
        async def act(step: ActionStep, run: Run, stop: asyncio.Event) -> Verdict:
            self.run = run.run
            self.done.append(step.name)
            if len(self.done) == 1:
                await meanwhile(self)
            return Verdict(StepState.DONE, "done")

        async def nothing(_: ActionStep) -> None:
            return None

        async def no_journeys(_: Deployment, __: str) -> tuple[JourneyResult, ...]:
            return ()

        runner = Runner(
            self.service,
            self.journal,
            {},
            Lookup(LookupSettings(resolvers=(), witnesses=())),
            on_progress=lambda _: None,
            stop=self.stop,
            verify_timeout=1,
            walk=no_journeys,
            act=act,
            before=nothing,
            leases=self.leases,
        )
        steps = (step("first"), step("second"))
        plan = Plan(service="shop", source="primary", to="backup", steps=steps, made_at=datetime.now(UTC))
        return await runner.start(Started(plan=plan))


@pytest.fixture
async def two_steps(tmp_path: Path) -> AsyncIterator[TwoSteps]:
    journal = Journal(Home.at(tmp_path).database)
    yield TwoSteps(journal)
    journal.close()


async def lose_the_lease(run: TwoSteps) -> None:
    run.leases.why_lost = "bob@desk took the lease over"
    run.leases.lost.set()


async def pause(run: TwoSteps) -> None:
    await run.journal.append(run.run, Paused(who="bob@desk"))


async def stop(run: TwoSteps) -> None:
    run.stop.set()


async def nothing_happens(run: TwoSteps) -> None:
    pass


async def test_both_steps_are_done_where_nothing_stops_them(two_steps: TwoSteps) -> None:
    """So that what follows is not empty."""
    assert (await two_steps.go(nothing_happens)).outcome is Outcome.COMPLETED
    assert two_steps.done == ["first", "second"]


async def test_a_run_that_lost_its_lease_does_no_further_step(two_steps: TwoSteps) -> None:
    """Not even one that writes no record: whoever took the lease over may be doing the same, or its opposite."""
    ended = await two_steps.go(lose_the_lease)
    assert two_steps.done == ["first"]
    assert (ended.outcome, ended.text) == (Outcome.INCOMPLETE, "bob@desk took the lease over")


@pytest.mark.parametrize("meanwhile", [pause, stop])
async def test_a_pause_and_a_stop_are_heard_before_the_next_step(
    two_steps: TwoSteps, meanwhile: Callable[[TwoSteps], Awaitable[None]]
) -> None:
    """Whichever process the pause came from; the run can go on later."""
    left = await two_steps.go(meanwhile)
    assert two_steps.done == ["first"]
    assert left.outcome is Outcome.INTERRUPTED
    assert left.paused is (meanwhile is pause)


async def test_a_run_that_takes_too_long_stops_between_two_steps(two_steps: TwoSteps) -> None:
    """After its `run_timeout`."""
    two_steps.service = replace(SERVICE, run_timeout=0)
    assert (await two_steps.go(nothing_happens)).outcome is Outcome.INTERRUPTED
    assert two_steps.done == []


@pytest.mark.parametrize("what", ["the backup breaks", "the records change"])
async def test_a_preparation_that_has_become_stale_is_made_anew(shop: Shop, what: str) -> None:
    """Whoever looks at a plan for long gets what speaks against it by then, and nothing is changed."""
    board = Switchboard(shop.home)
    try:
        prepared = await board.prepare("shop", "backup")
        assert not prepared.blocked
        if what == "the backup breaks":
            shop.web.break_("backup")
        else:
            shop.bind.change(delete=["www CNAME"], add=["www 300 CNAME edge-primary"])
        before = shop.bind.records()
        stale = replace(prepared, at=prepared.at - timedelta(minutes=2))
        with pytest.raises(Refused) as caught:
            await board.switch(stale, who="anna@laptop")
    finally:
        await board.aclose()
    if what == "the backup breaks":
        assert "target-answers" in {f.check for f in caught.value.findings if f.level == "block"}
    else:
        assert "not what this plan was made from" in caught.value.text
    assert shop.bind.records() == before
