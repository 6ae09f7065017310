"""The log file: small, rotated, for this user only."""

from __future__ import annotations

import logging
import logging.handlers
import os
from pathlib import Path

from changeover.model.errors import ChangeoverError

_SIZE, _KEPT = 1_000_000, 5


class _PrivateFile(logging.handlers.RotatingFileHandler):
    def _open(self):  # type: ignore[no-untyped-def]
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8")

    def handleError(self, record: logging.LogRecord) -> None:
        """A disk that is full must not fill the terminal: whatever matters is said or in the journal."""


def start_log(file: Path, debug: bool) -> None:
    """Sends this program's log to `file`. Libraries' own logs stay out: some write request headers at debug level.

    Raises ChangeoverError where the file cannot be written.
    """
    logger = logging.getLogger("changeover")
    for old in logger.handlers[:]:
        logger.removeHandler(old)
        old.close()
    logger.setLevel(logging.DEBUG if debug else logging.INFO)
    logger.propagate = False
    logger.addHandler(logging.NullHandler())  # without any, Python writes warnings to standard error
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler = _PrivateFile(file, maxBytes=_SIZE, backupCount=_KEPT - 1, encoding="utf-8")
    except OSError as error:
        raise ChangeoverError(
            f"The log {file} cannot be written: {error.strerror or error}",
            "Check that the disk is not full and that the folder is yours.",
        ) from None
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger.addHandler(handler)
