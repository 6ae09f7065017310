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

from desktop.waiting import PATIENCE


@pytest.fixture(scope="session")
def screen() -> Iterator[str]:
    """A private X display with openbox and trayer."""
    missing = [tool for tool in ("Xvfb", "openbox", "trayer") if shutil.which(tool) is None]
    assert not missing, f"install {', '.join(missing)}; `make test` does"
    read, write = os.pipe()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1440x900x24", "-nolisten", "tcp"], pass_fds=[write], **quiet
    )
    os.close(write)
    with os.fdopen(read) as pipe:
        number = pipe.readline().strip()
    assert number, "Xvfb did not start"
    display = f":{number}"
    environment = {**os.environ, "DISPLAY": display}
    others = [
        subprocess.Popen(command, env=environment, **quiet)
        for command in (["openbox"], ["trayer", "--edge", "top", "--align", "right", "--widthtype", "request"])
    ]
    before = {name: os.environ.get(name) for name in ("DISPLAY", "QT_QPA_PLATFORM", "DBUS_SESSION_BUS_ADDRESS")}
    os.environ["DISPLAY"] = display
    os.environ["QT_QPA_PLATFORM"] = "xcb"
    os.environ.pop("DBUS_SESSION_BUS_ADDRESS", None)
    yield display
    for process in (*others, server):
        process.terminate()
        process.wait()
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@pytest.fixture(scope="session")
def qapp(screen: str) -> QApplication:
    """The application in Changeover's own look, on that display."""
    from changeover.desktop.application import make_application

    return make_application()


@pytest.fixture
def light(qapp: QApplication) -> Iterator[None]:
    from changeover.desktop.colours import LIGHT, use

    use(LIGHT)
    yield
    use(LIGHT)


@pytest.fixture
def on_loop(qapp: QApplication) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Runs a scenario on Qt's own loop."""
    import qasync

    def run(scenario: Coroutine[Any, Any, Any]) -> Any:
        async def limited() -> Any:
            async with asyncio.timeout(PATIENCE):
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
