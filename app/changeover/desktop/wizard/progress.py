"""Fourth page: the steps, live."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from changeover.desktop.parts import Card, clear, label, set_role
from changeover.desktop.shapes import OF_STEP, MarkWidget
from changeover.desktop.wizard.flow import elapsed_words
from changeover.model.run import Run, StepProgress, StepState

_WORDS = {
    StepState.PENDING: "",
    StepState.RUNNING: "in progress",
    StepState.DONE: "done",
    StepState.WARNING: "done, with a warning",
    StepState.SKIPPED: "skipped",
    StepState.REFUSED: "refused",
    StepState.FAILED: "failed",
    StepState.UNKNOWN: "not known",
}


class ProgressPage(QWidget):
    """Shows a run while it goes on; every value changes in place."""

    def __init__(self) -> None:
        super().__init__()
        self.run: Run | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        self._card = Card("Steps")
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(10)
        self._grid.setColumnStretch(1, 1)
        self._card.body.addLayout(self._grid)
        column.addWidget(self._card)
        column.addStretch(1)
        self._rows: list[tuple[MarkWidget, QLabel, QLabel, QLabel]] = []
        self.show_waiting()

    def show_waiting(self) -> None:
        self.run = None
        clear(self._grid)
        self._rows = []
        self._grid.addWidget(label("Writing down the plan before the first step…", "muted"), 0, 1)
        self._card.heading.setText("Steps")

    def show_run(self, run: Run, now: datetime) -> None:
        before, self.run = self.run, run
        if before is None or [s.name for s in before.steps] != [s.name for s in run.steps]:
            self._lay_out(run)
        for row, step in zip(self._rows, run.steps, strict=True):
            self._fill(row, step)
        self.tick(now)

    def tick(self, now: datetime) -> None:
        if self.run is not None:
            self._card.heading.setText(f"Steps · {elapsed_words(self.run, now)}")

    def _lay_out(self, run: Run) -> None:
        clear(self._grid)
        self._rows = []
        top = Qt.AlignmentFlag.AlignTop
        for number, step in enumerate(run.steps):
            texts = QVBoxLayout()
            texts.setSpacing(1)
            text, note = label(step.text), label("", "small")
            texts.addWidget(text)
            texts.addWidget(note)
            said = label("", "muted", wrap=False)
            mark = MarkWidget()
            self._grid.addWidget(mark, number, 0, top)
            self._grid.addLayout(texts, number, 1)
            self._grid.addWidget(said, number, 2, top | Qt.AlignmentFlag.AlignRight)
            self._rows.append((mark, text, note, said))

    @staticmethod
    def _fill(row: tuple[MarkWidget, QLabel, QLabel, QLabel], step: StepProgress) -> None:
        mark, text, note, said = row
        mark.show_mark(OF_STEP[step.state], str(step.state))
        set_role(
            text, "strong" if step.state is StepState.RUNNING else "muted" if step.state is StepState.PENDING else ""
        )
        note.setText(step.note)
        note.setVisible(bool(step.note))
        timed = step.state in (StepState.DONE, StepState.WARNING, StepState.FAILED) or step.seconds > 0
        took = f"{step.seconds:.1f} s" if step.seconds >= 0.1 else "less than 0.1 s"
        said.setText(f"{_WORDS[step.state]} · {took}" if timed else _WORDS[step.state])
