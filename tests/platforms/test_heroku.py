"""Heroku: what is told of an app, with what may fail beside it, and what is asked again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from changeover.model.errors import AuthError, NotFound, PermissionDenied, RateLimited, Rejected, Unavailable
from changeover.model.platforms.platform_observation import AttachedDomain, HostedDatabase, Process
from changeover.model.secret import Secret
from changeover.model.settings.platform import ProcessScaleOptions
from changeover.platforms.heroku import PLATFORM
from changeover.platforms.heroku.answers import App, Domain, Everything, Formation, Named, Stack
from changeover.platforms.heroku.data_answers import Info, PostgresDatabase
from changeover.platforms.heroku.declaration import DatabaseOptions, HerokuOptions
from changeover.platforms.heroku.heroku import Heroku
from changeover.platforms.heroku.looking import RESERVE
from changeover.platforms.heroku.observing import observation_of
from changeover.platforms.platform import Done
from platforms.heroku_ground import WWW, HerokuGround
from platforms.heroku_simulator import TOKEN, HerokuApp


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncIterator[HerokuGround]:
    with HerokuGround(tmp_path) as running:
        yield running
        await running.platform.aclose()


async def test_everything_that_runs(ground: HerokuGround) -> None:
    """Processes, release and commit, domains, add-ons, and databases with how far a follower is behind."""
    seen = await ground.platform.observe(ground.target)
    assert seen.processes == (
        Process(name="web", wanted=1, running=1, size="standard-1x"),
        Process(name="worker", wanted=1, running=1, size="standard-1x"),
    )
    assert (seen.release, seen.commit, seen.runtime, seen.runtime_support) == ("v41", f"{41:040x}", "heroku-24", "full")
    assert (seen.region, seen.buildpacks, seen.sleeps) == ("eu", ("heroku/ruby",), False)
    (domain,) = seen.domains
    assert domain.hostname == WWW
    assert domain.target.endswith(".herokudns.com")
    assert seen.hostnames == (WWW,), "herokuapp.com is nobody's own name"
    assert set(seen.config) == {"RAILS_ENV", "DATABASE_URL"}
    assert [one.kind for one in seen.resources or ()] == ["postgresql", "postgresql"]
    leader, follower = seen.databases
    assert (leader.role, leader.version, leader.state) == ("primary", "16.4", "Available")
    assert (follower.role, follower.behind) == ("standby", 12)
    assert leader.backup_at is not None
    assert leader.backup_at.day == 28


async def test_no_value_of_the_configuration_is_told(ground: HerokuGround, caplog: pytest.LogCaptureFixture) -> None:
    """Not in the observation, and in no log."""
    caplog.set_level(0)
    seen = await ground.platform.observe(ground.target)
    assert "canary-of-config" not in f"{seen!r} {caplog.text} {vars(ground.platform)!r}"


async def test_a_token_that_may_not_see_everything(ground: HerokuGround) -> None:
    """With the scope read, variables are hidden: they are not told, and the rest is."""
    ground.behind.scope = "read"  # type: ignore[attr-defined]
    seen = await ground.platform.observe(ground.target)
    assert seen.config == {}
    assert seen.release == "v41"


async def test_a_token_that_may_only_look(ground: HerokuGround) -> None:
    """What it asks for is refused in words, and nothing is changed."""
    ground.behind.scope = "read-protected"  # type: ignore[attr-defined]
    before = ground.world()
    with pytest.raises(PermissionDenied) as refused:
        await ground.platform.perform(ground.target, "scale", ProcessScaleOptions(instances=2), "key")
    assert "write-protected" in refused.value.hint
    assert ground.world() == before


@pytest.mark.parametrize("token", ["HRKU-00000000-0000-0000-0000-000000000000", "with a space", "ümlaut"])
async def test_a_wrong_token(ground: HerokuGround, token: str) -> None:
    """Said in words that do not repeat it."""
    wrong = Heroku("heroku-me", ground.behind.address, Secret(token), 1.0)
    for look in (wrong.observe(ground.target), wrong.discover()):
        with pytest.raises(AuthError) as refused:
            await look
        assert token not in f"{refused.value.text} {refused.value.hint}"
    await wrong.aclose()


async def test_what_has_not_changed_is_not_sent_again(ground: HerokuGround) -> None:
    """A second look says the same, from answers without a body; what has changed is seen."""
    first = await ground.platform.observe(ground.target)
    asked = len(ground.behind.answers)
    assert await ground.platform.observe(ground.target) == first
    assert {answer.status for answer in ground.behind.answers[asked:]} == {304}
    ground.app.formation["worker"]["quantity"] = 5
    again = await ground.platform.observe(ground.target)
    assert again.process("worker") == Process(name="worker", wanted=5, running=5, size="standard-1x")


async def test_the_last_requests_of_an_hour_are_for_an_emergency(ground: HerokuGround) -> None:
    """A look then asks for what is needed only; where none is left, that is said."""
    ground.behind.remaining = RESERVE  # type: ignore[attr-defined]
    await ground.platform.observe(ground.target)
    before = len(ground.behind.requests)
    seen = await ground.platform.observe(ground.target)
    assert (seen.wanted, seen.maintenance, seen.config) == (1, False, {})
    assert len(ground.behind.requests) == before + 4
    ground.behind.remaining = 1  # type: ignore[attr-defined]
    with pytest.raises(RateLimited, match="API rate limit"):
        await ground.platform.observe(ground.target)


async def test_more_apps_than_a_page_has(ground: HerokuGround) -> None:
    """All are found, by Heroku's ranges."""
    apps = {f"app-{number:04}": HerokuApp(f"app-{number:04}") for number in range(1, 1051)}
    ground.behind.apps.update(apps)  # type: ignore[attr-defined]
    patient = Heroku("heroku-me", ground.behind.address, Secret(TOKEN), 60.0)
    found = await patient.discover()
    await patient.aclose()
    assert [app.keys["app"] for app in found] == ["shop-prod", "shop-old", *apps] or len(found) == 1052
    assert len({app.name for app in found}) == 1052


async def test_a_list_that_fails_once_is_asked_for_again(ground: HerokuGround) -> None:
    """As everything that is read: three times at most, and not three times three."""
    ground.behind.misbehave("answer", status=503)
    assert len(await ground.platform.discover()) == 2
    before = len(ground.behind.requests)
    ground.behind.misbehave("answer", status=503, times=99)
    with pytest.raises(Unavailable):
        await ground.platform.discover()
    assert len(ground.behind.requests) == before + 3


async def test_a_follower_that_is_not_there(ground: HerokuGround) -> None:
    """Nothing is promoted, and those that could be are named."""
    before = ground.world()
    with pytest.raises(NotFound, match="postgresql-nobody") as refused:
        await ground.platform.perform(ground.target, "promote", DatabaseOptions(database="postgresql-nobody"), "key")
    assert "postgresql-follower" in refused.value.hint
    assert ground.world() == before


async def test_a_promotion_that_was_cut_off_is_gone_on_with(ground: HerokuGround) -> None:
    """What follows nobody any more is only attached."""
    options = DatabaseOptions(database="postgresql-follower")
    ground.behind.misbehave("answer-after", writes_only=True, status=502)
    assert not isinstance(await ground.platform.perform(ground.target, "promote", options, "key"), Done)
    assert isinstance(await ground.platform.perform(ground.target, "promote", options, "key"), Done)
    assert ground.stands("promote", 0)
    writes = [path for method, path in ground.behind.requests if method == "PUT"]
    assert len(writes) == 1


async def test_the_former_primary_keeps_a_name(ground: HerokuGround) -> None:
    """Where it has none but DATABASE Heroku would refuse to let it go, after the follower follows no more."""
    ground.app.aliased = False
    done = await ground.platform.perform(
        ground.target, "promote", DatabaseOptions(database="postgresql-follower"), "key"
    )
    assert isinstance(done, Done)
    names = {one["addon"]["name"]: one["name"] for one in ground.app.attached()}
    assert names["postgresql-follower"] == "DATABASE"
    assert names["postgresql-leader"] != "DATABASE"


async def test_an_account_that_does_not_pay(ground: HerokuGround) -> None:
    """Heroku's words, and where to look."""
    body = b'{"id": "delinquent", "message": "Account delinquent"}'
    ground.behind.misbehave("answer", status=402, times=9, body=body)
    with pytest.raises(Rejected, match="Account delinquent") as refused:
        await ground.platform.observe(ground.target)
    assert "billing" in refused.value.hint


APP = App(name="shop", stack=Named(name="heroku-22"), acm=True)


def everything(**more: object) -> Everything:
    return Everything(app=APP, formation=(Formation(type="web", quantity=1, size="Eco"),), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "reason", "found"),
    [
        ("cert issued", None, ("issued", "")),
        ("ok", None, ("issued", "")),
        ("pending", None, ("waiting", "")),
        ("in-progress", None, ("waiting", "")),
        ("failing", "CAA record forbids it", ("failed", "CAA record forbids it")),
        ("failed", "Domain has AAAA records", ("failed", "Domain has AAAA records")),
        (None, None, ("", "")),
        ("what nobody knows", "?", ("waiting", "?")),
    ],
)
def test_states_of_managed_certificates(status: str | None, reason: str | None, found: tuple[str, str]) -> None:
    """Each is one of three, with Heroku's reason where it is not issued."""
    domain = Domain(hostname="WWW.Shop.Example", cname="A.herokudns.com", acm_status=status, acm_status_reason=reason)
    (seen,) = observation_of(everything(domains=(domain,)), "web").domains
    assert (seen.certificate, seen.reason) == found
    assert replace(seen, certificate="", reason="") == AttachedDomain(hostname=WWW, target="a.herokudns.com")


@pytest.mark.parametrize(
    ("stack", "state", "support"),
    [
        ("heroku-20", "public", "ended"),
        ("heroku-22", "deprecated", "security"),
        ("heroku-24", "public", "full"),
        ("heroku-99", "", ""),
    ],
)
def test_how_long_a_stack_is_kept(stack: str, state: str, support: str) -> None:
    """By Heroku's list of stacks, and by those that are past their end."""
    found = everything(stacks=(Stack(name=stack, state=state),))
    assert observation_of(replace(found, app=replace(APP, stack=Named(name=stack))), "web").runtime_support == support


@pytest.mark.parametrize(
    ("said", "behind"), [("12 commits", 12), ("1,024 commits", 1024), ("unknown", None), ("", None), ("9" * 40, None)]
)
def test_how_far_a_follower_is_behind(said: str, behind: int | None) -> None:
    """As Heroku says it; what is no number is not known."""
    lines = (Info(name="Following", values=("DATABASE_URL",)), Info(name="Behind By", values=(said,)))
    (seen,) = observation_of(everything(databases=(PostgresDatabase(name="f", info=lines),)), "web").databases
    expected = HostedDatabase(name="f", role="standby", follows="DATABASE_URL", behind=behind)
    assert replace(seen, behind=None) == replace(expected, behind=None)
    assert seen.behind in (behind, int("9" * 16))


def test_eco_dynos_sleep() -> None:
    """Which the first visitor of a backup would notice."""
    assert observation_of(everything(), "web").sleeps is True


@pytest.mark.parametrize(
    "endpoint", ["http://api.heroku.com", "https://u@api.heroku.com", "https://api.heroku.com?x=1"]
)
def test_an_endpoint_that_would_see_the_key(endpoint: str) -> None:
    """Is refused where it is typed."""
    assert [key for key, _ in PLATFORM.faults(HerokuOptions(endpoint))] == ["endpoint"]
    assert PLATFORM.faults(HerokuOptions()) == []
    assert PLATFORM.host(HerokuOptions()) == "api.heroku.com"
    (secret,) = PLATFORM.secrets(HerokuOptions())
    assert secret.fitted(Secret(f" {TOKEN}\n")) == Secret(TOKEN)
