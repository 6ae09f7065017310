"""Every page is drawn, in light and in dark, in every state worth telling apart."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from changeover.desktop.colours import DARK, LIGHT, Colours, use
from changeover.desktop.service_list import ServiceList
from changeover.desktop.service_page import ServicePage
from changeover.desktop.window import MainWindow
from changeover.model.run import Outcome
from desktop.samples import NOW, gallery, named, run, state

LOOKS = {"light": LIGHT, "dark": DARK}


def draw(widget: QWidget, file: Path) -> None:
    """Keeps a picture, and makes sure that there is something on it."""
    image: QImage = widget.grab().toImage()
    assert image.save(str(file))
    seen = {image.pixel(x, y) for x in range(0, image.width(), 7) for y in range(0, image.height(), 7)}
    assert len(seen) > 8, f"{file.name} is as good as empty"


@pytest.fixture(params=list(LOOKS))
def look(request: pytest.FixtureRequest, light: None) -> str:
    tones: Colours = LOOKS[request.param]
    use(tones)
    return str(request.param)


@pytest.mark.parametrize("name", list(gallery()))
@pytest.mark.parametrize("size", [(1180, 760), (900, 600)], ids=["usual", "smallest"])
def test_every_state_of_a_service_is_drawn(
    name: str, size: tuple[int, int], look: str, qtbot: QtBot, pictures: Path
) -> None:
    """The main window shows each state at the usual and at the smallest size."""
    window = MainWindow()
    qtbot.addWidget(window)
    services, page = ServiceList(), ServicePage(lambda verb, run: None)
    shown = gallery()[name]
    services.show_services([shown, named("api", state()), named("blog", gallery()["on-backup"])], NOW)
    window.put_left(services)
    page.show_state(shown, NOW)
    page.show_runs([r for r in (shown.run, run(Outcome.COMPLETED, committed=True)) if r is not None], NOW)
    window.show_page(page)
    window.resize(*size)
    with qtbot.waitExposed(window):
        window.show()
    assert (window.width(), window.height()) == size
    draw(window, pictures / f"state-{name}-{size[0]}-{look}.png")
