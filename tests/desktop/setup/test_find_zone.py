"""The form for a new service finds the account and the zone by itself, and leaves alone what was typed."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from changeover.desktop.application import DesktopSession
from changeover.desktop.setup.add_service import AddService
from changeover.desktop.setup.service_form import found_words
from changeover.model.dns.discovery import Asked, HostedZone, discovered
from desktop.looking import draw
from desktop.on_screen import click, lab_desktop
from desktop.waiting import until
from dns_servers.process import free_port

OnLoop = Callable[[Coroutine[Any, Any, Any]], Any]
HOST = "mail.shop.example"


@asynccontextmanager
async def opened(folder: Path, **servers: str) -> AsyncIterator[tuple[DesktopSession, AddService]]:
    """The form in a desktop whose accounts are the practice ground's and one for each of `servers`."""
    async with lab_desktop(folder) as session:
        for name, server in servers.items():
            await session.controller.switchboard.add_account(name, "rfc2136", {"server": server}, {})
        click(session.controller.services.add_button)
        form = session.controller.dialog
        assert isinstance(form, AddService)
        await until(form.isVisible, "the form")
        yield session, form


def enter(form: AddService, address: str = HOST) -> None:
    form.addresses.clear()
    QTest.keyClicks(form.addresses, address)
    QTest.keyClick(form.addresses, Qt.Key.Key_Return)


async def told(form: AddService, words: str) -> None:
    await until(lambda: words in form.discovered.text(), words)
    await until(form.look_up_button.isEnabled, "the end of looking up")


def test_the_account_that_has_the_zone_is_found(on_loop: OnLoop, tmp_path: Path, pictures: Path) -> None:
    """Among several, whatever stands in the form before; what was found is said, and a picture shows it whole."""

    async def scenario() -> None:
        async with opened(tmp_path, another=f"127.0.0.1:{free_port()}") as (session, form):
            (ours, *_) = session.controller.switchboard.settings.accounts
            form.account.setCurrentText("another")
            enter(form)
            await told(form, f"Account {ours.name} has the zone shop.example.")
            assert "The delegation points to this provider" in form.discovered.text()
            assert (form.account.currentText(), form.zone.text()) == (ours.name, "shop.example")
            draw(form, pictures / "find-zone-found.png")
            enter(form, "www.elsewhere.example")
            await told(form, "No account has the zone of www.elsewhere.example.")
            assert "Account another did not say:" in form.discovered.text()
            assert (form.zone.text(), form.primary.text()) == ("elsewhere.example", ""), "what was found is another's"
            draw(form, pictures / "find-zone-not-found.png")
            form.fault.hide()
            form.resize(form.minimumSize())
            draw(form, pictures / "find-zone-not-found-small.png")

    on_loop(scenario())


def test_what_was_typed_stays(on_loop: OnLoop, tmp_path: Path) -> None:
    """The zone, the primary and the name are a person's once they typed them, and so is a chosen account."""

    async def scenario() -> None:
        async with opened(tmp_path, another=f"127.0.0.1:{free_port()}") as (_, form):
            form.account.setCurrentText("another")
            form.account.activated.emit(form.account.currentIndex())
            for field, text in ((form.zone, "typed.example"), (form.primary, "192.0.2.1"), (form.name, "mine")):
                QTest.keyClicks(field, text)
            enter(form)
            await told(form, "has the zone shop.example.")
            typed = (form.account.currentText(), form.zone.text(), form.primary.text(), form.name.text())
            assert typed == ("another", "typed.example", "192.0.2.1", "mine")

    on_loop(scenario())


def test_another_account_brings_its_own_zone(on_loop: OnLoop, tmp_path: Path) -> None:
    """What it has is known from the answer; nobody is asked again."""

    async def scenario() -> None:
        async with opened(tmp_path) as (session, form):
            (ours, *_) = session.controller.switchboard.settings.accounts
            enter(form)
            await told(form, "has the zone shop.example.")
            form.zone.clear()
            form.account.activated.emit(form.account.findText(ours.name))
            assert form.zone.text() == "shop.example"

    on_loop(scenario())


@contextlib.contextmanager
def silent_server() -> Any:
    """It takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


def test_asking_is_shown_and_ends_with_the_window(on_loop: OnLoop, tmp_path: Path, pictures: Path) -> None:
    """One account never answers: the form says whom it asks, stays usable, and asks nobody any more once closed."""

    async def scenario() -> None:
        with silent_server() as server:
            async with opened(tmp_path, another=server) as (session, form):
                enter(form)
                await told_asking(form)
                QTest.keyClicks(form.backup, "127.0.0.3")
                draw(form, pictures / "find-zone-asking.png")
                asking = [task for task in asyncio.all_tasks() if task.get_name() == "adding a service"]
                assert len(asking) == 1
                click(form.cancel_button)
                await until(asking[0].done, "the end of asking")
                assert asking[0].cancelled()
                assert session.controller.dialog is form

    on_loop(scenario())


async def told_asking(form: AddService) -> None:
    await until(lambda: form.discovered.text().startswith("Asking "), "who is asked")
    assert f"another for the zone of {HOST}…" in form.discovered.text()
    assert form.discovered.isVisible()


@pytest.mark.parametrize(("shows", "more"), [(("ns1.b.example",), False), (("ns1.a.example", "ns1.b.example"), True)])
def test_a_zone_at_two_accounts(shows: tuple[str, ...], more: bool) -> None:
    """The form takes one account; where both are used, it says what is to be done about the other."""
    both = ("ns1.a.example", "ns1.b.example") if more else ("ns1.a.example",)
    asked = [
        Asked(account=name, provider="desec", label="deSEC", held=HostedZone(zone="shop.example", name_servers=servers))
        for name, servers in (("a", both), ("b", shows))
    ]
    words = found_words(discovered("www.shop.example", asked, {"shop.example": both}))
    assert words.startswith("Account a has the zone shop.example. The delegation points to this provider")
    assert ("Afterwards add b to the service's dns entry" in words) == more
