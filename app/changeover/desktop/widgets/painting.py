"""Text and boxes for the painted diagrams: nothing is cut off without its whole text in a tooltip."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QHelpEvent, QPainter, QPen
from PySide6.QtWidgets import QToolTip, QWidget

from changeover.desktop.widgets.colours import text_size
from changeover.desktop.widgets.parts import plain_tip
from changeover.model.foreign_text import shown


def font(widget: QWidget, *, bold: bool = False, smaller: int = 0) -> QFont:
    """The system's font at the size of plain text, or a little smaller."""
    made = QFont(widget.font())
    made.setPixelSize(text_size() - smaller)
    made.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    return made


def paint_box(painter: QPainter, area: QRectF, fill: str, line: QColor | str, width: float = 1) -> None:
    """A card with round corners."""
    painter.setPen(QPen(QColor(line), width))
    painter.setBrush(QColor(fill))
    inset = width / 2
    painter.drawRoundedRect(area.adjusted(inset, inset, -inset, -inset), 8, 8)


class Painted(QWidget):
    """A painted widget whose shortened texts show whole in a tooltip."""

    def __init__(self) -> None:
        super().__init__()
        self._tips: list[tuple[QRectF, str]] = []

    def forget_tips(self) -> None:
        self._tips.clear()

    def tip(self, area: QRectF, text: str) -> None:
        """Shows `text` as the tooltip of `area`."""
        self._tips.append((area, text))

    def text(
        self,
        painter: QPainter,
        area: QRectF,
        text: str,
        how: QFont,
        tone: QColor | str,
        align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
        elide: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
    ) -> float:
        """Paints one line of text into `area`, shortened where it does not fit. Gives the width that it took."""
        metrics = QFontMetricsF(how)
        text = shown(text)
        fitting = metrics.elidedText(text, elide, area.width())
        if fitting != text:
            self.tip(area, text)
        painter.setFont(how)
        painter.setPen(QColor(tone))
        painter.drawText(area, align | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, fitting)
        return min(metrics.horizontalAdvance(text), area.width())

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            at = event.pos()
            found = [text for area, text in self._tips if area.contains(at)]
            if found:
                QToolTip.showText(event.globalPos(), plain_tip(found[-1]), self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)
