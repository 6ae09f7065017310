"""The readiness check `drift`: what runs at the target is what runs where visitors are, or it is said where not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from changeover.model.finding import Level
from changeover.model.platforms.app_version import AppVersion, KeptVersion, Told
from changeover.model.platforms.platform_observation import KeptObservation, PlatformObservation
from changeover.model.readiness.drift_checks import compared_with, drift_findings
from changeover.model.readiness.snapshot import Snapshot
from changeover.model.settings.version_endpoint import VersionEndpoint
from model.snapshots import service
from model.strategies import NOW

SEEN = PlatformObservation(wanted=1, running=1, config={"A": "1", "B": "2", "C": "3", "D": "4"})


def snapshot(**kept: PlatformObservation) -> Snapshot:
    platforms = {name: KeptObservation(at=NOW - timedelta(minutes=4), observation=seen) for name, seen in kept.items()}
    return Snapshot(service=service(), at=NOW, platforms=platforms)


def test_what_is_the_same_passes_with_its_age() -> None:
    """So that nobody takes it for what is so now."""
    (found,) = drift_findings(snapshot(primary=SEEN, backup=SEEN), "primary", "backup")
    assert found.level is Level.PASS
    assert found.text == "backup has what primary has, as their platforms said 4 min ago"


def test_differences_warn_and_never_block() -> None:
    """The first few are told, and how to see them all."""
    (found,) = drift_findings(
        snapshot(primary=SEEN, backup=PlatformObservation(config={"X": "1"})), "primary", "backup"
    )
    assert found.level is Level.WARN
    assert (
        "A is not set at backup; B is not set at backup; C is not set at backup; and 2 more differences" in found.text
    )
    assert found.fix == "See them side by side: changeover drift shop"


@pytest.mark.parametrize("known", [{}, {"primary": SEEN}, {"backup": SEEN}])
def test_nothing_is_said_of_what_no_platform_tells(known: dict[str, PlatformObservation]) -> None:
    """Most services have no platform that can be asked."""
    assert drift_findings(snapshot(**known), "primary", "backup") == []


def test_a_target_is_compared_with_where_visitors_are() -> None:
    """On the way back that is the backup; where it is not known, the primary."""
    assert compared_with(service(), "primary", "backup") == "primary"
    assert compared_with(service(), "backup", "primary") == "backup"
    assert compared_with(service(), "mixed", "backup") == "primary"
    assert compared_with(service(), "unknown", "primary") == "backup"


ENDPOINT = VersionEndpoint(path="/version", commit="json:sha", schema="json:schema")


def by_apps(primary: AppVersion, backup: AppVersion, endpoint: VersionEndpoint | None = ENDPOINT) -> Snapshot:
    """Two deployments on any address, whose apps told something."""
    told = {"primary": primary, "backup": backup}
    versions = {name: KeptVersion(at=NOW - timedelta(minutes=2), version=one) for name, one in told.items()}
    return Snapshot(service=replace(service(), version=endpoint), at=NOW, versions=versions)


def app(commit: Told, schema: Told) -> AppVersion:
    return AppVersion(commit=commit, schema=schema)


ONE, OTHER = app(Told(value="abcdef0"), Told(value="7")), app(Told(value="abcdef0"), Told(value="8"))


def test_apps_on_any_address_are_compared() -> None:
    """Without any platform."""
    (same,) = drift_findings(by_apps(ONE, ONE), "primary", "backup")
    assert (same.level, same.text) == (Level.PASS, "backup has what primary has, as their apps said 2 min ago")
    (other,) = drift_findings(by_apps(ONE, OTHER), "primary", "backup")
    assert other.level is Level.WARN
    assert "backup's database schema is another version than primary's; deploy or migrate it" in other.text
    assert drift_findings(by_apps(ONE, OTHER, None), "primary", "backup") == [], "nobody asks any more"


def test_what_an_app_should_tell_and_does_not_is_told() -> None:
    """Nobody may take it for the same."""
    broken = app(Told(value="abcdef0"), Told(why="the body is not JSON"))
    (found,) = drift_findings(by_apps(ONE, broken), "primary", "backup")
    assert found.level is Level.WARN
    assert found.text == (
        "Whether backup has all that primary has is not known, as their apps said 2 min ago: "
        "backup's app does not tell its database schema's version: the body is not JSON"
    )


def test_the_oldest_word_counts() -> None:
    """Of whoever said it."""
    both = snapshot(primary=SEEN, backup=SEEN)
    both = replace(both, service=replace(both.service, version=ENDPOINT), versions=by_apps(ONE, ONE).versions)
    (found,) = drift_findings(both, "primary", "backup")
    assert found.text == "backup has what primary has, as their platforms and apps said 4 min ago"
