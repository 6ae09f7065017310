"""An undo says, before and after, whether the deployment that visitors come back to could serve them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from changeover.desktop.wizard.flow import outcome_words
from changeover.model.readiness.pin import Hold, Pin
from changeover.model.readiness.way_back import undone_in_doubt, way_back
from changeover.model.runs.run import Ended, Intent, Outcome, Run, Started, StepEnded, StepState, UndoStarted
from changeover.switchover.report import outcome_sentence
from model.snapshots import certificate, health_of, observed, result
from model.strategies import NOW
from model.switches import folded, plan

HEALTHY = {"primary": health_of("primary", "healthy"), "backup": health_of("backup", "healthy")}
DOWN = {**HEALTHY, "primary": health_of("primary", "unhealthy", result("primary", ok=False, reason="503"))}
EXPIRED = {**HEALTHY, "primary": health_of("primary", "healthy", result("primary", certificate=certificate(1)))}
NEVER = Pin(
    service="shop", deployment="primary", hold=Hold.NEVER, reason="floods", set_at=NOW, until=NOW + timedelta(1)
)


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        ({"health": DOWN}, "which could not serve them now: primary does not answer well"),
        ({"health": EXPIRED}, "which could not serve them now: The certificate of primary"),
        ({"health": {"backup": HEALTHY["backup"]}}, "which could not serve them now: primary has not been checked yet"),
        ({"pins": {"primary": NEVER}}, "which could not serve them now: primary is taken out of use by a person"),
        ({"maintenance": {"primary": NOW + timedelta(hours=1)}}, "Visitors will reach primary. primary is in maint"),
    ],
    ids=["down", "certificate", "not checked", "pinned", "maintenance"],
)
def test_what_visitors_will_reach_is_said(seen: dict[str, Any], words: str) -> None:
    """Down, with a bad certificate, unknown, taken out of use, being worked on: each in words."""
    assert words in way_back(observed(**seen), "primary").doubt


def test_nothing_is_said_where_all_is_well() -> None:
    """Nor where the run came from something that is no deployment: nobody can tell then."""
    assert way_back(observed(), "primary").doubt == ""
    assert way_back(observed(health=DOWN), "elsewhere").findings == ()


def undone(state: StepState, note: str) -> Run:
    """An undone run whose look as a visitor ended so."""
    back = plan("backup", "primary")
    steps = [*((StepState.DONE, "") for _ in back.steps[1:]), (state, note)]
    went = [e for n, (s, t) in enumerate(steps) for e in (Intent(step=n), StepEnded(step=n, state=s, text=t))]
    events = [Started(plan=plan()), Ended(outcome=Outcome.COMPLETED), UndoStarted(plan=back), *went]
    return folded([(60.0, event) for event in (*events, Ended(outcome=Outcome.UNDONE, text="All is back"))])


def test_an_undo_that_leads_to_a_dead_deployment_is_not_told_as_a_success() -> None:
    """The records are back, which is what an undo promises; that visitors are served is not said."""
    bad = undone(StepState.WARNING, "primary answers 503")
    assert undone_in_doubt(bad) == "primary answers 503"
    heading, text = outcome_words(bad)
    assert "Visitors are back" not in heading
    assert text == "primary answers 503."
    assert outcome_sentence(bad).endswith("not all is well there: primary answers 503.")
    good = undone(StepState.DONE, "primary answers")
    assert undone_in_doubt(good) == ""
    assert outcome_words(good)[0] == "Visitors are back at primary"
