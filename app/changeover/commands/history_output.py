"""Parts of a history as JSON has them."""

from __future__ import annotations

from changeover.model.health.tally import Counts, Times


def counts_object(counts: Counts) -> dict[str, int]:
    return {"good": counts.good, "part": counts.part, "bad": counts.bad, "untried": counts.untried}


def seconds_object(times: Times) -> dict[str, float | None]:
    """Response times as JSON and exports have them, in seconds."""
    found = {"p50": times.percentile(0.5), "p95": times.percentile(0.95), "p99": times.percentile(0.99)}
    bounds = {"fastest": times.fastest, "slowest": times.slowest}
    rounded = {name: None if seconds is None else round(seconds, 6) for name, seconds in found.items()}
    return rounded | {name: None if bound is None else bound / 1e6 for name, bound in bounds.items()}
