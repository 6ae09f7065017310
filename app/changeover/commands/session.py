"""What every command shares: the home, the switchboard on one loop, output, errors and their exit status."""

from __future__ import annotations

import functools
import io
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from changeover.commands.terminal import json_text, lost, made_table, write, write_block
from changeover.model.errors import ChangeoverError, KeyringError, Refused, SettingsError, UsageError
from changeover.model.foreign_text import many_lines, shown

if TYPE_CHECKING:
    import asyncio

    from changeover.storage.home import Home
    from changeover.switchboard import Switchboard

log = logging.getLogger(__name__)
# Before a log is opened, what goes wrong is told once, as an error, and not by logging as well.
logging.getLogger("changeover").addHandler(logging.NullHandler())

P = ParamSpec("P")
T = TypeVar("T")

DONE, FAILED, USAGE, REFUSED, INCOMPLETE, FAULT = 0, 1, 2, 3, 4, 5
#: What a shell gives a program that Ctrl-C ended.
STOPPED = 130

#: Where a command's context keeps the run that it has written of in the journal.
_BEGUN = "changeover.run"

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")


def exit_status(error: ChangeoverError) -> int:
    """2 for wrong words, bad settings and no keyring; 3 for everything else, since nothing was written."""
    return USAGE if isinstance(error, UsageError | SettingsError | KeyringError) else REFUSED


def say(*lines: str) -> None:
    """Progress and errors, for people: on standard error, each a line of its own."""
    for line in lines or ("",):
        write(line, to=sys.stderr)


def show(*lines: str) -> None:
    """What was asked for: on standard output, each a line of its own."""
    for line in lines or ("",):
        write(line)


def print_json(found: dict[str, Any], *, compact: bool = False) -> None:
    """One object: on a terminal laid out, unless it is to be one line."""
    write_block(json_text(found, indent=None if compact or not sys.stdout.isatty() else 2) + "\n")


def print_error(error: ChangeoverError, as_json: bool) -> None:
    log.error("%s: %s", error.kind, error.text)
    if as_json:
        print_json({"error": {"kind": error.kind, "text": error.text, "hint": error.hint}})
    # Only the first line begins at the edge: what others wrote cannot look like words of ours.
    first, *more = many_lines(error.text).splitlines() or [""]
    say(f"Error: {first}", *(line if line.startswith("  ") else f"  {line}" for line in more))
    if error.hint:
        say(error.hint)


def print_fault(error: BaseException, as_json: bool, run: str | None = None) -> int:
    """Tells of an error that nobody foresaw, in one line, and gives the exit status; its traceback is in the log."""
    last = next((h.baseFilename for h in logging.getLogger("changeover").handlers if hasattr(h, "baseFilename")), None)
    kept = f"its details are in {last}" if last is not None else "there is no log yet that could have its details"
    text = f"A fault in Changeover ({type(error).__name__}); {kept}"
    hint = "Please report it to who gave you this Changeover: what you typed, and the end of that log."
    if run is not None:
        on = f"Go on with: changeover resume {run}, or: changeover undo {run}"
        hint = f"Run {run} may have changed records. {on}. {hint}"
    if as_json:
        print_json({"error": {"kind": "fault", "text": text, "hint": hint}})
    say(f"Error: {text}. {hint}")
    return FAULT if run is None else INCOMPLETE


def print_table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Aligned columns; on a terminal long ones are wrapped, in a pipe never."""
    from rich.console import Console

    on_terminal = sys.stdout.isatty()
    made = io.StringIO()
    console = Console(file=made, width=None if on_terminal else 10_000, force_terminal=on_terminal, highlight=False)
    console.print(made_table(headings, rows))
    write_block(made.getvalue())


class CommandSession:
    """A switchboard on a loop of its own, for one command. The loop does not run while a person is asked."""

    def __init__(self, home: Home | None = None) -> None:
        # The window needs none of these before its first paint, and it comes by this module.
        import asyncio

        from changeover.storage.home import Home
        from changeover.storage.log import start_log

        self._runner = asyncio.Runner()
        self._home = home or Home.from_environment()
        start_log(self._home.log_file, debugging())
        log.info("command %s", " ".join(word for word in sys.argv[1:3] if word.isalpha()))

    def __enter__(self) -> CommandSession:
        self._runner.__enter__()
        self.switchboard = self._runner.run(self._open())
        return self

    async def _open(self) -> Switchboard:
        from changeover.switchboard import Switchboard

        return Switchboard(self._home)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if hasattr(self, "switchboard"):
            click.get_current_context().meta[_BEGUN] = self.switchboard.journal.written
            if self.switchboard.trust.taken_over:
                from changeover.model.settings.acting_parts import TAKEN_OVER

                say(f"{TAKEN_OVER} See it with: changeover trust --show")
            self._runner.run(self.switchboard.aclose())
        self._runner.__exit__(kind, error, traceback)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs one piece of work to its end."""
        return self._runner.run(work)

    def run_until_stopped(
        self, work: Callable[[asyncio.Event], Coroutine[Any, Any, T]], said: str = "Stopping after the present step …"
    ) -> T:
        """Runs work that Ctrl-C stops in an orderly way: the event is set, and the work finishes its step."""

        async def guarded() -> T:
            import asyncio

            stop = asyncio.Event()
            loop = asyncio.get_running_loop()

            def interrupt(*_: object) -> None:
                # A signal may come in the midst of a write to standard error, so the words wait for the loop as well.
                loop.call_soon_threadsafe(say, said)
                loop.call_soon_threadsafe(stop.set)

            before = signal.signal(signal.SIGINT, interrupt)
            try:
                return await work(stop)
            finally:
                signal.signal(signal.SIGINT, before)

        return self._runner.run(guarded())


def command(call: Callable[P, int | None]) -> Callable[P, None]:
    """Turns a command's errors into words and its result into the exit status. Needs an `as_json` parameter."""

    @functools.wraps(call)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        as_json = bool(kwargs.get("as_json"))
        begun = click.get_current_context().meta
        try:
            status = call(*args, **kwargs) or DONE
        except ChangeoverError as error:
            print_error(error, as_json)
            # What fails in the midst of a run has not left everything as it was.
            status = INCOMPLETE if begun.get(_BEGUN) and not isinstance(error, Refused) else exit_status(error)
        except KeyboardInterrupt:
            run = begun.get(_BEGUN)
            say("Stopped." if run is None else f"Stopped. How run {run} stands: changeover report {run}")
            status = STOPPED if run is None else INCOMPLETE
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except BaseException as error:
            log.exception("a fault in Changeover")
            status = print_fault(error, as_json, begun.get(_BEGUN))
        if sys.stdout in lost and status == DONE and not begun.get(_BEGUN):
            say("Error: The output could not be written. Check that the disk it goes to is not full.")
            status = REFUSED
        raise click.exceptions.Exit(status)

    return wrapped


def confirmed(question: str, yes: bool) -> bool:
    """Asks on a terminal; `--yes` answers before. Raises UsageError where there is nobody to ask."""
    if yes:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("There is no terminal to ask on", "Say --yes to go on without being asked.")
    return click.confirm(shown(question), err=True)


def debugging() -> bool:
    return os.environ.get("CHANGEOVER_DEBUG", "") not in ("", "0")
