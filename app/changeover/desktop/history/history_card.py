"""The card of response times and availability: the last hour, day, week or month."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton

from changeover.desktop.history.chart import ResponseChart
from changeover.desktop.history.day_summary import day_line
from changeover.desktop.history.timeline import Past, Range
from changeover.desktop.widgets.parts import Card, button, label
from changeover.model.readiness.service_state import ServiceState


class HistoryCard(Card):
    """Shows what is live at once; what the history has is asked for by `wanted` and comes by `show_past`."""

    def __init__(self, wanted: Callable[[], object]) -> None:
        """`wanted` is called when another range was chosen, so that its history must be read."""
        super().__init__()
        self._wanted = wanted
        self._state: ServiceState | None = None
        self._past = Past()
        self._now = datetime.now().astimezone()
        self.range = Range.HOUR
        top = QHBoxLayout()
        top.setSpacing(0)
        top.addWidget(label("Response time in ms", "heading", wrap=False), 1)
        self._group = QButtonGroup(self)
        self.buttons: dict[Range, QPushButton] = {}
        for which in Range:
            made = button(which.value, role="segment", name=f"Show the {which.words}")
            made.setCheckable(True)
            made.setChecked(which is self.range)
            made.clicked.connect(lambda _=False, which=which: self.choose(which))
            self._group.addButton(made)
            self.buttons[which] = made
            top.addWidget(made)
        self.chart = ResponseChart()
        self.line = label("", "small")
        self.body.addLayout(top)
        self.body.addWidget(self.chart)
        self.body.addWidget(self.line)
        self.line.hide()

    def choose(self, which: Range) -> None:
        """Shows another length of time."""
        self.buttons[which].setChecked(True)
        if which is not self.range:
            self.range = which
            self._draw(self._now)
            self._wanted()

    def show_state(self, state: ServiceState, now: datetime) -> None:
        """Shows another state. The history of another service is forgotten."""
        if self._state is None or self._state.service.name != state.service.name:
            self._past = Past(range=self.range, read=False)
        self._state, self._now = state, now
        if self.range is Range.HOUR or self._past.range is not self.range:
            self._draw(now)

    def show_past(self, past: Past, now: datetime) -> None:
        """Shows what was read; it counts for nothing once another range has been chosen."""
        if past.range is self.range:
            self._past = past
            self._draw(now)

    def _draw(self, now: datetime) -> None:
        if self._state is None:
            return
        past = self._past if self._past.range is self.range else Past(range=self.range, read=False)
        self.chart.show_state(self._state, now, past)
        assert self.chart.shown is not None
        words = day_line(self._state, past, self.chart.shown)
        self.line.setText(words)
        self.line.setVisible(bool(words))
