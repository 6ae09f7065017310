"""TTLs around a switch: lowered beforehand so that visitors follow soon, and restored when it is settled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from changeover.model.dns.change import Change
from changeover.model.dns.records import AddressSet, RecordSet, address_set
from changeover.model.runs.plan import Plan, PlanKind, ZoneReading, plan_of
from changeover.model.runs.run import Direction, Outcome, Run
from changeover.model.settings.service import Service

#: What a provider makes of an address set where another stands: account, zone, what stands, what is wanted.
Publish = Callable[[str, str, AddressSet, AddressSet], AddressSet]


def prepare_plan(
    service: Service, active: str, readings: Sequence[ZoneReading], ttl: int, made_at: datetime, publish: Publish
) -> Plan:
    """The plan that lowers the TTL of every address record of the service to `ttl` seconds, and nothing else."""
    changes = []
    for reading in readings:
        least = max(ttl, reading.capabilities.least_ttl)
        for name in service.hostnames_in(reading.zone):
            before = address_set(reading.records.get(name, ()))
            long = [r for r in before if reading.capabilities.seconds(r) > least and not r.opaque]
            changes += _changes(reading, name, before, long, least, publish)
    return _of(service, active, readings, changes, made_at, PlanKind.PREPARE)


def restore_plan(
    service: Service,
    active: str,
    readings: Sequence[ZoneReading],
    prepared: Run,
    made_at: datetime,
    publish: Publish,
) -> Plan:
    """The plan that gives every name the longest TTL back that it had before `prepared` lowered it."""
    old = {change.place: max(r.ttl for r in change.before) for change in prepared.forward.changes}
    changes = []
    for reading in readings:
        for name in service.hostnames_in(reading.zone):
            before = address_set(reading.records.get(name, ()))
            ttl = old.get((reading.account, reading.zone, name), 0)
            short = [r for r in before if r.ttl < ttl and not r.opaque and r.ttl != 1]
            changes += _changes(reading, name, before, short, ttl, publish)
    return _of(service, active, readings, changes, made_at, PlanKind.RESTORE_TTL)


def _changes(
    reading: ZoneReading, name: str, before: AddressSet, meant: Sequence[RecordSet], ttl: int, publish: Publish
) -> list[Change]:
    """The change that gives the sets that are meant this TTL, as near as the provider has it; none where they have it.

    The TTLs that single records have of their own go with their details: the provider says which of those stay.
    """
    plain = tuple(replace(r, ttl=ttl, details={}) if r in meant else r for r in before)
    published = {r.type: r for r in publish(reading.account, reading.zone, before, plain)}
    after = tuple(published.get(r.type, r) if r in meant else r for r in before)
    if after == before:
        return []
    return [Change(account=reading.account, zone=reading.zone, name=name, before=before, after=after)]


def prepared_by(runs: Sequence[Run], service: str) -> Run | None:
    """The run (of `runs`, newest first) that lowered the service's TTLs, where these were not restored since."""
    for run in runs:
        if run.service != service or run.outcome is not Outcome.COMPLETED or run.direction is not Direction.FORWARD:
            continue
        if run.forward.kind is PlanKind.RESTORE_TTL:
            return None
        if run.forward.kind is PlanKind.PREPARE:
            return run
    return None


def fast_from(runs: Sequence[Run], service: str) -> datetime | None:
    """From when on a switch is as fast as the TTLs say: once all that was cached before they were lowered is forgotten.

    None where no lowering is known that matters.
    """
    found = prepared_by(runs, service)
    if found is None or found.ended is None:
        return None
    return found.ended + timedelta(seconds=found.forward.visitors_follow_within)


def _of(
    service: Service,
    active: str,
    readings: Sequence[ZoneReading],
    changes: Sequence[Change],
    made_at: datetime,
    kind: PlanKind,
) -> Plan:
    capabilities = {reading.account: reading.capabilities for reading in readings}
    plan = plan_of(service.name, active, active, changes, capabilities, made_at)
    # Nobody is sent elsewhere, so there is nothing to look at as a visitor.
    return replace(plan, kind=kind, steps=plan.steps[:-1])
