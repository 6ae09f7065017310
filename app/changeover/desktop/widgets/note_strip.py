"""A strip for what is said once for all services, such as a clock that is wrong."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout

from changeover.desktop.widgets.parts import label, selectable
from changeover.desktop.widgets.shapes import Mark, MarkWidget


class NoteStrip(QFrame):
    """Shows one note for as long as it holds."""

    #: It came or went, so that whoever holds it can make room.
    shown = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "caution")
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 8, 14, 8)
        row.setSpacing(8)
        row.addWidget(MarkWidget(Mark.DEGRADED))
        self.text = selectable(label())
        row.addWidget(self.text, 1)
        self.hide()

    def show_words(self, text: str) -> None:
        """Shows the note, or nothing where there is none."""
        if text != self.text.text():
            self.text.setText(text)
            self.setAccessibleName(text)
        if self.isHidden() is bool(text):
            self.setVisible(bool(text))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.shown.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.shown.emit()
