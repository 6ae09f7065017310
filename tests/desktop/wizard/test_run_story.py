"""A switch with steps beyond DNS, by clicks on the real windows: answer, leave out, pause, escalate, go back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from changeover.desktop.application import DesktopSession
from changeover.desktop.wizard.dialog import Wizard
from changeover.desktop.wizard.flow import WizardPage
from changeover.lab.ground import PracticeGround
from changeover.model.runs.run import Outcome, Run, StepState
from desktop.looking import draw
from desktop.on_screen import click, desktop
from desktop.waiting import until

ACTIONS = """
[[services.actions]]
name = "read-only"
phase = "quiesce"
needs = "source"
command = ["touch", "{folder}/read-only"]
undo = {{ command = ["rm", "{folder}/read-only"] }}
risk = "Orders taken meanwhile may be lost."

[[services.actions]]
name = "drain"
phase = "drain"
needs = "source"
approval = "Are all orders taken?"
timeout = 600

[[services.actions]]
name = "tell"
phase = "promote"
note = "Tell the support team"

[[services.actions]]
name = "go"
phase = "prove"
approval = "Does the backup look right?"
timeout = 600
"""


@asynccontextmanager
async def ground_with_actions(folder: Path) -> AsyncIterator[DesktopSession]:
    """The desktop on a practice ground whose switch has four steps beyond DNS."""
    home = folder / "lab"
    async with PracticeGround.started(home) as ground:
        file = home / "changeover.toml"
        text = file.read_text(encoding="utf-8")
        before, lookup, after = text.partition("[lookup]")
        file.write_text(before + ACTIONS.format(folder=folder) + lookup + after, encoding="utf-8")
        async with desktop(home, ground) as session:
            board = session.controller.switchboard
            await board.approve_settings([one.part for one in await board.trust.unapproved()])
            await until(lambda: "the backup is ready" in session.controller.page.sentence.text(), "a quiet state")
            yield session


async def begun(session: DesktopSession) -> Wizard:
    """The wizard, with a planned switch that has just begun."""
    click(session.controller.page.main_button)
    wizard = session.controller.wizards["shop"]
    assert not wizard.direction.emergency
    click(wizard.next_button)
    await until(lambda: wizard.readiness.ready, "the readiness")
    click(wizard.next_button)
    QTest.keyClicks(wizard.changes.why_field, "Quarterly drill")
    click(wizard.switch_button)
    return wizard


def step(wizard: Wizard, name: str) -> StepState:
    run = wizard.progress.run
    return next((s.state for s in run.steps if s.name == name), StepState.PENDING) if run else StepState.PENDING


def press(wizard: Wizard, verb: str, name: str) -> None:
    """Presses the button of one step."""
    run = wizard.progress.run
    assert run is not None
    number = [s.name for s in run.steps].index(name)
    made = wizard.progress.rows[number].buttons[verb]
    assert made.isVisible(), f"{name} cannot be {verb}ed: {run.steps[number]}"
    made.click()


async def answer(wizard: Wizard, before: Any, **typed: str) -> None:
    """Types into the dialog that opens and says yes."""
    await until(lambda: wizard.dialog is not before and wizard.dialog.isVisible(), "the question")
    for field, text in typed.items():
        QTest.keyClicks(getattr(wizard.dialog, field), text)
    click(wizard.dialog.yes_button)


def dangerous_by_enter(wizard: Wizard) -> list[str]:
    """The buttons that Enter would press and that change something."""
    harmless = (wizard.close_button, wizard.next_button, wizard.back_button)
    return [b.text() for b in wizard.findChildren(QPushButton) if b.isDefault() and b not in harmless]


def test_approve_skip_pause_and_undo(
    on_loop: Callable[..., object], tmp_path: Path, light: None, pictures: Path
) -> None:
    """A run waits for a yes, leaves out what a person says, is paused, goes on, and every action is taken back."""

    async def story() -> None:
        async with ground_with_actions(tmp_path) as session:
            wizard = await begun(session)
            await until(lambda: step(wizard, "drain") is StepState.RUNNING, "the first question")
            assert (tmp_path / "read-only").exists()
            await until(lambda: "Are all orders taken?" in wizard.progress.text.text(), "the question in words")
            assert dangerous_by_enter(wizard) == []
            draw(wizard, pictures / "run-1-waiting.png")

            press(wizard, "skip", "tell")
            await answer(wizard, None, reason="They know already")
            await until(lambda: step(wizard, "tell") is StepState.SKIPPED, "the step left out")

            before = wizard.dialog
            press(wizard, "approve", "drain")
            await answer(wizard, before, note="Seen at the till")
            await until(lambda: step(wizard, "go") is StepState.RUNNING, "the second question")

            click(wizard.pause_button)
            await until(lambda: wizard.resume_button.isVisible(), "the pause")
            assert wizard.page is WizardPage.SWITCH
            assert wizard.work is not None
            assert wizard.work.done
            draw(wizard, pictures / "run-2-paused.png")
            click(wizard.resume_button)
            await until(lambda: step(wizard, "go") is StepState.RUNNING, "the question again")
            before = wizard.dialog
            press(wizard, "approve", "go")
            await answer(wizard, before)
            await until(lambda: wizard.page is WizardPage.RESULT, "the result")
            run = wizard.outcome.run
            assert run is not None
            assert run.outcome is Outcome.COMPLETED
            assert run.why == "Quarterly drill"
            await until(lambda: "to go" in wizard.outcome.soak.text(), "the time after the switch")
            assert "can be undone for" in wizard.outcome.undo_line.text()
            await until(lambda: "Switched, not committed: undo for" in session.controller.page.life.badge.text())
            draw(wizard, pictures / "run-3-result.png")

            session.controller.dialog = None
            click(wizard.undo_button)
            await until(
                lambda: session.controller.dialog is not None and session.controller.dialog.isVisible(), "the question"
            )
            draw(session.controller.dialog, pictures / "run-4-undo.png")
            click(session.controller.dialog.yes_button)
            await until(lambda: _outcome(wizard) is Outcome.UNDONE, "the undo")
            assert not (tmp_path / "read-only").exists(), "the operation is taken back, too"

    on_loop(story())
    QApplication.processEvents()


def test_a_drill_becomes_an_emergency(
    on_loop: Callable[..., object], tmp_path: Path, light: None, pictures: Path
) -> None:
    """Escalated with a reason while it waits, the run leaves out what needs the primary and comes to its end."""

    async def story() -> None:
        async with ground_with_actions(tmp_path) as session:
            wizard = await begun(session)
            await until(lambda: step(wizard, "drain") is StepState.RUNNING, "the first question")
            click(wizard.emergency_button)
            await until(lambda: wizard.dialog is not None and wizard.dialog.isVisible(), "the question")
            assert not wizard.dialog.yes_button.isEnabled(), "a reason is needed"
            await answer(wizard, None, reason="The primary burns")
            await until(lambda: wizard.progress.run is not None and wizard.progress.run.emergency, "the emergency")
            assert not wizard.emergency_button.isVisible()
            assert "Failing over" in wizard.title.text()
            await until(lambda: step(wizard, "drain") is not StepState.RUNNING or _asks(wizard, "drain"), "the step")
            before = wizard.dialog
            if step(wizard, "drain") is StepState.RUNNING:
                press(wizard, "approve", "drain")
                await answer(wizard, before)
            await until(lambda: step(wizard, "go") is StepState.RUNNING, "the second question")

            click(wizard.back_out_button)
            before = wizard.dialog
            await until(lambda: wizard.dialog is not before or wizard.dialog.isVisible(), "the question")
            await until(lambda: wizard.dialog.windowTitle() == "Stop and go back?", "what is taken back")
            draw(wizard.dialog, pictures / "run-5-go-back.png")
            click(wizard.dialog.yes_button)
            await until(lambda: _outcome(wizard) is Outcome.UNDONE, "the way back")
            assert not (tmp_path / "read-only").exists()

    on_loop(story())
    QApplication.processEvents()


def test_dns_first(on_loop: Callable[..., object], tmp_path: Path, light: None, pictures: Path) -> None:
    """Offered in an emergency alone, and the plan that a person looks at begins with the records."""

    async def story() -> None:
        async with ground_with_actions(tmp_path) as session:
            click(session.controller.page.main_button)
            wizard = session.controller.wizards["shop"]
            choice = wizard.direction.dns_first_choice
            assert not choice.isVisible()
            click(wizard.direction.emergency_choice)
            assert choice.isVisible() and not choice.isChecked()
            click(choice)
            draw(wizard, pictures / "run-6-dns-first.png")
            click(wizard.next_button)
            await until(lambda: wizard.readiness.preparation is not None, "the readiness")
            made = wizard.readiness.preparation
            assert made is not None and made.plan is not None
            assert [one.name for one in made.plan.steps][:2] == ["change-records", "read-only"]
            click(wizard.back_button)
            click(wizard.direction.planned_choice)
            assert not wizard.direction.dns_first

    on_loop(story())
    QApplication.processEvents()


def _asks(wizard: Wizard, name: str) -> bool:
    run = wizard.progress.run
    assert run is not None
    number = [s.name for s in run.steps].index(name)
    return wizard.progress.rows[number].buttons["approve"].isVisible()


def _outcome(wizard: Wizard) -> Outcome | None:
    run: Run | None = wizard.outcome.run if wizard.page is WizardPage.RESULT else None
    return run.outcome if run is not None else None
