"""Health is judged from several probes, never from one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from changeover.model.health import Health, Phases, ProbeResult, Round, deployment_health, judge, settled
from model.strategies import NOW


def probe_round(number: int, kind: str) -> Round:
    """g: all good, b: all bad, p: part of it bad, n: nothing could be tried."""
    oks = {"g": [True, True], "b": [False, False], "p": [True, False], "n": [None]}[kind]
    at = NOW + timedelta(seconds=30 * number)
    results = tuple(
        ProbeResult(
            deployment="primary", hostname=f"h{n}", address="192.0.2.1", at=at, ok=ok, reason=f"reason {number}"
        )
        for n, ok in enumerate(oks)
    )
    return Round(at=at, results=results)


def rounds(kinds: str) -> list[Round]:
    return [probe_round(number, kind) for number, kind in enumerate(kinds)]


@pytest.mark.parametrize(
    ("history", "health"),
    [
        ("", "unknown"),
        ("g", "unknown"),
        ("b", "unknown"),
        ("bb", "unknown"),
        ("gg", "healthy"),
        ("bbb", "unhealthy"),
        ("gb", "unknown"),
        ("gbg", "degraded"),
        ("bgb", "degraded"),
        ("bgg", "healthy"),
        ("ggb", "healthy"),
        ("ggbb", "healthy"),
        ("ggbbb", "unhealthy"),
        ("ggbbgbb", "healthy"),
        ("ggbbbg", "unhealthy"),
        ("ggbbbgg", "healthy"),
        ("ppp", "degraded"),
        ("bbp", "degraded"),
        ("ggpp", "healthy"),
        ("ggppp", "degraded"),
        ("pppbbb", "unhealthy"),
        ("nnnn", "unknown"),
        ("gng", "healthy"),
        ("bnbnb", "unhealthy"),
        ("ggnn", "healthy"),
        ("ggnnn", "unknown"),
        ("ggnnng", "unknown"),
    ],
)
def test_judgement(history: str, health: str) -> None:
    """Three bad in a row is down, two good in a row is up, what could not be tried counts for nothing.

    Three in a row that could not be tried: nothing is known any more.
    """
    assert judge(rounds(history))[0] == health


@given(st.text(alphabet="gbpn", max_size=40), st.sampled_from("gbpn"))
def test_one_more_round_never_turns_good_to_bad_or_back(history: str, last: str) -> None:
    """No single probe moves a verdict between healthy and unhealthy unless those before it agree."""
    before, after = judge(rounds(history))[0], judge(rounds(history + last))[0]
    tried = [k for k in history + last if k != "n"]
    if after is Health.HEALTHY and before is not Health.HEALTHY:
        assert tried[-2:] == ["g", "g"]
    if after is Health.UNHEALTHY and before is not Health.UNHEALTHY:
        assert tried[-3:] == ["b", "b", "b"]


@given(st.text(alphabet="gbpn", min_size=3, max_size=3).filter(lambda text: "n" not in text))
def test_three_rounds_always_settle(history: str) -> None:
    """A command needs no more than three."""
    assert settled(rounds(history))


def test_since_is_the_first_round_of_the_streak() -> None:
    """ "Failing for" counts from the first failure, not from the verdict."""
    health = deployment_health("primary", rounds("ggbbb"))
    assert health.since == NOW + timedelta(seconds=60)
    assert health.reason.startswith("reason 4")


def test_the_reason_is_that_of_the_worst_result() -> None:
    """And names the hostname and address where there are several."""
    assert "(h1 at 192.0.2.1)" in probe_round(0, "p").reason


@pytest.mark.parametrize(
    ("history", "health", "reason"),
    [
        ("ggb", "healthy", "the last check failed: reason 2"),
        ("bbbg", "unhealthy", "the last check was good, those before: reason 2"),
        ("gbg", "degraded", "answers some of the time: reason 1"),
        ("ggg", "healthy", "reason 2"),
        ("bbbnb", "unhealthy", "reason 4"),
        ("ggnnn", "unknown", "reason 4"),
    ],
)
def test_the_reason_fits_the_verdict(history: str, health: str, reason: str) -> None:
    """A deployment that is down is never explained by its one good answer, nor a good one by its one failure alone."""
    judged = deployment_health("primary", rounds(history))
    assert judged.health == health
    assert judged.reason.startswith(reason)


def test_a_computer_without_a_network_knows_nothing_any_more() -> None:
    """Since the first round that could not be tried; afterwards it takes as many rounds as at the start."""
    assert judge(rounds("ggnnn")) == (Health.UNKNOWN, NOW + timedelta(seconds=60))
    assert judge(rounds("bbnnnb"))[0] is Health.UNKNOWN
    assert judge(rounds("bbnnnbbb")) == (Health.UNHEALTHY, NOW + timedelta(seconds=150))


def test_nothing_is_known_before_the_first_round() -> None:
    """Not healthy, not down."""
    judged = deployment_health("primary", [])
    assert (judged.health, judged.reason, judged.checked_at) == (Health.UNKNOWN, "not checked yet", None)
    assert (Round(at=NOW, results=()).verdict, Round(at=NOW, results=()).reason) == ("unknown", "not checked yet")


def test_the_slowest_good_answer_counts() -> None:
    """In seconds; none where none was good."""
    one, other = probe_round(0, "p").results
    timed = Round(at=NOW, results=(replace(one, phases=Phases(total=0.2)), replace(other, phases=Phases(total=9))))
    assert timed.seconds == 0.2
    assert probe_round(0, "b").seconds is None
