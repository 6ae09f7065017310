"""`ttl`: how long resolvers keep the answer, shortened before a switch and restored after it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import click

from changeover.commands.run import show_changes, status_of, timeout_option, yes_option
from changeover.commands.session import (
    REFUSED,
    CommandSession,
    command,
    confirmed,
    json_option,
    print_json,
    say,
)
from changeover.model.formatting import duration
from changeover.model.runs.run import Outcome
from changeover.storage.home import this_person
from changeover.switchover.report import local, outcome_sentence, run_object, utc

if TYPE_CHECKING:
    from changeover.switchboard import Switchboard
    from changeover.switchover.ttls import TtlPreparation


@click.group()
def ttl() -> None:
    """How long resolvers keep the answer: shorten it before a switch, restore it after."""


@ttl.command()
@click.argument("service")
@click.option("--to", "seconds", type=click.IntRange(1, 86400), metavar="S", help="Seconds, instead of the service's.")
@yes_option
@timeout_option
@json_option
@command
def lower(service: str, seconds: int | None, yes: bool, verify_timeout: float, as_json: bool) -> int:
    """Lower the TTL of the service's records, so that visitors follow a later switch soon."""
    return _carried_out(lambda board: board.prepare_ttl(service, seconds), service, yes, verify_timeout, as_json)


@ttl.command()
@click.argument("service")
@yes_option
@timeout_option
@json_option
@command
def restore(service: str, yes: bool, verify_timeout: float, as_json: bool) -> int:
    """Give the service's records back the TTLs that they had."""
    return _carried_out(lambda board: board.prepare_ttl(service, restore=True), service, yes, verify_timeout, as_json)


def _carried_out(
    prepare: Callable[[Switchboard], Coroutine[Any, Any, TtlPreparation]],
    service: str,
    yes: bool,
    verify_timeout: float,
    as_json: bool,
) -> int:
    """Shows what would change, asks, and does it."""
    with CommandSession() as session:
        board = session.switchboard
        prepared = session.run(prepare(board))
        if prepared.plan.steps and not yes:
            show_changes(prepared.plan.changes)
        if prepared.plan.steps and not confirmed(f"Change the TTLs of {service} now?", yes):
            say("Nothing was changed.")
            return REFUSED
        run = session.run(board.change_ttl(prepared, who=this_person(), verify_timeout=verify_timeout))
        fast = session.run(board.fast_from(service))
    if as_json:
        print_json({**run_object(run), "fast_from": utc(fast)})
    say(outcome_sentence(run))
    if run.outcome is Outcome.COMPLETED and fast is not None:
        left = duration(run.forward.visitors_follow_within)
        say(f"A switch is fast from {local(fast)} on, in {left}: until then resolvers may keep what they have.")
    return status_of(run)
