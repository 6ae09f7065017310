"""Folders and files that are for this user alone, whatever the umask is; and none that is a pipe or a device."""

from __future__ import annotations

import errno
import os
import stat
import threading
from pathlib import Path

_FOLDER, _FILE = 0o700, 0o600
#: Closing any descriptor of a file drops this process's POSIX locks on it. So nobody may open one that is being made.
_making = threading.Lock()


def private_folder(folder: Path, *, ours: bool = False) -> None:
    """Makes `folder` where it is missing, with those above it. One that was there stays as it is, unless it is `ours`.

    Raises OSError where it cannot be made.
    """
    missing = []
    at = folder
    while not at.is_dir():
        missing.append(at)
        at = at.parent
    for one in reversed(missing):
        one.mkdir(exist_ok=True)
        one.chmod(_FOLDER)
    if ours and not missing and folder.stat().st_mode & 0o077:
        folder.chmod(_FOLDER)


def private_file(file: Path) -> bool:
    """Makes an empty `file` where it is missing, and takes it from others where they could read it. True for a new one.

    Raises OSError where that is not possible. One of another owner stays as it is.
    """
    with _making:
        try:
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, _FILE))
            file.chmod(_FILE)
            return True
        except FileExistsError:
            take_from_others(file)
            return False


def refuse_others(file: Path) -> None:
    """Raises OSError where something stands at `file` that is no plain file: to open a pipe would wait for ever."""
    if os.path.lexists(file) and not file.is_file():
        raise OSError(errno.EINVAL, "it is no plain file", str(file))


def read_plain(file: Path, most: int) -> bytes:
    """At most so many bytes of a plain file. Raises OSError for any other, and FileNotFoundError where there is none.

    Nothing is waited for, as a pipe would be.
    """
    with open(os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)), "rb") as kept:
        if not stat.S_ISREG(os.fstat(kept.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is no plain file", str(file))
        return kept.read(most)


def take_from_others(file: Path) -> None:
    """Makes a file that is there this user's alone, where it is this user's."""
    there = file.stat()
    if there.st_mode & 0o077 and (os.name == "nt" or there.st_uid == os.getuid()):
        file.chmod(_FILE)
