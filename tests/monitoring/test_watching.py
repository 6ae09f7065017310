"""A switchboard that watches: states follow the world, and tell those who listen."""

from __future__ import annotations

import pytest

from changeover.model.dns.change import ZoneAt
from changeover.model.errors import Refused, SettingsError
from changeover.model.finding import Level
from changeover.model.health.probe_result import Health
from changeover.model.readiness.service_state import ServiceState
from changeover.model.settings.service import Answer, Deployment, Service
from shop import Shop
from watched import until, watching


def ready(state: ServiceState) -> bool:
    return not state.snapshot.empty and state.readiness is Level.PASS


async def test_the_first_state_comes_from_several_probes(shop: Shop) -> None:
    """Unknown at the start, then healthy, ready, and on the primary."""
    async with watching(shop) as board:
        assert board.state("shop").active == "unknown"
        state = await until(board, lambda s: ready(s) and all(h.health is Health.HEALTHY for h in s.health.values()))
        assert state.active == "primary"
        assert all(len(rounds) >= 2 for rounds in state.rounds.values())


async def test_a_primary_that_breaks_is_noticed_and_the_backup_stays_ready(shop: Shop) -> None:
    """After three bad rounds it is down; the findings then follow the rules of an emergency."""
    async with watching(shop) as board:
        await until(board, lambda s: bool(s.health) and s.health["primary"].health is Health.HEALTHY)
        shop.web.break_("primary")
        state = await until(board, lambda s: s.health["primary"].health is Health.UNHEALTHY)
        assert "503" in state.health["primary"].reason
        assert state.health["primary"].since is not None
        assert state.target == "backup"
        assert state.readiness is Level.WARN
        preparation = await board.prepare("shop", "backup", emergency=True)
        run = await board.switch(preparation, verify_timeout=30, who="anna@laptop")
        assert run.outcome == "completed"
        after = await until(board, lambda s: s.active == "backup" and s.run is not None)
        assert after.target == "primary"


async def test_a_run_is_seen_step_by_step_while_it_works(shop: Shop) -> None:
    """Listeners see `working`, then each step, then the end."""
    async with watching(shop) as board:
        await until(board, lambda s: s.active == "primary")
        seen: list[tuple[bool, str | None]] = []

        def note(_: str | None) -> None:
            state = board.state("shop")
            seen.append((state.working, str(state.run.outcome) if state.run else None))

        end = board.subscribe(note)
        await board.switch(await board.prepare("shop", "backup"), verify_timeout=30, who="anna@laptop")
        end()
        assert (True, "running") in seen
        assert seen[-1] == (False, "completed")


async def test_a_new_service_is_watched_at_once(shop: Shop) -> None:
    """Adding a service is told with None, and its state follows; a faulty one changes nothing."""
    async with watching(shop) as board:
        await until(board, lambda s: s.active == "primary")
        told: list[str | None] = []
        end = board.subscribe(told.append)
        deployments = (
            Deployment(name="one", answer=Answer(a=("127.0.0.2",))),
            Deployment(name="two", answer=Answer(a=("127.0.0.3",))),
        )
        zone = (ZoneAt(account="dns-main", zone="shop.example"),)
        new = Service(name="mail", hostnames=("mail.shop.example",), dns=zone, deployments=deployments)
        before = shop.home.settings_file.read_text()
        with pytest.raises(SettingsError, match="no account"):
            other = (ZoneAt(account="nobody", zone="shop.example"),)
            await board.add_service(Service(name="mail", hostnames=new.hostnames, dns=other, deployments=deployments))
        assert shop.home.settings_file.read_text() == before
        await board.add_service(new)
        assert None in told
        assert [s.service.name for s in board.states()] == ["shop", "mail"]
        with pytest.raises(Refused):
            await board.remove_account("dns-main")
        await board.remove_service("mail")
        end()
        assert [s.service.name for s in board.states()] == ["shop"]
        assert shop.home.settings_file.read_text().startswith("# What the team agreed on.")
