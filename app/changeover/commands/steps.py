"""`approve`, `decline`, `skip` and `repeat`: a person's word on one step of a run, from any terminal."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import click

from changeover.commands.session import DONE, CommandSession, command, json_option, print_json, say
from changeover.model.runs.run import Outcome, Run
from changeover.storage.home import this_person
from changeover.switchover.report import run_object

if TYPE_CHECKING:
    from changeover.switchboard import Switchboard

step_argument = click.argument("step")


@click.command()
@click.argument("run")
@step_argument
@click.option("--note", default="", metavar="TEXT", help="Kept in the report.")
@json_option
@command
def approve(run: str, step: str, note: str, as_json: bool) -> int:
    """Say yes to a step that asks, by its name or its number."""
    return _said(
        lambda board: board.approve(run, step, note, who=this_person()), f"{step} of {run} is approved.", as_json
    )


@click.command()
@click.argument("run")
@step_argument
@click.option("--reason", required=True, metavar="TEXT", help="Why; kept in the report.")
@json_option
@command
def decline(run: str, step: str, reason: str, as_json: bool) -> int:
    """Say no to a step that asks: the run ends there."""
    return _said(
        lambda board: board.decline(run, step, reason, who=this_person()), f"{step} of {run} is declined.", as_json
    )


@click.command()
@click.argument("run")
@step_argument
@click.option("--reason", required=True, metavar="TEXT", help="Why it may be left out; kept in the report.")
@json_option
@command
def skip(run: str, step: str, reason: str, as_json: bool) -> int:
    """Leave a step out that is still to be done, failed, or of which nobody knows whether it was done."""
    return _said(
        lambda board: board.skip(run, step, reason, who=this_person()), f"{step} of {run} is left out.", as_json
    )


@click.command()
@click.argument("run")
@step_argument
@json_option
@command
def repeat(run: str, step: str, as_json: bool) -> int:
    """Let a step be done again of which nobody knows whether it was done."""
    return _said(
        lambda board: board.repeat(run, step, who=this_person()), f"{step} of {run} is to be done again.", as_json
    )


def _said(word: Callable[[Switchboard], Coroutine[Any, Any, Run]], text: str, as_json: bool) -> int:
    with CommandSession() as session:
        after = session.run(word(session.switchboard))
    if as_json:
        print_json(run_object(after))
    say(text)
    if after.outcome is not Outcome.RUNNING:
        say(f"  changeover resume {after.run}")
    return DONE
