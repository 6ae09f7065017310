"""Shape and colour together: every state has a shape of its own, so that it tells without its colour."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from changeover.desktop.widgets.colours import Colours, colours
from changeover.desktop.widgets.parts import plain_tip
from changeover.model.finding import Level
from changeover.model.health.probe_result import Health
from changeover.model.health.track import State
from changeover.model.readiness.service_state import ServiceState
from changeover.model.runs.run import Outcome, StepState
from changeover.model.wording.local_fault import own_fault
from changeover.model.wording.service_status import ServiceStatus, health_of, service_status, state_of


class Mark(Enum):
    """How something stands, as a shape. The value is its word for those who do not see it."""

    HEALTHY = "healthy"
    DEGRADED = "needs a look"
    RECOVERING = "recovering"
    FLAPPING = "flapping"
    DOWN = "down"
    UNKNOWN = "not known yet"
    OFFLINE = "nothing seen"
    MAINTENANCE = "in maintenance"
    HELD = "held by a person"
    WORKING = "in progress"

    def tone(self, tones: Colours) -> QColor:
        """Its colour in this look."""
        name = {
            Mark.HEALTHY: tones.healthy,
            Mark.DEGRADED: tones.degraded,
            Mark.RECOVERING: tones.degraded,
            Mark.FLAPPING: tones.degraded,
            Mark.DOWN: tones.down,
            Mark.UNKNOWN: tones.muted,
            Mark.OFFLINE: tones.muted,
            Mark.MAINTENANCE: tones.planned,
            Mark.HELD: tones.planned,
            Mark.WORKING: tones.accent,
        }[self]
        return QColor(name)


OF_HEALTH = {
    Health.HEALTHY: Mark.HEALTHY,
    Health.DEGRADED: Mark.DEGRADED,
    Health.UNHEALTHY: Mark.DOWN,
    Health.UNKNOWN: Mark.UNKNOWN,
}
OF_STANDING = {
    ServiceStatus.HEALTHY: Mark.HEALTHY,
    ServiceStatus.DEGRADED: Mark.DEGRADED,
    ServiceStatus.RECOVERING: Mark.RECOVERING,
    ServiceStatus.FLAPPING: Mark.FLAPPING,
    ServiceStatus.DOWN: Mark.DOWN,
    ServiceStatus.UNKNOWN: Mark.UNKNOWN,
    ServiceStatus.OFFLINE: Mark.OFFLINE,
    ServiceStatus.MAINTENANCE: Mark.MAINTENANCE,
    ServiceStatus.HELD: Mark.HELD,
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
    Outcome.DAMAGED: Mark.DOWN,
    Outcome.NEWER: Mark.UNKNOWN,
}


def of_state(state: ServiceState) -> Mark:
    """How a whole service stands."""
    return Mark.WORKING if state.working else OF_STANDING[service_status(state)]


def of_deployment(state: ServiceState, name: str) -> Mark:
    """How one deployment of a service stands."""
    shown = state_of(state, name)
    if shown is State.MAINTENANCE:
        return Mark.MAINTENANCE
    if shown is State.PINNED:
        return Mark.HELD
    if own_fault(state) is not None:
        return Mark.OFFLINE
    health = health_of(state, name)
    if health is Health.DEGRADED and shown in (State.FLAPPING, State.RECOVERING):
        return Mark.FLAPPING if shown is State.FLAPPING else Mark.RECOVERING
    return OF_HEALTH[health]


def paint_mark(painter: QPainter, area: QRectF, mark: Mark, tone: QColor) -> None:
    """Paints `mark` into the square `area`."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    width = area.width()
    if mark in _SOLID:
        painter.setPen(QPen(tone, 0))
        painter.setBrush(tone)
        _SOLID[mark](painter, area, width)
    else:
        pen = QPen(tone, max(1.2, width * 0.16))
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        _OUTLINED[mark](painter, area, width)
    painter.restore()


def _polygon(painter: QPainter, area: QRectF, *corners: tuple[float, float]) -> None:
    """A polygon whose corners are given in parts of the square."""
    left, top, side = area.left(), area.top(), area.width()
    painter.drawPolygon(QPolygonF([QPointF(left + x * side, top + y * side) for x, y in corners]))


def _ring(area: QRectF, width: float) -> QRectF:
    return area.adjusted(width * 0.12, width * 0.12, -width * 0.12, -width * 0.12)


def _circle(painter: QPainter, area: QRectF, width: float) -> None:
    painter.drawEllipse(area)


def _triangle(painter: QPainter, area: QRectF, width: float) -> None:
    _polygon(painter, area, (0.5, 0), (1, 1), (0, 1))


def _square(painter: QPainter, area: QRectF, width: float) -> None:
    painter.drawRect(area.adjusted(width * 0.04, width * 0.04, -width * 0.04, -width * 0.04))


def _hourglass(painter: QPainter, area: QRectF, width: float) -> None:
    """One way up, then the other."""
    _polygon(painter, area, (0.02, 0), (0.98, 0), (0.5, 0.5))
    _polygon(painter, area, (0.02, 1), (0.98, 1), (0.5, 0.5))


def _pin(painter: QPainter, area: QRectF, width: float) -> None:
    """A pin as one sticks it on a map."""
    painter.drawEllipse(QRectF(area.left() + width * 0.18, area.top(), width * 0.64, width * 0.64))
    _polygon(painter, area, (0.24, 0.46), (0.76, 0.46), (0.5, 1))


def _hollow_triangle(painter: QPainter, area: QRectF, width: float) -> None:
    _polygon(painter, area, (0.5, 0.14), (0.9, 0.92), (0.1, 0.92))


def _hollow_circle(painter: QPainter, area: QRectF, width: float) -> None:
    painter.drawEllipse(_ring(area, width))


def _barred(painter: QPainter, area: QRectF, width: float) -> None:
    """A ring with a bar across, as on a road that is closed."""
    painter.drawEllipse(_ring(area, width))
    start, end = width * 0.22, width * 0.78
    painter.drawLine(
        QPointF(area.left() + start, area.top() + start),
        QPointF(area.left() + end, area.top() + end),
    )


def _diamond(painter: QPainter, area: QRectF, width: float) -> None:
    """The sign of road works."""
    _polygon(painter, area, (0.5, 0.06), (0.94, 0.5), (0.5, 0.94), (0.06, 0.5))


def _half_ring(painter: QPainter, area: QRectF, width: float) -> None:
    ring = _ring(area, width)
    painter.drawEllipse(ring)
    painter.setBrush(painter.pen().color())
    painter.drawPie(ring, 90 * 16, -180 * 16)


_Paint = Callable[[QPainter, QRectF, float], None]
_SOLID: dict[Mark, _Paint] = {
    Mark.HEALTHY: _circle,
    Mark.DEGRADED: _triangle,
    Mark.FLAPPING: _hourglass,
    Mark.DOWN: _square,
    Mark.HELD: _pin,
}
_OUTLINED: dict[Mark, _Paint] = {
    Mark.RECOVERING: _hollow_triangle,
    Mark.UNKNOWN: _hollow_circle,
    Mark.OFFLINE: _barred,
    Mark.MAINTENANCE: _diamond,
    Mark.WORKING: _half_ring,
}


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
        self.setToolTip(plain_tip(word or self._mark.value))

    def sizeHint(self) -> QSize:
        return QSize(self._side + 2, self._side + 8)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        top = (self.height() - self._side) / 2
        paint_mark(painter, QRectF(1, top, self._side, self._side), self._mark, self._mark.tone(colours()))
        painter.end()
