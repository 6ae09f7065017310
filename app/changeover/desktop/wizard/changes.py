"""Third page: exactly what will be done, as sentences. Nothing has changed yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QLineEdit, QVBoxLayout, QWidget

from changeover.desktop.widgets.parts import Card, caption, clear, label
from changeover.desktop.wizard.flow import follow_words
from changeover.desktop.wizard.tables import plan_view
from changeover.model.formatting import counted
from changeover.model.runs.plan import Plan
from changeover.model.runs.run import Run


class ChangesPage(QWidget):
    """Shows a plan and the accepted overrides, and asks why.

    `changed` says that a confirmation was given or taken back.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        self._above = QVBoxLayout()
        self._above.setSpacing(12)
        column.addLayout(self._above)
        self._asked = Card("Why?")
        self.why_field = QLineEdit()
        self.why_field.setAccessibleName("Why")
        self.why_field.setPlaceholderText("One line for the report and for whoever looks at this next year")
        self._asked.body.addWidget(self.why_field)
        self.sure_box = QCheckBox()
        self.sure_box.setAccessibleName("Go back all the same")
        self.sure_box.toggled.connect(lambda _: self.changed.emit())
        self._doubt = label()
        self._sure = Card(role="caution")
        self._sure.body.addWidget(self._doubt)
        self._sure.body.addWidget(self.sure_box)
        column.addWidget(self._asked)
        column.addWidget(self._sure)
        self._below = QVBoxLayout()
        self._below.setSpacing(12)
        column.addLayout(self._below)
        column.addStretch(1)
        self._sure.hide()

    @property
    def why(self) -> str:
        return self.why_field.text().strip()

    @property
    def confirmed(self) -> bool:
        """Was everything said that must be said?"""
        return self._sure.isHidden() or self.sure_box.isChecked()

    def show_plan(self, plan: Plan, overrides: Mapping[str, str], doubt: str = "", runs: Sequence[Run] = ()) -> None:
        """`doubt` is what must be confirmed once more before the switch; nothing where there is no doubt.

        `runs`, newest first, say how long each action took last time.
        """
        clear(self._above)
        clear(self._below)
        self._asked.setVisible(bool(plan.steps))
        if plan.steps:
            calm = Card(role="calm")
            calm.body.addWidget(label(follow_words(plan)))
            self._above.addWidget(calm)
            self._below.addWidget(plan_view(plan, runs))
        else:
            card = Card()
            card.body.addWidget(label(f"Visitors are sent to {plan.to} already.", "strong"))
            card.body.addWidget(label("There is nothing to change."))
            self._above.addWidget(card)
        self._doubt.setText(doubt)
        self._sure.setVisible(bool(doubt))
        self.sure_box.setChecked(False)
        self.sure_box.setText(caption(f"Go back to {plan.to} all the same"))
        if overrides:
            caution = Card(role="caution")
            blocks = counted(len(overrides), "blocking finding")
            caution.body.addWidget(label(f"{blocks} overridden", "strong"))
            for check, reason in overrides.items():
                caution.body.addWidget(label(f"{check}: {reason}"))
            self._above.addWidget(caution)
