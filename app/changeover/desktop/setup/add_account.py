"""Adding an account: fields as its provider declares them, and the secret straight to the keyring."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from changeover.accounts.accounts import WrongFields
from changeover.accounts.kinds import KINDS, every_kind
from changeover.desktop.runtime.tasks import Tasks
from changeover.desktop.setup.account_form import Field, KeyField, SecretInput, provider_combo
from changeover.desktop.widgets.form_fields import in_reading_order, items_in
from changeover.desktop.widgets.parts import Card, button, form_in, label
from changeover.desktop.widgets.shapes import Mark, MarkWidget
from changeover.desktop.widgets.strips import FaultStrip
from changeover.dns.providers.help import sentence
from changeover.model.errors import ChangeoverError, KeyringError
from changeover.model.formatting import counted
from changeover.model.secret import Secret
from changeover.model.settings.account import AccountCheck
from changeover.model.settings.account_fields import AccountKind, OptionField, option_fields, secret_fields
from changeover.switchboard import Switchboard

#: The rows of the form above those of the provider: which one, and the account's name.
_FIRST_ROWS = 2
#: Pixels that a window's frame and a panel take of the screen.
_FRAME = 90
_NO_NAME = "It needs a name: any short word, such as dns-main."


def check_words(check: AccountCheck) -> str:
    """What a credential can do, in words."""
    if not check.tried:
        return f"{check.text}. It is tried once a service uses it."
    if not check.ok:
        return f"{check.text} {check.hint}".strip()
    seen = [("Zones", check.zones), ("Apps", [app.name for app in check.apps])]
    listed = [_listed(heading, names) for heading, names in seen if names]
    hint = [f"{check.hint}."] if check.hint else []
    return " ".join([f"{check.text}.", *hint, *check.warnings, *check.notes, *listed])


def _listed(heading: str, names: Sequence[str]) -> str:
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"{heading}: {', '.join(names[:8])}{more}."


def check_mark(check: AccountCheck) -> Mark:
    """What a credential can do, as a shape."""
    if not check.tried:
        return Mark.UNKNOWN
    if not check.ok:
        return Mark.DOWN
    return Mark.DEGRADED if check.may_write is False or check.warnings else Mark.HEALTHY


def is_seldom_needed(key: OptionField) -> bool:
    """Does it have a default that nearly everybody keeps?"""
    return bool in key.kinds or bool(key.default)


class AddAccount(QDialog):
    """The form. `added` is sent with the account's name once it is in the settings. It may be at any of `kinds`."""

    added = Signal(str)

    def __init__(
        self,
        parent: QWidget | None,
        switchboard: Switchboard,
        tasks: Tasks,
        kinds: Iterable[tuple[str, AccountKind]] | None = None,
    ) -> None:
        super().__init__(parent)
        self._switchboard = switchboard
        self._tasks = tasks
        self._own: asyncio.Task[Any] | None = None
        self._saved = False
        self.setWindowTitle("Add an account")
        self.setMinimumWidth(680)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(12)
        column.addWidget(label("Add an account", "title"))
        where = "A credential at a DNS provider or a platform. The secret goes to this computer's keyring only."
        column.addWidget(label(where, "muted"))
        self._card = Card()
        self._form = form_in(self._card)
        self.provider = provider_combo(every_kind() if kinds is None else kinds)
        self.name = QLineEdit()
        self.name.setPlaceholderText("such as dns-main")
        self.name_field = Field("Name in Changeover", self.name)
        self._put(0, "Provider", self.provider, self.provider)
        self._put(1, "Name in Changeover", self.name_field, self.name)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setAccessibleName("Account")
        self._area.setWidget(self._card)
        column.addWidget(self._area, 1)
        column.addWidget(self._outcome())
        self.fault = FaultStrip()
        column.addWidget(self.fault)
        self.memory_button = button("Keep it in memory for this session", lambda: self._add(in_memory=True))
        self.memory_button.hide()
        column.addWidget(self.memory_button, 0, Qt.AlignmentFlag.AlignLeft)
        row = QHBoxLayout()
        row.addStretch(1)
        self.close_button = button("Cancel", self.reject)
        self.add_button = button("Add and verify", lambda: self._add(), "primary")
        row.addWidget(self.close_button)
        row.addWidget(self.add_button)
        column.addLayout(row)
        self.keys: dict[str, KeyField] = {}
        self.secrets: dict[str, SecretInput] = {}
        self.provider.currentIndexChanged.connect(lambda _: self._show_provider())
        self.finished.connect(lambda _: self._let_go())
        self._show_provider()
        self.name.setFocus()

    @property
    def _kind(self) -> AccountKind:
        return KINDS.of(self.provider.currentData())

    def _outcome(self) -> QWidget:
        made = QWidget()
        row = QHBoxLayout(made)
        row.setContentsMargins(2, 0, 0, 0)
        self.mark = MarkWidget()
        self.outcome = label()
        row.addWidget(self.mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.outcome, 1)
        self._said = made
        made.hide()
        return made

    def _put(self, at: int, text: str, made: QWidget, inside: QWidget) -> None:
        """A row of the form, whose name stands beside its field whatever is told below."""
        before = label(text, "field", wrap=False)
        before.setBuddy(inside)
        before.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._form.insertRow(at, before, made)

    def _take(self, row: int | QWidget) -> None:
        """Takes a row away. It is deleted later: one of its own signals may be what has led here."""
        taken = self._form.takeRow(row)
        for item in (taken.labelItem, taken.fieldItem):
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()

    def _show_provider(self) -> None:
        """The fields of this provider: what is needed, its secrets, and what hardly anybody changes."""
        while self._form.rowCount() > _FIRST_ROWS:
            self._take(_FIRST_ROWS)
        self.keys, self.secrets = {}, {}
        self.fault.hide()
        self.name_field.show_fault("")
        declared = option_fields(self._kind.options)
        seldom = [key for key in declared if is_seldom_needed(key)]
        self._before_secrets = _FIRST_ROWS + len(declared) - len(seldom)
        for key in [key for key in declared if key not in seldom] + seldom:
            if seldom and key is seldom[0]:
                self._form.addRow(label("Seldom needed", "heading"))
            made = self.keys[key.name] = KeyField(key)
            made.changed.connect(self._show_secrets)
            self._put(self._form.rowCount(), "" if bool in key.kinds else key.option.label, made, made.input)
        self._show_secrets()

    def _show_secrets(self) -> None:
        """Which secrets are needed may depend on the keys. What was typed stays where it still is needed."""
        needed = secret_fields(self._kind, self._typed())
        if needed is not None and needed != tuple(made.secret for made in self.secrets.values()):
            for name, made in list(self.secrets.items()):
                if made.secret not in needed:
                    self._take(made)
                    del self.secrets[name]
            kept = self.secrets
            self.secrets = {secret.name: kept.get(secret.name) or SecretInput(secret) for secret in needed}
            for at, (name, made) in enumerate(self.secrets.items(), self._before_secrets):
                if name not in kept:
                    self._put(at, made.secret.label, made, made.input)
        for item in items_in(self._form):
            inside = item.widget()
            if inside is not None:
                inside.raise_()  # a screen reader goes by this order
        for first, second in itertools.pairwise(in_reading_order(self)):
            QWidget.setTabOrder(first, second)
        QTimer.singleShot(0, self, self._make_room)  # new fields do not know their height before

    def _make_room(self) -> None:
        """As high as the form with what is below it, but never higher than the screen."""
        layout = self._card.layout()
        assert layout is not None
        self._area.setMinimumHeight(0)
        beside = self.sizeHint().height() - self._area.sizeHint().height()
        most = self.screen().availableGeometry().height() - beside - _FRAME
        wanted = layout.totalHeightForWidth(self._area.viewport().width()) + 2
        self._area.setMinimumHeight(max(120, min(wanted, most)))
        self.adjustSize()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._make_room()

    def _typed(self) -> dict[str, object]:
        return {name: field.value for name, field in self.keys.items() if field.value is not None}

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
        self._show_faults({})
        self._say(Mark.WORKING, "Waiting for the keyring…" if self.secrets and not in_memory else "Adding…")
        self.add_button.setEnabled(False)
        try:
            typed = {key: Secret(made.text) for key, made in self.secrets.items()}
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
            self._say(check_mark(check), check_words(check))
        except WrongFields as error:
            self._said.hide()
            self._show_faults(error.faults if name else {**error.faults, "": _NO_NAME})
        except ChangeoverError as error:
            self._said.hide()
            self.fault.show_error(error)
            self.memory_button.setVisible(isinstance(error, KeyringError) and not self._saved)
        finally:
            self.add_button.setEnabled(True)

    def _show_faults(self, faults: Mapping[str, str]) -> None:
        """Says at each field what is wrong there, and brings the first of them into view."""
        fields: dict[str, Field] = {"": self.name_field, **self.keys, **self.secrets}
        for key, field in fields.items():
            field.show_fault(sentence(faults.get(key, "").partition("\n")[0]))
        wrong = [field for key, field in fields.items() if key in faults]
        if wrong:
            first = min(wrong, key=lambda field: field.mapTo(self._card, field.rect().topLeft()).y())
            first.input.setFocus()
            self._area.ensureWidgetVisible(first)
            self.fault.show_words(f"{counted(len(faults), 'field needs', 'fields need')} another look.")
        QTimer.singleShot(0, self, self._make_room)

    def _let_go(self) -> None:
        if self._own is not None:
            self._own.cancel()

    def _lock(self) -> None:
        """It is in the settings: what was typed cannot be changed any more, only looked at."""
        self._card.setEnabled(False)
        self.close_button.hide()
        self.add_button.setText("Done")

    def _say(self, mark: Mark, text: str) -> None:
        self.mark.show_mark(mark)
        self.outcome.setText(text)
        self._said.show()
