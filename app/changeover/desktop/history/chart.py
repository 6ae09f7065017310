"""The chart of response times: one line a deployment, and grey where nothing was seen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from math import ceil, floor, log10

from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetricsF, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy

from changeover.desktop.history.timeline import Band, Past, Range, Timeline, thinned, timeline
from changeover.desktop.widgets.colours import Colours, colours
from changeover.desktop.widgets.painting import Painted, font
from changeover.model.readiness.service_state import ServiceState

_STYLES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine, Qt.PenStyle.DashDotLine)

#: Points of a line are at least so many pixels apart.
_APART = 2.5
_Place = Callable[[datetime], float]


def line_tones(tones: Colours) -> tuple[str, ...]:
    """The colours of the lines, in the order of the deployments. Each has its own dash as well."""
    return (tones.accent, tones.degraded, tones.healthy, tones.muted)


class ResponseChart(Painted):
    """Response times of all deployments, in milliseconds."""

    def __init__(self) -> None:
        super().__init__()
        self._state: ServiceState | None = None
        self.shown: Timeline | None = None
        self._empty = ""
        #: The lines as they are painted, for as long as neither data nor size change.
        self._polygons: tuple[QRectF, list[list[QPolygonF]]] | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_state(self, state: ServiceState, now: datetime, past: Past | None = None) -> None:
        """`past` is what the history has; without it only the live rounds are shown."""
        past = past or Past()
        self._state = state
        self.shown = timeline(state, past, now)
        reading = not past.read and past.range is not Range.HOUR
        self._empty = "Reading the history…" if reading else "No answers yet"
        self._polygons = None
        self.setAccessibleName(f"Response times, {past.range.words}")
        newest = [f"{name}: {rounds[-1].reason}" for name, rounds in state.rounds.items() if rounds]
        bands = [b.words for b in (*self.shown.failing, *self.shown.unseen, *self.shown.planned)]
        self.setAccessibleDescription("; ".join(newest + bands))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, 190)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 170)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._state is None or self.shown is None:
            return
        self.forget_tips()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint(painter, self._state, self.shown, colours())
        painter.end()

    def _paint(self, painter: QPainter, state: ServiceState, shown: Timeline, tones: Colours) -> None:
        small = font(self, smaller=2)
        metrics = QFontMetricsF(small)
        line = metrics.height()
        names = [d.name for d in state.service.deployments]
        steps = scale(shown.highest)
        labels = [f"{step:g}" for step in steps]
        left = max(metrics.horizontalAdvance(text) for text in labels) + 10
        legend_top = self.height() - line
        area = QRectF(left, line / 2 + 2, self.width() - left - 2, legend_top - 2.4 * line - 4)
        span = shown.until - shown.since

        def x(at: datetime) -> float:
            return area.left() + area.width() * ((at - shown.since) / span)

        def y(ms: float) -> float:
            return area.bottom() - area.height() * ms / steps[-1]

        self._paint_failing(painter, shown, area, tones, x)
        right = Qt.AlignmentFlag.AlignRight
        for step, label in zip(steps, labels, strict=True):
            painter.setPen(QPen(QColor(tones.line), 1))
            painter.drawLine(QLineF(area.left(), y(step), area.right(), y(step)))
            self.text(painter, QRectF(0, y(step) - line / 2, left - 8, line), label, small, tones.muted, right)
        self._paint_times(painter, shown, area, tones, x)
        for bands, tone, pattern in (
            (shown.unseen, tones.idle, Qt.BrushStyle.BDiagPattern),
            (shown.planned, tones.planned, Qt.BrushStyle.FDiagPattern),
        ):
            for band in bands:
                self._paint_hatched(painter, band, area, tone, pattern, tones, x)
        for number, parts in enumerate(self._lines(shown, names, area, x, y)):
            pen = self._pen(number, tones)
            for part in parts:
                if part.count() == 1:
                    painter.setPen(Qt.PenStyle.NoPen)
                    painter.setBrush(pen.color())
                    painter.drawEllipse(part.first(), 2, 2)
                    continue
                painter.setPen(pen)
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawPolyline(part)
        self._paint_words(painter, shown, area, tones, x)
        self._paint_legend(painter, names, QRectF(0, legend_top, self.width(), line), tones)
        if not any(shown.lines.values()) and not shown.unseen:
            self.text(painter, area, self._empty, small, tones.muted, Qt.AlignmentFlag.AlignHCenter)

    def _lines(
        self, shown: Timeline, names: list[str], area: QRectF, x: _Place, y: Callable[[float], float]
    ) -> list[list[QPolygonF]]:
        """The stretches of each deployment as polygons, made once for these data and this size."""
        if self._polygons is None or self._polygons[0] != area:
            every = (shown.until - shown.since) * (_APART / max(1.0, area.width()))
            made = [
                [
                    QPolygonF([QPointF(x(at), y(ms)) for at, ms in thinned(part, every)])
                    for part in shown.lines.get(name, ())
                ]
                for name in names
            ]
            self._polygons = (area, made)
        return self._polygons[1]

    def _paint_times(self, painter: QPainter, shown: Timeline, area: QRectF, tones: Colours, x: _Place) -> None:
        small = font(self, smaller=2)
        metrics = QFontMetricsF(small)
        many = max(2, int(area.width() / (metrics.horizontalAdvance("28 Nov") + 26)))
        centre = Qt.AlignmentFlag.AlignHCenter
        for at, label in ticks(shown.since, shown.until, many):
            painter.setPen(QPen(QColor(tones.idle), 1))
            painter.drawLine(QLineF(x(at), area.bottom(), x(at), area.bottom() + 3))
            wide = metrics.horizontalAdvance(label) + 4
            middle = min(max(x(at), wide / 2), self.width() - wide / 2)
            slot = QRectF(middle - wide / 2, area.bottom() + 4, wide, metrics.height())
            self.text(painter, slot, label, small, tones.muted, centre)

    def _paint_failing(self, painter: QPainter, shown: Timeline, area: QRectF, tones: Colours, x: _Place) -> None:
        for band in shown.failing:
            place = self._place(band, area, x)
            painter.fillRect(place, QColor(tones.alarm))
            painter.fillRect(QRectF(place.left(), area.bottom() - 4, place.width(), 4), QColor(tones.down))
            self.tip(place, band.words)

    def _paint_hatched(
        self,
        painter: QPainter,
        band: Band,
        area: QRectF,
        tone: str,
        pattern: Qt.BrushStyle,
        tones: Colours,
        x: _Place,
    ) -> None:
        place = self._place(band, area, x)
        painter.fillRect(place, QColor(tones.background))
        painter.fillRect(place, QBrush(QColor(tone), pattern))
        self.tip(place, band.words)

    def _paint_words(self, painter: QPainter, shown: Timeline, area: QRectF, tones: Colours, x: _Place) -> None:
        """What each band is, above the lines."""
        for band in shown.failing:
            self._paint_word(painter, "failing", self._place(band, area, x), tones.down, None)
        for band in (*shown.unseen, *shown.planned):
            self._paint_word(painter, band.words, self._place(band, area, x), tones.text, tones.panel)

    def _paint_word(self, painter: QPainter, words: str, place: QRectF, tone: str, ground: str | None) -> None:
        """Writes into a band what it is, where it has room; on two lines where it is narrow."""
        small = font(self, smaller=2)
        metrics = QFontMetricsF(small)
        head, _, tail = words.partition(" ")
        for lines in ([words], [head, tail]):
            wide = max(metrics.horizontalAdvance(each) for each in lines) + 8
            if wide > place.width() or (len(lines) > 1 and not tail):
                continue
            top = place.top() + 3
            if ground is not None:
                box = QRectF(place.center().x() - wide / 2, top, wide, metrics.height() * len(lines))
                painter.fillRect(box, QColor(ground))
            for each in lines:
                row = QRectF(place.left(), top, place.width(), metrics.height())
                self.text(painter, row, each, small, tone, Qt.AlignmentFlag.AlignHCenter)
                top += metrics.height()
            return

    @staticmethod
    def _place(band: Band, area: QRectF, x: _Place) -> QRectF:
        return QRectF(x(band.since), area.top(), max(3.0, x(band.until) - x(band.since)), area.height())

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


def scale(highest: float) -> list[float]:
    """Round values for the axis, from 0 to at least `highest`: three to five steps of 1, 2 or 5."""
    rough = max(highest, 1.0) / 4
    power = 10.0 ** floor(log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough)
    return [i * step for i in range(ceil(max(highest, 1.0) / step) + 1)]


def ticks(since: datetime, until: datetime, many: int) -> list[tuple[datetime, str]]:
    """Round moments for the axis, at most `many`, in the time zone of `until`: times of a day, else days."""
    zone = until.tzinfo
    start = since.astimezone(zone)
    span = until - since
    if span <= timedelta(hours=30):
        steps = [1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 720]
        minutes = next((s for s in steps if span / timedelta(minutes=s) <= many), steps[-1])
        midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
        first = ceil((start - midnight) / timedelta(minutes=minutes))
        count = int(span / timedelta(minutes=minutes)) + 2
        moments = (midnight + timedelta(minutes=minutes * (first + n)) for n in range(count))
        return [(at, f"{at:%H:%M}") for at in moments if at <= until]
    days = next((s for s in (1, 2, 5, 7, 10, 14) if span / timedelta(days=s) <= many), 30)
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    moments = (midnight + timedelta(days=n * days) for n in range(int(span / timedelta(days=days)) + 1))
    return [(at, f"{at:%a} {at.day}" if days == 1 else f"{at.day} {at:%b}") for at in moments if at <= until]
