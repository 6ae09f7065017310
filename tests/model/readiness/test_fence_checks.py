"""The side that visitors were led away from is told where it works on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from changeover.model.platforms.platform_observation import KeptObservation, PlatformObservation, Process
from changeover.model.readiness.fence_checks import fence_findings
from changeover.model.readiness.snapshot import Snapshot
from changeover.model.runs.run import Outcome, Reprotected, Run, StepState
from model.emergencies import emergency, fence
from model.snapshots import service
from model.strategies import NOW
from model.switches import switched

WORKING = PlatformObservation(processes=(Process(name="web", wanted=2), Process(name="worker", wanted=2, running=1)))


def snapshot(run: Run, seen: PlatformObservation = WORKING, ago: float = 60) -> Snapshot:
    kept = KeptObservation(at=NOW - timedelta(seconds=ago), observation=seen)
    return Snapshot(service=service(), at=NOW, runs=(run,), platforms={"primary": kept})


def test_a_source_that_works_on() -> None:
    """With what runs there, when that was seen, and what to do."""
    (found,) = fence_findings(snapshot(switched(3600)), "backup")
    told = "primary works on while visitors are at backup: 1 worker instance ran there 1 min ago; both sides may write"
    assert found.text == told
    assert "changeover protect" in found.fix


@pytest.mark.parametrize(
    "quiet",
    [
        PlatformObservation(processes=(Process(name="web", wanted=2), Process(name="worker", wanted=0))),
        PlatformObservation(processes=(Process(name="worker", wanted=2, running=0),)),
        PlatformObservation(wanted=3),
        PlatformObservation(),
    ],
)
def test_one_that_serves_nobody_but_visitors(quiet: PlatformObservation) -> None:
    """Those have the new answer; what is not told is no fault."""
    assert fence_findings(snapshot(switched(3600), quiet), "backup") == []


def test_only_what_was_seen_since_counts() -> None:
    """Before the run it was meant to work."""
    assert fence_findings(snapshot(switched(3600), ago=3601), "backup") == []


@pytest.mark.parametrize("outcome", [Outcome.UNDONE, Outcome.FAILED, Outcome.INCOMPLETE, None])
def test_only_a_run_that_led_visitors_away(outcome: Outcome | None) -> None:
    """Whatever ended otherwise is told by other checks."""
    assert fence_findings(snapshot(switched(3600, outcome)), "backup") == []


def test_once_visitors_are_back_or_the_roles_are_changed_it_may_work() -> None:
    """The old primary is the new backup then."""
    assert fence_findings(snapshot(switched(3600)), "primary") == []
    assert fence_findings(snapshot(switched(3600, Outcome.COMPLETED, (1800, Reprotected()))), "backup") == []


def test_what_was_left_out_is_told_once_the_platform_answers() -> None:
    """With the command that does it, until it is done."""
    run = emergency(3600)
    quiet = PlatformObservation(wanted=2)
    (found,) = fence_findings(snapshot(run, quiet), "backup")
    assert found.text == ("The platform of primary answered 1 min ago: still to do there: quiet; worker stopped; keys")
    assert found.fix == "Do it: changeover fence shop"
    assert fence_findings(snapshot(run, quiet, ago=3601), "backup") == [], "it has not answered since"
    assert fence_findings(snapshot(run, quiet), "primary") == [], "visitors are back"
    done = fence(run, [StepState.DONE, StepState.DONE, StepState.DONE])
    assert fence_findings(replace(snapshot(run, quiet), runs=(done, run)), "backup") == []


def test_processes_that_work_on_and_what_was_left_out_are_told_together() -> None:
    """In one finding."""
    (found,) = fence_findings(snapshot(emergency(3600)), "backup")
    assert "1 worker instance ran there 1 min ago; both sides may write. Still to do there: quiet" in found.text
    assert "changeover fence shop, or say that this is the new backup: changeover protect" in found.fix
