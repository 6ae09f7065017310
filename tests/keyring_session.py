"""A desktop session's Secret Service: gnome-keyring-daemon on a D-Bus of its own, in a throw-away home."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Self

PASSWORD = "password of the login keyring\n"
#: Seconds that a program may take to start or to end.
RETRY_BUDGET = 120

#: Has the name of the program that would ask a person for the password, and never answers.
_ABSENT_PERSON = """
from jeepney import message_bus
from jeepney.io.blocking import open_dbus_connection
with open_dbus_connection() as bus:
    bus.send_and_get_reply(message_bus.RequestName("org.gnome.keyring.SystemPrompter"))
    print("ready", flush=True)
    while True:
        bus.receive()
"""


def without_keyring(folder: Path) -> dict[str, str]:
    """The environment of a program that has no session: no D-Bus, no display, and an empty home in `folder`."""
    home = folder / "home"
    (home / "run").mkdir(parents=True, exist_ok=True)
    (home / "run").chmod(0o700)
    left_out = ("DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "PYTHON_KEYRING_BACKEND")
    kept = {key: value for key, value in os.environ.items() if key not in left_out and not key.startswith("XDG_")}
    return {**kept, "HOME": str(home), "XDG_RUNTIME_DIR": str(home / "run")}


class KeyringSession:
    """`environment` is that of a program in the session, whose keyring is unlocked; `run` runs one there.

    with KeyringSession(tmp_path) as session:
        session.run([sys.executable, "-c", "import keyring; print(keyring.get_keyring())"])
    """

    def __init__(self, folder: Path) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="session-", dir=folder))
        self.environment = without_keyring(self._folder)
        self._stack = contextlib.ExitStack()
        self._daemon: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        # Short: the path of a socket has at most 108 characters.
        self.environment["XDG_RUNTIME_DIR"] = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="ring-"))
        bus = self._start(["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=1"])
        self.environment["DBUS_SESSION_BUS_ADDRESS"] = _line(bus)
        self._start_keyring("--unlock")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(self, arguments: Sequence[str], stdin: str = "") -> subprocess.CompletedProcess[str]:
        """A program in the session, to its end."""
        return subprocess.run(
            arguments,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=RETRY_BUDGET,
            check=False,
        )

    def lock(self, *, person: bool = True) -> None:
        """Locks the keyring. With `person`, one is asked for the password who never answers; else nobody can be asked.

        There is no display, so that the desktop's own program, which would ask, cannot start.
        """
        assert self._daemon is not None
        self._daemon.terminate()
        self._daemon.wait(RETRY_BUDGET)
        if person:
            _line(self._start([sys.executable, "-c", _ABSENT_PERSON]))
        self._start_keyring()

    def pause(self) -> None:
        """From now on the keyring takes calls and answers none."""
        assert self._daemon is not None
        self._daemon.send_signal(signal.SIGSTOP)
        self._stack.callback(self._daemon.send_signal, signal.SIGCONT)

    def _start_keyring(self, *arguments: str) -> None:
        self._daemon = self._start(["gnome-keyring-daemon", "--foreground", "--components=secrets", *arguments])
        assert self._daemon.stdin is not None
        self._daemon.stdin.write(PASSWORD.encode())
        self._daemon.stdin.close()
        waiting = ["gdbus", "wait", "--session", f"--timeout={RETRY_BUDGET}", "org.freedesktop.secrets"]
        subprocess.run(waiting, env=self.environment, check=True)

    def _start(self, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        with (self._folder / "log").open("ab") as log:
            process = subprocess.Popen(
                arguments, env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            )
        self._stack.enter_context(process)
        self._stack.callback(process.terminate)
        return process


def _line(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().decode().strip()
