"""Networks of a test's own, with cables that can be cut: nothing in them reaches the network of this computer."""

from __future__ import annotations

import functools
import itertools
import shutil
import subprocess
from contextlib import ExitStack
from typing import IO, Any, Self

_numbers = itertools.count()
#: Ends with its standard input: that is, with this process.
_HOLDER = "mount -t tmpfs tmpfs /run && ip netns add try && echo ready && read _"


@functools.cache
def _holder() -> subprocess.Popen[str]:
    """A process in namespaces of its own, where an ordinary user is root and may make networks."""
    alone = ["unshare", "--map-root-user", "--net", "--mount"]
    pipe = subprocess.PIPE
    return subprocess.Popen([*alone, "sh", "-c", _HOLDER], stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def _inside(*words: str) -> list[str]:
    """A command line that runs `words` where networks may be made."""
    entered = ("--user", "--net", "--mount", "--preserve-credentials", f"--target={_holder().pid}")
    return ["nsenter", *entered, *words]


@functools.cache
def unusable() -> str | None:
    """Why no network can be made here; None where one can."""
    missing = [tool for tool in ("ip", "unshare", "nsenter", "sysctl") if shutil.which(tool) is None]
    if missing:
        return f"there is no {' and no '.join(missing)} here"
    out, err = _holder().stdout, _holder().stderr
    assert out is not None and err is not None
    return None if out.readline() == "ready\n" else f"no network of its own can be made here: {err.read().strip()}"


class Namespace:
    """One computer, with nothing but its loopback interface until it is wired. Its programs end with it."""

    def __init__(self, name: str) -> None:
        self.name = f"{next(_numbers)}-{name}"
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        subprocess.run(_inside("ip", "netns", "add", self.name), check=True)
        self._stack.callback(subprocess.run, _inside("ip", "netns", "del", self.name), check=True)
        self.ip("link", "set", "lo", "up")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def ip(self, *words: str) -> None:
        """`ip WORDS` there."""
        subprocess.run(_inside("ip", "-n", self.name, *words), check=True)

    def command(self, *words: str) -> list[str]:
        """A command line that runs `words` there."""
        return _inside("nsenter", f"--net=/run/netns/{self.name}", *words)

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
    program.wait(60)
    for pipe in pipes:
        if pipe is not None:
            pipe.close()


def wire(one: Namespace, at: str, name: str, other: Namespace, its: str, its_name: str) -> None:
    """A cable between two computers: `one` gets the address `at` on the interface `name`, and so does the other."""
    one.ip("link", "add", name, "type", "veth", "peer", "name", its_name, "netns", other.name)
    for end, address, interface in ((one, at, name), (other, its, its_name)):
        end.ip("address", "add", address, "dev", interface)
        end.ip("link", "set", interface, "up")
