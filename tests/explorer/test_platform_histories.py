"""No history of switches and of single operations breaks a promise about platforms, under the real engine."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable

import pytest

from explorer.history import Told, history
from explorer.platforms import PLANTED

Record = Callable[[str, object], None]
#: Seeds from which planted bugs must be found; no more than `make test` goes through.
SMALL = range(200)
#: 1554: after a lost answer a second try was refused, and an undo took that for all that there was.
FOUND = (1554,)
SLICES = [
    pytest.param([*SMALL, *FOUND], id="201 histories"),
    *(
        pytest.param(range(n, n + 500), id=f"histories from {n}", marks=pytest.mark.long)
        for n in range(1000, 4000, 500)
    ),
]
#: What must have happened for a promise to mean something.
SEEN = {
    *("crashes", "operations by themselves", "switches", "operations by hand", "undo", "resume"),
    *(f"operation: {how}" for how in ("done", "refused", "lost before", "lost after", "hang before", "hang after")),
    *("skipped by a person", "repeated by a person", "ended undone", "ended completed"),
}


@pytest.mark.parametrize("seeds", SLICES)
def test_every_promise_holds_after_every_event(seeds: Iterable[int], record_property: Record) -> None:
    """What is not the same twice is not done twice, an undo asks for what stood, and for nothing at the other side."""
    counts: Counter[str] = Counter()
    broken: list[Told] = []
    for seed in seeds:
        told = history(seed, platforms=True)
        counts.update(told.counts)
        if told.broken:
            broken.append(told)
    record_property("histories", json.dumps(counts))
    assert not broken, "\n\n".join([f"seeds {[t.seed for t in broken]}", str(min(broken, key=lambda t: len(t.trace)))])
    assert set(counts) >= SEEN, SEEN - set(counts)


@pytest.mark.parametrize("planted", [*PLANTED, "journal after the act"])
def test_a_planted_bug_is_found(planted: str) -> None:
    """Otherwise the promises above would say nothing."""
    assert any(history(seed, planted, platforms=True).broken for seed in SMALL)
