"""TTLs lowered before a switch and restored after it: exactly, and nothing beside them."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from changeover.model.dns.change import Change
from changeover.model.dns.records import AddressSet, record_set
from changeover.model.runs.plan import Plan, PlanKind
from changeover.model.runs.run import Direction, Ended, Entry, Outcome, Run, Started, fold
from changeover.model.runs.ttl import fast_from, prepare_plan, prepared_by, restore_plan
from model.snapshots import APEX, PRIMARY, WWW, reading, service
from model.strategies import NOW, capabilities

LONG = {**PRIMARY, WWW: (record_set(WWW, "CNAME", 3600, ["edge.example.net"]),)}
LOW = {**LONG, WWW: (record_set(WWW, "CNAME", 60, ["edge.example.net"]),)}


def ran(plan: Plan, number: int = 1, outcome: Outcome = Outcome.COMPLETED) -> Run:
    """A run of the plan that ended ten minutes after it was made."""
    ended = NOW + timedelta(minutes=10)
    return fold(
        [
            Entry(run=f"shop-{number}", at=NOW, event=Started(plan=plan)),
            Entry(run=f"shop-{number}", at=ended, event=Ended(outcome=outcome)),
        ]
    )


def as_wanted(account: str, zone: str, before: AddressSet, after: AddressSet) -> AddressSet:
    """A provider that takes everything as it is."""
    return after


def rounded(account: str, zone: str, before: AddressSet, after: AddressSet) -> AddressSet:
    """A provider that has TTLs of whole two minutes, and carries tags over."""
    tags = {value: {"tag": "web"} for r in before for value in r.values}
    return tuple(
        replace(r, ttl=-(-r.ttl // 120) * 120, details={v: tags[v] for v in r.values if v in tags}) for r in after
    )


def test_only_what_is_longer_is_lowered() -> None:
    """One name has an hour; its value stays, and the other name is not touched."""
    plan = prepare_plan(service(), "primary", (reading(LONG),), 60, NOW, as_wanted)
    (change,) = plan.changes
    assert change == Change(account="dns", zone=APEX, name=WWW, before=LONG[WWW], after=LOW[WWW])
    assert (plan.kind, plan.source, plan.to) == (PlanKind.PREPARE, "primary", "primary")
    assert [step.name for step in plan.steps] == ["change-records", "name-servers"]
    assert prepare_plan(service(), "primary", (reading(LOW),), 60, NOW, as_wanted).steps == ()


def test_a_provider_s_least_ttl_is_respected_and_proxied_records_have_none() -> None:
    """It would be refused, or mean nothing."""
    slow = replace(capabilities(None), least_ttl=300)
    (change,) = prepare_plan(service(), "primary", (reading(LONG, capabilities=slow),), 60, NOW, as_wanted).changes
    assert change.after[0].ttl == 300
    proxied = {**PRIMARY, WWW: (replace(LONG[WWW][0], opaque=True),)}
    assert prepare_plan(service(), "primary", (reading(proxied),), 60, NOW, as_wanted).changes == ()


def test_the_provider_says_which_ttl_and_which_details_stay() -> None:
    """A record's own TTL goes with its details; what is as low as the provider has it is not lowered again."""
    (www,) = LONG[WWW]
    own = {WWW: (replace(www, details={www.values[0]: {"ttl": 300, "tag": "web"}}),)}
    (change,) = prepare_plan(service(), "primary", (reading({**PRIMARY, **own}),), 60, NOW, rounded).changes
    assert (change.after[0].ttl, change.after[0].details) == (120, {www.values[0]: {"tag": "web"}})
    again = {**PRIMARY, WWW: change.after}
    assert prepare_plan(service(), "primary", (reading(again),), 60, NOW, rounded).changes == ()


def test_a_switch_is_fast_once_the_old_ttl_has_passed() -> None:
    """An hour after the lowering ended, not at once."""
    prepared = ran(prepare_plan(service(), "primary", (reading(LONG),), 60, NOW, as_wanted))
    assert fast_from((prepared,), "shop") == NOW + timedelta(minutes=10) + timedelta(hours=1)
    assert fast_from((), "shop") is None
    failed = ran(prepare_plan(service(), "primary", (reading(LONG),), 60, NOW, as_wanted), outcome=Outcome.FAILED)
    assert fast_from((failed,), "shop") is None


def test_the_old_ttl_comes_back_at_whatever_stands_there_now() -> None:
    """After the switch other records stand at the name; they get the time that it had before."""
    prepared = ran(prepare_plan(service(), "primary", (reading(LONG),), 60, NOW, as_wanted))
    switched = {**PRIMARY, WWW: (record_set(WWW, "A", 60, ["198.51.100.24"]),)}
    plan = restore_plan(service(), "backup", (reading(switched),), prepared, NOW, as_wanted)
    (change,) = plan.changes
    assert change.after == (record_set(WWW, "A", 3600, ["198.51.100.24"]),)
    assert plan.kind is PlanKind.RESTORE_TTL
    assert restore_plan(service(), "primary", (reading(LONG),), prepared, NOW, as_wanted).steps == ()


def test_what_is_restored_or_undone_is_not_prepared_any_more() -> None:
    """The newest word counts."""
    prepared = ran(prepare_plan(service(), "primary", (reading(LONG),), 60, NOW, as_wanted))
    restored = ran(restore_plan(service(), "primary", (reading(LOW),), prepared, NOW, as_wanted), number=2)
    assert prepared_by((prepared,), "shop") == prepared
    assert prepared_by((restored, prepared), "shop") is None
    assert prepared_by((replace(prepared, direction=Direction.UNDO, outcome=Outcome.UNDONE),), "shop") is None
    assert prepared_by((prepared,), "blog") is None
