"""The card of what was done: the newest runs, and what can be done with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from changeover.desktop.parts import Card, button, clear, label
from changeover.desktop.shapes import OF_OUTCOME, MarkWidget
from changeover.model.run import Direction, Outcome, Run
from changeover.model.sentence import clock
from changeover.model.words import counted, duration

SHOWN = 5
#: What a person can do with a run, as its button says it.
VERBS = {"resume": "Resume…", "undo": "Undo…", "accept": "Accept…", "commit": "Keep it"}
_TIPS = {
    "resume": "Goes on where the run stopped, after reading what stands",
    "undo": "Puts every record set back as it was",
    "accept": "Ends the run as it stands, with a reason",
    "commit": "Ends the undo window: this is the new normal",
}


def run_words(run: Run) -> str:
    """What a run did, in a sentence."""
    names = counted(len({c.name for c in run.forward.changes}), "hostname")
    way = f"{run.source} to {run.to}"
    took = f" in {duration(run.seconds)}" if run.seconds >= 0.5 else ""
    match run.outcome:
        case Outcome.COMPLETED:
            words = f"Switched {names} from {way}{took}"
            return f"{words}, kept" if run.committed else words
        case Outcome.UNDONE:
            return f"Undone: {names} back at {run.source}{took}"
        case Outcome.REFUSED:
            return f"Refused, nothing was changed: {run.text}" if run.text else "Refused, nothing was changed"
        case Outcome.FAILED:
            return f"Failed, nothing was changed: {run.text}" if run.text else "Failed, nothing was changed"
        case Outcome.RUNNING:
            return f"{'Undoing' if run.direction is Direction.UNDO else 'Switching'} {names} from {way}"
        case Outcome.INTERRUPTED:
            return f"Interrupted while switching {names} from {way}"
    if run.accepted is not None:
        return f"Accepted as it stands: {run.accepted}"
    return f"Incomplete: {run.text}" if run.text else f"Incomplete switch of {names} from {way}"


class ActivityCard(Card):
    """The newest runs of one service. `act` is called with what to do (a key of VERBS, or "report") and the run."""

    def __init__(self, act: Callable[[str, Run], None]) -> None:
        super().__init__("Activity")
        self._act = act
        self._rows = QVBoxLayout()
        self._rows.setSpacing(6)
        self.body.addLayout(self._rows)
        self._shown: tuple[Run, ...] | None = None
        self._busy = False

    def show_runs(self, runs: Sequence[Run], busy: bool, now: datetime) -> None:
        """`busy`: a run is in progress, so that nothing else can be started."""
        newest = tuple(runs[:SHOWN])
        if newest == self._shown and busy == self._busy:
            return
        self._shown, self._busy = newest, busy
        clear(self._rows)
        for run in newest:
            self._rows.addWidget(self._row(run, busy, now))
        if not newest:
            self._rows.addWidget(label("Nothing was switched yet.", "muted"))

    def _row(self, run: Run, busy: bool, now: datetime) -> QWidget:
        made = QWidget()
        row = QHBoxLayout(made)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        top = Qt.AlignmentFlag.AlignTop
        row.addWidget(MarkWidget(OF_OUTCOME[run.outcome]), 0, top)
        row.addWidget(label(clock(run.started, now), "muted", wrap=False), 0, top)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(label(run_words(run)))
        links = QHBoxLayout()
        links.setSpacing(8)
        links.addWidget(self._button("Report", "report", run))
        for verb in run.next:
            made_button = self._button(VERBS[verb], verb, run)
            made_button.setEnabled(not busy)
            made_button.setToolTip(_TIPS[verb])
            links.addWidget(made_button)
        links.addStretch(1)
        words.addLayout(links)
        row.addLayout(words, 1)
        return made

    def _button(self, text: str, verb: str, run: Run) -> QPushButton:
        return button(text, lambda: self._act(verb, run), "link", name=f"{text.rstrip('…')} run {run.run}")
