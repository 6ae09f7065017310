"""Interruptions: what two readings of the clocks tell, on systems whose clocks tell more and on others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.health.connectivity.clocks import read_clocks
from changeover.model.health.clock_gap import ASLEEP, CLOCK_SET, Clocks, Interruption, asleep_words, interruption

TICK, SLACK = 2.0, 4.0
START = Clocks(wall=1_800_000_000.0, monotonic=5000.0, boot=9000.0)


def later(asleep: float = 0.0, late: float = 0.0, clock_set: float = 0.0, boot: bool = True) -> Clocks:
    """The clocks one tick after START, in which this happened. Without `boot`, as Windows has them."""
    ran = TICK + late
    return Clocks(
        wall=START.wall + ran + asleep + clock_set,
        monotonic=START.monotonic + ran + (0.0 if boot else asleep),
        boot=9000.0 + ran + asleep if boot else None,
    )


def between(after: Clocks) -> Interruption | None:
    return interruption(START, after, TICK, SLACK)


@pytest.mark.parametrize(
    ("after", "kind", "seconds", "unseen", "text"),
    [
        (later(asleep=25920), "asleep", 25920, 25920, "Asleep for 7 h 12 min"),
        (later(asleep=5), "asleep", 5, 5, "Asleep for 5 s"),
        (later(late=45), "stalled", 45, 45, "Stood still for 45 s"),
        (later(clock_set=3600), "clock set", 3600, 0, "The clock was set forward by 1 h"),
        (later(clock_set=-7200), "clock set", -7200, 0, "The clock was set back by 2 h"),
        (
            later(asleep=3600, clock_set=-600),
            "asleep",
            3600,
            3600,
            "Asleep for 1 h. The clock was set back by 10 min",
        ),
        (
            later(asleep=600, late=30, clock_set=60),
            "asleep",
            600,
            630,
            "Asleep for 10 min. Stood still for 30 s. The clock was set forward by 1 min",
        ),
        # Set back by as much as it slept: the wall clock alone would show nothing.
        (
            later(asleep=600, clock_set=-600),
            "asleep",
            600,
            600,
            "Asleep for 10 min. The clock was set back by 10 min",
        ),
        (later(late=45, clock_set=5), "stalled", 45, 45, "Stood still for 45 s. The clock was set forward by 5 s"),
        (later(asleep=25920, boot=False), "asleep", 25920, 25920, "Asleep for 7 h 12 min"),
        (later(late=45, boot=False), "stalled", 45, 45, "Stood still for 45 s"),
        (later(clock_set=-90, boot=False), "clock set", -90, 0, "The clock was set back by 1 min 30 s"),
        (
            later(asleep=600, clock_set=60, boot=False),
            "asleep",
            600,
            600,
            "Asleep for 10 min. The clock was set forward by 1 min",
        ),
    ],
)
def test_what_came_between(after: Clocks, kind: str, seconds: float, unseen: float, text: str) -> None:
    """Sleep, standing still and a clock that was set are told apart, also where they come together."""
    found = between(after)
    assert found is not None
    assert (found.kind, found.seconds, found.unseen, found.text) == (kind, seconds, unseen, text)


@given(
    late=st.floats(-TICK, SLACK - 0.001),
    asleep=st.floats(0, SLACK - 0.001),
    clock_set=st.floats(-CLOCK_SET + 0.001, CLOCK_SET - 0.001),
    boot=st.booleans(),
)
def test_jitter_is_no_interruption(late: float, asleep: float, clock_set: float, boot: bool) -> None:
    """A tick that is early or a little late, a nap too short to miss anything, NTP at its work."""
    if not boot:
        asleep = 0.0
    assert between(later(asleep=asleep, late=late, clock_set=clock_set, boot=boot)) is None


PARTS = st.one_of(st.just(0.0), st.floats(5, 10**7))


@given(asleep=PARTS, late=PARTS, clock_set=st.one_of(PARTS, st.floats(-(10**7), -3)))
def test_the_parts_add_up(asleep: float, late: float, clock_set: float) -> None:
    """Where sleep has a clock of its own each part is found exactly; together they are what the wall clock shows."""
    after = later(asleep=asleep, late=late, clock_set=clock_set)
    found = between(after)
    if found is None:
        assert (asleep, late, clock_set) == (0, 0, 0)
        return
    assert found.asleep == pytest.approx(asleep, abs=1e-3)
    assert found.stalled == pytest.approx(late, abs=1e-3)
    assert found.clock_set == pytest.approx(clock_set, abs=1e-3)
    shown = after.wall - START.wall
    assert TICK + found.unseen + found.clock_set == pytest.approx(shown, abs=1e-3)


@given(away=st.floats(SLACK + 0.01, 10**7), clock_set=st.one_of(st.just(0.0), st.floats(3, 10**6)))
def test_nothing_is_lost_where_sleep_has_no_clock(away: float, clock_set: float) -> None:
    """A long time away is sleep there, a short one is not; both are the same gap, and a clock that was set is seen."""
    found = between(later(late=away, clock_set=clock_set, boot=False))
    assert found is not None
    assert found.kind == ("asleep" if away > ASLEEP else "stalled")
    assert found.unseen == pytest.approx(away, abs=1e-3)
    assert found.clock_set == pytest.approx(clock_set, abs=1e-3)


def test_the_words_of_sleep() -> None:
    """As the window has them in a gap."""
    assert asleep_words(7 * 3600 + 12 * 60) == "Asleep for 7 h 12 min"


def test_the_clocks_of_this_computer() -> None:
    """They go forward together; two readings in a row are no interruption."""
    before = read_clocks()
    after = read_clocks()
    assert after.monotonic >= before.monotonic
    assert (before.boot is None) == (after.boot is None)
    assert interruption(before, after, 0.0, 60.0) is None
