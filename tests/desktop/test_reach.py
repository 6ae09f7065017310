"""Everybody can use it: names for a screen reader, the keyboard, and code rules that keep tasks alive."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

import changeover.desktop
from changeover.desktop.service.service_actions import FreezeQuestion
from changeover.desktop.setup.accounts import AccountsWindow
from changeover.desktop.setup.add_account import AddAccount
from changeover.desktop.setup.add_service import AddService
from changeover.desktop.widgets import questions as ask
from changeover.desktop.wizard.flow import WizardPage
from changeover.desktop.wizard.undo_question import about_undo
from changeover.model.runs.run import Intent
from desktop.on_screen import click, lab_desktop
from desktop.samples import acting_run, done, plan, state
from desktop.waiting import until


def nameless(window: QWidget) -> list[str]:
    """The widgets that the keyboard reaches and that have nothing to say."""
    found = []
    for widget in window.findChildren(QWidget):
        if widget.focusPolicy() is Qt.FocusPolicy.NoFocus or not widget.isVisible():
            continue
        if widget.focusProxy() is not None or widget.objectName() == "qt_scrollarea_viewport":
            continue
        interface = QAccessible.queryAccessibleInterface(widget)
        if interface is None or not interface.text(QAccessible.Text.Name).strip():
            found.append(f"{type(widget).__name__} {widget.objectName()}".strip())
    return found


def test_every_focusable_widget_has_a_name(
    on_loop: Callable[..., None], tmp_path: Path, light: None, qtbot: QtBot
) -> None:
    """Nothing that the keyboard reaches is nameless to a screen reader, in any window."""

    async def scenario() -> None:
        async with lab_desktop(tmp_path) as session:
            controller = session.controller
            await until(lambda: "the backup is ready" in controller.page.sentence.text(), "a quiet state")
            await controller.switchboard.switch(
                await controller.switchboard.prepare("shop", "backup"), who="anna@laptop"
            )
            await until(lambda: controller.page.second_button.isVisible(), "the undo")
            assert nameless(session.window) == []
            click(controller.page.main_button)
            wizard = controller.wizards["shop"]
            assert nameless(wizard) == []
            click(wizard.next_button)
            await until(lambda: wizard.readiness.ready, "the readiness")
            assert nameless(wizard) == []
            click(wizard.next_button)
            assert nameless(wizard) == []
            for page in (WizardPage.SWITCH, WizardPage.RESULT):
                wizard.go_to(page)
                assert nameless(wizard) == []
            wizard.show_run(acting_run(*done(0, 1, 2, 3), Intent(step=4)))
            assert wizard.progress.rows[4].buttons["approve"].isVisible()
            assert nameless(wizard) == []
            wizard.reject()
            undo = plan(state(active="backup"), "primary")
            for dialog in (
                AddService(session.window, controller.switchboard, session.tasks),
                AddAccount(session.window, controller.switchboard, session.tasks),
                AccountsWindow(session.window, controller.switchboard, session.tasks),
                about_undo(session.window, "shop-1", undo, kept=False),
                ask.ReasonQuestion(session.window, "Accept?", "It stays as it is.", "Accept"),
                FreezeQuestion(session.window, "shop"),
                ask.NoteQuestion(session.window, "Approve?", "Does it look right?", "Approve", note="Note"),
                ask.ReportView(session.window, "shop-1", "# Run shop-1", lambda: None),
            ):
                dialog.show()
                assert nameless(dialog) == [], type(dialog).__name__
                dialog.close()

    on_loop(scenario())


def test_pictures_are_told_in_words(on_loop: Callable[..., None], tmp_path: Path, light: None) -> None:
    """The route diagram and the chart, which are painted, say the same to a screen reader."""

    async def scenario() -> None:
        async with lab_desktop(tmp_path) as session:
            page = session.controller.page
            await until(lambda: "the backup is ready" in page.sentence.text(), "a quiet state")
            told = page.route.accessibleDescription()
            assert "Visitors reach primary" in told
            assert "backup at 127.0.0" in told or "backup at ::1" in told
            assert "primary" in page.chart.accessibleDescription()
            item = session.controller.services.rows.item(0)
            assert item.data(Qt.ItemDataRole.AccessibleTextRole) == "shop, healthy, on primary · healthy"

    on_loop(scenario())


def test_the_keyboard_reaches_everything(on_loop: Callable[..., None], tmp_path: Path, light: None) -> None:
    """Tab goes from the list through the page to the last button and round again."""

    async def scenario() -> None:
        async with lab_desktop(tmp_path) as session:
            controller = session.controller
            await until(lambda: "the backup is ready" in controller.page.sentence.text(), "a quiet state")
            order = [
                controller.services.filter,
                controller.services.rows,
                controller.services.add_button,
                controller.services.accounts_button,
                *controller.banner.buttons.values(),
                controller.page.main_button,
                controller.page.more_button,
            ]
            reached = [widget for widget in _chain(controller.services.filter) if widget in order]
            assert reached == order
            assert all(widget.focusPolicy() & Qt.FocusPolicy.TabFocus for widget in order)

    on_loop(scenario())


def _chain(first: QWidget) -> Iterator[QWidget]:
    widget = first
    while True:
        yield widget
        widget = widget.nextInFocusChain()
        if widget is first:
            return


def test_no_dialog_runs_a_loop_of_its_own(qapp: QApplication) -> None:
    """`exec` of a dialog inside a task leaves other tasks waiting for ever; nothing here may call it."""
    banned = re.compile(r"\.exec_?\(|QMessageBox|QInputDialog|QFileDialog\.get|asyncSlot|asyncClose|processEvents\(")
    allowed = {("application.py", "application.processEvents()")}
    found = []
    for file in Path(changeover.desktop.__file__).parent.rglob("*.py"):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            if banned.search(line) and not any(file.name == n and text in line for n, text in allowed):
                found.append(f"{file.name}:{number}: {line.strip()}")
    assert found == []
