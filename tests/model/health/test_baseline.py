"""How a service answered before, and what is worse since."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from changeover.model.health.baseline import Answered, Baseline, Sample, baseline_of, worse

WWW = "www.shop.example"
NOW = datetime(2031, 5, 6, 14, 5, 0, tzinfo=UTC)
GOOD = Sample(hostname=WWW, status=200, seconds=0.2, size=5000, marker="primary")


def of(*samples: Sample) -> Baseline:
    return Baseline(at=NOW, samples=samples)


def test_several_answers_make_one_sample() -> None:
    """The status of most, and the medians of those; one slow answer changes nothing."""
    times = ((200, 0.1, 50), (200, 9.0, 52), (503, 0.01, 9), (200, 0.2, 51))
    answers = [Answered(hostname=WWW, address="a", status=s, seconds=t, size=n, marker="m") for s, t, n in times]
    assert baseline_of(answers, NOW).samples == (Sample(hostname=WWW, status=200, seconds=0.2, size=51, marker="m"),)
    assert baseline_of([Answered(hostname=WWW, address="a", reason="no answer")], NOW).samples == ()


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (GOOD, ()),
        (replace(GOOD, marker="backup", seconds=0.5, size=900), ()),
        (replace(GOOD, status=302), ("www.shop.example answers 302, before the switch 200",)),
        (replace(GOOD, seconds=0.7), ("www.shop.example takes 700 ms, before the switch 200 ms",)),
        (replace(GOOD, size=400), ("www.shop.example answers with 400 bytes, before the switch with 5000",)),
        (replace(GOOD, size=60000), ("www.shop.example answers with 60000 bytes, before the switch with 5000",)),
        (replace(GOOD, hostname="new.shop.example", status=500), ()),
    ],
    ids=["same", "a little other", "status", "slow", "small", "large", "not known before"],
)
def test_what_is_worse(now: Sample, words: tuple[str, ...]) -> None:
    """Another status, three times slower, ten times smaller or larger; nothing else, and nothing that is not known."""
    assert worse(of(GOOD), of(now)) == words


def test_what_is_no_measure() -> None:
    """No baseline, one of errors, times that nobody notices, bodies of a few bytes."""
    assert worse(None, of(GOOD)) == ()
    assert worse(of(replace(GOOD, status=503)), of(replace(GOOD, seconds=9))) == ()
    assert worse(of(replace(GOOD, seconds=0.002)), of(replace(GOOD, seconds=0.09))) == ()
    assert worse(of(replace(GOOD, size=2)), of(replace(GOOD, size=20))) == ()


@given(st.floats(0.001, 100), st.integers(0, 65536), st.sampled_from([200, 204, 302]))
def test_nothing_is_worse_than_itself(seconds: float, size: int, status: int) -> None:
    """Whatever it is."""
    sample = Sample(hostname=WWW, status=status, seconds=seconds, size=size)
    assert worse(of(sample), of(sample)) == ()
