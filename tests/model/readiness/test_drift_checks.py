"""The readiness check `drift`: what runs at the target is what runs where visitors are, or it is said where not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from changeover.model.finding import Level
from changeover.model.platforms.app_version import AppVersion, KeptVersion, Told
from changeover.model.platforms.platform_observation import (
    AttachedDomain,
    HostedDatabase,
    KeptObservation,
    PlatformCertificate,
    PlatformObservation,
)
from changeover.model.readiness.drift_checks import compared_with, drift_findings
from changeover.model.readiness.platform_checks import platform_findings
from changeover.model.readiness.snapshot import Snapshot
from changeover.model.settings.platform import DriftRules
from changeover.model.settings.version_endpoint import VersionEndpoint
from model.snapshots import WWW, service
from model.strategies import NOW

HOSTNAMES = service().hostnames
SEEN = PlatformObservation(wanted=1, running=1, config={"A": "1", "B": "2", "C": "3", "D": "4"})


def snapshot(**kept: PlatformObservation) -> Snapshot:
    platforms = {name: KeptObservation(at=NOW - timedelta(minutes=4), observation=seen) for name, seen in kept.items()}
    return Snapshot(service=service(), at=NOW, platforms=platforms)


def test_what_is_the_same_passes_with_its_age() -> None:
    """So that nobody takes it for what is so now."""
    (found,) = drift_findings(snapshot(primary=SEEN, backup=SEEN), "primary", "backup")
    assert found.level is Level.PASS
    assert found.text == "backup has what primary has, as their platforms said 4 min ago"


def test_a_comparison_is_as_old_as_the_oldest_that_it_compares() -> None:
    """A platform may be asked less often for what seldom changes."""
    older = replace(SEEN, seldom_at=NOW - timedelta(minutes=25))
    (found,) = drift_findings(snapshot(primary=SEEN, backup=older), "primary", "backup")
    assert found.text == "backup has what primary has, as their platforms said 25 min ago"


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


def certificate(state: str) -> PlatformObservation:
    return PlatformObservation(hostnames=HOSTNAMES, domains=(AttachedDomain(hostname=WWW, certificate=state),))


#: What is wrong with the target itself, and what only the table would tell.
OF_THE_TARGET = {
    "stopped": PlatformObservation(started=False),
    "quota": PlatformObservation(wanted=1, quota_left=0),
    "failed": certificate("failed"),
    "ended": PlatformObservation(runtime="stack-1", runtime_support="ended"),
    "deploying": PlatformObservation(deploying="building"),
    "database": PlatformObservation(databases=(HostedDatabase(name="db", state="preparing"),)),
    "backup": PlatformObservation(databases=(HostedDatabase(name="db", backup_at=NOW - timedelta(days=9)),)),
}
OF_THE_PAIR = {
    "waiting": certificate("waiting"),
    "missing": PlatformObservation(certificates=(PlatformCertificate(names=("other.example",)),)),
    "security": PlatformObservation(runtime="stack-2", runtime_support="security"),
    "named quota": PlatformObservation(config={"quota": "2"}),
    "named started": PlatformObservation(config={"started": "2"}),
}


@pytest.mark.parametrize("found", [*OF_THE_TARGET, *OF_THE_PAIR])
def test_each_difference_is_told_by_one_check(found: str) -> None:
    """By `platform` where it is wrong with the target whatever it is compared with, else by `drift`."""
    here = PlatformObservation(config={"quota": "1", "started": "1"} if found.startswith("named") else {})
    there = {**OF_THE_TARGET, **OF_THE_PAIR}[found]
    kept = snapshot(primary=here, backup=there)
    rules = DriftRules(minimum={"web": 2}, differs=("web",)) if found == "quota" else DriftRules()
    kept = replace(kept, service=replace(kept.service, drift=rules))
    findings = platform_findings(kept, "primary", "backup") + drift_findings(kept, "primary", "backup")
    told = {one.check for one in findings if one.level is Level.WARN}
    assert told == {"platform" if found in OF_THE_TARGET else "drift"}


def test_a_source_that_is_being_deployed() -> None:
    """No check of the target tells it."""
    here = PlatformObservation(deploying="building")
    (found,) = drift_findings(snapshot(primary=here, backup=PlatformObservation()), "primary", "backup")
    assert "primary is being deployed at this moment" in found.text


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
