"""Networks of a test's own, with cables that can be cut: nothing in them reaches the network of this computer."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from contextlib import ExitStack
from typing import IO, Any, Self

_numbers = itertools.count()


def unusable() -> str | None:
    """Why no network can be made here; None where one can."""
    if shutil.which("ip") is None:
        return "there is no `ip` (iproute2) here"
    name = f"co-{os.getpid()}-try"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        return f"no network of its own can be made here: {made.stderr.strip()}"
    subprocess.run(["ip", "netns", "del", name], check=True)
    return None


class Namespace:
    """One computer, with nothing but its loopback interface until it is wired. Its programs end with it."""

    def __init__(self, name: str) -> None:
        self.name = f"co-{os.getpid()}-{next(_numbers)}-{name}"
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        self._stack.callback(subprocess.run, ["ip", "netns", "del", self.name], check=True)
        self.ip("link", "set", "lo", "up")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def ip(self, *words: str) -> None:
        """`ip WORDS` there."""
        subprocess.run(["ip", "-n", self.name, *words], check=True)

    def command(self, *words: str) -> list[str]:
        """A command line that runs `words` there."""
        return ["ip", "netns", "exec", self.name, *words]

    def run(self, *words: str) -> str:
        """What a program prints there. Raises CalledProcessError where it fails."""
        return subprocess.run(self.command(*words), stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout

    def start(self, *words: str, ready: str) -> None:
        """Starts a program there, and waits until it prints the line `ready`."""
        program = subprocess.Popen(self.command(*words), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._stack.callback(_end, program)
        assert program.stdout is not None
        line = program.stdout.readline().strip()
        assert line == ready, f"{words} said {line!r}"


def _end(program: subprocess.Popen[str]) -> None:
    pipes: list[IO[Any] | None] = [program.stdin, program.stdout]
    program.terminate()
    program.wait(10)
    for pipe in pipes:
        if pipe is not None:
            pipe.close()


def wire(one: Namespace, at: str, name: str, other: Namespace, its: str, its_name: str) -> None:
    """A cable between two computers: `one` gets the address `at` on the interface `name`, and so does the other."""
    one.ip("link", "add", name, "type", "veth", "peer", "name", its_name, "netns", other.name)
    for end, address, interface in ((one, at, name), (other, its, its_name)):
        end.ip("address", "add", address, "dev", interface)
        end.ip("link", "set", interface, "up")
