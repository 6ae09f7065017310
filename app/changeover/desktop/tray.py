"""The tray icon: the lever shows where visitors go, a shape shows how it stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec import Struct
from PySide6.QtCore import QObject, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from changeover.desktop.widgets.colours import DARK, LIGHT, Colours, colours
from changeover.desktop.widgets.shapes import Mark, of_state, paint_mark
from changeover.model.foreign_text import many_lines
from changeover.model.formatting import counted
from changeover.model.readiness.service_state import ServiceState
from changeover.model.wording.local_fault import own_fault_line
from changeover.model.wording.notice import Notice
from changeover.model.wording.sentence import list_line

SIZES = (16, 22, 24, 32, 44, 64, 128)
#: A tray may come up after the desktop has, and go before it: look this often, in milliseconds. It is gone where
#: that many looks in a row find none.
_LOOK_AGAIN, _GONE_AFTER = 3000, 2
#: Changes of hundreds of services within this time, in milliseconds, are shown as one.
_SETTLE = 100
_SIGNS = {
    Mark.HEALTHY: "●",
    Mark.DEGRADED: "▲",
    Mark.RECOVERING: "△",
    Mark.FLAPPING: "⧗",
    Mark.DOWN: "■",
    Mark.UNKNOWN: "○",
    Mark.OFFLINE: "⊘",
    Mark.MAINTENANCE: "◇",
    Mark.HELD: "◉",
    Mark.WORKING: "◐",
}
_NEEDY = (Mark.DOWN, Mark.FLAPPING, Mark.DEGRADED, Mark.RECOVERING)
_WORST = (*_NEEDY, Mark.WORKING, Mark.OFFLINE, Mark.UNKNOWN, Mark.MAINTENANCE, Mark.HELD, Mark.HEALTHY)


class Glance(Struct, frozen=True):
    """All services in one look."""

    mark: Mark
    on_backup: bool
    words: str


def glance(states: Sequence[ServiceState], now: datetime) -> Glance:
    """The worst state of all, whether any service is away from its primary, and both in words."""
    marks = {s.service.name: of_state(s) for s in states}
    worst = next((m for m in _WORST if m in marks.values()), Mark.UNKNOWN)
    away = any(s.active in [d.name for d in s.service.deployments[1:]] for s in states)
    needy = [s for s in states if marks[s.service.name] in _NEEDY]
    if not states:
        words = "Changeover: no services yet"
    elif needy:
        lines = [f"{s.service.name}: {list_line(s, now)}" for s in needy[:5]]
        more = [f"and {len(needy) - 5} more"] if len(needy) > 5 else []
        words = "\n".join(lines + more)
    elif worst is Mark.OFFLINE:
        words = f"Changeover: {next(line for s in states if (line := own_fault_line(s)))}"
    else:
        words = f"Changeover: {counted(len(states), 'service')}, {worst.value}"
    return Glance(worst, away, words)


def paint_lever(painter: QPainter, side: float, on_backup: bool, mark: Mark, tones: Colours) -> None:
    """The icon in a square of `side`: two lanes from one line, the taken one strong, and the mark below."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    unit = side / 22

    def lane(up: bool) -> QPainterPath:
        path = QPainterPath(QPointF(2 * unit, 8 * unit))
        path.lineTo(QPointF(7 * unit, 8 * unit))
        to = 3 * unit if up else 13 * unit
        path.cubicTo(QPointF(11 * unit, 8 * unit), QPointF(9 * unit, to), QPointF(13 * unit, to))
        path.lineTo(QPointF(20 * unit, to))
        return path

    cap = Qt.PenCapStyle.RoundCap
    join = Qt.PenJoinStyle.RoundJoin
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(tones.idle), 2.4 * unit, Qt.PenStyle.SolidLine, cap, join))
    painter.drawPath(lane(on_backup))
    painter.setPen(QPen(QColor(tones.text), 3 * unit, Qt.PenStyle.SolidLine, cap, join))
    painter.drawPath(lane(not on_backup))
    paint_mark(painter, QRectF(1 * unit, 13 * unit, 8 * unit, 8 * unit), mark, mark.tone(tones))


def tray_pixmap(side: int, on_backup: bool, mark: Mark, tones: Colours) -> QPixmap:
    """The icon at one size, on a clear ground."""
    made = QPixmap(side, side)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    paint_lever(painter, side, on_backup, mark, tones)
    painter.end()
    return made


def tray_icon(on_backup: bool, mark: Mark, tones: Colours) -> QIcon:
    """The icon at every size that trays ask for."""
    icon = QIcon()
    for side in SIZES:
        icon.addPixmap(tray_pixmap(side, on_backup, mark, tones))
    return icon


def _unmarked(text: str) -> str:
    """`text` without what a desktop's own tray and notifications may read as mark-up: they take no other format."""
    return many_lines(text).replace("<", "‹").replace(">", "›")


class Tray(QObject):
    """The icon and its menu, where the desktop has a tray."""

    #: There is no tray, or none any more.
    gone = Signal()

    def __init__(
        self,
        states: Callable[[], Sequence[ServiceState]],
        open_service: Callable[[str | None], None],
        quit_: Callable[[], None],
    ) -> None:
        super().__init__()
        self._states = states
        self._open = open_service
        self._quit = quit_
        self._shown: tuple[object, ...] = ()
        self.menu = QMenu()
        self.menu.aboutToShow.connect(self._fill)
        self.icon = QSystemTrayIcon(self)
        self.icon.setContextMenu(self.menu)
        self.icon.activated.connect(self._activated)
        self.icon.messageClicked.connect(self._message_clicked)
        self._missed = 0
        self._said_where = False
        #: The service that the newest message is about.
        self._about: str | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_AGAIN)
        self._timer.timeout.connect(self._look_again)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SETTLE)
        self._soon.timeout.connect(self._update)
        self._fill()
        self._update()
        self._look_again()
        self._timer.start()

    @property
    def there(self) -> bool:
        """Does a tray show the icon now? Only then may the window be closed without an end."""
        return QSystemTrayIcon.isSystemTrayAvailable() and self.icon.isVisible()

    @property
    def glance(self) -> Glance:
        return glance(self._states(), datetime.now().astimezone())

    def update(self) -> None:
        """Some service's state is another: shows all of them a moment later, together with what else changes."""
        if not self._soon.isActive():
            self._soon.start()

    def _update(self) -> None:
        seen = self.glance
        tones = colours()
        if (seen.mark, seen.on_backup, tones) != self._shown[:3]:
            self.icon.setIcon(tray_icon(seen.on_backup, seen.mark, tones))
        if seen.words not in self._shown:
            self.icon.setToolTip(_unmarked(seen.words))
        self._shown = (seen.mark, seen.on_backup, tones, seen.words)

    def say_where(self) -> None:
        """Says once that the window is closed and the watching goes on."""
        if not self._said_where:
            self._said_where = True
            self._about = None
            self.icon.showMessage(
                "Changeover keeps watching", "Click its icon to open the window again.", self.icon.icon()
            )

    def close(self) -> None:
        self._timer.stop()
        self._soon.stop()
        self.icon.hide()

    def tell(self, notice: Notice) -> None:
        """Shows what is worth an interruption. Without a tray nothing: the window shows it."""
        if self.there:
            self._about = notice.services[0]
            signs = QSystemTrayIcon.MessageIcon
            sign = signs.Critical if notice.grave else signs.Information
            self.icon.showMessage(_unmarked(notice.title), _unmarked(notice.text), sign)

    def _message_clicked(self) -> None:
        there = any(s.service.name == self._about for s in self._states())
        self._open(self._about if there else None)

    def _look_again(self) -> None:
        if QSystemTrayIcon.isSystemTrayAvailable():
            self._missed = 0
            self.icon.show()
            return
        self._missed += 1
        if self._missed == _GONE_AFTER:
            self.gone.emit()

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in (QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick):
            self._open(None)

    def _fill(self) -> None:
        now = datetime.now().astimezone()
        self.menu.clear()
        states = self._states()
        needy = sum(of_state(s) in _NEEDY for s in states)
        if states:
            text = f"{needy} of {counted(len(states), 'service')} {'needs' if needy == 1 else 'need'} you"
            self.menu.addAction(text if needy else self._quiet_words(states)).setEnabled(False)
            self.menu.addSeparator()
        for state in states:
            sign = _SIGNS[of_state(state)]
            action = self.menu.addAction(
                _unmarked(f"{sign}  {state.service.name} · {list_line(state, now)}").replace("&", "&&")
            )
            action.triggered.connect(lambda _=False, name=state.service.name: self._open(name))
        if states:
            self.menu.addSeparator()
        self.menu.addAction("Open Changeover").triggered.connect(lambda: self._open(None))
        self.menu.addSeparator()
        self.menu.addAction("Quit").triggered.connect(lambda: self._quit())

    @staticmethod
    def _quiet_words(states: Sequence[ServiceState]) -> str:
        """What to say where nobody is needed: that all is well only where that is known."""
        line = next((line for s in states if (line := own_fault_line(s))), "")
        if line:
            return line[:1].upper() + line[1:]
        unknown = any(of_state(s) is Mark.UNKNOWN for s in states)
        return "Not everything is known yet" if unknown else "All is well"


#: Both looks, for pictures of the icon on light and dark panels.
LOOKS = (LIGHT, DARK)
