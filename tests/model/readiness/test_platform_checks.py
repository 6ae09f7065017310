"""What a platform says of the names that it serves is held against where their answers lead."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from changeover.model.finding import Level
from changeover.model.platforms.platform_observation import (
    AttachedDomain,
    HostedDatabase,
    KeptObservation,
    PlatformObservation,
)
from changeover.model.readiness.platform_checks import platform_findings
from changeover.model.readiness.snapshot import Snapshot
from changeover.model.settings.service import Answer
from model.snapshots import WWW, service
from model.strategies import NOW

TARGET = "shallow-elk-1.herokudns.com"


def snapshot(target: str | None, domain: AttachedDomain | None, **more: Any) -> Snapshot:
    """The backup's answer leads to `target`, and its platform says this of a hostname."""
    of = service()
    answer = Answer(cname=target) if target else Answer(a=("198.51.100.24",))
    primary, backup = of.deployments
    of = replace(of, hostnames=(WWW,), deployments=(primary, replace(backup, answer=answer)))
    seen = PlatformObservation(domains=(domain,) if domain is not None else (), hostnames=(WWW,), **more)
    kept = {"backup": KeptObservation(at=NOW - timedelta(minutes=4), observation=seen)}
    return Snapshot(service=of, at=NOW, platforms=kept)


def attached(**more: Any) -> AttachedDomain:
    return AttachedDomain(hostname=WWW, target=TARGET, **more)


@pytest.mark.parametrize("target", [TARGET, TARGET.upper(), f"{TARGET}."])
def test_an_answer_that_is_the_platforms_target(target: str) -> None:
    """However it is written."""
    (found,) = platform_findings(snapshot(target, attached()), "primary", "backup")
    assert (found.level, "as it said 4 min ago" in found.text) == (Level.PASS, True)


def test_a_target_that_is_another() -> None:
    """It may have been replaced, and serve somebody else by now."""
    (found,) = platform_findings(snapshot("old-elk-9.herokudns.com", attached()), "primary", "backup")
    assert found.level is Level.WARN
    assert f"its DNS target there is {TARGET}" in found.text


@pytest.mark.parametrize(("domain", "fix"), [(attached(), f"Lead it to {TARGET}."), (None, "Attach the hostname")])
def test_the_platforms_own_name(domain: AttachedDomain | None, fix: str) -> None:
    """It answers, with a certificate that is not for the visitors' name."""
    (found,) = platform_findings(snapshot("shop-1234.herokuapp.com", domain), "primary", "backup")
    assert "which has no certificate for it" in found.text
    assert found.fix.startswith(fix)


def test_a_certificate_that_cannot_be_made() -> None:
    """With the platform's reason, and why that happens while visitors are elsewhere."""
    failed = attached(certificate="failed", reason="CAA record forbids it")
    (found,) = platform_findings(snapshot(TARGET, failed), "primary", "backup")
    assert found.text == f"The certificate of {WWW} at backup fails: CAA record forbids it"
    assert "DNS leads elsewhere" in found.fix


def test_addresses_say_nothing_of_a_target() -> None:
    """Nor does a platform that gives none."""
    (found,) = platform_findings(snapshot(None, attached()), "primary", "backup")
    assert found.level is Level.PASS
    (found,) = platform_findings(snapshot("edge.example.net", None), "primary", "backup")
    assert found.level is Level.PASS


def test_nothing_is_said_where_no_platform_tells() -> None:
    """Of any address nobody knows."""
    assert platform_findings(Snapshot(service=service(), at=NOW), "primary", "backup") == []


@pytest.mark.parametrize(("days", "level"), [(2, Level.PASS), (4, Level.WARN)])
def test_the_newest_backup_of_a_database(days: int, level: Level) -> None:
    """One that is older than those that are made daily is told with its age."""
    database = HostedDatabase(name="pg-1", state="Available", backup_at=NOW - timedelta(days=days))
    (found,) = platform_findings(snapshot(TARGET, attached(), databases=(database,)), "primary", "backup")
    assert found.level is level
    assert level is Level.PASS or "pg-1 of backup was made 4 days ago" in found.text


def test_what_was_read_before_the_rest_is_told_with_its_age() -> None:
    """A comparison is as old as the oldest of what it compares."""
    seen = snapshot(TARGET, attached(), seldom_at=NOW - timedelta(minutes=25)).platforms["backup"]
    assert (seen.oldest, replace(seen, observation=PlatformObservation()).oldest) == (
        NOW - timedelta(minutes=25),
        NOW - timedelta(minutes=4),
    )
