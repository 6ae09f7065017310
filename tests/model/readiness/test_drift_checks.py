"""The readiness check `drift`: what runs at the target is what runs where visitors are, or it is said where not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from changeover.model.finding import Level
from changeover.model.platforms.platform_observation import KeptObservation, PlatformObservation
from changeover.model.readiness.drift_checks import compared_with, drift_findings
from changeover.model.readiness.snapshot import Snapshot
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
