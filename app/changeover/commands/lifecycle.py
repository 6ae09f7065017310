"""`lifecycle`, `protect` and `acknowledge`: the time after a switch."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import click

from changeover.commands.holds import freeze_object
from changeover.commands.session import DONE, CommandSession, command, json_option, print_json, print_table, say
from changeover.model.readiness.freeze import freeze_words
from changeover.model.readiness.lifecycle import Lifecycle
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
