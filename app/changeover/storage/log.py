"""The log file: small, rotated, for this user only."""

from __future__ import annotations

import contextlib
import errno
import logging
import logging.handlers
import os
import stat
from pathlib import Path
from typing import Any

from changeover.model.errors import ChangeoverError
from changeover.model.foreign_text import many_lines, shown
from changeover.storage.private import private_folder

_SIZE, _KEPT = 1_000_000, 5


class _OneLine(logging.Formatter):
    """Messages in one line each: what others wrote can neither begin a line of its own nor steer who reads.

    The lines of a traceback are indented.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:
        return shown(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:
        return "\n".join(f"  {line}" for line in many_lines(super().formatException(ei)).splitlines())


class _PrivateFile(logging.handlers.RotatingFileHandler):
    def _open(self):  # type: ignore[no-untyped-def]
        # A pipe without a reader would be waited for.
        unready = getattr(os, "O_NONBLOCK", 0)
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND | unready, 0o600)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(errno.EINVAL, "it is no plain file", self.baseFilename)
            if os.name != "nt":
                with contextlib.suppress(PermissionError):  # somebody else's, who lets this user write
                    os.fchmod(descriptor, 0o600)
        except BaseException:
            os.close(descriptor)
            raise
        return os.fdopen(descriptor, "a", encoding="utf-8")

    def handleError(self, record: logging.LogRecord) -> None:
        """A disk that is full must not fill the terminal: whatever matters is said or in the journal."""


def start_log(file: Path, debug: bool) -> None:
    """Sends this program's log to `file`. Libraries' own logs stay out: some write request headers at debug level.

    On a disk that is full or can only be read there is no log. Raises ChangeoverError where the file cannot be
    written for another reason.
    """
    logger = logging.getLogger("changeover")
    for old in logger.handlers[:]:
        logger.removeHandler(old)
        old.close()
    logger.setLevel(logging.DEBUG if debug else logging.INFO)
    logger.propagate = False
    logger.addHandler(logging.NullHandler())  # without any, Python writes warnings to standard error
    try:
        private_folder(file.parent)
        handler = _PrivateFile(file, maxBytes=_SIZE, backupCount=_KEPT - 1, encoding="utf-8")
    except OSError as error:
        if error.errno in (errno.EROFS, errno.ENOSPC, errno.EDQUOT):
            return  # looking goes on without a log; whatever writes says what is wrong with the disk
        raise ChangeoverError(
            f"The log {file} cannot be written: {error.strerror or error}",
            "Check that the disk is not full and that the folder is yours.",
        ) from None
    handler.setFormatter(_OneLine("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger.addHandler(handler)
