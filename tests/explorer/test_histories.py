"""No history of switches breaks a promise: two operators, an outsider, faults and crashes, under the real engine."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable

import pytest

from explorer.history import Told, history
from explorer.world import PLANTED

Record = Callable[[str, object], None]
#: Seeds from which planted bugs must be found; no more than `make test` goes through.
SMALL = range(300)
SLICES = [
    pytest.param(SMALL, id="300 histories"),
    *(
        pytest.param(range(n, n + 1000), id=f"histories from {n}", marks=pytest.mark.long)
        for n in range(1000, 11000, 1000)
    ),
]


@pytest.mark.parametrize("seeds", SLICES)
def test_every_promise_holds_after_every_event(seeds: range, record_property: Record) -> None:
    """Never an empty or a strange answer, never a lost change of somebody else, never a run without a way on."""
    counts: Counter[str] = Counter()
    broken: list[Told] = []
    for seed in seeds:
        told = history(seed)
        counts.update(told.counts)
        if told.broken:
            broken.append(told)
    record_property("histories", json.dumps(counts))
    assert not broken, "\n\n".join([f"seeds {[told.seed for told in broken]}", str(min(broken, key=_length))])
    assert {"crashes", "write: lost before", "write: lost after", "write: late", "stale reads"} <= set(counts)


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_bug_is_found(planted: str) -> None:
    """Otherwise the promises above would say nothing."""
    assert any(history(seed, planted).broken for seed in SMALL)


@pytest.mark.parametrize("seed", [3, 48, 1315])
def test_a_history_is_a_pure_function_of_its_seed(seed: int) -> None:
    """A seed that fails can be looked at again."""
    assert history(seed).trace == history(seed).trace


def _length(told: Told) -> int:
    return len(told.trace)
