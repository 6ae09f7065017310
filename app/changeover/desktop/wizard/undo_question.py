"""What is asked before an undo, and before TTLs are changed: whatever would change is shown first."""

from __future__ import annotations

from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from changeover.desktop.widgets.parts import Card, label
from changeover.desktop.widgets.questions import Question
from changeover.desktop.wizard.tables import plan_view
from changeover.model.runs.plan import Plan, PlanKind


def about_undo(
    parent: QWidget | None, run: str, plan: Plan, kept: bool, changed: str = "", doubt: str = ""
) -> Question:
    """Shows what an undo puts back. `changed` is what somebody else changed since, which would be replaced.

    `doubt` is what speaks against the deployment that visitors would reach.
    """
    if plan.kind in (PlanKind.OPERATION, PlanKind.FENCE):
        text = f"Run {run} is taken back at {plan.to}: what stood there before is asked for. Nothing has changed yet."
        asked = Question(parent, f"Take run {run} back?", text, "Take it back", danger=True)
        _add_plan(asked, plan, "What the undo does")
        return asked
    text = f"Run {run} is taken back: every record set gets exactly what stood there before. Nothing has changed yet."
    if kept:
        text += f" The run was kept, so what was done at {plan.source} since then stays there."
    yes = f"Undo all the same: back to {plan.to}" if changed else f"Undo: back to {plan.to}"
    asked = Question(parent, f"Bring visitors back to {plan.to}?", text, yes, danger=True)
    if changed:
        foreign = Card(role="alarm")
        foreign.body.addWidget(label("Somebody else changed this since", "strong"))
        foreign.body.addWidget(label(changed))
        foreign.body.addWidget(label("An undo replaces it by what stood there before the run.", "muted"))
        asked.body.addWidget(foreign)
    if doubt:
        lacking = Card(role="alarm")
        lacking.body.addWidget(label(doubt, "strong"))
        asked.body.addWidget(lacking)
    _add_plan(asked, plan, "What the undo changes")
    return asked


def about_plan(parent: QWidget | None, title: str, text: str, yes: str, plan: Plan) -> Question:
    """Shows a plan that moves nobody, and asks whether it is to be done."""
    asked = Question(parent, title, text, yes, danger=False)
    _add_plan(asked, plan, "What is changed")
    return asked


def _add_plan(asked: Question, plan: Plan, name: str) -> None:
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setAccessibleName(name)
    inside = QWidget()
    inside.setObjectName("page")
    column = QVBoxLayout(inside)
    column.setContentsMargins(0, 0, 6, 0)
    column.addWidget(plan_view(plan))
    column.addStretch(1)
    area.setWidget(inside)
    asked.body.addWidget(area)
    asked.resize(760, 520)
