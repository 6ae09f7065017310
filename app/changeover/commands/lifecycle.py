"""`lifecycle`, `protect`, `acknowledge` and `fence`: the time after a switch."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import click

from changeover.commands.holds import freeze_object
from changeover.commands.run import Progress, approve_first, followed, told, yes_option
from changeover.commands.session import (
    DONE,
    REFUSED,
    CommandSession,
    command,
    confirmed,
    json_option,
    print_json,
    print_table,
    say,
)
from changeover.model.errors import UsageError
from changeover.model.readiness.freeze import freeze_words
from changeover.model.readiness.lifecycle import Lifecycle
from changeover.model.runs.fencing import StillToDo, fence_plan
from changeover.storage.home import this_person
from changeover.switchover.report import run_object, utc


@click.command()
@click.argument("service", required=False)
@json_option
@command
def lifecycle(service: str | None, as_json: bool) -> int:
    """Is there a backup, how long may a switch be undone, and what comes next?"""
    with CommandSession() as session:
        board = session.switchboard
        names = [board.service(service).name] if service else [s.name for s in board.settings.services]
        primaries = {name: board.service(name).primary.name for name in names}

        async def look() -> list[Lifecycle]:
            return list(await asyncio.gather(*(board.lifecycle(name) for name in names)))

        found = dict(zip(names, session.run(look()), strict=True))
        frozen = [f for f in session.run(board.freezes.all()) if f.service in (None, *names)]
    if as_json:
        rows = [_object(name, stage) for name, stage in found.items()]
        print_json({"services": rows, "freezes": [freeze_object(freeze) for freeze in frozen]})
        return DONE
    if not found:
        say("There are no services yet. Add one with: changeover service add")
    else:
        print_table(("SERVICE", "STAGE", ""), [(name, stage.badge, stage.text) for name, stage in found.items()])
    for name, stage in found.items():
        for verb in stage.next:
            run = stage.acknowledges if verb == "acknowledge" else stage.run
            say(f"  changeover {_words(verb, name, primaries[name], run)}")
    for freeze in frozen:
        say(freeze_words(freeze, datetime.now().astimezone()))
    return DONE


def _object(service: str, stage: Lifecycle) -> dict[str, Any]:
    return {
        "service": service,
        "stage": str(stage.stage),
        "badge": stage.badge,
        "since": utc(stage.since),
        "run": stage.run,
        "undo_until": utc(stage.undo_until),
        "review_at": utc(stage.review_at),
        "acknowledges": stage.acknowledges,
        "text": stage.text,
        "next": list(stage.next),
    }


def _words(verb: str, service: str, primary: str, run: str | None) -> str:
    """A verb as the command that does it."""
    if verb == "switch":
        return f"switch {service} --to DEPLOYMENT"
    if verb == "fail-back":
        return f"switch {service} --to {primary}"
    return f"{verb} {run} --reason TEXT" if verb == "accept" else f"{verb} {run}"


@click.command()
@click.argument("run")
@click.option("--begin", is_flag=True, help="It is being set up now; say so, without any check.")
@click.option("--note", default="", metavar="TEXT", help="What the backup is; kept in the journal.")
@click.option("--force-reason", default="", metavar="TEXT", help="Why there is a backup although a check blocks.")
@json_option
@command
def protect(run: str, begin: bool, note: str, force_reason: str, as_json: bool) -> int:
    """Say that there is a backup again after a committed switch. Whether it could take over is checked first."""
    with CommandSession() as session:
        board = session.switchboard
        told = session.run(board.protect(run, note, who=this_person(), begin=begin, force_reason=force_reason))
    if as_json:
        print_json(run_object(told))
    if begin:
        say(f"{told.service} runs without a backup until it is done. Say so then: changeover protect {run}")
    else:
        say(f"{told.service} is protected again: visitors are at {told.to}, and there is a backup.")
    return DONE


@click.command()
@click.argument("run")
@json_option
@command
def acknowledge(run: str, as_json: bool) -> int:
    """Say that you have seen what an emergency switch led to: another may be suggested again."""
    with CommandSession() as session:
        told = session.run(session.switchboard.acknowledge(run, who=this_person()))
    if as_json:
        print_json(run_object(told))
    say(f"Run {run} is acknowledged. Another switch of {told.service} may be suggested again.")
    return DONE


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
