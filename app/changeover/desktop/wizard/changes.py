"""Third page: exactly what will change. Nothing has changed yet."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtWidgets import QVBoxLayout, QWidget

from changeover.desktop.parts import Card, clear, label
from changeover.desktop.wizard.flow import follow_words
from changeover.desktop.wizard.tables import plan_view
from changeover.model.plan import Plan
from changeover.model.words import counted


class ChangesPage(QWidget):
    """Shows a plan and the accepted overrides."""

    def __init__(self) -> None:
        super().__init__()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(12)

    def show_plan(self, plan: Plan, overrides: Mapping[str, str]) -> None:
        clear(self._column)
        if plan.changes:
            self._column.addWidget(plan_view(plan))
            calm = Card(role="calm")
            calm.body.addWidget(label(follow_words(plan)))
            self._column.addWidget(calm)
        else:
            card = Card()
            card.body.addWidget(label(f"Visitors are sent to {plan.to} already.", "strong"))
            card.body.addWidget(label("There is nothing to change."))
            self._column.addWidget(card)
        if overrides:
            caution = Card(role="caution")
            blocks = counted(len(overrides), "blocking finding")
            caution.body.addWidget(label(f"{blocks} overridden", "strong"))
            for check, reason in overrides.items():
                caution.body.addWidget(label(f"{check}: {reason}"))
            self._column.addWidget(caution)
        self._column.addStretch(1)
