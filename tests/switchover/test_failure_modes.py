"""What goes wrong at night, made to happen for real: each fault is named for what it is, and for nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from changeover.model.finding import Level
from changeover.model.health.connectivity import Connectivity
from changeover.model.health.history import GapKind
from changeover.model.health.probe_result import Cause, Health
from changeover.model.health.track import State
from changeover.model.readiness.pin import Hold
from changeover.model.readiness.service_state import ServiceState
from changeover.model.wording.sentence import sentence, urgent
from changeover.switchboard import Switchboard
from shop import Shop
from watched import until, watching
from web_servers.raw import raw_server

#: Quick to recover, so that nobody waits for three minutes.
QUICK = "[services.health.thresholds]\nup_after = 2\nup_seconds = 1\n\n[[services.deployments]]"


def words(state: ServiceState) -> str:
    return sentence(state, datetime.now().astimezone()).text


def all_are(health: Health, state: ServiceState) -> bool:
    return bool(state.health) and all(h.health is health for h in state.health.values())


def edit(shop: Shop, old: str, new: str) -> None:
    text = shop.home.settings_file.read_text()
    assert old in text
    shop.home.settings_file.write_text(text.replace(old, new, 1))


@asynccontextmanager
async def witnesses(shop: Shop) -> AsyncIterator[AsyncExitStack]:
    """Three witnesses on loopback; whoever closes the stack takes this computer offline."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with AsyncExitStack() as stack:
        ports = [await stack.enter_async_context(raw_server(accept)) for _ in range(3)]
        asked = ", ".join(f'"tcp://127.0.0.1:{port}"' for port in ports)
        edit(shop, "witnesses = []", f"witnesses = [{asked}]")
        yield stack


async def history_of(board: Switchboard) -> tuple[list[str], list[GapKind]]:
    """The deployments that had an incident, and the kinds of gaps."""
    await board.history.flush()
    until_ = datetime.now(UTC) + timedelta(minutes=1)
    since = until_ - timedelta(hours=1)
    incidents = await board.history.incidents("shop", since, until_)
    return [i.deployment for i in incidents], [g.kind for g in await board.history.gaps(since, until_)]


async def test_this_computer_goes_offline(shop: Shop) -> None:
    """Everything fails from here, and no witness answers: nothing is down, nothing is counted, nobody is alarmed."""
    async with witnesses(shop) as stack:
        edit(shop, "[[services.deployments]]", QUICK)
        async with watching(shop) as board:
            await until(board, lambda s: all_are(Health.HEALTHY, s))
            await stack.aclose()
            shop.web.stop()
            state = await until(board, lambda s: s.overlay.connection is not None and s.overlay.connection.blind)
            assert all_are(Health.UNKNOWN, state)
            assert {h.cause for h in state.health.values()} == {Cause.COMPUTER}
            assert words(state).startswith("This computer is offline")
            assert not urgent(state)
            seen = [s async for s in following(board, rounds=4)]
            assert not any(h.health is Health.UNHEALTHY for s in seen for h in s.health.values())
            incidents, _ = await history_of(board)
            assert incidents == []


async def following(board: Switchboard, rounds: int) -> AsyncIterator[ServiceState]:
    """The states of the shop as they come, for so many changes."""
    changed: asyncio.Queue[ServiceState] = asyncio.Queue()
    end = board.subscribe(lambda _: changed.put_nowait(board.state("shop")))
    try:
        for _ in range(rounds):
            async with asyncio.timeout(60):
                yield await changed.get()
    finally:
        end()


async def test_a_real_outage_is_an_incident_with_its_evidence(shop: Shop) -> None:
    """The witnesses answer, so it is the primary: it is down, with cause, reason and evidence, until it is up again."""
    async with witnesses(shop):
        edit(shop, "[[services.deployments]]", QUICK)
        async with watching(shop) as board:
            await until(board, lambda s: all_are(Health.HEALTHY, s))
            shop.web.break_("primary")
            state = await until(board, lambda s: s.health["primary"].health is Health.UNHEALTHY)
            assert state.overlay.connection is not None
            assert (state.overlay.connection.link, state.overlay.connection.fault) == (Connectivity.ONLINE, None)
            assert (state.health["primary"].cause, urgent(state)) == (Cause.DEPLOYMENT, True)
            shop.web.repair("primary")
            await until(board, lambda s: s.health["primary"].state is State.UP)
            await board.history.flush()
            now = datetime.now(UTC)
            (incident,) = await board.history.incidents("shop", now - timedelta(hours=1), now)
            assert (incident.deployment, incident.cause) == ("primary", Cause.DEPLOYMENT)
            assert incident.ended is not None
            assert "503" in incident.reason
            assert len(incident.evidence["rounds"]) >= 3
            assert incident.evidence["connection"]["text"] == "This computer is online."


async def test_the_routing_name_dies_and_the_app_lives(shop: Shop) -> None:
    """The platform's DNS target is gone: the name is named, and that the app still answers behind it."""
    async with watching(shop) as board:
        await until(board, lambda s: all_are(Health.HEALTHY, s))
        shop.bind.change(delete=["edge-primary A"])
        state = await until(board, lambda s: s.health["primary"].state is State.DOWN)
        health = state.health["primary"]
        assert health.cause is Cause.ROUTING_NAME
        assert "edge-primary.shop.example has no address: the routing name is dead" in health.reason
        assert "the app still answers at 127.0.0.2" in health.reason
        assert "edge-primary.shop.example" in words(state)
    checked = shop.json("check", "shop", "--to", "primary", status=3)
    (name,) = [f for f in checked["findings"] if f["check"] == "routing-name"]
    assert (name["level"], name["text"]) == ("block", "The routing name edge-primary.shop.example has no address")


async def test_every_deployment_is_down(shop: Shop) -> None:
    """No switch is suggested where there is nowhere better to go."""
    async with watching(shop) as board:
        await until(board, lambda s: all_are(Health.HEALTHY, s))
        shop.web.break_("primary")
        shop.web.break_("backup")
        state = await until(board, lambda s: all_are(Health.UNHEALTHY, s))
        assert not urgent(state)
        assert words(state).startswith("Every deployment of shop is failing.")


async def test_a_deployment_that_flaps_is_not_fled_from(shop: Shop) -> None:
    """It changes with every check: that is a state of its own, and nothing urgent."""
    async with watching(shop) as board:
        await until(board, lambda s: all_are(Health.HEALTHY, s))
        broken = False

        def turn(_: str | None) -> None:
            nonlocal broken, turned
            rounds = board.state("shop").rounds.get("primary", ())
            if rounds and rounds[-1].at != turned:
                turned = rounds[-1].at
                broken = not broken
                (shop.web.break_ if broken else shop.web.repair)("primary")

        turned: datetime | None = None
        end = board.subscribe(turn)
        state = await until(board, lambda s: s.health["primary"].state is State.FLAPPING)
        end()
        assert (state.health["primary"].health, urgent(state)) == (Health.DEGRADED, False)
        assert "changes between good and bad" in words(state)


async def test_ipv6_is_left_behind(shop: Shop) -> None:
    """One address family of one hostname fails: the deployment answers in part, and the address is named."""
    async with watching(shop) as board:
        await until(board, lambda s: all_are(Health.HEALTHY, s))
        edit(shop, 'aaaa = ["::1"]', 'aaaa = ["::2"]')
    async with watching(shop) as board:
        tried = await until(board, lambda s: bool(s.rounds.get("primary")))
        if any(r.address == "::2" and r.ok is None for r in tried.rounds["primary"][-1].results):
            pytest.skip("this computer has no route for IPv6, so nothing can fail over it")
        state = await until(board, lambda s: s.health["primary"].health is Health.DEGRADED)
        assert state.health["primary"].cause is Cause.ADDRESS
        assert "shop.example at ::2" in state.health["primary"].reason


async def test_a_persons_word_counts_until_it_ends(shop: Shop) -> None:
    """Held unhealthy it is taken for down; out of use, no switch leads there; let go, its checks say how it is."""
    async with watching(shop) as board:
        await until(board, lambda s: all_are(Health.HEALTHY, s) and not s.snapshot.empty)
        await board.pin("shop", "primary", Hold.UNHEALTHY, "the disk is full", 3600, who="anna@laptop")
        state = board.state("shop")
        assert (state.health["primary"].state, state.health["primary"].health) == (State.PINNED, Health.UNHEALTHY)
        assert "the disk is full" in state.health["primary"].reason
        await board.unpin("shop", "primary", who="anna@laptop")
        await board.pin("shop", "backup", Hold.NEVER, "old data", 3600, who="anna@laptop")
        state = board.state("shop")
        assert (state.health["primary"].health, state.readiness) == (Health.HEALTHY, Level.BLOCK)
        assert "old data" in words(state)
        incidents, _ = await history_of(board)
        assert incidents == []


async def test_maintenance_is_counted_apart_and_told_to_nobody(shop: Shop) -> None:
    """What fails during planned work is kept, but makes no incident and costs no availability."""
    now = datetime.now(UTC) - timedelta(minutes=1)
    window = f'\n[[services.maintenance]]\ndate = "{now:%Y-%m-%d}"\nat = "{now:%H:%M}"\nminutes = 60\n'
    edit(shop, "[[services.deployments]]", f"{window}\n[[services.deployments]]")
    async with watching(shop) as board:
        await until(board, lambda s: bool(s.rounds.get("primary")))
        shop.web.break_("primary")
        state = await until(board, lambda s: s.health["primary"].health is Health.UNHEALTHY)
        assert state.health["primary"].state is State.MAINTENANCE
        assert "maintenance" in words(state)
        incidents, _ = await history_of(board)
        assert incidents == []
        (day, *_) = [
            d
            for d in await board.history.days("shop", datetime.now(UTC), datetime.now(UTC))
            if d.deployment == "primary"
        ]
        assert (day.counted.bad, day.maintenance.bad >= 3) == (0, True)
