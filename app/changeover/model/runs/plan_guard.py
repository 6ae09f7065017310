"""The last look at a plan before anything is written: what no plan may ever do, whoever made it."""

from __future__ import annotations

from datetime import datetime, timedelta

from changeover.model.dns.records import ADDRESS_TYPES
from changeover.model.formatting import counted
from changeover.model.runs.plan import ChangeRecords, Plan
from changeover.model.settings.service import Service

#: A plan rests on what was read. After this time it is made again, and long after it, it is refused.
FRESH = timedelta(seconds=60)


def unsafe(plan: Plan, service: Service, now: datetime) -> tuple[str, ...]:
    """What makes `plan` one that must not run for `service`, each in a sentence; empty where nothing does.

    It may touch the address records of the service's own hostnames in its own zones, each once at each account, and
    nothing else; it may leave no name without an answer; and what it was made from may not be old.
    """
    found = []
    places = {(zone.account, zone.zone) for zone in service.dns}
    for change in plan.changes:
        where = f"{change.name} at account {change.account}"
        if change.name not in service.hostnames or (change.account, change.zone) not in places:
            found.append(f"{where} does not belong to {service.name}")
        others = sorted({r.type for r in (*change.before, *change.after)} - set(ADDRESS_TYPES))
        if others:
            found.append(f"{where}: {', '.join(others)} records are not Changeover's to change")
        if not change.after:
            found.append(f"{where} would be left without an answer")
        if any(r.name != change.name for r in (*change.before, *change.after)):
            found.append(f"{where}: records of another name stand in its change")
    twice = len(plan.changes) - len({change.place for change in plan.changes})
    if twice:
        found.append(f"{counted(twice, 'name is', 'names are')} to be changed more than once")
    if now - plan.made_at > 2 * FRESH and any(isinstance(step, ChangeRecords) for step in plan.steps):
        found.append("it was made from what was read minutes ago")
    return tuple(found)
