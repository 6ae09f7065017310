"""One writer a service, across processes. The lock is the operating system's and dies with the process."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from changeover.model.errors import ChangeoverError, Refused

#: Looking whether a lock is held takes it for a moment; a run waits that long, in seconds, for such looks to pass.
_GRACE = 0.2
_POLL = 0.01


@contextmanager
def service_lock(file: Path, service: str) -> Iterator[None]:
    """Holds the lock of a service. Raises Refused where another process, or another run of this one, holds it."""
    import filelock

    lock = filelock.FileLock(file, is_singleton=False)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=_GRACE, poll_interval=_POLL)
    except filelock.Timeout:
        raise Refused(
            f"Another Changeover is working on {service} right now",
            "Wait until it is done, or look for another window or terminal on this computer.",
        ) from None
    except OSError as error:
        raise ChangeoverError(
            f"The lock {file} cannot be used: {error.strerror or error}",
            "Check that the disk is not full and that the folder is yours. Nothing is done without a lock.",
        ) from None
    try:
        yield
    finally:
        lock.release()


def is_locked(file: Path) -> bool:
    """Is some process working on the service of this lock file right now? Two that look do not see each other."""
    return file.exists() and _is_held(file)


if sys.platform == "win32":

    def _is_held(file: Path) -> bool:
        import filelock

        lock = filelock.FileLock(file, is_singleton=False)
        try:
            with lock.acquire(timeout=_GRACE / 4, poll_interval=_POLL):
                return False
        except filelock.Timeout:
            return True

else:
    import fcntl

    def _is_held(file: Path) -> bool:
        descriptor = os.open(file, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False
