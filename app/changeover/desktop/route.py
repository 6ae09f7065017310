"""The route diagram: visitors, the DNS, the lever, and a lane to each deployment."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy

from changeover.desktop.colours import Colours, colours
from changeover.desktop.painting import Painted, font, paint_box
from changeover.desktop.shapes import OF_HEALTH, Mark, paint_mark
from changeover.model import active
from changeover.model.health import DeploymentHealth, Health, Round
from changeover.model.records import address_set
from changeover.model.service import Deployment
from changeover.model.state import ServiceState
from changeover.model.words import counted, duration

GAP = 12
PAD = 14
_BAR, _BAR_GAP = 6, 2
#: How high a round's bar stands, so that it tells without its colour.
_HEIGHTS = {Health.HEALTHY: 1.0, Health.DEGRADED: 0.66, Health.UNHEALTHY: 0.33, Health.UNKNOWN: 0.12}


class DnsBox(NamedTuple):
    """What the box of the DNS says."""

    title: str
    names: str
    answer: str


def dns_box(state: ServiceState) -> DnsBox:
    """Who answers for the service's names, with which kind of record and for how long resolvers keep it."""
    service = state.service
    name = service.hostnames[0]
    readings = state.situation.readings if state.situation else ()
    labels = list(dict.fromkeys(r.capabilities.label for r in readings)) or [entry.account for entry in service.dns]
    title = ", ".join(labels)
    names = name if len(service.hostnames) == 1 else f"{name} +{len(service.hostnames) - 1}"
    live = [r for reading in readings for r in address_set(reading.records.get(name, ()))]
    answer = "records not read"
    if live:
        answer = f"{'+'.join(dict.fromkeys(r.type for r in live))} · TTL {max(r.ttl for r in live)} s"
    return DnsBox(title if title.startswith("DNS") else f"DNS · {title}", names, answer)


def visitors_line(state: ServiceState) -> str:
    """What happens to visitors, in a few words."""
    if state.active == active.MIXED:
        return "split up"
    if state.active == active.ELSEWHERE:
        return "go elsewhere"
    health = state.health.get(state.active)
    if state.active == active.UNKNOWN or health is None:
        return "not known yet"
    return "failing now" if health.health is Health.UNHEALTHY else f"reach {state.active}"


def place(deployment: Deployment) -> str:
    """The address of a deployment in a few words."""
    answer = deployment.answer
    return answer.target or ", ".join((*answer.a, *answer.aaaa)) or "no answer of its own"


def status(health: DeploymentHealth | None, now: datetime) -> str:
    """How a deployment answers: "200 in 84 ms", or what is wrong and for how long."""
    if health is None or health.last is None:
        return "not checked yet"
    if health.health is Health.UNHEALTHY and health.since is not None:
        failed = next((r for r in health.last.results if r.ok is False), None)
        what = str(failed.status) if failed is not None and failed.status is not None else "failing"
        return f"{what} · for {duration(max(0.0, (now - health.since).total_seconds()))}"
    return health.reason


def rounds_words(rounds: tuple[Round, ...]) -> str:
    """The bars of a deployment in words."""
    bad = sum(r.verdict in (Health.UNHEALTHY, Health.DEGRADED) for r in rounds)
    good = sum(r.verdict is Health.HEALTHY for r in rounds)
    return f"Last {counted(len(rounds), 'check')}: {good} good, {bad} not good. Newest on the right, higher is better."


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
        """Time has passed: only "for 2 min 10 s" depends on it."""
        self._now = now
        if self._state and any(h.health is Health.UNHEALTHY for h in self._state.health.values()):
            self.update()

    @staticmethod
    def _words(state: ServiceState, now: datetime) -> str:
        lanes = (f"{d.name} at {place(d)}: {status(state.health.get(d.name), now)}" for d in state.service.deployments)
        return f"Visitors {visitors_line(state)}. {'; '.join(dns_box(state))}. {'; '.join(lanes)}."

    def _line(self) -> float:
        return QFontMetricsF(font(self)).height()

    def _card_height(self) -> float:
        return round(2 * PAD + 2 * self._line() + 6 + 14 + 6)

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
        words = QFontMetricsF(font(self, smaller=1)).horizontalAdvance(visitors_line(state))
        visitors_width = min(140.0, max(92.0, words + 20)) + 10 * roomy
        card_width = 236 + 132 * roomy
        lever_width = 66 + 42 * roomy
        lead = 14 + 24 * roomy
        dns_left = visitors_width + lead
        dns_width = width - card_width - lever_width - dns_left
        middle = height / 2
        cards = self._cards(width - card_width, card_width, len(state.service.deployments))
        here = state.health.get(state.active)
        mark = OF_HEALTH[here.health] if here else Mark.UNKNOWN
        tone = mark.tone(tones) if here and mark is not Mark.UNKNOWN else QColor(tones.idle)

        pivot = QPointF(dns_left + dns_width + 16 + 8 * roomy, middle)
        self._paint_lanes(painter, state, cards, pivot, mark, tone, tones)
        painter.setPen(QPen(tone, 4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
        painter.drawLine(QPointF(visitors_width, middle), QPointF(dns_left, middle))
        painter.drawLine(QPointF(dns_left + dns_width, middle), pivot)
        self._paint_visitors(painter, state, QRectF(0, middle - 30, visitors_width, 60), tones)
        self._paint_dns(painter, state, QRectF(dns_left, middle - 42, dns_width, 84), tones)
        self._paint_lever(painter, state, cards, pivot, tones)
        for deployment, card in zip(state.service.deployments, cards, strict=True):
            self._paint_card(painter, state, deployment, card, tones)

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
        half = inside.height() / 2
        top = QRectF(inside.left(), inside.top(), inside.width(), half)
        centre = Qt.AlignmentFlag.AlignHCenter
        self.text(painter, top, "Visitors", font(self, bold=True), tones.text, centre)
        self.text(painter, top.translated(0, half), visitors_line(state), font(self, smaller=1), tones.muted, centre)

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
        health = state.health.get(deployment.name)
        mark = OF_HEALTH[health.health] if health else Mark.UNKNOWN
        here = deployment.name == state.active
        paint_box(painter, area, tones.panel, mark.tone(tones) if here else tones.line, 2 if here else 1)
        inside = area.adjusted(PAD, PAD - 2, -PAD, -PAD)
        line = self._line() + 2
        side = 10.0
        row = QRectF(inside.left(), inside.top(), inside.width(), line)
        paint_mark(painter, QRectF(row.left(), row.center().y() - side / 2, side, side), mark, mark.tone(tones))
        self.tip(QRectF(row.left(), row.top(), 16, line), mark.value)

        rest = row.adjusted(side + 8, 0, 0, 0)
        bold, small = font(self, bold=True), font(self, smaller=1)
        right = Qt.AlignmentFlag.AlignRight
        if here:
            rest.setWidth(rest.width() - self.text(painter, rest, "visitors are here", small, tones.muted, right) - 10)
        taken = self.text(painter, rest, deployment.name, bold, tones.text)
        after = rest.adjusted(taken + 8, 0, 0, 0)
        if deployment.platform != "url" and after.width() > 40:
            self.text(painter, after, deployment.platform, font(self), tones.muted)

        row = row.translated(0, line + 2)
        said = status(health, self._now)
        bad = mark is Mark.DOWN
        how = font(self, bold=True, smaller=1) if bad else small
        metrics = QFontMetricsF(how)
        said_width = min(metrics.horizontalAdvance(said) + 1, row.width() * 0.6)
        said_area = QRectF(row.right() - said_width, row.top(), said_width, row.height())
        if bad and health is not None:
            self.tip(said_area, health.reason)
        self.text(painter, said_area, said, how, mark.tone(tones) if bad else tones.text, right)
        address = QRectF(row.left(), row.top(), row.width() - said_width - 10, row.height())
        self.text(painter, address, place(deployment), small, tones.muted, elide=Qt.TextElideMode.ElideMiddle)

        bars = QRectF(inside.left(), inside.bottom() - 14, inside.width(), 14)
        self._paint_bars(painter, state.rounds.get(deployment.name, ()), bars, tones)

    def _paint_bars(self, painter: QPainter, rounds: tuple[Round, ...], area: QRectF, tones: Colours) -> None:
        fits = int((area.width() + _BAR_GAP) // (_BAR + _BAR_GAP))
        shown = rounds[-fits:]
        painter.setPen(Qt.PenStyle.NoPen)
        right = area.right()
        for number in range(fits):
            left = right - (number + 1) * _BAR - number * _BAR_GAP
            verdict = shown[-1 - number].verdict if number < len(shown) else Health.UNKNOWN
            high = area.height() * _HEIGHTS[verdict]
            mark = OF_HEALTH[verdict]
            painter.setBrush(QColor(tones.idle) if mark is Mark.UNKNOWN else mark.tone(tones))
            painter.drawRoundedRect(QRectF(left, area.bottom() - high, _BAR, high), 1, 1)
        if shown:
            self.tip(area, rounds_words(shown))
