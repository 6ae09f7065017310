"""What one measurement gives: Changeover's time beside another program's, taken in turns in one run."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from msgspec import Struct


class Figure(Struct, frozen=True, kw_only=True):
    """Times in seconds. `aim` is what ours / theirs should be at most."""

    what: str
    peer: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    aim: float

    @property
    def ratio(self) -> float:
        return statistics.median(self.ours) / statistics.median(self.theirs)

    @property
    def met(self) -> bool:
        return self.ratio <= self.aim


def table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table: medians, with the fastest and the slowest round."""
    lines = ["| what | Changeover | peer | ratio | aim |", "|---|---|---|---|---|"]
    for figure in figures:
        ratio = f"{figure.ratio:.2f} {'✓' if figure.met else '✗ missed'}"
        theirs = f"{_spread(figure.theirs)} {figure.peer}"
        lines.append(f"| {figure.what} | {_spread(figure.ours)} | {theirs} | {ratio} | at most {figure.aim:.2f} |")
    return "\n".join(lines)


def _spread(seconds: Sequence[float]) -> str:
    """Median, fastest and slowest, in milliseconds."""
    low, high = min(seconds) * 1000, max(seconds) * 1000
    return f"{statistics.median(seconds) * 1000:.0f} ms ({low:.0f}–{high:.0f})"
