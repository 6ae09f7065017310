"""Pieces of the form for an account: a field for each key and secret, made from what the provider declares."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QIntValidator, QWheelEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QFileDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from changeover.desktop.widgets.parts import button, label
from changeover.dns.providers.help import as_written, sentence
from changeover.model.errors import ChangeoverError
from changeover.model.formatting import counted
from changeover.model.settings.account_fields import AccountKind, OptionField, SecretField

Input = QLineEdit | QCheckBox | QComboBox

#: Characters of a secret; a key file has a few thousand.
MOST_SECRET = 65536


class Field(QWidget):
    """What is typed, what it means, and, once it was tried, what is wrong with it."""

    changed = Signal()

    def __init__(self, name: str, made: Input, meaning: str = "") -> None:
        super().__init__()
        self.input = made
        self._meaning = meaning
        made.setAccessibleName(name)
        made.setAccessibleDescription(meaning)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 4)
        self.column.setSpacing(3)
        self.column.addWidget(made)
        self.fault = label("", "fault")
        self.fault.hide()
        self.column.addWidget(self.fault)
        if meaning:
            self.column.addWidget(label(meaning, "small"))

    def show_fault(self, text: str) -> None:
        """Says what is wrong, also to a screen reader; nothing for an empty text."""
        self.fault.setText(text)
        self.fault.setVisible(bool(text))
        self.input.setAccessibleDescription(" ".join(filter(None, (text, self._meaning))))


class KeyField(Field):
    """One key of the account's table in the settings file."""

    def __init__(self, key: OptionField) -> None:
        self._key = key
        made = _input(key)
        may_be_empty = not key.required and not key.default and isinstance(made, QLineEdit)
        commas = "Several have commas between them." if key.several else ""
        meaning = _meaning(key.option.help, commas, "May be left empty." if may_be_empty else "")
        super().__init__(key.option.label, made, meaning)
        if isinstance(made, QLineEdit):
            made.textChanged.connect(self.changed)
        elif isinstance(made, QComboBox):
            made.currentIndexChanged.connect(self.changed)
        else:
            made.toggled.connect(self.changed)

    @property
    def value(self) -> object:
        """What was typed, as the key's type wants it; None for nothing."""
        if isinstance(self.input, QCheckBox):
            return self.input.isChecked()
        if isinstance(self.input, QComboBox):
            return self.input.currentData()
        text = self.input.text().strip()
        return self._key.value_of(text) if text else None


class SecretInput(Field):
    """One secret: never shown, and kept as it was pasted, lines and all."""

    def __init__(self, secret: SecretField) -> None:
        self.secret = secret
        made = self._edit = QLineEdit()
        made.setEchoMode(QLineEdit.EchoMode.Password)
        made.setMaxLength(MOST_SECRET)
        made.setPlaceholderText(_such_as(secret.example) or "kept in the keyring")
        super().__init__(secret.label, made, _meaning(secret.help))
        if secret.permission:
            told = f"Least permission: {secret.permission}"
            self.column.addWidget(label(told, "small"))
            self._meaning = f"{self._meaning} {told}".strip()
        self.extent = label("", "small")
        self.extent.hide()
        self.column.insertWidget(1, self.extent)
        self._add_ways(secret)
        made.textChanged.connect(self._tell_extent)
        self.show_fault("")

    def _add_ways(self, secret: SecretField) -> None:
        """Where one gets it: at a page of the provider, or from a file."""
        row = QHBoxLayout()
        row.setSpacing(16)
        if secret.link:
            place = QUrl(secret.link)
            self.link = button(f"Open {place.host()}", lambda: QDesktopServices.openUrl(place), "link")
            self.link.setAccessibleName(f"Open {place.host()} in the browser, for the {secret.label}")
            self.link.setToolTip(secret.link)
            row.addWidget(self.link)
        if secret.several_lines:
            self.file_button = button("Read it from a file…", self._choose_file, "link")
            self.file_button.setAccessibleName(f"Read the {secret.label} from a file")
            row.addWidget(self.file_button)
        row.addStretch(1)
        self.column.addLayout(row)

    @property
    def text(self) -> str:
        return self._edit.text()

    def clear(self) -> None:
        self._edit.clear()

    def _choose_file(self) -> None:
        dialog = self.dialog = QFileDialog(self, f"File with the {self.secret.label}", str(Path.home()))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.accepted.connect(lambda: self.read_file(Path(dialog.selectedFiles()[0])))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def read_file(self, file: Path) -> None:
        """Takes the content of a file as the secret."""
        try:
            self._edit.setText(_content(file))
        except ChangeoverError as error:
            self.show_fault(sentence(error.text))
        else:
            self.show_fault("")

    def _tell_extent(self) -> None:
        """Of several lines one sees only dots, so it is said that all have come."""
        lines = self.text.strip().splitlines()
        self.extent.setText(f"{counted(len(lines), 'line')}, {counted(len(self.text), 'character')}")
        self.extent.setVisible(len(lines) > 1)
        self.changed.emit()


class Choice(QComboBox):
    """A wheel over it scrolls the form that it is in, and chooses nothing."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


def provider_combo(kinds: Iterable[tuple[str, AccountKind]]) -> QComboBox:
    """Each of `kinds` by its label; its name is the data. Typing finds those that contain what is typed."""
    made = Choice()
    made.setAccessibleName("Provider")
    for name, kind in kinds:
        made.addItem(kind.label, name)
    made.setEditable(True)
    made.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
    completer, edit = made.completer(), made.lineEdit()
    assert completer is not None
    assert edit is not None
    made.setMaxVisibleItems(20)
    edit.setAccessibleName("Provider")
    edit.setAccessibleDescription("Type a part of its name to find it")
    completer.setMaxVisibleItems(20)
    completer.setFilterMode(Qt.MatchFlag.MatchContains)
    completer.setCompletionMode(completer.CompletionMode.PopupCompletion)
    found = completer.popup()
    assert found is not None
    found.setObjectName("found")

    def settle() -> None:
        """What was typed is the provider that it finds first; where it finds none, nothing has changed."""
        typed = edit.text().strip()
        at = made.findText(typed, Qt.MatchFlag.MatchFixedString)
        if at < 0 and typed:
            at = made.findText(typed, Qt.MatchFlag.MatchContains)
        if at >= 0:
            made.setCurrentIndex(at)
        edit.setText(made.itemText(made.currentIndex()))
        edit.setCursorPosition(0)

    edit.editingFinished.connect(settle)
    return made


def _meaning(text: str, *more: str) -> str:
    return " ".join(filter(None, (sentence(text), *more)))


def _such_as(example: str) -> str:
    return f"such as {example}" if example else ""


def _input(key: OptionField) -> Input:
    if key.choices:
        choice = Choice()
        for value in key.choices:
            choice.addItem(str(value), value)
        choice.setCurrentIndex(max(0, choice.findData(key.default)))
        return choice
    if bool in key.kinds:
        box = QCheckBox(key.option.label)
        box.setChecked(bool(key.default))
        return box
    line = QLineEdit()
    line.setPlaceholderText(as_written(key.default) if key.default else _such_as(key.option.example))
    if int in key.kinds and str not in key.kinds:
        line.setValidator(QIntValidator(0, 2**31 - 1, line))
        line.setMaximumWidth(140)
    return line


def _content(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_SECRET + 1)
        text = content.decode()
    except OSError as error:
        raise ChangeoverError(f"{file.name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        text = ""  # the error holds what was read
    if not text or len(content) > MOST_SECRET:
        raise ChangeoverError(f"{file.name} is no text, or is too long for a secret")
    return text
