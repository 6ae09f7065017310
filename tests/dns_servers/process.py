"""Starting a server program on a free loopback port, and knowing when it is ready."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Self

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


class LoopbackServer(ABC):
    """A server program on a free port of loopback, with a folder of its own. Used as a context manager.

    A server says what its `program` is, what `_prepare` writes, and by what `_probe` knows that it is ready.
    """

    program: ClassVar[str]

    def __init__(self, folder: Path, address: str = "127.0.0.1") -> None:
        self.address = address
        self.port = 0
        self._folder = Path(tempfile.mkdtemp(prefix=f"{self.program}-", dir=folder))
        self._process: ServerProcess | None = None

    @abstractmethod
    def _prepare(self) -> list[str]:
        """Writes the configuration for `port` into the folder, and gives the arguments of the program."""

    @abstractmethod
    def _probe(self) -> None:
        """Raises NotReady until it is this very server that answers, with all that it is to serve."""

    def __enter__(self) -> Self:
        for _ in range(3):  # another process may take the port before the server does
            self.port = free_port()
            if self._start():
                return self
        raise RuntimeError(f"{self.program} did not start:\n{self._log()}")

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self) -> bool:
        self._process = ServerProcess([self.program, *self._prepare()], self._folder / "log")
        try:
            if self._process.wait_until(self._probe):
                return True
        except BaseException:
            self.stop()
            raise
        self.stop()
        return False

    def _log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")[-4000:]

    @property
    def server(self) -> str:
        """host:port, as the settings file has it."""
        return f"{self.address}:{self.port}"

    def pause(self) -> None:
        """From now on it takes connections and stays silent, until `resume`."""
        assert self._process is not None
        self._process.pause()

    def resume(self) -> None:
        assert self._process is not None
        self._process.resume()

    def stop(self) -> None:
        """Ends the server; its port then refuses connections."""
        if self._process is not None:
            self._process.stop()

    def start_again(self) -> None:
        """After `stop`: the same server at the same port."""
        if not self._start():
            raise RuntimeError(f"{self.program} did not start again:\n{self._log()}")
