"""The accounts: where each secret is, and what each credential can do."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from changeover.accounts.kinds import KINDS
from changeover.desktop.runtime.tasks import Tasks
from changeover.desktop.setup.add_account import AddAccount, check_mark, check_words
from changeover.desktop.widgets import questions as ask
from changeover.desktop.widgets.parts import Card, button, clear, label
from changeover.desktop.widgets.shapes import Mark, MarkWidget
from changeover.desktop.widgets.strips import FaultStrip
from changeover.model.errors import ChangeoverError
from changeover.model.settings.account import AccountRow
from changeover.switchboard import Switchboard

_PLACES = {
    "keyring": "secret in the keyring",
    "memory": "secret in memory, until Changeover ends",
    "missing": "its secret is not on this computer: remove it and add it again",
    "none": "needs no secret",
}


class AccountsWindow(QDialog):
    """All accounts, with what can be done with each."""

    def __init__(self, parent: QWidget | None, switchboard: Switchboard, tasks: Tasks) -> None:
        super().__init__(parent)
        self._switchboard = switchboard
        self._tasks = tasks
        self.setWindowTitle("Accounts")
        self.resize(680, 440)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(12)
        column.addWidget(label("Accounts", "title"))
        column.addWidget(
            label("Credentials at DNS providers and platforms. Secrets are in this computer's keyring only.", "muted")
        )
        self.fault = FaultStrip()
        column.addWidget(self.fault)
        inside = QWidget()
        inside.setObjectName("page")
        self._rows = QVBoxLayout(inside)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(8)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setAccessibleName("Accounts")
        area.setWidget(inside)
        column.addWidget(area, 1)
        row = QHBoxLayout()
        self.add_button = button("Add account…", self._add)
        row.addWidget(self.add_button)
        row.addStretch(1)
        close = button("Close", self.reject)
        close.setDefault(True)
        row.addWidget(close)
        column.addLayout(row)
        self._unsubscribe = switchboard.subscribe(lambda name: self._read_again() if name is None else None)
        self.finished.connect(lambda _: self._unsubscribe())
        self._rows.addWidget(label("Asking the keyring…", "muted"))
        self._read_again()

    def _read_again(self) -> None:
        self._tasks.spawn(self.read(), "listing accounts")

    async def read(self) -> None:
        """Shows what the settings and the keyring have."""
        try:
            rows = await self._switchboard.accounts()
        except ChangeoverError as error:
            self.fault.show_error(error)
            return
        clear(self._rows)
        for row in rows:
            self._rows.addWidget(self._card(row))
        if not rows:
            self._rows.addWidget(label("No accounts yet.", "muted"))
        self._rows.addStretch(1)

    def _card(self, row: AccountRow) -> Card:
        card = Card()
        top = QHBoxLayout()
        texts = QVBoxLayout()
        texts.setSpacing(1)
        texts.addWidget(label(row.name, "strong"))
        said = label(f"{KINDS.of(row.provider).label} · {_PLACES.get(row.secret, row.secret)}", "small")
        texts.addWidget(said)
        mark = MarkWidget(Mark.DEGRADED if row.secret == "missing" else Mark.UNKNOWN)
        mark.setVisible(row.secret == "missing")
        top.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        top.addLayout(texts, 1)

        def verify() -> None:
            self._tasks.spawn(self._verify(row.name, mark, said), f"verifying {row.name}")

        def remove() -> None:
            self._tasks.spawn(self._remove(row.name), f"removing {row.name}")

        top.addWidget(button("Verify", verify, "link", name=f"Verify {row.name}"))
        top.addWidget(button("Remove…", remove, "link", name=f"Remove {row.name}"))
        card.body.addLayout(top)
        return card

    async def _verify(self, name: str, mark: MarkWidget, said: QLabel) -> None:
        mark.show()
        mark.show_mark(Mark.WORKING)
        said.setText("Trying what it can do…")
        try:
            check = await self._switchboard.verify_account(name)
        except ChangeoverError as error:
            mark.show_mark(Mark.DOWN)
            said.setText(f"{error.text} {error.hint}")
            return
        mark.show_mark(check_mark(check))
        said.setText(check_words(check))

    async def _remove(self, name: str) -> None:
        text = "Its secret is taken out of the keyring of this computer. Services that use it must be removed first."
        asked = ask.Question(self, f"Remove account {name}?", text, f"Remove {name}", danger=True)
        if not await ask.answered(asked):
            return
        try:
            await self._switchboard.remove_account(name)
        except ChangeoverError as error:
            self.fault.show_error(error)

    def _add(self) -> None:
        self.form = AddAccount(self, self._switchboard, self._tasks)
        self.form.open()
