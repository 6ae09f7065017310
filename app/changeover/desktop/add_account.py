"""Adding an account: fields as its provider declares them, and the secret straight to the keyring."""

from __future__ import annotations

import asyncio
from typing import Any, get_args

import msgspec
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from changeover.desktop.fault import FaultStrip
from changeover.desktop.parts import Card, add_field, button, form_in, label
from changeover.desktop.shapes import Mark, MarkWidget
from changeover.desktop.tasks import Tasks
from changeover.dns.account_fields import SecretField
from changeover.dns.provider import ProviderType
from changeover.dns.providers import PROVIDERS, provider_type
from changeover.model.errors import ChangeoverError, KeyringError
from changeover.model.state import AccountCheck
from changeover.switchboard import Switchboard


def check_words(check: AccountCheck) -> str:
    """What a credential can do, in words."""
    if not check.ok:
        return f"{check.text} {check.hint}".strip()
    zones = f" Zones: {', '.join(check.zones[:8])}{' and more' if len(check.zones) > 8 else ''}." if check.zones else ""
    return f"{check.text}.{zones}"


def option_value(kind: Any, text: str) -> object:
    """What was typed, as the option's type wants it. What does not fit stays text, and is complained about later."""
    kinds = get_args(kind) or (kind,)
    return int(text) if int in kinds and text.isdecimal() else text


def secret_fields(kind: ProviderType, options: dict[str, object]) -> tuple[SecretField, ...] | None:
    """The secrets that an account with these options needs; None while the options do not fit yet."""
    blank = {f.encode_name: "" for f in msgspec.structs.fields(kind.options) if f.required}
    try:
        return kind.secrets(msgspec.convert({**blank, **options}, kind.options))
    except msgspec.ValidationError:
        return None


class AddAccount(QDialog):
    """The form. `added` is sent with the account's name once it is in the settings."""

    added = Signal(str)

    def __init__(self, parent: QWidget | None, switchboard: Switchboard, tasks: Tasks) -> None:
        super().__init__(parent)
        self._switchboard = switchboard
        self._tasks = tasks
        self._own: asyncio.Task[Any] | None = None
        self._saved = False
        self.setWindowTitle("Add an account")
        self.setMinimumWidth(620)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(12)
        column.addWidget(label("Add an account", "title"))
        where = "A credential at your DNS provider. The secret goes to this computer's keyring and nowhere else."
        column.addWidget(label(where, "muted"))
        card = Card()
        self._form = form_in(card)
        self.provider = QComboBox()
        for name in PROVIDERS:
            self.provider.addItem(provider_type(name).label, name)
        self.name = QLineEdit()
        self.name.setPlaceholderText("dns-main")
        add_field(self._form, "Provider", self.provider)
        add_field(self._form, "Name in Changeover", self.name)
        column.addWidget(card)
        column.addWidget(self._outcome())
        self.fault = FaultStrip()
        column.addWidget(self.fault)
        self.memory_button = button("Keep it in memory for this session", lambda: self._add(in_memory=True))
        self.memory_button.hide()
        column.addWidget(self.memory_button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)
        row = QHBoxLayout()
        row.addStretch(1)
        self.close_button = button("Cancel", self.reject)
        self.add_button = button("Add and verify", lambda: self._add(), "primary")
        row.addWidget(self.close_button)
        row.addWidget(self.add_button)
        column.addLayout(row)
        self.options: dict[str, QLineEdit | QCheckBox] = {}
        self.secrets: dict[str, QLineEdit] = {}
        self._secret_shown: tuple[SecretField, ...] = ()
        self.provider.currentIndexChanged.connect(lambda _: self._show_provider())
        self.finished.connect(lambda _: self._let_go())
        self._show_provider()
        self.name.setFocus()

    @property
    def _kind(self) -> ProviderType:
        return provider_type(self.provider.currentData())

    def _outcome(self) -> QWidget:
        made = QWidget()
        row = QHBoxLayout(made)
        row.setContentsMargins(2, 0, 0, 0)
        self.mark = MarkWidget()
        self.outcome = label()
        row.addWidget(self.mark)
        row.addWidget(self.outcome, 1)
        self._said = made
        made.hide()
        return made

    def _show_provider(self) -> None:
        while self._form.rowCount() > 2:
            self._form.removeRow(2)
        self.options, self.secrets, self._secret_shown = {}, {}, ()
        for option in msgspec.structs.fields(self._kind.options):
            words = option.encode_name.replace("_", " ").capitalize()
            made: QLineEdit | QCheckBox
            if option.type is bool:
                made = QCheckBox()
                made.setChecked(bool(option.default))
                made.toggled.connect(lambda _: self._show_secrets())
            else:
                made = QLineEdit()
                if option.required:
                    made.setPlaceholderText("needed")
                else:
                    made.setPlaceholderText(str(option.default) if option.default else "may be left empty")
                made.textChanged.connect(lambda _: self._show_secrets())
            made.setAccessibleName(words)
            add_field(self._form, words, made)
            self.options[option.encode_name] = made
        self._show_secrets()

    def _show_secrets(self) -> None:
        """Which secrets are needed may depend on the options."""
        needed = secret_fields(self._kind, self._typed())
        if needed is None or needed == self._secret_shown:
            return
        for made in self.secrets.values():
            self._form.removeRow(made)
        self.secrets = {}
        self._secret_shown = needed
        for wanted in needed:
            made = QLineEdit()
            made.setEchoMode(QLineEdit.EchoMode.Password)
            made.setAccessibleName(wanted.label)
            made.setPlaceholderText("kept in the keyring")
            made.setToolTip(wanted.help)
            add_field(self._form, wanted.label, made)
            self.secrets[wanted.name] = made

    def _typed(self) -> dict[str, object]:
        kinds = {f.encode_name: f.type for f in msgspec.structs.fields(self._kind.options)}
        found: dict[str, object] = {}
        for name, made in self.options.items():
            if isinstance(made, QCheckBox):
                found[name] = made.isChecked()
            elif made.text().strip():
                found[name] = option_value(kinds[name], made.text().strip())
        return found

    def _add(self, in_memory: bool = False) -> None:
        if self._saved:
            self.accept()
            return
        if self._own is not None:
            self._own.cancel()
        self._own = self._tasks.spawn(self._save(in_memory), "adding an account")

    async def _save(self, in_memory: bool) -> None:
        name = self.name.text().strip()
        self.fault.hide()
        self.memory_button.hide()
        self._say(Mark.WORKING, "Waiting for the keyring…" if self.secrets and not in_memory else "Adding…")
        self.add_button.setEnabled(False)
        try:
            if not name:
                raise ChangeoverError("The account needs a name", "Any short word, such as dns-main.")
            typed = {key: made.text() for key, made in self.secrets.items()}
            await self._switchboard.add_account(
                name, self.provider.currentData(), self._typed(), typed, in_memory=in_memory
            )
            for made in self.secrets.values():
                made.clear()
            self._saved = True
            self.added.emit(name)
            self._lock()
            self._say(Mark.WORKING, "Added. Trying what it can do…")
            check = await self._switchboard.verify_account(name)
            self._say(Mark.HEALTHY if check.ok and check.may_write is not False else Mark.DEGRADED, check_words(check))
        except ChangeoverError as error:
            self._said.hide()
            self.fault.show_error(error)
            self.memory_button.setVisible(isinstance(error, KeyringError) and not self._saved)
        finally:
            self.add_button.setEnabled(True)

    def _let_go(self) -> None:
        if self._own is not None:
            self._own.cancel()

    def _lock(self) -> None:
        """It is in the settings: what was typed cannot be changed any more, only looked at."""
        for made in (self.provider, self.name, *self.options.values(), *self.secrets.values()):
            made.setEnabled(False)
        self.close_button.hide()
        self.add_button.setText("Done")

    def _say(self, mark: Mark, text: str) -> None:
        self.mark.show_mark(mark)
        self.outcome.setText(text)
        self._said.show()
