"""How a service answered before a switch, and whether it answers worse since."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from statistics import median

from msgspec import Struct

from changeover.model.formatting import duration

#: So many times slower, smaller or larger than before is worth a word.
SLOWER, OTHER_SIZE = 3, 10
#: Seconds below which nobody notices how many times slower an answer came.
_UNNOTICED = 0.1
#: Bytes below which the size of a body says nothing.
_SMALL = 64


class Answered(Struct, frozen=True, kw_only=True):
    """What one plain request gave. `seconds` are to its last byte, `size` is in bytes, as far as it was read.

    `age` is for how many seconds a cache has had it (RFC 9111, 5.1). Without `status`, `reason` says why.
    """

    hostname: str
    address: str
    status: int | None = None
    seconds: float = 0
    size: int = 0
    marker: str | None = None
    age: int = 0
    reason: str = ""


class Sample(Struct, frozen=True, kw_only=True):
    """How one hostname answered, over several requests: the status of most, the median of times and sizes."""

    hostname: str
    status: int
    seconds: float
    size: int
    marker: str | None = None


class Baseline(Struct, frozen=True, kw_only=True):
    """How a service answered at its public names at one moment. Hostnames that did not answer are left out."""

    at: datetime
    samples: tuple[Sample, ...] = ()


def baseline_of(answers: Sequence[Answered], at: datetime) -> Baseline:
    """The baseline that these answers make."""
    names = dict.fromkeys(a.hostname for a in answers)
    samples = (_sample(name, [a for a in answers if a.hostname == name]) for name in names)
    return Baseline(at=at, samples=tuple(sample for sample in samples if sample is not None))


def _sample(hostname: str, answers: Sequence[Answered]) -> Sample | None:
    statuses = [a.status for a in answers if a.status is not None]
    if not statuses:
        return None
    usual = max(statuses, key=lambda status: (statuses.count(status), status))
    alike = [a for a in answers if a.status == usual]
    return Sample(
        hostname=hostname,
        status=usual,
        seconds=median(a.seconds for a in alike),
        size=round(median(a.size for a in alike)),
        marker=alike[0].marker,
    )


def worse(before: Baseline | None, now: Baseline) -> tuple[str, ...]:
    """What is worse now than before, in words; nothing where that is not known.

    Worse is: another status, three times slower, a body ten times smaller or larger. A service that answered with an
    error before is no measure.
    """
    known = {sample.hostname: sample for sample in before.samples} if before is not None else {}
    pairs = [(known[sample.hostname], sample) for sample in now.samples if sample.hostname in known]
    return tuple(words for old, new in pairs if old.status < 400 for words in _worse(old, new))


def _worse(old: Sample, new: Sample) -> list[str]:
    if old.status != new.status:
        return [f"{new.hostname} answers {new.status}, before the switch {old.status}"]
    found = []
    if slower(old.seconds, new.seconds):
        found.append(f"{new.hostname} takes {_time(new.seconds)}, before the switch {_time(old.seconds)}")
    small, large = sorted((old.size, new.size))
    if large > _SMALL and large >= OTHER_SIZE * small:
        found.append(f"{new.hostname} answers with {new.size} bytes, before the switch with {old.size}")
    return found


def slower(before: float, now: float) -> bool:
    """Is `now`, in seconds, so much longer than `before` that people notice?"""
    return now > _UNNOTICED and now >= SLOWER * before


def _time(seconds: float) -> str:
    return f"{round(seconds * 1000)} ms" if seconds < 2 else duration(seconds)
