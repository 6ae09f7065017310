"""The history as lines of CSV or JSON on standard output, for spreadsheets and other programs."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from changeover.commands.session import DONE
from changeover.commands.terminal import json_text
from changeover.model.foreign_text import shown
from changeover.model.health.tally import Counts, Times
from changeover.storage.history.history import History
from changeover.switchover.report import utc


async def export(
    history: History, service: str, names: Sequence[str], since: datetime, until: datetime, form: str, raw: bool
) -> int:
    """Writes one line for each hour of each deployment, or with `raw` for each result. Gives the exit status.

    It is written as it is read, so that any length fits into memory.
    """
    lines = _results(history, service, names, since, until) if raw else _hours(history, service, names, since, until)
    table = csv.writer(sys.stdout, lineterminator="\n")
    fields: list[str] | None = None
    try:
        async for line in lines:
            if form == "json":
                sys.stdout.write(json_text(line) + "\n")
                continue
            if fields is None:
                fields = list(line)
                table.writerow(fields)
            table.writerow(shown(v) if isinstance(v, str) else v for v in line.values())
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads has enough, as `head` does. What Python flushes at its end must not fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return DONE


async def _hours(
    history: History, service: str, names: Sequence[str], since: datetime, until: datetime
) -> AsyncIterator[dict[str, Any]]:
    for name in names:
        for at, tally in await history.hours(service, name, since, until):
            planned = {f"maintenance_{key}": number for key, number in counts_object(tally.maintenance).items()}
            yield {
                "at": utc(at),
                "deployment": name,
                "availability": tally.counted.availability,
                **counts_object(tally.counted),
                **planned,
                **{f"{key}_seconds": value for key, value in seconds_object(tally.times).items()},
            }


async def _results(
    history: History, service: str, names: Sequence[str], since: datetime, until: datetime
) -> AsyncIterator[dict[str, Any]]:
    async for result in history.results(service, since, until):
        if result.deployment in names:
            phases = result.phases
            yield {
                "at": result.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "deployment": result.deployment,
                "hostname": result.hostname,
                "address": result.address,
                "target": result.target,
                "ok": result.ok,
                "status": result.status,
                "cause": result.cause,
                "reason": result.reason,
                "connect_seconds": phases.connect,
                "tls_seconds": phases.tls,
                "first_byte_seconds": phases.first_byte,
                "total_seconds": phases.total,
            }


def counts_object(counts: Counts) -> dict[str, int]:
    return {"good": counts.good, "part": counts.part, "bad": counts.bad, "untried": counts.untried}


def seconds_object(times: Times) -> dict[str, float | None]:
    """Response times as JSON and exports have them, in seconds."""
    found = {"p50": times.percentile(0.5), "p95": times.percentile(0.95), "p99": times.percentile(0.99)}
    bounds = {"fastest": times.fastest, "slowest": times.slowest}
    rounded = {name: None if seconds is None else round(seconds, 6) for name, seconds in found.items()}
    return rounded | {name: None if bound is None else bound / 1e6 for name, bound in bounds.items()}
