"""The files that settings name: what tells their content from every other, and where they lie."""

from __future__ import annotations

import functools
import hashlib
import os
import stat
from pathlib import Path


class NamedFiles:
    """Those of a settings file that lies in `folder`."""

    def __init__(self, folder: Path) -> None:
        folder = folder.resolve()
        self._folder = str(folder)
        #: What comes by the same way as the settings: the checkout that they are in, else their folder.
        self._checkout = str(next((up for up in (folder, *folder.parents) if (up / ".git").exists()), folder))

    def content(self, path: str) -> str:
        """Half of its SHA-256; empty where there is no plain file that can be read. It is read when it was changed."""
        try:
            found = os.stat(path)
            if not stat.S_ISREG(found.st_mode):
                return ""
            return _digest(path, found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        except (OSError, ValueError):
            return ""

    def beside(self, word: str) -> str | None:
        """The path, from the settings' folder, of the file that `word` names, where it came with the settings."""
        path = os.path.normpath(os.path.join(self._folder, word))
        try:
            came = os.path.commonpath((path, self._checkout)) == self._checkout and Path(path).is_file()
            return Path(os.path.relpath(path, self._folder)).as_posix() if came else None
        except (OSError, ValueError):  # another drive, or no path at all
            return None

    def whole(self, relative: str) -> str:
        """The whole path of one of these."""
        return os.path.normpath(os.path.join(self._folder, relative))


@functools.lru_cache(maxsize=256)
def _digest(path: str, *_: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]
