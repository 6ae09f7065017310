"""Commits and schemas side by side, by whoever tells them."""

from __future__ import annotations

from changeover.model.platforms.app_version import AppVersion, Told
from changeover.model.platforms.comparison import compared
from changeover.model.platforms.comparison_row import Agreement, Compared, Side, differing
from changeover.model.platforms.platform_observation import PlatformObservation
from changeover.model.settings.platform import DriftRules
from model.strategies import NOW

OLD, NEW = "4f4f592a1b2c3d4e5f60718293a4b5c6d7e8f900", "99e1f0aa1b2c3d4e5f60718293a4b5c6d7e8f900"
ANYTHING = DriftRules()


def app(commit: str = "", schema: str = "", why: str = "") -> AppVersion:
    """What is empty was not told."""
    return AppVersion(
        commit=Told(value=commit, why="" if commit else why), schema=Told(value=schema, why="" if schema else why)
    )


def rows(
    primary: AppVersion | None,
    backup: AppVersion | None,
    deployed: tuple[str, str] = ("", ""),
    rules: DriftRules = ANYTHING,
) -> dict[str, Compared]:
    """By aspect and subject."""
    sides = [
        Side(name=name, platform="url", observation=PlatformObservation(commit=commit), app=told)
        for name, told, commit in zip(("primary", "backup"), (primary, backup), deployed, strict=True)
    ]
    found = compared(sides[0], sides[1], ("www.shop.example",), rules, NOW)
    return {f"{row.aspect}/{row.subject}": row for row in found}


def test_two_apps_that_are_alike_on_any_address() -> None:
    """No platform is needed for that."""
    found = rows(app(OLD, "7"), app(OLD[:12], "7"))
    assert {key: row.agreement for key, row in found.items()} == {
        "release/commit": Agreement.SAME,
        "schema/version": Agreement.SAME,
    }
    assert all(row.why == "" for row in found.values())


def test_another_commit_and_another_schema() -> None:
    """With what to do about it."""
    found = rows(app(NEW, "8"), app(OLD, "7"))
    assert [row.agreement for row in found.values()] == [Agreement.DIFFERS, Agreement.DIFFERS]
    assert found["release/commit"].why == "backup runs another commit than primary"
    assert (found["release/commit"].primary, found["release/commit"].backup) == (NEW[:12], OLD[:12])
    why = "backup's database schema is another version than primary's; deploy or migrate it"
    assert (found["schema/version"].why, found["schema/version"].backup) == (why, "7")


def test_what_may_differ() -> None:
    """By aspect or by subject; what is not told may then be so, too."""
    rules = DriftRules(differs=("schema", "commit"))
    assert differing(rows(app(NEW, "8"), app(OLD, "7"), rules=rules).values()) == ()
    untold = rows(app(NEW, "8"), app(OLD, why="it is down"), rules=rules)["schema/version"]
    assert (untold.agreement, untold.why) == (Agreement.UNKNOWN, "")


def test_what_one_side_does_not_tell() -> None:
    """Is not known, and says why."""
    found = rows(app(OLD, "7"), app(OLD, why='there is no "schema" in its JSON'))["schema/version"]
    assert (found.primary, found.backup, found.agreement) == ("7", "not told", Agreement.UNKNOWN)
    assert found.why == "backup's app does not tell its database schema's version: there is no \"schema\" in its JSON"
    silent = rows(app(OLD, "7"), None)["release/commit"]
    assert (silent.backup, silent.agreement, silent.why) == ("not told", Agreement.UNKNOWN, "")


def test_the_platform_stands_in_for_an_app_that_tells_nothing() -> None:
    """A commit is a commit, whoever tells it."""
    found = rows(app(OLD), None, ("", NEW))["release/commit"]
    assert (found.agreement, found.backup) == (Agreement.DIFFERS, NEW[:12])


def test_what_was_deployed_and_does_not_run_yet() -> None:
    """On the side where it is so; what both sides run is compared by what runs."""
    found = rows(app(OLD), app(OLD), (OLD, NEW))
    assert found["release/commit"].agreement is Agreement.SAME
    deployed = found["release/deployed"]
    assert (deployed.agreement, deployed.primary) == (Agreement.DIFFERS, "runs")
    assert deployed.backup == f"{NEW[:12]} is deployed, {OLD[:12]} runs"
    late = f"the platform of backup deployed {NEW[:12]}, which the app does not run yet: it runs {OLD[:12]}"
    assert deployed.why == late
    assert rows(app(OLD), app(OLD), (OLD[:8], OLD))["release/deployed"].agreement is Agreement.SAME


def test_the_name_of_a_release_is_compared_with_no_commit() -> None:
    """Nobody knows which commit it is of."""
    assert "release/deployed" not in rows(app("v1.2"), app("v1.2"), (OLD, OLD))


def test_no_release_numbers_where_a_commit_is_told() -> None:
    """They count something else on each side."""
    sides = [
        Side(name=name, platform="heroku", observation=PlatformObservation(release="v1"), app=app(OLD))
        for name in ("primary", "backup")
    ]
    found = compared(sides[0], sides[1], (), ANYTHING, NOW)
    assert not [row for row in found if row.subject == "number"]
