"""The form for a new service offers the platforms that an account steers, with the keys that each declares."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPushButton

from changeover.desktop.setup.add_service import AddService
from changeover.desktop.widgets.colours import DARK, LIGHT, use
from desktop.looking import draw
from desktop.on_screen import click, desktop, lab_desktop
from desktop.waiting import until

HOST = "new.shop.example"


def fill(form: AddService) -> None:
    form.addresses.setText(HOST)
    form.zone.setText("shop.example")
    form.primary.setText("127.0.0.2")
    form.backup.setText("127.0.0.3")


def test_a_deployment_on_a_platform(on_loop: Callable[..., Any], tmp_path: Path, pictures: Path) -> None:
    """Chosen by its account; its keys have their words, and stand in the settings beside the others."""

    async def scenario() -> None:
        async with lab_desktop(tmp_path) as session:
            board = session.controller.switchboard
            click(session.controller.services.add_button)
            form = session.controller.dialog
            assert isinstance(form, AddService)
            await until(form.isVisible, "the form")
            fill(form)
            form.platforms["primary"].account.setCurrentIndex(1)  # its rows stand above the backup's
            choice = form.platforms["backup"].account
            assert [choice.itemData(at) for at in range(choice.count())] == [None, "lab-platform"]
            choice.setCurrentIndex(1)
            form.platforms["primary"].account.setCurrentIndex(0)
            assert form.platforms["primary"].keys == {}
            app = form.platforms["backup"].keys["app"]
            await until(app.isVisible, "the platform's key")
            assert (app.input.accessibleName(), app.input.placeholderText()) == ("App", "such as primary")
            assert isinstance(app.input, QLineEdit)

            assert form.templated.isVisible()
            await until(lambda: app.input.completer() is not None, "what the account has")
            offered = app.input.completer().model()
            names = [offered.data(offered.index(row, 0)) for row in range(offered.rowCount())]
            assert names == ["primary", "backup"]

            click(form.add_button)
            await until(form.fault.isVisible, "what is missing")
            assert "app: missing" in form.fault.accessibleDescription() + form.fault.text.text()
            QTest.keyClicks(app.input, "backup")
            dismiss = form.fault.findChild(QPushButton)
            assert dismiss is not None
            click(dismiss)
            for tones, name in ((LIGHT, "light"), (DARK, "dark")):
                use(tones)
                draw(form, pictures / f"add-service-platform-{name}.png")
            use(LIGHT)
            click(form.add_button)
            await until(lambda: board.settings.service("new") or board.settings.service(HOST), "the service")
            service = board.settings.services[-1]
            assert (service.deployments[0].platform, service.deployments[0].account) == ("url", None)
            assert (service.deployments[1].platform, service.deployments[1].account) == ("lab", "lab-platform")
            assert service.deployments[1].options == {"app": "backup"}
            assert [action.name for action in service.actions][:2] == ["backup open", "backup proven"]

    on_loop(scenario())


@pytest.mark.parametrize("text", ["", '[accounts.dns-main]\nprovider = "rfc2136"\nserver = "127.0.0.1"\n'])
def test_nobody_is_asked_who_has_no_platform(on_loop: Callable[..., Any], tmp_path: Path, text: str) -> None:
    """There is nothing to choose."""
    (tmp_path / "changeover.toml").write_text(text)

    async def scenario() -> None:
        async with desktop(tmp_path) as session:
            session.controller.add_service()
            form = session.controller.dialog
            assert isinstance(form, AddService)
            await until(form.isVisible, "the form")
            assert not any(made.account.isVisible() for made in form.platforms.values())
            assert not form.templated.isVisible()

    on_loop(scenario())
