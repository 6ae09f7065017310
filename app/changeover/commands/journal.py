"""`runs`, `report`, `accept`, `commit`, `pause` and `escalate`: the journal's side of runs."""

from __future__ import annotations

import click

from changeover.commands.run import show_changes, yes_option
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
from changeover.commands.terminal import json_text, write_block
from changeover.storage.home import this_person
from changeover.switchover.report import html_page, local, markdown, outcome_sentence, run_object, utc


@click.command()
@json_option
@command
def runs(as_json: bool) -> int:
    """All runs, newest first, and what can be done with each."""
    with CommandSession() as session:
        found = session.run(session.switchboard.runs())
    if as_json:
        rows = [
            {
                "run": r.run,
                "service": r.service,
                "from": r.source,
                "to": r.to,
                "started": utc(r.started),
                "ended": utc(r.ended),
                "outcome": str(r.outcome),
                "next": list(r.next),
            }
            for r in found
        ]
        print_json({"runs": rows})
        return DONE
    if not found:
        say("There are no runs yet.")
        return DONE
    table = [(r.run, local(r.started), f"{r.source} → {r.to}", str(r.outcome), ", ".join(r.next)) for r in found]
    print_table(("RUN", "STARTED", "DIRECTION", "OUTCOME", "NEXT"), table)
    return DONE


@click.command()
@click.argument("run")
@click.option("--format", "form", type=click.Choice(["md", "html", "json"]), default="md", show_default=True)
@json_option
@command
def report(run: str, form: str, as_json: bool) -> int:
    """What a run did, when, and why it was allowed to."""
    with CommandSession() as session:
        found, later = session.run(session.switchboard.run_and_later(run))
    if as_json:
        print_json(run_object(found, later))
    elif form == "json":
        write_block(json_text(run_object(found, later), indent=2) + "\n")
    else:
        write_block(html_page(found, later) if form == "html" else markdown(found, later))
    return DONE


@click.command()
@click.argument("run")
@click.option("--reason", required=True, metavar="TEXT", help="Why it may stay as it stands; kept in the report.")
@json_option
@command
def accept(run: str, reason: str, as_json: bool) -> int:
    """End an interrupted or incomplete run as it stands."""
    with CommandSession() as session:
        ended = session.run(session.switchboard.accept(run, reason, who=this_person()))
    if as_json:
        print_json(run_object(ended))
    say(outcome_sentence(ended))
    return DONE


@click.command()
@click.argument("run")
@yes_option
@json_option
@command
def commit(run: str, yes: bool, as_json: bool) -> int:
    """Keep a completed run: its undo window ends. TTLs that were lowered for it are shown, and given back."""
    with CommandSession() as session:
        board = session.switchboard
        restored = None if yes else session.run(board.restored_by(run))
        if restored is not None:
            show_changes(restored.plan.changes)
            if not confirmed(f"Commit run {run}, and give these TTLs back?", yes):
                say("Nothing was changed.")
                return REFUSED
        ended = session.run(board.commit(run, who=this_person()))
    if as_json:
        print_json(run_object(ended))
    stays = f"{ended.to} is where visitors stay." if ended.forward.kind.moves_visitors else "It moved no visitors."
    say(f"Run {run} is committed. {stays}")
    return DONE


@click.command()
@click.argument("run")
@json_option
@command
def pause(run: str, as_json: bool) -> int:
    """Stop a run before its next step, whichever window or terminal it is in."""
    with CommandSession() as session:
        paused = session.run(session.switchboard.pause(run, who=this_person()))
    if as_json:
        print_json(run_object(paused))
    say(f"Run {run} stops before its next step. Go on with: changeover resume {run}")
    return DONE


@click.command()
@click.argument("run")
@click.option("--why", required=True, metavar="TEXT", help="What has happened.")
@json_option
@command
def escalate(run: str, why: str, as_json: bool) -> int:
    """Make an unfinished planned run an emergency: steps that need the primary are left out from here on."""
    with CommandSession() as session:
        escalated = session.run(session.switchboard.escalate(run, why, who=this_person()))
    if as_json:
        print_json(run_object(escalated))
    say(f"Run {run} is an emergency from here on.")
    return DONE
