"""What others wrote is shown by windows as text, whatever it looks like; and a report fetches nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, QRectF, Qt, QUrl
from PySide6.QtGui import QHelpEvent, QImage, QPainter, QPixmap, QTextDocument
from PySide6.QtWidgets import QTextBrowser, QToolTip
from pytestqt.qtbot import QtBot

from changeover.desktop.widgets.painting import Painted
from changeover.desktop.widgets.parts import Elided, button, label, plain_tip
from changeover.desktop.widgets.questions import ReportView
from changeover.desktop.widgets.shapes import Mark, MarkWidget
from changeover.desktop.wizard.tables import changes_html
from changeover.model.dns.change import Change
from changeover.model.dns.records import RecordSet, address_set

HOSTILE = ("<b>bold</b>", "<img src='file:///etc/passwd'>", "a\x1b[2J\u202eb\x9b", "<a href='x'>click</a>\nsecond")


@pytest.mark.parametrize("text", HOSTILE)
def test_labels(qtbot: QtBot, text: str) -> None:
    """Plain text, without what turns the direction of writing."""
    for made in (label(text), Elided(text)):
        qtbot.addWidget(made)
        assert made.textFormat() is Qt.TextFormat.PlainText
        assert made.text().replace("\n", "").isprintable()
        made.setText(text)
        assert made.text().replace("\n", "").isprintable()


@pytest.mark.parametrize("text", HOSTILE)
def test_tooltips(qtbot: QtBot, text: str) -> None:
    """Qt reads a tooltip as HTML where it looks like that: it shows the text all the same."""
    document = QTextDocument()
    document.setHtml(plain_tip(text).replace("\n", "<br>"))
    assert "bold" not in text or document.toPlainText() == "<b>bold</b>"
    assert "<img" not in plain_tip(text) and "<a " not in plain_tip(text)


@pytest.mark.parametrize("text", [*HOSTILE, "R&D", "&&", "a\x1b&\u202e"])
def test_buttons(qtbot: QtBot, text: str) -> None:
    """A name is whole on a button: an "&" is neither hidden nor does it underline what follows."""
    made = button(text)
    qtbot.addWidget(made)
    assert made.text().isprintable()
    assert made.text().replace("&&", "").count("&") == 0
    assert made.shortcut().isEmpty()


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_painted(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Neither in its place nor in the tooltip that has what does not fit there."""
    asked: list[str] = []
    monkeypatch.setattr(QToolTip, "showText", lambda _, tip, *__: asked.append(tip))
    made = Painted()
    qtbot.addWidget(made)
    made.resize(60, 20)
    picture = QPixmap(60, 20)
    painter = QPainter(picture)
    made.text(painter, QRectF(0, 0, 30, 20), text * 3, made.font(), "black")
    painter.end()
    at = QPoint(5, 5)
    made.event(QHelpEvent(QEvent.Type.ToolTip, at, made.mapToGlobal(at)))
    (tip,) = asked
    assert tip.isprintable()
    assert "<img" not in tip and "<a " not in tip and "<b>" not in tip
    mark = MarkWidget()
    qtbot.addWidget(mark)
    mark.show_mark(Mark.DOWN, text)
    assert "<img" not in mark.toolTip() and "\x1b" not in mark.toolTip()


def test_records_in_the_table_of_changes(qtbot: QtBot) -> None:
    """A provider's answer is neither mark-up there nor steers it."""
    before = address_set([RecordSet(name="a.example", type="CNAME", ttl=60, values=(HOSTILE[1] + HOSTILE[2],))])
    change = Change(account="a", zone="example", name="a.example", before=before, after=())
    html = changes_html([change])
    assert "<img" not in html
    assert html.isprintable()


def test_a_report_fetches_nothing(qtbot: QtBot, tmp_path: Path) -> None:
    """Not even where a picture of this computer stands in it."""
    picture = tmp_path / "secret.png"
    image = QImage(7, 5, QImage.Format.Format_RGB32)
    image.fill(0)
    assert image.save(str(picture))
    view = ReportView(None, "shop-1", f"![x]({picture.as_uri()})\n\n<img src='{picture.as_uri()}'>", lambda: None)
    qtbot.addWidget(view)
    text = view.findChild(QTextBrowser)
    assert isinstance(text, QTextBrowser)
    kind = int(QTextDocument.ResourceType.ImageResource)
    for place in (QUrl(picture.as_uri()), QUrl(str(picture)), QUrl("https://evil.example/x.png")):
        assert text.document().resource(kind, place).width() == 1
