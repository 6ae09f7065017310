"""The log file and the home that it lies in."""

from __future__ import annotations

import logging
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from changeover.model.errors import ChangeoverError
from changeover.storage.home import Home
from changeover.storage.log import start_log


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    logger = logging.getLogger("changeover")
    before = logger.handlers[:], logger.level, logger.propagate
    yield
    for handler in logger.handlers:
        handler.close()
    logger.handlers, logger.level, logger.propagate = before


def test_the_log_is_for_its_owner_only(tmp_path: Path) -> None:
    """Mode 0600 from the beginning, also after it was rotated."""
    file = tmp_path / "new" / "changeover.log"
    before = os.umask(0)
    try:
        start_log(file, debug=False)
        for _ in range(30):
            logging.getLogger("changeover.x").info("x" * 100_000)
    finally:
        os.umask(before)
    logs = list(file.parent.iterdir())
    assert len(logs) > 2
    assert {stat.S_IMODE(log.stat().st_mode) for log in logs} == {0o600}


def test_the_log_is_rotated(tmp_path: Path) -> None:
    """Five files of 1 MB, the oldest goes."""
    file = tmp_path / "changeover.log"
    start_log(file, debug=False)
    for number in range(80):
        logging.getLogger("changeover.x").info("%d %s", number, "x" * 100_000)
    logs = sorted(tmp_path.iterdir())
    assert len(logs) == 5
    assert max(log.stat().st_size for log in logs) <= 1_000_000
    assert " 79 " in file.read_text()


@pytest.mark.parametrize("debug", [False, True])
def test_only_changeover_writes_there(tmp_path: Path, debug: bool) -> None:
    """Libraries write headers at debug level; theirs stay out, whatever the level."""
    file = tmp_path / "changeover.log"
    start_log(file, debug=debug)
    logging.getLogger("changeover.x").debug("small things")
    logging.getLogger("changeover.x").warning("great things")
    for library in ("httpx", "httpcore.http11", "asyncio"):
        logging.getLogger(library).warning("Authorization: Bearer")
    text = file.read_text()
    assert "great things" in text
    assert ("small things" in text) is debug
    assert "Bearer" not in text


def test_a_log_that_cannot_be_written(tmp_path: Path) -> None:
    """A command in such a home says what is wrong, in one place, and ends."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ChangeoverError, match="cannot be written: File exists"):
        start_log(tmp_path / "file" / "changeover.log", debug=False)
    ended = subprocess.run(
        [sys.executable, "-m", "changeover", "runs"],
        env={**os.environ, "CHANGEOVER_HOME": str(tmp_path / "file")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode in (2, 3)
    assert ended.stderr.count("cannot be written") == 1
    assert "Traceback" not in ended.stderr


@pytest.mark.skipif(sys.platform != "linux" or shutil.which("unshare") is None, reason="needs a disk of its own")
def test_a_disk_that_can_only_be_read(tmp_path: Path) -> None:
    """As after an error of the disk: looking goes on without a log, and what writes is refused in words."""
    script = (
        f"mount -t tmpfs tmpfs {tmp_path} && mount -o remount,ro {tmp_path} || exit 77; "
        f"{sys.executable} -m changeover status; echo $?; {sys.executable} -m changeover freeze x --reason x; echo $?"
    )
    ended = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", script],
        env={**os.environ, "CHANGEOVER_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if ended.returncode == 77 or "unshare" in ended.stderr:
        pytest.skip(f"no disk of its own can be made here: {ended.stderr.strip()}")
    assert ended.stdout.split() == ["0", "2"], ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on a file's size")
def test_a_full_disk_does_not_fill_the_terminal(tmp_path: Path) -> None:
    """What cannot be logged is left out without a word."""
    program = f"""
import logging, resource
from pathlib import Path
from changeover.storage.log import start_log
start_log(Path({str(tmp_path / "changeover.log")!r}), debug=False)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
for _ in range(20):
    logging.getLogger("changeover").info("x" * 1000)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert (ended.returncode, ended.stdout) == (0, "")
    assert "Traceback" not in ended.stderr.replace("Exception ignored", "")


def test_one_folder_has_everything(tmp_path: Path) -> None:
    """CHANGEOVER_HOME, however it is written, is one place."""
    home = Home.at(tmp_path / "x" / ".." / "home")
    assert home == Home.at(tmp_path / "home")
    files = [home.settings_file, home.database, home.log_file]
    assert files == [tmp_path / "home" / f"changeover.{end}" for end in ("toml", "db", "log")]
    assert home.custom == str(tmp_path / "home")


def test_without_one_the_users_folders_are_used(tmp_path: Path) -> None:
    """Settings and data where the system keeps them."""
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    program = "from changeover.storage.home import Home; h = Home.from_environment(); print(h.config, h.data, h.custom)"
    said = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    config, data, custom = said.stdout.split()
    assert Path(config).is_relative_to(tmp_path)
    assert Path(data).is_relative_to(tmp_path)
    assert custom == "None"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such files")
@pytest.mark.parametrize("kind", ["pipe", "pipe with a reader", "device", "folder"])
def test_a_log_that_is_no_plain_file(tmp_path: Path, kind: str) -> None:
    """Is refused in words at once: a pipe would be waited for, and a device would take all that is written."""
    file = tmp_path / "changeover.log"
    reader = None
    if kind.startswith("pipe"):
        os.mkfifo(file)
        reader = os.open(file, os.O_RDONLY | os.O_NONBLOCK) if "reader" in kind else None
    elif kind == "device":
        file.symlink_to(os.devnull)
    else:
        file.mkdir()
    with pytest.raises(ChangeoverError, match="cannot be written"):
        start_log(file, debug=False)
    if reader is not None:
        os.close(reader)


def test_a_message_is_one_line(tmp_path: Path) -> None:
    """What a server says can neither begin a line of the log nor steer the terminal of who reads it."""
    file = tmp_path / "changeover.log"
    start_log(file, debug=False)
    logging.getLogger("changeover.x").info("it says %s", "\x1b[2J\n2026-12-01 INFO shop-1: undone \u202e\x9b")
    (line,) = file.read_text(encoding="utf-8").splitlines()
    assert "\x1b" not in line and "\u202e" not in line and "\x9b" not in line
