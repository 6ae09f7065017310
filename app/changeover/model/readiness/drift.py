"""Drift: records that a run left, and that somebody else has changed since. The journal knows nothing of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from changeover.model.dns.change import Change, Place
from changeover.model.dns.records import AddressSet, address_set, same_answer, values_text
from changeover.model.formatting import clock, duration
from changeover.model.readiness.snapshot import Drift
from changeover.model.runs.plan import ChangeRecords
from changeover.model.runs.run import Outcome, Run, StepState

if TYPE_CHECKING:
    from changeover.model.readiness.snapshot import Snapshot

#: So long after a run the records that it left are watched.
WATCHED = timedelta(hours=24)


def drifts(snapshot: Snapshot, before: Snapshot | None = None) -> tuple[Drift, ...]:
    """The service's hostnames that stand otherwise than the newest run that touched them left them.

    `before` is an earlier look at the same service, which says more closely when something changed. Nothing is said of
    a name that an unfinished or accepted run may have changed, nor of one that was read before its run ended.
    """
    known = {d.place: d for d in before.drift} if before is not None else {}
    found = []
    for reading in snapshot.readings:
        if reading.error is not None:
            continue
        for name in snapshot.service.hostnames_in(reading.zone):
            place = (reading.account, reading.zone, name)
            run, left = _left(snapshot.runs, place, reading.at)
            now = address_set(reading.records.get(name, ()))
            if run is None or run.ended is None or now == left:
                continue
            old = known.get(place)
            if old is not None and (old.left, old.found, old.run) == (left, now, run.run):
                found.append(old)
                continue
            after = max(run.ended, _last_right(before, place, left) or run.ended)
            if old is not None:  # it was wrong already, and was changed once more
                after = max(after, old.seen)
            found.append(
                Drift(
                    account=reading.account,
                    zone=reading.zone,
                    name=name,
                    left=left,
                    found=now,
                    run=run.run,
                    after=after,
                    seen=reading.at,
                )
            )
    return tuple(found)


def drift_words(drift: Drift, now: datetime) -> str:
    """What changed and when, in the time zone of `now`: "www.shop.example was changed between 14:02 and 14:07 …"."""
    after, seen = clock(drift.after, now), clock(drift.seen, now)
    when = f"at {seen}" if after == seen else f"between {after} and {seen}"
    return f"{drift.name} was changed {when} by somebody else: {_what(drift)}; the journal knows nothing of it"


def drift_ago(drift: Drift, at: datetime) -> str:
    """The same for those whose time zone is not known: "www.shop.example was changed in the last 5 min …"."""
    longest, least = (max(0.0, (at - moment).total_seconds()) for moment in (drift.after, drift.seen))
    since = duration(longest)
    when = f"in the last {since}" if round(least) == 0 else f"{duration(least)} to {since} ago"
    return f"{drift.name} was changed {when} by somebody else: {_what(drift)}; the journal knows nothing of it"


def _what(drift: Drift) -> str:
    if not same_answer(drift.left, drift.found):
        return f"{values_text(drift.left)} → {values_text(drift.found)}"
    ttls = [(old.ttl, new.ttl) for old, new in zip(drift.left, drift.found, strict=True)]
    changed = next((pair for pair in ttls if pair[0] != pair[1]), None)
    if changed is not None:
        return f"its TTL, {changed[0]} s → {changed[1]} s"
    return "what the provider keeps beside its values"


def _left(runs: Sequence[Run], place: Place, at: datetime) -> tuple[Run | None, AddressSet]:
    """The newest of `runs` (newest first) that touched the place, and what it left there.

    None where that is not known, or was so long ago that nobody watches it any more.
    """
    for run in runs:
        if run.unreadable:
            break  # nobody knows what it did
        change = next((c for c in _carried_out(run) if c.place == place), None)
        if change is None or run.outcome in (Outcome.REFUSED, Outcome.FAILED):
            continue
        settled = run.outcome in (Outcome.COMPLETED, Outcome.UNDONE)
        if not settled or run.ended is None or not run.ended < at <= run.ended + WATCHED:
            break
        return run, change.after if run.outcome is Outcome.COMPLETED else change.before
    return None, ()


def _carried_out(run: Run) -> Iterable[Change]:
    """The changes of a run's first plan, without those of a step that a person left out."""
    went = run.went or run.steps
    for step, progress in zip(run.forward.steps, went, strict=True):
        if isinstance(step, ChangeRecords) and progress.state is not StepState.SKIPPED:
            yield from step.changes


def _last_right(before: Snapshot | None, place: Place, left: AddressSet) -> datetime | None:
    """When an earlier look found the place as it should be."""
    if before is None:
        return None
    for reading in before.readings:
        account, zone, name = place
        if (reading.account, reading.zone) == (account, zone) and reading.error is None:
            return reading.at if address_set(reading.records.get(name, ())) == left else None
    return None
