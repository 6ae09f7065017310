"""How many sockets this process has open at once: so many that its limit of open files, 256 on macOS, is never reached.

Who waits for a socket waits before any time-out begins, so that a busy computer is no silent server.
"""

from __future__ import annotations

import asyncio
import sys
import weakref

#: Files that everything else may have open: windows, databases, logs, connections to providers.
_ELSE = 96
#: More at once make nothing faster.
_MOST = 512


class Sockets:
    """Lets so many open one at the same time, on each event loop: `async with sockets.one(): …`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._by_loop: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = (
            weakref.WeakKeyDictionary()
        )

    def one(self) -> asyncio.Semaphore:
        return self._by_loop.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(self._most))


def _room() -> int:
    """How many sockets may be open, after this process has asked for as many files as it may have."""
    if sys.platform == "win32":
        return _MOST
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST + _ELSE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        more = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (more, hard))
            soft = more
        except (ValueError, OSError):  # the system has a lower limit of its own
            pass
    return _MOST if soft == resource.RLIM_INFINITY else max(16, min(_MOST, soft - _ELSE))


_half = _room() // 2
#: Sockets for questions to name servers, and for checks. Neither waits for the other.
QUESTIONS = Sockets(_half)
CHECKS = Sockets(_half)
