"""The wizard's review says how long each action took last time."""

from __future__ import annotations

from msgspec.structs import replace
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from changeover.desktop.wizard.changes import ChangesPage
from changeover.model.runs.plan_actions import with_actions
from changeover.model.runs.run import Started, StepEnded, StepState
from model.emergencies import ACTIONS
from model.snapshots import service
from model.switches import folded, plan


def test_below_each_action_that_was_done_before(qtbot: QtBot) -> None:
    """And below no other."""
    made = with_actions(plan(), replace(service(), actions=ACTIONS), emergency=False)
    went = folded([(9.0, Started(plan=made)), (8.0, StepEnded(step=0, state=StepState.DONE, seconds=42))])
    page = ChangesPage()
    qtbot.addWidget(page)
    page.show_plan(made, {}, runs=(went,))
    told = [found.text() for found in page.findChildren(QLabel) if "last time" in found.text()]
    assert told == ["Took 42 s last time"]
