"""A plan as a page of plain sentences, in the order in which they are done."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from changeover.desktop.widgets.parts import Card, label
from changeover.desktop.wizard.steps import Line, plan_lines
from changeover.model.runs.plan import Plan
from changeover.model.runs.run import Run

SAME_TIME = "At the same time:"


class SentencesCard(Card):
    """Every step of a plan. What is done at the same time stands together; what is left out is struck, with why.

    Below each action is how long it took last time, as `runs` say.
    """

    def __init__(self, plan: Plan, runs: Sequence[Run] = ()) -> None:
        super().__init__("In this order")
        number = 0
        for group in plan_lines(plan, runs):
            if len(group) > 1:
                number += 1
                self.body.addLayout(_row(str(number), Line(-1, SAME_TIME)))
                for line in group:
                    self.body.addLayout(_row("·", line, inset=20))
                continue
            number += not group[0].skip
            self.body.addLayout(_row("–" if group[0].skip else str(number), group[0]))


def _row(sign: str, line: Line, inset: int = 0) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setContentsMargins(inset, 0, 0, 0)
    row.setSpacing(10)
    before = label(sign, "strong", wrap=False)
    before.setMinimumWidth(12)
    row.addWidget(before, 0, Qt.AlignmentFlag.AlignTop)
    texts = QVBoxLayout()
    texts.setSpacing(1)
    said = label(line.text, "struck" if line.skip else "")
    texts.addWidget(said)
    if line.skip:
        said.setAccessibleName(f"Left out: {line.text}")
        texts.addWidget(label(f"{line.skip[:1].upper()}{line.skip[1:]}", "small"))
    elif line.took:
        texts.addWidget(label(f"{line.took[:1].upper()}{line.took[1:]}", "small"))
    row.addLayout(texts, 1)
    return row
