"""The main window. It is painted before anything is read; what it shows comes later."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from changeover.desktop.fault import FaultStrip
from changeover.desktop.parts import label


class MainWindow(QMainWindow):
    """The frame: services on the left, a page on the right, errors in words above it."""

    closing = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("Changeover")
        self.resize(1180, 760)
        self.setMinimumSize(900, 600)
        inside = QWidget()
        inside.setObjectName("page")
        self._row = QHBoxLayout(inside)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(0)
        right = QVBoxLayout()
        right.setSpacing(0)
        self.above = QVBoxLayout()
        self.above.setContentsMargins(24, 0, 24, 0)
        self.fault = FaultStrip()
        self._strips: list[QWidget] = [self.fault]
        self.above.addWidget(self.fault)
        right.addLayout(self.above)
        self.pages = QStackedWidget()
        right.addWidget(self.pages, 1)
        self._row.addLayout(right, 1)
        self.setCentralWidget(inside)
        self._starting = label("Reading the settings…", "muted")
        self._starting.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.pages.addWidget(self._starting)
        self.fault.shown.connect(self._make_room)
        self._quit = QShortcut(QKeySequence(QKeySequence.StandardKey.Quit), self)

    def on_quit(self, quit_: Callable[[], None]) -> None:
        """Ctrl+Q ends the whole application."""
        self._quit.activated.connect(lambda: quit_())

    def put_left(self, widget: QWidget) -> None:
        self._row.insertWidget(0, widget)

    def put_above(self, widget: QWidget) -> None:
        """Puts a strip above the page, under any error."""
        self._strips.append(widget)
        self.above.addWidget(widget)
        widget.show()
        self._make_room()

    def show_page(self, page: QWidget) -> None:
        if self.pages.indexOf(page) < 0:
            self.pages.addWidget(page)
        self.pages.setCurrentWidget(page)

    def bring_forward(self) -> None:
        """Shows the window, wherever it was."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Never closes by itself: whoever listens hides it or ends the application."""
        event.ignore()
        self.closing.emit()

    def _make_room(self) -> None:
        some = any(not strip.isHidden() for strip in self._strips)
        self.above.setContentsMargins(24, 16 if some else 0, 24, 0)
