"""What will change, as tables, below the order in which it is done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtWidgets import QVBoxLayout, QWidget

from changeover.desktop.widgets.parts import Card, as_html
from changeover.desktop.widgets.text_table import TextTable
from changeover.desktop.wizard.flow import rows
from changeover.desktop.wizard.sentences import SentencesCard
from changeover.model.dns.change import Change
from changeover.model.runs.plan import Plan
from changeover.model.runs.run import Run


def changes_html(changes: Iterable[Change]) -> str:
    """Every record set before and after."""
    lines = ['<tr><td width="48%">now</td><td></td><td width="48%">then</td></tr>']
    for change in changes:
        lines.append(f'<tr><td colspan="3"><b>{as_html(change.name)}</b></td></tr>')
        for row in rows(change):
            old = f"<tt>{as_html(row.old)}</tt>" if row.old else "<i>nothing</i>"
            new = f"<tt>{as_html(row.new)}</tt>" if row.new else "<i>removed</i>"
            lines.append(f"<tr><td>{old}</td><td>→</td><td>{new}</td></tr>")
    return f'<table width="100%" cellspacing="0" cellpadding="3">{"".join(lines)}</table>'


def changes_card(plan: Plan, zone: str, account: str) -> Card:
    """What changes in one zone at one account."""
    changes = [c for c in plan.changes if (c.zone, c.account) == (zone, account)]
    card = Card(f"DNS · account {account} · zone {zone}")
    card.body.addWidget(TextTable(f"Changes in zone {zone}", changes_html(changes)))
    return card


def plan_view(plan: Plan, runs: Sequence[Run] = ()) -> QWidget:
    """A whole plan: its steps as sentences, then its changes zone by zone. `runs` say how long each took last."""
    made = QWidget()
    column = QVBoxLayout(made)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(12)
    if plan.steps:
        column.addWidget(SentencesCard(plan, runs))
    for zone, account in dict.fromkeys((c.zone, c.account) for c in plan.changes):
        column.addWidget(changes_card(plan, zone, account))
    return made
