"""What a check that was just tried gave: each deployment with the sentence of what failed."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout

from changeover.desktop.widgets.parts import Card, button, clear, label
from changeover.desktop.widgets.shapes import OF_HEALTH, MarkWidget
from changeover.model.health.probe_result import Health, Round

#: So many results of one deployment are told.
_TOLD = 4


def round_words(probed: Round) -> str:
    """What a round gave, a line for each thing that did not answer well."""
    bad = [r for r in probed.results if not r.ok]
    if not bad:
        return probed.reason
    several = len({(r.hostname, r.address) for r in probed.results}) > 1
    lines = []
    for result in bad[:_TOLD]:
        where = f"{result.hostname} at {result.address}" if result.address else result.hostname
        lines.append(f"{where}: {result.reason}" if several else result.reason)
    more = len(bad) - _TOLD
    return "\n".join([*lines, f"and {more} more"] if more > 0 else lines)


class Tried(Card):
    """Hidden until something was tried."""

    def __init__(self) -> None:
        super().__init__("Tried just now; nothing of it is kept")
        #: By deployment, what it is and the words for it.
        self.outcomes: dict[str, tuple[Health, str]] = {}
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(2, 1)
        self.body.addLayout(self._grid)
        self.hide_button = button("Hide", self.hide, "link", name="Hide what was tried")
        self.body.addWidget(self.hide_button, 0, Qt.AlignmentFlag.AlignLeft)
        self.hide()

    def show_trying(self) -> None:
        """Says that the answers are waited for."""
        clear(self._grid)
        self.outcomes = {}
        self._grid.addWidget(label("Asking every deployment…", "muted"), 0, 0, 1, 3)
        self.show()

    def show_rounds(self, rounds: Mapping[str, Round]) -> None:
        """Shows what every deployment answered."""
        clear(self._grid)
        self.outcomes = {name: (probed.verdict, round_words(probed)) for name, probed in rounds.items()}
        for row, (name, probed) in enumerate(rounds.items()):
            mark = MarkWidget()
            mark.show_mark(OF_HEALTH[probed.verdict])
            self._grid.addWidget(mark, row, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(label(name, "strong", wrap=False), row, 1, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(label(round_words(probed)), row, 2)
        self.show()
