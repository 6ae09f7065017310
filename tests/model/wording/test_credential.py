"""What a credential may do, in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from changeover.model.wording.credential import account_check, apps_check, expiry_words, wide_words

NOW = datetime(2026, 11, 27, 20, 0, tzinfo=UTC)
ZONES = ("shop.example", "blog.example", "wiki.example")


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(days=6, minutes=1), "It expires on 3 December 2026, in 6 days."),
        (timedelta(days=400), "It expires on 1 January 2028, in 400 days."),
        (timedelta(hours=30), "It expires on 29 November 2026, in 30 h."),
        (timedelta(minutes=5), "It expires on 27 November 2026, in 5 min."),
        (timedelta(), "It expired on 27 November 2026."),
        (timedelta(days=-30), "It expired on 28 October 2026."),
    ],
)
def test_when_it_ends(left: timedelta, words: str) -> None:
    """The day, and how long that is."""
    assert expiry_words(NOW + left, NOW) == words
    assert expiry_words((NOW + left).astimezone(timezone(timedelta(hours=9))), NOW) == words


@pytest.mark.parametrize(
    ("writable", "used", "words"),
    [
        (ZONES, ["shop.example"], "It can change all 3 zones; a credential for this zone alone is safer."),
        (ZONES[:2], ["shop.example"], "It can change 2 zones; a credential for this zone alone is safer."),
        (
            ZONES,
            ZONES[:2],
            "It can change all 3 zones; a credential for the 2 zones that it is used for alone is safer.",
        ),
        (ZONES[:1], ["shop.example"], ""),
        (ZONES, ZONES, ""),
        (ZONES, [], ""),
        ((), ["shop.example"], ""),
    ],
)
def test_what_it_can_do_beyond_its_use(writable: tuple[str, ...], used: list[str], words: str) -> None:
    """Said only where it is more than what it is used for."""
    assert wide_words(writable, ZONES, used) == words


@pytest.mark.parametrize(
    ("rights", "may_write", "words"),
    [
        ({"shop.example": True}, True, "dns-main may change records"),
        ({"shop.example": False}, False, "dns-main may read only: it may not change records"),
        (
            {"shop.example": True, "blog.example": False},
            False,
            "dns-main may read only in blog.example: it may not change records",
        ),
        (
            {"shop.example": True, "blog.example": None},
            None,
            "dns-main may read; whether it may change records shows only when it does",
        ),
    ],
)
def test_what_it_may_do(rights: dict[str, bool | None], may_write: bool | None, words: str) -> None:
    """Reading only is said plainly, with the zone where it is not the same everywhere, and what it needs."""
    found = account_check("dns-main", zones=ZONES, rights=rights, permission="DNS edit", now=NOW)
    assert (found.ok, found.may_write, found.text) == (True, may_write, words)
    assert found.hint == ("It needs: DNS edit" if may_write is False else "")


@pytest.mark.parametrize(("days", "warns"), [(13, True), (14, False), (-1, True)])
def test_a_credential_that_ends_soon_is_a_warning(days: int, warns: bool) -> None:
    """Two weeks before, and after it has ended; earlier it is only said."""
    expires = NOW + timedelta(days=days)
    found = account_check("dns-main", zones=ZONES, rights={ZONES[0]: True}, expires=expires, now=NOW)
    words = (expiry_words(expires, NOW),)
    assert (found.warnings, found.notes) == ((words, ()) if warns else ((), words))


def test_nothing_to_try() -> None:
    """An account that no service uses, at a provider that lists no zones: that is no proof, and not called one."""
    found = account_check("dns-main", zones=(), rights={}, now=NOW)
    assert (found.ok, found.tried, found.may_write) == (False, False, None)
    assert found.text == "dns-main was not tried: no service uses it yet, and it lists no zones"
    assert found.hint.endswith("changeover account verify dns-main --zone ZONE")


@pytest.mark.parametrize(("days", "warned"), [(3, True), (300, False)])
def test_a_credential_at_a_platform_ends(days: int, warned: bool) -> None:
    """Soon is a warning, later a note; nothing is said of one that does not end."""
    ends = NOW + timedelta(days=days, minutes=1)
    found = apps_check("cf-me", (), ends, NOW)
    assert (found.expires, len(found.warnings), len(found.notes)) == (ends, int(warned), int(not warned))
    endless = apps_check("cf-me", (), None, NOW)
    assert (endless.expires, endless.warnings, endless.notes) == (None, (), ())
