"""Checks of a time, counted: outcomes, and a histogram of response times that can be merged with others."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field

from changeover.model.health.track import RoundOutcome

#: Each bucket of the histogram reaches from its beginning to 1.1 times that; the first begins at 10 microseconds.
#: So a percentile is at most 4.9 % (the root of 1.1) beside the true one.
GROWTH = 1.1
SHORTEST = 10
BUCKETS = 256
_LOG = math.log(GROWTH)


class Counts(Struct, frozen=True):
    """How many rounds had which outcome."""

    good: int = 0
    part: int = 0
    bad: int = 0
    untried: int = 0

    @property
    def tried(self) -> int:
        return self.good + self.part + self.bad

    @property
    def availability(self) -> float | None:
        """The share of the tried rounds that were good, 0 to 1; None where none was tried.

        A round in which only some of several addresses answered counts as half.
        """
        return (self.good + self.part / 2) / self.tried if self.tried else None

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.good + other.good, self.part + other.part, self.bad + other.bad, self.untried + other.untried
        )


class Times(Struct, frozen=True):
    """Response times of good answers, in microseconds: how many are in which bucket, their sum and their bounds."""

    buckets: Mapping[int, int] = field(default_factory=dict)
    total: int = 0
    fastest: int | None = None
    slowest: int | None = None

    @property
    def number(self) -> int:
        return sum(self.buckets.values())

    def percentile(self, share: float) -> float | None:
        """The time, in seconds, that `share` (0 to 1) of the answers did not exceed, by nearest rank; None without any.

        At most 4.9 % beside the true one, for times from 10 microseconds to 98 hours.
        """
        if self.fastest is None or self.slowest is None:
            return None
        rank = max(1, math.ceil(share * self.number))
        for bucket in sorted(self.buckets):
            rank -= self.buckets[bucket]
            if rank <= 0:
                middle: float = SHORTEST * GROWTH ** (bucket + 0.5)
                return min(max(middle, self.fastest), self.slowest) / 1e6
        raise AssertionError("fewer answers than were counted")


def bucket_of(microseconds: int) -> int:
    """The bucket of a response time."""
    if microseconds <= SHORTEST:
        return 0
    return min(int(math.log(microseconds / SHORTEST) / _LOG), BUCKETS - 1)


def times_of(microseconds: Sequence[int]) -> Times:
    if not microseconds:
        return Times()
    buckets = Counter(map(bucket_of, microseconds))
    return Times(dict(buckets), sum(microseconds), min(microseconds), max(microseconds))


class Tally(Struct, frozen=True, kw_only=True):
    """Everything that is kept of the checks of one deployment in one stretch of time.

    Rounds during maintenance are counted apart, and their response times are left out.
    """

    counted: Counts = Counts()
    maintenance: Counts = Counts()
    times: Times = Times()


class Checked(Struct, frozen=True, kw_only=True):
    """One round, as it is counted: whether each of its results was ok, and the response times of those that were.

    `hidden`: it fell into a gap, in which this computer saw nothing, and says nothing of the deployment.
    """

    oks: tuple[bool | None, ...]
    times: tuple[int, ...]
    maintenance: bool = False
    hidden: bool = False

    @property
    def outcome(self) -> RoundOutcome:
        tried = () if self.hidden else tuple(ok for ok in self.oks if ok is not None)
        if not tried:
            return RoundOutcome.UNTRIED
        if all(tried):
            return RoundOutcome.GOOD
        return RoundOutcome.PART if any(tried) else RoundOutcome.BAD


def tally(rounds: Iterable[Checked]) -> Tally:
    """These rounds, counted."""
    usual: Counter[RoundOutcome] = Counter()
    planned: Counter[RoundOutcome] = Counter()
    times: list[int] = []
    for checked in rounds:
        (planned if checked.maintenance else usual)[checked.outcome] += 1
        if not checked.maintenance and not checked.hidden:
            times += checked.times
    return Tally(counted=_counts(usual), maintenance=_counts(planned), times=times_of(times))


def _counts(found: Counter[RoundOutcome]) -> Counts:
    return Counts(
        found[RoundOutcome.GOOD], found[RoundOutcome.PART], found[RoundOutcome.BAD], found[RoundOutcome.UNTRIED]
    )


def merged(tallies: Iterable[Tally]) -> Tally:
    """Several as one: the same as if all their rounds had been counted together."""
    counted, maintenance = Counts(), Counts()
    buckets: Counter[int] = Counter()
    total = 0
    fastest: int | None = None
    slowest: int | None = None
    for one in tallies:
        counted += one.counted
        maintenance += one.maintenance
        for bucket, number in one.times.buckets.items():
            buckets[bucket] += number
        total += one.times.total
        if one.times.fastest is not None and one.times.slowest is not None:
            fastest = one.times.fastest if fastest is None else min(fastest, one.times.fastest)
            slowest = one.times.slowest if slowest is None else max(slowest, one.times.slowest)
    return Tally(counted=counted, maintenance=maintenance, times=Times(dict(buckets), total, fastest, slowest))
