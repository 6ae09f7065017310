"""What will change, and in which order, as tables."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from changeover.desktop.parts import Card, label, selectable
from changeover.desktop.wizard.flow import rows
from changeover.model.plan import Plan


def _record(text: str, role: str = "") -> QLabel:
    made = selectable(label(text, role))
    how = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    made.setFont(how)
    return made


def changes_card(plan: Plan, zone: str, account: str) -> Card:
    """Every record set of one zone at one account, before and after."""
    card = Card(f"DNS · account {account} · zone {zone}")
    grid = QGridLayout()
    grid.setHorizontalSpacing(12)
    grid.setVerticalSpacing(5)
    grid.setColumnStretch(0, 1)
    grid.setColumnStretch(2, 1)
    grid.addWidget(label("now", "small", wrap=False), 0, 0)
    grid.addWidget(label("then", "small", wrap=False), 0, 2)
    at = 0
    top = Qt.AlignmentFlag.AlignTop
    for change in plan.changes:
        if (change.zone, change.account) != (zone, account):
            continue
        at += 1
        grid.addWidget(selectable(label(change.name, "strong")), at, 0, 1, 3)
        for row in rows(change):
            at += 1
            grid.addWidget(_record(row.old or "nothing", "" if row.old else "muted"), at, 0, top)
            grid.addWidget(label("→", "muted", wrap=False), at, 1, top)
            grid.addWidget(_record(row.new, "muted" if row.new == "removed" else ""), at, 2, top)
    card.body.addLayout(grid)
    return card


def steps_card(plan: Plan) -> Card:
    """The steps in their order."""
    card = Card("In this order")
    for number, step in enumerate(plan.steps, start=1):
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(label(str(number), "strong", wrap=False), 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(label(step.text), 1)
        card.body.addLayout(row)
    return card


def plan_view(plan: Plan) -> QWidget:
    """A whole plan: its changes zone by zone, then its steps."""
    made = QWidget()
    column = QVBoxLayout(made)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(12)
    for zone, account in dict.fromkeys((c.zone, c.account) for c in plan.changes):
        column.addWidget(changes_card(plan, zone, account))
    if plan.steps:
        column.addWidget(steps_card(plan))
    return made
