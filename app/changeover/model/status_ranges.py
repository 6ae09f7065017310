"""HTTP status ranges as the settings write them: "200-299", "200-399,401"."""

from __future__ import annotations


def status_ranges(text: str) -> tuple[range, ...]:
    """The ranges in `text`. ValueError says what one looks like."""
    found = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        low, high = first.strip(), (last if dash else first).strip()
        if not (low.isdecimal() and high.isdecimal() and 100 <= int(low) <= int(high) <= 599):
            raise ValueError(f'"{part.strip()}" is not a range of status codes; one looks like 200-299 or 404')
        found.append(range(int(low), int(high) + 1))
    return tuple(found)


def expected(status: int, text: str) -> bool:
    """Is `status` within the ranges of `text`?"""
    return any(status in span for span in status_ranges(text))
