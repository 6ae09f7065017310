"""What stands under a service's sentence, and what its menu offers, without a network."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from PySide6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot

from changeover.desktop.service.lifecycle_line import LifeLine, life_of, more_verbs, stage_words, ttl_words
from changeover.desktop.service.service_actions import SERVICE_VERBS
from desktop.on_screen import click, lab_desktop
from desktop.samples import NOW, gallery
from desktop.waiting import until
from model.emergencies import emergency

LINES = {
    "quiet": ("Protected", ""),
    "on-backup": ("Switched, not committed: undo for 11 min 7 s more", ""),
    "emergency-review": (
        "Switched, not committed: undo for 11 min 7 s more",
        "It was an emergency: commit it or go back",
    ),
    "kept": ("Running without a backup", ""),
    "protected-reversed": ("Protected the other way round", ""),
    "frozen": ("Protected", "shop is frozen by anna until 16:20: The new release goes out."),
    "ttl-shortened": ("Protected", "TTLs are shortened: a switch is fast from 14:24 on, in 3 min 30 s."),
}


@pytest.mark.parametrize("name", list(LINES))
def test_the_stage_in_words(name: str, qtbot: QtBot) -> None:
    """One line for the stage, one for whatever needs a person."""
    line = LifeLine()
    qtbot.addWidget(line)
    line.show_state(gallery()[name], NOW)
    badge, more = LINES[name]
    assert line.badge.text() == badge
    assert more in line.more.text()
    assert bool(line.more.text()) is bool(more)


def test_nothing_is_said_twice(qtbot: QtBot) -> None:
    """What the sentence above says already is left out below it."""
    line = LifeLine()
    qtbot.addWidget(line)
    said = "Visitors reach primary. shop is frozen by anna until 16:20: The new release goes out."
    line.show_state(gallery()["frozen"], NOW, said)
    assert line.more.text() == ""


def test_clocks_count_down() -> None:
    """The undo window and the wait for old caches run down, and end in words."""
    states = gallery()
    found = life_of(states["on-backup"], NOW)
    assert found is not None
    assert stage_words(found, NOW + timedelta(minutes=12)) == "switched, not committed"
    assert ttl_words(states["ttl-shortened"], NOW + timedelta(minutes=4)) == "TTLs are shortened: a switch is fast now."
    assert life_of(states["reading"], NOW) is None


def test_the_menu_offers_what_makes_sense() -> None:
    """A verb and its reverse never stand beside each other."""
    states = gallery()
    assert more_verbs(states["quiet"], NOW) == ("shorten-ttl", "freeze")
    assert more_verbs(states["frozen"], NOW) == ("shorten-ttl", "unfreeze")
    assert more_verbs(states["ttl-shortened"], NOW) == ("restore-ttl", "freeze")
    assert "protect" in more_verbs(states["kept"], NOW)
    assert "acknowledge" in more_verbs(states["emergency-review"], NOW)


def test_freeze_and_shorten_on_the_practice_ground(on_loop: Callable[..., None], tmp_path: Path, light: None) -> None:
    """From the menu: frozen with a reason and free again, TTLs shortened and restored."""

    async def scenario() -> None:
        async with lab_desktop(tmp_path) as session:
            controller, page = session.controller, session.controller.page
            await until(lambda: "the backup is ready" in page.sentence.text(), "a quiet state")

            def offered() -> set[str]:
                return {verb for verb in SERVICE_VERBS if page.more_actions[verb].isVisible()}

            assert offered() == {"shorten-ttl", "freeze"}
            page.more_actions["freeze"].trigger()
            await until(lambda: controller.dialog is not None and controller.dialog.isVisible(), "the question")
            assert not controller.dialog.yes_button.isEnabled()
            assert controller.dialog.findChild(QComboBox).currentData() == 3600
            controller.dialog.reason.setText("A release")
            click(controller.dialog.yes_button)
            await until(lambda: "is frozen" in page.sentence.text() + page.life.more.text(), "the freeze")
            page.more_actions["unfreeze"].trigger()
            await until(lambda: "freeze" in offered(), "the end of the freeze")

            prepared = await controller.switchboard.prepare_ttl("shop", 5)
            await controller.switchboard.change_ttl(prepared, who="anna@laptop")
            await until(lambda: "TTLs are shortened" in page.life.more.text(), "the shorter TTLs")
            controller.dialog = None
            page.more_actions["restore-ttl"].trigger()
            await until(lambda: controller.dialog is not None and controller.dialog.isVisible(), "what is restored")
            click(controller.dialog.yes_button)
            await until(lambda: "shorten-ttl" in offered(), "the old TTLs")
            assert session.window.fault.isHidden()

    on_loop(scenario())


def test_what_an_emergency_left_out_is_told(qtbot: QtBot) -> None:
    """With the command that does it."""
    state = gallery()["on-backup"]
    line = LifeLine()
    qtbot.addWidget(line)
    line.show_state(replace(state, snapshot=replace(state.snapshot, runs=(emergency(3600),))), NOW)
    told = "Still to do at primary when it answers: quiet; worker stopped; keys. Do it with: changeover fence shop"
    assert told in line.more.text()
