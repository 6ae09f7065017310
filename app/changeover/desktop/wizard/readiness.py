"""Second page: everything that speaks for and against it, and reasons where somebody knows better."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from changeover.desktop.widgets.findings_card import FindingRow, verdict, worst_first
from changeover.desktop.widgets.parts import Card, button, clear, label
from changeover.desktop.widgets.shapes import MarkWidget
from changeover.desktop.wizard.flow import why_not
from changeover.model.finding import Finding, Level
from changeover.model.readiness.service_state import Preparation


class ReadinessPage(QWidget):
    """Shows all findings at once. `changed` says that another reason was typed."""

    changed = Signal()
    check_again = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.preparation: Preparation | None = None
        self._fields: dict[str, QLineEdit] = {}
        self._kept: dict[str, str] = {}
        self._fault = ""
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        self._card = Card()
        top = QHBoxLayout()
        self._mark = MarkWidget()
        self._verdict = label("", "strong")
        self.again_button = button("Check again", self.check_again.emit, "link")
        top.addWidget(self._mark)
        top.addWidget(self._verdict, 1)
        top.addWidget(self.again_button)
        self._card.body.addLayout(top)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(9)
        self._card.body.addLayout(self._rows)
        column.addWidget(self._card)
        column.addStretch(1)

    @property
    def fields(self) -> tuple[QLineEdit, ...]:
        """Where reasons are typed."""
        return tuple(self._fields.values())

    @property
    def reasons(self) -> dict[str, str]:
        return {check: field.text() for check, field in self._fields.items()}

    @property
    def ready(self) -> bool:
        return self.preparation is not None and not self.why

    @property
    def why(self) -> str:
        """Why nobody can go on; empty where they can, and while nothing is known yet."""
        return why_not(self.preparation, self.reasons) if self.preparation is not None else self._fault

    def show_checking(self) -> None:
        """The records, the name servers and the deployments are being read."""
        self._kept |= self.reasons
        self.preparation = None
        self._fields = {}
        self._verdict.setText("Reading the records and checking both sides…")
        self._mark.hide()
        self.again_button.setEnabled(False)
        clear(self._rows)
        self._fault = ""

    def show_preparation(self, preparation: Preparation) -> None:
        self.preparation = preparation
        mark, text = verdict(preparation.findings)
        self._mark.show_mark(mark)
        self._mark.show()
        self._verdict.setText(f"{text[:1].upper()}{text[1:]}.")
        self.again_button.setEnabled(True)
        clear(self._rows)
        self._fields = {}
        for finding in worst_first(preparation.findings):
            self._rows.addWidget(FindingRow(finding))
            if finding.level is Level.BLOCK:
                self._rows.addLayout(self._override(finding))
        self.changed.emit()

    def show_fault(self, text: str, hint: str) -> None:
        """Nothing could be read."""
        self._verdict.setText(text)
        self.again_button.setEnabled(True)
        self._fault = hint
        self.changed.emit()

    def _override(self, finding: Finding) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(20, 0, 0, 4)
        if not finding.overridable:
            row.addWidget(label("This cannot be overridden.", "small"), 1)
            return row
        if finding.check in self._fields:
            row.addWidget(label("The reason above counts for this one, too.", "small"), 1)
            return row
        field = QLineEdit(self._kept.get(finding.check, ""))
        field.setPlaceholderText("Go on anyway? Type the reason; it is kept in the report")
        field.setAccessibleName(f"Reason to override {finding.check}")
        field.textChanged.connect(lambda _: self.changed.emit())
        self._fields[finding.check] = field
        row.addWidget(field, 1)
        return row
