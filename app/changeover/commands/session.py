"""What every command shares: the home, the switchboard on one loop, output, errors and their exit status."""

from __future__ import annotations

import functools
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from changeover.model.errors import ChangeoverError, KeyringError, SettingsError, UsageError

if TYPE_CHECKING:
    import asyncio

    from changeover.storage.home import Home
    from changeover.switchboard import Switchboard

log = logging.getLogger(__name__)
# Before a log is opened, what goes wrong is told once, as an error, and not by logging as well.
logging.getLogger("changeover").addHandler(logging.NullHandler())

P = ParamSpec("P")
T = TypeVar("T")

DONE, FAILED, USAGE, REFUSED, INCOMPLETE = 0, 1, 2, 3, 4

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")


def exit_status(error: ChangeoverError) -> int:
    """2 for wrong words, bad settings and no keyring; 3 for everything else, since nothing was written."""
    return USAGE if isinstance(error, UsageError | SettingsError | KeyringError) else REFUSED


def say(text: str = "") -> None:
    """Progress and errors, for people."""
    click.echo(text, err=True)


def print_json(found: dict[str, Any]) -> None:
    click.echo(json.dumps(found, indent=2 if sys.stdout.isatty() else None, ensure_ascii=False))


def print_error(error: ChangeoverError, as_json: bool) -> None:
    log.error("%s: %s", error.kind, error.text)
    if as_json:
        print_json({"error": {"kind": error.kind, "text": error.text, "hint": error.hint}})
    say(f"Error: {error.text}")
    if error.hint:
        say(error.hint)


def print_table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Aligned columns; on a terminal long ones are wrapped, in a pipe never."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, show_edge=False, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 10_000, highlight=False, markup=False).print(table)


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
        try:
            status = call(*args, **kwargs)
        except ChangeoverError as error:
            print_error(error, bool(kwargs.get("as_json")))
            status = exit_status(error)
        except KeyboardInterrupt:
            say("Stopped.")
            status = 130
        sys.stdout.flush()
        raise click.exceptions.Exit(status or DONE)

    return wrapped


def confirmed(question: str, yes: bool) -> bool:
    """Asks on a terminal; `--yes` answers before. Raises UsageError where there is nobody to ask."""
    if yes:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("There is no terminal to ask on", "Say --yes to go on without being asked.")
    return click.confirm(question, err=True)


def debugging() -> bool:
    return os.environ.get("CHANGEOVER_DEBUG", "") not in ("", "0")
