"""The card of what platforms and apps say: what runs of each deployment, and where the target differs."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout

from changeover.desktop.widgets.parts import Card, as_html, button, label
from changeover.desktop.widgets.shapes import Mark, MarkWidget
from changeover.desktop.widgets.text_table import TextTable
from changeover.model.foreign_text import shown
from changeover.model.formatting import age, counted
from changeover.model.platforms.comparison_row import Agreement, Compared, differing
from changeover.model.readiness.drift_checks import compared_with, drift_rows
from changeover.model.readiness.service_state import ServiceState
from changeover.model.wording.platform_words import observation_words, version_words


def table_html(rows: tuple[Compared, ...], beside: str, to: str) -> str:
    """Both sides of each row, and below a difference what it means."""
    lines = [f'<tr><td width="30%"></td><td width="35%">{as_html(beside)}</td><td>{as_html(to)}</td></tr>']
    for row in rows:
        what = as_html(f"{row.aspect}: {row.subject}")
        told = f"<td>{as_html(row.primary)}</td><td>{as_html(row.backup)}</td>"
        if row.agreement is Agreement.DIFFERS:
            lines.append(f"<tr><td><b>≠ {what}</b></td>{told}</tr>")
        else:
            note = "" if row.agreement is Agreement.SAME else f" ({row.agreement})"
            lines.append(f"<tr><td>{what}{note}</td>{told}</tr>")
        if row.why:
            lines.append(f'<tr><td></td><td colspan="2"><i>{as_html(row.why)}</i></td></tr>')
    return f'<table width="100%" cellspacing="0" cellpadding="3">{"".join(lines)}</table>'


def _is_told(row: Compared) -> bool:
    """Is it shown without being asked for: what differs, and what an app should tell and does not?"""
    return row.agreement in (Agreement.DIFFERS, Agreement.MEANT) or bool(row.why)


class PlatformsCard(Card):
    """What runs of each deployment whose platform, or app, has said something. Hidden where none has."""

    def __init__(self) -> None:
        super().__init__()
        top = QHBoxLayout()
        self._title = label("Does the same run on both sides?", "heading")
        self._mark = MarkWidget()
        self._verdict = label("", "strong", wrap=False)
        top.addWidget(self._title, 1)
        top.addWidget(self._mark)
        top.addWidget(self._verdict)
        self.body.addLayout(top)
        self._said = label("", "muted")
        self.body.addWidget(self._said)
        self.table = TextTable("What runs on both sides")
        self.body.addWidget(self.table)
        self.all_button = button("", self._toggle, "link")
        self.body.addWidget(self.all_button, 0, Qt.AlignmentFlag.AlignLeft)
        self._whole = False
        self._shown: tuple[object, ...] = ()
        self._state: ServiceState | None = None
        self._now: datetime | None = None

    def show_state(self, state: ServiceState, now: datetime) -> None:
        """Shows what is known, in place."""
        self._state, self._now = state, now
        kept = state.snapshot.platforms
        apps = state.snapshot.versions if state.service.version is not None else {}
        self.setVisible(bool(kept or apps))
        if not (kept or apps):
            return
        said = []
        for name in (deployment.name for deployment in state.service.deployments):
            if name in kept:
                said.append(f"{name}: {observation_words(kept[name].observation)}, seen {age(kept[name].at, now)}")
            if name in apps:
                words = version_words(apps[name].version)
                said.append(f"{name}, as its app tells: {words}, seen {age(apps[name].at, now)}")
        self._said.setText("\n".join(shown(line) for line in said))
        to = state.target or state.service.deployments[1].name
        beside = compared_with(state.service, state.active, to)
        rows = drift_rows(state.service, kept, apps, beside, to, now)
        self._show_rows(rows, beside, to)

    def _show_rows(self, rows: tuple[Compared, ...] | None, beside: str, to: str) -> None:
        found = differing(rows or ())
        untold = any(row.agreement is Agreement.UNKNOWN and row.why for row in rows or ())
        unknown = rows is None or untold
        self._mark.show_mark(Mark.DEGRADED if found else Mark.UNKNOWN if unknown else Mark.HEALTHY)
        only = "only one side tells" if rows is None else "not all is told" if untold else "yes"
        self._verdict.setText(f"no, {counted(len(found), 'difference')}" if found else only)
        told = tuple(row for row in rows or () if self._whole or _is_told(row))
        if (told, beside, to) != self._shown:
            self._shown = (told, beside, to)
            self.table.setHtml(table_html(told, beside, to))
        self.table.setVisible(bool(told))
        rest = len(rows or ()) - sum(_is_told(row) for row in rows or ())
        self.all_button.setText("Show differences only" if self._whole else f"Show what is the same, too ({rest})")
        self.all_button.setVisible(rest > 0)

    def _toggle(self) -> None:
        self._whole = not self._whole
        if self._state is not None and self._now is not None:
            self.show_state(self._state, self._now)
