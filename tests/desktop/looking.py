"""Looking at windows as a person does: pictures, texts that do not fit, and what is said."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics, QImage, QTextDocumentFragment
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QTextEdit,
    QWidget,
)

from changeover.desktop.widgets.parts import Elided

_WORDS = Path(__file__).parent / "words"
_CLOCK = re.compile(r"(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d")


def settle() -> None:
    """Lets layouts come to rest. No other event is handled, since this may run inside a task of the loop."""
    for _ in range(3):
        QApplication.sendPostedEvents()


def cut_off(window: QWidget) -> list[str]:
    """The texts of labels and buttons that have less room than they need."""
    found = []
    for made in window.findChildren(QLabel):
        if not made.isVisible() or isinstance(made, Elided) or not made.text():
            continue
        room = made.contentsRect()
        if made.wordWrap():
            if made.height() < made.heightForWidth(made.width()):
                found.append(f"{made.text()!r}: {made.height()} of {made.heightForWidth(made.width())} pixels high")
        elif QFontMetrics(made.font()).horizontalAdvance(made.text()) > room.width() + 1:
            found.append(f"{made.text()!r}: {room.width()} pixels wide")
    for pressed in window.findChildren(QAbstractButton):
        if pressed.isVisible() and pressed.text() and pressed.width() < pressed.sizeHint().width():
            found.append(f"{pressed.text()!r}: {pressed.width()} of {pressed.sizeHint().width()} pixels wide")
    for combo in window.findChildren(QComboBox):
        if combo.isVisible() and combo.width() < combo.sizeHint().width():
            found.append(f"{combo.currentText()!r}: {combo.width()} of {combo.sizeHint().width()} pixels wide")
    for area in window.findChildren(QScrollArea):
        inside = area.widget()
        if inside is not None and inside.isVisible() and inside.width() > area.viewport().width():
            found.append(f"{area.accessibleName()} is {inside.width()} wide in {area.viewport().width()}")
    return found


def read(window: QWidget) -> list[str]:
    """Every line of text that is there, in the order in which it was put there: of labels, buttons and fields."""
    found = []
    for made in window.findChildren(QWidget):
        if not made.isVisible():
            continue
        match made:
            case QLabel():
                rich = made.textFormat() == Qt.TextFormat.RichText
                found.append(QTextDocumentFragment.fromHtml(made.text()).toPlainText() if rich else made.text())
            case QAbstractButton():
                found.append(made.text().replace("&", ""))
            case QLineEdit():
                found.append(made.text() or made.placeholderText())
            case QComboBox():
                found.append(made.currentText())
            case QPlainTextEdit() | QTextEdit():
                found.append(made.toPlainText())
    return [" ".join(line.split()) for text in found for line in text.splitlines() if line.strip()]


def check_words(window: QWidget, name: str) -> None:
    """Makes sure that a window says word for word what stands in words/NAME.txt, a text on each line.

    CHANGEOVER_WORDS writes these files anew; whoever does so reads the difference. The clock is that of the reader's
    time zone, and is left out.
    """
    settle()
    file = _WORDS / f"{name}.txt"
    said = [_CLOCK.sub("(time)", text) for text in read(window)]
    if "CHANGEOVER_WORDS" in os.environ:
        file.write_text("\n".join(said) + "\n", encoding="utf-8")
    wanted = file.read_text(encoding="utf-8").splitlines()
    assert said == wanted, "\n".join(difflib.unified_diff(wanted, said, lineterm="", n=1))


def picture(window: QWidget) -> QImage:
    """What is on a window now."""
    settle()
    return window.grab().toImage()


def draw(window: QWidget, file: Path) -> None:
    """Makes sure that there is something on a window and that no text is cut off; its picture is kept if asked for."""
    image = picture(window)
    if "CHANGEOVER_PICTURES" in os.environ:
        assert image.save(str(file))
    seen = {image.pixel(x, y) for x in range(0, image.width(), 7) for y in range(0, image.height(), 7)}
    assert len(seen) > 8, f"{file.name} is as good as empty"
    assert not cut_off(window), file.name
