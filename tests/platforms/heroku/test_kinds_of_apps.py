"""Apps of generation Fir, in a Private Space, at a stage of a pipeline; databases in every state and tier."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from changeover.model.platforms.comparison import Side, compared
from changeover.model.platforms.comparison_row import Agreement
from changeover.model.platforms.platform_observation import HostedDatabase, PlatformObservation
from changeover.model.platforms.running_findings import running_findings
from changeover.model.settings.platform import DriftRules
from changeover.platforms.heroku.declaration import DatabaseOptions, HerokuTarget
from changeover.platforms.platform import Done
from platforms.heroku_ground import HerokuGround
from platforms.heroku_simulator import HerokuApp, ident

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncIterator[HerokuGround]:
    with HerokuGround(tmp_path) as running:
        yield running
        await running.platform.aclose()


def fir(name: str = "shop-prod") -> HerokuApp:
    app = HerokuApp(name)
    app.generation, app.space, app.stack = "fir", "shop-space", "cnb"
    app.release(42, "f" * 40)
    return app


async def old_app(ground: HerokuGround) -> PlatformObservation:
    return await ground.platform.observe(HerokuTarget(app="shop-old"))


def rows(primary: PlatformObservation, backup: PlatformObservation) -> dict[tuple[str, str], tuple[str, str, str]]:
    """By aspect and subject: both sides, and what a difference means."""
    sides = (
        Side(name="main", platform="heroku", observation=primary),
        Side(name="spare", platform="heroku", observation=backup),
    )
    found = compared(*sides, (), DriftRules(), NOW)
    return {(one.aspect, one.subject): (one.primary, one.backup, one.why) for one in found}


async def test_an_app_of_generation_fir(ground: HerokuGround) -> None:
    """Its space, its image's commit, and the buildpacks that made the image."""
    ground.behind.apps["shop-prod"] = fir()  # type: ignore[attr-defined]
    seen = await ground.platform.observe(ground.target)
    assert (seen.generation, seen.isolation, seen.runtime) == ("fir", "shop-space", "cnb")
    assert (seen.release, seen.commit, seen.buildpacks) == ("v42", "f" * 40, ("heroku/python",))
    asked = [path for _, path in ground.behind.requests]
    assert any(path.startswith("/apps/shop-prod/oci-images/") for path in asked)
    found = rows(await old_app(ground), seen)
    assert found["runtime", "generation"] == (
        "cedar",
        "fir",
        "spare runs on another generation of the platform than main",
    )


async def test_an_app_in_no_pipeline_and_two_at_stages_of_one(ground: HerokuGround) -> None:
    """What differs between two stages waits for a promotion."""
    seen, other = await ground.platform.observe(ground.target), await old_app(ground)
    assert (seen.pipeline, seen.stage) == ("", "")
    ground.behind.apps["shop-old"].stage = "staging"  # type: ignore[attr-defined]
    ground.app.stage = "production"
    ground.app.released()
    ground.behind.apps["shop-old"].release(42, "f" * 40)  # type: ignore[attr-defined]
    seen, other = await ground.platform.observe(ground.target), await old_app(ground)
    assert (seen.pipeline, seen.stage, other.stage) == (ident("pipeline"), "production", "staging")
    found = rows(seen, other)
    assert found["release", "pipeline stage"] == ("production", "staging", "")
    *_, why = found["release", "commit"]
    assert why == (
        "spare runs another commit than main; they are at stages staging and production of one pipeline, and that was"
        " not promoted"
    )
    assert ("release", "pipeline stage") not in rows(seen, replace(other, pipeline=ident("another")))


async def test_a_cluster_of_heroku_postgres_advanced(ground: HerokuGround) -> None:
    """Its followers are told, and that how far they are behind is not; it can be promoted as it is."""
    ground.app.add_database("postgresql-cluster", plan="advanced-4g")
    ground.app.released()
    seen = await ground.platform.observe(ground.target)
    expected = HostedDatabase(
        name="postgresql-cluster",
        role="primary",
        version="17.5",
        state="Available",
        tier="Heroku Postgres Advanced",
        readers=("analytics",),
        stands_by=True,
    )
    assert expected in seen.databases
    followers = rows(seen, seen)["database", "postgresql-cluster (followers)"]
    assert followers[1] == "analytics of Heroku Postgres Advanced: how far behind is not told"
    options = DatabaseOptions(database="postgresql-cluster")
    assert isinstance(await ground.platform.perform(ground.target, "promote", options, "key"), Done)
    assert ground.app.attachments["DATABASE"] == ident("postgresql-cluster")


async def test_a_database_that_says_nothing_of_itself(ground: HerokuGround) -> None:
    """Is there all the same."""
    del ground.app.databases[ident("postgresql-follower")]
    seen = await ground.platform.observe(ground.target)
    assert HostedDatabase(name="postgresql-follower") in seen.databases


@pytest.mark.parametrize("state", ["Preparing", "Failed over", "Unavailable"])
@pytest.mark.parametrize("plan", ["standard-0", "advanced-4g"])
async def test_a_database_that_is_not_available(ground: HerokuGround, plan: str, state: str) -> None:
    """Is told by the check of the platform, and beside the primary's."""
    ground.app.add_database("postgresql-new", plan=plan)
    ground.app.released()
    whole = await ground.platform.observe(ground.target)
    assert [found for found in running_findings("spare", whole, (), {}) if "database" in found.text] == []
    ground.app.databases[ident("postgresql-new")]["status"] = state
    seen = await ground.platform.observe(ground.target)
    (found,) = [found for found in running_findings("spare", seen, (), {}) if "database" in found.text]
    assert found.text == f"The database postgresql-new of spare is not available ({state})"
    assert rows(whole, seen)["database", "postgresql-new"][1:] == (
        state,
        f"the database postgresql-new of spare is not available ({state})",
    )


async def test_a_database_that_waits_in_words_that_sound_well(ground: HerokuGround) -> None:
    """Heroku's own sign counts for more than its word."""
    database = ground.app.databases[ident("postgresql-leader")]
    database["status"] = "available"
    seen = await ground.platform.observe(ground.target)
    assert (seen.databases[0].state, seen.databases[0].is_available) == ("Waiting", False)


async def test_the_leaders_address_has_no_password(ground: HerokuGround) -> None:
    """Heroku names it by its whole address."""
    database = ground.app.databases[ident("postgresql-follower")]
    database["follows"] = "postgres://user:canary-password@ec2-1.example:5432/shop"
    seen = await ground.platform.observe(ground.target)
    assert seen.databases[1].follows == "ec2-1.example:5432/shop"
    database["follows"] = "postgres://user:canary-password@[ec2-1.example:x/shop"
    seen = await ground.platform.observe(ground.target)
    assert seen.databases[1].follows == "another database"
    assert seen.databases[1].role == "standby"


async def test_words_that_would_do_something_to_a_terminal(ground: HerokuGround) -> None:
    """Are shown without what is not to be seen."""
    ground.app.space, ground.app.stage = "sp\x1b[2Jace", "sta\nging"
    ground.app.databases[ident("postgresql-leader")]["status"] = "Pre\u202eparing"
    seen = await ground.platform.observe(ground.target)
    assert f"{seen.isolation}{seen.stage}{seen.databases[0].state}".isprintable()


@pytest.mark.parametrize(
    ("of", "leader", "follower"),
    [
        ("DATABASE", 28, None),
        ("DATABASE_URL", 28, None),
        ("FOLLOWER", None, 28),
        ("POSTGRESQL_FOLLOWER", None, 28),
        ("PURPLE", None, None),
        (None, None, None),
    ],
)
async def test_whose_backup_it_is(
    ground: HerokuGround, of: str | None, leader: int | None, follower: int | None
) -> None:
    """By the attachment that it was made of: a backup of one database is none of another."""
    ground.app.backups = [(of, "2026-02-28 02:03:04 +0000"), (of, "2026-02-27 02:03:04 +0000")]
    seen = await ground.platform.observe(ground.target)
    assert [one.backup_at and one.backup_at.day for one in seen.databases] == [leader, follower]


def test_a_backup_that_is_old() -> None:
    """Is told with its age; a fresh one is only shown."""
    database = HostedDatabase(name="pg", state="Available", backup_at=NOW - timedelta(hours=5))
    fresh, old = (
        PlatformObservation(databases=(replace(database, backup_at=NOW - ago),))
        for ago in (timedelta(hours=5), timedelta(days=9))
    )
    assert rows(old, fresh)["database", "pg (backup)"] == ("9 days ago", "5 h ago", "")
    assert rows(fresh, old)["database", "pg (backup)"] == (
        "5 h ago",
        "9 days ago",
        "the newest backup of the database pg of spare was made 9 days ago",
    )
    unknown = compared(
        Side(name="main", platform="heroku", observation=PlatformObservation()),
        Side(name="spare", platform="heroku", observation=fresh),
        (),
        DriftRules(),
        NOW,
    )
    assert all(one.agreement is Agreement.SAME for one in unknown if one.aspect == "database")
