"""First page: is it planned or an emergency, and where do visitors go?"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QCheckBox, QHBoxLayout, QRadioButton, QVBoxLayout, QWidget

from changeover.desktop.widgets.parts import Card, caption, label
from changeover.desktop.widgets.shapes import OF_HEALTH, Mark, MarkWidget
from changeover.desktop.wizard.flow import destinations, emergency_first, kind_words
from changeover.model.dns import active
from changeover.model.readiness.service_state import ServiceState
from changeover.model.runs.plan_actions import has_steps_before
from changeover.model.wording.sentence import HEALTH_WORDS


class DirectionPage(QWidget):
    """Asks for the kind of switch, which decides everything else, and for the destination."""

    changed = Signal()

    def __init__(self, state: ServiceState) -> None:
        super().__init__()
        self._state = state
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self._from())
        column.addWidget(self._kind())
        column.addWidget(self._to())
        column.addStretch(1)
        self._explain()

    @property
    def to(self) -> str:
        chosen = self._targets.checkedButton()
        return str(chosen.property("deployment")) if chosen is not None else ""

    @property
    def emergency(self) -> bool:
        return self.emergency_choice.isChecked()

    @property
    def dns_first(self) -> bool:
        """Are the records to be changed before all other steps?"""
        return self.emergency and not self.dns_first_choice.isHidden() and self.dns_first_choice.isChecked()

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
            choice = QRadioButton(caption(name))
            choice.setProperty("deployment", name)
            choice.setChecked(number == 0)
            self._targets.addButton(choice)
            row.addWidget(choice)
            row.addWidget(MarkWidget(OF_HEALTH[health.health] if health else Mark.UNKNOWN))
            row.addWidget(label(health.reason if health else "not checked yet", "muted"), 1)
            card.body.addLayout(row)
        self._targets.buttonToggled.connect(lambda *_: self._explain())
        return card

    def _kind(self) -> Card:
        here = self._state.active
        known = self._state.service.deployment(here) is not None
        card = Card(f"Is {here} still working?" if known else "Is the present deployment still working?")
        self.planned_choice, self.emergency_choice = QRadioButton(), QRadioButton()
        self._explained = label("", "small"), label("", "small")
        kinds = QButtonGroup(self)
        for choice, explained in zip((self.planned_choice, self.emergency_choice), self._explained, strict=True):
            kinds.addButton(choice)
            both = QVBoxLayout()
            both.setSpacing(0)
            both.addWidget(choice)
            explained.setContentsMargins(28, 0, 0, 0)
            both.addWidget(explained)
            card.body.addLayout(both)
        self.dns_first_choice = QCheckBox()
        indented = QHBoxLayout()
        indented.setContentsMargins(28, 0, 0, 0)
        indented.addWidget(self.dns_first_choice)
        card.body.addLayout(indented)
        (self.emergency_choice if emergency_first(self._state) else self.planned_choice).setChecked(True)
        kinds.buttonToggled.connect(lambda *_: self._explain())
        return card

    def _explain(self) -> None:
        """What each kind means for the destination that is chosen."""
        for choice, explained, words in zip(
            (self.planned_choice, self.emergency_choice), self._explained, kind_words(self._state, self.to), strict=True
        ):
            choice.setText(caption(words[0]))
            explained.setText(words[1])
            choice.setAccessibleDescription(words[1])
        first = f"Change DNS first: visitors may reach {self.to} before the other steps are done"
        self.dns_first_choice.setText(caption(first))
        self.dns_first_choice.setVisible(self.emergency and has_steps_before(self._state.service, self.to))
        self.changed.emit()
