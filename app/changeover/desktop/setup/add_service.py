"""Adding a service: it starts from the address that visitors use."""

from __future__ import annotations

import asyncio
import functools
from typing import Any

from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialog, QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from changeover.accounts.kinds import dns_accounts
from changeover.desktop.runtime.tasks import Tasks
from changeover.desktop.setup.platform_form import PlatformRows
from changeover.desktop.setup.service_form import (
    BACKUP,
    PRIMARY,
    Form,
    address_list,
    answer_at,
    answer_text,
    found_words,
    likely_zone,
    service_of,
)
from changeover.desktop.widgets.form_fields import short_field
from changeover.desktop.widgets.parts import Card, add_field, button, form_in, label
from changeover.desktop.widgets.strips import FaultStrip
from changeover.dns.providers.help import every_provider
from changeover.model.dns.discovery import Discovery
from changeover.model.dns.records import hostname, values_text
from changeover.model.errors import ChangeoverError
from changeover.model.settings.service import Answer
from changeover.switchboard import Switchboard


class AddService(QDialog):
    """The form. Nothing is changed anywhere but in the settings file, and that at the very end."""

    def __init__(self, parent: QWidget | None, switchboard: Switchboard, tasks: Tasks) -> None:
        super().__init__(parent)
        self._switchboard = switchboard
        self._tasks = tasks
        self._found: dict[str, Answer] = {}
        self._discovery: Discovery | None = None
        #: By field, what was filled in: whatever else stands there was typed, and stays.
        self._filled: dict[QLineEdit, str] = {}
        self._account_chosen = False
        self._own: asyncio.Task[Any] | None = None
        self._over = False
        self.setWindowTitle("Add a service")
        self.resize(760, 700)
        self.setMinimumSize(620, 480)
        inside = QWidget()
        inside.setObjectName("page")
        column = QVBoxLayout(inside)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(12)
        column.addWidget(label("Add a service", "title"))
        explained = "Type the address your visitors use. Changeover looks up the rest; no record is changed."
        column.addWidget(label(explained, "muted"))
        column.addLayout(self._address())
        column.addWidget(self._where())
        column.addWidget(self._dns())
        column.addWidget(self._check())
        column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setAccessibleName("Add a service")
        area.setWidget(inside)
        self.fault = FaultStrip()
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(area, 1)
        strip = QHBoxLayout()
        strip.setContentsMargins(24, 0, 24, 0)
        strip.addWidget(self.fault)
        whole.addLayout(strip)
        whole.addWidget(self._footer())
        self._unsubscribe = switchboard.subscribe(lambda name: self._show_accounts() if name is None else None)
        self.finished.connect(lambda _: self._let_go())
        self._show_accounts()
        self.addresses.setFocus()

    def _address(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.addresses = QLineEdit()
        self.addresses.setPlaceholderText("www.shop.example, shop.example")
        self.addresses.setAccessibleName("Addresses that visitors use")
        self.addresses.returnPressed.connect(self._look_up)
        self.look_up_button = button("Look up", self._look_up, "primary")
        row.addWidget(self.addresses, 1)
        row.addWidget(self.look_up_button)
        return row

    def _where(self) -> Card:
        card = Card("Where it runs")
        self.looked_up = label("Not looked up yet.", "muted")
        card.body.addWidget(self.looked_up)
        form = form_in(card)
        self.primary = QLineEdit()
        self.primary.setPlaceholderText("where visitors go now: a host name or addresses")
        self.backup = QLineEdit()
        self.backup.setPlaceholderText("a host name or addresses")
        self.platforms = {}
        for name, where in ((PRIMARY, self.primary), (BACKUP, self.backup)):
            add_field(form, name.capitalize(), where)
            self.platforms[name] = PlatformRows(form, name, functools.partial(self._take_platform, name))
        self.templated = QCheckBox("With the steps that its platforms make possible: room, maintenance, workers, proof")
        self.templated.setChecked(True)
        self.templated.hide()
        card.body.addWidget(self.templated)
        return card

    def _take_platform(self, deployment: str, account: str | None) -> None:
        """Steps can be made where a platform steers a deployment, and what its account has is offered."""
        self.templated.setVisible(any(rows.account.currentData() for rows in self.platforms.values()))
        if account is not None:
            self._tasks.spawn(self._offer(deployment, account), "what an account has")

    async def _offer(self, deployment: str, account: str) -> None:
        try:
            apps = await self._switchboard.apps(account)
        except ChangeoverError as error:
            self.fault.show_error(error)
            return
        if not self._over:
            self.platforms[deployment].offer(account, apps)

    def _dns(self) -> Card:
        card = Card("Who may change its DNS")
        form = form_in(card)
        row = QHBoxLayout()
        row.setSpacing(8)
        self.account = QComboBox()
        self.account.setAccessibleName("DNS account")
        self.account.activated.connect(lambda _: self._choose_account())
        row.addWidget(self.account, 1)
        self.add_account_button = button("Add account…", self._add_account)
        row.addWidget(self.add_account_button)
        add_field(form, "DNS account", row)
        self.zone = QLineEdit()
        self.zone.setPlaceholderText("shop.example")
        add_field(form, "Zone", self.zone)
        self.discovered = label("", "muted")
        self.discovered.hide()
        card.body.addWidget(self.discovered)
        return card

    def _check(self) -> Card:
        card = Card("How it is checked")
        form = form_in(card)
        row = QHBoxLayout()
        row.setSpacing(8)
        self.scheme = QComboBox()
        self.scheme.addItems(["https", "http", "tcp"])
        self.scheme.setAccessibleName("Scheme of the health check")
        self.path = QLineEdit("/")
        self.path.setAccessibleName("Path of the health check")
        self.port = short_field("Port of the health check")
        self.port.setPlaceholderText("443")
        row.addWidget(self.scheme)
        row.addWidget(label("port", wrap=False))
        row.addWidget(self.port)
        row.addWidget(label("path", wrap=False))
        row.addWidget(self.path, 1)
        add_field(form, "Health check", row)
        self.contains = QLineEdit()
        self.contains.setPlaceholderText("a text, if you like; more conditions can be set later")
        add_field(form, "The body contains", self.contains)
        self.marker = QLineEdit()
        self.marker.setPlaceholderText("header, such as X-Deployment")
        self.marker.setAccessibleName("Header by which each deployment says who it is")
        self.says = (QLineEdit(PRIMARY), QLineEdit(BACKUP))
        who = QHBoxLayout()
        who.setSpacing(8)
        who.addWidget(self.marker, 2)
        for name, value in zip((PRIMARY, BACKUP), self.says, strict=True):
            value.setAccessibleName(f"What the {name} says there")
            who.addWidget(value, 1)
        add_field(form, "Marker", who)
        self.scheme.currentTextChanged.connect(self._take_scheme)
        self.name = QLineEdit()
        self.name.setPlaceholderText("shop")
        add_field(form, "Name in Changeover", self.name)
        return card

    def _take_scheme(self, scheme: str) -> None:
        self.port.setPlaceholderText({"https": "443", "http": "80"}.get(scheme, "needed"))
        self.path.setEnabled(scheme != "tcp")
        for made in (self.contains, self.marker, *self.says):
            made.setEnabled(scheme != "tcp")

    def _footer(self) -> QWidget:
        footer = QWidget()
        footer.setObjectName("footer")
        footer.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        row = QHBoxLayout(footer)
        row.setContentsMargins(24, 10, 24, 10)
        row.addStretch(1)
        self.cancel_button = button("Cancel", self.reject)
        self.add_button = button("Add service", self._add, "primary")
        row.addWidget(self.cancel_button)
        row.addWidget(self.add_button)
        return footer

    def _show_accounts(self) -> None:
        for made in self.platforms.values():
            made.show_accounts(self._switchboard.settings.accounts)
        before = self.account.currentText()
        self.account.clear()
        self.account.addItems([a.name for a in dns_accounts(self._switchboard.settings)])
        if before:
            self.account.setCurrentText(before)
        self.account.setPlaceholderText("none yet")
        self.account.setEnabled(self.account.count() > 0)

    def _look_up(self) -> None:
        self._spawn(self._find())

    async def _find(self) -> None:
        self.fault.hide()
        try:
            names = [hostname(item) for item in address_list(self.addresses.text())]
            if not names:
                raise ValueError("Type the address that visitors use, such as www.shop.example.")
        except ValueError as error:
            self.fault.show_words(str(error))
            return
        # Whoever types on meanwhile is not disturbed: what is typed stays, and the cursor is not moved any more.
        self.backup.setFocus()
        self.look_up_button.setEnabled(False)
        try:
            await asyncio.gather(self._find_addresses(names), self._find_zone(names[0]))
        finally:
            self.look_up_button.setEnabled(True)

    async def _find_addresses(self, names: list[str]) -> None:
        self.looked_up.setText("Looking up…")
        self._fill(self.primary, "")  # what was found before belongs to another address
        try:
            answers = await asyncio.gather(*(self._switchboard.look_up(name) for name in names))
        except ChangeoverError as error:
            self.looked_up.setText("Not looked up.")
            self.fault.show_error(error)
            return
        lines = []
        for name, records in zip(names, answers, strict=True):
            answer = answer_at(name, records)
            if answer is not None:
                self._found[name] = answer
            here = [r for r in records if r.name == name]
            lines.append(f"{name}: {values_text(here)}" if here else f"{name} has no address")
        self.looked_up.setText("\n".join(lines))
        if names[0] in self._found:
            self._fill(self.primary, answer_text(self._found[names[0]]))
        self._fill(self.name, likely_zone(names[0], ()).partition(".")[0])

    async def _find_zone(self, name: str) -> None:
        """Asks every account for the zone, and fills in what is found."""
        accounts = ", ".join(account.name for account in dns_accounts(self._switchboard.settings))
        words = f"Asking {accounts or 'the name servers'} for the zone of {name}…"
        self._discovery = None
        self._show_discovered(words)
        try:
            self._discovery = await self._switchboard.discover(name)
            words = found_words(self._discovery)
        except ChangeoverError as error:
            self.fault.show_error(error)
        finally:
            self._show_discovered(words if self._discovery is not None else "")
        if self._discovery is None:
            return
        if self._discovery.entries and not self._account_chosen:
            self.account.setCurrentText(self._discovery.entries[0].account)
        self._fill_zone(self._discovery)

    def _fill_zone(self, discovery: Discovery) -> None:
        """The zone that the chosen account has, else a guess."""
        held = [one.held.zone for one in discovery.found if one.account == self.account.currentText()]
        self._fill(self.zone, likely_zone(discovery.hostname, held))

    def _show_discovered(self, text: str) -> None:
        self.discovered.setText(text)
        self.discovered.setVisible(bool(text))

    def _fill(self, field: QLineEdit, text: str) -> None:
        if field.text() in ("", self._filled.get(field)):
            field.setText(text)
            self._filled[field] = text

    def _choose_account(self) -> None:
        self._account_chosen = True
        if self._discovery is not None:
            self._fill_zone(self._discovery)
        elif address_list(self.addresses.text()):
            self._look_up()

    def _take_account(self, name: str) -> None:
        """A new account may be the one that has the zone."""
        self.account.setCurrentText(name)
        self._account_chosen = True
        if address_list(self.addresses.text()):
            self._look_up()

    def _add_account(self) -> None:
        from changeover.desktop.setup.add_account import AddAccount

        self.account_form = AddAccount(self, self._switchboard, self._tasks, every_provider())
        self.account_form.added.connect(self._take_account)
        self.account_form.open()

    def _add(self) -> None:
        self._spawn(self._save())

    async def _save(self) -> None:
        self.fault.hide()
        try:
            service = service_of(self._typed())
            on_platforms = tuple(self.platforms[deployment.name].on(deployment) for deployment in service.deployments)
            service = replace(service, deployments=on_platforms)
            if self.templated.isVisible() and self.templated.isChecked():
                service = replace(service, actions=await self._switchboard.template(service))
            await self._switchboard.add_service(service)
        except ValueError as error:
            self.fault.show_words(str(error))
        except ChangeoverError as error:
            self.fault.show_error(error)
        else:
            self.accept()

    def _typed(self) -> Form:
        return Form(
            name=self.name.text(),
            hostnames=self.addresses.text(),
            account=self.account.currentText(),
            zone=self.zone.text(),
            primary=self.primary.text(),
            backup=self.backup.text(),
            path=self.path.text(),
            scheme=self.scheme.currentText(),
            port=self.port.text(),
            contains=self.contains.text(),
            marker=self.marker.text(),
            says=(self.says[0].text(), self.says[1].text()),
            found=self._found,
        )

    def _spawn(self, work: Any) -> None:
        if self._own is not None:
            self._own.cancel()
        self._own = self._tasks.spawn(work, "adding a service")

    def _let_go(self) -> None:
        self._over = True
        self._unsubscribe()
        if self._own is not None:
            self._own.cancel()
