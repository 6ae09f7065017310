"""`repair`: a damaged journal is moved aside, and what can be read of it is kept."""

from __future__ import annotations

from datetime import datetime

import click

from changeover.commands.session import DONE, REFUSED, command, confirmed, json_option, print_json, say
from changeover.model.errors import Refused
from changeover.model.formatting import counted


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@command
def repair(yes: bool, as_json: bool) -> int:
    """Move a damaged journal aside under a name that says so, and keep what can be read of it."""
    from changeover.storage.database.repair import is_damaged
    from changeover.storage.database.repair import repair as repaired
    from changeover.storage.home import Home
    from changeover.storage.journal.lock import is_locked

    home = Home.from_environment()
    if not is_damaged(home.database):
        if as_json:
            print_json({"damaged": False, "moved": None, "kept": {}})
        say(f"{home.database} is whole." if home.database.exists() else "There is no journal yet.")
        return DONE
    if any(is_locked(file) for file in (home.data / "recorder.lock", *(home.data / "locks").glob("*.lock"))):
        text = "Another Changeover works with the journal right now"
        raise Refused(text, "Close its window, and end commands that watch or switch; then try again.")
    say(f"{home.database} is damaged. It is moved aside, and what can be read of it is kept in a new one.")
    if not confirmed("Move it aside now?", yes):
        say("Nothing was changed.")
        return REFUSED
    done = repaired(home.database, datetime.now())
    entries, runs = done.kept.get("journal", 0), done.kept.get("runs", 0)
    if as_json:
        print_json({"damaged": True, "moved": str(done.moved), "kept": done.kept})
    say(f"Kept: {counted(runs, 'run')} with {counted(entries, 'entry', 'entries')}. The damaged file is {done.moved}")
    say("A run that was not finished goes on from what the zone shows. See them with: changeover runs")
    return DONE
