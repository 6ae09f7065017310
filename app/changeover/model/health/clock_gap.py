"""Interruptions: the time in which this computer slept or this program stood still, and clocks that were set."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from changeover.model.formatting import duration

#: Seconds. NTP slews a clock that is off by less, and sets it where it is off by more; neither is worth a word.
CLOCK_SET = 2.0
#: Seconds. Where no clock tells sleep from standing still, whatever lasted longer was sleep.
ASLEEP = 60.0


class Clocks(Struct, frozen=True, kw_only=True):
    """The clocks of this computer at one moment, in seconds.

    `wall` is what people read (since 1970), and may be set. The others only go forward. `boot` goes on while the
    computer sleeps; where it is known, `monotonic` stands still meanwhile. Where `boot` is None, `monotonic` goes on,
    as on Windows.
    """

    wall: float
    monotonic: float
    boot: float | None = None


class Interruption(Struct, frozen=True, kw_only=True):
    """What came between two readings of the clocks, in seconds; parts too small to matter are 0.

    `kind` is the part that tells most: sleep, then standing still, then a clock that was set. `clock_set` is
    negative where the clock was set back.
    """

    kind: Literal["asleep", "stalled", "clock set"]
    asleep: float = 0.0
    stalled: float = 0.0
    clock_set: float = 0.0

    @property
    def seconds(self) -> float:
        """The length of the part that `kind` names, with its sign."""
        return {"asleep": self.asleep, "stalled": self.stalled, "clock set": self.clock_set}[self.kind]

    @property
    def unseen(self) -> float:
        """For how long nothing was seen, which is a gap in every history."""
        return self.asleep + self.stalled

    @property
    def text(self) -> str:
        """All of it for people: "Asleep for 7 h 12 min"."""
        parts = []
        if self.asleep:
            parts.append(asleep_words(self.asleep))
        if self.stalled:
            parts.append(f"Stood still for {duration(self.stalled)}")
        if self.clock_set:
            way = "forward" if self.clock_set > 0 else "back"
            parts.append(f"The clock was set {way} by {duration(abs(self.clock_set))}")
        return ". ".join(parts)


def interruption(before: Clocks, after: Clocks, expected: float, slack: float) -> Interruption | None:
    """What came between two readings that should be `expected` seconds apart; None where nothing did.

    Up to `slack` seconds of sleep or of lateness are nothing.
    """
    ran = after.monotonic - before.monotonic
    late = ran - expected
    if before.boot is None or after.boot is None:
        passed = ran
        asleep, stalled = (late, 0.0) if late > max(slack, ASLEEP) else (0.0, late)
    else:
        passed = after.boot - before.boot
        asleep, stalled = passed - ran, late
    asleep = asleep if asleep > slack else 0.0
    stalled = stalled if stalled > slack else 0.0
    step = after.wall - before.wall - passed
    clock_set = step if abs(step) >= CLOCK_SET else 0.0
    if not (asleep or stalled or clock_set):
        return None
    kind: Literal["asleep", "stalled", "clock set"] = "asleep" if asleep else "stalled" if stalled else "clock set"
    return Interruption(kind=kind, asleep=asleep, stalled=stalled, clock_set=clock_set)


def asleep_words(seconds: float) -> str:
    """ "Asleep for 7 h 12 min"."""
    return f"Asleep for {duration(seconds)}"
