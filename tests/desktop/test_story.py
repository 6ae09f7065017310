"""The practice ground's whole story, by clicks on the real windows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from changeover.desktop.application import DesktopSession
from changeover.desktop.widgets.shapes import Mark
from changeover.desktop.wizard.flow import WizardPage
from changeover.model.runs.run import Outcome
from desktop.looking import draw
from desktop.on_screen import click, lab_desktop
from desktop.waiting import until


def keep(widget: QWidget, folder: Path, name: str) -> None:
    draw(widget, folder / f"story-{name}.png")


def tray_image(session: DesktopSession) -> QImage:
    """What the tray shows."""
    return session.tray.icon.icon().pixmap(22).toImage()


def test_break_switch_undo(on_loop: Callable[..., object], tmp_path: Path, light: None, pictures: Path) -> None:
    """A newcomer breaks the primary, switches, and undoes; window, tray and records follow."""

    async def story() -> None:
        async with lab_desktop(tmp_path / "lab") as session:
            controller, page = session.controller, session.controller.page
            board, banner = controller.switchboard, session.controller.banner
            assert banner is not None
            await until(lambda: "the backup is ready" in page.sentence.text(), "a quiet state")
            assert session.tray.glance.mark is Mark.HEALTHY
            assert not session.tray.glance.on_backup
            await until(lambda: session.tray.icon.toolTip() == "Changeover: 1 service, healthy", "the tray")
            quiet_icon = tray_image(session)
            assert "primary: release v42, 1 instance   backup: release v41, 1 instance" in banner.platform.text()
            keep(session.window, pictures, "1-quiet")

            click(banner.buttons["primary"])
            await until(lambda: "primary has been failing for" in page.sentence.text(), "the outage")
            await until(lambda: page.main_button.property("role") == "danger", "the red button")
            assert session.tray.glance.mark is Mark.DOWN
            await until(lambda: tray_image(session) != quiet_icon, "the tray icon")
            assert "shop: on primary · failing for" in session.tray.icon.toolTip()
            assert "Switch to backup" in banner.text.text()
            keep(session.window, pictures, "2-down")

            click(page.main_button)
            wizard = controller.wizards["shop"]
            await until(wizard.isVisible)
            assert wizard.direction.emergency, "an outage suggests the emergency failover"
            keep(wizard, pictures, "3-direction")
            QTest.keyClick(wizard, Qt.Key.Key_Return)
            assert wizard.page is WizardPage.READINESS
            await until(lambda: wizard.readiness.ready, "the readiness")
            keep(wizard, pictures, "4-readiness")
            QTest.keyClick(wizard, Qt.Key.Key_Return)
            assert wizard.page is WizardPage.CHANGES
            assert wizard.switch_button.text() == "Switch 2 hostnames to backup"
            assert board.state("shop").run is None, "nothing has changed yet"
            keep(wizard, pictures, "5-changes")
            click(wizard.switch_button)
            assert wizard.page is WizardPage.SWITCH
            keep(wizard, pictures, "6-switch")
            await until(lambda: wizard.page is WizardPage.RESULT, "the result")
            assert wizard.outcome.run is not None
            assert wizard.outcome.run.outcome is Outcome.COMPLETED
            await until(lambda: "the new answer" in wizard.outcome.summary.text(), "the resolvers")
            keep(wizard, pictures, "7-result")
            await until(lambda: "Visitors reach backup since" in page.sentence.text(), "the new state")
            assert "You can undo this." in page.sentence.text()
            assert session.tray.glance.on_backup
            await until(lambda: "backup: release v41, 3 instances" in banner.platform.text(), "room at the backup")
            keep(session.window, pictures, "8-on-backup")

            click(banner.buttons["primary"])
            await until(lambda: board.state("shop").health["primary"].health == "healthy", "the repaired primary")
            click(wizard.undo_button)
            await until(lambda: controller.dialog is not None and controller.dialog.isVisible(), "the question")
            keep(controller.dialog, pictures, "9-undo")
            click(controller.dialog.yes_button)
            await until(lambda: wizard.page is WizardPage.SWITCH, "the undo")
            await until(lambda: wizard.page is WizardPage.RESULT, "the undo's result")
            assert wizard.outcome.run.outcome is Outcome.UNDONE
            keep(wizard, pictures, "10-undone")
            QTest.keyClick(wizard, Qt.Key.Key_Escape)
            await until(lambda: "shop" not in controller.wizards)
            await until(lambda: "the backup is ready" in page.sentence.text(), "a quiet state again")
            await until(lambda: tray_image(session) == quiet_icon, "the quiet icon again")
            assert "whole story" in banner.text.text()
            assert banner.platform.text().endswith("backup: release v41, 1 instance"), "as many as before"
            assert session.window.fault.isHidden()
            keep(session.window, pictures, "11-end")

    on_loop(story())
    QApplication.processEvents()
