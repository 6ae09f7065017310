"""What is asked of Heroku how often, and that nothing which was kept is told for what is there now."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from changeover.model.platforms.platform_observation import PlatformObservation
from changeover.platforms.heroku import looking
from changeover.platforms.heroku.declaration import HerokuTarget
from platforms.heroku_ground import HerokuGround
from platforms.heroku_simulator import HerokuApp

SHOP = "/apps/shop-prod"
EVERY_TIME = {SHOP, f"{SHOP}/formation", f"{SHOP}/dynos", f"{SHOP}/domains", f"{SHOP}/releases"}
SELDOM = {f"{SHOP}/{kind}" for kind in ("config-vars", "addons", "buildpack-installations", "sni-endpoints")}


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncIterator[HerokuGround]:
    with HerokuGround(tmp_path) as running:
        yield running
        await running.platform.aclose()


async def asked(ground: HerokuGround) -> list[str]:
    """What one look asks for."""
    before = len(ground.behind.requests)
    await ground.platform.observe(ground.target)
    return [path for _, path in ground.behind.requests[before:]]


async def fresh(ground: HerokuGround) -> PlatformObservation:
    """What somebody sees who has never looked before."""
    platform = ground.open(ground.behind.address)
    try:
        return await platform.observe(ground.target)
    finally:
        await platform.aclose()


async def test_what_decides_is_asked_every_time_and_the_rest_once(ground: HerokuGround) -> None:
    """App, formation, dynos, domains, releases and databases; the rest while nothing tells that it has changed."""
    first, second = await asked(ground), await asked(ground)
    data = {path for path in first if path.startswith("/client/")}
    assert len(data) == 3, "two databases and the backups"
    assert set(first) >= EVERY_TIME | SELDOM | data | {"/stacks"}
    assert sorted(second) == sorted(EVERY_TIME | data)


async def test_stacks_are_asked_for_once_for_all_apps(ground: HerokuGround) -> None:
    """However many are looked at together; where that fails, the next look asks again."""
    ground.behind.misbehave("answer", after=5, status=403, times=99)
    await ground.platform.observe(ground.target)
    ground.behind.forget_misbehaviour()
    before = len(ground.behind.requests)
    names = ground.names * 5
    seen = await asyncio.gather(*(ground.platform.observe(HerokuTarget(app=name)) for name in names))
    assert {one.runtime_support for one in seen} == {"full"}
    assert [path for _, path in ground.behind.requests[before:]].count("/stacks") == 1


CHANGES: dict[str, Callable[[HerokuApp], object]] = {
    "maintenance": lambda app: setattr(app, "maintenance", not app.maintenance),
    "managed certificates": lambda app: setattr(app, "acm", not app.acm),
    "scale": lambda app: app.formation["web"].update(quantity=app.formation["web"]["quantity"] + 1),
    "a variable": lambda app: app.set_config(NEW=str(len(app.releases))),
    "another commit": lambda app: app.release(len(app.releases) + 40, f"{len(app.releases):040x}"),
    "a release that failed": lambda app: app.release(len(app.releases) + 40, f"{len(app.releases):040x}", "failed"),
    "a release under way": lambda app: app.release(len(app.releases) + 40, f"{len(app.releases):040x}", "pending"),
    "a domain": lambda app: app.attach(f"{len(app.domains)}.shop.example"),
    "a database": lambda app: (app.add_database(f"postgresql-{len(app.addons)}"), app.released()),
    "a follower that is behind": lambda app: list(app.databases.values())[-1].update(
        behind=f"{len(app.releases)}9 commits"
    ),
    "another stack": lambda app: setattr(app, "stack", {"heroku-24": "heroku-22"}.get(app.stack, "heroku-24")),
    "buildpacks, as updated_at tells": lambda app: (
        app.buildpacks.append("heroku/nodejs"),
        setattr(app, "updated_at", f"2026-01-05T09:{len(app.buildpacks):02}:00Z"),
    ),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_every_change_is_seen_at_once(ground: HerokuGround, name: str) -> None:
    """Who has looked before sees what somebody sees who has not."""
    before = await ground.platform.observe(ground.target)
    CHANGES[name](ground.app)
    now = await fresh(ground)
    assert now != replace(before, seldom_at=now.seldom_at) or name == "a release that failed", "which changes nothing"
    assert replace(await ground.platform.observe(ground.target), seldom_at=now.seldom_at) == now


@given(st.lists(st.sampled_from(sorted(CHANGES)), max_size=6))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_after_any_changes_nothing_old_is_told(tmp_path: Path, names: list[str]) -> None:
    """Whatever somebody does between two looks, in whatever order."""

    async def compared() -> None:
        with HerokuGround(tmp_path) as ground:
            for name in ["maintenance", *names]:
                CHANGES[name](ground.app)
                seen, now = await ground.platform.observe(ground.target), await fresh(ground)
                assert replace(seen, seldom_at=now.seldom_at) == now, name
            await ground.platform.aclose()

    asyncio.run(compared())


async def test_when_the_rest_was_read_is_told(ground: HerokuGround, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for again after a while, since a certificate may be exchanged without a sign."""
    first = await ground.platform.observe(ground.target)
    ground.app.buildpacks = ["heroku/go"]
    kept = await ground.platform.observe(ground.target)
    assert (kept.buildpacks, kept.seldom_at) == (("heroku/ruby",), first.seldom_at)
    monkeypatch.setattr(looking, "KEPT", timedelta())
    again = await ground.platform.observe(ground.target)
    assert again.buildpacks == ("heroku/go",)
    assert first.seldom_at is not None and again.seldom_at is not None
    assert again.seldom_at > first.seldom_at


async def test_what_was_not_told_is_asked_for_again(ground: HerokuGround) -> None:
    """A part that could not be read is not missing for longer than that."""
    ground.behind.misbehave("answer", after=5, status=403)
    first = await ground.platform.observe(ground.target)
    assert set(await asked(ground)) >= SELDOM
    assert await ground.platform.observe(ground.target) != first


async def test_an_add_on_that_is_being_made_is_looked_at_again(ground: HerokuGround) -> None:
    """Its state changes without a release."""
    ground.app.addons[0]["state"] = "provisioning"
    first = await ground.platform.observe(ground.target)
    ground.app.addons[0]["state"] = "provisioned"
    second = await ground.platform.observe(ground.target)
    assert [seen.resources[0].state for seen in (first, second) if seen.resources] == ["provisioning", "provisioned"]


async def test_a_release_that_failed_does_not_run(ground: HerokuGround) -> None:
    """What is told, and what a rollback is taken back to, is the one before."""
    ground.app.release(42, f"{42:040x}", "failed")
    seen = await ground.platform.observe(ground.target)
    assert (seen.release, seen.commit, seen.deploying) == ("v41", f"{41:040x}", "")
    ground.app.release(43, f"{43:040x}", "pending")
    seen = await ground.platform.observe(ground.target)
    assert (seen.release, seen.deploying) == ("v41", "release v43")


async def test_no_value_of_the_configuration_stays_in_memory(ground: HerokuGround) -> None:
    """What is kept to be compared has hashes of the values; the answer itself is not kept."""
    await ground.platform.observe(ground.target)
    requests, looks = ground.platform._requests, ground.platform._looks  # type: ignore[attr-defined]
    assert "RAILS_ENV" in repr(looks._kept)
    assert "canary-of-config" not in f"{requests._kept!r} {looks._kept!r}"
