"""The card that answers: could the backup take over now?"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLayout, QVBoxLayout

from changeover.desktop.parts import Card, clear, label
from changeover.desktop.shapes import OF_LEVEL, Mark, MarkWidget
from changeover.model.finding import Finding, Level
from changeover.model.sentence import called
from changeover.model.state import ServiceState
from changeover.model.words import counted

_ORDER = {Level.BLOCK: 0, Level.WARN: 1, Level.PASS: 2}


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    """What needs somebody first; else as the checks come."""
    return sorted(findings, key=lambda f: _ORDER[f.level])


def verdict(findings: Sequence[Finding]) -> tuple[Mark, str]:
    """All findings in a word."""
    blocks = sum(f.level is Level.BLOCK for f in findings)
    warnings = sum(f.level is Level.WARN for f in findings)
    if not findings:
        return Mark.UNKNOWN, "not checked yet"
    if blocks:
        return Mark.DOWN, f"no, {counted(blocks, 'thing stands', 'things stand')} in the way"
    if warnings:
        return Mark.DEGRADED, f"yes, with {counted(warnings, 'warning')}"
    return Mark.HEALTHY, "yes"


def finding_row(finding: Finding) -> QLayout:
    """One finding: its shape, what was found, and what to do about it."""
    row = QHBoxLayout()
    row.setSpacing(8)
    row.addWidget(MarkWidget(OF_LEVEL[finding.level]), 0, Qt.AlignmentFlag.AlignTop)
    texts = QVBoxLayout()
    texts.setSpacing(1)
    texts.addWidget(label(finding.text))
    if finding.override is not None:
        texts.addWidget(label(f"Overridden: {finding.override}", "small"))
    elif finding.fix and finding.level is not Level.PASS:
        texts.addWidget(label(finding.fix, "small"))
    row.addLayout(texts, 1)
    return row


class FindingsCard(Card):
    """Every finding about the deployment that would take over."""

    def __init__(self) -> None:
        super().__init__()
        top = QHBoxLayout()
        self._title = label("Could the backup take over now?", "heading")
        self._mark = MarkWidget()
        self._verdict = label("not checked yet", "strong", wrap=False)
        top.addWidget(self._title, 1)
        top.addWidget(self._mark)
        top.addWidget(self._verdict)
        self.body.addLayout(top)
        self._rows = QGridLayout()
        self._rows.setVerticalSpacing(5)
        self.body.addLayout(self._rows)
        self.body.addStretch(1)
        self._shown: tuple[Finding, ...] | None = None

    def show_state(self, state: ServiceState) -> None:
        """Shows what the state says about its target."""
        findings = state.findings
        back = state.target == state.service.primary.name
        who = called(state, state.target) if state.target else "a backup"
        self._title.setText(f"Could {who} take visitors back now?" if back else f"Could {who} take over now?")
        if findings == self._shown:
            return
        self._shown = findings
        mark, text = verdict(findings)
        self._mark.show_mark(mark)
        self._verdict.setText(text)
        clear(self._rows)
        for number, finding in enumerate(worst_first(findings)):
            self._rows.addLayout(finding_row(finding), number, 0)
        if not findings:
            self._rows.addWidget(label("The first checks are under way.", "muted"), 0, 0)
