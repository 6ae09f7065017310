"""The small pieces that windows are made of: labels, buttons, cards."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QFormLayout, QFrame, QLabel, QLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from changeover.model.foreign_text import many_lines, shown


class PlainLabel(QLabel):
    """A text that is shown as it is, whoever wrote it: no mark-up, nothing that turns the direction of writing."""

    def __init__(self) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)

    def setText(self, text: str) -> None:
        super().setText(many_lines(text))


def plain_tip(text: str) -> str:
    """`text` for a tooltip, which Qt would read as HTML where it looks like that."""
    clean = many_lines(text)
    return f"<span>{escape(clean).replace(chr(10), '<br>')}</span>" if "<" in clean else clean


def as_html(text: str) -> str:
    """`text` for a table, which is written in HTML: on one line, and nothing in it is mark-up."""
    return escape(shown(text))


def caption(text: str) -> str:
    """`text` for a button, a box or a menu, where Qt hides an "&" and underlines what follows."""
    return shown(text).replace("&", "&&")


def label(text: str = "", role: str = "", *, wrap: bool = True) -> QLabel:
    """A text. `role` is its look in the style sheet: title, muted, small, heading, strong, fault."""
    made = PlainLabel()
    made.setText(text)
    made.setWordWrap(wrap)
    if role:
        made.setProperty("role", role)
    return made


def selectable(made: QLabel) -> QLabel:
    """`made` with a text that can be copied with the mouse."""
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made


def button(text: str, pressed: Callable[[], object] | None = None, role: str = "", *, name: str = "") -> QPushButton:
    """A button that Enter never presses from elsewhere. `name` is for a screen reader, where the text is not enough."""
    made = QPushButton(caption(text))
    made.setAutoDefault(False)
    if role:
        made.setProperty("role", role)
    if name:
        made.setAccessibleName(name)
    if pressed is not None:
        made.clicked.connect(lambda: pressed())
    return made


def set_role(widget: QWidget, role: str) -> None:
    """Gives `widget` another look of the style sheet."""
    if widget.property("role") != role:
        widget.setProperty("role", role)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def clear(layout: QLayout) -> None:
    """Takes everything out of a layout."""
    while (item := layout.takeAt(0)) is not None:
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
        elif inner is not None:
            clear(inner)


class Card(QFrame):
    """A box with a heading. Its content goes into `body`."""

    def __init__(self, heading: str = "", role: str = "card") -> None:
        super().__init__()
        self.setProperty("role", role)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(16, 12, 16, 14)
        self.body.setSpacing(8)
        self.heading = label(heading, "heading", wrap=False)
        if heading:
            self.body.addWidget(self.heading)


def form_in(card: Card) -> QFormLayout:
    """A form in a card: names on the left, fields as wide as there is room."""
    made = QFormLayout()
    made.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    made.setHorizontalSpacing(12)
    made.setVerticalSpacing(8)
    card.body.addLayout(made)
    return made


def add_field(form: QFormLayout, text: str, made: QWidget | QLayout) -> None:
    """A row of a form. The text is the field's name for a screen reader as well."""
    before = label(text, "field", wrap=False)
    if isinstance(made, QWidget):
        before.setBuddy(made)
        form.addRow(before, made)
    else:
        form.addRow(before, made)


class Elided(PlainLabel):
    """One line that is shortened in the middle where there is no room, and shown whole in a tooltip."""

    def __init__(self, text: str = "", role: str = "") -> None:
        super().__init__()
        self._whole = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        if role:
            self.setProperty("role", role)
        self.show_text(text)

    def show_text(self, text: str) -> None:
        self._whole = shown(text)
        self._shorten()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._shorten()

    def minimumSizeHint(self) -> QSize:
        return QSize(40, super().minimumSizeHint().height())

    def _shorten(self) -> None:
        short = QFontMetrics(self.font()).elidedText(self._whole, Qt.TextElideMode.ElideMiddle, max(40, self.width()))
        self.setText(short)
        self.setToolTip(plain_tip(self._whole) if short != self._whole else "")
