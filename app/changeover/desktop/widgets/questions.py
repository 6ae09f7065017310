"""Questions: small dialogs that are opened and awaited, never run in a loop of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QTextCursor, QTextDocument
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from changeover.desktop.widgets.parts import button, label


async def answered(dialog: QDialog) -> bool:
    """Opens `dialog` and waits until it is closed. Closing it in any way but the accepting one is a no."""
    closed: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    dialog.finished.connect(lambda result: None if closed.done() else closed.set_result(result))
    dialog.open()
    try:
        return await closed == QDialog.DialogCode.Accepted
    finally:
        dialog.deleteLater()


class Question(QDialog):
    """A question with what stands behind it. Escape and Enter mean no; `yes` says what will happen."""

    def __init__(
        self, parent: QWidget | None, title: str, text: str, yes: str, *, danger: bool, no: str = "Cancel"
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setMinimumWidth(460)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(12)
        column.addWidget(label(title, "title"))
        column.addWidget(label(text))
        self.body = QVBoxLayout()
        self.body.setSpacing(8)
        column.addLayout(self.body, 1)
        row = QHBoxLayout()
        row.addStretch(1)
        self.no_button = button(no, self.reject)
        self.no_button.setDefault(True)
        self.yes_button = button(yes, self.accept, "danger" if danger else "primary")
        row.addWidget(self.no_button)
        row.addWidget(self.yes_button)
        column.addLayout(row)
        self.no_button.setFocus()


class ReasonQuestion(Question):
    """A question that needs a typed reason before it can be answered with yes."""

    def __init__(self, parent: QWidget | None, title: str, text: str, yes: str) -> None:
        super().__init__(parent, title, text, yes, danger=True)
        self.reason = QLineEdit()
        self.reason.setPlaceholderText("Reason; it is kept in the report")
        self.reason.setAccessibleName("Reason")
        self.body.addWidget(self.reason)
        self.yes_button.setEnabled(False)
        self.reason.textChanged.connect(lambda text: self.yes_button.setEnabled(bool(text.strip())))
        self.reason.setFocus()


class NoteQuestion(Question):
    """A question with room for a note, which may stay empty."""

    def __init__(self, parent: QWidget | None, title: str, text: str, yes: str, *, note: str) -> None:
        super().__init__(parent, title, text, yes, danger=False)
        self.note = QLineEdit()
        self.note.setPlaceholderText(note)
        self.note.setAccessibleName("Note")
        self.body.addWidget(self.note)
        self.note.setFocus()


class _Closed(QTextBrowser):
    """A text that fetches nothing: no picture, no style, no file of this computer."""

    def loadResource(self, kind: int, name: QUrl | str) -> None:
        return None


class ReportView(QDialog):
    """The report of a run, to read and to save."""

    def __init__(self, parent: QWidget | None, run: str, markdown: str, save: Callable[[], object]) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Report of run {run}")
        self.resize(760, 600)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        text = _Closed()
        text.setAccessibleName(f"Report of run {run}")
        text.document().setMarkdown(markdown, QTextDocument.MarkdownFeature.MarkdownDialectCommonMark)
        text.setOpenLinks(False)
        text.moveCursor(QTextCursor.MoveOperation.Start)
        column.addWidget(text, 1)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(button("Save report…", save))
        close = button("Close", self.reject)
        close.setDefault(True)
        row.addWidget(close)
        column.addLayout(row)


async def where_to_save(parent: QWidget | None, name: str) -> Path | None:
    """Asks for a file to write; None where nobody wants to."""
    dialog = QFileDialog(parent, "Save report", str(Path.home() / name), "Markdown (*.md);;Web page (*.html)")
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setWindowModality(Qt.WindowModality.WindowModal)
    if not await answered(dialog):
        return None
    chosen = Path(dialog.selectedFiles()[0])
    web = "html" in dialog.selectedNameFilter()
    return chosen if chosen.suffix else chosen.with_suffix(".html" if web else ".md")
