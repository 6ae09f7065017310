"""`status`, `check` and `plan`: looking, without changing anything."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import click

from changeover.commands.session import (
    DONE,
    REFUSED,
    CommandSession,
    command,
    json_option,
    print_json,
    print_table,
    say,
    show,
)
from changeover.commands.state_output import print_states, state_object
from changeover.model.errors import KeyringError, UsageError
from changeover.model.finding import Finding
from changeover.model.foreign_text import escaped
from changeover.model.formatting import counted, duration
from changeover.model.readiness.service_state import Preparation, ServiceState
from changeover.model.runs.step_times import last_times, took_words
from changeover.model.settings.acting_parts import Unapproved, unapproved_words
from changeover.switchover.report import LEVEL_SIGNS, change_object, finding_object, rows_of


@click.command()
@click.argument("service", required=False)
@click.option("--watch", "watching", is_flag=True, help="Keep watching, and tell every change, until Ctrl-C.")
@json_option
@command
def status(service: str | None, watching: bool, as_json: bool) -> int:
    """Probe now, and show each service's health, active deployment and readiness."""
    with CommandSession() as session:
        board = session.switchboard
        names = [board.service(service).name] if service else [s.name for s in board.settings.services]
        if not names and not as_json:
            say("There are no services yet. Add one with: changeover service add, or look around with: changeover lab")
            return DONE
        if watching:
            from changeover.commands.watching import tell_changes

            say_unapproved(session.run(board.trust.unapproved()))
            session.run_until_stopped(
                lambda stop: tell_changes(board, names, as_json, stop), said="No longer watching."
            )
            return DONE

        async def observe() -> list[ServiceState]:
            return list(await asyncio.gather(*(board.observe(name) for name in names)))

        states = session.run(observe())
        closed = session.run(board.trust.unapproved())
    if as_json:
        found = [state_object(state) for state in states]
        print_json({"services": found, "unapproved": [one.part.place for one in closed]})
    else:
        print_states(states)
        say_unapproved(closed)
    return DONE


def say_unapproved(closed: Sequence[Unapproved]) -> None:
    """What of the settings does not act until somebody has seen it."""
    if closed:
        say(unapproved_words(closed))
        for one in closed:
            say(f"  {escaped(one.words)}")
        say("See the difference and approve it: changeover trust")


to_option = click.option("--to", "to", required=True, metavar="DEPLOYMENT", help="The deployment to send visitors to.")
emergency_option = click.option("--emergency", is_flag=True, help="The primary is gone: a failover, not a switchover.")
dns_first_option = click.option(
    "--dns-first", is_flag=True, help="In an emergency: change DNS before all other steps, which follow."
)


@click.command()
@click.argument("service")
@to_option
@emergency_option
@json_option
@command
def check(service: str, to: str, emergency: bool, as_json: bool) -> int:
    """Could this deployment take over now? All findings at once."""
    with CommandSession() as session:
        preparation = session.run(session.switchboard.prepare(service, to, emergency))
    raise_keyring_error(preparation)
    ready = not preparation.blocked
    if as_json:
        found = [finding_object(f) for f in preparation.findings]
        print_json({"service": service, "to": to, "ready": ready, "findings": found})
    else:
        print_findings(preparation.findings)
        blocks = counted(len(preparation.blocked), "check blocks", "checks block")
        say(f"{to} could take over now." if ready else f"{to} cannot take over: {blocks} it.")
    return DONE if ready else REFUSED


@click.command()
@click.argument("service")
@to_option
@emergency_option
@dns_first_option
@json_option
@command
def plan(service: str, to: str, emergency: bool, dns_first: bool, as_json: bool) -> int:
    """What would change, in which order. Changes nothing."""
    raise_unless_emergency(emergency, dns_first)
    with CommandSession() as session:
        preparation = session.run(session.switchboard.prepare(service, to, emergency, dns_first=dns_first))
    raise_keyring_error(preparation)
    if as_json:
        print_json(_plan_object(preparation))
    else:
        show_plan(preparation)
    return REFUSED if preparation.blocked and not preparation.already_there else DONE


def raise_unless_emergency(emergency: bool, dns_first: bool) -> None:
    """Only an emergency may send visitors somewhere before it was prepared for them."""
    if dns_first and not emergency:
        raise UsageError("--dns-first is for an emergency", "Give --emergency as well, or leave it out.")


def raise_keyring_error(preparation: Preparation) -> None:
    """A keyring that cannot be used ends a command, whatever else was found."""
    for reading in preparation.snapshot.readings:
        if reading.error_kind == "keyring":
            raise KeyringError(reading.error or "", reading.hint)


def _plan_object(preparation: Preparation) -> dict[str, Any]:
    made = preparation.plan
    took = last_times(made, preparation.snapshot.runs) if made else {}
    return {
        "service": preparation.service,
        "from": preparation.snapshot.active,
        "to": preparation.to,
        "changes": [change_object(c) for c in made.changes] if made else [],
        "steps": [
            {"name": s.name, "text": s.text, "took_last_time": None if n not in took else round(took[n], 3)}
            for n, s in enumerate(made.steps if made else ())
        ],
        "findings": [finding_object(f) for f in preparation.findings],
        "visitors_follow_within": made.visitors_follow_within if made else None,
    }


def print_findings(found: tuple[Finding, ...]) -> None:
    rows = []
    for finding in found:
        fix = finding.fix
        if finding.overridable:
            fix = f"{fix} (--override {finding.check}=REASON)".strip()
        rows.append((f"{LEVEL_SIGNS[finding.level]} {finding.level}", finding.check, finding.text, fix))
    print_table(("LEVEL", "CHECK", "FINDING", "WHAT TO DO"), rows)


def show_plan(preparation: Preparation) -> None:
    """The plan for people: changes, steps, and what speaks against it."""
    made = preparation.plan
    if made is None:
        say("There is no plan: the records could not be read.")
    elif not made.steps:
        say(f"Visitors are sent to {made.to} already. There is nothing to change.")
    else:
        show(f"{made.service}: {made.source} → {made.to}. Nothing has changed yet.", "")
        for change in made.changes:
            show(f"{change.name}  (account {change.account}, zone {change.zone})")
            for line in rows_of(change.before):
                show(f"  - {line}")
            for line in rows_of(change.after):
                show(f"  + {line}")
        show()
        took = last_times(made, preparation.snapshot.runs)
        for number, step in enumerate(made.steps):
            words = took_words(took.get(number))
            show(f"{number + 1}. {step.text}{f' ({words})' if words else ''}")
        show(f"Visitors follow within {duration(made.visitors_follow_within)}.", "")
    speaking = tuple(f for f in preparation.findings if f.level != "pass")
    if speaking:
        print_findings(speaking)
