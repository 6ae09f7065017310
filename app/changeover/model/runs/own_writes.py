"""Readings from before a write of an earlier run: a provider may show for a while what is not so any more.

An earlier process wrote it, so nothing but the journal remembers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from changeover.model.dns.change import Change
from changeover.model.dns.observed import ServerAnswer
from changeover.model.dns.records import AddressSet, address_set
from changeover.model.runs.plan import ZoneReading, half_made
from changeover.model.runs.run import Outcome, Run


def hidden_for(
    runs: Sequence[Run], readings: Iterable[ZoneReading], servers: Sequence[ServerAnswer], now: datetime
) -> float:
    """For how many seconds more `readings` may be from before the last write of one of `runs`, newest first; 0 where
    they show it, or something that no run of that time wrote or found.

    Where a run was verified at the name servers, these are the proof: if all that answer give what is read now, and
    none what was written, somebody changed it since.
    """
    return max((_hidden(runs, reading, servers, now) for reading in readings), default=0.0)


def _hidden(runs: Sequence[Run], reading: ZoneReading, servers: Sequence[ServerAnswer], now: datetime) -> float:
    lag = reading.capabilities.lag
    if lag is None or reading.error is not None:
        return 0.0
    written: dict[str, list[tuple[Run, Change]]] = {}
    left: dict[str, float] = {}
    for run in runs:
        since = (now - run.ended).total_seconds() if run.ended is not None else -1.0
        if not 0 <= since < lag.seconds or run.outcome in (Outcome.REFUSED, Outcome.FAILED):
            continue
        for change in run.changes:
            if (change.account, change.zone) == (reading.account, reading.zone):
                written.setdefault(change.name, []).append((run, change))
                left.setdefault(change.name, lag.seconds - since)
    return max((left[name] for name, own in written.items() if _is_old(own, reading, servers)), default=0.0)


def _is_old(own: Sequence[tuple[Run, Change]], reading: ZoneReading, servers: Sequence[ServerAnswer]) -> bool:
    """`own` are the writes at one name, newest first."""
    run, last = own[0]
    live = address_set(reading.records.get(last.name, ()))
    if live == last.after or not any(live in (c.before, c.after) or half_made(c, live) for _, c in own):
        return False
    verified = run.outcome in (Outcome.COMPLETED, Outcome.UNDONE) and run.accepted is None
    return not (verified and _proven(live, last, servers))


def _proven(live: AddressSet, last: Change, servers: Sequence[ServerAnswer]) -> bool:
    said = [s for s in servers if (s.zone, s.hostname) == (last.zone, last.name) and s.error is None]
    return bool(said) and all(s.gives(live) and not s.gives(last.after) for s in said)
