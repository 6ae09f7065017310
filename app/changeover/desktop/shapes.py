"""Shape and colour together: circle healthy, triangle degraded, square down, ring unknown."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from changeover.desktop.colours import Colours, colours
from changeover.model.finding import Level
from changeover.model.health import Health
from changeover.model.run import Outcome, StepState
from changeover.model.sentence import overall
from changeover.model.state import ServiceState


class Mark(Enum):
    """How something stands, as a shape. The value is its word for those who do not see it."""

    HEALTHY = "healthy"
    DEGRADED = "needs a look"
    DOWN = "down"
    UNKNOWN = "not known yet"
    WORKING = "in progress"

    def tone(self, tones: Colours) -> QColor:
        """Its colour in this look."""
        name = {
            Mark.HEALTHY: tones.healthy,
            Mark.DEGRADED: tones.degraded,
            Mark.DOWN: tones.down,
            Mark.UNKNOWN: tones.muted,
            Mark.WORKING: tones.accent,
        }[self]
        return QColor(name)


OF_HEALTH = {
    Health.HEALTHY: Mark.HEALTHY,
    Health.DEGRADED: Mark.DEGRADED,
    Health.UNHEALTHY: Mark.DOWN,
    Health.UNKNOWN: Mark.UNKNOWN,
}
OF_LEVEL = {Level.PASS: Mark.HEALTHY, Level.WARN: Mark.DEGRADED, Level.BLOCK: Mark.DOWN}
OF_STEP = {
    StepState.PENDING: Mark.UNKNOWN,
    StepState.RUNNING: Mark.WORKING,
    StepState.DONE: Mark.HEALTHY,
    StepState.WARNING: Mark.DEGRADED,
    StepState.SKIPPED: Mark.UNKNOWN,
    StepState.REFUSED: Mark.DOWN,
    StepState.FAILED: Mark.DOWN,
    StepState.UNKNOWN: Mark.DEGRADED,
}
OF_OUTCOME = {
    Outcome.COMPLETED: Mark.HEALTHY,
    Outcome.UNDONE: Mark.HEALTHY,
    Outcome.REFUSED: Mark.DEGRADED,
    Outcome.FAILED: Mark.DOWN,
    Outcome.INCOMPLETE: Mark.DEGRADED,
    Outcome.RUNNING: Mark.WORKING,
    Outcome.INTERRUPTED: Mark.DEGRADED,
}


def of_state(state: ServiceState) -> Mark:
    """How a whole service stands."""
    return Mark.WORKING if state.working else OF_HEALTH[overall(state)]


def paint_mark(painter: QPainter, area: QRectF, mark: Mark, tone: QColor) -> None:
    """Paints `mark` into the square `area`."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(tone, 0))
    painter.setBrush(tone)
    width = area.width()
    if mark is Mark.HEALTHY:
        painter.drawEllipse(area)
    elif mark is Mark.DEGRADED:
        corners = [QPointF(area.center().x(), area.top()), area.bottomRight(), area.bottomLeft()]
        painter.drawPolygon(QPolygonF(corners))
    elif mark is Mark.DOWN:
        painter.drawRect(area.adjusted(width * 0.04, width * 0.04, -width * 0.04, -width * 0.04))
    else:
        painter.setPen(QPen(tone, max(1.2, width * 0.16)))
        painter.setBrush(QColor(0, 0, 0, 0))
        ring = area.adjusted(width * 0.12, width * 0.12, -width * 0.12, -width * 0.12)
        painter.drawEllipse(ring)
        if mark is Mark.WORKING:
            painter.setBrush(tone)
            painter.drawPie(ring, 90 * 16, -180 * 16)
    painter.restore()


class MarkWidget(QWidget):
    """One mark beside a text that says the same in words."""

    def __init__(self, mark: Mark = Mark.UNKNOWN, side: int = 10) -> None:
        super().__init__()
        self._mark = mark
        self._side = side
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._say()

    @property
    def mark(self) -> Mark:
        return self._mark

    def show_mark(self, mark: Mark, word: str = "") -> None:
        """`word` says it, where the mark's own word does not fit."""
        if mark is not self._mark:
            self._mark = mark
            self.update()
        self._say(word)

    def _say(self, word: str = "") -> None:
        self.setAccessibleName(word or self._mark.value)
        self.setToolTip(word or self._mark.value)

    def sizeHint(self) -> QSize:
        return QSize(self._side + 2, self._side + 8)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        top = (self.height() - self._side) / 2
        paint_mark(painter, QRectF(1, top, self._side, self._side), self._mark, self._mark.tone(colours()))
        painter.end()
