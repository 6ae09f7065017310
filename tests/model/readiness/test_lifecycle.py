"""The stages of a service around its runs: what each is called, how long it lasts, what leads out of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from changeover.model.health.track import State
from changeover.model.readiness.freeze import Freeze
from changeover.model.readiness.lifecycle import (
    BADGES,
    Lifecycle,
    Stage,
    brought,
    lifecycle,
    review_words,
    suggestion_blocked,
)
from changeover.model.readiness.service_state import ServiceState
from changeover.model.runs.plan import PlanKind
from changeover.model.runs.run import Accepted, Acknowledged, Committed, Event, Outcome, Reprotected, Reprotecting, Run
from changeover.model.wording.sentence import sentence
from changeover.model.wording.service_status import ServiceStatus, held_back, lacking, service_status, suggests_switch
from model.snapshots import BACKUP, health_of, observed, reading, result, service, state
from model.strategies import NOW
from model.switches import switched

MINUTE, HOUR = 60.0, 3600.0
COMMITTED: tuple[float, Event] = (MINUTE, Committed())
INTERRUPTED = switched(9 * MINUTE, None)
ACCEPTED = switched(9 * MINUTE, Outcome.INCOMPLETE, (MINUTE, Accepted(reason="seen")))
BACK = switched(MINUTE, source="backup", to="primary", number=2)
GOING_BACK = switched(0, None, source="backup", to="primary", number=2, alive=True)
CUT_OFF_BACK = switched(MINUTE, None, source="backup", to="primary", number=2)

AWAY = switched(10 * MINUTE)
KEPT = switched(10 * MINUTE, Outcome.COMPLETED, COMMITTED)
BUILDING = switched(HOUR, Outcome.COMPLETED, COMMITTED, (30, Reprotecting()))
REVERSED = switched(HOUR, Outcome.COMPLETED, COMMITTED, (30, Reprotecting()), (20, Reprotected()))

CASES: dict[str, tuple[str, list[Run], Stage, tuple[str, ...], str]] = {
    "never switched": ("primary", [], Stage.PROTECTED, ("switch",), "Visitors are at primary"),
    "just switched": ("backup", [AWAY], Stage.SWITCHED, ("undo", "commit", "fail-back"), "Undo or commit it within 20"),
    "window over": (
        "backup",
        [switched(31 * MINUTE)],
        Stage.SWITCHED,
        ("commit", "fail-back", "undo"),
        "Commit it or go back; undo still works.",
    ),
    "undone": ("primary", [switched(MINUTE, Outcome.UNDONE)], Stage.PROTECTED, ("switch",), "Visitors are at primary"),
    "committed": ("backup", [KEPT], Stage.COMMITTED, ("protect", "fail-back", "undo"), "Running without a backup"),
    "accepted": ("backup", [ACCEPTED], Stage.COMMITTED, ("fail-back", "undo"), "Running without a backup"),
    "setting up": ("backup", [BUILDING], Stage.RE_PROTECTING, ("protect", "fail-back", "undo"), "is being set up"),
    "the other way round": ("backup", [REVERSED], Stage.PROTECTED_REVERSED, ("fail-back", "undo"), "other way round"),
    "going back": ("backup", [GOING_BACK, KEPT], Stage.FAILING_BACK, (), "Going back to primary, by run shop-2"),
    "cut off going back": (
        "mixed",
        [CUT_OFF_BACK, KEPT],
        Stage.FAILING_BACK,
        ("resume", "undo", "accept"),
        "Going back to primary",
    ),
    "an emergency on its way to the primary": (
        "backup",
        [switched(0, None, source="backup", to="primary", number=2, alive=True, emergency=True), KEPT],
        Stage.COMMITTED,
        (),
        "Running without a backup",
    ),
    "gone back": ("primary", [BACK, KEPT], Stage.PROTECTED, ("switch",), "Visitors are at primary"),
    "back by hand": ("primary", [KEPT], Stage.PROTECTED, ("switch",), "Visitors are at primary"),
    "away by hand": ("backup", [BACK, KEPT], Stage.COMMITTED, ("fail-back",), "not by a run in this journal"),
    "cut off": ("backup", [INTERRUPTED], Stage.SWITCHED, ("resume", "undo", "accept"), "Visitors are at backup"),
    "cut off before anything": (
        "primary",
        [INTERRUPTED],
        Stage.PROTECTED,
        ("resume", "undo", "accept"),
        "Visitors are at primary",
    ),
    "a switch that failed counts for nothing": (
        "backup",
        [switched(5, Outcome.FAILED, source="backup", to="primary", number=2), KEPT],
        Stage.COMMITTED,
        ("protect", "fail-back", "undo"),
        "Running without a backup",
    ),
    "going back undone": (
        "backup",
        [switched(5, Outcome.UNDONE, source="backup", to="primary", number=2), KEPT],
        Stage.COMMITTED,
        ("protect", "fail-back", "undo"),
        "Running without a backup",
    ),
    "TTLs restored meanwhile": (
        "backup",
        [switched(5, source="backup", to="backup", number=2, kind=PlanKind.RESTORE_TTL), KEPT],
        Stage.COMMITTED,
        ("protect", "fail-back", "undo"),
        "Running without a backup",
    ),
    "nobody can say where visitors are": (
        "unknown",
        [AWAY],
        Stage.SWITCHED,
        ("undo", "commit", "fail-back"),
        "Visitors are at backup",
    ),
    "an emergency": (
        "backup",
        [switched(10 * MINUTE, emergency=True)],
        Stage.SWITCHED,
        ("undo", "commit", "fail-back", "acknowledge"),
        "It was an emergency: commit it or go back by 24 Nov 02:50.",
    ),
    "an emergency that was forgotten": (
        "backup",
        [switched(27 * HOUR, emergency=True)],
        Stage.SWITCHED,
        ("commit", "fail-back", "undo"),
        "The review of emergency switch shop-1 is overdue for 3 h: commit it or go back.",
    ),
}


def of(active: str, *runs: Run) -> Lifecycle:
    return lifecycle(service(), active, runs, NOW)


@pytest.mark.parametrize("name", list(CASES))
def test_each_stage(name: str) -> None:
    """Its word, what can be done in it, and what is said of it."""
    active, runs, stage, verbs, words = CASES[name]
    found = of(active, *runs)
    assert (found.stage, found.next) == (stage, verbs)
    assert words in found.text
    assert found.badge == BADGES[stage]


def test_every_stage_is_in_the_table() -> None:
    """And in the list of badges, each of which says something else."""
    assert {case[2] for case in CASES.values()} | {Stage.UNPROTECTED} == set(Stage) == set(BADGES)
    assert len(set(BADGES.values())) == len(BADGES)


@pytest.mark.parametrize(("active", "runs"), [("primary", []), ("primary", [BACK, KEPT]), ("backup", [REVERSED])])
def test_protected_means_that_something_could_take_over_now(active: str, runs: list[Run]) -> None:
    """Whatever was committed or said before: with nothing that could take over, nobody is told "protected"."""
    found = lifecycle(service(), active, runs, NOW, "the other one answers 503")
    assert (found.stage, found.badge) == (Stage.UNPROTECTED, "not protected")
    assert found.stage.amber
    assert found.text == f"Visitors are at {active}, and nothing could take over now: the other one answers 503."
    assert found.next == lifecycle(service(), active, runs, NOW).next


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        ({"health": {n: health_of(n, "unhealthy", result(n, ok=False)) for n in ("primary", "backup")}}, "backup does"),
        ({"health": {"primary": health_of("primary", "healthy")}}, "backup has not been checked yet"),
        ({"locked": True}, ""),
    ],
    ids=["everything is down", "not checked", "a switch is on its way"],
)
def test_what_keeps_every_backup_from_taking_over(seen: dict[str, Any], words: str) -> None:
    """All down, not known, or locked: the reason is the first check that blocks; a freeze is a person's and none."""
    assert words in (lacking(state(observed(**seen))) or "nothing")
    frozen = Freeze(service="shop", reason="a release", set_at=NOW, until=NOW + timedelta(hours=1), who="anna")
    assert lacking(state(observed(freezes=(frozen,)))) is None


@pytest.mark.parametrize(
    "left",
    [INTERRUPTED, switched(MINUTE, None, kind=PlanKind.PREPARE), switched(MINUTE, None, kind=PlanKind.RESTORE_TTL)],
    ids=["a switch", "lowering TTLs", "restoring TTLs"],
)
def test_an_unfinished_run_is_named_whatever_it_was_for(left: Run) -> None:
    """Its verbs are about it, also where it is the first run of all."""
    found = of("primary", left)
    assert (found.run, found.next) == ("shop-1", ("resume", "undo", "accept"))


def test_what_is_acknowledged_is_the_emergency() -> None:
    """And not the run that the stage follows from, which may be a later one."""
    found = of("primary", BACK, switched(10 * MINUTE, emergency=True))
    assert (found.run, found.acknowledges) == ("shop-2", "shop-1")
    assert "acknowledge" in found.next
    assert of("primary", BACK).acknowledges is None


def test_the_undo_window_counts_from_the_end_of_the_run() -> None:
    """30 minutes, whatever happened before; it is told to the end, and after it undo is no longer the first verb."""
    for ago, first in ((30 * MINUTE - 1, "undo"), (30 * MINUTE, "commit")):
        found = of("backup", switched(ago))
        assert found.undo_until == NOW - timedelta(seconds=ago) + timedelta(minutes=30)
        assert found.next[0] == first


def test_an_emergency_is_reviewed_within_a_day_until_somebody_decides() -> None:
    """Committed or gone back, nobody is asked any more; a planned switch never asks."""
    emergency = switched(HOUR, emergency=True)
    due = of("backup", emergency)
    assert due.review_at == NOW + timedelta(hours=23)
    committed = of("backup", switched(HOUR, Outcome.COMPLETED, COMMITTED, emergency=True))
    for quiet in (committed, of("primary", BACK, emergency), of("backup", switched(HOUR))):
        assert quiet.review_at is None
        assert review_words(quiet, NOW) == ""


#: How a run can end, and two that are known not to be understood.
ENDS = [o for o in Outcome if o not in (Outcome.RUNNING, Outcome.INTERRUPTED)]
RUNS = st.lists(
    st.builds(
        switched,
        st.sampled_from([0.0, 5 * MINUTE, 29 * MINUTE, 31 * MINUTE, 2 * HOUR, 30 * HOUR]),
        st.sampled_from([*ENDS, None]),
        st.sampled_from([(4.0, Committed()), (4.0, Accepted(reason="seen")), (4.0, Acknowledged())]),
        st.sampled_from([(3.0, Reprotecting()), (3.0, Acknowledged())]),
        st.sampled_from([(2.0, Reprotected()), (2.0, Acknowledged())]),
        source=st.sampled_from(["primary", "backup"]),
        to=st.sampled_from(["primary", "backup"]),
        emergency=st.booleans(),
        number=st.integers(1, 9),
        kind=st.sampled_from(PlanKind),
        alive=st.booleans(),
    ),
    max_size=4,
)


@settings(max_examples=500)
@given(runs=RUNS, active=st.sampled_from(["primary", "backup", "mixed", "elsewhere", "unknown"]))
def test_any_runs_give_one_stage_with_words_and_a_way_on(runs: list[Run], active: str) -> None:
    """The undo window and the review belong to a switch that is not committed; only a run at work offers nothing."""
    found = of(active, *runs)
    assert found.text.endswith(".")
    assert found.stage in Stage
    assert found.undo_until is None or found.stage is Stage.SWITCHED
    assert found.review_at is None or found.undo_until is not None
    assert found.next or any(r.outcome is Outcome.RUNNING for r in runs)
    assert len(set(found.next)) == len(found.next)
    if active == "primary":
        assert found.stage in (Stage.PROTECTED, Stage.FAILING_BACK)
    assert not {"resume", "acknowledge"} & set(found.next) or found.run is not None or found.acknowledges is not None
    if active == "backup":
        assert found.stage is not Stage.PROTECTED
    others = [replace(r, service="mail") for r in runs]
    assert of(active, *others).stage is of(active).stage, "another service's runs say nothing of this one"


@given(runs=RUNS)
def test_a_switch_is_held_back_only_by_an_emergency_within_the_hour(runs: list[Run]) -> None:
    """One that did something or may have, ended, and that nobody has acknowledged."""
    said = suggestion_blocked(runs, NOW)
    moved = (Outcome.COMPLETED, Outcome.UNDONE, Outcome.INCOMPLETE, Outcome.DAMAGED, Outcome.NEWER)
    holding = [
        r
        for r in runs
        if r.emergency and r.forward.kind is PlanKind.SWITCH and r.acknowledged is None and r.outcome in moved
        if r.ended is not None and NOW - r.ended < timedelta(hours=1)
    ]
    assert (said is not None) is bool(holding)
    assert said is None or holding[0].run in said


def test_the_run_that_brought_visitors_is_the_newest_that_moved_them() -> None:
    """Others' work by hand has none; a run that is on its way back has not moved them yet."""
    assert brought([GOING_BACK, KEPT], "backup") == KEPT
    assert brought([BACK, KEPT], "backup") is None
    assert brought([BACK, KEPT], "primary") == BACK


def away(run: Run, primary: str = "healthy", backup: str = "healthy") -> ServiceState:
    """The state of the shop on its backup, after `run`."""
    bad = {name: result(name, ok=False, reason="503") for name in ("primary", "backup")}
    healths = {"primary": primary, "backup": backup}
    there = observed(
        readings=(reading(BACKUP),),
        servers=(),
        health={n: health_of(n, h, *([bad[n]] if h == "unhealthy" else [])) for n, h in healths.items()},
        runs=(run,),
    )
    return state(there, run)


def test_no_second_switch_is_suggested_just_after_an_emergency() -> None:
    """Visitors would go to and fro; once somebody has acknowledged the first, or it is long ago, it is suggested."""
    blocked = away(switched(12 * MINUTE, emergency=True), backup="unhealthy")
    assert service_status(blocked) is ServiceStatus.DOWN
    assert not suggests_switch(blocked)
    assert "shop-1 ended 12 min ago; no other is suggested for 48 min" in sentence(blocked, NOW).rest
    acknowledged = switched(12 * MINUTE, Outcome.COMPLETED, (MINUTE, Acknowledged()), emergency=True)
    for free in (acknowledged, switched(12 * MINUTE), switched(HOUR, emergency=True)):
        state = away(free, backup="unhealthy")
        assert suggests_switch(state)
        assert held_back(state) is None
    assert held_back(away(switched(12 * MINUTE, emergency=True))) is None, "there is nothing to suggest"


@pytest.mark.parametrize(
    ("run", "stands", "words"),
    [
        (AWAY, ServiceStatus.DEGRADED, "You can undo this."),
        (switched(HOUR), ServiceStatus.DEGRADED, "Nobody has said yet that this is to stay: commit it or go back."),
        (KEPT, ServiceStatus.DEGRADED, "It runs without a backup until somebody confirms that primary can take over."),
        (BUILDING, ServiceStatus.DEGRADED, "It runs without a backup; one is being set up since 02:59."),
        (REVERSED, ServiceStatus.HEALTHY, "Both deployments are healthy and primary is ready."),
        (switched(HOUR, emergency=True), ServiceStatus.DEGRADED, "It was an emergency: commit it or go back by 24 Nov"),
    ],
    ids=["just switched", "window over", "committed", "setting up", "reversed", "emergency"],
)
def test_a_service_without_a_backup_is_amber_and_says_so(run: Run, stands: ServiceStatus, words: str) -> None:
    """However healthy everything is, until a person says that there is a backup again."""
    assert service_status(away(run)) is stands
    assert words in sentence(away(run), NOW).rest


def test_a_forgotten_emergency_comes_first_in_the_sentence() -> None:
    """It nags until somebody commits it or goes back."""
    told = sentence(away(switched(27 * HOUR, emergency=True)), NOW)
    assert told.urgent.startswith("The review of emergency switch shop-1 is overdue for 3 h")


def test_visitors_elsewhere_without_a_run_are_no_alarm_here() -> None:
    """Another computer's journal has the run, and nobody could end the alarm from here."""
    state = replace(away(AWAY), run=None)
    by_hand = replace(state, snapshot=replace(state.snapshot, runs=()))
    assert service_status(by_hand) is ServiceStatus.HEALTHY
    assert by_hand.health["backup"].state is State.UP
