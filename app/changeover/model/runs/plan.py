"""Plans: the exact ordered steps of a switchover, computed before anything is changed."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from msgspec import Struct, field
from msgspec.structs import replace

from changeover.model.dns.batches import batches
from changeover.model.dns.capabilities import Capabilities
from changeover.model.dns.change import Change, Place
from changeover.model.dns.records import AddressSet, RecordSet, address_set, same_answer
from changeover.model.formatting import counted
from changeover.model.health.baseline import Baseline
from changeover.model.settings.action import Action, Operation
from changeover.model.settings.service import Service


class ZoneReading(Struct, frozen=True, kw_only=True):
    """What one provider account had for a service's names in one zone, at one moment.

    `records` has all record sets of each hostname, those that no plan touches included. `wanted` has, by deployment
    and hostname, the address set that this provider would publish for it. `wildcards` are the hostnames that have no
    records of their own but are answered by a wildcard. With `error`, nothing could be read and the rest is empty.
    """

    account: str
    zone: str
    capabilities: Capabilities
    at: datetime
    records: dict[str, tuple[RecordSet, ...]] = field(default_factory=dict)
    wanted: dict[str, dict[str, AddressSet]] = field(default_factory=dict)
    wildcards: tuple[str, ...] = ()
    policies: dict[str, str] = field(default_factory=dict)
    error: str | None = None
    error_kind: str | None = None
    hint: str = ""
    may_write: bool | None = None


class ChangeRecords(Struct, frozen=True, kw_only=True, tag="change-records"):
    """One batch at one account: all of `changes`, or none of them."""

    name: str
    text: str
    account: str
    zone: str
    changes: tuple[Change, ...]


class CheckNameServers(Struct, frozen=True, kw_only=True, tag="name-servers"):
    """Wait until every authoritative server gives the new address sets."""

    name: str
    text: str
    changes: tuple[Change, ...]


class CheckVisitors(Struct, frozen=True, kw_only=True, tag="visitors"):
    """Ask the service by its public name, at the addresses that visitors get, who answers. `deployment` should.

    `baseline` is how the service answered before, to compare with.
    """

    name: str
    text: str
    deployment: str
    hostnames: tuple[str, ...]
    baseline: Baseline | None = None


class ActionStep(Struct, frozen=True, kw_only=True, tag="act"):
    """Something besides DNS. With `skip`, it is left out on purpose, and that says why and at what risk.

    `operation` is what is done in this direction: of an undo, what takes the action back.
    """

    name: str
    text: str
    action: Action
    #: Journals know it by its former name.
    operation: Operation = field(name="deed")
    skip: str = ""


Step = ChangeRecords | CheckNameServers | CheckVisitors | ActionStep


class PlanKind(StrEnum):
    """What a plan is for.

    To move visitors; to shorten, and to restore, how long their resolvers keep the answer; to ask the platform of one
    deployment for one thing; or to do at a side that visitors were led away from what an emergency left out there.
    """

    SWITCH = "switch"
    PREPARE = "prepare"
    RESTORE_TTL = "restore-ttl"
    OPERATION = "operation"
    FENCE = "fence"

    @property
    def moves_visitors(self) -> bool:
        """Is it about where visitors go?"""
        match self:
            case PlanKind.SWITCH:
                return True
            case PlanKind.PREPARE | PlanKind.RESTORE_TTL | PlanKind.OPERATION | PlanKind.FENCE:
                return False
            case _:
                assert_never(self)


class Plan(Struct, frozen=True, kw_only=True):
    """The steps that send visitors of `service` from where they are now (`source`) to the deployment `to`.

    `steps` are in order; those whose numbers stand together in one of `together` are done at the same time.
    `visitors_follow_within` is the longest time, in seconds, that a resolver may go on giving the old answer: the
    highest TTL that stood at the names before the change. `fences` names the run whose left-out steps these are.
    """

    service: str
    source: str
    to: str
    steps: tuple[Step, ...]
    made_at: datetime
    visitors_follow_within: int = 0
    kind: PlanKind = PlanKind.SWITCH
    together: tuple[tuple[int, ...], ...] = ()
    fences: str = ""

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The numbers of all steps, in order, in groups that are done at the same time. Most stand alone."""
        grouped = {number: group for group in self.together for number in group}
        return tuple(dict.fromkeys(grouped.get(number, (number,)) for number in range(len(self.steps))))

    @property
    def changes(self) -> tuple[Change, ...]:
        batches = (s.changes for s in self.steps if isinstance(s, ChangeRecords))
        return tuple(itertools.chain.from_iterable(batches))


def changes_to(service: Service, to: str, readings: Sequence[ZoneReading]) -> tuple[Change, ...]:
    """What must change at each account so that `to` is published.

    A name that has it already is left out, whatever its TTL, so that a second run changes nothing.
    """
    found = []
    for reading in readings:
        for name in service.hostnames_in(reading.zone):
            before = address_set(reading.records.get(name, ()))
            after = reading.wanted[to][name]
            if not same_answer(before, after):
                change = Change(account=reading.account, zone=reading.zone, name=name, before=before, after=after)
                found.append(change)
    return tuple(found)


def make_plan(service: Service, source: str, to: str, readings: Sequence[ZoneReading], made_at: datetime) -> Plan:
    """The plan that sends visitors to `to`. It has no steps where everything is there already."""
    capabilities = {reading.account: reading.capabilities for reading in readings}
    return plan_of(service.name, source, to, changes_to(service, to, readings), capabilities, made_at)


def plan_of(
    service: str,
    source: str,
    to: str,
    changes: Sequence[Change],
    capabilities: Mapping[str, Capabilities],
    made_at: datetime,
) -> Plan:
    """A plan of exactly these changes: the batches, then the name servers, then the service as visitors get it."""
    if not changes:
        return Plan(service=service, source=source, to=to, steps=(), made_at=made_at)
    steps: list[Step] = []
    parts = list(batches(changes, capabilities))
    for number, part in enumerate(parts, start=1):
        label = capabilities[part[0].account].label
        which = f", part {number} of {len(parts)}" if len(parts) > 1 else ""
        atomic = " in one batch" if capabilities[part[0].account].batch else ""
        text = f"Change {counted(len(part), 'hostname')} at {label}, zone {part[0].zone}{atomic}{which}"
        steps.append(
            ChangeRecords(
                name="change-records" if len(parts) == 1 else f"change-records-{number}",
                text=text,
                account=part[0].account,
                zone=part[0].zone,
                changes=part,
            )
        )
    steps.append(
        CheckNameServers(
            name="name-servers",
            text="Wait until the authoritative name servers give the new answer",
            changes=tuple(changes),
        )
    )
    names = tuple(dict.fromkeys(change.name for change in changes))
    steps.append(
        CheckVisitors(
            name="visitors",
            text=f"Check {', '.join(names[:3])}{' and more' if len(names) > 3 else ''} as a visitor",
            deployment=to,
            hostnames=names,
        )
    )
    follow = max((capabilities[c.account].seconds(r) for c in changes for r in c.before), default=0)
    return Plan(
        service=service,
        source=source,
        to=to,
        steps=tuple(steps),
        made_at=made_at,
        visitors_follow_within=follow,
    )


def compared_with(plan: Plan, baseline: Baseline) -> Plan:
    """`plan`, whose look as a visitor compares with how the service answered before."""
    steps = (replace(s, baseline=baseline) if isinstance(s, CheckVisitors) else s for s in plan.steps)
    return replace(plan, steps=tuple(steps))


def inverse(changes: Sequence[Change]) -> tuple[Change, ...]:
    """The changes that put back what `changes` changed, exactly as it was, last one first."""
    return tuple(change.inverse for change in reversed(changes))


class BatchProgress(Struct, frozen=True):
    """Where a batch stands, by reading: what is still to do, what is done, what somebody else changed."""

    todo: tuple[Change, ...]
    done: tuple[Change, ...]
    foreign: tuple[tuple[Change, AddressSet], ...]


def batch_progress(
    changes: Sequence[Change], live: Mapping[Place, AddressSet], one_by_one: Collection[str] = ()
) -> BatchProgress:
    """Compares `changes` with the address sets that stand at their names now.

    A name found empty is to be done, expecting that emptiness: it must not stay without an answer. So is one with
    records of both sets, where the account is one of `one_by_one`, which change one record after the other. What is
    to stand there, but with another TTL, is not taken for that: somebody else's switch may have made it.
    """
    todo, done, foreign = [], [], []
    for change in changes:
        now = live.get(change.place, ())
        if now == change.after:
            done.append(change)
        elif now == change.before:
            todo.append(change)
        elif not now or (change.account in one_by_one and half_made(change, now) and not _is_whole(change, now)):
            todo.append(replace(change, before=now))
        else:
            foreign.append((change, now))
    return BatchProgress(tuple(todo), tuple(done), tuple(foreign))


def _is_whole(change: Change, now: AddressSet) -> bool:
    """Does `now` give what the change is to give, though with another TTL? Or is only the TTL to change?"""
    only_ttl = same_answer(change.before, change.after)
    return same_answer(now, change.after) or (only_ttl and same_answer(now, change.before))


def half_made(change: Change, now: AddressSet) -> bool:
    """Is `now` between the two sets of `change`: only records of either, with a TTL of either, and neither set whole?

    Flags and comments are not looked at: whoever writes records one by one may have those of either as well.
    """
    if not now or now in (change.before, change.after):
        return False
    either = [*change.before, *change.after]
    values = {(r.type, value) for r in either for value in r.values}
    ttls = {(r.type, ttl) for r in either for ttl in (r.ttl, *(d["ttl"] for d in r.details.values() if "ttl" in d))}
    return all((r.type, value) in values for r in now for value in r.values) and all(
        (r.type, r.ttl) in ttls for r in now
    )


def restore_emptied(changes: Sequence[Change], live: Mapping[Place, AddressSet]) -> tuple[Change, ...]:
    """The changes that give every name of `changes` that is found empty what stood there before."""
    return tuple(
        Change(account=c.account, zone=c.zone, name=c.name, before=(), after=c.before)
        for c in changes
        if c.before and c.after and not live.get(c.place, ())
    )
