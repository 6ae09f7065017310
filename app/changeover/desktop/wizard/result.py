"""Fifth page: how it ended, who sees it already, and who follows when."""

from __future__ import annotations

import time
from collections.abc import Sequence

from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from changeover.desktop.findings import FindingRow
from changeover.desktop.parts import Card, clear, label
from changeover.desktop.shapes import OF_OUTCOME, Mark, MarkWidget
from changeover.desktop.wizard.flow import CacheRow, cache_rows, cache_summary, outcome_words, visitors_words
from changeover.dns.lookup import ResolverAnswer
from changeover.model.finding import Level
from changeover.model.run import Outcome, Run
from changeover.model.words import duration


class ResultPage(QWidget):
    """Shows an ended run, and what resolvers still have in their caches."""

    def __init__(self) -> None:
        super().__init__()
        self.run: Run | None = None
        self._answers: tuple[ResolverAnswer, ...] = ()
        self._asked = 0.0
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        outcome = Card()
        top = QHBoxLayout()
        self._mark = MarkWidget(side=14)
        self._headline = label("", "strong")
        top.addWidget(self._mark)
        top.addWidget(self._headline, 1)
        outcome.body.addLayout(top)
        self._text = label()
        self._facts = label("", "muted")
        outcome.body.addWidget(self._text)
        outcome.body.addWidget(self._facts)
        column.addWidget(outcome)
        self._caches = Card("Who still remembers the old answer")
        self.summary = label("Asking resolvers…")
        self._caches.body.addWidget(self.summary)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(12)
        self._grid.setColumnStretch(3, 1)
        self._caches.body.addLayout(self._grid)
        column.addWidget(self._caches)
        self._accepted = Card("Gone ahead in spite of", role="caution")
        self._over = QVBoxLayout()
        self._accepted.body.addLayout(self._over)
        column.addWidget(self._accepted)
        column.addStretch(1)
        self._rows: list[tuple[MarkWidget, QLabel]] = []
        self._labels: list[tuple[str, str]] = []

    def show_run(self, run: Run) -> None:
        self.run = run
        headline, text = outcome_words(run)
        self._mark.show_mark(OF_OUTCOME[run.outcome])
        self._headline.setText(headline)
        self._text.setText(text)
        seen = visitors_words(run)
        took = f"It took {duration(run.seconds)}." if run.seconds >= 0.5 else "It took less than a second."
        facts = " ".join(filter(None, (f"Seen as a visitor: {seen}." if seen else "", took)))
        self._facts.setText(facts if self.wants_answers else "")
        self._caches.setVisible(self.wants_answers)
        clear(self._over)
        over = [f for f in run.findings if f.override is not None and f.level is Level.WARN]
        for finding in over:
            self._over.addWidget(FindingRow(finding))
        self._accepted.setVisible(bool(over))

    def show_fault(self, headline: str, text: str, hint: str) -> None:
        """The run never began."""
        self.run = None
        self._mark.show_mark(Mark.DEGRADED)
        self._headline.setText(headline)
        self._text.setText(text)
        self._facts.setText(hint)
        self._caches.hide()
        self._accepted.hide()

    @property
    def wants_answers(self) -> bool:
        """Has anything changed that resolvers may still remember?"""
        ended = (Outcome.COMPLETED, Outcome.UNDONE, Outcome.INCOMPLETE)
        return self.run is not None and self.run.outcome in ended

    @property
    def all_new(self) -> bool:
        found = self._found()
        return bool(found) and all(r.new is True for r in found)

    def show_answers(self, answers: Sequence[ResolverAnswer]) -> None:
        self._answers = tuple(answers)
        self._asked = time.monotonic()
        self.tick()

    def tick(self) -> None:
        """A second has passed: what is left of the caches runs down."""
        if self._answers and self.run is not None:
            self._fill(self._found())

    def _found(self) -> list[CacheRow]:
        changes = self.run.changes if self.run is not None else ()
        return cache_rows(self._answers, changes, time.monotonic() - self._asked)

    def _fill(self, found: list[CacheRow]) -> None:
        self.summary.setText(cache_summary(found))
        labels = [(r.resolver, r.hostname) for r in found]
        if labels != self._labels:
            self._labels = labels
            clear(self._grid)
            self._rows = []
            for number, row in enumerate(found):
                mark, words = MarkWidget(), label("", "muted")
                self._grid.addWidget(mark, number, 0)
                self._grid.addWidget(label(row.resolver, wrap=False), number, 1)
                self._grid.addWidget(label(row.hostname, "muted", wrap=False), number, 2)
                self._grid.addWidget(words, number, 3)
                self._rows.append((mark, words))
        for (mark, words), row in zip(self._rows, found, strict=True):
            mark.show_mark(Mark.HEALTHY if row.new else Mark.UNKNOWN)
            words.setText(row.words)
