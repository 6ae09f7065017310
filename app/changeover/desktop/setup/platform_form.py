"""What runs a deployment, in the form for a service: any address, or an app of an account, with the platform's keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCompleter, QFormLayout, QLineEdit, QSizePolicy, QWidget

from changeover.accounts.kinds import KINDS
from changeover.desktop.setup.account_form import Choice, KeyField
from changeover.desktop.widgets.parts import add_field, label
from changeover.model.settings.account_fields import option_fields
from changeover.model.settings.platform import DiscoveredApp, PlatformKind
from changeover.model.settings.service import Account, Deployment


class PlatformRows:
    """Rows at the end of `form`: who steers a deployment, and the keys that its platform declares of one.

    `chosen` is called with the account that was chosen, None for any address.
    """

    def __init__(self, form: QFormLayout, deployment: str, chosen: Callable[[str | None], None]) -> None:
        self._form = form
        self._tell = chosen
        self._accounts: dict[str, Account] = {}
        self.keys: dict[str, KeyField] = {}
        self.account = Choice()
        add_field(form, "Run by", self.account)
        self.account.setAccessibleName(f"What runs the {deployment}")
        self.account.currentIndexChanged.connect(lambda _: self._show_keys())

    def show_accounts(self, accounts: Iterable[Account]) -> None:
        """Offers those that steer a platform. What was chosen and typed stays while its account does."""
        able = {account.name: account for account in accounts if KINDS.platform(account.provider) is not None}
        self._form.setRowVisible(self.account, bool(able))
        if able == self._accounts:
            return
        before = self.account.currentData()
        self._accounts = able
        self.account.clear()
        self.account.addItem("any address: nothing to steer", None)
        for account in able.values():
            self.account.addItem(f"{KINDS.of(account.provider).label}, account {account.name}", account.name)
        self.account.setCurrentIndex(max(0, self.account.findData(before)))

    def offer(self, account: str, apps: Sequence[DiscoveredApp]) -> None:
        """Offers what the account has, where it is still the one that is chosen: a name is picked instead of typed."""
        if self.account.currentData() != account:
            return
        for name, field in self.keys.items():
            if isinstance(field.input, QLineEdit):
                found = dict.fromkeys(str(app.keys[name]) for app in apps if name in app.keys)
                completer = QCompleter(list(found), field.input)
                completer.setFilterMode(Qt.MatchFlag.MatchContains)
                completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
                field.input.setCompleter(completer)
                if len(found) == 1 and not field.input.text():
                    field.input.setText(next(iter(found)))

    def on(self, deployment: Deployment) -> Deployment:
        """The deployment, run by what was chosen."""
        account, _ = self._chosen
        if account is None:
            return deployment
        typed = {name: field.value for name, field in self.keys.items() if field.value is not None}
        return replace(deployment, platform=account.provider, account=account.name, options=typed)

    @property
    def _chosen(self) -> tuple[Account | None, PlatformKind | None]:
        account = self._accounts.get(self.account.currentData() or "")
        return account, None if account is None else KINDS.platform(account.provider)

    @property
    def _row(self) -> int:
        """Where the choice stands; rows above it come and go."""
        items = (self._form.itemAt(row, QFormLayout.ItemRole.FieldRole) for row in range(self._form.rowCount()))
        return next(row for row, item in enumerate(items) if item is not None and item.widget() is self.account)

    def _show_keys(self) -> None:
        for field in self.keys.values():
            self._form.removeRow(field)
        _, kind = self._chosen
        self.keys = {} if kind is None else {key.name: KeyField(key) for key in option_fields(kind.target)}
        previous: QWidget = self.account
        for at, field in enumerate(self.keys.values(), self._row + 1):
            before = label(field.input.accessibleName(), "field", wrap=False)
            before.setBuddy(field.input)
            before.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
            self._form.insertRow(at, before, field)
            QWidget.setTabOrder(previous, field.input)
            previous = field.input
        self._tell(self.account.currentData())
