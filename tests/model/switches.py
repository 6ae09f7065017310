"""Runs of the shop as a journal tells them, ended so and so long ago."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from msgspec.structs import replace

from changeover.model.dns.change import Change
from changeover.model.dns.records import AddressSet
from changeover.model.runs.plan import Plan, PlanKind, inverse, plan_of
from changeover.model.runs.run import (
    Ended,
    Entry,
    Event,
    Intent,
    Outcome,
    Run,
    Started,
    UndoStarted,
    UnreadableEvent,
    fold,
)
from model.snapshots import APEX, BACKUP, PRIMARY, WWW
from model.strategies import NOW, capabilities

RECORDS = {"primary": PRIMARY, "backup": BACKUP}


def changes(source: str = "primary", to: str = "backup") -> tuple[Change, ...]:
    before: dict[str, AddressSet] = RECORDS[source]
    after: dict[str, AddressSet] = RECORDS[to]
    return tuple(
        Change(account="dns", zone=APEX, name=name, before=before[name], after=after[name]) for name in (WWW, APEX)
    )


def plan(source: str = "primary", to: str = "backup", kind: PlanKind = PlanKind.SWITCH) -> Plan:
    made = plan_of("shop", source, to, changes(source, to), {"dns": capabilities(None)}, NOW)
    return replace(made, kind=kind)


def switched(
    ago: float,
    outcome: Outcome | None = Outcome.COMPLETED,
    *said: tuple[float, Event | UnreadableEvent],
    source: str = "primary",
    to: str = "backup",
    emergency: bool = False,
    number: int = 1,
    kind: PlanKind = PlanKind.SWITCH,
    alive: bool = False,
) -> Run:
    """A run that ended `ago` seconds before NOW, was cut off (`outcome` is None), or cannot be read from there on.

    `said` is what followed, each so many seconds before NOW.
    """
    made = plan(source, to, kind)
    events: list[tuple[float, Event | UnreadableEvent]] = [
        (ago + 5, Started(plan=made, emergency=emergency, who="anna")),
        (ago + 4, Intent(step=0)),
    ]
    if outcome is Outcome.UNDONE:
        back = plan_of("shop", to, source, inverse(made.changes), {"dns": capabilities(None)}, NOW)
        events += [(ago + 3, Ended(outcome=Outcome.COMPLETED)), (ago + 2, UndoStarted(plan=back))]
    if outcome in (Outcome.DAMAGED, Outcome.NEWER):
        events.append((ago, UnreadableEvent(newer=outcome is Outcome.NEWER)))
    elif outcome is not None:
        events.append((ago, Ended(outcome=outcome)))
    return folded([*events, *said], number, alive)


def folded(events: Sequence[tuple[float, Event | UnreadableEvent]], number: int = 1, alive: bool = False) -> Run:
    """The run of these events, each so many seconds before NOW."""
    entries = [Entry(run=f"shop-{number}", at=NOW - timedelta(seconds=ago), event=event) for ago, event in events]
    return fold(entries, alive)
