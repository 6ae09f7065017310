"""Freezes: a person wants nothing to be switched for a while, with reason and end."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from changeover.model.formatting import clock, duration


class Freeze(Struct, frozen=True, kw_only=True):
    """One freeze, of a service or (`service` None) of everything. It is kept in the database and ends by itself."""

    service: str | None
    reason: str
    set_at: datetime
    until: datetime
    who: str = ""

    @property
    def what(self) -> str:
        """What is frozen: "shop", or "everything"."""
        return self.service or "everything"


def freezes_of(service: str, freezes: Iterable[Freeze], now: datetime) -> tuple[Freeze, ...]:
    """The freezes in force that a service is under, its own first."""
    found = [f for f in freezes if f.service in (None, service) and f.until > now]
    return tuple(sorted(found, key=lambda f: f.service is None))


def freeze_words(freeze: Freeze, now: datetime) -> str:
    """Who froze what until when and why, in the time zone of `now`: "shop is frozen by anna until 16:00: deploying"."""
    by = f" by {freeze.who}" if freeze.who else ""
    return f"{_subject(freeze)} is frozen{by} until {clock(freeze.until, now)}: {freeze.reason}"


def freeze_left(freeze: Freeze, at: datetime) -> str:
    """The same for those whose time zone is not known: "shop is frozen by anna for 2 h more: deploying"."""
    by = f" by {freeze.who}" if freeze.who else ""
    left = duration(max(0.0, (freeze.until - at).total_seconds()))
    return f"{_subject(freeze)} is frozen{by} for {left} more: {freeze.reason}"


def _subject(freeze: Freeze) -> str:
    return freeze.service or "Everything"
