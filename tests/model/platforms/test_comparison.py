"""Two deployments side by side: each difference is found and worded, and two equal apps have none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from changeover.model.platforms.comparison import compared
from changeover.model.platforms.comparison_row import Agreement, Compared, Side, differing
from changeover.model.platforms.platform_observation import (
    AttachedDomain,
    AttachedResource,
    PlatformCertificate,
    PlatformObservation,
    Process,
)
from changeover.model.settings.platform import DriftRules

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANYTHING = DriftRules()
PG = AttachedResource(name="pg-1", kind="postgresql", plan="standard-0")
WWW, APEX = "www.shop.example", "shop.example"
FULL = PlatformObservation(
    wanted=2,
    running=2,
    release="v41",
    maintenance=False,
    hostnames=(WWW, APEX),
    started=True,
    processes=(
        Process(name="web", wanted=2, running=2, size="standard-1x"),
        Process(name="worker", wanted=1, running=1),
    ),
    managed_certificates=True,
    commit="4f4f592a1b2c3d4e5f60718293a4b5c6d7e8f900",
    released_at=NOW - timedelta(days=3),
    region="eu",
    runtime="heroku-24",
    runtime_support="full",
    buildpacks=("heroku/ruby",),
    sleeps=False,
    domains=(
        AttachedDomain(hostname=WWW, target="a.herokudns.com", certificate="issued"),
        AttachedDomain(hostname=APEX, target="b.herokudns.com", certificate="issued"),
    ),
    certificates=(PlatformCertificate(names=(WWW, APEX), not_after=NOW + timedelta(days=60), renews=True),),
    config={"SECRET_KEY": "11", "RAILS_ENV": "22", "SMTP_HOST": "33"},
    resources=(PG,),
    quota_left=10,
)


def rows(
    backup: PlatformObservation,
    primary: PlatformObservation = FULL,
    rules: DriftRules = ANYTHING,
    platforms: tuple[str, str] = ("heroku", "heroku"),
) -> tuple[Compared, ...]:
    sides = (
        Side(name="primary", platform=platforms[0], observation=primary),
        Side(name="backup", platform=platforms[1], observation=backup),
    )
    return compared(*sides, (WWW, APEX), rules, NOW)


def scaled(**wanted: int) -> tuple[Process, ...]:
    return tuple(Process(name=name, wanted=number, running=number) for name, number in wanted.items())


def test_two_equal_apps_have_no_difference() -> None:
    """And every row of them says so."""
    found = rows(FULL)
    assert differing(found) == ()
    assert {row.agreement for row in found} == {Agreement.SAME}
    assert all(row.why == "" for row in found)


WITHOUT_APEX = (AttachedDomain(hostname=WWW, target="a.herokudns.com", certificate="issued"),)
OTHER_CONFIG = {"SECRET_KEY": "11", "RAILS_ENV": "22"}


def domain(state: Any, reason: str = "") -> tuple[AttachedDomain, ...]:
    return (*WITHOUT_APEX, AttachedDomain(hostname=APEX, certificate=state, reason=reason))


def certificate(*names: str, **fields: Any) -> tuple[PlatformCertificate, ...]:
    return (PlatformCertificate(names=names, **{"not_after": NOW + timedelta(days=60), **fields}),)


@pytest.mark.parametrize(
    ("changed", "aspect", "subject", "word"),
    [
        ({"started": False}, "state", "started", "backup is stopped"),
        ({"maintenance": True}, "state", "maintenance", "would see a maintenance page"),
        ({"sleeps": True}, "state", "sleeps", "sleeps without visitors"),
        ({"deploying": "release v42"}, "state", "deployment", "being deployed"),
        ({"commit": "5f4f592a1b2c3d4e5f60718293a4b5c6d7e8f900"}, "release", "commit", "another commit"),
        ({"commit": "4f4f592a1b2d"}, "release", "commit", "another commit"),
        ({"processes": scaled(web=2)}, "scale", "worker", "0 worker instances, and needs 1"),
        ({"processes": scaled(worker=1)}, "scale", "web", "0 web instances"),
        ({"processes": scaled(web=0, worker=1)}, "scale", "web", "0 web instances"),
        ({"processes": scaled(web=1, worker=0)}, "scale", "worker", "0 worker instances"),
        ({"processes": (Process(name="web", wanted=2, running=1), *scaled(worker=1))}, "running", "web", "1 web inst"),
        ({"processes": (*scaled(web=2), Process(name="worker", wanted=3, running=0))}, "running", "worker", "3 worker"),
        ({"config": OTHER_CONFIG}, "config", "SMTP_HOST", "SMTP_HOST is not set at backup"),
        ({"config": {**FULL.config, "MORE": "1"}}, "config", "MORE", "set at backup only"),
        ({"config": {**FULL.config, "RAILS_ENV": "9"}}, "config", "RAILS_ENV", "has another value at backup"),
        ({"config": {**FULL.config, "SECRET_KEY": "9"}}, "config", "SECRET_KEY", "has another value at backup"),
        ({"config": {"ПОРТ": "1", **FULL.config}}, "config", "ПОРТ", "set at backup only"),
        ({"urls_without_tls": ("DATABASE_URL",)}, "config", "DATABASE_URL (TLS)", "does not ask for TLS"),
        ({"runtime": "heroku-22"}, "runtime", "stack", "another stack"),
        ({"runtime": "container"}, "runtime", "stack", "another stack"),
        ({"runtime_support": "ended"}, "runtime", "support", "no repairs any more"),
        ({"runtime_support": "security"}, "runtime", "support", "security repairs only"),
        ({"buildpacks": ("heroku/ruby", "heroku/nodejs")}, "runtime", "buildpacks", "built in another way"),
        ({"buildpacks": ("heroku/python",)}, "runtime", "buildpacks", "built in another way"),
        ({"hostnames": (WWW,), "domains": WITHOUT_APEX}, "domain", APEX, "shop.example is not attached at backup"),
        ({"hostnames": (APEX,)}, "domain", WWW, "www.shop.example is not attached"),
        ({"hostnames": ("*.shop.example",)}, "domain", APEX, "shop.example is not attached"),
        ({"hostnames": ("other.example",)}, "domain", WWW, "is not attached"),
        ({"domains": domain("waiting")}, "certificate", APEX, "(waiting)"),
        ({"domains": domain("failed", "CAA forbids it")}, "certificate", APEX, "(failed: CAA forbids it)"),
        ({"certificates": certificate(WWW)}, "certificate", APEX, "no certificate of backup is for shop.example"),
        ({"certificates": certificate("*.shop.example")}, "certificate", APEX, "no certificate of backup"),
        ({"certificates": certificate("*.example")}, "certificate", WWW, "no certificate of backup"),
        ({"certificates": certificate("other.example")}, "certificate", WWW, "no certificate of backup"),
        (
            {"certificates": certificate(WWW, APEX, not_after=NOW + timedelta(days=5))},
            "certificate",
            f"{WWW} (renewal)",
            "ends in 5 days",
        ),
        (
            {"certificates": certificate(WWW, APEX, not_after=NOW - timedelta(days=5), renews=False)},
            "certificate",
            f"{APEX} (renewal)",
            "ends in 0 days",
        ),
        ({"resources": ()}, "resource", "postgresql", "backup has no postgresql"),
        ({"resources": (AttachedResource(name="r", kind="redis"),)}, "resource", "postgresql", "no postgresql"),
    ],
)
def test_one_difference(changed: Mapping[str, Any], aspect: str, subject: str, word: str) -> None:
    """It is the row that differs, in words that say what it means; nothing else is said of what it follows from."""
    found = differing(rows(replace(FULL, **changed)))
    row = next(row for row in found if (row.aspect, row.subject) == (aspect, subject))
    assert word in row.why
    assert {one.aspect for one in found} == {aspect}


@pytest.mark.parametrize(
    ("primary", "aspect", "subject"),
    [
        ({"config": {**FULL.config, "MORE": "1"}}, "config", "MORE"),
        ({"processes": scaled(web=2, worker=1, clock=1)}, "scale", "clock"),
        ({"resources": (PG, AttachedResource(name="r", kind="redis"))}, "resource", "redis"),
        ({"deploying": "release v43"}, "state", "deployment"),
        ({"commit": "1" * 40}, "release", "commit"),
    ],
)
def test_what_the_primary_has_alone(primary: Mapping[str, Any], aspect: str, subject: str) -> None:
    """Is missing at the backup."""
    (row,) = differing(rows(FULL, replace(FULL, **primary)))
    assert (row.aspect, row.subject) == (aspect, subject)


@pytest.mark.parametrize(("minimum", "fits"), [({"web": 2}, True), ({"web": 3}, False), ({"mailer": 1}, False)])
def test_the_declared_minimum_counts(minimum: dict[str, int], fits: bool) -> None:
    """Whatever the primary is scaled to."""
    found = differing(rows(FULL, rules=DriftRules(minimum=minimum)))
    assert (found == ()) == fits


def test_a_quota_that_has_no_room() -> None:
    """For what the minimum lacks."""
    rules = DriftRules(minimum={"web": 5})
    found = differing(rows(replace(FULL, quota_left=2), rules=rules))
    assert [row.subject for row in found] == ["web", "quota"]
    assert "3 more instances, and its quota has room for 2" in found[1].why


def test_what_only_heroku_gives() -> None:
    """An app that moves misses it; PORT is given by Cloud Foundry as well. Its metadata is nobody's to set."""
    here = replace(FULL, config={**FULL.config, "HEROKU_SLUG_COMMIT": "1"})
    for platform, missing in (("cloudfoundry", ["DYNO"]), ("url", ["DYNO", "PORT"])):
        found = differing(rows(FULL, here, platforms=("heroku", platform)))
        assert [row.subject for row in found] == missing
    assert differing(rows(FULL, here, DriftRules(ignore=("DYNO",)), ("heroku", "cloudfoundry"))) == ()


@pytest.mark.parametrize("word", ["config", "SMTP_HOST"])
def test_what_is_meant_to_differ_is_shown_and_is_no_difference(word: str) -> None:
    """By its name, or all of an aspect."""
    found = rows(replace(FULL, config={**FULL.config, "SMTP_HOST": "9"}), rules=DriftRules(differs=(word,)))
    assert differing(found) == ()
    assert [(row.subject, row.why) for row in found if row.agreement is Agreement.MEANT] == [("SMTP_HOST", "")]


def test_what_is_ignored_has_no_row() -> None:
    """So that a variable of no interest is not read about each day."""
    found = rows(replace(FULL, config=OTHER_CONFIG), rules=DriftRules(ignore=("SMTP_HOST",)))
    assert "SMTP_HOST" not in {row.subject for row in found}
    assert differing(found) == ()


def test_what_was_kept_without_hashes_is_not_known() -> None:
    """Names are still compared."""
    found = rows(replace(FULL, config={"SECRET_KEY": "", "RAILS_ENV": "", "NEW": ""}))
    verdicts = {row.subject: row.agreement for row in found if row.aspect == "config"}
    assert verdicts == {
        "SECRET_KEY": Agreement.UNKNOWN,
        "RAILS_ENV": Agreement.UNKNOWN,
        "NEW": Agreement.DIFFERS,
        "SMTP_HOST": Agreement.DIFFERS,
    }


def test_nothing_is_made_of_what_is_not_told() -> None:
    """A platform that tells little makes no differences."""
    little = PlatformObservation(wanted=1, running=1, release="v1")
    assert differing(rows(little)) == ()
    assert differing(rows(PlatformObservation())) == ()
    assert differing(rows(FULL, PlatformObservation())) == ()


observations = st.builds(
    PlatformObservation,
    wanted=st.none() | st.integers(0, 5),
    running=st.none() | st.integers(0, 5),
    maintenance=st.none() | st.booleans(),
    started=st.none() | st.booleans(),
    sleeps=st.none() | st.booleans(),
    commit=st.text("0123456789abcdef", max_size=40),
    hostnames=st.sets(st.sampled_from([WWW, APEX, "*.shop.example"])).map(tuple),
    processes=st.sets(st.sampled_from(["web", "worker"])).map(
        lambda names: tuple(Process(name=n, wanted=1) for n in names)
    ),
    config=st.dictionaries(st.text(max_size=9), st.sampled_from(["", "1", "2"]), max_size=4),
    runtime=st.sampled_from(["", "heroku-24", "cflinuxfs4"]),
    quota_left=st.none() | st.integers(0, 9),
)


@given(observations, observations)
def test_every_difference_says_what_it_means(primary: PlatformObservation, backup: PlatformObservation) -> None:
    """And nothing else does; each subject has one row, with something on both sides."""
    found = rows(backup, primary)
    assert len({(row.aspect, row.subject) for row in found}) == len(found)
    for row in found:
        assert bool(row.why) == (row.agreement is Agreement.DIFFERS)
        assert row.primary and row.backup


@given(observations)
def test_an_app_does_not_differ_from_itself(one: PlatformObservation) -> None:
    """But for what is wrong with it: that it does not run, shows a page, or runs too little."""
    found = {row.aspect for row in differing(rows(one, one))}
    assert found <= {"state", "domain", "running"}
