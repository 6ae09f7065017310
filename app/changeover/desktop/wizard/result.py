"""Fifth page: how it ended, how long it took, who sees it already, and who follows when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from changeover.desktop.widgets.findings_card import FindingRow
from changeover.desktop.widgets.parts import Card, button, clear, label, set_role
from changeover.desktop.widgets.shapes import OF_OUTCOME, Mark, MarkWidget
from changeover.desktop.wizard.aftermath import recovery_words, soak_words, undo_words
from changeover.desktop.wizard.flow import CacheRow, cache_rows, outcome_words, visitors_words
from changeover.model.dns.propagation import CachedAnswer, all_updated, panel_words
from changeover.model.finding import Level
from changeover.model.formatting import duration
from changeover.model.health.soak import Soak, SoakState, judged_soak
from changeover.model.readiness.way_back import undone_in_doubt
from changeover.model.runs.run import Outcome, Run


class ResultPage(QWidget):
    """Shows an ended run, and what resolvers still have in their caches."""

    #: Somebody wants to go back, since the service became worse.
    go_back = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.run: Run | None = None
        self._kept: tuple[CachedAnswer, ...] = ()
        self._soak_seen: Soak | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self._outcome())
        column.addWidget(self._soak())
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

    def _outcome(self) -> Card:
        card = Card()
        top = QHBoxLayout()
        self._mark = MarkWidget(side=14)
        self._headline = label("", "strong")
        top.addWidget(self._mark)
        top.addWidget(self._headline, 1)
        card.body.addLayout(top)
        self._text = label()
        self._facts = label("", "muted")
        self.parts = label("", "muted")
        self.undo_line = label("")
        for made in (self._text, self._facts, self.parts, self.undo_line):
            card.body.addWidget(made)
        return card

    def _soak(self) -> Card:
        self._soaking = Card()
        row = QHBoxLayout()
        row.setSpacing(8)
        self._soak_mark = MarkWidget()
        self.soak = label("", "muted")
        self.back_button = button("Go back…", self.go_back.emit, name="Go back, since it became worse")
        row.addWidget(self._soak_mark)
        row.addWidget(self.soak, 1)
        row.addWidget(self.back_button)
        self._soaking.body.addLayout(row)
        self._soaking.hide()
        return self._soaking

    def show_run(self, run: Run) -> None:
        """Shows how a run ended."""
        self.run = run
        headline, text = outcome_words(run)
        self._show_mark(worse=False)
        self._headline.setText(headline)
        self._text.setText(text)
        seen = visitors_words(run)
        took = f"It took {duration(run.seconds)}." if run.seconds >= 0.5 else "It took less than a second."
        took = "" if recovery_words(run) else took
        facts = " ".join(filter(None, (f"Seen as a visitor: {seen}." if seen else "", took)))
        self._facts.setText(facts if self.wants_answers else "")
        self.parts.setText(recovery_words(run))
        self._kept = ()
        self.summary.setText("Asking resolvers…")
        self._fill([])
        self.show_soak(None)
        self._caches.setVisible(self.wants_answers)
        clear(self._over)
        over = [f for f in run.findings if f.override is not None and f.level is Level.WARN]
        for finding in over:
            self._over.addWidget(FindingRow(finding))
        self._accepted.setVisible(bool(over))
        self._hide_empty()

    def show_fault(self, headline: str, text: str, hint: str) -> None:
        """The run never began."""
        self.run = None
        self._mark.show_mark(Mark.DEGRADED)
        self._headline.setText(headline)
        self._text.setText(text)
        self._facts.setText(hint)
        self.parts.setText("")
        self.undo_line.setText("")
        self._caches.hide()
        self._accepted.hide()
        self._soaking.hide()
        self._hide_empty()

    def _hide_empty(self) -> None:
        for made in (self._text, self._facts, self.parts, self.undo_line):
            made.setVisible(bool(made.text()))

    @property
    def wants_answers(self) -> bool:
        """Has anything changed that resolvers may still remember?"""
        ended = (Outcome.COMPLETED, Outcome.UNDONE, Outcome.INCOMPLETE)
        return self.run is not None and self.run.outcome in ended and bool(self.run.forward.changes)

    @property
    def all_new(self) -> bool:
        return all_updated(self._kept)

    def show_panel(self, kept: Sequence[CachedAnswer], now: datetime | None = None) -> None:
        """Shows what resolvers have."""
        self._kept = tuple(kept)
        self.tick(now)

    @property
    def mark(self) -> Mark:
        """How the run stands, as a shape."""
        return self._mark.mark

    def show_soak(self, soak: Soak | None) -> None:
        """Shows what the watch after a switch sees; nothing where there is none."""
        self._soak_seen = soak
        text, worse = soak_words(soak) if soak is not None else ("", False)
        self.soak.setText(text)
        self._show_mark(worse)
        set_role(self.soak, "" if worse else "muted")
        set_role(self._soaking, "alarm" if worse else "card")
        self._soak_mark.show_mark(Mark.DOWN if worse else Mark.HEALTHY)
        able = self.run is not None and "undo" in self.run.next
        self.back_button.setVisible(worse and able)
        self._soaking.setVisible(bool(text))

    def _show_mark(self, worse: bool) -> None:
        """The run's mark. It is not the sign of health that it was where visitors are served worse by now."""
        if self.run is not None:
            doubt = worse or undone_in_doubt(self.run)
            self._mark.show_mark(Mark.DEGRADED if doubt else OF_OUTCOME[self.run.outcome])

    def tick(self, now: datetime | None = None) -> None:
        """A second has passed: what is left of the caches, of the soak and of the time for an undo runs down."""
        if self.run is None:
            return
        now = now or datetime.now().astimezone()
        self.undo_line.setText(undo_words(self.run, now))
        self._hide_empty()
        soak = self._soak_seen
        if soak is not None and soak.state is SoakState.GOING:
            self.show_soak(judged_soak(soak.deployment, soak.since, soak.until, now, soak.looks))
        if self._kept:
            self.summary.setText(panel_words(self._kept, now))
            self._fill(cache_rows(self._kept, now))

    def _fill(self, found: list[CacheRow]) -> None:
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
            mark.show_mark(Mark.HEALTHY if row.new else Mark.UNKNOWN, row.words)
            words.setText(row.words)
