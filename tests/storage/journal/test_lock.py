"""One writer a service: the lock dies with its process, and looking at it disturbs nobody."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from changeover.model.errors import ChangeoverError, Refused
from changeover.storage.home import Home
from changeover.storage.journal.lock import is_locked, service_lock

HOLDER = """
import sys
from pathlib import Path
from changeover.storage.journal.lock import service_lock
with service_lock(Path(sys.argv[1]), "shop"):
    print("held", flush=True)
    sys.stdin.read()
"""
#: Looks until its standard input ends, then says how often it looked and how often it saw a lock.
LOOKER = """
import select, sys
from pathlib import Path
from changeover.storage.journal.lock import is_locked
looks = seen = 0
print("looking", flush=True)
while not select.select([sys.stdin], [], [], 0)[0]:
    for _ in range(50):
        looks += 1
        seen += is_locked(Path(sys.argv[1]))
print(looks, seen)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "locks" / "shop.lock"


def start(program: str, file: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


@pytest.fixture
def holder(file: Path) -> Iterator[subprocess.Popen[str]]:
    with start(HOLDER, file) as process:
        yield process
        process.kill()


def test_a_second_process_is_refused(file: Path, holder: subprocess.Popen[str]) -> None:
    """While one works on the service, another is told so, and sees it."""
    assert is_locked(file)
    with pytest.raises(Refused, match="Another Changeover is working on shop right now"), service_lock(file, "shop"):
        raise AssertionError("both hold the lock")
    assert holder.poll() is None


def test_the_lock_dies_with_its_process(file: Path, holder: subprocess.Popen[str]) -> None:
    """SIGKILL leaves nothing behind that hinders the next run."""
    holder.kill()
    holder.wait(30)
    assert not is_locked(file)
    with service_lock(file, "shop"):
        assert is_locked(file)
    assert not is_locked(file)


def test_two_runs_of_one_process_exclude_each_other(file: Path) -> None:
    """As two windows of one desktop would."""
    with service_lock(file, "shop"), pytest.raises(Refused), service_lock(file, "shop"):
        raise AssertionError("both hold the lock")


def test_looking_makes_no_lock(file: Path) -> None:
    """A service that was never worked on is free, and no file appears."""
    assert not is_locked(file)
    assert not file.exists()


def test_those_who_look_disturb_nobody(file: Path) -> None:
    """Three processes that look all the time never take each other for a run, and every run starts."""
    with service_lock(file, "shop"):
        pass
    lookers = [start(LOOKER, file) for _ in range(3)]
    told = [process.communicate(timeout=60)[0].split() for process in lookers]
    assert [seen for _, seen in told] == ["0", "0", "0"]

    lookers = [start(LOOKER, file) for _ in range(3)]
    for _ in range(100):
        with service_lock(file, "shop"):
            assert is_locked(file)
    for process in lookers:
        process.communicate(timeout=60)


def test_a_lock_that_cannot_be_made(tmp_path: Path) -> None:
    """A file stands where the folder should be: an error with words."""
    (tmp_path / "locks").write_text("")
    with pytest.raises(ChangeoverError, match="cannot be used"), service_lock(tmp_path / "locks" / "a.lock", "a"):
        raise AssertionError("there is no lock")


def test_each_service_has_its_own_lock(tmp_path: Path) -> None:
    """Names that look alike in a file system, and names that no file system takes."""
    home = Home.at(tmp_path)
    names = ["shop", "shop 2", "shop%202", "shop%20.2", "shop.2", ",2", "\u02c2", "é", "É", "%", "..", "a" * 100]
    files = [home.lock_file(name) for name in names]
    assert len({str(file).lower() for file in files}) == len(names)
    with ExitStack() as held:
        for file, name in zip(files, names, strict=True):
            held.enter_context(service_lock(file, name))
    longest = home.lock_file("\U0001f600" * 100)
    with service_lock(longest, "long"):
        assert is_locked(longest)
