"""The route diagram: visitors, the DNS, the lever, and a lane to each deployment."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetricsF, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy

from changeover.desktop.service.route_words import (
    dns_box,
    place,
    proven,
    rounds_words,
    status,
    visit_line,
    visit_words,
    visitors_line,
)
from changeover.desktop.widgets.colours import Colours, colours
from changeover.desktop.widgets.painting import Painted, font, paint_box
from changeover.desktop.widgets.shapes import OF_HEALTH, Mark, of_deployment, paint_mark
from changeover.model.dns import active
from changeover.model.health.probe_result import Health, Round
from changeover.model.readiness.service_state import ServiceState
from changeover.model.settings.maintenance import maintenance_end
from changeover.model.settings.service import Deployment
from changeover.model.wording.cause_words import state_tip

GAP = 12
PAD = 14
_BAR, _BAR_GAP = 6, 2
#: How high a round's bar stands, so that it tells without its colour.
_HEIGHTS = {Health.HEALTHY: 1.0, Health.DEGRADED: 0.66, Health.UNHEALTHY: 0.33, Health.UNKNOWN: 0.5}
_EMPTY = 0.12


class RouteDiagram(Painted):
    """The product in one picture. Repainted only when what it shows has changed."""

    def __init__(self) -> None:
        super().__init__()
        self._state: ServiceState | None = None
        self._now = datetime.now().astimezone()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_state(self, state: ServiceState, now: datetime) -> None:
        lanes = len(state.service.deployments)
        resized = self._state is None or len(self._state.service.deployments) != lanes
        self._state, self._now = state, now
        self.setAccessibleName(f"Route of {state.service.name}")
        self.setAccessibleDescription(self._words(state, now))
        if resized:
            self.updateGeometry()
        self.update()

    def tick(self, now: datetime) -> None:
        """Time has passed: "for 2 min 10 s" and "proven 12 s ago" depend on it."""
        self._now = now
        if self._state is not None:
            self.update()

    @staticmethod
    def _words(state: ServiceState, now: datetime) -> str:
        lanes = (
            f"{d.name} at {place(d)}: {status(state, d.name, now)}. {state_tip(state, d.name, now)}"
            for d in state.service.deployments
        )
        parts = (f"Visitors {visitors_line(state)}.", visit_words(state, now), f"{'; '.join(dns_box(state))}.", *lanes)
        return " ".join(part for part in parts if part)

    def _line(self) -> float:
        return QFontMetricsF(font(self)).height()

    def _card_height(self) -> float:
        return round(2 * PAD + 3 * self._line() + 8 + 14 + 6)

    def sizeHint(self) -> QSize:
        lanes = len(self._state.service.deployments) if self._state else 2
        return QSize(560, int(lanes * self._card_height() + (lanes - 1) * GAP))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._state is None:
            return
        self.forget_tips()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint(painter, self._state, colours())
        painter.end()

    def _paint(self, painter: QPainter, state: ServiceState, tones: Colours) -> None:
        width, height = float(self.width()), float(self.height())
        roomy = min(1.0, max(0.0, (width - 560) / 300))
        small = QFontMetricsF(font(self, smaller=1))
        words = max(small.horizontalAdvance(text) for text in (visitors_line(state), visit_line(state)))
        visitors_width = min(140.0, max(92.0, words + 20)) + 10 * roomy
        card_width = 236 + 132 * roomy
        lever_width = 66 + 42 * roomy
        lead = 14 + 24 * roomy
        dns_left = visitors_width + lead
        dns_width = width - card_width - lever_width - dns_left
        middle = height / 2
        cards = self._cards(width - card_width, card_width, len(state.service.deployments))
        mark = of_deployment(state, state.active) if state.active in state.health else Mark.UNKNOWN
        tone = QColor(tones.idle) if mark in (Mark.UNKNOWN, Mark.OFFLINE) else mark.tone(tones)

        pivot = QPointF(dns_left + dns_width + 16 + 8 * roomy, middle)
        self._paint_lanes(painter, state, cards, pivot, mark, tone, tones)
        painter.setPen(QPen(tone, 4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
        painter.drawLine(QPointF(visitors_width, middle), QPointF(dns_left, middle))
        painter.drawLine(QPointF(dns_left + dns_width, middle), pivot)
        self._paint_visitors(painter, state, self._visitors(state, middle, visitors_width), tones)
        self._paint_dns(painter, state, QRectF(dns_left, middle - 42, dns_width, 84), tones)
        self._paint_lever(painter, state, cards, pivot, tones)
        for deployment, card in zip(state.service.deployments, cards, strict=True):
            self._paint_card(painter, state, deployment, card, tones)

    @staticmethod
    def _visitors(state: ServiceState, middle: float, width: float) -> QRectF:
        half = 42.0 if visit_line(state) else 30.0
        return QRectF(0, middle - half, width, 2 * half)

    def _cards(self, left: float, width: float, count: int) -> list[QRectF]:
        each = self._card_height()
        return [QRectF(left, i * (each + GAP), width, each) for i in range(count)]

    @staticmethod
    def _paint_lanes(
        painter: QPainter,
        state: ServiceState,
        cards: list[QRectF],
        pivot: QPointF,
        mark: Mark,
        tone: QColor,
        tones: Colours,
    ) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        idle = QPen(QColor(tones.idle), 2, Qt.PenStyle.DashLine)
        taken = QPen(tone, 4)
        if mark is Mark.DOWN:
            taken.setStyle(Qt.PenStyle.DotLine)
        split = QPen(QColor(tones.degraded), 2, Qt.PenStyle.DashDotLine)
        order = sorted(
            zip(state.service.deployments, cards, strict=True), key=lambda pair: pair[0].name == state.active
        )
        for deployment, card in order:
            end = QPointF(card.left(), card.center().y())
            half = (pivot.x() + end.x()) / 2
            path = QPainterPath(pivot)
            path.cubicTo(QPointF(half, pivot.y()), QPointF(half, end.y()), end)
            pen = taken if deployment.name == state.active else split if state.active == active.MIXED else idle
            painter.setPen(pen)
            painter.drawPath(path)

    def _paint_visitors(self, painter: QPainter, state: ServiceState, area: QRectF, tones: Colours) -> None:
        paint_box(painter, area, tones.panel, tones.line)
        inside = area.adjusted(8, 9, -8, -9)
        lines = [visitors_line(state)] + ([visit_line(state)] if visit_line(state) else [])
        each = inside.height() / (len(lines) + 1)
        row = QRectF(inside.left(), inside.top(), inside.width(), each)
        centre = Qt.AlignmentFlag.AlignHCenter
        self.text(painter, row, "Visitors", font(self, bold=True), tones.text, centre)
        for number, line in enumerate(lines, start=1):
            bad = number == 2 and state.overlay.visit is not None and state.overlay.visit.ok is not True
            tone = tones.down if bad else tones.muted
            self.text(painter, row.translated(0, number * each), line, font(self, smaller=1), tone, centre)
        if state.overlay.visit is not None:
            self.tip(area, visit_words(state, self._now))

    def _paint_dns(self, painter: QPainter, state: ServiceState, area: QRectF, tones: Colours) -> None:
        paint_box(painter, area, tones.panel, tones.line)
        box = dns_box(state)
        inside = area.adjusted(12, 10, -12, -10)
        third = inside.height() / 3
        row = QRectF(inside.left(), inside.top(), inside.width(), third)
        self.text(painter, row, box.title, font(self, bold=True), tones.text)
        small = font(self, smaller=1)
        middle = Qt.TextElideMode.ElideMiddle
        self.text(painter, row.translated(0, third), box.names, small, tones.muted, elide=middle)
        self.text(painter, row.translated(0, 2 * third), box.answer, small, tones.muted)

    @staticmethod
    def _paint_lever(
        painter: QPainter, state: ServiceState, cards: list[QRectF], pivot: QPointF, tones: Colours
    ) -> None:
        names = [d.name for d in state.service.deployments]
        end = QPointF(pivot.x() + 30, pivot.y())
        if state.active in names:
            lane = cards[names.index(state.active)].center().y()
            reach = max(-24.0, min(24.0, (lane - pivot.y()) / 2))
            end = QPointF(pivot.x() + 24, pivot.y() + reach)
        painter.setPen(QPen(QColor(tones.text), 3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLine(pivot, end)
        painter.setPen(QPen(QColor(tones.text), 2))
        painter.setBrush(QColor(tones.panel))
        painter.drawEllipse(pivot, 7, 7)

    def _paint_card(
        self, painter: QPainter, state: ServiceState, deployment: Deployment, area: QRectF, tones: Colours
    ) -> None:
        name = deployment.name
        mark = of_deployment(state, name)
        here = name == state.active
        paint_box(painter, area, tones.panel, mark.tone(tones) if here else tones.line, 2 if here else 1)
        inside = area.adjusted(PAD, PAD - 2, -PAD, -PAD)
        line = self._line() + 2
        side = 10.0
        row = QRectF(inside.left(), inside.top(), inside.width(), line)
        paint_mark(painter, QRectF(row.left(), row.center().y() - side / 2, side, side), mark, mark.tone(tones))
        self.tip(QRectF(row.left(), row.top(), 16, line), state_tip(state, name, self._now))

        rest = row.adjusted(side + 8, 0, 0, 0)
        bold, small = font(self, bold=True), font(self, smaller=1)
        right = Qt.AlignmentFlag.AlignRight
        if here:
            rest.setWidth(rest.width() - self.text(painter, rest, "visitors are here", small, tones.muted, right) - 10)
        taken = self.text(painter, rest, name, bold, tones.text)
        after = rest.adjusted(taken + 8, 0, 0, 0)
        if deployment.platform != "url" and after.width() > 40:
            self.text(painter, after, deployment.platform, font(self), tones.muted)

        row = row.translated(0, line + 2)
        bad = mark is Mark.DOWN
        how = font(self, bold=True, smaller=1) if bad else small
        self.tip(row, state_tip(state, name, self._now))
        self.text(painter, row, status(state, name, self._now), how, mark.tone(tones) if bad else tones.text)

        row = row.translated(0, line)
        when = proven(state, name, self._now)
        taken = self.text(painter, row, when, small, tones.muted, right) if when else 0.0
        address = QRectF(row.left(), row.top(), row.width() - taken - 10, row.height())
        self.text(painter, address, place(deployment), small, tones.muted, elide=Qt.TextElideMode.ElideMiddle)

        bars = QRectF(inside.left(), inside.bottom() - 14, inside.width(), 14)
        self._paint_bars(painter, state, name, bars, tones)

    def _paint_bars(self, painter: QPainter, state: ServiceState, name: str, area: QRectF, tones: Colours) -> None:
        """The newest rounds: high is good. One during maintenance is hatched, one that saw nothing is hollow."""
        fits = int((area.width() + _BAR_GAP) // (_BAR + _BAR_GAP))
        shown = state.rounds.get(name, ())[-fits:]
        right = area.right()
        for number in range(fits):
            left = right - (number + 1) * _BAR - number * _BAR_GAP
            found = shown[-1 - number] if number < len(shown) else None
            verdict = found.verdict if found is not None else Health.UNKNOWN
            high = area.height() * (_HEIGHTS[verdict] if found is not None else _EMPTY)
            bar = QRectF(left, area.bottom() - high, _BAR, high)
            mark = OF_HEALTH[verdict]
            tone = QColor(tones.idle) if mark is Mark.UNKNOWN else mark.tone(tones)
            if found is not None and (mark is Mark.UNKNOWN or self._planned(state, name, found)):
                tone = QColor(tones.planned) if self._planned(state, name, found) else tone
                painter.setPen(QPen(tone, 1))
                hollow = mark is Mark.UNKNOWN
                painter.setBrush(Qt.BrushStyle.NoBrush if hollow else QBrush(tone, Qt.BrushStyle.BDiagPattern))
                painter.drawRect(bar.adjusted(0.5, 0.5, -0.5, -0.5))
                continue
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tone)
            painter.drawRoundedRect(bar, 1, 1)
        if shown:
            self.tip(area, rounds_words(shown))

    @staticmethod
    def _planned(state: ServiceState, name: str, found: Round) -> bool:
        return maintenance_end(state.service.maintenance, name, found.at) is not None
