"""One writer a service, across processes. The lock is the operating system's and dies with the process."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from changeover.model.errors import ChangeoverError, Refused
from changeover.storage.private import private_folder, refuse_others

#: Looking whether a lock is held takes it for a moment; a run waits that long, in seconds, for such looks to pass.
_GRACE = 0.2
#: Who could open a lock could hold it, and nothing could be switched.
PRIVATE = 0o600
_POLL = 0.01


@contextmanager
def service_lock(file: Path, service: str) -> Iterator[None]:
    """Holds the lock of a service. Raises Refused where another process, or another run of this one, holds it."""
    import filelock

    lock = filelock.FileLock(file, mode=PRIVATE, is_singleton=False)
    try:
        private_folder(file.parent, ours=True)
        refuse_others(file)
        lock.acquire(timeout=_GRACE, poll_interval=_POLL)
    except filelock.Timeout:
        raise Refused(
            f"Another Changeover is working on {service} right now",
            "Wait until it is done, or look for another window or terminal on this computer.",
        ) from None
    except OSError as error:
        raise _unusable(file, error) from None
    try:
        yield
    finally:
        lock.release()


def is_locked(file: Path) -> bool:
    """Is some process working on the service of this lock file right now? Two that look do not see each other.

    Raises ChangeoverError where that cannot be found out.
    """
    try:
        refuse_others(file)
        return file.exists() and _is_held(file)
    except OSError as error:
        raise _unusable(file, error) from None


def _unusable(file: Path, error: OSError) -> ChangeoverError:
    """A lock that cannot be taken or looked at: another user's, a full disk, a file system without locks (ENOLCK)."""
    hint = "Check that the disk is not full, that its file system has locks, and that the folder is yours."
    text = f"The lock {file} cannot be used: {error.strerror or error}"
    return ChangeoverError(text, f"{hint} Nothing is done without a lock.")


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
