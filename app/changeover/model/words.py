"""Words for people: counts, lengths of time, answers."""

from __future__ import annotations

from collections.abc import Iterable

from changeover.model.records import RecordSet


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


def values_text(records: Iterable[RecordSet]) -> str:
    """An address set in a few words: "A 192.0.2.1, 192.0.2.2; AAAA 2001:db8::1"."""
    return "; ".join(f"{r.type} {', '.join(r.values)}" for r in records) or "nothing"
