"""Parts of sentences: moments and lengths of time as people say them, and the healths in words."""

from __future__ import annotations

from datetime import datetime

from changeover.model.health import Health
from changeover.model.words import duration

HEALTH_WORDS = {
    Health.HEALTHY: "healthy",
    Health.DEGRADED: "answers in part",
    Health.UNHEALTHY: "failing",
    Health.UNKNOWN: "not checked yet",
}


def ended(text: str) -> str:
    """`text` as a sentence."""
    return text if not text or text.endswith((".", "?", "!")) else f"{text}."


def clock(moment: datetime, now: datetime) -> str:
    """`moment` for people, in the time zone of `now`: "14:02" today, else "11 Nov 14:02"."""
    there = moment.astimezone(now.tzinfo)
    time = f"{there:%H:%M}"
    if there.date() == now.date():
        return time
    year = f" {there.year}" if there.year != now.year else ""
    return f"{there.day} {there:%b}{year} {time}"


def lasting(since: datetime | None, now: datetime) -> str:
    """ " for 2 min 10 s" since then, or nothing where nobody knows."""
    return f" for {duration(max(0.0, (now - since).total_seconds()))}" if since is not None else ""


def age(moment: datetime, now: datetime) -> str:
    """How long ago that was: "12 s ago"."""
    return f"{duration(max(0.0, (now - moment).total_seconds()))} ago"
