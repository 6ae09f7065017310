"""Fourth page: the steps, live, and what a person can do about each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from changeover.desktop.widgets.parts import Card, button, clear, label, set_role
from changeover.desktop.widgets.shapes import OF_STEP, MarkWidget
from changeover.desktop.wizard.flow import elapsed_words
from changeover.desktop.wizard.sentences import SAME_TIME
from changeover.desktop.wizard.steps import VERBS, notice, state_words, step_verbs
from changeover.model.runs.run import Outcome, Run, StepProgress, StepState

ActionStep = Callable[[str, int], object]


class StepRow(QWidget):
    """One step: how it stands, and buttons for what only a person can decide."""

    def __init__(self, number: int, step: StepProgress, act: ActionStep, inset: int) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(inset, 0, 0, 0)
        row.setSpacing(10)
        top = Qt.AlignmentFlag.AlignTop
        self._mark = MarkWidget()
        self._text, self._note = label(step.text), label("", "small")
        self._said = label("", "muted", wrap=False)
        texts = QVBoxLayout()
        texts.setSpacing(1)
        texts.addWidget(self._text)
        texts.addWidget(self._note)
        links = QHBoxLayout()
        links.setSpacing(12)
        self.buttons: dict[str, QPushButton] = {}
        for verb, words in VERBS.items():
            name = f"{words.rstrip('…')}: {step.name}"
            self.buttons[verb] = button(words, partial(act, verb, number), "link", name=name)
            self.buttons[verb].hide()
            links.addWidget(self.buttons[verb])
        links.addStretch(1)
        texts.addLayout(links)
        row.addWidget(self._mark, 0, top)
        row.addLayout(texts, 1)
        row.addWidget(self._said, 0, top)

    def show_step(self, step: StepProgress, word: str, verbs: tuple[str, ...]) -> None:
        self._mark.show_mark(OF_STEP[step.state], str(step.state))
        roles = {StepState.RUNNING: "strong", StepState.PENDING: "muted", StepState.SKIPPED: "struck"}
        set_role(self._text, roles.get(step.state, ""))
        self._note.setText(step.note)
        self._note.setVisible(bool(step.note))
        timed = step.state in (StepState.DONE, StepState.WARNING, StepState.FAILED) or step.seconds > 0
        took = f"{step.seconds:.1f} s" if step.seconds >= 0.1 else "less than 0.1 s"
        self._said.setText(f"{word} · {took}" if timed and step.state is not StepState.SKIPPED else word)
        for verb, made in self.buttons.items():
            if made.isHidden() is (verb in verbs):
                made.setVisible(verb in verbs)


class ProgressPage(QWidget):
    """Shows a run while it goes on; every value changes in place. `act` is called with a key of VERBS and a step."""

    def __init__(self, act: ActionStep) -> None:
        super().__init__()
        self.run: Run | None = None
        self.rows: list[StepRow] = []
        self._act = act
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        self.notice = QFrame()
        self.notice.setProperty("role", "calm")
        told = QVBoxLayout(self.notice)
        told.setContentsMargins(16, 10, 16, 10)
        told.setSpacing(2)
        self.heading, self.text = label("", "strong"), label()
        told.addWidget(self.heading)
        told.addWidget(self.text)
        self.notice.hide()
        column.addWidget(self.notice)
        self._card = Card("Steps")
        self._list = QVBoxLayout()
        self._list.setSpacing(10)
        self._card.body.addLayout(self._list)
        column.addWidget(self._card)
        column.addStretch(1)
        self.show_waiting()

    def show_waiting(self) -> None:
        self.run = None
        self.rows = []
        clear(self._list)
        self._list.addWidget(label("Writing down the plan before the first step…", "muted"))
        self._card.heading.setText("Steps")
        self.notice.hide()

    def show_run(self, run: Run, now: datetime, here: bool = True) -> None:
        """`here`: this process works on it."""
        before, self.run = self.run, run
        if before is None or [s.name for s in before.steps] != [s.name for s in run.steps]:
            self._lay_out(run)
        for number, (row, step) in enumerate(zip(self.rows, run.steps, strict=True)):
            row.show_step(step, state_words(run, number), step_verbs(run, number))
        told = notice(run, here, now)
        set_role(self.notice, told.role)
        self.heading.setText(told.heading)
        self.text.setText(told.text)
        self.notice.setVisible(bool(told.heading))
        self.tick(now)

    def tick(self, now: datetime) -> None:
        if self.run is not None:
            left = self.run.outcome is Outcome.INTERRUPTED
            self._card.heading.setText("Steps" if left else f"Steps · {elapsed_words(self.run, now)}")

    def _lay_out(self, run: Run) -> None:
        clear(self._list)
        made: dict[int, StepRow] = {}
        for group in run.plan.groups:
            if len(group) > 1:
                self._list.addWidget(label(SAME_TIME, "muted"))
            for number in group:
                made[number] = StepRow(number, run.steps[number], self._act, 20 if len(group) > 1 else 0)
                self._list.addWidget(made[number])
        self.rows = [made[number] for number in range(len(run.steps))]
