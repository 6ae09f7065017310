"""Asking a deployment's platform for one thing in the window: shown first, confirmed in proportion, told in the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from changeover.desktop.application import DesktopSession
from changeover.desktop.service.operation_dialog import OperationDialog
from changeover.desktop.service.operation_outcome import progress_words
from changeover.desktop.widgets.colours import DARK, LIGHT, use
from changeover.desktop.wizard.flow import WizardPage
from changeover.lab.app import AppSettings, LabApp
from changeover.lab.ground import PracticeGround
from changeover.model.runs.run import Outcome
from desktop.looking import draw
from desktop.on_screen import click, desktop
from desktop.test_reach import nameless
from desktop.waiting import until
from platforms.lab_ground import LabApi

OnLoop = Callable[..., Any]
LONG = "резервная-площадка-в-другом-городе-на-случай-если-основная-не-отвечает"


class Platform:
    """The practice ground's platform behind a port that can go wrong."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.apps = {name: LabApp(name, folder, ("www.shop.example",)) for name in ("primary", "backup")}
        self.api = LabApi(self.apps)

    def stands(self, app: str) -> AppSettings:
        return self.apps[app].settings

    @property
    def writes(self) -> int:
        return sum(method == "PATCH" for method, _ in self.api.requests)


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    made = Platform(tmp_path / "apps")
    with made.api:
        yield made


@asynccontextmanager
async def operations(
    platform: Platform, deployment: str, renamed: str = ""
) -> AsyncIterator[tuple[DesktopSession, OperationDialog]]:
    """The window on a practice ground whose platform is `platform`, and the operations of one of its deployments.

    `renamed` is what its backup is called instead.
    """
    home = platform.folder.parent / "home"
    async with PracticeGround.started(home) as ground:
        file = home / "changeover.toml"
        text = file.read_text()
        (line,) = [line for line in text.splitlines() if line.startswith("endpoint")]
        text = text.replace(line, f'endpoint = "{platform.api.address}"')
        for key in ("name", "to", "deployment") if renamed else ():
            text = text.replace(f'{key} = "backup"', f'{key} = "{renamed}"')
            text = text.replace(f'{key} = ["backup"]', f'{key} = ["{renamed}"]')
        file.write_text(text)
        async with desktop(home, ground) as session:
            board, page = session.controller.switchboard, session.controller.page
            await board.approve_settings([one.part for one in await board.trust.unapproved()])
            await until(lambda: "Visitors reach primary" in page.sentence.text(), "a quiet state")
            row = page.running.rows[deployment]
            await until(lambda: "Release: v4" in row.said.text(), "what runs there")
            page.ensureWidgetVisible(row.button)
            click(row.button)
            dialog = session.controller.dialog
            assert isinstance(dialog, OperationDialog)
            await until(dialog.read_button.isEnabled, "what runs there now")
            yield session, dialog


def choose(dialog: OperationDialog, verb: str) -> None:
    dialog.form.choice.setCurrentIndex(dialog.form.choice.findData(verb))


def told(dialog: OperationDialog, name: str) -> str:
    return dialog.form.told[name].text()


async def question(session: DesktopSession, before: QWidget | None) -> Any:
    """The question that is put next."""
    asks = session.controller
    await until(lambda: asks.dialog is not before and isinstance(asks.dialog, QDialog) and asks.dialog.isVisible())
    return asks.dialog


def test_where_visitors_are_the_name_is_typed_first(
    on_loop: OnLoop, platform: Platform, light: None, pictures: Path
) -> None:
    """Then it is done, told in words that stay, and taken back by an undo of its run."""

    async def scenario() -> None:
        async with operations(platform, "primary") as (session, dialog):
            assert told(dialog, "Risk") == "Visitors are at primary now, and would not be served as they are."
            assert "“Maintenance off”" in told(dialog, "Taken back by")
            assert told(dialog, "Permission") == "None."
            assert dialog.start_button.property("role") == "danger"
            for tones, name in ((LIGHT, "light"), (DARK, "dark")):
                use(tones)
                draw(dialog, pictures / f"operation-{name}.png")
                draw(session.window, pictures / f"operation-page-{name}.png")
            use(LIGHT)
            assert nameless(dialog) == []
            for typed, enough in (("", False), ("backup", False), ("primar", False), (" primary ", True)):
                dialog.confirmation.name.setText(typed)
                assert dialog.start_button.isEnabled() is enough
            click(dialog.start_button)
            assert not dialog.form.isEnabled()
            await until(lambda: dialog.outcome.headline.text() == "Done", "the end")
            assert dialog.outcome.text.text() == "primary shows its maintenance page."
            assert dialog.confirmation.name.text() == "", "another one must be confirmed anew"
            assert not dialog.start_button.isEnabled()
            await until(lambda: "It is in maintenance" in dialog.running.text(), "what runs there now")
            row = session.controller.page.running.rows["primary"]
            await until(lambda: "It is in maintenance" in row.said.text(), "the page")
            draw(dialog, pictures / "operation-done.png")
            assert platform.stands("primary").maintenance
            click(dialog.outcome.undo_button)
            asked = await question(session, dialog)
            draw(asked, pictures / "operation-undo.png")
            click(asked.yes_button)
            await until(lambda: not platform.stands("primary").maintenance, "the way back")
            assert dialog.outcome.headline.text() == "Done"

    on_loop(scenario())


def test_the_confirmation_is_in_proportion(on_loop: OnLoop, platform: Platform, light: None) -> None:
    """No name where visitors are elsewhere, or where they would notice nothing; what is typed decides as well."""

    async def scenario() -> None:
        async with operations(platform, "primary") as (session, dialog):
            choose(dialog, "scale")
            instances = dialog.form.keys["instances"].input
            for typed, name_needed in (("", False), ("2", False), ("0", True)):
                instances.setText(typed)
                assert dialog.confirmation.isVisible() is name_needed
                assert dialog.start_button.isEnabled() is not name_needed
            choose(dialog, "maintenance-off")
            assert not dialog.confirmation.isVisible()
            assert dialog.start_button.property("role") == "primary"
            dialog.reject()
            assert not dialog.isVisible(), "nothing is under way, so nobody is asked"
            click(session.controller.page.running.rows["backup"].button)
            other = session.controller.dialog
            assert isinstance(other, OperationDialog)
            assert told(other, "Risk") == "Visitors are at primary now. backup could not take over meanwhile."
            assert other.start_button.isEnabled()
            assert other.start_button.property("role") == "danger"

    on_loop(scenario())


def test_by_keyboard_alone(on_loop: OnLoop, platform: Platform, light: None) -> None:
    """From the choice to the result: arrows, Tab, digits, Space. What does not fit is told at its field first."""

    async def scenario() -> None:
        async with operations(platform, "backup") as (_, dialog):
            dialog.activateWindow()
            await until(dialog.isActiveWindow, "the window in front")

            def focus() -> QWidget:
                found = QApplication.focusWidget()
                assert found is not None
                return found

            def tab_to(widget: QWidget) -> None:
                for _ in range(20):
                    if focus() is widget:
                        return
                    QTest.keyClick(focus(), Qt.Key.Key_Tab)
                raise AssertionError(f"{widget.accessibleName()} is not reached")

            assert focus() is dialog.form.choice
            QTest.keyClick(focus(), Qt.Key.Key_End)
            assert dialog.form.operation.verb == "scale"
            QTest.keyClick(focus(), Qt.Key.Key_Return)
            assert dialog.work is None, "Enter does nothing by itself"
            tab_to(dialog.start_button)
            QTest.keyClick(focus(), Qt.Key.Key_Space)
            assert "missing" in dialog.form.keys["instances"].fault.text()
            assert focus() is dialog.form.keys["instances"].input
            assert "missing" in focus().accessibleDescription()
            QTest.keyClicks(focus(), "3")
            tab_to(dialog.start_button)
            QTest.keyClick(focus(), Qt.Key.Key_Space)
            await until(lambda: dialog.outcome.text.text() == "backup has 3 instances.", "the end")
            assert focus() is dialog.close_button
            assert dialog.outcome.accessibleName() == "Done"
            tab_to(dialog.outcome.undo_button)
            QTest.keyClick(focus(), Qt.Key.Key_Escape)
            await until(lambda: not dialog.isVisible(), "the end of the window")

    on_loop(scenario())
    assert platform.stands("backup").instances == 3


def test_a_silent_platform_and_an_operation_that_is_called_off(
    on_loop: OnLoop, platform: Platform, light: None, pictures: Path
) -> None:
    """The window goes on; what was said last stays with its age; before the platform is asked, nothing is done."""

    async def scenario() -> None:
        async with operations(platform, "backup") as (session, dialog):
            platform.api.misbehave("hang", times=10_000)
            click(dialog.start_button)
            assert dialog.outcome.headline.text().startswith("Reading what stands there")
            seen = dialog.outcome.headline.text()
            await until(lambda: dialog.outcome.headline.text() != seen, "a second to be told")
            assert dialog.outcome.headline.text().endswith(" s…")
            assert "Release: v41" in dialog.running.text()
            row = session.controller.page.running.rows["backup"]
            await until(lambda: not row.button.isEnabled(), "one at a time")
            draw(dialog, pictures / "operation-progress.png")
            for _ in range(2):
                dialog.reject()
                await until(lambda: dialog.dialog is not None and dialog.dialog.isVisible(), "the question")
                assert dialog.isVisible()
                asked: Any = dialog.dialog
                assert asked.yes_button.text() == "Call it off and close"
                click(asked.no_button)
                await until(lambda: dialog.dialog is None, "the answer")
            assert dialog.working
            click(dialog.call_off_button)
            await until(lambda: not dialog.working, "the end")
            assert dialog.outcome.headline.text() == "Nothing was changed"
            assert "called off before the platform was asked" in dialog.outcome.text.text()
            assert not dialog.outcome.undo_button.isVisible()
            await until(dialog.read_button.isEnabled, "the reading to give up")
            assert "did not answer" in dialog.reading.text() or "no answer" in dialog.reading.text()
            assert "Release: v41" in dialog.running.text()
            assert session.controller.working == []

    on_loop(scenario())
    assert platform.writes == 0


def test_an_unreachable_platform_is_told(on_loop: OnLoop, platform: Platform, light: None) -> None:
    """Who, what, and what to do; nothing is lost, and it can be tried again."""

    async def scenario() -> None:
        async with operations(platform, "backup") as (session, dialog):
            platform.api.stop()
            click(dialog.start_button)
            await until(lambda: not dialog.working, "the end")
            assert dialog.outcome.headline.text() == "It failed, and nothing was changed"
            assert "127.0.0.1" in dialog.outcome.text.text()
            assert "Nothing was done" in dialog.outcome.text.text()
            await until(dialog.read_button.isEnabled, "the reading")
            assert "127.0.0.1" in dialog.reading.text()
            assert dialog.start_button.isEnabled()
            (run,) = await session.controller.switchboard.runs()
            assert (run.outcome, run.next) == (Outcome.FAILED, ())

    on_loop(scenario())


def test_a_lost_answer_stays_in_doubt(on_loop: OnLoop, platform: Platform, light: None, pictures: Path) -> None:
    """It is told as not known, with the ways on; the run's own window goes on with it."""

    async def scenario() -> None:
        async with operations(platform, "backup") as (session, dialog):
            platform.api.misbehave("drop-after", writes_only=True)
            click(dialog.start_button)
            await until(lambda: not dialog.working, "the end")
            assert dialog.outcome.headline.text() == "It is not known whether it was done"
            assert "Look at the platform first" in dialog.outcome.text.text()
            assert not dialog.outcome.undo_button.isVisible()
            draw(dialog, pictures / "operation-in-doubt.png")
            click(dialog.start_button)
            await until(lambda: "is not finished" in dialog.outcome.headline.text(), "what stands in the way")
            assert platform.writes == 1, "nothing is done twice by itself"
            run = await session.controller.switchboard.unfinished_run("shop")
            assert run is not None
            session.controller.runs.act("resume", run)
            wizard = session.controller.wizards["shop"]
            draw(wizard, pictures / "operation-run.png")
            click(wizard.resume_button)
            await until(lambda: wizard.page is WizardPage.RESULT, "the end of the run")
            draw(wizard, pictures / "operation-run-done.png")
            assert wizard.outcome.parts.text() == "", "nobody was served again by this"
            assert wizard.outcome.run is not None
            assert wizard.outcome.run.outcome is Outcome.COMPLETED

    on_loop(scenario())
    assert platform.writes == 2
    assert platform.stands("backup").maintenance


def test_closing_does_not_stop_what_was_asked(on_loop: OnLoop, platform: Platform, light: None) -> None:
    """It is said that it goes on; the activity tells its end."""

    async def scenario() -> None:
        async with operations(platform, "backup") as (session, dialog):
            platform.api.misbehave("hang", writes_only=True)
            click(dialog.start_button)
            await until(lambda: dialog.asked, "the platform to be asked")
            assert not dialog.call_off_button.isEnabled()
            session.window.quitting.emit()
            quits = await question(session, dialog)
            click(quits.no_button)
            dialog.close()
            await until(lambda: dialog.dialog is not None and dialog.dialog.isVisible(), "the question")
            asked: Any = dialog.dialog
            assert asked.yes_button.text() == "Close; it goes on"
            click(asked.yes_button)
            await until(lambda: not dialog.isVisible(), "the end of the window")
            await session.controller.finished()
            run = await session.controller.switchboard.unfinished_run("shop")
            assert run is not None
            assert run.outcome is Outcome.INCOMPLETE

    on_loop(scenario())


@pytest.mark.parametrize("look", ["light", "dark"])
def test_long_names_in_another_alphabet(
    on_loop: OnLoop, platform: Platform, light: None, pictures: Path, look: str
) -> None:
    """Nothing is cut off, and the name may be typed as its letters are put together elsewhere."""

    async def scenario() -> None:
        async with operations(platform, LONG, renamed=LONG) as (session, dialog):
            use({"light": LIGHT, "dark": DARK}[look])
            board = session.controller.switchboard
            await board.switch(await board.prepare("shop", LONG, emergency=True), who="anna@laptop")
            await until(lambda: dialog.needs_name and dialog.confirmation.isVisible(), "visitors to be there")
            draw(dialog, pictures / f"operation-long-{look}.png")
            page = session.controller.page
            page.ensureWidgetVisible(page.running.rows[LONG].button)
            draw(session.window, pictures / f"operation-long-page-{look}.png")
            dialog.confirmation.name.setText(LONG.replace("й", "и\u0306"))
            assert dialog.start_button.isEnabled()

    on_loop(scenario())


def test_how_it_goes_is_told_in_words() -> None:
    """How long it takes only from a second on."""
    assert progress_words("Heroku", False, False, 0.2) == "Reading what stands there, so that it can be taken back…"
    assert progress_words("Heroku", True, False, 12.0) == "Heroku was asked; its answer is awaited, 12 s…"
    assert progress_words("Heroku", False, True, 2.0) == "Calling it off, 2 s…"
