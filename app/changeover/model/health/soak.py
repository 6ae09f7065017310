"""The time after a switch in which a service is looked at closely: does it hold, or had one better go back?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median

from msgspec import Struct

from changeover.model.formatting import counted, duration
from changeover.model.health.baseline import slower

#: How long a soak takes, in minutes, and how many seconds lie between its looks.
MINUTES, EVERY = 30.0, 10.0
#: So many bad looks among the newest ones are too many.
_BAD, _NEWEST = 3, 6


class Look(Struct, frozen=True, kw_only=True):
    """One look at the service as visitors get it; `ok` is None where this computer could not take it.

    `seconds` is how long the slowest hostname took.
    """

    at: datetime
    ok: bool | None
    seconds: float | None = None
    reason: str = ""


class SoakState(StrEnum):
    GOING = "going"
    WORSENED = "worsened"
    PASSED = "passed"


class Soak(Struct, frozen=True, kw_only=True):
    """How a soak stands. When it has WORSENED, the way back is worth a thought; nobody is sent back by it."""

    deployment: str
    since: datetime
    until: datetime
    state: SoakState
    text: str
    looks: tuple[Look, ...] = ()


def soak_until(ended: datetime, minutes: float = MINUTES) -> datetime:
    """When the soak of a run that ended then is over. A program that starts later goes on with the same one."""
    return ended + timedelta(minutes=minutes)


def judged_soak(
    deployment: str, since: datetime, until: datetime, now: datetime, looks: Sequence[Look], usual: float | None = None
) -> Soak:
    """How a soak stands after these looks, oldest first. `usual` is how long answers took before the switch.

    Worsened: three of the newest six looks were bad, or their median is three times slower than usual.
    """
    tried = [look for look in looks if look.ok is not None]
    newest = tried[-_NEWEST:]
    bad = [look for look in newest if not look.ok]
    times = [look.seconds for look in newest if look.ok and look.seconds is not None]

    def stands(state: SoakState, text: str) -> Soak:
        return Soak(deployment=deployment, since=since, until=until, state=state, text=text, looks=tuple(looks))

    if len(bad) >= _BAD:
        text = (
            f"{deployment} fails for visitors: {len(bad)} of the last {len(newest)} looks were bad ({bad[-1].reason})"
        )
        return stands(SoakState.WORSENED, text)
    if usual is not None and len(times) >= _BAD and slower(usual, median(times)):
        took, before = round(median(times) * 1000), round(usual * 1000)
        return stands(SoakState.WORSENED, f"{deployment} answers in {took} ms, before the switch it was {before} ms")
    failed = sum(not look.ok for look in tried)
    seen = f"{counted(len(tried), 'look')}, {failed or 'none'} of them bad" if tried else "not looked at"
    if now < until:
        left = duration((until - now).total_seconds())
        return stands(SoakState.GOING, f"{deployment} serves visitors: {seen}; {left} to go")
    if not tried:
        return stands(SoakState.PASSED, f"The time is over, and {deployment} was not looked at")
    return stands(SoakState.PASSED, f"{deployment} has served visitors for {_length(since, until)}: {seen}")


def _length(since: datetime, until: datetime) -> str:
    return duration((until - since).total_seconds())
