"""What Changeover keeps is for its user alone, whatever the umask, and whatever older versions left behind."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from changeover.storage.private import private_file, private_folder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o277, 0o777])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def test_new_ones(tmp_path: Path, umask: int) -> None:
    """Folders are 0700, files 0600; a mask that takes the owner's rights is no obstacle."""
    private_folder(tmp_path / "a" / "b")
    private_file(tmp_path / "a" / "b" / "c")
    assert [mode(tmp_path / place) for place in ("a", "a/b", "a/b/c")] == [0o700, 0o700, 0o600]


def test_old_ones(tmp_path: Path) -> None:
    """A file that others could read is taken from them; a folder of somebody's choice stays as it is."""
    (tmp_path / "home").mkdir(mode=0o755)
    (tmp_path / "home").chmod(0o755)
    (tmp_path / "home" / "locks").mkdir()
    (tmp_path / "home" / "changeover.db").touch(0o644)
    private_folder(tmp_path / "home")
    private_folder(tmp_path / "home" / "locks", ours=True)
    private_file(tmp_path / "home" / "changeover.db")
    assert mode(tmp_path / "home") == 0o755
    assert mode(tmp_path / "home" / "locks") == 0o700
    assert mode(tmp_path / "home" / "changeover.db") == 0o600


def test_a_file_in_place_of_a_folder(tmp_path: Path) -> None:
    """Is an error of the system, for whoever calls to put into words."""
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="exists"):
        private_folder(tmp_path / "file")


@pytest.mark.parametrize("mask", ["000", "277"])
def test_everything_that_a_command_leaves(tmp_path: Path, mask: str) -> None:
    """Journal, its logs, locks, log: nothing of a home can be read by others."""
    home = tmp_path / "home"
    program = f"umask {mask}; exec {sys.executable} -m changeover freeze --reason test --for 1h"
    environment = {**os.environ, "CHANGEOVER_HOME": str(home)}
    ended = subprocess.run(
        ["sh", "-c", program], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr
    left = [home, *home.rglob("*")]
    assert len(left) > 3
    assert [f"{file} {mode(file):o}" for file in left if mode(file) & 0o077] == []
