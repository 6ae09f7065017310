"""What a platform tells of a deployment, in lines: whatever it tells, however much."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from changeover.model.platforms.platform_observation import (
    AttachedDomain,
    HostedDatabase,
    PlatformObservation,
    Process,
)
from changeover.model.wording.running_words import running_lines

NOW = datetime(2026, 11, 23, 14, 20, 31, tzinfo=UTC)
WHOLE = PlatformObservation(
    wanted=2,
    running=1,
    release="v41",
    released_at=NOW - timedelta(days=11),
    commit="4f4f592aa0c1d2e3f4",
    maintenance=True,
    started=False,
    deploying="a build",
    processes=(
        Process(name="web", wanted=2, running=1, size="Standard-1X", crashed=1),
        Process(name="worker", wanted=1, running=1),
    ),
    hostnames=("www.shop.example",),
    domains=(
        AttachedDomain(hostname="www.shop.example", certificate="issued"),
        AttachedDomain(hostname="shop.example", certificate="failed", reason="the name leads elsewhere"),
        AttachedDomain(hostname="old.shop.example"),
    ),
    databases=(
        HostedDatabase(
            name="curly",
            role="standby",
            follows="leader",
            behind=12,
            version="16.2",
            backup_at=NOW - timedelta(hours=3),
        ),
    ),
)


def test_all_that_can_be_told() -> None:
    """State first, then what runs, since when, under which names, with which database."""
    assert running_lines(WHOLE, NOW) == (
        "It is stopped; it is in maintenance; being deployed: a build",
        "Processes: web 1 of 2 (Standard-1X), 1 crashed, worker 1",
        "Release: v41, since 12 Nov 14:20, commit 4f4f592aa0c1",
        "Domains: www.shop.example (certificate issued), shop.example (no certificate: the name leads elsewhere),"
        " old.shop.example",
        "Database: curly: standby, follows leader, 12 commits behind, version 16.2, backup of 3 h ago",
    )


def test_what_is_not_told_has_no_line() -> None:
    """Neither nothing at all, nor a platform that knows instances and names only."""
    assert running_lines(PlatformObservation(), NOW) == ()
    few = PlatformObservation(wanted=3, running=3, hostnames=("a.example", "b.example"))
    assert running_lines(few, NOW) == ("Instances: 3", "Domains: a.example, b.example")


@given(st.integers(0, 400))
def test_long_lists_are_cut_and_counted(number: int) -> None:
    """Others make them as long as they like."""
    found = PlatformObservation(hostnames=tuple(f"n{n}.example" for n in range(number)))
    (line,) = running_lines(found, NOW) or ("",)
    assert line.count(".example") == min(number, 6)
    assert (f"and {number - 6} more" in line) is (number > 6)
