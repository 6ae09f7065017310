"""Strips of words across a window: errors, where they belong, and what is said once for all services."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from changeover.desktop.widgets.parts import button, label, selectable
from changeover.desktop.widgets.shapes import Mark, MarkWidget
from changeover.model.errors import ChangeoverError


def words(error: BaseException) -> tuple[str, str]:
    """What happened and what to do, for a person."""
    if isinstance(error, ChangeoverError):
        return error.text, error.hint
    return (
        f"Something went wrong inside Changeover: {type(error).__name__}: {error}",
        "The log file has the details. What you see may be out of date; check again.",
    )


class _Strip(QFrame):
    """Shows a sentence, and what to do about it. It is there while it has words."""

    #: It came or went, so that whoever holds it can make room.
    shown = Signal()

    def __init__(self, role: str, text_role: str = "") -> None:
        super().__init__()
        self.setProperty("role", role)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(14, 8, 8, 8)
        self._row.setSpacing(8)
        texts = QVBoxLayout()
        texts.setSpacing(2)
        self.text = selectable(label("", text_role))
        self.hint = selectable(label("", "muted"))
        texts.addWidget(self.text)
        texts.addWidget(self.hint)
        self._row.addLayout(texts, 1)
        self.hide()

    def show_words(self, text: str, hint: str = "") -> None:
        """Shows these words, or nothing where there are none."""
        if text != self.text.text():
            self.text.setText(text)
            self.setAccessibleName(text)
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))
        self.setVisible(bool(text))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.shown.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.shown.emit()


class FaultStrip(_Strip):
    """Shows the newest error until it is dismissed."""

    def __init__(self) -> None:
        super().__init__("alarm", "strong")
        self._row.addWidget(button("Dismiss", self.hide, "link"), 0, Qt.AlignmentFlag.AlignTop)

    def show_error(self, error: BaseException) -> None:
        self.show_words(*words(error))


class NoteStrip(_Strip):
    """Shows a note for all services, such as a clock that is wrong, for as long as it holds."""

    def __init__(self) -> None:
        super().__init__("caution")
        self._row.insertWidget(0, MarkWidget(Mark.DEGRADED))


class AskingStrip(_Strip):
    """Asks for a look at something, calmly, for as long as it has words."""

    def __init__(self, verb: str, pressed: Callable[[], object]) -> None:
        super().__init__("calm")
        self.look = button(verb, pressed, "suggested")
        self._row.addWidget(self.look)
