"""The card that answers: could the backup take over now?"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from changeover.desktop.widgets.parts import Card, label
from changeover.desktop.widgets.shapes import OF_LEVEL, Mark, MarkWidget
from changeover.model.finding import Finding, Level
from changeover.model.formatting import counted
from changeover.model.readiness.service_state import ServiceState
from changeover.model.wording.local_fault import own_fault_line
from changeover.model.wording.sentence import called

_WORDS = {Level.PASS: "passed", Level.WARN: "warning", Level.BLOCK: "in the way"}
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


class FindingRow(QWidget):
    """One finding: its shape, what was found, and what to do about it."""

    def __init__(self, finding: Finding) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        self._mark = MarkWidget()
        row.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        texts = QVBoxLayout()
        texts.setSpacing(1)
        self._text = label()
        self._more = label("", "small")
        texts.addWidget(self._text)
        texts.addWidget(self._more)
        row.addLayout(texts, 1)
        self.show_finding(finding)

    def show_finding(self, finding: Finding) -> None:
        self._mark.show_mark(OF_LEVEL[finding.level], _WORDS[finding.level])
        self._text.setText(finding.text)
        more = finding.fix if finding.level is not Level.PASS else ""
        if finding.override is not None:
            more = f"Overridden: {finding.override}"
        self._more.setText(more)
        self._more.setVisible(bool(more))


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
        self._waiting = label("The first checks are under way.", "muted")
        self.body.addWidget(self._waiting)
        self._list = QVBoxLayout()
        self._list.setSpacing(5)
        self.body.addLayout(self._list)
        self.body.addStretch(1)
        self._rows: list[FindingRow] = []

    def show_state(self, state: ServiceState) -> None:
        """Shows what the state says about its target, in place."""
        unseen = own_fault_line(state)
        findings = [] if unseen else worst_first(state.findings)
        back = state.target == state.service.primary.name
        who = called(state, state.target) if state.target else "a backup"
        self._title.setText(f"Could {who} take visitors back now?" if back else f"Could {who} take over now?")
        mark, text = (Mark.OFFLINE, "not known from here") if unseen else verdict(findings)
        self._mark.show_mark(mark)
        self._verdict.setText(text)
        self._waiting.setVisible(not findings)
        if unseen:
            waiting = f"{unseen[:1].upper()}{unseen[1:]}: nothing can be proven. The checks go on once that is over."
        else:
            waiting = "Nothing could be read; see above." if state.error else "The first checks are under way."
        self._waiting.setText(waiting)
        while len(self._rows) > len(findings):
            gone = self._rows.pop()
            self._list.removeWidget(gone)
            gone.deleteLater()
        for row, finding in zip(self._rows, findings, strict=False):
            row.show_finding(finding)
        for finding in findings[len(self._rows) :]:
            self._rows.append(FindingRow(finding))
            self._list.addWidget(self._rows[-1])
