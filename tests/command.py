"""Runs `changeover` for tests, each time in a process of its own.

Starting Python and importing is most of what a command does, and the tests run hundreds of commands. So the processes
are forked from one that has imported what commands use, and run nothing of it yet. It is started with the first command
and ends with the tests.
"""

from __future__ import annotations

import functools
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import IO

#: What Python itself reads when it starts: where one of these is another, the command is started, not forked.
_OF_PYTHON = ("PYTHON", "LANG", "LC_", "TZ")
#: Rooms that no such command needs, or that read the environment when they are imported.
_LEFT_OUT = ("changeover.desktop", "changeover.lab", "changeover.databases", "changeover.dns.providers.lexicon")


def run_command(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    stdin: str = "",
    timeout: float = 120,
) -> subprocess.CompletedProcess[str]:
    """`changeover ARGUMENTS` to its end, with what it wrote. Raises TimeoutExpired where it takes longer."""
    command = [sys.executable, "-m", "changeover", *arguments]
    if _of_python(environment) != _of_python(os.environ):
        return subprocess.run(
            command, env=environment, input=stdin, capture_output=True, text=True, timeout=timeout, check=False
        )
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as errors:
        given.write(stdin.encode())
        given.seek(0)
        status = _forked(arguments, environment, (given, said, errors), timeout)
        if status is None:
            raise subprocess.TimeoutExpired(command, timeout)
        texts = []
        for file in (said, errors):
            file.seek(0)
            texts.append(file.read().decode())
    return subprocess.CompletedProcess(command, status, *texts)


def _of_python(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(_OF_PYTHON)}


def _forked(
    arguments: Sequence[str], environment: Mapping[str, str], streams: Sequence[IO[bytes]], timeout: float
) -> int | None:
    """The exit status of a command, as subprocess has it; None where its time was over, and it was killed."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            asked = json.dumps([os.getcwd(), list(arguments), dict(environment)]).encode()
            files = [*(stream.fileno() for stream in streams), theirs.fileno()]
            with _asking() as asking:
                socket.send_fds(asking, [struct.pack("!I", len(asked))], files)
                asking.sendall(asked)
        (pid,) = struct.unpack("!i", _read(ours, 4))
        if not select.select([ours], [], [], timeout)[0]:
            os.kill(pid, signal.SIGKILL)
            return None
        (status,) = struct.unpack("!i", _read(ours, 4))
        return int(status)


def _asking() -> socket.socket:
    """A connection to the process that forks."""
    asking = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    asking.connect(_server())
    return asking


@functools.cache
def _server() -> str:
    """Starts the process that forks, and gives where it listens. It ends when this process does."""
    path = os.path.join(tempfile.mkdtemp(prefix="changeover-commands-"), "asked")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(path)
        listening.listen(64)
        lives, _until = os.pipe()
        files = (listening.fileno(), lives)
        subprocess.Popen([sys.executable, __file__, *map(str, files)], pass_fds=files)
        os.close(lives)
    return path


def _read(connection: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        part = connection.recv(size - len(found))
        if not part:
            raise EOFError
        found += part
    return found


def _serve(listening: socket.socket, lives: int) -> None:
    """Forks for each that asks; returns in what was forked, ready to be the command, or where nobody asks any more."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while listening in (ready := select.select([listening, lives], [], [])[0]) or not ready:
        connection, _ = listening.accept()
        with connection:
            head, files, _, _ = socket.recv_fds(connection, 4, 4)
            head += _read(connection, 4 - len(head))
            asked = json.loads(_read(connection, *struct.unpack("!I", head)))
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listening.close()
            os.close(lives)
            _become(asked, files)
            return
        for file in files:
            os.close(file)
    os._exit(0)


def _become(asked: list[object], files: Sequence[int]) -> None:
    """Forks once more. The one waits for the other and tells how it ended; the other is the command."""
    *streams, told = files
    pid = os.fork()
    if pid:
        os.write(told, struct.pack("!i", pid))
        _, status = os.waitpid(pid, 0)
        os.write(told, struct.pack("!i", os.waitstatus_to_exitcode(status)))
        os._exit(0)
    os.close(told)
    for number, file in enumerate(streams):
        os.dup2(file, number)
        os.close(file)
    folder, arguments, environment = asked
    os.chdir(str(folder))
    os.environ.clear()
    os.environ.update(environment)  # type: ignore[call-overload]
    sys.argv = [sys.modules["changeover"].__path__[0] + "/__main__.py", *arguments]  # type: ignore[misc]


def _import_all() -> None:
    import changeover

    for module in pkgutil.walk_packages(changeover.__path__, "changeover."):
        if not module.name.startswith(_LEFT_OUT) and module.name != "changeover.__main__":
            importlib.import_module(module.name)
    assert "keyring" not in sys.modules, "it looks for its backend when it is imported"
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    _import_all()
    _serve(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]))
    from changeover.cli import main

    main()
