"""How a service is checked: the request, what must come back, the verdict, journeys and maintenance, in one form."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QDialog, QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from changeover.desktop.checks.check_form import NOT_FOR_TCP, CheckForm, Typed, form_of, typed, typed_verdict_words
from changeover.desktop.checks.conditions_form import ConditionsCard
from changeover.desktop.checks.journeys_form import JourneysCard
from changeover.desktop.checks.maintenance_form import MaintenanceCard
from changeover.desktop.checks.trial_result import Tried
from changeover.desktop.runtime.tasks import Tasks
from changeover.desktop.widgets.form_fields import Faulty, in_reading_order, line_field, rows_at_top, short_field
from changeover.desktop.widgets.parts import Card, add_field, button, form_in, label
from changeover.desktop.widgets.strips import FaultStrip
from changeover.model.errors import ChangeoverError
from changeover.model.formatting import counted
from changeover.model.readiness.service_state import ServiceState
from changeover.switchboard import Switchboard

_FIRST_WORDS = 140


class EditCheck(QDialog):
    """The form. Nothing is changed but the settings file, and that when it is saved; trying keeps nothing."""

    def __init__(self, parent: QWidget | None, switchboard: Switchboard, tasks: Tasks, state: ServiceState) -> None:
        super().__init__(parent)
        self._switchboard = switchboard
        self._tasks = tasks
        self._service = service = state.service
        self._folder = switchboard.home.settings_file.resolve().parent
        self._own: asyncio.Task[Any] | None = None
        self._form = form_of(service.health, service.maintenance)
        self.fields: dict[str, QLineEdit | QComboBox] = {}
        self._rows: dict[str, Faulty] = {}
        title = f"How {service.name} is checked"
        self.setWindowTitle(title)
        self.resize(820, 760)
        self.setMinimumSize(760, 480)
        self._inside = inside = QWidget()
        inside.setObjectName("page")
        column = QVBoxLayout(inside)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(12)
        column.addWidget(label(title, "title"))
        explained = "Every deployment is asked this, at its own addresses, under the names that visitors use."
        column.addWidget(label(explained, "muted"))
        self.conditions = ConditionsCard(self._form.conditions)
        self.journeys = JourneysCard(self._form.journeys)
        self.maintenance = MaintenanceCard(self._form.windows, tuple(d.name for d in service.deployments))
        for card in (self._request(), self.conditions, self._verdict(), self.journeys, self.maintenance):
            column.addWidget(card)
        column.addStretch(1)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setAccessibleName(title)
        self.area.setWidget(inside)
        self.fault = FaultStrip()
        self.tried = Tried()
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.area, 1)
        strip = QVBoxLayout()
        strip.setContentsMargins(24, 0, 24, 8)
        strip.setSpacing(8)
        strip.addWidget(self.fault)
        strip.addWidget(self.tried)
        whole.addLayout(strip)
        whole.addWidget(self._footer())
        for part in (self.conditions, self.journeys, self.maintenance):
            part.arranged.connect(self._arranged)
            part.changed.connect(self._tell)
        self.finished.connect(lambda _: self._let_go())
        self._take_scheme()
        self._arranged()
        self.fields["scheme"].setFocus()

    def _request(self) -> Card:
        card = Card("Request")
        form = form_in(card)
        scheme = QComboBox()
        scheme.addItems(["https", "http", "tcp"])
        scheme.setAccessibleName("Scheme")
        scheme.setCurrentText(self._form.request["scheme"])
        scheme.currentIndexChanged.connect(lambda _: self._take_scheme())
        self.fields["scheme"] = scheme
        port, path = self._short("port", "Port"), self._line("path", "Path", "/health")
        first = self._row("port", "scheme").put(scheme, "at port", port)
        add_field(form, "How", first)
        add_field(form, "Path", self._row("path").put(path, stretch=False))
        interval, suspect = (
            self._short("interval", "Interval"),
            self._short("suspect_interval", "Interval while failing"),
        )
        often = self._row("interval", "suspect_interval")
        add_field(form, "Every", often.put(interval, "seconds, and every", suspect, "seconds while something fails"))
        add_field(form, "Within", self._row("timeout").put(self._short("timeout", "Time limit of a check"), "seconds"))
        limits = self._row("connect_timeout", "tls_timeout", "first_byte_timeout")
        limits.put(self._short("connect_timeout", "Time limit of connecting"), "seconds to connect,", stretch=False)
        limits.put(self._short("tls_timeout", "Time limit of TLS"), "for TLS,", stretch=False)
        limits.put(self._short("first_byte_timeout", "Time limit of the first byte"), "for the first byte")
        add_field(form, "Each part within", limits)
        ca_file = self._line("ca_file", "Certificates", "a file of your own authority, in addition to the system's")
        add_field(form, "Certificates", self._row("ca_file").put(ca_file, stretch=False))
        rows_at_top(form)
        return card

    def _verdict(self) -> Card:
        card = Card("Verdict")
        short = partial(self._threshold, short_field)
        lines: tuple[tuple[str, tuple[str, ...], tuple[QWidget | str, ...]], ...] = (
            (
                "Down after",
                ("down_after",),
                (short("down_after", "Down after failed checks in a row"), "failed checks in a row"),
            ),
            (
                "or after",
                ("failures_before_down", "good_run"),
                (
                    short("failures_before_down", "Down after failed checks in all"),
                    "in all, unless",
                    short("good_run", "Good checks in a row that forget failures"),
                    "good ones in a row came between",
                ),
            ),
            (
                "Up again after",
                ("up_after", "up_seconds"),
                (
                    short("up_after", "Up after good checks in a row"),
                    "good checks in a row, over at least",
                    short("up_seconds", "Up after seconds"),
                    "seconds",
                ),
            ),
            (
                "Flapping from",
                ("flapping_changes", "flapping_window"),
                (
                    short("flapping_changes", "Flapping from changes"),
                    "changes within the last",
                    short("flapping_window", "Flapping within checks"),
                    "checks",
                ),
            ),
        )
        for words, keys, pieces in lines:
            row = self._row(*(f"thresholds.{key}" for key in keys))
            card.body.addWidget(row.begin(words, _FIRST_WORDS).put(*pieces))
        self.words = label("", "muted")
        card.body.addWidget(self.words)
        return card

    def _footer(self) -> QWidget:
        footer = QWidget()
        footer.setObjectName("footer")
        footer.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        row = QHBoxLayout(footer)
        row.setContentsMargins(24, 10, 24, 10)
        self.try_button = button("Try now", lambda: self._spawn(self._try(), "trying a check"))
        self.cancel_button = button("Cancel", self.reject)
        self.save_button = button("Save", lambda: self._spawn(self._save(), "changing a check"), "primary")
        row.addWidget(self.try_button)
        row.addStretch(1)
        row.addWidget(self.cancel_button)
        row.addWidget(self.save_button)
        return footer

    def _short(self, key: str, name: str) -> QLineEdit:
        return self._keep(key, short_field(name, self._form.request[key]))

    def _line(self, key: str, name: str, placeholder: str) -> QLineEdit:
        return self._keep(key, line_field(name, self._form.request[key], placeholder))

    def _threshold(self, make: Callable[[str, str], QLineEdit], key: str, name: str) -> QLineEdit:
        return self._keep(f"thresholds.{key}", make(name, self._form.thresholds[key]))

    def _keep(self, key: str, made: QLineEdit) -> QLineEdit:
        self.fields[key] = made
        made.textChanged.connect(lambda _: self._tell())
        return made

    def _row(self, *keys: str) -> Faulty:
        """A row of fields, below which the faults of these keys are told."""
        made = Faulty()
        self._rows.update(dict.fromkeys(keys, made))
        return made

    @property
    def form(self) -> CheckForm:
        """What is typed now."""
        texts = {
            key: made.currentText() if isinstance(made, QComboBox) else made.text() for key, made in self.fields.items()
        }
        return CheckForm(
            request={key: text for key, text in texts.items() if "." not in key},
            thresholds={key.partition(".")[2]: text for key, text in texts.items() if "." in key},
            conditions=self.conditions.conditions,
            journeys=self.journeys.journeys,
            windows=self.maintenance.windows,
        )

    def _take_scheme(self) -> None:
        scheme = self.fields["scheme"]
        assert isinstance(scheme, QComboBox)
        chosen = scheme.currentText()
        port = self.fields["port"]
        assert isinstance(port, QLineEdit)
        port.setPlaceholderText({"https": "443", "http": "80"}.get(chosen, "needed"))
        for key in NOT_FOR_TCP:
            self.fields[key].setEnabled(chosen != "tcp")
        self.fields["ca_file"].setEnabled(chosen == "https")
        self.conditions.take(tcp=chosen == "tcp")
        self._tell()

    def _arranged(self) -> None:
        """Tab goes as one reads, through rows that were added later as well."""
        for first, second in itertools.pairwise(in_reading_order(self)):
            QWidget.setTabOrder(first, second)
        self._tell()

    def _tell(self) -> None:
        """Says what the thresholds come to, while they are in order."""
        words = typed_verdict_words(self.form)
        self.words.setText(words or "Not all numbers above are in order.")

    def read(self) -> Typed:
        """What is typed; faults are shown at their fields, and the first of them is brought into view."""
        read = typed(self.form, self._folder)
        self.fault.hide()
        shown: dict[Faulty, list[str]] = {}
        for key, text in read.faults.items():
            shown.setdefault(self._place(key), []).append(text)
        for row in self._faulty():
            row.show_fault("\n".join(shown.get(row, [])))
        first = next((row for row in self._faulty() if row in shown), None)
        if first is not None:
            fields = in_reading_order(first)
            fields[0].setFocus()
            self.area.ensureWidgetVisible(first)
            self.fault.show_words(f"{counted(len(read.faults), 'field needs', 'fields need')} another look.")
        return read

    def _place(self, key: str) -> Faulty:
        kind, _, number = key.partition(".")
        rows: dict[str, list[Any]] = {
            "condition": self.conditions.rows,
            "journey": self.journeys.rows,
            "window": self.maintenance.rows,
        }
        if kind in rows:
            return rows[kind][int(number)]  # type: ignore[no-any-return]
        return self._rows.get(key) or self._rows["path"]

    def _faulty(self) -> Iterator[Faulty]:
        """Every row, as one reads."""
        inside = self._inside
        yield from sorted(inside.findChildren(Faulty), key=lambda row: row.mapTo(inside, row.rect().topLeft()).y())

    async def _try(self) -> None:
        self.tried.hide()
        health = self.read().health
        if health is None:
            return
        self.tried.show_trying()
        try:
            self.try_button.setEnabled(False)
            self.tried.show_rounds(await self._switchboard.try_check(self._service.name, health))
        except ChangeoverError as error:
            self.tried.hide()
            self.fault.show_error(error)
        finally:
            self.try_button.setEnabled(True)

    async def _save(self) -> None:
        read = self.read()
        if read.health is None or read.maintenance is None:
            return
        try:
            await self._switchboard.change_check(self._service.name, read.health, read.maintenance)
        except ChangeoverError as error:
            self.fault.show_error(error)
        else:
            self.accept()

    def _spawn(self, work: Any, name: str) -> None:
        if self._own is not None:
            self._own.cancel()
        self._own = self._tasks.spawn(work, name)

    def _let_go(self) -> None:
        if self._own is not None:
            self._own.cancel()
