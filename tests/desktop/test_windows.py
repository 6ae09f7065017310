"""What the windows promise, on the real practice ground."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QLineEdit, QPushButton, QWidget

from changeover.desktop.application import DesktopSession
from changeover.desktop.history.timeline import Range
from changeover.desktop.setup.accounts import AccountsWindow
from changeover.desktop.setup.add_account import AddAccount
from changeover.desktop.setup.add_service import AddService
from changeover.desktop.wizard.flow import WizardPage
from changeover.model.errors import KeyringError
from changeover.model.runs.plan import make_plan
from changeover.model.runs.run import Intent, Outcome, Started
from desktop.on_screen import click, lab_desktop
from desktop.waiting import until

pytestmark = pytest.mark.usefixtures("light")
OnLoop = Callable[..., None]


async def quiet(session: DesktopSession) -> None:
    """Waits until the practice ground is known to be in order."""
    await until(lambda: "the backup is ready" in session.controller.page.sentence.text(), "a quiet state")


async def asked(session: DesktopSession) -> None:
    """Waits for a dialog that the window has opened."""
    await until(lambda: session.controller.dialog is not None and session.controller.dialog.isVisible(), "a dialog")


def test_blocks_need_a_reason(on_loop: OnLoop, tmp_path: Path) -> None:
    """With both deployments down nobody gets past Readiness without a typed reason, and the window says why."""

    async def scenario() -> None:
        async with lab_desktop(tmp_path) as session:
            await quiet(session)
            banner, page = session.controller.banner, session.controller.page
            assert banner is not None
            click(banner.buttons["primary"])
            click(banner.buttons["backup"])
            await until(lambda: "Every deployment of shop is failing" in page.sentence.text(), "both to be down")
            click(page.main_button)
            wizard = session.controller.wizards["shop"]
            click(wizard.next_button)
            await until(lambda: wizard.readiness.preparation is not None, "the findings")
            assert not wizard.next_button.isEnabled()
            assert "Type a reason" in wizard.why.text()
            QTest.keyClick(wizard, Qt.Key.Key_Return)
            assert wizard.page is WizardPage.READINESS
            for field in wizard.readiness.fields:
                QTest.keyClicks(field, "It works from elsewhere")
            assert wizard.why.text() == ""
            click(wizard.next_button)
            assert wizard.page is WizardPage.CHANGES
            click(wizard.back_button)
            click(wizard.close_button)

            click(page.main_button)
            wizard = session.controller.wizards["shop"]
            wizard.direction.planned_choice.setChecked(True)
            click(wizard.next_button)
            await until(lambda: wizard.readiness.preparation is not None, "the findings")
            assert "cannot be overridden here" in wizard.why.text(), "a planned switch takes no proof on trust"

    on_loop(scenario())


def test_enter_and_escape_never_change_anything(on_loop: OnLoop, tmp_path: Path) -> None:
    """Enter goes on as far as the changes and no further; Escape closes; no record was touched."""

    async def scenario() -> None:
        async with lab_desktop(tmp_path) as session:
            await quiet(session)
            controller = session.controller
            QTest.keyClick(session.window, Qt.Key.Key_Return)
            assert not controller.wizards, "Enter in the main window is no button"
            click(controller.page.main_button)
            wizard = controller.wizards["shop"]
            assert not wizard.direction.emergency, "a healthy primary suggests the planned switchover"
            QTest.keyClick(wizard, Qt.Key.Key_Return)
            await until(lambda: wizard.readiness.ready, "the readiness")
            QTest.keyClick(wizard, Qt.Key.Key_Return)
            assert wizard.page is WizardPage.CHANGES
            QTest.keyClick(wizard, Qt.Key.Key_Return)
            assert wizard.page is WizardPage.READINESS, "on the dangerous page Enter goes back"
            assert not any(b.isDefault() for b in wizard.findChildren(QPushButton) if b.property("role") == "danger")
            QTest.keyClick(wizard, Qt.Key.Key_Escape)
            assert not controller.wizards
            assert await controller.switchboard.runs() == ()

    on_loop(scenario())


def test_a_closed_wizard_does_not_stop_a_run(on_loop: OnLoop, tmp_path: Path) -> None:
    """A run goes on without its window, can be looked at again, and quitting asks first."""

    async def scenario() -> None:
        async with lab_desktop(tmp_path) as session:
            await quiet(session)
            controller, ground_banner = session.controller, session.controller.banner
            assert ground_banner is not None
            click(ground_banner.buttons["primary"])
            click(ground_banner.buttons["backup"])
            await until(
                lambda: "Every deployment of shop is failing" in controller.page.sentence.text(), "both to be down"
            )
            click(controller.page.main_button)
            wizard = controller.wizards["shop"]
            click(wizard.next_button)
            await until(lambda: wizard.readiness.preparation is not None, "the findings")
            for field in wizard.readiness.fields:
                QTest.keyClicks(field, "To see it wait")
            click(wizard.next_button)
            click(wizard.switch_button)
            await until(lambda: "visitors" in [s.name for s in _running(session)], "the check as a visitor")
            QTest.keyClick(wizard, Qt.Key.Key_Escape)
            assert not controller.wizards
            assert controller.working, "the run goes on"
            await until(lambda: controller.page.main_button.text() == "Show progress")

            session.ask_to_quit()
            await asked(session)
            assert not session.quit.is_set()
            controller.dialog.reject()

            click(controller.page.main_button)
            wizard = controller.wizards["shop"]
            assert wizard.page is WizardPage.SWITCH
            click(ground_banner.buttons["backup"])
            await until(lambda: wizard.page is WizardPage.RESULT, "the end of the run")
            run = wizard.outcome.run
            assert run.outcome is Outcome.COMPLETED
            QTest.keyClick(wizard, Qt.Key.Key_Escape)
            assert not controller.wizards
            await until(lambda: not controller.working)
            await until(lambda: controller.runs.soak(run) is not None, "the time after the switch")
            looking = [t for t in asyncio.all_tasks() if t.get_name() == f"looking on after run {run.run}"]
            assert [t.done() for t in looking] == [False], "it is looked on without the window"

    on_loop(scenario())


def _running(session: DesktopSession) -> list:
    run = session.controller.switchboard.state("shop").run
    return [step for step in (run.steps if run else ()) if step.state == "running"]


def test_quitting_stops_a_run_after_its_step(on_loop: OnLoop, tmp_path: Path) -> None:
    """Quit lets the present step end; the journal then offers to resume or undo."""

    async def scenario() -> None:
        async with lab_desktop(tmp_path) as session:
            await quiet(session)
            controller = session.controller
            session.controller.banner._ground.break_("backup")
            await until(lambda: controller.switchboard.state("shop").health["backup"].health == "unhealthy")
            found = await controller.switchboard.prepare("shop", "backup", emergency=True)
            reasons = {f.check: "to see it wait" for f in found.blocked}
            controller.runs.begin(found, reasons, "")
            await until(lambda: "visitors" in [s.name for s in _running(session)], "the check as a visitor")
            session.ask_to_quit()
            await asked(session)
            click(controller.dialog.yes_button)
            await until(lambda: not controller.working, "the run's present step")
            run = (await controller.switchboard.runs())[0]
            assert run.outcome is Outcome.INTERRUPTED
            assert "resume" in run.next

    on_loop(scenario())


def test_an_interrupted_run_is_offered(on_loop: OnLoop, tmp_path: Path) -> None:
    """A run that a crash cut off is the first thing the window says, with every way out."""

    async def scenario() -> None:
        async with lab_desktop(tmp_path) as session:
            await quiet(session)
            controller, board = session.controller, session.controller.switchboard
            before = await board.prepare("shop", "backup")
            plan = make_plan(board.service("shop"), "primary", "backup", before.snapshot.readings, before.at)
            entry = await board.journal.begin(Started(plan=plan))
            await board.journal.append(entry.run, Intent(step=0))
            await board.refresh("shop")
            page = controller.page
            assert f"Run {entry.run} was interrupted." in page.sentence.text()
            assert page.main_button.text() == f"Resume run {entry.run}…"
            assert page.second_button.isVisible()
            controller._act("accept", None)
            await asked(session)
            assert not controller.dialog.yes_button.isEnabled(), "a reason is needed"
            QTest.keyClicks(controller.dialog.reason, "Nothing was changed, as I saw at the provider")
            click(controller.dialog.yes_button)
            await until(lambda: page.main_button.text() == "Switch to backup…", "the accepted run")
            assert (await board.runs())[0].accepted == "Nothing was changed, as I saw at the provider"

    on_loop(scenario())


def test_the_report_of_a_run(on_loop: OnLoop, tmp_path: Path) -> None:
    """Every run in the activity has its report, to read and to save."""

    async def scenario() -> None:
        async with lab_desktop(tmp_path) as session:
            await quiet(session)
            controller, board = session.controller, session.controller.switchboard
            await board.switch(await board.prepare("shop", "backup"), who="anna@laptop")

            def links() -> dict[str, QPushButton]:
                found = controller.page.activity.findChildren(QPushButton)
                return {b.accessibleName(): b for b in found if b.isVisible() and b.isEnabled()}

            await until(lambda: "Undo run shop-1" in links(), "the run in the activity")
            assert {"Report run shop-1", "Undo run shop-1", "Keep it run shop-1"} == set(links())
            click(links()["Report run shop-1"])
            await asked(session)
            assert controller.dialog.windowTitle() == "Report of run shop-1"
            save = next(b for b in controller.dialog.findChildren(QPushButton) if b.text() == "Save report…")
            click(save)
            await until(lambda: _file_dialog() is not None, "the question for a file")
            chooser = _file_dialog()
            chooser.setDirectory(str(tmp_path))
            chooser.accept()
            await until((tmp_path / "shop-1.md").exists, "the file")
            assert "shop-1" in (tmp_path / "shop-1.md").read_text(encoding="utf-8")
            controller.dialog.reject()

    on_loop(scenario())


def _file_dialog() -> QFileDialog | None:
    return next((w for w in QApplication.allWidgets() if isinstance(w, QFileDialog) and w.isVisible()), None)


def test_what_speaks_against_an_undo_is_shown_in_front(on_loop: OnLoop, tmp_path: Path) -> None:
    """A run that cannot be undone any more says so where the button was pressed."""

    async def scenario() -> None:
        async with lab_desktop(tmp_path) as session:
            await quiet(session)
            controller, board = session.controller, session.controller.switchboard
            done = await board.switch(await board.prepare("shop", "backup"), who="anna@laptop")
            controller.open_wizard(board.state("shop"))
            wizard = controller.wizards["shop"]
            wizard.outcome.show_run(done)
            wizard.go_to(WizardPage.RESULT)
            await board.undo(done.run, who="anna@laptop")
            click(wizard.undo_button)
            await until(wizard.fault.isVisible, "the refusal")
            assert "takes no undo" in wizard.fault.text.text()

    on_loop(scenario())


def test_adding_a_service_from_its_address(on_loop: OnLoop, tmp_path: Path) -> None:
    """The address is looked up, the rest is filled in, and the new service is watched at once."""

    async def scenario() -> None:
        async with lab_desktop(tmp_path) as session:
            await quiet(session)
            controller = session.controller
            click(controller.services.add_button)
            form = controller.dialog
            assert isinstance(form, AddService)
            QTest.keyClicks(form.addresses, "mail.shop.example")
            QTest.keyClick(form.addresses, Qt.Key.Key_Return)
            await until(lambda: form.zone.text(), "the answer")
            assert form.isVisible(), "Enter looks up and does not close the form"
            assert form.primary.text() == "192.0.2.25"
            assert form.zone.text() == "shop.example"
            click(form.add_button)
            await until(lambda: form.fault.isVisible(), "the complaint")
            assert "Backup" in form.fault.text.text()
            form.primary.setText("127.0.0.2")
            QTest.keyClicks(form.backup, "127.0.0.3")
            form.name.setText("second")
            click(form.add_button)
            await until(lambda: not form.isVisible() or form.fault.isVisible(), "the form to close")
            assert not form.isVisible(), form.fault.text.text()
            assert [s.service.name for s in controller.switchboard.states()] == ["shop", "second"]
            assert controller.services.rows.count() == 2

            controller.choose("second")
            controller._act("remove", None)
            await until(lambda: controller.dialog is not form and controller.dialog.isVisible(), "the question")
            click(controller.dialog.yes_button)
            await until(lambda: controller.services.rows.count() == 1, "the removal")

    on_loop(scenario())


def test_adding_an_account(on_loop: OnLoop, tmp_path: Path) -> None:
    """Fields come from the provider; the secret is asked for when a key is named; the result is in words."""

    async def scenario() -> None:
        async with lab_desktop(tmp_path) as session:
            await quiet(session)
            controller, board = session.controller, session.controller.switchboard
            server = board.settings.accounts[0].options["server"]
            click(controller.services.accounts_button)
            accounts = controller.dialog
            assert isinstance(accounts, AccountsWindow)
            click(accounts.add_button)
            form = accounts.form
            assert isinstance(form, AddAccount)
            form.provider.setCurrentIndex(form.provider.findData("rfc2136"))
            assert not form.secrets, "without a key there is no secret"
            click(form.add_button)
            await until(lambda: form.fault.isVisible(), "the complaint")
            assert "name" in form.name_field.fault.text()
            QTest.keyClicks(form.name, "second")
            QTest.keyClicks(form.keys["server"].input, server)
            key_name = form.keys["key_name"].input
            assert isinstance(key_name, QLineEdit)
            key_name.setText("changeover.")
            assert list(form.secrets), "a key needs its secret"
            secret = form.secrets["secret"].input
            assert isinstance(secret, QLineEdit)
            assert secret.echoMode() is secret.EchoMode.Password
            key_name.setText("")
            click(form.add_button)
            await until(lambda: "second" in form.outcome.text(), "the result")
            assert form.add_button.text() == "Done"
            click(form.add_button)
            assert board.settings.account("second") is not None

    on_loop(scenario())


def test_without_a_keyring_a_secret_may_stay_in_memory(
    on_loop: OnLoop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody falls back silently: the window says what is wrong and offers this session's memory."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")

    async def scenario() -> None:
        async with lab_desktop(tmp_path) as session:
            await quiet(session)
            board = session.controller.switchboard
            form = AddAccount(session.window, board, session.tasks)
            form.show()
            form.provider.setCurrentIndex(form.provider.findData("rfc2136"))
            form.name.setText("signed")
            QTest.keyClicks(form.keys["server"].input, "127.0.0.1:5301")
            QTest.keyClicks(form.keys["key_name"].input, "changeover.")
            QTest.keyClicks(form.secrets["secret"].input, "c2VjcmV0")
            click(form.add_button)
            await until(lambda: form.memory_button.isVisible(), "the offer")
            assert board.settings.account("signed") is None
            click(form.memory_button)
            await until(lambda: board.settings.account("signed") is not None, "the account")
            assert "c2VjcmV0" not in (tmp_path / "changeover.toml").read_text()
            await until(lambda: form.add_button.isEnabled())
            form.reject()

    on_loop(scenario())


def test_what_a_task_raises_is_shown(on_loop: OnLoop, tmp_path: Path) -> None:
    """An error in the background is on the screen in words, and everything else goes on."""

    async def scenario() -> None:
        async with lab_desktop(tmp_path) as session:
            await quiet(session)

            async def refuses() -> None:
                raise KeyringError("The keyring does not answer", "Unlock it.")

            async def breaks() -> None:
                raise ZeroDivisionError("nobody expected this")

            strip = session.window.fault
            session.tasks.spawn(refuses(), "a refusal")
            await until(strip.isVisible, "the error")
            assert (strip.text.text(), strip.hint.text()) == ("The keyring does not answer", "Unlock it.")
            session.tasks.spawn(breaks(), "a fault")
            await until(lambda: "nobody expected this" in strip.text.text(), "the error")
            await session.controller.switchboard.refresh("shop")

    on_loop(scenario())


def test_an_outage_is_in_the_activity(on_loop: OnLoop, tmp_path: Path) -> None:
    """The history is read beside the window's work, and what it has of an outage is shown while that lasts."""

    async def scenario() -> None:
        async with lab_desktop(tmp_path) as session:
            await quiet(session)
            page, banner = session.controller.page, session.controller.banner
            assert banner is not None
            click(banner.buttons["primary"])
            await until(lambda: "primary failing since" in _texts(page.activity), "the incident")
            click(page.history.buttons[Range.DAY])
            await until(lambda: "last 24 h" in page.history.line.text(), "the day")
            assert page.chart.shown is not None
            assert page.chart.shown.failing

    on_loop(scenario())


def _texts(widget: QWidget) -> str:
    return "\n".join(each.text() for each in widget.findChildren(QLabel))


def test_the_menu_leads_to_checks_and_pins(on_loop: OnLoop, tmp_path: Path) -> None:
    """How a service is checked, and a person's word on a deployment, are one menu away."""

    async def scenario() -> None:
        async with lab_desktop(tmp_path) as session:
            await quiet(session)
            controller = session.controller
            for text, kind in (("How it is checked…", "EditCheck"), ("Pin a deployment…", "PinDialog")):
                next(a for a in controller.page.more_menu.actions() if a.text() == text).trigger()
                await until(lambda kind=kind: type(controller.dialog).__name__ == kind, text)
                assert controller.dialog.isVisible()
                controller.dialog.close()

    on_loop(scenario())


def test_closing_the_window_keeps_the_tray(on_loop: OnLoop, tmp_path: Path) -> None:
    """Where a tray shows the icon, closing only hides the window, and the icon brings it back."""

    async def scenario() -> None:
        async with lab_desktop(tmp_path) as session:
            await quiet(session)
            await until(lambda: session.tray.there, "the tray")
            session.window.close()
            assert not session.window.isVisible()
            assert not session.quit.is_set()
            session.tray.menu.aboutToShow.emit()
            texts = [action.text() for action in session.tray.menu.actions()]
            assert any("shop · on primary · healthy" in text for text in texts)
            opening = next(a for a in session.tray.menu.actions() if a.text() == "Open Changeover")
            opening.trigger()
            assert session.window.isVisible()
            next(a for a in session.tray.menu.actions() if a.text() == "Quit").trigger()
            assert session.quit.is_set()

    on_loop(scenario())
