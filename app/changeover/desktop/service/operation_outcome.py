"""How one operation goes, and what came of it: it stays until the next one begins."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from changeover.desktop.widgets.parts import Card, button, label, set_role
from changeover.desktop.widgets.questions import Question
from changeover.desktop.widgets.shapes import OF_OUTCOME, Mark, MarkWidget
from changeover.desktop.widgets.strips import words
from changeover.desktop.wizard.flow import outcome_words
from changeover.model.errors import ChangeoverError
from changeover.model.formatting import duration
from changeover.model.runs.run import Outcome, Run

#: Seconds from which on it is told how long it takes.
_WORTH_TELLING = 1.0
_GOOD = (Outcome.COMPLETED, Outcome.UNDONE)


def progress_words(label_of_platform: str, asked: bool, stopping: bool, seconds: float) -> str:
    """What is going on, and for how long it has been."""
    if stopping and not asked:
        now = "Calling it off"
    elif asked:
        now = f"{label_of_platform} was asked; its answer is awaited"
    else:
        now = "Reading what stands there, so that it can be taken back"
    return f"{now}, {duration(seconds)}…" if seconds >= _WORTH_TELLING else f"{now}…"


def closing_question(parent: QWidget, asked: bool) -> Question:
    """What is asked when a window is closed while its operation is under way; `asked`: the platform was."""
    text = (
        "Its platform was asked. The operation goes on without this window, and the activity of the service tells what "
        "came of it."
        if asked
        else "Its platform was not asked yet. The operation is called off, and nothing is done."
    )
    yes = "Close; it goes on" if asked else "Call it off and close"
    return Question(parent, "An operation is under way", text, yes, danger=False, no="Stay here")


class OperationOutcome(Card):
    """Hidden until something was begun. `show_run` is called with what is to be done with a run, and the run."""

    def __init__(self, platform: str, show_run: Callable[[str, Run], object]) -> None:
        super().__init__()
        self._platform = platform
        self._act = show_run
        self._began = 0.0
        self.run: Run | None = None
        row = QHBoxLayout()
        row.setSpacing(10)
        self.mark = MarkWidget()
        row.addWidget(self.mark, 0, Qt.AlignmentFlag.AlignTop)
        texts = QVBoxLayout()
        texts.setSpacing(2)
        self.what, self.headline, self.text = label("", "muted"), label("", "strong"), label()
        for made in (self.what, self.headline, self.text):
            texts.addWidget(made)
        row.addLayout(texts, 1)
        self.body.addLayout(row)
        links = QHBoxLayout()
        links.setSpacing(16)
        self.undo_button = button("Undo…", lambda: self._with_run("undo"), name="Undo this operation")
        self.resume_button = button("See the run…", lambda: self._with_run("resume"))
        self.report_button = button("Report", lambda: self._with_run("report"), "link")
        for made_button in (self.undo_button, self.resume_button, self.report_button):
            links.addWidget(made_button)
        links.addStretch(1)
        self.body.addLayout(links)
        self.hide()

    def _with_run(self, verb: str) -> None:
        if self.run is not None:
            self._act(verb, self.run)

    def show_beginning(self, what: str) -> None:
        """Something is begun: `what`, as the plan says it."""
        self._began = time.monotonic()
        self.run = None
        self.what.setText(what)
        set_role(self, "card")
        self.mark.show_mark(Mark.WORKING)
        self._show_ways()
        self.show_progress(asked=False, stopping=False)
        self.show()

    def show_progress(self, asked: bool, stopping: bool) -> None:
        """How it goes now."""
        self._tell(progress_words(self._platform, asked, stopping, time.monotonic() - self._began), "")

    def show_end(self, run: Run | None, error: ChangeoverError | None) -> None:
        """What came of it, in words that stay; `error` is what kept it from its end."""
        self.run = run
        if error is not None:
            self.mark.show_mark(Mark.DEGRADED)
            self._tell(*words(error))
        elif run is not None:
            self.mark.show_mark(OF_OUTCOME[run.outcome], str(run.outcome))
            self._tell(*outcome_words(run))
        else:
            self.mark.show_mark(Mark.DEGRADED)
            self._tell("Something went wrong inside Changeover.", "The log file has the details.")
        good = error is None and run is not None and run.outcome in _GOOD
        set_role(self, "card" if good else "alarm")
        self._show_ways()

    def _tell(self, headline: str, text: str) -> None:
        if headline != self.headline.text():
            self.headline.setText(headline)
            self.setAccessibleName(headline)
        self.text.setText(text)
        self.text.setVisible(bool(text))

    def _show_ways(self) -> None:
        able = self.run.next if self.run is not None else ()
        self.undo_button.setVisible("undo" in able and "resume" not in able)
        self.resume_button.setVisible("resume" in able)
        self.report_button.setVisible(self.run is not None)
