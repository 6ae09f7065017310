"""Starting a server program on a free loopback port, and knowing when it is ready."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

#: A server that is not ready within this many seconds failed to start.
READY_WITHIN = 60.0


class NotReady(Exception):
    """The server does not answer as it should yet."""


def free_port() -> int:
    """A port that is free for TCP and UDP, on IPv4 and IPv6 loopback. Somebody may take it before it is used."""
    while True:
        with contextlib.ExitStack() as sockets:
            first = sockets.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                sockets.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM)).bind(("127.0.0.1", port))
                if socket.has_ipv6:
                    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                        with contextlib.suppress(PermissionError):
                            sockets.enter_context(socket.socket(socket.AF_INET6, kind)).bind(("::1", port))
            except OSError:
                continue
            return port


class ServerProcess:
    """A running server program. Its output goes to `log`."""

    def __init__(self, arguments: list[str], log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until(self, ready: Callable[[], None]) -> bool:
        """Calls `ready` until it does not raise NotReady. False where the program ends or time runs out."""
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline:
            try:
                ready()
            except NotReady:
                # The probe itself waits for an answer; this only keeps a refused connection from being a busy loop.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(0.02)
                    return False
            else:
                return True
        return False

    def pause(self) -> None:
        """The program takes connections (the kernel does) and answers nothing. Comes back when it stands still."""
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Ends the program. A second call does nothing."""
        if self._process.poll() is not None:
            return
        self.resume()
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
