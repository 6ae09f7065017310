"""What changed in the settings outside Changeover and would act: shown beside what was approved, and asked."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QScrollArea, QVBoxLayout, QWidget

from changeover.desktop.widgets.parts import Card, label
from changeover.desktop.widgets.questions import Question
from changeover.model.foreign_text import escaped
from changeover.model.settings.acting_parts import Unapproved

_TEXT = (
    "Somebody else may have written this, such as in git. Until you say yes none of it runs a command, calls a "
    "program of another computer, or sends a secret; everything is watched all the same."
)
_SIGNS = {"-": "was", "+": "is", " ": ""}


class ApproveSettings(Question):
    """Every part that may not act, line by line, with "was" and "is" before what differs."""

    def __init__(self, parent: QWidget | None, closed: Sequence[Unapproved]) -> None:
        super().__init__(parent, "Let this act?", _TEXT, "Approve", danger=False, no="Not now")
        self.parts = tuple(one.part for one in closed)
        inside = QWidget()
        inside.setObjectName("page")
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 6, 0)
        column.setSpacing(8)
        for one in closed:
            column.addWidget(_card(one))
        column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setAccessibleName("What changed")
        area.setWidget(inside)
        self.body.addWidget(area)
        self.resize(760, 520)


def _card(one: Unapproved) -> Card:
    card = Card()
    card.body.addWidget(label(escaped(one.words), "strong"))
    grid = QGridLayout()
    grid.setHorizontalSpacing(12)
    grid.setVerticalSpacing(2)
    grid.setColumnStretch(2, 1)
    for row, (sign, what, how) in enumerate(one.rows):
        new = one.was is None
        role = "" if sign == "+" and not new else "struck" if sign == "-" else "muted" if not new else ""
        texts = ("" if new else _SIGNS[sign], escaped(what), escaped(how))
        for column, text in enumerate(texts):
            made = label(text, role if column == 2 else "small", wrap=column == 2)
            made.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
            grid.addWidget(made, row, column)
    card.body.addLayout(grid)
    return card
