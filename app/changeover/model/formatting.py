"""Words for people: counts, lengths of time, answers."""

from __future__ import annotations

from datetime import datetime


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """`number` with its noun in the right form: "1 hostname", "2 hostnames"."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def duration(seconds: float) -> str:
    """A length of time for people: "12 s", "2 min 10 s", "1 h 5 min", "63 days"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        minutes, rest = divmod(whole, 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    if whole < 48 * 3600:
        hours, rest = divmod(whole, 3600)
        return f"{hours} h {rest // 60} min" if rest >= 60 else f"{hours} h"
    return counted(whole // 86400, "day")


def size(number: int) -> str:
    """A number of bytes for people, in powers of ten: "812 bytes", "1.2 MB"."""
    if abs(number) < 1000:
        return counted(number, "byte")
    value, units = number / 1000, ["kB", "MB", "GB", "TB"]
    while abs(value) >= 999.5 and len(units) > 1:
        value /= 1000
        units.pop(0)
    return f"{value:.1f} {units[0]}" if abs(value) < 9.95 else f"{value:.0f} {units[0]}"


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
