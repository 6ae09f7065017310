"""`freeze` and `unfreeze`: nothing is to be switched for a while."""

from __future__ import annotations

from typing import Any

import click

from changeover.commands.pin import seconds_of
from changeover.commands.session import DONE, CommandSession, command, json_option, print_json, say
from changeover.model.formatting import duration
from changeover.model.readiness.freeze import Freeze
from changeover.storage.home import this_person
from changeover.switchover.report import local, utc


def freeze_object(freeze: Freeze) -> dict[str, Any]:
    """A freeze in JSON; `service` is null where it is of everything."""
    return {
        "service": freeze.service,
        "reason": freeze.reason,
        "set_at": utc(freeze.set_at),
        "until": utc(freeze.until),
        "who": freeze.who,
    }


@click.command()
@click.argument("service", required=False)
@click.option("--reason", required=True, metavar="TEXT", help="Why; everybody who wants to switch is told.")
@click.option(
    "--for", "length", default="4h", show_default=True, metavar="TIME", help="Like 30min, 2h, 3d; 72 h at most."
)
@json_option
@command
def freeze(service: str | None, reason: str, length: str, as_json: bool) -> int:
    """Let nothing be switched for a while, at one service or anywhere. It ends by itself.

    An emergency may override it by name. A run that was begun before can be resumed and undone.
    """
    seconds = seconds_of(length)
    with CommandSession() as session:
        made = session.run(session.switchboard.freeze(service, reason, seconds, who=this_person()))
    if as_json:
        print_json(freeze_object(made))
    what = made.what[:1].upper() + made.what[1:] if made.service is None else made.what
    say(f"{what} is frozen until {local(made.until)}, for {duration(seconds)}: {made.reason}")
    return DONE


@click.command()
@click.argument("service", required=False)
@json_option
@command
def unfreeze(service: str | None, as_json: bool) -> int:
    """End the freeze of a service, or without one the freeze of everything."""
    with CommandSession() as session:
        ended = session.run(session.switchboard.unfreeze(service, who=this_person()))
    if as_json:
        print_json({"service": service, "ended": ended})
    what = service or "Everything"
    if ended:
        say(f"{what} is no longer frozen.")
    else:
        say(f"{what} was not frozen by itself; nothing was changed.")
    return DONE
