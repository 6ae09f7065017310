"""Holding a deployment: nobody does it without a reason, and it says what it means."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from changeover.desktop.runtime.tasks import Tasks
from changeover.desktop.service.pin_dialog import TIMES, PinDialog, pin_words
from changeover.desktop.widgets.colours import DARK, LIGHT, use
from changeover.model.readiness.overlay import Overlay
from changeover.model.readiness.pin import Hold, Pin
from changeover.model.readiness.service_state import unread
from changeover.storage.home import Home
from changeover.switchboard import Switchboard
from desktop.looking import draw
from desktop.on_screen import click, lab_desktop
from desktop.samples import NOW, SHOP
from desktop.test_reach import nameless
from desktop.waiting import until

SET_AT = datetime(2026, 11, 23, 14, tzinfo=UTC)
PIN = Pin(
    service="shop",
    deployment="backup",
    hold=Hold.NEVER,
    reason="Its database is a day old",
    set_at=SET_AT,
    until=SET_AT + timedelta(hours=4),
)


@pytest.mark.parametrize("look", ["light", "dark"])
def test_it_looks_right(
    on_loop: Callable[..., PinDialog], tmp_path: Path, light: None, qtbot: QtBot, pictures: Path, look: str
) -> None:
    """For a deployment that is held and for one that is not; every field has a name, and Enter presses nothing."""
    use({"light": LIGHT, "dark": DARK}[look])

    async def made() -> PinDialog:
        board = Switchboard(Home.at(tmp_path))
        opened = PinDialog(None, board, Tasks(print), replace(unread(SHOP, NOW), overlay=Overlay(pins={"backup": PIN})))
        board.journal.close()
        return opened

    dialog = on_loop(made())
    qtbot.addWidget(dialog)
    with qtbot.waitExposed(dialog):
        dialog.show()
    draw(dialog, pictures / f"pin-{look}.png")
    assert "primary counts as healthy" in dialog.meaning.text()
    assert not dialog.unpin_button.isVisible()
    assert nameless(dialog) == []
    assert not any(button.isDefault() or button.autoDefault() for button in dialog.findChildren(QPushButton))
    dialog.choose("backup")
    dialog.holds[Hold.UNHEALTHY].setChecked(True)
    dialog.fault.show_words("The database cannot be written", "Is the disk full?")
    draw(dialog, pictures / f"pin-held-{look}.png")
    assert "Its database is a day old" in dialog.meaning.text()
    assert "backup counts as down" in dialog.meaning.text()
    assert dialog.unpin_button.isVisible()


@pytest.mark.parametrize("hold", list(Hold))
def test_every_pin_is_told_in_words(hold: Hold) -> None:
    """What it says, until when, and why."""
    words = pin_words(Pin(service="shop", deployment="b", hold=hold, reason="Because", set_at=SET_AT, until=SET_AT))
    assert words.startswith("b is ")
    assert words.endswith(": Because")


def test_a_deployment_is_held_and_let_go(on_loop: Callable[..., None], tmp_path: Path, light: None) -> None:
    """A reason is needed; then the deployment is held for the time chosen, and let go again."""

    async def scenario() -> None:
        async with lab_desktop(tmp_path) as session:
            board = session.controller.switchboard
            form = PinDialog(session.window, board, session.tasks, board.state("shop"))
            form.show()
            form.choose("backup")
            form.holds[Hold.NEVER].setChecked(True)
            assert not form.pin_button.isEnabled()
            QTest.keyClicks(form.reason, "  ")
            assert not form.pin_button.isEnabled()
            QTest.keyClicks(form.reason, "It is being moved")
            form.until.setCurrentIndex(2)
            click(form.pin_button)
            await until(lambda: not form.isVisible(), "the pin")
            await until(lambda: "backup" in board.state("shop").overlay.pins, "the state to tell it")
            pin = board.state("shop").overlay.pins["backup"]
            assert (pin.hold, pin.reason) == (Hold.NEVER, "It is being moved")
            assert pin.until - pin.set_at == timedelta(seconds=TIMES[2][1])

            form = PinDialog(session.window, board, session.tasks, board.state("shop"))
            form.show()
            form.choose("backup")
            click(form.unpin_button)
            await until(lambda: not form.isVisible(), "the pin to go")
            await until(lambda: "backup" not in board.state("shop").overlay.pins, "the state to tell it")

    on_loop(scenario())
