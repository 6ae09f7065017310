"""The card of what happened: the newest runs with what can be done with them, incidents, and times of sleep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import assert_never

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from changeover.desktop.widgets.parts import Card, button, clear, label
from changeover.desktop.widgets.shapes import OF_OUTCOME, Mark, MarkWidget
from changeover.model.formatting import clock, counted, duration
from changeover.model.health.clock_gap import asleep_words
from changeover.model.health.history import Gap, GapKind, Incident
from changeover.model.runs.open_run import unreadable_words
from changeover.model.runs.plan import PlanKind
from changeover.model.runs.run import Direction, Outcome, Run

SHOWN = 6
#: A shorter gap is not worth a line, in seconds.
_SHORT = 300.0
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
    if run.forward.kind is PlanKind.OPERATION and not run.unreadable:
        return _operation(run)
    if run.forward.kind is PlanKind.FENCE and run.outcome in _WENT:
        return _fence_words(run)
    names = counted(len({c.name for c in run.forward.changes}), "hostname")
    way = f"{run.source} to {run.to}"
    took = f" in {duration(run.seconds)}" if run.seconds >= 0.5 else ""
    match run.outcome:
        case Outcome.COMPLETED:
            return _completed(run, names, f"{names} from {way}{took}", took)
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
        case Outcome.INCOMPLETE | Outcome.DAMAGED | Outcome.NEWER if run.accepted is not None:
            return f"Accepted as it stands: {run.accepted}"
        case Outcome.INCOMPLETE:
            return f"Incomplete: {run.text}" if run.text else f"Incomplete switch of {names} from {way}"
        case Outcome.DAMAGED | Outcome.NEWER:
            return f"Run {run.run} {unreadable_words(run)}"
        case _:
            assert_never(run.outcome)


def _operation(run: Run) -> str:
    """What one operation of a platform came to: what it was, and how it stands."""
    what = run.forward.steps[0].text
    match run.outcome:
        case Outcome.COMPLETED:
            return what
        case Outcome.UNDONE:
            return f"Undone: {what}"
        case Outcome.RUNNING:
            return f"{'Undoing' if run.direction is Direction.UNDO else 'Under way'}: {what}"
        case Outcome.INCOMPLETE if run.accepted is not None:
            return f"{what}, accepted as it stands: {run.accepted}"
        case Outcome.REFUSED | Outcome.FAILED | Outcome.INCOMPLETE:
            return f"{what}, {run.outcome}: {run.text}"
        case _:
            return f"{what}, {run.outcome}"


#: How a run stands that did something, or may have.
_WENT = (Outcome.COMPLETED, Outcome.UNDONE, Outcome.RUNNING, Outcome.INTERRUPTED)


def _fence_words(run: Run) -> str:
    steps = ", ".join(step.name for step in run.forward.steps)
    match run.outcome:
        case Outcome.COMPLETED:
            return f"Did at {run.source} what an emergency had left out: {steps}"
        case Outcome.UNDONE:
            return f"Undone: what was done at {run.source} ({steps})"
        case Outcome.RUNNING:
            return f"{'Taking back' if run.direction is Direction.UNDO else 'Doing'} what was left out at {run.source}"
        case _:
            return f"Interrupted while doing what was left out at {run.source}"


def _completed(run: Run, names: str, way: str, took: str) -> str:
    match run.forward.kind:
        case PlanKind.SWITCH:
            return f"Switched {way}, kept" if run.committed else f"Switched {way}"
        case PlanKind.PREPARE:
            return f"Shortened the TTLs of {names}{took}"
        case PlanKind.RESTORE_TTL:
            return f"Restored the TTLs of {names}{took}"
        case PlanKind.OPERATION:
            return _operation(run)
        case PlanKind.FENCE:
            return _fence_words(run)
        case _:
            assert_never(run.forward.kind)


def incident_words(incident: Incident, now: datetime) -> str:
    """What failed, for how long, with what and whose fault it was: "primary failing for 12 min: 503 (deployment)"."""
    length = duration(((incident.ended or now) - incident.started).total_seconds())
    how = f"failing for {length}" if incident.ended is not None else f"failing since {clock(incident.started, now)}"
    fault = f" ({incident.cause})" if incident.cause is not None else ""
    return f"{incident.deployment} {how}: {incident.reason}{fault}"


def gap_words(gap: Gap) -> str:
    """Why nothing was seen and for how long: "Asleep for 7 h 12 min"."""
    seconds = (gap.ended - gap.started).total_seconds()
    if gap.kind is GapKind.ASLEEP:
        return asleep_words(seconds)
    what = {GapKind.OFFLINE: "This computer was offline", GapKind.NOT_RUNNING: "Changeover was not running"}
    return f"{what.get(gap.kind, 'The clock was set')} for {duration(seconds)}"


Happening = Run | Incident | Gap


def newest(runs: Sequence[Run], incidents: Sequence[Incident], gaps: Sequence[Gap]) -> tuple[Happening, ...]:
    """Everything worth a line, newest first. An incident that lasts is never pushed out by what came after it."""
    long = [g for g in gaps if g.kind is not GapKind.CLOCK_SET and (g.ended - g.started).total_seconds() >= _SHORT]
    every: list[Happening] = [*runs, *incidents, *long]
    every.sort(key=lambda each: each.started, reverse=True)
    lasting = [i for i in incidents if i.ended is None]
    shown = every[:SHOWN]
    late = [i for i in lasting if i not in shown]
    return (*shown[: SHOWN - len(late)], *late)


class ActivityCard(Card):
    """What happened to one service. `act` is called with what to do (a key of VERBS, or "report") and the run."""

    def __init__(self, act: Callable[[str, Run], None]) -> None:
        super().__init__("Activity")
        self._act = act
        self._rows = QVBoxLayout()
        self._rows.setSpacing(6)
        self.body.addLayout(self._rows)
        self._shown: tuple[Happening, ...] | None = None
        self._busy = False

    def show_activity(
        self,
        runs: Sequence[Run],
        busy: bool,
        now: datetime,
        incidents: Sequence[Incident] = (),
        gaps: Sequence[Gap] = (),
    ) -> None:
        """`busy`: a run is in progress, so that nothing else can be started."""
        found = newest(runs, incidents, gaps)
        if found == self._shown and busy == self._busy:
            return
        self._shown, self._busy = found, busy
        clear(self._rows)
        for each in found:
            if isinstance(each, Run):
                self._rows.addWidget(self._row(each, busy, now))
            elif isinstance(each, Incident):
                mark = Mark.RECOVERING if each.ended is not None else Mark.DOWN
                words = incident_words(each, now)
                self._rows.addWidget(self._line(mark, each.started, words, now, "over" if each.ended else "lasting"))
            else:
                self._rows.addWidget(self._line(Mark.OFFLINE, each.started, gap_words(each), now, "nothing was seen"))
        if not found:
            self._rows.addWidget(label("Nothing has happened yet.", "muted"))

    @staticmethod
    def _line(mark: Mark, at: datetime, words: str, now: datetime, said: str) -> QWidget:
        """One thing that happened and takes no button."""
        made = QWidget()
        row = QHBoxLayout(made)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        top = Qt.AlignmentFlag.AlignTop
        sign = MarkWidget()
        sign.show_mark(mark, said)
        row.addWidget(sign, 0, top)
        row.addWidget(label(clock(at, now), "muted", wrap=False), 0, top)
        row.addWidget(label(words), 1)
        return made

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
