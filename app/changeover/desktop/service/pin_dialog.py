"""Holding a deployment: a person's word against the probes', with a reason and an end."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from changeover.desktop.runtime.tasks import Tasks
from changeover.desktop.widgets.parts import Card, add_field, button, form_in, label
from changeover.desktop.widgets.strips import FaultStrip
from changeover.model.errors import ChangeoverError
from changeover.model.readiness.pin import Hold, Pin
from changeover.model.readiness.service_state import ServiceState
from changeover.storage.home import this_person
from changeover.switchboard import Switchboard

_HOUR = 3600.0
#: What can be chosen, in words and in seconds.
TIMES = (("for 1 hour", _HOUR), ("for 4 hours", 4 * _HOUR), ("for 24 hours", 24 * _HOUR), ("for 72 hours", 72 * _HOUR))
HOLDS = {
    Hold.HEALTHY: (
        "Hold it healthy",
        "Whatever the checks say, {name} counts as healthy, and nobody is alarmed.",
    ),
    Hold.UNHEALTHY: ("Hold it unhealthy", "Whatever the checks say, {name} counts as down."),
    Hold.NEVER: ("Never switch to it", "No switch may lead to {name}. Its health is told as it is."),
}


def pin_words(pin: Pin) -> str:
    """What a pin says and until when, in local time."""
    said = {
        Hold.HEALTHY: "is held healthy",
        Hold.UNHEALTHY: "is held unhealthy",
        Hold.NEVER: "is out of use for switches",
    }[pin.hold]
    return f"{pin.deployment} {said} until {pin.until.astimezone():%d %b %H:%M}: {pin.reason}"


class PinDialog(QDialog):
    """Chooses a deployment, what it is held as, why, and for how long. Nothing is changed at any provider."""

    def __init__(self, parent: QWidget | None, switchboard: Switchboard, tasks: Tasks, state: ServiceState) -> None:
        super().__init__(parent)
        self._switchboard = switchboard
        self._tasks = tasks
        self._service = state.service.name
        self._pins = dict(state.overlay.pins)
        self._own: asyncio.Task[Any] | None = None
        self.setWindowTitle(f"Hold a deployment of {self._service}")
        self.setMinimumWidth(560)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(12)
        column.addWidget(label(f"Hold a deployment of {self._service}", "title"))
        explained = "Your word counts, and not the checks, until it ends by itself. The checks go on meanwhile."
        column.addWidget(label(explained, "muted"))
        card = Card()
        form = form_in(card)
        self.deployment = QComboBox()
        self.deployment.addItems([d.name for d in state.service.deployments])
        self.deployment.setAccessibleName("Deployment")
        add_field(form, "Deployment", self.deployment)
        self.holds = {hold: QRadioButton(words) for hold, (words, _) in HOLDS.items()}
        self._group = QButtonGroup(self)
        choices = QVBoxLayout()
        choices.setSpacing(2)
        for made in self.holds.values():
            self._group.addButton(made)
            choices.addWidget(made)
            made.toggled.connect(lambda _: self._show())
        add_field(form, "What", choices)
        self.until = QComboBox()
        for words, seconds in TIMES:
            self.until.addItem(words, seconds)
        self.until.setAccessibleName("How long")
        self.until.setCurrentIndex(1)
        add_field(form, "How long", self.until)
        self.reason = QLineEdit()
        self.reason.setPlaceholderText("needed; shown wherever the service is")
        self.reason.setAccessibleName("Reason")
        add_field(form, "Reason", self.reason)
        column.addWidget(card)
        self.meaning = label()
        column.addWidget(self.meaning)
        self.fault = FaultStrip()
        column.addWidget(self.fault)
        column.addStretch(1)
        column.addLayout(self._buttons())
        self.deployment.currentIndexChanged.connect(lambda _: self._show())
        self.until.currentIndexChanged.connect(lambda _: self._show())
        self.reason.textChanged.connect(lambda _: self._show())
        self.fault.shown.connect(self._make_room)
        self.finished.connect(lambda _: self._let_go())
        self.holds[Hold.HEALTHY].setChecked(True)
        self._show()
        self.reason.setFocus()

    @property
    def hold(self) -> Hold:
        """What is chosen."""
        return next(hold for hold, made in self.holds.items() if made.isChecked())

    def choose(self, deployment: str) -> None:
        """Begins with this deployment."""
        self.deployment.setCurrentText(deployment)

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.unpin_button = button("Let it go now", lambda: self._spawn(self._unpin()))
        self.cancel_button = button("Cancel", self.reject)
        self.pin_button = button("Hold", lambda: self._spawn(self._pin()), "primary")
        row.addWidget(self.unpin_button)
        row.addStretch(1)
        row.addWidget(self.cancel_button)
        row.addWidget(self.pin_button)
        return row

    def _show(self) -> None:
        if not any(made.isChecked() for made in self.holds.values()):
            return
        name = self.deployment.currentText()
        pin = self._pins.get(name)
        until = datetime.fromtimestamp(datetime.now().timestamp() + self.until.currentData()).astimezone()
        means = f"{HOLDS[self.hold][1].format(name=name)} Ends {until:%d %b at %H:%M}."
        now = f"Now: {pin_words(pin)}. A new hold replaces this one.\n" if pin is not None else ""
        self.meaning.setText(now + means)
        self.unpin_button.setVisible(pin is not None)
        self._make_room()
        self.pin_button.setEnabled(bool(self.reason.text().strip()))
        self.pin_button.setToolTip("" if self.pin_button.isEnabled() else "Type a reason first")

    def _make_room(self) -> None:
        """Grows where the words have become longer; it never shrinks under the mouse."""
        layout = self.layout()
        needed = layout.totalHeightForWidth(self.width()) if layout is not None else 0
        if needed > self.height():
            self.resize(self.width(), needed)

    async def _pin(self) -> None:
        await self._done(
            self._switchboard.pin(
                self._service,
                self.deployment.currentText(),
                self.hold,
                self.reason.text().strip(),
                self.until.currentData(),
                who=this_person(),
            )
        )

    async def _unpin(self) -> None:
        name = self.deployment.currentText()
        await self._done(self._switchboard.unpin(self._service, name, who=this_person()))

    async def _done(self, work: Any) -> None:
        self.fault.hide()
        try:
            await work
        except ChangeoverError as error:
            self.fault.show_error(error)
        else:
            self.accept()

    def _spawn(self, work: Any) -> None:
        if self._own is not None:
            self._own.cancel()
        self._own = self._tasks.spawn(work, "holding a deployment")

    def _let_go(self) -> None:
        if self._own is not None:
            self._own.cancel()
