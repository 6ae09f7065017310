"""Room on the disk that was taken in good times, so that an emergency is still journalled when the disk is full."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

from changeover.storage.private import private_file, refuse_others

log = logging.getLogger(__name__)

#: Bytes: an emergency with hundreds of steps takes a tenth of it.
SIZE = 1024 * 1024
_CHUNK = 64 * 1024


class Reserve:
    """One file of nothing, beside the database that it is for."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def keep(self, *, whatever_is_left: bool = False) -> None:
        """Takes the room, where there is plenty; or what there still is of it. Without any, there is no reserve."""
        try:
            there = self._file.stat().st_size if self._file.exists() else 0
            if there >= SIZE or (not whatever_is_left and shutil.disk_usage(self._file.parent).free < 4 * SIZE):
                return
            refuse_others(self._file)
            private_file(self._file)
            with self._file.open("ab", buffering=0) as out:
                for _ in range(there, SIZE, _CHUNK):
                    out.write(os.urandom(_CHUNK))  # what a file system can neither pack nor leave out
                os.fsync(out.fileno())
        except OSError as error:
            log.info("the reserve for a full disk is not whole: %s", error)

    def spend(self) -> bool:
        """Gives the room back to the disk. False where there was none."""
        try:
            there = self._file.stat().st_size
            self._file.unlink()
        except OSError:
            return False
        log.warning("the disk is full: the reserve of %d bytes is used", there)
        return there > 0
