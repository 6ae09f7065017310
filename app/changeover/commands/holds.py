"""Holding things as they are: pins of deployments, freezes of switches."""

from __future__ import annotations

import re
from typing import Any

import click

from changeover.commands.session import DONE, CommandSession, command, json_option, print_json, say
from changeover.model.errors import UsageError
from changeover.model.formatting import duration
from changeover.model.readiness.freeze import Freeze
from changeover.model.readiness.pin import Hold
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


_UNITS = {"s": 1, "min": 60, "m": 60, "h": 3600, "d": 86400}


_PART = re.compile(r"(\d{1,6})\s*(s|min|m|h|d)\s*")


_SAID = {Hold.HEALTHY: "held healthy", Hold.UNHEALTHY: "held unhealthy", Hold.NEVER: "kept out of use"}


def seconds_of(text: str) -> float:
    """A length of time as people write it: 30min, 2h, 1h 30min, 3d. Raises UsageError for another text."""
    found = _PART.findall(text)
    if not found or _PART.sub("", text).strip():
        raise UsageError(f'"{text}" is no length of time', "Write it like 30min, 2h or 3d.")
    return float(sum(int(number) * _UNITS[unit] for number, unit in found))


@click.command()
@click.argument("service")
@click.argument("deployment")
@click.option(
    "--as",
    "hold",
    type=click.Choice([str(hold) for hold in Hold]),
    required=True,
    help="never: no switch may lead there.",
)
@click.option("--reason", required=True, metavar="TEXT", help="Why; everybody who looks at the service is told.")
@click.option(
    "--for", "length", default="4h", show_default=True, metavar="TIME", help="Like 30min, 2h, 3d; 72 h at most."
)
@json_option
@command
def pin(service: str, deployment: str, hold: str, reason: str, length: str, as_json: bool) -> int:
    """Hold a deployment healthy, unhealthy or out of use, whatever its checks say. It ends by itself."""
    seconds = seconds_of(length)
    with CommandSession() as session:
        board = session.switchboard
        made = session.run(board.pin(service, deployment, Hold(hold), reason, seconds, who=this_person()))
    if as_json:
        print_json(
            {
                "service": made.service,
                "deployment": made.deployment,
                "hold": str(made.hold),
                "reason": made.reason,
                "until": utc(made.until),
            }
        )
    said = f"{made.deployment} of {made.service} is {_SAID[made.hold]} until {local(made.until)}"
    say(f"{said}, for {duration(seconds)}: {made.reason}")
    return DONE


@click.command()
@click.argument("service")
@click.argument("deployment")
@json_option
@command
def unpin(service: str, deployment: str, as_json: bool) -> int:
    """Let the checks speak for a deployment again."""
    with CommandSession() as session:
        ended = session.run(session.switchboard.unpin(service, deployment, who=this_person()))
    if as_json:
        print_json({"service": service, "deployment": deployment, "hold": None, "reason": None, "until": None})
    said = "is no longer pinned; its checks say how it is" if ended else "was not pinned; nothing was changed"
    say(f"{deployment} of {service} {said}.")
    return DONE
