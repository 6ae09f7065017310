"""Freezes in words: who, what, until when, why; and in the sentence of a service."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from changeover.model.finding import Level, overridden
from changeover.model.readiness.all_checks import findings
from changeover.model.readiness.freeze import Freeze, freeze_left, freeze_words, freezes_of
from changeover.model.wording.sentence import sentence
from changeover.model.wording.service_status import ServiceStatus, service_status
from model.snapshots import observed, state
from model.strategies import NOW

SHOP = Freeze(service="shop", reason="a release", set_at=NOW, until=NOW + timedelta(hours=2), who="anna")
ALL = replace(SHOP, service=None, who="", until=NOW + timedelta(minutes=30))


def test_who_what_until_when_and_why() -> None:
    """With a time for those whose clock is known, with what is left for the others."""
    assert freeze_words(SHOP, NOW) == "shop is frozen by anna until 05:00: a release"
    assert freeze_left(SHOP, NOW) == "shop is frozen by anna for 2 h more: a release"
    assert freeze_words(ALL, NOW) == "Everything is frozen until 03:30: a release"
    assert freeze_left(ALL, NOW + timedelta(hours=1)) == "Everything is frozen for 0 s more: a release"
    assert (SHOP.what, ALL.what) == ("shop", "everything")


def test_a_service_is_under_its_own_freeze_and_that_of_everything() -> None:
    """Until their very end."""
    mail = replace(SHOP, service="mail")
    assert freezes_of("shop", (ALL, mail, SHOP), NOW) == (SHOP, ALL)
    assert freezes_of("shop", (ALL, SHOP), ALL.until) == (SHOP,)
    assert freezes_of("shop", (ALL, SHOP), SHOP.until) == ()


def test_a_frozen_service_is_no_worse_off() -> None:
    """It is in the sentence; that nothing is to be switched does not say that the backup could not take over."""
    frozen = state(observed(freezes=(SHOP, ALL)))
    assert frozen.overlay.freezes == (SHOP, ALL)
    assert service_status(frozen) is ServiceStatus.HEALTHY
    assert sentence(frozen, NOW).text == (
        "Visitors reach primary. Both deployments are healthy and the backup is ready. "
        "shop is frozen by anna until 05:00: a release. Everything is frozen until 03:30: a release."
    )


def test_only_an_emergency_may_override_it_by_name() -> None:
    """With a reason, that stays in the report."""
    there = observed(freezes=(SHOP,))
    for emergency, level in ((False, Level.BLOCK), (True, Level.WARN)):
        found = overridden(findings(there, "backup", emergency), {"freeze": "the shop is down"})
        assert [f.level for f in found if f.check == "freeze"] == [level]
