"""The chart of response times: one line a deployment, a gap where nothing answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from math import ceil, floor, log10

from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy

from changeover.desktop.colours import Colours, colours
from changeover.desktop.painting import Painted, font
from changeover.model.health import Health, Round
from changeover.model.state import ServiceState

#: Longest time shown, and the shortest, so that the first minutes are not stretched over the whole width.
LONGEST = timedelta(hours=1)
SHORTEST = timedelta(minutes=2)
_STYLES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine, Qt.PenStyle.DashDotLine)

Point = tuple[datetime, float]


def stretches(rounds: Sequence[Round], since: datetime, gap: timedelta) -> list[list[Point]]:
    """The response times in milliseconds, broken where a check failed or was longer than `gap` after the last."""
    found: list[list[Point]] = []
    last: datetime | None = None
    for probed in rounds:
        if probed.at < since:
            continue
        if probed.seconds is None:
            last = None
            continue
        if last is None or probed.at - last > gap:
            found.append([])
        found[-1].append((probed.at, probed.seconds * 1000))
        last = probed.at
    return found


def failing(rounds: Sequence[Round], since: datetime, now: datetime) -> list[tuple[datetime, datetime]]:
    """The times, from and to, in which no address answered well."""
    found: list[tuple[datetime, datetime]] = []
    begun: datetime | None = None
    for probed in rounds:
        bad = probed.verdict is Health.UNHEALTHY
        if bad and begun is None:
            begun = max(probed.at, since)
        if not bad and begun is not None:
            if probed.at > since:
                found.append((begun, probed.at))
            begun = None
    if begun is not None:
        found.append((begun, now))
    return found


def scale(highest: float) -> list[float]:
    """Round values for the axis, from 0 to at least `highest`: three to five steps of 1, 2 or 5."""
    rough = max(highest, 1.0) / 4
    power = 10.0 ** floor(log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough)
    return [i * step for i in range(ceil(max(highest, 1.0) / step) + 1)]


def line_tones(tones: Colours) -> tuple[str, ...]:
    """The colours of the lines, in the order of the deployments. Each has its own dash as well."""
    return (tones.accent, tones.degraded, tones.healthy, tones.muted)


class ResponseChart(Painted):
    """Response times of all deployments, in milliseconds."""

    def __init__(self) -> None:
        super().__init__()
        self._state: ServiceState | None = None
        self._now = datetime.now().astimezone()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_state(self, state: ServiceState, now: datetime) -> None:
        self._state, self._now = state, now
        self.setAccessibleName("Response times")
        newest = (f"{name}: {rounds[-1].reason}" for name, rounds in state.rounds.items() if rounds)
        self.setAccessibleDescription("; ".join(newest))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, 190)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 170)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._state is None:
            return
        self.forget_tips()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint(painter, self._state, colours())
        painter.end()

    def _paint(self, painter: QPainter, state: ServiceState, tones: Colours) -> None:
        now = self._now
        small = font(self, smaller=2)
        line = QFontMetricsF(small).height()
        names = [d.name for d in state.service.deployments]
        started = [r[0].at for name in names if (r := state.rounds.get(name, ()))]
        since = max(now - LONGEST, min(min(started, default=now), now - SHORTEST))
        gap = timedelta(seconds=state.service.health.interval * 2.5 + state.service.health.timeout)
        lines = [stretches(state.rounds.get(name, ()), since, gap) for name in names]
        highest = max((ms for series in lines for stretch in series for _, ms in stretch), default=100.0)
        steps = scale(highest)
        labels = [f"{step:g}" for step in steps]
        left = max(QFontMetricsF(small).horizontalAdvance(text) for text in labels) + 10
        legend_top = self.height() - line
        area = QRectF(left, line / 2 + 2, self.width() - left - 2, legend_top - 2.4 * line - 4)

        def x(at: datetime) -> float:
            return area.left() + area.width() * ((at - since) / (now - since))

        def y(ms: float) -> float:
            return area.bottom() - area.height() * ms / steps[-1]

        right = Qt.AlignmentFlag.AlignRight
        for step, label in zip(steps, labels, strict=True):
            painter.setPen(QPen(QColor(tones.line), 1))
            painter.drawLine(QLineF(area.left(), y(step), area.right(), y(step)))
            self.text(painter, QRectF(0, y(step) - line / 2, left - 8, line), label, small, tones.muted, right)
        self._paint_failing(painter, state, area, since, tones, x)
        for number, (at, align) in enumerate(
            (
                (since, Qt.AlignmentFlag.AlignLeft),
                ((since + (now - since) / 2), Qt.AlignmentFlag.AlignHCenter),
                (now, right),
            )
        ):
            label = f"{at.astimezone(now.tzinfo):%H:%M}"
            slot = QRectF(area.left() + number * area.width() / 3, area.bottom() + 4, area.width() / 3, line)
            self.text(painter, slot, label, small, tones.muted, align)
        for number, series in enumerate(lines):
            pen = self._pen(number, tones)
            for stretch in series:
                points = [QPointF(x(at), y(ms)) for at, ms in stretch]
                if len(points) == 1:
                    painter.setPen(Qt.PenStyle.NoPen)
                    painter.setBrush(pen.color())
                    painter.drawEllipse(points[0], 2, 2)
                    continue
                painter.setPen(pen)
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawPolyline(QPolygonF(points))
        self._paint_legend(painter, names, QRectF(0, legend_top, self.width(), line), tones)
        if not any(lines):
            self.text(painter, area, "No answers yet", small, tones.muted, Qt.AlignmentFlag.AlignHCenter)

    def _paint_failing(
        self,
        painter: QPainter,
        state: ServiceState,
        area: QRectF,
        since: datetime,
        tones: Colours,
        x: Callable[[datetime], float],
    ) -> None:
        small = font(self, smaller=2)
        word = "failing"
        room = QFontMetricsF(small).horizontalAdvance(word) + 8
        for begun, ended in failing(state.rounds.get(state.active, ()), since, self._now):
            band = QRectF(x(begun), area.top(), max(2.0, x(ended) - x(begun)), area.height())
            painter.fillRect(band, QColor(tones.alarm))
            self.tip(band, f"{state.active} did not answer well")
            if band.width() > room:
                top = QRectF(band.left(), band.top() + 2, band.width(), QFontMetricsF(small).height())
                self.text(painter, top, word, small, tones.down, Qt.AlignmentFlag.AlignHCenter)

    @staticmethod
    def _pen(number: int, tones: Colours) -> QPen:
        palette = line_tones(tones)
        return QPen(QColor(palette[number % len(palette)]), 1.6, _STYLES[number % len(_STYLES)])

    def _paint_legend(self, painter: QPainter, names: list[str], row: QRectF, tones: Colours) -> None:
        small = font(self, smaller=2)
        left = row.left()
        for number, name in enumerate(names):
            if row.right() - left < 60:
                break
            painter.setPen(self._pen(number, tones))
            painter.drawLine(QLineF(left, row.center().y(), left + 18, row.center().y()))
            place = QRectF(left + 24, row.top(), min(120.0, row.right() - left - 24), row.height())
            left += 24 + self.text(painter, place, name, small, tones.muted) + 14
