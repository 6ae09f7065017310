"""The main window. It is painted before anything is read; what it shows comes later."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMainWindow, QStackedWidget, QVBoxLayout, QWidget


class MainWindow(QMainWindow):
    """The frame: services on the left, a page on the right, errors in words above it."""

    #: Somebody closes the window.
    closing = Signal()
    #: Somebody presses Ctrl+Q.
    quitting = Signal()

    def __init__(self) -> None:
        """An empty window, quick to paint. `furnish` puts everything else into it."""
        super().__init__()
        self.setWindowTitle("Changeover")
        self.resize(1180, 760)
        self.setMinimumSize(900, 600)
        inside = QWidget()
        self._row = QHBoxLayout(inside)
        self._row.addStretch(1)
        self._row.addWidget(QLabel("Reading the settings…"))
        self._row.addStretch(1)
        self.setCentralWidget(inside)

    def furnish(self) -> None:
        """Puts the frame in: room for the list, the strips and the pages."""
        from PySide6.QtGui import QKeySequence, QShortcut

        from changeover.desktop.widgets.strips import FaultStrip

        inside = QWidget()
        inside.setObjectName("page")
        self._row = QHBoxLayout(inside)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(0)
        right = QVBoxLayout()
        right.setSpacing(0)
        self.above = QVBoxLayout()
        self.above.setSpacing(8)
        self.fault = FaultStrip()
        self._strips: list[QWidget] = [self.fault]
        self.above.addWidget(self.fault)
        right.addLayout(self.above)
        self.pages = QStackedWidget()
        right.addWidget(self.pages, 1)
        self._row.addLayout(right, 1)
        self.setCentralWidget(inside)
        self.fault.shown.connect(self.make_room)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Quit), self).activated.connect(self.quitting)
        self.make_room()

    def put_left(self, widget: QWidget) -> None:
        self._row.insertWidget(0, widget)

    def put_above(self, widget: QWidget, *, visible: bool = True) -> None:
        """Puts a strip above the page, under any error."""
        self._strips.append(widget)
        self.above.addWidget(widget)
        widget.setVisible(visible)
        self.make_room()

    def show_page(self, page: QWidget) -> None:
        if self.pages.indexOf(page) < 0:
            self.pages.addWidget(page)
        self.pages.setCurrentWidget(page)

    def bring_forward(self) -> None:
        """Shows the window, wherever it was."""
        from PySide6.QtCore import Qt

        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Never closes by itself: whoever listens hides it or ends the application."""
        event.ignore()
        self.closing.emit()

    def make_room(self) -> None:
        """Leaves a margin above the strips where any is visible."""
        some = any(not strip.isHidden() for strip in self._strips)
        self.above.setContentsMargins(24, 16 if some else 0, 24, 0)
