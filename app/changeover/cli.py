"""The command line: `changeover` alone opens the desktop, `changeover COMMAND` does one thing and ends."""

from __future__ import annotations

import signal
import threading

# Until there is something to stop, Ctrl-C ends the process at once: no traceback of whatever was being imported.
_IN_MAIN = threading.current_thread() is threading.main_thread()
_interrupt = signal.signal(signal.SIGINT, signal.SIG_DFL) if _IN_MAIN else None

import gc  # noqa: E402
import importlib  # noqa: E402
import logging  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from typing import Any  # noqa: E402

import click  # noqa: E402

from changeover import __version__  # noqa: E402
from changeover.commands.session import DONE, REFUSED, STOPPED, print_fault, print_json, say  # noqa: E402
from changeover.commands.terminal import prepare_streams, readable_words, write_block  # noqa: E402

if _interrupt is not None:
    signal.signal(signal.SIGINT, _interrupt)

log = logging.getLogger(__name__)

#: Each command's module, imported only when that command is used.
_COMMANDS = {
    "lab": ("lab", "Open the practice ground."),
    "status": ("state", "Probe now; health, active deployment, readiness."),
    "check": ("state", "Could this deployment take over now?"),
    "plan": ("state", "What would change, in which order."),
    "switch": ("run", "Send a service's visitors to another deployment."),
    "undo": ("run", "Put a run's record sets back as they were."),
    "resume": ("run", "Go on with an unfinished run."),
    "pause": ("journal", "Stop a run before its next step."),
    "escalate": ("journal", "Make a planned run an emergency."),
    "approve": ("steps", "Say yes to a step that asks."),
    "decline": ("steps", "Say no to a step that asks."),
    "skip": ("steps", "Leave a step of a run out."),
    "repeat": ("steps", "Let a step be done again that may have been done."),
    "accept": ("journal", "End an unfinished run as it stands."),
    "commit": ("journal", "Keep a completed run."),
    "propagation": ("propagation", "Who still has the old answer, and for how long."),
    "flush-dns": ("this_computer", "Make this computer forget the names that it looked up."),
    "open": ("this_computer", "Open a service at one of its deployments, whatever the DNS says."),
    "ttl": ("ttl", "Shorten and restore how long resolvers keep the answer."),
    "runs": ("journal", "All runs, newest first."),
    "report": ("journal", "What a run did."),
    "repair": ("repair", "Move a damaged journal aside, and keep what can be read."),
    "history": ("history", "How a service was: days, incidents, exports."),
    "pin": ("holds", "Hold a deployment healthy, unhealthy or out of use."),
    "unpin": ("holds", "Let the checks speak for a deployment again."),
    "freeze": ("holds", "Let nothing be switched for a while."),
    "unfreeze": ("holds", "End a freeze before its time."),
    "lifecycle": ("lifecycle", "Is there a backup, and what comes next?"),
    "fence": ("lifecycle", "Do at the side that failed what an emergency left out."),
    "protect": ("lifecycle", "Say that there is a backup again after a switch."),
    "acknowledge": ("lifecycle", "Say that you have seen an emergency switch."),
    "discover": ("discover", "Which account has a hostname's zone, and is it used?"),
    "platform": ("deployments.platform", "What runs of a service, and what its platforms can be asked."),
    "database": ("deployments.service_databases", "How a service's databases stand, and how far a standby is behind."),
    "drift": ("deployments.platform", "What runs of two deployments, side by side."),
    "account": ("accounts", "Accounts at DNS providers and platforms."),
    "trust": ("trust", "See and approve what changed in the settings and can act."),
    "service": ("services", "Services: web applications with a backup."),
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"changeover.commands.{_COMMANDS[cmd_name][0]}")
        found: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.command(cls=_Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Write more to the log file.")
@click.version_option(__version__, prog_name="changeover")
@click.pass_context
def changeover(context: click.Context, debug: bool) -> None:
    """Switch a web application to its backup, safely. Without a command, opens the desktop.

    Settings and journal are in your user folders, or in the folder that CHANGEOVER_HOME names.
    """
    if debug:
        os.environ["CHANGEOVER_DEBUG"] = "1"
    if context.invoked_subcommand is None:
        from changeover.commands.desktop import open_window

        open_window()


def main() -> None:
    """The `changeover` command. Ends the process with the command's exit status."""
    # A command hardly makes garbage, and looking for it takes a tenth of its time, when it ends once more.
    gc.set_threshold(50_000)
    prepare_streams()
    _listen_for_faults()
    try:
        status = _run()
    except KeyboardInterrupt:
        status = STOPPED
    except BaseException as error:
        log.exception("a fault in Changeover")
        status = print_fault(error, "--json" in sys.argv)
    finally:
        gc.freeze()
    if _IN_MAIN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(status)


def _listen_for_faults() -> None:
    """What fails where nobody waits for it, as in a thread, and what libraries log, is no output of a command."""
    logging.getLogger().addHandler(logging.NullHandler())  # else Python writes it to standard error

    def in_thread(fault: threading.ExceptHookArgs) -> None:
        if fault.exc_value is not None:
            log.error("a fault in a thread", exc_info=fault.exc_value)

    def unraisable(fault: sys.UnraisableHookArgs) -> None:
        if fault.exc_value is not None:
            log.error("a fault where nothing can be raised", exc_info=fault.exc_value)

    threading.excepthook, sys.unraisablehook = in_thread, unraisable


def _run() -> int:
    as_json, stdout = "--json" in sys.argv, sys.stdout
    try:
        try:
            sys.argv[1:] = readable_words(sys.argv[1:])
        except UnicodeDecodeError:
            raise click.UsageError("What was typed is no text") from None
        result: Any = changeover.main(prog_name="changeover", standalone_mode=False)
    except click.Abort as error:
        if isinstance(error.__cause__, KeyboardInterrupt):
            say("Stopped.")
            return STOPPED
        say("Nothing was changed.")
        return REFUSED
    except click.ClickException as error:
        if as_json:
            print_json({"error": {"kind": "usage", "text": error.format_message(), "hint": "See --help."}})
        context = getattr(error, "ctx", None)
        if context is not None:
            say(*context.get_usage().splitlines(), f"Try '{context.command_path} --help' for help.", "")
        say(f"Error: {error.format_message()}")
        return error.exit_code
    except SystemExit:
        if sys.stdout is stdout:
            raise
        return DONE  # click's, which has put another in its place, since nobody reads its help any more
    except OSError as error:
        if error.filename is not None or write_block(""):
            raise
        say("Error: The output could not be written. Check that the disk it goes to is not full.")
        return REFUSED
    return result if isinstance(result, int) else 0
