"""A screen of its own for every worker: a virtual display with a window manager and a tray."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from desktop.waiting import RETRY_BUDGET

#: Kept to the end of the process: Qt's objects do not survive their application.
_applications: list[QApplication] = []


#: A virtual display with a window manager and a tray, which end with their standard input: that is, with this process.
#: Qt ends a program whose display is taken away, so nothing may end them earlier.
_SCREEN = """
Xvfb -displayfd 3 -screen 0 1440x900x24 -nolisten tcp 3>&1 >/dev/null 2>&1 & server=$!
read -r number
export DISPLAY=":$number"
openbox >/dev/null 2>&1 & manager=$!
trayer --edge top --align right --widthtype request >/dev/null 2>&1 & tray=$!
read -r _
kill $tray $manager $server
wait
"""
_screens: list[subprocess.Popen[str]] = []


@pytest.fixture(scope="session")
def screen() -> Iterator[str]:
    """A display of its own, where Qt opens its windows."""
    missing = [tool for tool in ("Xvfb", "openbox", "trayer") if shutil.which(tool) is None]
    assert not missing, f"install {', '.join(missing)}; `make test` does"
    running = subprocess.Popen(["sh", "-c", _SCREEN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    _screens.append(running)
    assert running.stdin is not None
    assert running.stdout is not None
    number = running.stdout.readline().strip()
    assert number, "Xvfb did not start"
    running.stdin.write(f"{number}\n")
    running.stdin.flush()
    names = ("DISPLAY", "QT_QPA_PLATFORM", "DBUS_SESSION_BUS_ADDRESS")
    before = {name: os.environ.get(name) for name in names}
    os.environ["DISPLAY"] = f":{number}"
    os.environ["QT_QPA_PLATFORM"] = "xcb"
    os.environ.pop("DBUS_SESSION_BUS_ADDRESS", None)
    yield f":{number}"
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@pytest.fixture(scope="session")
def qapp(screen: str) -> QApplication:
    """The application in Changeover's own look, on that display."""
    from changeover.desktop.application import make_application

    _applications.append(make_application())
    return _applications[0]


@pytest.fixture
def light(qapp: QApplication) -> Iterator[None]:
    from changeover.desktop.widgets.colours import LIGHT, use

    use(LIGHT)
    yield
    use(LIGHT)


@pytest.fixture
def on_loop(qapp: QApplication) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Runs a scenario on Qt's own loop."""
    import qasync

    def run(scenario: Coroutine[Any, Any, Any]) -> Any:
        async def limited() -> Any:
            async with asyncio.timeout(RETRY_BUDGET):
                return await scenario

        with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(qapp)) as runner:
            return runner.run(limited())

    return run


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where pictures are kept: CHANGEOVER_PICTURES, or a folder of this test."""
    folder = Path(os.environ.get("CHANGEOVER_PICTURES") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
