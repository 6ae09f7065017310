"""Running a program for a run: without a shell, with a small environment, within its time, and all of it ended."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence

from changeover.model.foreign_text import one_line
from changeover.model.formatting import duration
from changeover.model.runs.run import StepState
from changeover.model.runs.verification import Verdict

#: Bytes of a program's output that are kept: the last ones.
KEPT = 4096
#: Seconds between asking a program to end (SIGTERM) and ending it (SIGKILL).
RETRY_BUDGET = 5.0
#: Seconds that the rest of the output may take to arrive once the program has ended.
_REST = 0.5
#: What a program gets of this one's environment.
_INHERITED = ("PATH", "HOME", "LANG", *(("SYSTEMROOT", "USERPROFILE") if sys.platform == "win32" else ()))


async def run_command(command: Sequence[str], about: Mapping[str, str], limit: float, stop: asyncio.Event) -> Verdict:
    """Runs a program for `limit` seconds at most; `about` is added to its environment.

    DONE: it ended with status 0. FAILED: it could not be started, or ended with another. UNKNOWN: it was ended, since
    its time was over, `stop` was set, or somebody else did so; how far it came is then not known.
    """
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    loop = asyncio.get_running_loop()
    try:
        transport, program = await loop.subprocess_exec(
            _Program,
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.STDOUT,
            env={**inherited, **about},
            start_new_session=True,
        )
    except OSError as error:
        why = error.strerror or str(error)
        return Verdict(StepState.FAILED, f"{command[0]} cannot be started: {why}")
    try:
        why = await _first(program.ended, stop, limit)
        if why:
            await _end(program, transport.get_pid())
        await _within(program.closed, _REST)
        return _verdict(transport.get_returncode(), why, program.said)
    finally:
        if not program.ended.is_set():
            _signal_all(transport.get_pid(), hard=True)
        transport.close()


class _Program(asyncio.SubprocessProtocol):
    """A program while it runs. Its end is noticed even where something that it started holds its output open."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.closed = asyncio.Event()
        self._output = b""

    def pipe_data_received(self, fd: int, data: bytes | str) -> None:
        self._output = (self._output + (data if isinstance(data, bytes) else data.encode()))[-KEPT:]

    def pipe_connection_lost(self, fd: int, error: Exception | None) -> None:
        self.closed.set()

    def process_exited(self) -> None:
        self.ended.set()

    @property
    def said(self) -> str:
        """The end of what it wrote, in one line and without control characters."""
        return one_line(self._output.decode("utf-8", "replace"))


async def _first(ended: asyncio.Event, stop: asyncio.Event, limit: float) -> str:
    """Waits for the program's end. Empty then, else why it was not waited for any longer."""
    waiting = [asyncio.ensure_future(event.wait()) for event in (ended, stop)]
    try:
        await asyncio.wait(waiting, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
    if ended.is_set():
        return ""
    return "it was stopped before its end" if stop.is_set() else f"it was ended after {duration(limit)}, its time-out"


async def _end(program: _Program, pid: int) -> None:
    """Ends the program and all that it started: first it is asked to, then nobody asks."""
    _signal_all(pid, hard=False)
    await _within(program.ended, RETRY_BUDGET)
    _signal_all(pid, hard=True)  # what it started may ignore the first, even where it did not itself
    await _within(program.ended, RETRY_BUDGET)


async def _within(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


if sys.platform == "win32":

    def _signal_all(pid: int, *, hard: bool) -> None:
        """Windows knows no groups of processes to end; SIGTERM ends one there at once."""
        try:
            os.kill(pid, signal.SIGTERM)
        except OSError:  # it has ended meanwhile
            return

else:

    def _signal_all(pid: int, *, hard: bool) -> None:
        """Signals the program's group, which it leads, since it has a session of its own."""
        try:
            os.killpg(pid, signal.SIGKILL if hard else signal.SIGTERM)
        except (ProcessLookupError, PermissionError):  # all of it has ended meanwhile, or it runs as somebody else
            return


def _verdict(status: int | None, why: str, said: str) -> Verdict:
    output = f"; it said: {said}" if said else ""
    if why:
        return Verdict(StepState.UNKNOWN, f"{why}; how far it came is not known{output}")
    if status is None or status < 0:
        return Verdict(StepState.UNKNOWN, f"{_killed(status)}; how far it came is not known{output}")
    if status > 0:
        return Verdict(StepState.FAILED, f"it ended with status {status}{output}")
    return Verdict(StepState.DONE, said or "it ended with status 0")


def _killed(status: int | None) -> str:
    if status is None:
        return "its end was not seen"
    try:
        return f"it was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"it was killed by signal {-status}"
