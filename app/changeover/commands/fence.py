"""`fence`: what an emergency left out at the side that visitors were led away from is done there, or dropped."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import click

from changeover.commands.run import Progress, approve_first, followed, told, yes_option
from changeover.commands.session import (
    DONE,
    REFUSED,
    CommandSession,
    command,
    confirmed,
    json_option,
    print_json,
    say,
)
from changeover.model.errors import UsageError
from changeover.model.runs.fencing import StillToDo, fence_plan
from changeover.storage.home import this_person
from changeover.switchover.report import run_object


@click.command()
@click.argument("service")
@click.option("--drop", "dropped", metavar="STEP", help="Say that this step is no longer to be done, and do nothing.")
@click.option("--reason", default="", metavar="TEXT", help="Why it is dropped; kept in the report.")
@click.option("--why", default="", metavar="TEXT", help="A reason for doing it, for the report.")
@yes_option
@json_option
@command
def fence(service: str, dropped: str | None, reason: str, why: str, yes: bool, as_json: bool) -> int:
    """Do at the side that failed what an emergency left out, once it answers again: workers to 0, maintenance on.

    Nothing is done at a side that visitors are at, or may be.
    """
    if reason and dropped is None:
        raise UsageError("--reason is why a step is dropped", "Name the step with --drop, or give --why.")
    with CommandSession() as session:
        board = session.switchboard
        if dropped is not None:
            run = session.run(board.drop(service, dropped, reason, who=this_person()))
            if as_json:
                print_json(run_object(*session.run(board.run_and_later(run.run))))
            say(f"“{dropped}” is no longer to be done.")
            return DONE
        left = session.run(board.still_to_do(service))
        if left is None:
            if as_json:
                print_json({"service": service, "run": None, "steps": [], "still_to_do": []})
            say(f"Nothing is left to be done for {service}.")
            return DONE
        if not yes:
            approve_first(session, service)
            _show(left)
        if not confirmed(f"Do it at {left.where} of {service} now?", yes):
            say("Nothing was done.")
            return REFUSED
        plan = fence_plan(left, datetime.now(UTC))

        def work(progress: Progress, stop: asyncio.Event) -> Any:
            return board.fence(plan, who=this_person(), on_progress=progress, stop=stop, why=why)

        ended = followed(session, work)
    return told(ended, as_json)


def _show(left: StillToDo) -> None:
    """Every step in full, as a plan has it."""
    say(f"Run {left.run.run} led visitors from {left.run.source} to {left.run.to} and left out:")
    for number, step in enumerate(left.steps, start=1):
        doubt = " (whether it was done is not known)" if step.name in left.doubtful else ""
        say(f"{number}. {step.text}{doubt}")
