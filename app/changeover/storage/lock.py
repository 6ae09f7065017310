"""One writer a service, across processes. The lock is the operating system's and dies with the process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from changeover.model.errors import Refused

#: Looking whether a lock is held takes it for a moment; a run waits that long for such a look to pass.
_GRACE = 0.1


@contextmanager
def service_lock(file: Path, service: str) -> Iterator[None]:
    """Holds the lock of a service. Raises Refused where another process, or another run of this one, holds it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(file, is_singleton=False)
    try:
        lock.acquire(timeout=_GRACE, poll_interval=_GRACE / 4)
    except filelock.Timeout:
        raise Refused(
            f"Another Changeover is working on {service} right now",
            "Wait until it is done, or look for another window or terminal on this computer.",
        ) from None
    try:
        yield
    finally:
        lock.release()


def is_locked(file: Path) -> bool:
    """Is some process working on the service of this lock file right now?"""
    if not file.exists():
        return False
    lock = filelock.FileLock(file, is_singleton=False)
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        return True
    lock.release()
    return False
