"""Draws docs/images from the real windows, in light and in dark: a story on the practice ground, and every state.

usage: python docs/draw_pictures.py [FOLDER]        needs no display
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # the states that the windows are tested with

import qasync
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPixmap
from PySide6.QtWidgets import QApplication, QWidget

from changeover.desktop.application import DesktopSession, make_application, run
from changeover.desktop.history.timeline import Range
from changeover.desktop.main_window import MainWindow
from changeover.desktop.runtime.tasks import Tasks
from changeover.desktop.service.service_list import ServiceList
from changeover.desktop.service.service_page import ServicePage
from changeover.desktop.setup.add_account import AddAccount
from changeover.desktop.setup.add_service import AddService
from changeover.desktop.tray import tray_pixmap
from changeover.desktop.widgets.colours import DARK, LIGHT, use
from changeover.desktop.widgets.shapes import Mark
from changeover.desktop.widgets.strips import NoteStrip
from changeover.desktop.wizard.dialog import Wizard
from changeover.desktop.wizard.flow import WizardPage
from changeover.lab.ground import PracticeGround
from changeover.model.readiness.service_state import ServiceState
from changeover.model.runs.run import Ended, Intent, Outcome, Paused, StepEnded, StepState
from changeover.model.wording.local_fault import clock_note
from changeover.storage.home import Home
from changeover.switchboard import Switchboard
from desktop.samples import (
    ACTING,
    ASLEEP,
    AWAY,
    NOW,
    OUTAGE,
    WRONG_CLOCK,
    acting_plan,
    acting_run,
    done,
    gallery,
    named,
    panel_of,
    past,
    soak_of,
    state,
)
from desktop.samples import run as sample_run

IMAGES = Path(__file__).parent / "images"
LOOKS = {"light": LIGHT, "dark": DARK}
SERVICE = PracticeGround.service


class Drawing:
    """Keeps pictures in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def both(self, window: QWidget, name: str) -> None:
        for look, tones in LOOKS.items():
            use(tones)
            QApplication.sendPostedEvents()
            self.keep(window.grab(), f"{name}-{look}")
        use(LIGHT)

    def keep(self, picture: QPixmap, name: str) -> None:
        file = self._folder / f"{name}.png"
        if not picture.save(str(file)):
            raise OSError(f"{file} could not be written")
        print(file)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  windows have no event for everything that they show
            await asyncio.sleep(0.02)


@contextmanager
def shown(window: QWidget) -> Iterator[None]:
    window.show()
    yield
    window.close()


def draw_tray(drawing: Drawing) -> None:
    """Every state of the tray icon on a light and on a dark panel, at 44 and at 22 pixels."""
    states = [(mark, away) for mark in Mark for away in (False, True)]
    wide, high = 124, 118
    sheet = QPixmap(wide * len(states) // 2, 4 * high)
    sheet.fill(QColor(LIGHT.background))
    painter = QPainter(sheet)
    small = QFont()
    small.setPixelSize(11)
    painter.setFont(small)
    for number, (mark, away) in enumerate(states):
        left = (number % (len(states) // 2)) * wide
        for row, (tones, ground) in enumerate(((LIGHT, "#ffffff"), (DARK, "#20242c"))):
            top = (2 * (number // (len(states) // 2)) + row) * high
            painter.fillRect(QRectF(left + 4, top + 4, wide - 8, high - 8), QColor(ground))
            painter.drawPixmap(left + 16, top + 14, tray_pixmap(44, away, mark, tones))
            painter.drawPixmap(left + 78, top + 25, tray_pixmap(22, away, mark, tones))
            painter.setPen(QColor(tones.text))
            words = f"{mark.value},\non {'backup' if away else 'primary'}"
            painter.drawText(QRectF(left + 10, top + 68, wide - 16, 40), Qt.TextFlag.TextWordWrap, words)
    painter.end()
    drawing.keep(sheet, "tray-icons")


#: By picture, the state that it shows.
STATES = {
    "state-offline": "offline",
    "state-login-page": "portal",
    "state-suspect": "suspect",
    "state-recovering": "recovering",
    "state-flapping": "flapping",
    "state-in-part": "degraded",
    "state-maintenance": "maintenance",
    "state-held": "held",
    "state-all-down": "down-and-no-backup",
    "state-down-from-here": "down-from-here",
    "state-routing-name": "routing-name",
    "state-certificate": "certificate",
    "state-emergency-review": "emergency-review",
    "state-frozen": "frozen",
    "state-ttl-shortened": "ttl-shortened",
    "state-no-backup": "kept",
}


def service_window(shown: ServiceState) -> tuple[MainWindow, ServicePage]:
    """The main window with one service in this state, and others in other states in the list."""
    window = MainWindow()
    window.furnish()
    states = gallery()
    others = {"api": "quiet", "blog": "on-backup", "wiki": "flapping", "mail": "maintenance", "docs": "held"}
    services, page = ServiceList(), ServicePage(lambda verb, run: None)
    services.show_services([shown, *(named(name, states[which]) for name, which in others.items())], NOW)
    window.put_left(services)
    page.show_state(shown, NOW)
    page.show_activity([], NOW, [OUTAGE], [ASLEEP, AWAY])
    window.show_page(page)
    return window, page


def draw_states(drawing: Drawing) -> None:
    """Every state of health that the practice ground's story does not come by."""
    for name, which in STATES.items():
        window, _ = service_window(gallery()[which])
        with shown(window):
            drawing.both(window, name)
        window.deleteLater()
    window, page = service_window(state())
    note = NoteStrip()
    window.put_above(note, visible=False)
    note.shown.connect(window.make_room)
    note.show_words(clock_note([state(connection=WRONG_CLOCK)]))
    with shown(window):
        drawing.both(window, "state-wrong-clock")
    note.hide()
    with shown(window):
        for which in (Range.DAY, Range.WEEK):
            page.history.choose(which)
            page.history.show_past(past(which), NOW)
            drawing.both(window, f"chart-{which.value.lower()}")
    window.deleteLater()


class NoHands:
    """Does nothing that a wizard asks for."""

    begin = resume = undo = back_out = keep = save = staticmethod(lambda *_: None)


def draw_acting(drawing: Drawing, board: Switchboard) -> None:
    """A switch with steps beyond DNS: the plan of both kinds, a run that waits, one that failed, one that worsened."""
    runs = {
        "waiting": acting_run(*done(0, 1, 2, 3), Intent(step=4)),
        "paused": acting_run(*done(0, 1, 2), Paused(who="anna@laptop"), alive=False),
        "failed": acting_run(
            *done(0, 1, 2),
            Intent(step=3),
            StepEnded(step=3, state=StepState.FAILED, text="backup is not healthy after 1 min", seconds=60),
            Ended(outcome=Outcome.INCOMPLETE, text="backup is not healthy after 1 min.", seconds=63),
            alive=False,
        ),
    }
    wizard = Wizard(None, board, Tasks(lambda _: None), state(service=ACTING), NoHands())
    with shown(wizard):
        for kind, emergency in (("planned", False), ("emergency", True)):
            wizard.changes.show_plan(acting_plan(emergency), {})
            wizard.go_to(WizardPage.CHANGES)
            drawing.both(wizard, f"wizard-3-changes-{kind}")
        for name, run_then in runs.items():
            wizard.show_run(run_then)
            drawing.both(wizard, f"wizard-4-switch-{name}")
        ended = sample_run(Outcome.COMPLETED)
        wizard.outcome.show_run(ended)
        wizard.outcome.show_panel(panel_of(ended, NOW), NOW)
        wizard.outcome.show_soak(soak_of(NOW, worse=True))
        wizard.go_to(WizardPage.RESULT)
        drawing.both(wizard, "wizard-5-result-worse")
    wizard.deleteLater()


async def draw_story(session: DesktopSession, ground: PracticeGround, drawing: Drawing) -> None:
    """From a quiet day over an outage and the wizard to the backup."""
    controller, board, window = session.controller, session.controller.switchboard, session.window
    for _ in range(60):  # a minute, so that there is a history to show
        await board.refresh(SERVICE)
        await asyncio.sleep(1)
    await until(lambda: "the backup is ready" in controller.page.sentence.text())
    drawing.both(window, "main")

    ground.break_("primary")
    for _ in range(12):
        await board.refresh(SERVICE)
        await asyncio.sleep(1)
    await until(lambda: "has been failing" in controller.page.sentence.text())
    drawing.both(window, "main-down")

    controller.open_wizard(board.state(SERVICE))
    wizard = controller.wizards[SERVICE]
    drawing.both(wizard, "wizard-1-direction")
    wizard.next_button.click()
    await until(lambda: wizard.readiness.ready)
    drawing.both(wizard, "wizard-2-readiness")
    wizard.next_button.click()
    drawing.both(wizard, "wizard-3-changes")
    wizard.switch_button.click()
    await draw_switch(wizard, drawing)
    await until(lambda: "the new answer" in wizard.outcome.summary.text())
    drawing.both(wizard, "wizard-5-result")
    wizard.close()
    for _ in range(3):
        await board.refresh(SERVICE)
    drawing.both(window, "main-on-backup")

    form = AddService(window, board, session.tasks)
    with shown(form):
        form.addresses.setText("mail.shop.example")
        form.look_up_button.click()
        await until(lambda: form.zone.text())
        drawing.both(form, "add-service")
    account = AddAccount(window, board, session.tasks)
    with shown(account):
        drawing.both(account, "add-account")


async def draw_switch(wizard: Wizard, drawing: Drawing) -> None:
    """The steps while the second one is in progress."""
    drawn = False

    def look() -> None:
        nonlocal drawn
        run_now = wizard.progress.run
        if not drawn and run_now is not None and run_now.steps[-1].state == "running":
            drawn = True
            drawing.both(wizard, "wizard-4-switch")

    assert wizard.work is not None
    wizard.work.progressed.connect(look)
    await until(lambda: wizard.work.done if wizard.work else True)


async def draw_all(folder: Path) -> None:
    drawing = Drawing(folder)
    draw_tray(drawing)
    draw_states(drawing)
    with tempfile.TemporaryDirectory() as home:
        async with PracticeGround.started(Path(home)) as ground:
            board = Switchboard(Home.at(Path(home)))
            draw_acting(drawing, board)
            opened: list[DesktopSession] = []
            desktop = asyncio.create_task(run(board, ground, opened=opened.append))
            await until(lambda: opened or desktop.done())
            try:
                await draw_story(opened[0], ground, drawing)
            finally:
                opened[0].quit.set()
                await desktop
                await board.aclose()


def main() -> None:
    application = make_application()
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES
    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(application)) as runner:
        runner.run(draw_all(folder))


if __name__ == "__main__":
    main()
