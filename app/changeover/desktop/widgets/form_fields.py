"""Pieces of the form for a service's check: short fields with units, and what is wrong with them below."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QLayout,
    QLayoutItem,
    QLineEdit,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from changeover.desktop.widgets.parts import label

_SHORT = 60


class Faulty(QWidget):
    """Some fields in a row, and a line below that says what is wrong with them."""

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        self.row = QHBoxLayout()
        self.row.setSpacing(8)
        column.addLayout(self.row)
        self.column = column
        self.fault = label("", "fault")
        self.fault.hide()
        column.addWidget(self.fault)

    def begin(self, text: str, width: int) -> Faulty:
        """Begins the row with a text that is at least as wide, so that rows stand in columns."""
        before = label(text, wrap=False)
        before.setMinimumWidth(width)
        self.row.addWidget(before)
        self.fault.setContentsMargins(width + self.row.spacing(), 0, 0, 0)
        return self

    def put(self, *pieces: QWidget | QLayout | str, stretch: bool = True) -> Faulty:
        """Adds pieces to the row; a text stands between fields. `stretch` leaves the rest of the row empty."""
        for piece in pieces:
            if isinstance(piece, str):
                self.row.addWidget(label(piece, wrap=False))
            elif isinstance(piece, QWidget):
                self.row.addWidget(piece)
            else:
                self.row.addLayout(piece)
        if stretch:
            self.row.addStretch(1)
        return self

    def show_fault(self, text: str) -> None:
        """Says what is wrong; nothing for an empty text."""
        self.fault.setText(text)
        self.fault.setVisible(bool(text))


def rows_at_top(form: QFormLayout) -> None:
    """Keeps the names of a form's rows beside their fields, whatever is told below these."""
    form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
    for number in range(form.rowCount()):
        item = form.itemAt(number, QFormLayout.ItemRole.LabelRole)
        name = item.widget() if item is not None else None
        if name is not None:
            name.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)


def short_field(name: str, text: str = "") -> QLineEdit:
    """A field for a number, with its name for a screen reader."""
    made = line_field(name, text)
    made.setFixedWidth(_SHORT)
    made.setAlignment(Qt.AlignmentFlag.AlignRight)
    return made


def line_field(name: str, text: str = "", placeholder: str = "") -> QLineEdit:
    """A field for a text, with its name for a screen reader."""
    made = QLineEdit()
    made.setText(text)
    made.setAccessibleName(name)
    made.setPlaceholderText(placeholder)
    made.setCursorPosition(0)
    return made


def in_reading_order(widget: QWidget) -> list[QWidget]:
    """The widgets that Tab reaches, as their layouts show them: rows added later are in their place."""
    found: list[QWidget] = []
    layout = widget.layout()
    if widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
        found.append(widget)
    inside = widget.widget() if isinstance(widget, QScrollArea) else None
    if inside is not None:
        found += in_reading_order(inside)
    elif layout is not None:
        found += _in_layout(layout)
    return found


def _in_layout(layout: QLayout) -> list[QWidget]:
    found: list[QWidget] = []
    for item in items_in(layout):
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            found += in_reading_order(widget)
        elif inner is not None:
            found += _in_layout(inner)
    return found


def items_in(layout: QLayout) -> Iterator[QLayoutItem]:
    """What is in a layout; of a form row by row, since it counts its items as they were added."""
    if isinstance(layout, QFormLayout):
        roles = (QFormLayout.ItemRole.LabelRole, QFormLayout.ItemRole.FieldRole)
        items = [layout.itemAt(row, role) for row in range(layout.rowCount()) for role in roles]
    else:
        items = [layout.itemAt(number) for number in range(layout.count())]
    yield from (item for item in items if item is not None)
