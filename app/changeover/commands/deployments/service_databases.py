"""`database`: how the databases of a service stand, and how each standby follows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click
import msgspec

from changeover.commands.session import (
    DONE,
    REFUSED,
    CommandSession,
    command,
    json_option,
    print_json,
    print_table,
    say,
)
from changeover.model.databases.kept_database import KeptDatabase
from changeover.model.databases.pairs import pairs
from changeover.model.finding import Finding
from changeover.model.formatting import age, ended
from changeover.model.readiness.database_checks import replication_of, server_findings
from changeover.model.wording.database_words import database_words, replication_words
from changeover.monitoring.database_reading import DatabaseReading
from changeover.switchover.report import LEVEL_SIGNS, finding_object, local, utc


@click.command()
@click.argument("service")
@json_option
@command
def database(service: str, as_json: bool) -> int:
    """Show how the databases of a service stand now, and how far each standby is behind."""
    with CommandSession() as session:
        readings = session.run(session.switchboard.read_databases(service))
    kept = {reading.deployment.name: reading.kept for reading in readings if reading.kept is not None}
    found = [one for name, said in kept.items() for one in server_findings(name, said.observation)]
    if as_json:
        told = [finding_object(one) for one in found]
        print_json(
            {
                "service": service,
                "deployments": [_reading(reading) for reading in readings],
                "standbys": _standbys(kept),
                "findings": told,
            }
        )
    elif not readings:
        say(f"No deployment of {service} names a database. Name one in the settings: see docs/settings.md.")
    else:
        _print(readings, kept, found)
    return REFUSED if any(reading.error is not None for reading in readings) else DONE


def _reading(reading: DatabaseReading) -> dict[str, Any]:
    said, error, named = reading.kept, reading.error, reading.deployment.database
    return {
        "name": reading.deployment.name,
        "kind": None if named is None else named.kind,
        "secret": None if named is None else named.secret,
        "observed": None if said is None else msgspec.to_builtins(said.observation),
        "observed_at": None if said is None else utc(said.at),
        "error": None if error is None else {"kind": error.kind, "text": error.text, "hint": error.hint},
    }


def _standbys(kept: dict[str, KeptDatabase]) -> list[dict[str, Any]]:
    rows = []
    for primary, standby in pairs(tuple(kept), kept):
        found = replication_of(kept[primary], kept[standby])
        rows.append({"name": standby, "of": primary, **msgspec.to_builtins(found)})
    return rows


def _print(readings: tuple[DatabaseReading, ...], kept: dict[str, KeptDatabase], found: list[Finding]) -> None:
    now = datetime.now(UTC)
    rows = []
    for reading in readings:
        said, error, named = reading.kept, reading.error, reading.deployment.database
        words = "" if said is None else database_words(said.observation)
        if error is not None:
            before = f" It said {age(said.at, now)}: {words}" if said is not None else ""
            words = f"{ended(error.text)} {error.hint}{before}"
        at = "" if said is None else local(said.at)
        kind = "" if named is None else named.kind
        rows.append((reading.deployment.name, kind, at, words.strip()))
    print_table(("DEPLOYMENT", "KIND", "READ AT", "SAYS"), rows)
    for primary, standby in pairs(tuple(kept), kept):
        oldest = min(kept[primary].at, kept[standby].at)
        when = f", as they said {age(oldest, now)}" if any(reading.error is not None for reading in readings) else ""
        say(f"{replication_words(primary, standby, replication_of(kept[primary], kept[standby]))}{when}.")
    for one in found:
        say(f"{LEVEL_SIGNS[one.level]} {ended(one.text)} {one.fix}".strip())
