"""The form of one operation: which it is, its options, and what is to be known before it is done."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCompleter, QLineEdit

from changeover.desktop.setup.account_form import Choice, KeyField
from changeover.desktop.widgets.form_fields import rows_at_top
from changeover.desktop.widgets.parts import Card, add_field, form_in, label
from changeover.dns.providers.help import sentence
from changeover.model.platforms.platform_observation import PlatformObservation
from changeover.model.settings.account_fields import option_fields
from changeover.model.settings.action import Verb
from changeover.model.settings.platform import PlatformKind, PlatformOperation, operation_of
from changeover.model.settings.service import Service


def verb_words(verb: Verb) -> str:
    """An operation as it is called: "Maintenance on"."""
    return verb.replace("-", " ").capitalize()


def back_words(operation: PlatformOperation) -> str:
    """What takes an operation back."""
    if operation.reverse is None:
        return "Nothing."
    how = "the same" if operation.reverse == operation.verb else f"“{verb_words(operation.reverse)}”"
    return f"An undo of its run: {how}, with what stands there now."


def known_values(service: Service, found: PlatformObservation | None) -> dict[str, tuple[str, ...]]:
    """By option, what a person may mean by it: what they need not type."""
    if found is None:
        return {"hostname": service.hostnames}
    return {
        "hostname": tuple(dict.fromkeys((*service.hostnames, *found.hostnames))),
        "process": tuple(process.name for process in found.processes),
        "database": tuple(database.name for database in found.databases),
    }


class NameConfirmation(Card):
    """Asks for the deployment's name to be typed, which nobody does in passing."""

    def __init__(self, deployment: str) -> None:
        super().__init__(role="caution")
        self._deployment = deployment
        self.body.addWidget(label(f"Type the deployment's name, {deployment}, to go on:", "strong"))
        self.name = QLineEdit()
        self.name.setAccessibleName(f"The deployment's name, {deployment}, to go on")
        self.body.addWidget(self.name)

    @property
    def given(self) -> bool:
        """Was it typed, however its letters were put together?"""
        typed, name = (unicodedata.normalize("NFC", text) for text in (self.name.text().strip(), self._deployment))
        return typed == name


class OperationForm(Card):
    """Everything that is chosen and typed. `changed` is sent whenever that is another."""

    changed = Signal()

    def __init__(self, kind: PlatformKind) -> None:
        super().__init__()
        self._kind = kind
        self._form = form_in(self)
        self.choice = Choice()
        for operation in kind.operations:
            self.choice.addItem(verb_words(operation.verb), operation.verb)
        add_field(self._form, "Operation", self.choice)
        self.choice.setAccessibleName("Operation")
        self.keys: dict[str, KeyField] = {}
        self._offered: Mapping[str, tuple[str, ...]] = {}
        self.told = {name: label() for name in ("What it does", "Taken back by", "Permission", "Risk")}
        for name, made in self.told.items():
            self._form.addRow(label(name, "field", wrap=False), made)
        self.choice.currentIndexChanged.connect(lambda _: self._show_keys())
        self._show_keys()

    @property
    def operation(self) -> PlatformOperation:
        """What is chosen."""
        found = operation_of(self._kind, self.choice.currentData())
        assert found is not None
        return found

    @property
    def options(self) -> dict[str, object]:
        """What was typed."""
        return {name: field.value for name, field in self.keys.items() if field.value is not None}

    def offer(self, values: Mapping[str, tuple[str, ...]]) -> None:
        """Offers values by option, where there are some to pick from."""
        self._offered = values
        for name, field in self.keys.items():
            if isinstance(field.input, QLineEdit) and values.get(name):
                completer = QCompleter(list(values[name]), field.input)
                completer.setFilterMode(Qt.MatchFlag.MatchContains)
                completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
                field.input.setCompleter(completer)

    def show_risks(self, risks: tuple[str, ...]) -> None:
        """Says what is to be thought of first; the row is there while there is something."""
        self.told["Risk"].setText("\n".join(risks))
        self._form.setRowVisible(self.told["Risk"], bool(risks))

    def show_faults(self, faults: Mapping[str, str]) -> None:
        """Says at each field what is wrong there, and leads to the first of them."""
        for name, field in self.keys.items():
            field.show_fault(sentence(faults.get(name, "")))
        first = next((field for name, field in self.keys.items() if name in faults), None)
        if first is not None:
            first.input.setFocus()

    def _show_keys(self) -> None:
        for field in self.keys.values():
            self._form.removeRow(field)
        operation = self.operation
        self.keys = {key.name: KeyField(key) for key in option_fields(operation.options)}
        for at, field in enumerate(self.keys.values(), 1):
            before = label(field.input.accessibleName(), "field", wrap=False)
            before.setBuddy(field.input)
            self._form.insertRow(at, before, field)
            field.changed.connect(self.changed)
        rows_at_top(self._form)
        self.offer(self._offered)
        self.told["What it does"].setText(sentence(operation.does))
        self.told["Taken back by"].setText(back_words(operation))
        self.told["Permission"].setText(sentence(operation.permission))
        self.choice.setAccessibleDescription(f"{sentence(operation.does)} It needs: {sentence(operation.permission)}")
        self.changed.emit()
