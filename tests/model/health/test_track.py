"""The verdict on what is probed: a table of histories after known monitors, and what holds of every history."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from changeover.model.health.check import Thresholds
from changeover.model.health.track import FIRST_UP, RoundOutcome, State, Track, changes, moved
from model.histories import BLIND, STATES, History, after, table, tracks
from model.strategies import NOW, thresholds

TABLE = table()
#: Long stretches of one kind among single letters, so that every state is reached.
events = st.lists(st.tuples(st.sampled_from("ggggbbbpnzs"), st.sampled_from([1, 1, 1, 2, 3, 5, 12])), max_size=25).map(
    lambda parts: "".join(letter * times for letter, times in parts)
)
tried = st.lists(st.tuples(st.sampled_from("gb"), st.sampled_from([1, 1, 1, 2, 3, 9, 10, 20])), max_size=30).map(
    lambda parts: "".join(letter * times for letter, times in parts)
)
every = st.sampled_from([1, 10, 30, 60, 300])
NEVER = 10**6


@pytest.mark.parametrize("row", TABLE, ids=[f"{row.source}: {row.name}".replace(" ", "-") for row in TABLE])
def test_history(row: History) -> None:
    """Results in, verdicts out."""
    assert "".join(STATES[t.state] for t in tracks(row.events, row.limits, row.every)) == row.states


def test_the_table_is_whole() -> None:
    """At least sixty histories, none twice under one name, and every verdict is among them."""
    assert len(TABLE) >= 60
    assert len({(row.source, row.name) for row in TABLE}) == len(TABLE)
    assert set("".join(row.states for row in TABLE)) == set(STATES.values())


def in_view(text: str, untried_limit: int) -> str:
    """What was tried and counts since nothing could be seen last: g or b, oldest first."""
    seen, untried, skip = "", 0, 0
    for letter in text:
        if letter in BLIND:
            seen, untried, skip = "", 0, BLIND[letter]
        elif skip:
            skip -= 1
        elif letter == "n":
            untried += 1
            if untried == untried_limit:
                seen = ""
        else:
            untried, seen = 0, seen + ("g" if letter == "g" else "b")
    return seen


def end_of(text: str, letter: str) -> int:
    """How many of this letter stand at the end."""
    return len(text) - len(text.rstrip(letter))


def gathered(seen: str, good_run: int) -> int:
    """The bad ones since the last run of so many good ones."""
    return seen[seen.rfind("g" * good_run) + 1 :].count("b")


@settings(max_examples=300)
@given(events, thresholds(), every)
def test_never_down_but_after_the_failures_that_it_takes(text: str, limits: Thresholds, every: float) -> None:
    """Enough in a row; or enough without a run of good ones in between; or a relapse of what was never up again.

    All of these were tried from here, since this computer could last see. So it is never called down while the
    witnesses fail.
    """
    before = Track()
    for number, (letter, track) in enumerate(zip(text, tracks(text, limits, every), strict=True)):
        if track.state is State.DOWN and before.state is not State.DOWN:
            seen = in_view(text[: number + 1], limits.down_after)
            assert letter in "bp"
            assert (
                end_of(seen, "b") >= limits.down_after
                or gathered(seen, limits.good_run) >= limits.failures_before_down
                or (
                    before.last is State.DOWN and seen.count("b") >= min(limits.down_after, limits.failures_before_down)
                )
            )
        before = track


@settings(max_examples=300)
@given(events, thresholds(), every)
def test_always_down_after_so_many_in_a_row(text: str, limits: Thresholds, every: float) -> None:
    """Whatever came before, flapping or not: so many bad ones in view are down."""
    for number, track in enumerate(tracks(text, limits, every)):
        if text[number] in "bp" and end_of(in_view(text[: number + 1], limits.down_after), "b") >= limits.down_after:
            assert track.state is State.DOWN


@settings(max_examples=300)
@given(events, thresholds(), every)
@example("ggbbbzggggg", Thresholds(), 60)
def test_never_up_but_after_the_successes_that_it_takes(text: str, limits: Thresholds, every: float) -> None:
    """What was down needs its good checks in a row, and its time, also if this computer was offline meanwhile."""
    was_down = False
    for number, track in enumerate(tracks(text, limits, every)):
        if was_down and (track.state is State.UP or track.last is State.UP):
            seen = in_view(text[: number + 1], limits.down_after)
            run = end_of(seen, "g")
            assert run >= limits.up_after
            begins = [n for n in range(number + 1) if end_of(in_view(text[: n + 1], limits.down_after), "g") == 1]
            first = max(n for n in begins if text[n] == "g")
            assert (number - first) * every >= limits.up_seconds
            was_down = False
        was_down = was_down or track.state is State.DOWN


@given(events, thresholds(), every)
def test_never_up_from_nothing_but_after_two_good_ones(text: str, limits: Thresholds, every: float) -> None:
    """One good answer is luck, unless the settings say that one is enough."""
    before = Track()
    for number, track in enumerate(tracks(text, limits, every)):
        if track.state is State.UP and before.state is not State.UP and before.last is State.UNKNOWN:
            assert end_of(in_view(text[: number + 1], limits.down_after), "g") >= min(FIRST_UP, limits.up_after)
        before = track


@given(events, st.text(alphabet="nzs", max_size=40), thresholds(), every)
def test_what_cannot_be_seen_counts_for_nothing(text: str, unseen: str, limits: Thresholds, every: float) -> None:
    """No count grows, and the verdict stays what it was, until nothing is known."""
    before = (tracks(text, limits, every) or [Track()])[-1]
    for number, letter in enumerate(unseen, start=len(text)):
        track = after(before, letter, number, limits, every)
        assert track.state in (before.state, State.UNKNOWN)
        counted = (track.recent, track.gathered, track.run, track.run_since)
        assert counted in ((before.recent, before.gathered, before.run, before.run_since), ((), 0, 0, None))
        assert (track.last is State.DOWN) is (before.last is State.DOWN)
        before = track


@given(events, st.text(alphabet="gbp", min_size=2, max_size=2), thresholds(), every)
def test_the_first_two_after_waking_change_nothing(text: str, first: str, limits: Thresholds, every: float) -> None:
    """Whatever they gave: afterwards everything is as it was when this computer woke, but for the skipping."""
    woken = tracks(text + "s", limits, every)[-1]
    later = tracks(text + "s" + first, limits, every)[-1]
    assert (later.state, later.since, later.last, later.recent, later.gathered, later.run) == (
        State.UNKNOWN,
        woken.since,
        woken.last,
        (),
        0,
        0,
    )
    assert later.skip == 0


@settings(max_examples=300)
@given(events, thresholds(), every)
@example("gbgbbbbbggbb" + "g" * 11 + "b", Thresholds(), 30)
def test_flapping_is_bounded(text: str, limits: Thresholds, every: float) -> None:
    """It begins only where enough changed, and so as not to flap itself, begins anew only after half as many again.

    That is unless it was down, recovering or out of sight in between. After a good check it lasts only
    while more than half of the changes are in view; after a bad one it lasts until it is down or a good one comes.
    """
    before, then = Track(), None
    turns = 0
    for track in tracks(text, limits, every):
        if track.recent and before.recent and track.run == 1 and track.recent != before.recent:
            turns += 1
        if track.state in (State.DOWN, State.RECOVERING, State.UNKNOWN):
            then = None
        if track.state is State.FLAPPING:
            assert changes(track.recent) > limits.flapping_changes // 2 or track.recent[-1] is not RoundOutcome.GOOD
            if before.state is not State.FLAPPING:
                assert changes(track.recent) >= limits.flapping_changes
                assert then is None or turns - then >= limits.flapping_changes - limits.flapping_changes // 2
            then = turns
        elif track.state is State.UP:
            assert changes(track.recent) < limits.flapping_changes
        before = track


@settings(max_examples=300)
@given(events, thresholds(), every)
@example("ggbgbg" + "g" * 16 + "bb", Thresholds(), 30)
def test_a_bad_check_never_makes_it_better(text: str, limits: Thresholds, every: float) -> None:
    """Nor a good one worse, unless it is one change too many."""
    no_better = {
        State.UP: {State.SUSPECT, State.FLAPPING, State.DOWN},
        State.SUSPECT: {State.SUSPECT, State.FLAPPING, State.DOWN},
        State.FLAPPING: {State.FLAPPING, State.DOWN},
        State.RECOVERING: {State.SUSPECT, State.FLAPPING, State.DOWN},
        State.DOWN: {State.DOWN},
    }
    no_worse = {
        State.UP: {State.UP, State.FLAPPING},
        State.SUSPECT: {State.UP, State.SUSPECT, State.RECOVERING, State.FLAPPING},
        State.FLAPPING: {State.UP, State.SUSPECT, State.RECOVERING, State.FLAPPING},
        State.RECOVERING: {State.UP, State.RECOVERING, State.FLAPPING},
        State.DOWN: {State.UP, State.RECOVERING, State.FLAPPING},
    }
    before = Track()
    for letter, track in zip(text, tracks(text, limits, every), strict=True):
        if letter in "bpg" and before.state is not State.UNKNOWN:
            assert track.state in (no_worse if letter == "g" else no_better)[before.state]
        before = track


@given(events, st.sampled_from("gbp"), thresholds(), every)
def test_flapping_ends(text: str, letter: str, limits: Thresholds, every: float) -> None:
    """As many equal outcomes as are looked at, and it does not flap any more."""
    assert tracks(text + letter * (limits.flapping_window + 2), limits, every)[-1].state is not State.FLAPPING


@given(st.integers(2, 60), thresholds(), every)
def test_good_checks_alone_never_leave_up(times: int, limits: Thresholds, every: float) -> None:
    """Nor does anything that cannot be tried now and then."""
    assert all(t.state is State.UP for t in tracks("g" * times, limits, every)[FIRST_UP - 1 :])
    if limits.down_after > 1:
        assert all(t.state is State.UP for t in tracks("gg" + "ng" * times, limits, every)[1:])


@given(events, thresholds(), every)
def test_a_track_stays_small(text: str, limits: Thresholds, every: float) -> None:
    """It remembers no more than is looked at, and counts no more than there was."""
    for number, track in enumerate(tracks(text, limits, every), start=1):
        assert len(track.recent) <= limits.flapping_window
        assert 0 <= track.run <= number
        assert 0 <= track.gathered <= number
        assert (track.run_since is None) is (track.run == 0)


@given(events, events, thresholds(), every)
def test_folding_in_pieces_is_folding_at_once(text: str, more: str, limits: Thresholds, every: float) -> None:
    """A track is all that the next verdict depends on."""
    track = (tracks(text, limits, every) or [Track()])[-1]
    for number, letter in enumerate(more, start=len(text)):
        track = after(track, letter, number, limits, every)
    assert track == (tracks(text + more, limits, every) or [Track()])[-1]


@given(events, events, thresholds(), every, st.integers(-(10**7), 10**7))
def test_a_clock_that_is_set_changes_no_verdict(
    text: str, more: str, limits: Thresholds, every: float, seconds: int
) -> None:
    """A track moved with the clock goes on as one on a clock that was never set, moved at the end."""
    track = (tracks(text, limits, every) or [Track()])[-1]
    there = moved(track, timedelta(seconds=seconds * every))
    for number, letter in enumerate(more, start=len(text)):
        track = after(track, letter, number, limits, every)
        there = after(there, letter, number + seconds, limits, every)
        assert there == moved(track, timedelta(seconds=seconds * every))


def by_gdnsd(text: str, up_thresh: int, ok_thresh: int, down_thresh: int) -> str:
    """gdnsd.config(5), SERVICE_TYPES, of something that is up at first."""
    up, failures, successes, found = True, 0, 0, ""
    for letter in text:
        failures, successes = (failures, successes + 1) if letter == "g" else (failures + 1, 0)
        if up and successes >= ok_thresh:
            failures = 0
        if up and failures >= down_thresh:
            up = False
        elif not up and successes >= up_thresh:
            up, failures = True, 0
        found += "U" if up else "D"
    return found


def by_row(text: str, failing: int, passing: int) -> str:
    """Gatus (failure-threshold, success-threshold) and Route 53 (one threshold both ways), up at first."""
    up, found = True, ""
    for number in range(len(text)):
        run = text[: number + 1]
        if up and run.endswith("b" * failing):
            up = False
        elif not up and run.endswith("g" * passing):
            up = True
        found += "U" if up else "D"
    return found


def up_or_down(text: str, limits: Thresholds) -> str:
    """Ours, where suspect is still up and recovering is still down."""
    known = {State.UP: "U", State.SUSPECT: "U", State.DOWN: "D", State.RECOVERING: "D"}
    return "".join(known[t.state] for t in tracks("gg" + text, limits)[2:])


@settings(max_examples=500)
@given(tried, st.integers(1, 25), st.integers(1, 12), st.integers(1, 12))
@example("b" * 10 + "g" * 20 + "b" * 9, 20, 10, 10)
def test_as_gdnsd(text: str, up_thresh: int, ok_thresh: int, down_thresh: int) -> None:
    """With its thresholds, ours is its verdict after every check."""
    limits = Thresholds(
        down_after=NEVER,
        failures_before_down=down_thresh,
        good_run=ok_thresh,
        up_after=up_thresh,
        up_seconds=0,
        flapping_changes=NEVER,
    )
    assert up_or_down(text, limits) == by_gdnsd(text, up_thresh, ok_thresh, down_thresh)


@settings(max_examples=500)
@given(tried, st.integers(1, 10), st.integers(1, 10))
@example("bbbgg", 3, 2)
@example("bbbggg", 3, 3)
def test_as_gatus_and_route_53(text: str, failing: int, passing: int) -> None:
    """With their thresholds, ours is their verdict after every check."""
    limits = Thresholds(
        down_after=failing, failures_before_down=NEVER, up_after=passing, up_seconds=0, flapping_changes=NEVER
    )
    assert up_or_down(text, limits) == by_row(text, failing, passing)


def test_since_is_the_first_check_of_the_row() -> None:
    """Down since the first bad one, recovering and up since the first good one, unknown since sight was lost.

    Or, where nothing was lost but the checks could not be tried, since the first of these.
    """

    def seconds(text: str) -> list[float | None]:
        return [t.since and (t.since - NOW).total_seconds() for t in tracks(text, Thresholds())]

    assert seconds("ggbbb") == [None, 0, 60, 60, 60]
    assert seconds("ggbbbgg")[-2:] == [150, 150]
    assert seconds("ggbbbggggggg")[-1] == 150
    assert seconds("ggz")[-1] == 60
    assert seconds("ggnnn")[-1] == 60
    assert seconds("ggngnnnn")[-1] == 120


def test_in_part_is_remembered_as_long_as_it_speaks_against_it() -> None:
    """A place that answers in part is not wholly down."""
    limits = Thresholds()
    parts = [t.in_part(limits) for t in tracks("ggpppbbb", limits)]
    assert parts == [False, False, True, True, True, True, True, False]


def test_changes_are_between_good_and_not_good() -> None:
    """From bad to part is none."""
    assert changes(tracks("gbpbg", Thresholds())[-1].recent) == 2
    assert changes(()) == 0
