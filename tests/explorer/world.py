"""The world of one history: its time, its chance, its trace, and the clocks of the computers in it."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import NamedTuple
from unittest import mock

from health.virtual_time import VirtualLoop

#: Bugs that an explorer which is worth something finds.
PLANTED = (
    "write without expectation",
    "delete and create",
    "repeat after a time-out",
    "journal after the act",
    "undo that ignores others",
)
START = datetime(2026, 1, 5, 8, tzinfo=UTC).timestamp()


class Computer:
    """A computer that people work at. `slept` and `set` are seconds: of sleep, and by which its clock was set."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.busy = False
        self.slept = 0.0
        self.set = 0.0
        self.asleep_until = 0.0


#: The computer that the present code runs on; None for the world itself.
at_computer: ContextVar[Computer | None] = ContextVar("at_computer", default=None)


class Happened(NamedTuple):
    """One line of the trace."""

    at: float
    who: str
    what: str

    def __str__(self) -> str:
        return f"{self.at:9.2f}  {self.who:12} {self.what}"


class World:
    """What all in a history share. `planted` names one of PLANTED, a bug that is put into it on purpose.

    `broken` has every promise that was broken, as the event at which it was seen and what it was.
    """

    def __init__(self, seed: int, loop: VirtualLoop, planted: str = "") -> None:
        self.seed = seed
        self.loop = loop
        self.planted = planted
        self.random = random.Random(seed)
        self.trace: list[Happened] = []
        self.counts: Counter[str] = Counter()
        self.broken: list[str] = []
        #: From the end of a history on nothing goes wrong any more.
        self.calm = False
        #: How many requests of a hundred go wrong.
        self.faults = self.random.choice((0, 15, 30, 50))

    @property
    def now(self) -> float:
        return self.loop.passed

    def note(self, who: str, what: str) -> None:
        """One event."""
        self.counts["events"] += 1
        self.trace.append(Happened(self.now, who, what))

    def count(self, what: str) -> None:
        self.counts[what] += 1

    def broke(self, promise: str) -> None:
        """A promise was broken by what happened last. The history goes on; only the first one is told."""
        self.trace.append(Happened(self.now, "!", promise))
        self.broken.append(promise)

    def chance(self, percent: float) -> bool:
        return not self.calm and self.random.uniform(0, 100) < percent

    def fault(self, *kinds: str) -> str:
        """Which of `kinds` the next request meets; mostly none of them: ""."""
        return self.random.choice(kinds) if self.chance(self.faults) else ""

    def latency(self) -> float:
        return self.random.uniform(0.01, 0.4)

    @contextmanager
    def clocks(self) -> Iterator[None]:
        """This computer's clocks show the world's time, as the computer that the code runs on has it."""

        def slept() -> float:
            computer = at_computer.get()
            return computer.slept if computer else 0.0

        def wall() -> float:
            computer = at_computer.get()
            return START + self.now + (computer.set if computer else 0.0)

        with (
            mock.patch.object(time, "monotonic", lambda: self.now - slept()),
            mock.patch.object(time, "clock_gettime", lambda clock: self.now),
            mock.patch.object(time, "time", wall),
        ):
            yield
