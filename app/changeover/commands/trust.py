"""`trust`: which parts of the settings may act on this computer, and a person's yes to those that changed outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from changeover.commands.session import (
    DONE,
    REFUSED,
    CommandSession,
    command,
    confirmed,
    json_option,
    print_json,
    say,
    show,
)
from changeover.model.errors import UsageError
from changeover.model.foreign_text import escaped
from changeover.model.formatting import counted
from changeover.model.settings.acting_parts import ActingPart, Lines, Unapproved, fingerprint_of
from changeover.storage.approvals import ApprovalRecord


@click.command()
@click.option("--show", is_flag=True, help="Show all that can act, and its fingerprint. Approves nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--withdraw", is_flag=True, help="Take back all that was approved.")
@json_option
@command
def trust(show: bool, yes: bool, withdraw: bool, as_json: bool) -> int:
    """Show what changed in the settings outside Changeover, and let it act."""
    if show + withdraw > 1 or (yes and (show or withdraw)):
        raise UsageError("--show, --yes and --withdraw say different things", "Give one of them.")
    with CommandSession() as session:
        what = session.switchboard.trust
        if withdraw:
            number = session.run(what.withdraw())
            say(f"{counted(number, 'part')} may no longer act. Programs that are open keep what they have opened.")
        parts, closed = session.run(what.parts()), session.run(what.unapproved())
        if show and not as_json:
            _print_parts(parts, closed, session.run(what.record()))
        elif not (show or withdraw):
            if not yes or not as_json:
                print_unapproved(closed)
            if closed and not confirmed(f"Let {counted(len(closed), 'part')} of the settings act?", yes):
                say("Nothing was approved.")
                return REFUSED
            if closed:
                session.run(session.switchboard.approve_settings([one.part for one in closed]))
                closed = ()
            say(f"All of it is approved: {counted(len(parts), 'part')}." if parts else "Nothing in the settings acts.")
        if as_json:
            print_json(_object(parts, closed, session.run(what.record())))
    return DONE


def print_unapproved(closed: Sequence[Unapproved]) -> None:
    """What may not act, with the difference to what was approved of it, on standard error."""
    for one in closed:
        say(f"{one.words}:")
        for sign, what, how in one.rows:
            say(f"  {sign} {escaped(what)}: {escaped(how)}")


def _print_parts(parts: Sequence[ActingPart], closed: Sequence[Unapproved], record: ApprovalRecord | None) -> None:
    may_not = {one.part.place: one for one in closed}
    for part in parts:
        if part.place in may_not:
            show(f"{may_not[part.place].words}, and may not act: changeover trust")
            rows = may_not[part.place].rows
        else:
            approval = record.approved.get(part.place) if record is not None else None
            by = f"approved {approval.at:%Y-%m-%d} by {approval.who}" if approval else "approved by its fingerprint"
            show(f"{part.words}: {by}")
            rows = tuple((" ", *line) for line in part.lines)
        for sign, what, how in rows:
            show(f"  {sign} {escaped(what)}: {escaped(how)}")
    if not parts:
        show("Nothing in the settings acts by itself or carries a secret.")
    show(f"Fingerprint of all of it: {fingerprint_of(parts)}")


def _object(parts: Sequence[ActingPart], closed: Sequence[Unapproved], record: ApprovalRecord | None) -> dict[str, Any]:
    may_not = {one.part.place: one for one in closed}

    def one(part: ActingPart) -> dict[str, Any]:
        open_ = part.place not in may_not
        approval = record.approved.get(part.place) if record is not None else None
        was = approval.lines if open_ and approval else may_not[part.place].was if not open_ else None
        return {
            "place": part.place,
            "text": part.words,
            "approved": open_,
            "at": approval.at.isoformat() if approval is not None and open_ else None,
            "who": approval.who if approval is not None and open_ else None,
            "now": _pairs(part.lines),
            "was": _pairs(was) if was is not None else None,
        }

    return {"fingerprint": fingerprint_of(parts), "approved": not closed, "parts": [one(part) for part in parts]}


def _pairs(lines: Lines) -> list[dict[str, str]]:
    return [{"what": what, "how": how} for what, how in lines]
