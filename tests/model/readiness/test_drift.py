"""Records that a run left and somebody else changed: noticed for a day, with times, and nobody is blamed for a run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from changeover.model.dns.records import AddressSet, record_set
from changeover.model.readiness.drift import drift_ago, drift_words, drifts
from changeover.model.readiness.service_state import ServiceState
from changeover.model.readiness.snapshot import Drift, Snapshot
from changeover.model.runs.run import Accepted, Ended, Intent, Outcome, Run, Skipped, Started
from changeover.model.wording.sentence import sentence
from changeover.model.wording.service_status import ServiceStatus, service_status
from model.snapshots import APEX, BACKUP, PRIMARY, WWW, observed, reading, servers, snapshot, state
from model.strategies import NOW
from model.switches import folded, plan, switched

#: What Terraform made of it.
FOREIGN: AddressSet = (record_set(WWW, "CNAME", 60, ["old.example.net"]),)
SLOWER: AddressSet = (replace(BACKUP[WWW][0], ttl=300),)
TAGGED: AddressSet = (replace(BACKUP[WWW][0], details={"198.51.100.24": {"proxied": True}}),)
DAY = 24 * 3600.0


def look(www: AddressSet, *runs: Run, minutes: float = 0, **more: Any) -> Snapshot:
    """What is read so many minutes after NOW, with `www` there."""
    records = {**BACKUP, WWW: www}
    at = NOW + timedelta(minutes=minutes)
    there = reading(records, at=at, **more)
    return replace(snapshot(readings=(there,), servers=servers(records), runs=runs), at=at)


def seen(there: Snapshot, before: Snapshot | None = None) -> Snapshot:
    return replace(there, drift=drifts(there, before))


def after(there: Snapshot, run: Run) -> ServiceState:
    """The state of the shop, both deployments healthy, after `run`."""
    return state(observed(snapshot=there), run)


def test_what_a_run_left_is_no_drift() -> None:
    """Neither after a switch, nor after its undo, nor where nothing was ever switched."""
    assert drifts(look(BACKUP[WWW], switched(60))) == ()
    assert drifts(look(FOREIGN)) == ()
    undone = switched(60, Outcome.UNDONE)
    there = snapshot(readings=(reading(PRIMARY),), runs=(undone,))
    assert drifts(there) == ()
    assert [d.name for d in drifts(replace(there, readings=(reading(BACKUP),)))] == [WWW, APEX]


def test_a_change_by_somebody_else_is_told_with_its_name_values_and_times() -> None:
    """Between the last look that found it right and the first that did not; later looks do not move these."""
    run = switched(3600)
    right = seen(look(BACKUP[WWW], run, minutes=2))
    first = seen(look(FOREIGN, run, minutes=7), right)
    later = seen(look(FOREIGN, run, minutes=30), first)
    (drift,) = first.drift
    assert later.drift == first.drift
    assert (drift.name, drift.account, drift.run, drift.left, drift.found) == (
        WWW,
        "dns",
        "shop-1",
        BACKUP[WWW],
        FOREIGN,
    )
    now = NOW + timedelta(minutes=9)
    assert drift_words(drift, now) == (
        "www.shop.example was changed between 03:02 and 03:07 by somebody else: "
        "A 198.51.100.24 → CNAME old.example.net; the journal knows nothing of it"
    )
    assert "was changed 2 min to 7 min ago by somebody else" in drift_ago(drift, now)
    again = seen(look(PRIMARY[WWW], run, minutes=40), later)
    assert [(d.after, d.seen) for d in again.drift] == [(drift.seen, NOW + timedelta(minutes=40))]
    assert drifts(look(BACKUP[WWW], run, minutes=50), again) == (), "it was put back"


def test_without_an_earlier_look_the_run_is_the_last_that_is_known() -> None:
    """A command that looks once says so much."""
    (drift,) = drifts(look(FOREIGN, switched(300)))
    assert (drift.after, drift.seen) == (NOW - timedelta(minutes=5), NOW)
    assert "in the last 5 min" in drift_ago(drift, NOW)


@pytest.mark.parametrize(("found", "words"), [(SLOWER, "its TTL, 60 s → 300 s"), (TAGGED, "what the provider keeps")])
def test_what_does_not_move_visitors_is_told_as_well(found: AddressSet, words: str) -> None:
    """An undo would meet it."""
    (drift,) = drifts(look(found, switched(300)))
    assert words in drift_words(drift, NOW)


def test_a_name_that_was_emptied() -> None:
    """Nothing is worse."""
    (drift,) = drifts(look((), switched(300)))
    assert "A 198.51.100.24 → nothing" in drift_words(drift, NOW)


BEFORE = switched(7200, number=1)
EXPLAINED = {
    "a later run that is cut off": [switched(60, None, number=2), BEFORE],
    "a later run at work": [switched(0, None, number=2, alive=True), BEFORE],
    "a later run that was accepted": [switched(60, Outcome.INCOMPLETE, (5, Accepted(reason="seen")), number=2), BEFORE],
    "a run that ended after the reading": [switched(-5, number=2), BEFORE],
    "a day and more ago": [switched(DAY + 1)],
}


@pytest.mark.parametrize("name", list(EXPLAINED))
def test_what_a_run_may_have_done_is_nobody_elses(name: str) -> None:
    """Nobody is blamed while the journal can explain it, or nobody watches any more."""
    assert drifts(look(PRIMARY[WWW], *EXPLAINED[name])) == ()


def test_a_later_run_says_what_must_be_there() -> None:
    """What an earlier one left is no longer asked for."""
    back = switched(60, source="backup", to="primary", number=2)
    there = snapshot(readings=(reading(PRIMARY),), runs=(back, BEFORE))
    assert drifts(there) == ()
    assert [d.run for d in drifts(look(BACKUP[WWW], back, BEFORE))] == ["shop-2", "shop-2"]


def test_runs_that_changed_nothing_explain_nothing() -> None:
    """The one before them still says what must be there; a day has 24 hours to the second."""
    refused = switched(30, Outcome.REFUSED, source="backup", to="primary", number=3)
    failed = switched(60, Outcome.FAILED, source="backup", to="primary", number=2)
    (drift,) = drifts(look(PRIMARY[WWW], refused, failed, switched(DAY, number=1)))
    assert drift.run == "shop-1"
    left_out = folded(
        [
            (9, Started(plan=plan("backup", "primary"))),
            *(
                (8, Skipped(step=n, reason="by hand"))
                for n, s in enumerate(plan().steps)
                if s.name.startswith("change")
            ),
            (7, Intent(step=len(plan().steps) - 1)),
            (6, Ended(outcome=Outcome.COMPLETED)),
        ],
        number=4,
    )
    assert [d.run for d in drifts(look(PRIMARY[WWW], left_out, switched(DAY, number=1)))] == ["shop-1"]


def test_what_could_not_be_read_is_no_drift() -> None:
    """A provider that does not answer says nothing of anybody."""
    assert drifts(look((), switched(300), error="it does not answer")) == ()


def test_it_is_in_the_sentence_and_nobody_calls_the_service_healthy() -> None:
    """First of all, with how many more; the service needs somebody."""
    run = switched(300)
    records = {WWW: FOREIGN, APEX: (record_set(APEX, "A", 60, ["192.0.2.99"]),)}
    there = replace(snapshot(readings=(reading(records),), servers=servers(records), runs=(run,)), at=NOW)
    alarmed = after(seen(there), run)
    told = sentence(alarmed, NOW)
    assert "www.shop.example was changed between 02:55 and 03:00 by somebody else" in told.urgent
    assert told.urgent.endswith("1 other hostname as well.")
    assert service_status(alarmed) is ServiceStatus.DEGRADED
    one = replace(there, readings=(reading({**BACKUP, WWW: SLOWER}),), servers=servers(BACKUP))
    quiet = after(one, run)
    changed = after(seen(one), run)
    assert sentence(quiet, NOW).urgent == ""
    assert sentence(changed, NOW).urgent.startswith("www.shop.example was changed")
    assert sentence(changed, NOW).rest == sentence(quiet, NOW).rest


def test_after_an_undo_nothing_else_is_amber() -> None:
    """So that the change alone must make it so."""
    run = switched(300, Outcome.UNDONE)
    slower = {**PRIMARY, WWW: (replace(PRIMARY[WWW][0], ttl=300),)}
    there = snapshot(readings=(reading(slower),), runs=(run,))
    assert service_status(after(there, run)) is ServiceStatus.HEALTHY
    assert service_status(after(seen(there), run)) is ServiceStatus.DEGRADED


def test_a_drift_has_a_place() -> None:
    """Account, zone, name: the same name at two accounts is two."""
    two = replace(look(FOREIGN, switched(300)).readings[0], account="two")
    there = look(FOREIGN, switched(300))
    found = drifts(replace(there, readings=(*there.readings, two)))
    assert [d.place for d in found] == [("dns", APEX, WWW)], "the run did not touch the other account"
    assert isinstance(found[0], Drift)
