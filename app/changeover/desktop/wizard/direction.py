"""First page: from where to where, and is it an emergency?"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QRadioButton, QVBoxLayout, QWidget

from changeover.desktop.parts import Card, label
from changeover.desktop.shapes import OF_HEALTH, Mark, MarkWidget
from changeover.desktop.wizard.flow import destinations, emergency_first
from changeover.model import active
from changeover.model.sentence import HEALTH_WORDS
from changeover.model.state import ServiceState


class DirectionPage(QWidget):
    """Asks for the destination and the kind of switch."""

    changed = Signal()

    def __init__(self, state: ServiceState) -> None:
        super().__init__()
        self._state = state
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self._from())
        column.addWidget(self._to())
        column.addWidget(self._kind())
        column.addStretch(1)

    @property
    def to(self) -> str:
        chosen = self._targets.checkedButton()
        return str(chosen.property("deployment")) if chosen is not None else ""

    @property
    def emergency(self) -> bool:
        return self.emergency_choice.isChecked()

    def _from(self) -> Card:
        state = self._state
        card = Card("Visitors are now at")
        health = state.health.get(state.active)
        text = {
            active.MIXED: "different deployments, by hostname or name server",
            active.ELSEWHERE: "something that is none of the deployments",
            active.UNKNOWN: "not known",
        }.get(state.active, state.active)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(MarkWidget(OF_HEALTH[health.health] if health else Mark.UNKNOWN))
        row.addWidget(label(text, "strong", wrap=False))
        said = f"{HEALTH_WORDS[health.health]}: {health.reason}" if health else ""
        row.addWidget(label(said, "muted"), 1)
        card.body.addLayout(row)
        return card

    def _to(self) -> Card:
        card = Card("Send them to")
        self._targets = QButtonGroup(self)
        for number, name in enumerate(destinations(self._state)):
            health = self._state.health.get(name)
            row = QHBoxLayout()
            choice = QRadioButton(name)
            choice.setProperty("deployment", name)
            choice.setChecked(number == 0)
            self._targets.addButton(choice)
            row.addWidget(choice)
            row.addWidget(MarkWidget(OF_HEALTH[health.health] if health else Mark.UNKNOWN))
            row.addWidget(label(health.reason if health else "not checked yet", "muted"), 1)
            card.body.addLayout(row)
        self._targets.buttonToggled.connect(lambda *_: self.changed.emit())
        return card

    def _kind(self) -> Card:
        here = self._state.active
        known = self._state.service.deployment(here) is not None
        card = Card(f"Is {here} still working?" if known else "Is the present deployment still working?")
        self.planned_choice = QRadioButton("Yes: planned switchover")
        self.emergency_choice = QRadioButton("No: emergency failover")
        texts = (
            (self.planned_choice, "Every check counts. The right one for a drill, a move or a failback."),
            (
                self.emergency_choice,
                "That the present deployment is down does not stand in the way, and what proves the other one may be "
                "overridden by name.",
            ),
        )
        kinds = QButtonGroup(self)
        for choice, text in texts:
            kinds.addButton(choice)
            both = QVBoxLayout()
            both.setSpacing(0)
            both.addWidget(choice)
            explained = label(text, "small")
            explained.setContentsMargins(28, 0, 0, 0)
            both.addWidget(explained)
            card.body.addLayout(both)
        (self.emergency_choice if emergency_first(self._state) else self.planned_choice).setChecked(True)
        kinds.buttonToggled.connect(lambda *_: self.changed.emit())
        return card
