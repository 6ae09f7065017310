"""The wizard's window: the pages on the right, where one is on the left, what can be done below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from changeover.desktop.widgets.parts import button, label, set_role
from changeover.desktop.widgets.strips import FaultStrip
from changeover.desktop.wizard.flow import WizardPage


class Frame(QDialog):
    """Lays everything out, and shows which page one is on."""

    def __init__(
        self, parent: QWidget | None, views: Mapping[WizardPage, QWidget], pages: Sequence[WizardPage]
    ) -> None:
        """`views` has every page's widget, `pages` those that are listed on the left."""
        super().__init__(parent)
        self.resize(900, 640)
        self.setMinimumSize(720, 480)
        self.page = pages[0]
        self._order = tuple(views)
        self.title = label("", "title")
        self.subtitle = label("", "muted")
        self._stack = QStackedWidget()
        for page, view in views.items():
            area = QScrollArea()
            area.setWidgetResizable(True)
            area.setAccessibleName(page.value)
            view.setObjectName("page")
            view.setContentsMargins(0, 0, 6, 0)
            area.setWidget(view)
            self._stack.addWidget(area)
        right = QVBoxLayout()
        right.setContentsMargins(24, 20, 18, 16)
        right.setSpacing(6)
        right.addWidget(self.title)
        right.addWidget(self.subtitle)
        right.addSpacing(6)
        self.fault = FaultStrip()
        right.addWidget(self.fault)
        right.addWidget(self._stack, 1)
        self.why = label("", "fault")
        right.addWidget(self.why)
        top = QHBoxLayout()
        top.setContentsMargins(0, 0, 0, 0)
        top.setSpacing(0)
        top.addWidget(self._side(pages))
        top.addLayout(right, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(top, 1)
        whole.addWidget(self._footer())

    def _side(self, pages: Sequence[WizardPage]) -> QWidget:
        side = QWidget()
        side.setObjectName("side")
        side.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        side.setFixedWidth(170)
        column = QVBoxLayout(side)
        column.setContentsMargins(18, 22, 12, 12)
        column.setSpacing(16)
        self._trail: dict[WizardPage, QLabel] = {}
        for page in pages:
            self._trail[page] = label(page.value, "muted", wrap=False)
            column.addWidget(self._trail[page])
        column.addStretch(1)
        return side

    def _footer(self) -> QWidget:
        footer = QWidget()
        footer.setObjectName("footer")
        footer.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        row = QHBoxLayout(footer)
        row.setContentsMargins(18, 10, 18, 10)
        row.setSpacing(8)
        self.save_button = button("Save report…")
        self.back_out_button = button("Stop and go back…")
        self.emergency_button = button("It became an emergency…")
        self.pause_button = button("Pause")
        self.undo_button = button("Undo…")
        self.keep_button = button("Keep it")
        self.back_button = button("Back")
        self.close_button = button("Cancel")
        self.next_button = button("Next", role="primary")
        self.resume_button = button("Go on", role="primary")
        self.switch_button = button("Switch", role="danger")
        row.addWidget(self.save_button)
        row.addStretch(1)
        for made in (
            self.emergency_button,
            self.back_out_button,
            self.pause_button,
            self.undo_button,
            self.keep_button,
            self.back_button,
            self.close_button,
            self.next_button,
            self.resume_button,
            self.switch_button,
        ):
            row.addWidget(made)
        return footer

    def show_page(self, page: WizardPage) -> None:
        """Turns to a page, and marks it on the left."""
        self.page = page
        self._stack.setCurrentIndex(self._order.index(page))
        here = list(self._trail).index(page)
        for number, (each, text) in enumerate(self._trail.items()):
            text.setText(f"✓ {each.value}" if number < here else each.value)
            set_role(text, "strong" if each is page else "muted")
