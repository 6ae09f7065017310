"""Maintenance windows: planned work, once or every week, by the clock of a time zone."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QStringListModel, Qt, QTimeZone, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QCompleter, QHBoxLayout, QVBoxLayout, QWidget

from changeover.desktop.checks.check_form import Window
from changeover.desktop.widgets.form_fields import Faulty, line_field, short_field
from changeover.desktop.widgets.parts import Card, button, label
from changeover.model.settings.maintenance import DAYS

_EXPLAINED = "While planned work goes on nothing is told, and nothing counts against availability."
_TIME = 76
_DATE = 112


def own_zone() -> str:
    """The name of this computer's time zone."""
    return bytes(QTimeZone.systemTimeZoneId().data()).decode() or "UTC"


class WindowRow(Faulty):
    """One window."""

    def __init__(
        self,
        window: Window,
        deployments: tuple[str, ...],
        zones: QCompleter,
        changed: Callable[[], None],
        remove: Callable[[WindowRow], None],
    ) -> None:
        super().__init__()
        self.often = QComboBox()
        self.often.addItems(["Once", "Every week"])
        self.often.setAccessibleName("How often")
        self.often.setCurrentIndex(int(window.weekly))
        self.date = line_field("Date", window.date, "2026-12-01")
        self.date.setFixedWidth(_DATE)
        self.days = {day: QCheckBox(day[:2].capitalize()) for day in DAYS}
        self.week = QWidget()
        week = QHBoxLayout(self.week)
        week.setContentsMargins(0, 0, 0, 0)
        week.setSpacing(2)
        for day, box in self.days.items():
            box.setAccessibleName(day.capitalize())
            box.setToolTip(day.capitalize())
            box.setChecked(day in window.days)
            week.addWidget(box)
        self.remove_button = button("Remove", lambda: remove(self), "link", name="Remove this window")
        self.put(self.often, self.date, self.week)
        self.row.addWidget(self.remove_button)
        self.at = short_field("Begin", window.at)
        self.at.setPlaceholderText("02:30")
        self.minutes = short_field("Minutes", window.minutes)
        self.zone = line_field("Time zone", window.zone, "Europe/Berlin")
        self.zone.setCompleter(zones)
        self.which = QComboBox()
        self.which.setAccessibleName("Deployments")
        self.which.addItem("all deployments", ())
        for name in deployments:
            self.which.addItem(name, (name,))
        if len(window.deployments) > 1:
            self.which.addItem(", ".join(window.deployments), window.deployments)
        self.which.setCurrentIndex(max(0, self.which.findText(", ".join(window.deployments))))
        second = QHBoxLayout()
        second.setSpacing(8)
        for piece in ("at", self.at, "for", self.minutes, "minutes, by the clock of", self.zone):
            if isinstance(piece, str):
                second.addWidget(label(piece, wrap=False))
            else:
                second.addWidget(piece, 1 if piece is self.zone else 0)
        third = QHBoxLayout()
        third.setSpacing(8)
        third.addWidget(label("on", wrap=False))
        third.addWidget(self.which)
        third.addStretch(1)
        self.column.insertLayout(1, second)
        self.column.insertLayout(2, third)
        for field in (self.date, self.at, self.minutes, self.zone):
            field.textChanged.connect(lambda _: changed())
        self.often.currentIndexChanged.connect(lambda _: self._show_when())
        self._show_when()

    @property
    def typed(self) -> Window:
        return Window(
            weekly=self.often.currentIndex() == 1,
            at=self.at.text(),
            minutes=self.minutes.text(),
            zone=self.zone.text(),
            date=self.date.text(),
            days=tuple(day for day, box in self.days.items() if box.isChecked()),
            deployments=tuple(self.which.currentData()),
        )

    def _show_when(self) -> None:
        weekly = self.often.currentIndex() == 1
        self.week.setVisible(weekly)
        self.date.setVisible(not weekly)


class MaintenanceCard(Card):
    """All windows of a service."""

    changed = Signal()
    arranged = Signal()

    def __init__(self, windows: tuple[Window, ...], deployments: tuple[str, ...]) -> None:
        super().__init__("Maintenance")
        self.rows: list[WindowRow] = []
        self._deployments = deployments
        self._zones: QCompleter | None = None
        self.body.addWidget(label(_EXPLAINED, "muted"))
        self._column = QVBoxLayout()
        self._column.setSpacing(12)
        self.body.addLayout(self._column)
        self.add_button = button("Add a window", self.add)
        self.body.addWidget(self.add_button, 0, Qt.AlignmentFlag.AlignLeft)
        for window in windows:
            self._add(window)

    def add(self) -> None:
        """Adds a window, once, by this computer's clock."""
        self._add(Window(weekly=False, at="", minutes="60", zone=own_zone()))
        self.arranged.emit()
        self.rows[-1].often.setFocus()

    @property
    def windows(self) -> tuple[Window, ...]:
        return tuple(row.typed for row in self.rows)

    def _add(self, window: Window) -> None:
        if self._zones is None:
            from zoneinfo import available_timezones

            self._zones = QCompleter(QStringListModel(sorted(available_timezones()), self), self)
            self._zones.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
            self._zones.setFilterMode(Qt.MatchFlag.MatchContains)
        row = WindowRow(window, self._deployments, self._zones, self.changed.emit, self._remove)
        self.rows.append(row)
        self._column.addWidget(row)

    def _remove(self, row: WindowRow) -> None:
        self.rows.remove(row)
        row.hide()
        row.deleteLater()
        self.add_button.setFocus()
        self.arranged.emit()
