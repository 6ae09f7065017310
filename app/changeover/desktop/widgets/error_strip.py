"""Errors in words, where they belong."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from changeover.desktop.widgets.parts import button, label, selectable
from changeover.model.errors import ChangeoverError


def words(error: BaseException) -> tuple[str, str]:
    """What happened and what to do, for a person."""
    if isinstance(error, ChangeoverError):
        return error.text, error.hint
    return (
        f"Something went wrong inside Changeover: {type(error).__name__}: {error}",
        "The log file has the details. What you see may be out of date; check again.",
    )


class FaultStrip(QFrame):
    """Shows the newest error until it is dismissed."""

    #: It came or went, so that whoever holds it can make room.
    shown = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "alarm")
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 10, 8, 10)
        texts = QVBoxLayout()
        texts.setSpacing(2)
        self.text = selectable(label("", "strong"))
        self.hint = selectable(label("", "muted"))
        texts.addWidget(self.text)
        texts.addWidget(self.hint)
        row.addLayout(texts, 1)
        row.addWidget(button("Dismiss", self.hide, "link"), 0, Qt.AlignmentFlag.AlignTop)
        self.hide()

    def show_error(self, error: BaseException) -> None:
        self.show_words(*words(error))

    def show_words(self, text: str, hint: str = "") -> None:
        self.text.setText(text)
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))
        self.show()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.shown.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.shown.emit()
