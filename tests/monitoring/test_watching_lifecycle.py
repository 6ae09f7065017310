"""What a watch says of the time after a switch: others' hands, freezes, an emergency, a primary that returns."""

from __future__ import annotations

import asyncio
from datetime import datetime

from changeover.model.health.probe_result import Health
from changeover.model.readiness.lifecycle import Stage
from changeover.model.readiness.service_state import ServiceState
from changeover.model.runs.run import Outcome
from changeover.model.wording.sentence import sentence, urgent
from changeover.model.wording.service_status import ServiceStatus, held_back, service_status
from shop import WWW, Shop
from watched import until, watching

#: Quick to recover, so that nobody waits for three minutes.
QUICK = "[services.health.thresholds]\nup_after = 2\nup_seconds = 1\n\n[[services.deployments]]"


def words(state: ServiceState) -> str:
    return sentence(state, datetime.now().astimezone()).text


def is_(state: ServiceState, **healths: Health) -> bool:
    return all(name in state.health and state.health[name].health is health for name, health in healths.items())


async def test_a_change_by_somebody_else_alarms_while_it_stands(shop: Shop) -> None:
    """After a switch, with what it was and what it is; a change by our own undo never does."""
    async with watching(shop) as board:
        await until(board, lambda s: s.active == "primary" and is_(s, primary=Health.HEALTHY, backup=Health.HEALTHY))
        run = await board.switch(await board.prepare("shop", "backup"), verify_timeout=30, who="anna@laptop")
        quiet = await until(board, lambda s: s.active == "backup" and bool(s.snapshot.runs))
        assert quiet.snapshot.drift == ()
        shop.bind.change(["www A"], ["www 60 CNAME edge-primary"])
        alarm = await until(board, lambda s: bool(s.snapshot.drift))
        (drift,) = alarm.snapshot.drift
        assert run.ended is not None
        assert (drift.name, drift.run) == (WWW, run.run)
        assert run.ended <= drift.after <= drift.seen
        assert service_status(alarm) is ServiceStatus.DEGRADED
        assert f"{WWW} was changed " in words(alarm)
        assert "A 127.0.0.3 → CNAME edge-primary.shop.example; the journal knows nothing of it." in words(alarm)
        shop.bind.change(["www CNAME"], ["www 60 A 127.0.0.3"])
        await until(board, lambda s: not s.snapshot.drift and s.active == "backup")
        assert (await board.undo(run.run, who="anna@laptop")).outcome is Outcome.UNDONE
        state = await until(board, lambda s: s.snapshot.runs[0].outcome is Outcome.UNDONE)
        assert (state.active, state.snapshot.drift) == ("primary", ())


async def test_a_freeze_is_seen_at_once_here_and_soon_elsewhere(shop: Shop) -> None:
    """Set in this process or in another one, it is in the sentence until it ends; the service is no worse off."""
    async with watching(shop) as board:
        await until(board, lambda s: s.active == "primary" and is_(s, primary=Health.HEALTHY, backup=Health.HEALTHY))
        await board.freeze(None, "the year's end", 3600, who="anna@laptop")
        here = board.state("shop")
        assert "Everything is frozen by " in words(here)
        assert "the year's end" in words(here)
        assert service_status(here) is ServiceStatus.HEALTHY
        blocked = await board.prepare("shop", "backup")
        assert [f.check for f in blocked.blocked] == ["freeze"]
        ended = await asyncio.to_thread(shop.json, "unfreeze")
        assert ended["ended"]
        await until(board, lambda s: s.overlay.freezes == ())
        await asyncio.to_thread(shop.json, "freeze", "shop", "--reason", "a release", "--for", "5s")
        await until(board, lambda s: [f.reason for f in s.overlay.freezes] == ["a release"])
        await until(board, lambda s: s.overlay.freezes == ())
        assert (await board.prepare("shop", "backup")).blocked == []


async def test_a_primary_that_returns_is_told_and_nothing_is_done(shop: Shop) -> None:
    """After an emergency visitors stay where they are. Should the backup fail too, no second switch is suggested within
    the hour, unless somebody has acknowledged the first one; a person may go back at any time, warned of both."""
    text = shop.home.settings_file.read_text()
    shop.home.settings_file.write_text(text.replace("[[services.deployments]]", QUICK, 1))
    async with watching(shop) as board:
        await until(board, lambda s: s.active == "primary" and is_(s, primary=Health.HEALTHY, backup=Health.HEALTHY))
        shop.web.break_("primary")
        down = await until(board, lambda s: is_(s, primary=Health.UNHEALTHY) and urgent(s))
        assert held_back(down) is None
        run = await board.switch(
            await board.prepare("shop", "backup", emergency=True), verify_timeout=30, who="anna@laptop"
        )
        assert run.outcome is Outcome.COMPLETED
        zone = (shop.at(WWW), shop.at("shop.example"))
        shop.web.repair("primary")
        back = await until(board, lambda s: s.active == "backup" and is_(s, primary=Health.HEALTHY))
        assert "It was an emergency: commit it or go back by " in words(back)
        found = {f.check: f.text for f in (await board.prepare("shop", "primary")).findings}
        assert found["failback"].startswith("primary has been healthy for ")
        assert found["failback"].endswith("; 60 min is safer")
        assert f"The emergency switch {run.run} ended" in found["recent-switch"]
        assert (await board.prepare("shop", "primary")).blocked == []

        shop.web.break_("backup")
        held = await until(
            board, lambda s: s.active == "backup" and is_(s, backup=Health.UNHEALTHY, primary=Health.HEALTHY)
        )
        assert service_status(held) is ServiceStatus.DOWN
        assert not urgent(held)
        assert f"The emergency switch {run.run} ended " in words(held)
        assert (shop.at(WWW), shop.at("shop.example")) == zone, "nobody but a person goes back"
        await board.acknowledge(run.run, who="anna@laptop")
        assert urgent(await until(board, lambda s: s.run is not None and s.run.acknowledged is not None))
        assert (await board.lifecycle("shop")).stage is Stage.SWITCHED
