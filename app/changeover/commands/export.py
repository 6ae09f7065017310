"""The history as lines of CSV or JSON on standard output, for spreadsheets and other programs."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from typing import Any

from changeover.commands.session import DONE
from changeover.commands.terminal import json_text, write_block
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
    headed = False
    async for line in lines:
        made = f"{json_text(line)}\n" if form == "json" else _row(line.values())
        if not headed and form == "csv":
            made, headed = _row(line) + made, True
        if not write_block(made):  # whoever reads has enough, as `head` does
            break
    return DONE


def _row(values: Iterable[object]) -> str:
    """A line of CSV. No text in it is a formula, which spreadsheets would calculate, and send where it says."""
    made = io.StringIO()
    csv.writer(made, lineterminator="\n").writerow(_cell(value) for value in values)
    return made.getvalue()


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = shown(value)
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@")) else text


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
