"""The verdict on one thing that is probed: a state machine over its checks, with no clock of its own.

Its arithmetic is gdnsd's (failures are gathered until a run of good checks forgets them) with Route 53's and Gatus's
shortcut (so many in a row are enough), and a time that a recovery must last.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from changeover.model.health.check import Thresholds

#: So many good checks in a row make something up of which nothing was known before.
FIRST_UP = 2


class State(StrEnum):
    UP = "up"
    #: It failed last, but not often enough to be called down.
    SUSPECT = "suspect"
    DOWN = "down"
    #: It answers again, but not long enough to be called up.
    RECOVERING = "recovering"
    UNKNOWN = "unknown"
    FLAPPING = "flapping"
    #: These two are never a track's own state: a window in the settings, or a person, says so of a deployment.
    MAINTENANCE = "maintenance"
    PINNED = "pinned"


class RoundOutcome(StrEnum):
    """What one round of checks gave."""

    GOOD = "good"
    #: Some of several addresses answered well.
    PART = "part"
    BAD = "bad"
    #: It could not be tried from this computer.
    UNTRIED = "untried"
    #: Changeover failed to read the answer, so that nothing is known.
    UNREAD = "unread"


class Track(Struct, frozen=True, kw_only=True):
    """Everything that the next verdict depends on.

    `last` is the last verdict: up, down, or unknown where there was none since something hid the view. `recent` are
    the newest tried outcomes, oldest first; `gathered` counts the bad ones that no run of good ones has forgotten.
    `run` counts the newest equal ones (good, or not good), which began at `run_since`. `untried` counts those that
    could not be tried since, the first of them at `untried_since`. The next `skip` outcomes do not count. `unread`:
    the newest answer could not be read.
    """

    state: State = State.UNKNOWN
    since: datetime | None = None
    judged_at: datetime | None = None
    last: State = State.UNKNOWN
    recent: tuple[RoundOutcome, ...] = ()
    gathered: int = 0
    run: int = 0
    run_since: datetime | None = None
    untried: int = 0
    untried_since: datetime | None = None
    skip: int = 0
    unread: bool = False

    def in_part(self, limits: Thresholds) -> bool:
        """Did some of it answer well in the newest checks that speak against it?"""
        return RoundOutcome.PART in self.recent[-limits.down_after :]


def changes(recent: Iterable[RoundOutcome]) -> int:
    """How often these went from good to not good or back."""
    return sum(one != other for one, other in itertools.pairwise(o is RoundOutcome.GOOD for o in recent))


def step(track: Track, outcome: RoundOutcome, at: datetime, limits: Thresholds) -> Track:
    """`track` after one more outcome. Untried ones are passed over, but after `down_after` of them nothing is known.

    After an answer that could not be read nothing is known at once.
    """
    if outcome is RoundOutcome.UNREAD:
        return track if track.unread else replace(blind(track, at), unread=True)
    if track.skip:
        return replace(track, skip=track.skip - 1)
    if outcome is RoundOutcome.UNTRIED:
        begun = track.untried_since or at
        passed = replace(track, untried=track.untried + 1, untried_since=begun)
        if passed.untried == limits.down_after and track.recent:
            return replace(blind(track, begun), untried=passed.untried, untried_since=begun)
        return passed
    good = outcome is RoundOutcome.GOOD
    goes_on = bool(track.recent) and (track.recent[-1] is RoundOutcome.GOOD) == good
    run = track.run + 1 if goes_on else 1
    forgotten = run >= limits.good_run and track.last is not State.DOWN
    counted = replace(
        track,
        recent=(*track.recent, outcome)[-limits.flapping_window :],
        gathered=track.gathered + 1 if not good else 0 if forgotten else track.gathered,
        run=run,
        run_since=track.run_since if goes_on else at,
        untried=0,
        untried_since=None,
        unread=False,
    )
    state = _verdict(counted, good, at, limits)
    if state is State.UP:
        forgiven = 0 if track.last is State.DOWN else counted.gathered
        counted = replace(counted, last=State.UP, gathered=forgiven)
        if _flaps(counted, limits):
            state = State.FLAPPING
    elif state is State.DOWN:
        counted = replace(counted, last=State.DOWN)
    elif state is State.SUSPECT and (track.state is State.FLAPPING or _flaps(counted, limits)):
        state = State.FLAPPING  # a bad check never ends it
    if state is track.state:
        return counted
    return replace(counted, state=state, since=counted.run_since if state is not State.FLAPPING else at, judged_at=at)


def _verdict(track: Track, good: bool, at: datetime, limits: Thresholds) -> State:
    """Down, up, or what stands between them, without regard to flapping."""
    if not good and (track.run >= limits.down_after or track.gathered >= limits.failures_before_down):
        return State.DOWN
    if track.last is State.DOWN:
        if not good:
            if track.gathered >= min(limits.down_after, limits.failures_before_down):
                return State.DOWN  # a relapse
            # It was down when it was last in sight; that it still is must be proven anew.
            return State.UNKNOWN if track.state is State.UNKNOWN else State.SUSPECT
        lasts = at - (track.run_since or at) >= timedelta(seconds=limits.up_seconds)
        return State.UP if track.run >= limits.up_after and lasts else State.RECOVERING
    if track.last is State.UP:
        return State.UP if good else State.SUSPECT
    if good and track.run >= min(FIRST_UP, limits.up_after):
        return State.UP
    settled = track.state is not State.UNKNOWN or len(track.recent) >= limits.down_after
    return State.SUSPECT if settled else State.UNKNOWN


def _flaps(track: Track, limits: Thresholds) -> bool:
    """It begins at `flapping_changes` and ends, with a good check, at half of them, so that it does not itself flap."""
    least = limits.flapping_changes // 2 + 1 if track.state is State.FLAPPING else limits.flapping_changes
    return changes(track.recent) >= least


def blind(track: Track, at: datetime, skip: int = 0) -> Track:
    """`track` after a time in which nothing could be seen: nothing is known, and nothing that was counted counts.

    What was down before must recover in full. The next `skip` outcomes do not count.
    """
    last = State.DOWN if track.last is State.DOWN else State.UNKNOWN
    return Track(since=at, last=last, skip=skip)


def moved(track: Track, by: timedelta) -> Track:
    """`track` on a clock that was set by `by`."""
    return replace(
        track,
        since=track.since and track.since + by,
        judged_at=track.judged_at and track.judged_at + by,
        run_since=track.run_since and track.run_since + by,
        untried_since=track.untried_since and track.untried_since + by,
    )
