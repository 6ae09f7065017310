"""From the start of the process to the first painted window: Changeover against a bare PySide6 window with a tray icon.

Both run on a virtual screen with a window manager and a tray. Qt's own log of painting (category qt.widgets.painting)
tells, on standard error, when a window is put on the screen; nothing is added to either program.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator

from figures import Figure

AIM = 1.3
#: A window that is not painted within this many seconds never will be.
RETRY_BUDGET = 30

_BARE = """\
import sys
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import QApplication, QLabel, QMainWindow, QSystemTrayIcon
application = QApplication(sys.argv)
window = QMainWindow()
window.setCentralWidget(QLabel("A bare window"))
window.resize(1180, 760)
picture = QPixmap(22, 22)
picture.fill(QColor("green"))
icon = QSystemTrayIcon(QIcon(picture))
icon.show()
window.show()
application.exec()
"""


def measure(rounds: int) -> list[Figure]:
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder, _screen() as display:
        environment = {**os.environ, "DISPLAY": display, "CHANGEOVER_HOME": folder, "QT_QPA_PLATFORM": "xcb"}
        environment["QT_LOGGING_RULES"] = "qt.widgets.painting.debug=true"
        for _ in range(rounds + 1):  # the first start of each warms up, and does not count
            ours.append(_until_painted(["-m", "changeover"], environment))
            theirs.append(_until_painted(["-c", _BARE], environment))
    what = "start to first painted window"
    return [Figure(what=what, peer="bare window with tray", ours=tuple(ours[1:]), theirs=tuple(theirs[1:]), aim=AIM)]


def _until_painted(arguments: list[str], environment: dict[str, str]) -> float:
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    impatience = threading.Timer(RETRY_BUDGET, process.kill)
    impatience.start()
    said = []
    try:
        for line in process.stderr:
            if "Flushing QRegion" in line and "MainWindow(" in line:
                return time.perf_counter() - began
            said.append(line)
        raise AssertionError(f"no window was painted:\n{''.join(said)}")
    finally:
        impatience.cancel()
        process.kill()
        process.communicate()


@contextlib.contextmanager
def _screen() -> Iterator[str]:
    """A virtual screen with a window manager and a tray; gives its name for DISPLAY."""
    with contextlib.ExitStack() as stack:
        read, write = os.pipe()
        screen = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", "1440x900x24", "-nolisten", "tcp"],
            pass_fds=[write],
            stderr=subprocess.DEVNULL,
        )
        stack.callback(_end, screen)
        os.close(write)
        with os.fdopen(read) as told:
            display = f":{told.readline().strip()}"
        for program in (["openbox"], ["trayer", "--edge", "bottom"]):
            environment = {**os.environ, "DISPLAY": display}
            helper = subprocess.Popen(program, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.callback(_end, helper)
        _wait_for(display, "_NET_SUPPORTING_WM_CHECK")
        _wait_for(display, "_NET_SYSTEM_TRAY_S0", selection=True)
        yield display


def _wait_for(display: str, name: str, selection: bool = False) -> None:
    """Until the window manager has said who it is, or a tray owns its place on the screen."""
    command = ["xdotool", "search", "--class", "trayer"] if selection else ["xprop", "-root", name]
    deadline = time.monotonic() + RETRY_BUDGET
    while time.monotonic() < deadline:
        asked = subprocess.run(command, env={**os.environ, "DISPLAY": display}, capture_output=True, text=True)
        if asked.returncode == 0 and asked.stdout.strip() and "not found" not in asked.stdout:
            return
        time.sleep(0.05)
    raise TimeoutError(f"{command} found nothing on {display}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(10)
