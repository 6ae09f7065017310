"""What will change, as tables, below the order in which it is done."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from math import ceil

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextOption
from PySide6.QtWidgets import QTextBrowser, QVBoxLayout, QWidget

from changeover.desktop.widgets.parts import Card
from changeover.desktop.wizard.flow import rows
from changeover.desktop.wizard.sentences import SentencesCard
from changeover.model.dns.change import Change
from changeover.model.foreign_text import shown
from changeover.model.runs.plan import Plan


def changes_html(changes: Iterable[Change]) -> str:
    """Every record set before and after. One text, since hundreds of hostnames as widgets would take seconds."""
    lines = ['<tr><td width="48%">now</td><td></td><td width="48%">then</td></tr>']
    for change in changes:
        lines.append(f'<tr><td colspan="3"><b>{_shown(change.name)}</b></td></tr>')
        for row in rows(change):
            old = f"<tt>{_shown(row.old)}</tt>" if row.old else "<i>nothing</i>"
            new = f"<tt>{_shown(row.new)}</tt>" if row.new else "<i>removed</i>"
            lines.append(f"<tr><td>{old}</td><td>→</td><td>{new}</td></tr>")
    return f'<table width="100%" cellspacing="0" cellpadding="3">{"".join(lines)}</table>'


def _shown(text: str) -> str:
    return escape(shown(text))


class ChangesTable(QTextBrowser):
    """The changes as one text that is as high as it needs to be, and breaks a long name rather than cut it off."""

    def __init__(self, zone: str, changes: Iterable[Change]) -> None:
        super().__init__()
        self.setProperty("role", "table")
        self.setAccessibleName(f"Changes in zone {zone}")
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setOpenLinks(False)
        self.document().setDocumentMargin(0)
        self.document().documentLayout().documentSizeChanged.connect(
            lambda size: self.setFixedHeight(ceil(size.height()) + 2)
        )
        self.setHtml(changes_html(changes))


def changes_card(plan: Plan, zone: str, account: str) -> Card:
    """What changes in one zone at one account."""
    card = Card(f"DNS · account {account} · zone {zone}")
    card.body.addWidget(ChangesTable(zone, (c for c in plan.changes if (c.zone, c.account) == (zone, account))))
    return card


def plan_view(plan: Plan) -> QWidget:
    """A whole plan: its steps as sentences, then its changes zone by zone."""
    made = QWidget()
    column = QVBoxLayout(made)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(12)
    if plan.steps:
        column.addWidget(SentencesCard(plan))
    for zone, account in dict.fromkeys((c.zone, c.account) for c in plan.changes):
        column.addWidget(changes_card(plan, zone, account))
    return made
