"""The program as people start it: its own process, its own window."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

#: Seconds that the program may take to start or to end. A limit for what hangs, not a promise.
RETRY_BUDGET = 120


class Program:
    """A running desktop, reached by its window as a person does."""

    def __init__(self, home: Path, environment: dict[str, str]) -> None:
        self._environment = {**os.environ, **environment, "CHANGEOVER_HOME": str(home), "PYTHONFAULTHANDLER": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "changeover"], env=self._environment, stderr=subprocess.PIPE, text=True
        )

    def window(self, icon: str = "") -> str:
        """The window's id, once the window manager has it, and once it has that icon. The tray's is not managed."""
        found = ("search", "--all", "--sync", "--onlyvisible", "--pid", str(self.process.pid), "--name", "Changeover")
        end = time.monotonic() + RETRY_BUDGET
        while time.monotonic() < end:
            for window in self._run("xdotool", *found).split():
                told = self._run("xprop", "-id", window, "WM_STATE", "_NET_WM_ICON")
                if "window state" in told and icon in told:
                    return window
        raise AssertionError(f"the window is not there, or has no {icon}")

    def listening(self) -> str:
        """The window's id, once it has its own icon, in place of the window manager's: then it takes keys."""
        return self.window("Icon (16 x 16)")

    def press(self, keys: str) -> None:
        self._run("xdotool", "windowfocus", "--sync", self.listening())
        self._run("xdotool", "key", "--clearmodifiers", keys)

    def ended(self) -> tuple[int, str]:
        """Exit status and standard error, once it has ended by itself; where it does not, where it hangs."""
        try:
            _, told = self.process.communicate(timeout=RETRY_BUDGET)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)
            _, told = self.process.communicate()
        return self.process.returncode, told

    def _run(self, *words: str) -> str:
        done = subprocess.run(words, env=self._environment, capture_output=True, text=True, timeout=RETRY_BUDGET)
        return done.stdout.strip()


@pytest.fixture
def program(tmp_path: Path, screen: str) -> Iterator[Callable[[], Program]]:
    """Starts the program on the settings in this test's folder."""
    running: list[Program] = []

    def start() -> Program:
        running.append(Program(tmp_path, {"DISPLAY": screen}))
        return running[-1]

    yield start
    for each in running:
        if each.process.poll() is None:
            each.process.kill()
            each.process.communicate()


def test_without_a_display_it_says_so(tmp_path: Path) -> None:
    """No display: exit status 2 and a sentence, not an abort."""
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environment = {k: v for k, v in os.environ.items() if k not in names} | {"CHANGEOVER_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "changeover"], env=environment, capture_output=True, text=True, timeout=RETRY_BUDGET
    )
    assert done.returncode == 2
    assert "no display" in done.stderr


def test_ctrl_q_quits(program: Callable[[], Program]) -> None:
    """Quit ends the program with status 0 and says nothing on the way."""
    running = program()
    running.press("ctrl+q")
    assert running.ended() == (0, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminate"])
@pytest.mark.parametrize("once", [Program.window, Program.listening], ids=["while it starts", "once it is there"])
def test_signals_quit(
    program: Callable[[], Program], number: signal.Signals, once: Callable[[Program], object]
) -> None:
    """Ctrl-C and an orderly shutdown end it as Quit does, from the moment that there is something to see."""
    running = program()
    once(running)
    running.process.send_signal(number)
    assert running.ended() == (0, "")


def test_faulty_settings_are_shown_in_the_window(tmp_path: Path, program: Callable[[], Program]) -> None:
    """A settings file with faults opens the window all the same; the exit status says it, too."""
    (tmp_path / "changeover.toml").write_text("version = 7\n")
    running = program()
    running.press("ctrl+q")
    status, told = running.ended()
    assert status == 2
    assert "version: must be 1, not 7" in told
