"""Judging the time after a switch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.model.health.soak import Look, Soak, SoakState, judged_soak, soak_until

ENDED = datetime(2031, 5, 6, 14, 0, 0, tzinfo=UTC)
UNTIL = soak_until(ENDED)


def looks(signs: str, seconds: float = 0.2) -> list[Look]:
    """ "+" good, "-" bad, "?" not to be taken from here."""
    known = {"+": True, "-": False, "?": None}
    return [
        Look(at=ENDED + timedelta(seconds=10 * n), ok=known[s], seconds=seconds if s == "+" else None, reason="503")
        for n, s in enumerate(signs)
    ]


def judged(signs: str, seconds: float = 0.2, usual: float | None = None, after: float = 5) -> Soak:
    now = ENDED + timedelta(minutes=after)
    return judged_soak("backup", ENDED, UNTIL, now, looks(signs, seconds), usual)


@pytest.mark.parametrize(
    ("signs", "state"),
    [
        ("", SoakState.GOING),
        ("++++", SoakState.GOING),
        ("--", SoakState.GOING),
        ("---", SoakState.WORSENED),
        ("-+-+-+", SoakState.WORSENED),
        ("---++++", SoakState.GOING),
        ("--????+", SoakState.GOING),
        ("??????", SoakState.GOING),
        ("--??????-", SoakState.WORSENED),
    ],
)
def test_three_of_the_newest_six(signs: str, state: SoakState) -> None:
    """That many bad looks are too many; what this computer could not see counts for nothing."""
    assert judged(signs).state is state


def test_slower_than_before() -> None:
    """Three times, and so that people notice."""
    assert judged("+++", 0.7, usual=0.2).text == "backup answers in 700 ms, before the switch it was 200 ms"
    assert judged("+++", 0.7, usual=0.2).state is SoakState.WORSENED
    assert judged("++", 0.7, usual=0.2).state is SoakState.GOING
    assert judged("+++", 0.09, usual=0.01).state is SoakState.GOING
    assert judged("+++", 9.0).state is SoakState.GOING


def test_words() -> None:
    """What is seen, and how long it goes on."""
    assert judged("++-").text == "backup serves visitors: 3 looks, 1 of them bad; 25 min to go"
    assert judged("+++", after=30).text == "backup has served visitors for 30 min: 3 looks, none of them bad"
    assert judged("", after=90).text == "The time is over, and backup was not looked at"
    assert judged("+---").text == "backup fails for visitors: 3 of the last 4 looks were bad (503)"


@given(st.text("+-?", max_size=40), st.floats(0, 60))
def test_it_ends_when_its_time_is_over(signs: str, after: float) -> None:
    """Passed or worsened then, and never passed before."""
    state = judged(signs, after=after).state
    assert (state is SoakState.GOING) <= (after < 30)
    assert (state is SoakState.PASSED) <= (after >= 30)
