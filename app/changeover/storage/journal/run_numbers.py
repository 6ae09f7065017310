"""The last run number of each service, beside its lock: numbers go on where the database is cut to nothing."""

from __future__ import annotations

import logging
from pathlib import Path

from changeover.storage.private import private_folder, read_plain
from changeover.storage.settings.file import write_atomically

#: More runs than that nobody makes.
_DIGITS = 12

log = logging.getLogger(__name__)


def number_file(lock_file: Path) -> Path:
    """Where the number of the service with this lock is kept."""
    return lock_file.with_suffix(".number")


def last_number(file: Path) -> int:
    """The number that the newest run was given; 0 where none is known: the database has it too."""
    try:
        number = int(read_plain(file, _DIGITS + 2))
        return number if number < 10**_DIGITS else 0
    except FileNotFoundError:
        return 0
    except (OSError, ValueError) as error:
        log.warning("the number of the last run cannot be read from %s: %s", file, error)
        return 0


def keep_number(file: Path, number: int) -> None:
    """Keeps a number that was given. Where that cannot be, a log says so: the run is in the database all the same."""
    try:
        private_folder(file.parent, ours=True)
        write_atomically(file, f"{number}\n")
    except OSError as error:
        log.warning("the number %d cannot be kept in %s: %s", number, file, error)
