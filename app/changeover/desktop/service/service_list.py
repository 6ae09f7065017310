"""The list of services on the left: shape, name, and where each runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from changeover.desktop.widgets.colours import colours, text_size
from changeover.desktop.widgets.parts import button, plain_tip
from changeover.desktop.widgets.shapes import Mark, of_state, paint_mark
from changeover.model.foreign_text import shown
from changeover.model.readiness.service_state import ServiceState
from changeover.model.wording.sentence import list_line

_LINE = Qt.ItemDataRole.UserRole
_MARK = Qt.ItemDataRole.UserRole + 1
_NAME = Qt.ItemDataRole.UserRole + 2
_Index = QModelIndex | QPersistentModelIndex


class _Row(QStyledItemDelegate):
    """Paints one service."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(120, 2 * text_size() + 28)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        area, state = QRectF(option.rect), option.state
        tones = colours()
        painter.save()
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(area, QColor(tones.selected))
            painter.fillRect(QRectF(area.left(), area.top(), 3, area.height()), QColor(tones.accent))
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(area, QColor(tones.hover))
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QColor(tones.accent))
            painter.drawRect(area.adjusted(0.5, 0.5, -1.5, -1.5))
        mark: Mark = index.data(_MARK)
        paint_mark(painter, QRectF(area.left() + 18, area.center().y() - 5, 10, 10), mark, mark.tone(tones))
        text = area.adjusted(40, 7, -10, -7)
        half = text.height() / 2
        bold, plain = QFont(painter.font()), QFont(painter.font())
        bold.setPixelSize(text_size())
        bold.setWeight(QFont.Weight.DemiBold)
        plain.setPixelSize(text_size() - 1)
        for number, (how, tone, what) in enumerate(
            ((bold, tones.text, index.data(_NAME)), (plain, tones.muted, index.data(_LINE)))
        ):
            row = QRectF(text.left(), text.top() + number * half, text.width(), half)
            painter.setFont(how)
            painter.setPen(QColor(tone))
            fitting = QFontMetricsF(how).elidedText(shown(what), Qt.TextElideMode.ElideRight, row.width())
            painter.drawText(row, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, fitting)
        painter.restore()


class ServiceList(QWidget):
    """All services, with a filter above and the way to more of them below."""

    chosen = Signal(str)
    add_service = Signal()
    open_accounts = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("side")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(16 * text_size() + 57)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 14, 1, 8)
        column.setSpacing(12)
        top = QHBoxLayout()
        top.setContentsMargins(14, 0, 14, 0)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter services")
        self.filter.setAccessibleName("Filter services")
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(lambda _: self._hide_others())
        top.addWidget(self.filter)
        column.addLayout(top)
        self.rows = QListWidget()
        self.rows.setAccessibleName("Services")
        self.rows.setItemDelegate(_Row(self.rows))
        self.rows.setMouseTracking(True)
        self.rows.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.rows.currentItemChanged.connect(self._choose)
        column.addWidget(self.rows, 1)
        foot = QHBoxLayout()
        foot.setContentsMargins(16, 0, 16, 0)
        self.add_button = button("Add service…", self.add_service.emit, "link")
        self.accounts_button = button("Accounts…", self.open_accounts.emit, "link")
        foot.addWidget(self.add_button)
        foot.addStretch(1)
        foot.addWidget(self.accounts_button)
        column.addLayout(foot)
        self._items: dict[str, QListWidgetItem] = {}

    def show_services(self, states: Sequence[ServiceState], now: datetime) -> None:
        """Shows exactly these services, keeping the chosen one chosen."""
        before = self.current
        self.rows.blockSignals(True)
        self.rows.clear()
        self._items = {}
        for state in states:
            item = QListWidgetItem()
            self._items[state.service.name] = item
            self._fill(item, state, now)
            self.rows.addItem(item)
        self.rows.blockSignals(False)
        self._hide_others()
        if states:
            self.choose(before if before in self._items else states[0].service.name)

    def show_state(self, state: ServiceState, now: datetime) -> None:
        item = self._items.get(state.service.name)
        if item is not None:
            self._fill(item, state, now)

    @property
    def current(self) -> str | None:
        item = self.rows.currentItem()
        return str(item.data(_NAME)) if item is not None else None

    def choose(self, name: str) -> None:
        self.rows.setCurrentItem(self._items[name])

    @staticmethod
    def _fill(item: QListWidgetItem, state: ServiceState, now: datetime) -> None:
        mark = of_state(state)
        line = list_line(state, now)
        name = state.service.name
        if (item.data(_NAME), item.data(_LINE), item.data(_MARK)) == (name, line, mark):
            return
        item.setData(_NAME, name)
        item.setData(_LINE, line)
        item.setData(_MARK, mark)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{name}, {mark.value}, {line}")
        item.setToolTip(plain_tip(f"{name}: {line}"))

    def _choose(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.chosen.emit(item.data(_NAME))

    def _hide_others(self) -> None:
        wanted = self.filter.text().strip().lower()
        for name, item in self._items.items():
            item.setHidden(wanted not in name.lower())
