"""What must come back: the conditions on a response, one row each, in plain words."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QMenu, QVBoxLayout

from changeover.desktop.checks.check_form import CONDITIONS, NAMED, UNITS, Condition
from changeover.desktop.widgets.form_fields import Faulty, line_field, short_field
from changeover.desktop.widgets.parts import Card, button, label

_PLACEHOLDERS = {
    "expect_status": "200-299, 404",
    "expect_body": "a text",
    "expect_body_match": "version [0-9]+",
    "expect_body_without": "a text",
    "expect_json": 'true, "ok", < 100',
    "expect_header": "a text",
    "headers": "changeover",
}
_NAMES = {"expect_json": "database.ok", "expect_header": "Content-Type", "headers": "X-Health-Check"}
_WIDE = 210


class ConditionRow(Faulty):
    """One condition. The one on the status is always there."""

    def __init__(
        self, condition: Condition, changed: Callable[[], None], remove: Callable[[ConditionRow], None]
    ) -> None:
        super().__init__()
        self.kind = condition.kind
        words, joiner = CONDITIONS[self.kind]
        self.begin(words, _WIDE)
        self.name = line_field(f"{words}: name", condition.name, _NAMES.get(self.kind, ""))
        if self.kind in NAMED:
            self.row.addWidget(self.name, 2)
            self.row.addWidget(label(joiner, wrap=False))
        if self.kind in UNITS:
            self.value = short_field(f"{words} ({UNITS[self.kind]})", condition.value)
            self.put(self.value, UNITS[self.kind])
        else:
            spoken = words if self.kind not in NAMED else f"{words}: {joiner}"
            self.value = line_field(spoken, condition.value, _PLACEHOLDERS[self.kind])
            self.row.addWidget(self.value, 3)
        self.remove_button = button("Remove", lambda: remove(self), "link", name=f"Remove: {words}")
        if self.kind != "expect_status":
            self.row.addWidget(self.remove_button)
        self.name.textChanged.connect(lambda _: changed())
        self.value.textChanged.connect(lambda _: changed())

    @property
    def condition(self) -> Condition:
        return Condition(kind=self.kind, name=self.name.text(), value=self.value.text())

    def focus(self) -> None:
        (self.name if self.kind in NAMED else self.value).setFocus()


class ConditionsCard(Card):
    """All conditions, and a menu of those that can be added."""

    #: Something else was typed; a row came or went.
    changed = Signal()
    arranged = Signal()

    def __init__(self, conditions: tuple[Condition, ...]) -> None:
        super().__init__("What must come back")
        self.rows: list[ConditionRow] = []
        self._column = QVBoxLayout()
        self._column.setSpacing(8)
        self.body.addLayout(self._column)
        self.add_button = button("Add a condition…")
        menu = QMenu(self.add_button)
        for kind, (words, joiner) in CONDITIONS.items():
            if kind != "expect_status":
                name = " …".join(part for part in (words, joiner) if part)
                menu.addAction(f"{name} …", partial(self.add, kind))
        self.add_button.setMenu(menu)
        self.add_button.setAccessibleName("Add a condition")
        self.body.addWidget(self.add_button, 0, Qt.AlignmentFlag.AlignLeft)
        for condition in conditions:
            self._add(condition)

    def add(self, kind: str) -> None:
        """Adds an empty condition, to be typed now."""
        self._add(Condition(kind=kind, value=""))
        self.arranged.emit()
        self.rows[-1].focus()

    def take(self, *, tcp: bool) -> None:
        """Shows which conditions make sense: a check that only opens a connection has no status."""
        for row in self.rows:
            row.setEnabled(not tcp or row.kind != "expect_status")
        self.add_button.setEnabled(not tcp)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return tuple(row.condition for row in self.rows)

    def _add(self, condition: Condition) -> None:
        row = ConditionRow(condition, self.changed.emit, self._remove)
        self.rows.append(row)
        self._column.addWidget(row)

    def _remove(self, row: ConditionRow) -> None:
        self.rows.remove(row)
        row.hide()
        row.deleteLater()
        self.add_button.setFocus()
        self.arranged.emit()
