"""Made-up rounds, and histories opened and closed, for the tests of the history."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from changeover.model.health.probe_result import Cause, Phases, ProbeResult, Round
from changeover.storage.history.history import History
from changeover.storage.history.rollup import Keep

AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def after(**length: float) -> datetime:
    return AT + timedelta(**length)


def result(at: datetime, ok: bool | None = True, seconds: float = 0.084, address: str = "192.0.2.1") -> ProbeResult:
    """One result of the primary; a bad one is a 503."""
    reason = {True: f"200 in {round(seconds * 1000)} ms", False: "503, expected 200-399", None: "no route"}[ok]
    return ProbeResult(
        deployment="primary",
        hostname="www.shop.example",
        address=address,
        at=at,
        ok=ok,
        reason=reason,
        status={True: 200, False: 503, None: None}[ok],
        cause=Cause.DEPLOYMENT if ok is False else None,
        phases=Phases(connect=0.01, total=seconds) if ok is not None else Phases(),
    )


def one_round(at: datetime, *oks: bool | None, seconds: float = 0.084) -> Round:
    """A round with one address for each of `oks`; a good one where none is said."""
    found = enumerate(oks or (True,))
    return Round(at=at, results=tuple(result(at, ok, seconds, f"192.0.2.{n + 1}") for n, ok in found))


@asynccontextmanager
async def opened(file: Path, keep: Keep | None = None, record: bool = True) -> AsyncIterator[History]:
    history = History(file, keep)
    if record:
        assert history.begin_recording()
    try:
        yield history
    finally:
        await history.aclose()


def rows(file: Path, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(file)
    try:
        return connection.execute(query, values).fetchall()
    finally:
        connection.close()


def sound(file: Path) -> bool:
    """Is the file whole, and does every table have as many rows as its mark says?"""
    counted = dict(rows(file, "SELECT name, rows FROM marks"))
    real = {name: rows(file, f"SELECT count(*) FROM {name}")[0][0] for name in ("results", "minutes", "hours")}
    return rows(file, "PRAGMA integrity_check") == [("ok",)] and counted == real
