"""The desktop from its first paint to its last step."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from changeover.model.errors import ChangeoverError, UsageError
from changeover.model.foreign_text import one_line

if TYPE_CHECKING:
    import asyncio

    from PySide6.QtWidgets import QApplication

    from changeover.desktop.controller import MainController
    from changeover.desktop.main_window import MainWindow
    from changeover.lab.ground import PracticeGround
    from changeover.switchboard import Switchboard

    OpenSwitchboard = Callable[[], AbstractAsyncContextManager[tuple[Switchboard, PracticeGround | None]]]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_NO_DISPLAY, _NO_DISPLAY_STATUS = "Use the commands instead: changeover --help", 2
#: Of Qt's own words, so many characters are shown.
_MOST_WORDS = 200
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def open_desktop(open_switchboard: OpenSwitchboard) -> int:
    """Shows the window at once, then opens the switchboard behind it, and runs until somebody quits.

    What `open_switchboard` raises is shown in the window in words, and raised again once the window is closed. Raises
    UsageError where there is no display.
    """
    if sys.platform == "linux" and not any(os.environ.get(name) for name in _DISPLAYS):
        raise UsageError("There is no display to open a window on", _NO_DISPLAY)
    asked = _signals_until_the_loop_runs()
    application = _on_the_display()
    from changeover.desktop.main_window import MainWindow

    window = MainWindow()
    window.show()
    _paint(application, window)
    _dress(application)
    window.furnish()

    import asyncio

    import qasync

    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(application)) as runner:
        return runner.run(_main(window, open_switchboard, asked))


def _on_the_display() -> QApplication:
    """The application, or an end in words where Qt finds no display: it would abort the process.

    A display can be named and gone (an old terminal's), refuse this user, or lack a library; Qt alone knows which.
    """
    from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

    told: list[str] = []

    def listen(kind: QtMsgType, _: QMessageLogContext, text: str | None) -> None:
        if kind is not QtMsgType.QtFatalMsg:
            told.append(text or "")
            return
        named = ", ".join(f"{name}={os.environ[name]}" for name in _DISPLAYS if os.environ.get(name))
        why = one_line(told[0] if told else text or "", _MOST_WORDS)
        sys.stderr.write(f"Error: There is no display to open a window on ({one_line(named)}): {why}\n{_NO_DISPLAY}\n")
        sys.stderr.flush()
        os._exit(_NO_DISPLAY_STATUS)  # back in Qt, it would abort

    qInstallMessageHandler(listen)
    try:
        return _plain_application()
    finally:
        qInstallMessageHandler(None)


def _paint(application: QApplication, window: MainWindow) -> None:
    """Waits until the window is on the screen, half a second at most: everything that takes longer comes after it."""
    deadline = time.monotonic() + 0.5
    handle = window.windowHandle()
    while not handle.isExposed() and time.monotonic() < deadline:
        application.processEvents()
        time.sleep(0.001)
    application.processEvents()


def make_application() -> QApplication:
    """The Qt application in Changeover's look."""
    application = _plain_application()
    _dress(application)
    return application


def _plain_application() -> QApplication:
    from PySide6.QtWidgets import QApplication, QStyleFactory

    from changeover.desktop.runtime.garbage import collect_here
    from changeover.desktop.widgets.colours import colours, palette

    application = QApplication(sys.argv[:1])
    collect_here(application)
    application.setApplicationName("changeover")
    application.setApplicationDisplayName("Changeover")
    application.setDesktopFileName("changeover")
    application.setQuitOnLastWindowClosed(False)
    application.setStyle(QStyleFactory.create("Fusion"))
    application.setPalette(palette(colours()))
    return application


def _dress(application: QApplication) -> None:
    from changeover.desktop.widgets.colours import use, wanted

    use(wanted())
    application.styleHints().colorSchemeChanged.connect(lambda _: use(wanted()))


async def _main(window: MainWindow, open_switchboard: OpenSwitchboard, asked_before: list[int]) -> int:
    import asyncio

    quit_ = asyncio.Event()
    _quit_on_signals(quit_)
    if asked_before:
        quit_.set()
    _set_icon(window)
    for asked in (window.closing, window.quitting):
        asked.connect(quit_.set)
    try:
        async with open_switchboard() as (switchboard, ground):
            for asked in (window.closing, window.quitting):
                asked.disconnect(quit_.set)
            await run(switchboard, ground, window=window, quit_=quit_)
    except ChangeoverError as error:
        from changeover.desktop.service.service_page import WordsPage

        page = WordsPage()
        page.show_words("Changeover could not start", error.text, error.hint)
        window.show_page(page)
        await quit_.wait()
        window.hide()
        raise
    window.hide()
    return 0


async def run(
    switchboard: Switchboard,
    ground: PracticeGround | None = None,
    *,
    window: MainWindow | None = None,
    quit_: asyncio.Event | None = None,
    opened: Callable[[DesktopSession], None] = lambda _: None,
) -> int:
    """Runs the desktop on an open switchboard until somebody quits; the loop must be Qt's own.

    `opened` is called with what is on the screen once it is there.
    """
    import asyncio

    from changeover.desktop.main_window import MainWindow

    if window is None:
        window = MainWindow()
        window.furnish()
    session = DesktopSession(switchboard, ground, window, quit_ or asyncio.Event())
    window.show()
    opened(session)
    await session.until_quit()
    return 0


class DesktopSession:
    """Everything that is on the screen, and the order in which it goes."""

    def __init__(
        self, switchboard: Switchboard, ground: PracticeGround | None, window: MainWindow, quit_: asyncio.Event
    ) -> None:
        from changeover.desktop.controller import MainController
        from changeover.desktop.runtime.tasks import Tasks
        from changeover.desktop.tray import Tray

        self.window = window
        self.quit = quit_
        self.tasks = Tasks(window.fault.show_error)
        self.controller: MainController = MainController(window, switchboard, self.tasks, ground)
        self.tray = Tray(switchboard.states, self._open, self.ask_to_quit)
        self.controller.on_change(self.tray.update)
        window.closing.connect(self._closing)
        window.quitting.connect(self.ask_to_quit)
        self.tray.gone.connect(self._tray_gone)
        self.tasks.spawn(switchboard.watch(), "watching")
        self.tasks.spawn(switchboard.tell_outages("desktop", self.tray.tell), "telling of outages")

    async def until_quit(self) -> None:
        """Waits for the end, lets runs finish their present step, and cancels the rest."""
        try:
            await self.quit.wait()
            self.tray.close()
            for work in self.controller.working:
                work.stop.set()
            await self.controller.finished()
        finally:
            self.tray.close()
            self.controller.close()
            await self.tasks.close()

    def ask_to_quit(self) -> None:
        """Quits, after asking where a run is in progress."""
        if self.controller.working:
            self.window.bring_forward()
            self.tasks.spawn(self._really_quit(), "asking to quit")
        else:
            self.quit.set()

    async def _really_quit(self) -> None:
        from changeover.desktop.widgets.questions import Question, answered

        text = "It stops after its present step. The next start says where things stand, and offers to resume or undo."
        asked = Question(
            self.window, "A run is in progress", text, "Stop after this step and quit", danger=True, no="Keep going"
        )
        self.controller.dialog = asked
        if await answered(asked):
            self.quit.set()

    def _closing(self) -> None:
        if self.tray.there:
            self.window.hide()
            self.tray.say_where()
        else:
            self.ask_to_quit()

    def _tray_gone(self) -> None:
        """Brings back a window that was closed to a tray which is no longer there: nothing else could open it."""
        if not self.window.isVisible():
            self.window.bring_forward()

    def _open(self, service: str | None) -> None:
        self.window.bring_forward()
        if service is not None:
            self.controller.choose(service)


def _set_icon(window: MainWindow) -> None:
    from importlib.resources import as_file, files

    from PySide6.QtGui import QIcon

    with as_file(files("changeover") / "resources" / "icons" / "changeover.svg") as file:
        window.setWindowIcon(QIcon(str(file)))


def _signals_until_the_loop_runs() -> list[int]:
    """Ctrl-C and SIGTERM are noted here until `_quit_on_signals` takes over.

    A KeyboardInterrupt would come out wherever Qt happens to call Python, and Qt swallows it.
    """
    asked: list[int] = []
    for number in _SIGNALS:
        signal.signal(number, lambda number, _: asked.append(number))
    return asked


def _quit_on_signals(quit_: asyncio.Event) -> None:
    """Ctrl-C and SIGTERM end the desktop as Quit does."""
    import asyncio

    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        if sys.platform == "win32":  # seen there when the clock ticks next
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(quit_.set))
        else:
            loop.add_signal_handler(number, quit_.set)
