"""What a run makes of a platform's word: done, provably not done, or not known."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from changeover.accounts.accounts import Accounts, Steering
from changeover.accounts.trust import Trust, files_of
from changeover.dns.lookup.client import Lookup
from changeover.lab.app import AppSettings, LabApp
from changeover.model.dns.change import ZoneAt
from changeover.model.errors import NotApproved, NotFound, Unavailable
from changeover.model.runs.plan import ActionStep, Plan
from changeover.model.runs.run import Entry, Run, Started, StepState, fold
from changeover.model.runs.verification import Verdict
from changeover.model.settings.acting_parts import action_part
from changeover.model.settings.action import Action, CommandLine, Operation, Phase, PlatformCall, Verb
from changeover.model.settings.service import Account, Answer, Deployment, LookupSettings, Service, Settings
from changeover.storage.home import Home
from changeover.storage.keyring import Vault
from changeover.switchover.actions.perform import ActionExecutor
from platforms.lab_ground import LabApi

HERE = Deployment(
    name="primary", answer=Answer(a=("127.0.0.2",)), platform="lab", account="lab-me", options={"app": "primary"}
)
LOST = Deployment(
    name="backup", answer=Answer(a=("127.0.0.3",)), platform="lab", account="lab-me", options={"app": "third"}
)
SHOP = Service(
    name="shop",
    hostnames=("www.shop.example",),
    dns=(ZoneAt(account="dns-main", zone="shop.example"),),
    deployments=(HERE, LOST),
)


SCALE = Action(name="scale", phase=Phase.PROMOTE, operation=PlatformCall(deployment="primary", verb="scale"))
SETTINGS = Settings(services=(replace(SHOP, actions=(SCALE,)),))


class World:
    """A practice ground's API and what asks it."""

    def __init__(self, folder: Path) -> None:
        self.app = LabApp("primary", folder)
        self.api = LabApi({"primary": self.app})
        home = Home.at(folder)
        vault = Vault(home, timeout=5)
        self.files = files_of(home)
        self.trust = Trust(home, lambda: SETTINGS, vault)
        self.accounts = Accounts(home, vault, self.trust)
        lookup = Lookup(LookupSettings(resolvers=(), witnesses=()))
        self.executor = ActionExecutor(SHOP, lookup, self.trust, self.open_platform, self.said)

    async def open_platform(self, deployment: Deployment) -> Steering:
        account = Account("lab-me", "lab", {"endpoint": self.api.address})
        return await self.accounts.open_platform(Settings(accounts=(account,)), deployment)

    async def said(self, run: str) -> Run:
        raise AssertionError("no step asks a person")

    async def perform(self, operation: Operation) -> Verdict:
        step = step_of(operation)
        await self.trust.approve([action_part(SHOP, step.action, self.files)])
        return await self.carried_out(step)

    async def carried_out(self, step: ActionStep) -> Verdict:
        plan = Plan(
            service="shop", source="primary", to="backup", steps=(step,), made_at=datetime(2026, 12, 1, tzinfo=UTC)
        )
        run = fold([Entry(run="shop-1", at=plan.made_at, event=Started(plan=plan))], alive=True)
        return await self.executor.perform(step, run, asyncio.Event())


def step_of(operation: Operation) -> ActionStep:
    action = Action(name="one", phase=Phase.PROMOTE, operation=operation, timeout=20)
    return ActionStep(name="one", text="", action=action, operation=operation)


def call(verb: Verb, deployment: str = "primary", **options: object) -> PlatformCall:
    return PlatformCall(deployment=deployment, verb=verb, options=dict(options))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path)
    await made.trust.approve(await made.trust.parts())
    with made.api:
        yield made


async def test_nothing_is_asked_of_an_app_that_nobody_approved(world: World) -> None:
    """Neither to read what stands there nor to change it, though a run that began before would."""
    await world.trust.withdraw()
    refused = await world.perform(call("scale", instances=3))
    assert refused.state is StepState.FAILED
    assert "What actions of shop ask of platforms is new, and may not act until it is approved" in refused.text
    with pytest.raises(NotApproved):
        await world.executor.before(step_of(call("scale", instances=3)))
    assert world.api.requests == []


async def test_what_a_person_asks_for_is_approved_by_that_and_nothing_else_is(world: World) -> None:
    """Just that, at just that app; a run may go on with it, until everything is withdrawn."""
    asked, other = step_of(call("scale", instances=3)), step_of(call("scale", instances=0))
    await world.trust.ask(SHOP, asked.action)
    assert (await world.executor.before(asked)) is not None
    assert (await world.carried_out(asked)).state is StepState.DONE
    refused = await world.carried_out(other)
    assert refused.state is StepState.FAILED
    assert "may not act until it is approved" in refused.text
    elsewhere = replace(SHOP, deployments=(replace(HERE, options={"app": "backup"}), LOST))
    with pytest.raises(NotApproved):
        await world.trust.permit_action(elsewhere, asked.action)
    assert world.app.settings == AppSettings(instances=3)
    await world.trust.withdraw()
    assert (await world.carried_out(asked)).state is StepState.FAILED
    with pytest.raises(NotApproved):
        await world.trust.ask(SHOP, asked.action)


async def test_what_is_done_is_told(world: World) -> None:
    """In the platform's words; before it, what stood there is read."""
    stood = await world.executor.before(step_of(call("scale", instances=3)))
    assert stood is not None
    assert stood.wanted == 1
    assert await world.perform(call("scale", instances=3)) == (StepState.DONE, "primary has 3 instances")
    assert world.app.settings == AppSettings(instances=3)


async def test_what_asks_no_platform_has_nothing_before(world: World) -> None:
    """No account is opened for it."""
    assert await world.executor.before(step_of(CommandLine(command=("true",)))) is None
    assert world.api.requests == []


async def test_a_lost_answer_is_not_known(world: World) -> None:
    """It was done here; nobody says so."""
    world.api.misbehave("drop-after", writes_only=True)
    verdict = await world.perform(call("maintenance-on"))
    assert verdict.state is StepState.UNKNOWN
    assert verdict.text.endswith("whether it was done is not known")
    assert world.app.settings.maintenance


async def test_what_was_not_sent_was_not_done(world: World) -> None:
    """No connection, no such app, a refusal, a verb or options that the platform does not take."""
    refused = [
        await world.perform(call("scale", instances=5000)),
        await world.perform(call("scale", "backup", instances=2)),
        await world.perform(call("promote")),
        await world.perform(call("scale", instance=2)),
    ]
    world.api.stop()
    refused.append(await world.perform(call("scale", instances=2)))
    for verdict in refused:
        assert verdict.state is StepState.FAILED
        assert "nothing was done" in verdict.text.lower()
    assert world.app.settings == AppSettings()


async def test_what_cannot_be_read_is_an_error(world: World) -> None:
    """What stood before could then not be put back."""
    with pytest.raises(NotFound):
        await world.executor.before(step_of(call("scale", "backup", instances=2)))
    world.api.stop()
    with pytest.raises(Unavailable):
        await world.executor.before(step_of(call("scale", instances=2)))
