"""Journeys: a few requests in a row, their steps typed as the settings file has them and told in words below."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontDatabase, QFontMetrics
from PySide6.QtWidgets import QPlainTextEdit, QVBoxLayout

from changeover.desktop.checks.check_form import FIRST_STEPS, JourneyText
from changeover.desktop.checks.check_words import journey_words
from changeover.desktop.widgets.form_fields import Faulty, line_field
from changeover.desktop.widgets.parts import Card, button, label

_EXPLAINED = (
    "A few requests in a row, as a visitor would make them; cookies are kept between them. What a step captures stands "
    "in {braces} in later ones, and {secret:NAME} comes from the keyring."
)
#: Lines of an editor at least and at most, and the pixels around them.
_LINES = (4, 16)
_AROUND = 32


class JourneyRow(Faulty):
    """One journey: its name, its steps, and what these do in words."""

    def __init__(self, journey: JourneyText, changed: Callable[[], None], remove: Callable[[JourneyRow], None]) -> None:
        super().__init__()
        self._given = journey.steps
        self.name = line_field("Name of the journey", journey.name, "log in, read, log out")
        self.remove_button = button("Remove", lambda: remove(self), "link", name="Remove this journey")
        self.put("Journey", stretch=False)
        self.row.addWidget(self.name, 1)
        self.row.addWidget(self.remove_button)
        self.steps = QPlainTextEdit()
        self.steps.setAccessibleName("Steps of the journey")
        self.steps.setTabChangesFocus(True)
        self.steps.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family()
        self.steps.setStyleSheet(f'font-family: "{fixed}";')
        self.steps.setPlainText(journey.steps)
        self._shown = self.steps.toPlainText()
        self.words = label("", "small")
        self.column.insertWidget(1, self.steps)
        self.column.insertWidget(2, self.words)
        self.name.textChanged.connect(lambda _: changed())
        self.steps.textChanged.connect(self._tell)
        self.steps.textChanged.connect(changed)
        self._tell()

    @property
    def journey(self) -> JourneyText:
        """What was typed. A text that nobody touched is given as it came, since the editor changes rare characters."""
        text = self.steps.toPlainText()
        return JourneyText(self.name.text(), self._given if text == self._shown else text)

    def _tell(self) -> None:
        words = journey_words(self.journey.steps)
        self.words.setText(words)
        self.words.setVisible(bool(words))
        least, most = _LINES
        lines = min(most, max(least, self.steps.document().blockCount()))
        self.steps.ensurePolished()
        line = QFontMetrics(self.steps.font()).lineSpacing()
        self.steps.setFixedHeight(lines * line + _AROUND)


class JourneysCard(Card):
    """All journeys."""

    changed = Signal()
    arranged = Signal()

    def __init__(self, journeys: tuple[JourneyText, ...]) -> None:
        super().__init__("Journeys")
        self.rows: list[JourneyRow] = []
        self.body.addWidget(label(_EXPLAINED, "muted"))
        self._column = QVBoxLayout()
        self._column.setSpacing(12)
        self.body.addLayout(self._column)
        self.add_button = button("Add a journey", self.add)
        self.body.addWidget(self.add_button, 0, Qt.AlignmentFlag.AlignLeft)
        for journey in journeys:
            self._add(journey)

    def add(self) -> None:
        """Adds a journey with steps to begin from."""
        self._add(JourneyText("", FIRST_STEPS))
        self.arranged.emit()
        self.rows[-1].name.setFocus()

    @property
    def journeys(self) -> tuple[JourneyText, ...]:
        return tuple(row.journey for row in self.rows)

    def _add(self, journey: JourneyText) -> None:
        row = JourneyRow(journey, self.changed.emit, self._remove)
        self.rows.append(row)
        self._column.addWidget(row)

    def _remove(self, row: JourneyRow) -> None:
        self.rows.remove(row)
        row.hide()
        row.deleteLater()
        self.add_button.setFocus()
        self.arranged.emit()
