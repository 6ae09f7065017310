"""`platform` and `drift`: what the platforms of a service say and can be asked, and where its deployments differ."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click
import msgspec

from changeover.accounts.asked_operation import known_operation
from changeover.accounts.kinds import KINDS
from changeover.commands.accounts import options_of
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
    show,
)
from changeover.dns.providers.help import as_written
from changeover.model.errors import UsageError
from changeover.model.formatting import age, counted, ended
from changeover.model.platforms.app_version import AppVersion, KeptVersion
from changeover.model.platforms.comparison_row import Agreement, Compared, differing
from changeover.model.platforms.platform_observation import KeptObservation, PlatformObservation
from changeover.model.readiness.drift_checks import compared_with, drift_rows
from changeover.model.runs.operation_plan import operation_risks
from changeover.model.settings.account_fields import option_fields
from changeover.model.settings.platform import PlatformKind, PlatformOperation
from changeover.model.settings.service import Deployment, Service
from changeover.model.wording.platform_words import observation_words
from changeover.monitoring.platform_reading import PlatformReading
from changeover.monitoring.version_reading import VersionReading
from changeover.storage.home import this_person
from changeover.switchover.report import utc

#: What is known of the primary and of a backup, by their platforms and by their apps.
_Pair = Sequence[tuple[PlatformReading, VersionReading | None]]


@click.command()
@click.argument("service")
@click.argument("deployment", required=False)
@click.argument("verb", required=False)
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="What is told with VERB, such as instances=2.")
@click.option("--why", default="", metavar="TEXT", help="A reason, for the report.")
@yes_option
@json_option
@command
def platform(
    service: str,
    deployment: str | None,
    verb: str | None,
    sets: tuple[str, ...],
    why: str,
    yes: bool,
    as_json: bool,
) -> int:
    """Show what runs of a service, as its platforms say, or have the platform of DEPLOYMENT do VERB.

    What there was before is read and kept first, so that an undo of the run gives it back.
    """
    if deployment is not None and verb is not None:
        return _operate(service, deployment, verb, sets, why, yes, as_json)
    if sets or why or yes:
        raise UsageError("--set, --why and --yes belong to something that is to be done", "Name the VERB as well.")
    with CommandSession() as session:
        readings = session.run(session.switchboard.read_platforms(service, deployment))
    if as_json:
        print_json({"service": service, "deployments": [_reading(reading) for reading in readings]})
    else:
        _print(readings)
    return REFUSED if any(reading.error is not None for reading in readings) else DONE


def _operate(
    service: str, deployment: str, verb: str, sets: tuple[str, ...], why: str, yes: bool, as_json: bool
) -> int:
    """Shows what would be done and what it risks, asks, and does it by a run of its own."""
    with CommandSession() as session:
        board = session.switchboard
        of, at = board.service(service), board.deployment(service, deployment)
        operation = known_operation(at, verb)
        options = options_of(operation.options, sets, "--set key=value")
        plan = board.operation_plan(service, deployment, verb, options)
        if not yes:
            approve_first(session, service)
            active = session.run(board.observe(service)).active
            about = [f"{operation.does}.", f"It needs: {operation.permission}."]
            say(f"{plan.steps[0].text} ({_which(at)})", *about, *operation_risks(of, at, operation, options, active))
        if not confirmed(f"Do it at {deployment} of {service} now?", yes):
            say("Nothing was done.")
            return REFUSED

        def work(progress: Progress, stop: asyncio.Event) -> Any:
            return board.operate(plan, who=this_person(), on_progress=progress, stop=stop, why=why)

        ended = followed(session, work)
    return told(ended, as_json)


def _which(deployment: Deployment) -> str:
    """Which app of which account it is: "lab, account lab-platform, app primary"."""
    keys = [f"{key} {as_written(value)}" for key, value in deployment.options.items()]
    return ", ".join([deployment.platform, f"account {deployment.account}", *keys])


def _reading(reading: PlatformReading) -> dict[str, Any]:
    found, error, deployment = reading.observation, reading.error, reading.deployment
    kind = KINDS.platform(deployment.platform)
    observed = None if found is None else _observed(found)
    return {
        "name": deployment.name,
        "platform": deployment.platform,
        "account": deployment.account,
        "keys": deployment.options,
        "observed": observed,
        "observed_at": None if reading.at is None else utc(reading.at),
        "error": None if error is None else {"kind": error.kind, "text": error.text, "hint": error.hint},
        "operations": [_operation(operation) for operation in kind.operations] if kind is not None else [],
    }


def _observed(found: PlatformObservation) -> dict[str, Any]:
    """Every field, told or not; of the configuration its names alone."""
    fields = {key: msgspec.to_builtins(getattr(found, key)) for key in found.__struct_fields__}
    return {**fields, "config": sorted(found.config)}


def _operation(operation: PlatformOperation) -> dict[str, Any]:
    keys = ("verb", "does", "reverse", "permission", "idempotent")
    told = {key: getattr(operation, key) for key in keys}
    return {**told, "options": [field.name for field in option_fields(operation.options)]}


def _print(readings: tuple[PlatformReading, ...]) -> None:
    rows = []
    for reading in readings:
        deployment, kind = reading.deployment, KINDS.platform(reading.deployment.platform)
        where = ", ".join(f"{key} {as_written(value)}" for key, value in deployment.options.items())
        if reading.error is not None:
            says = f"{ended(reading.error.text)} {reading.error.hint}".strip()
            if reading.observation is not None and reading.at is not None:
                says = f"{says} It said {age(reading.at, datetime.now(UTC))}: {observation_words(reading.observation)}"
        elif reading.observation is not None:
            says = observation_words(reading.observation)
        else:
            says = "any address; nobody can steer it"
        rows.append((deployment.name, kind.label if kind is not None else deployment.platform, where, says))
    print_table(("DEPLOYMENT", "PLATFORM", "WHICH", "SAYS"), rows)
    for name in dict.fromkeys(reading.deployment.platform for reading in readings):
        kind = KINDS.platform(name)
        if kind is not None:
            show("", f"{kind.label} can be asked:", "")
            print_table(("VERB", "WITH", "DOES", "TAKEN BACK BY", "PERMISSION", "TWICE"), _operations(kind))


def _operations(kind: PlatformKind) -> list[tuple[str, ...]]:
    return [
        (
            operation.verb,
            ", ".join(field.name for field in option_fields(operation.options)),
            operation.does,
            operation.reverse or "nothing",
            operation.permission,
            "as once" if operation.idempotent else "not as once",
        )
        for operation in kind.operations
    ]


@click.command()
@click.argument("service")
@click.argument("deployment", required=False)
@click.option("--all", "everything", is_flag=True, help="Show what is the same on both sides, too.")
@json_option
@command
def drift(service: str, deployment: str | None, everything: bool, as_json: bool) -> int:
    """Show what runs of a service's primary and of a backup side by side, and where they differ.

    DEPLOYMENT is the backup; the first one if not given. Of configuration variables, names are shown and values never.
    """
    with CommandSession() as session:
        of = session.switchboard.service(service)
        to = _backup(of, deployment)
        beside = compared_with(of, of.primary.name, to)
        readings, versions = session.run(session.switchboard.read_what_runs(service))
    now = datetime.now(UTC)
    said, told = {r.deployment.name: r for r in readings}, {v.deployment.name: v for v in versions}
    pair = [(said[name], told.get(name)) for name in (beside, to)]
    kept = {
        r.deployment.name: KeptObservation(at=r.at, observation=r.observation)
        for r, _ in pair
        if r.observation is not None and r.at is not None
    }
    apps = {
        v.deployment.name: KeptVersion(at=v.at, version=v.version)
        for _, v in pair
        if v is not None and v.version is not None and v.at is not None
    }
    rows = drift_rows(of, kept, apps, beside, to, now)
    if as_json:
        print_json(_drift_object(service, pair, rows))
    else:
        _print_drift(pair, rows, everything, now)
    return REFUSED if rows is None else DONE


def _backup(service: Service, name: str | None) -> str:
    backups = [one.name for one in service.deployments[1:]]
    if name is None:
        return backups[0]
    if name not in backups:
        text = f"{name} is no backup of {service.name}"
        raise UsageError(text, f"Its primary, {service.primary.name}, is compared with one of: {', '.join(backups)}")
    return name


def _drift_object(service: str, pair: _Pair, rows: tuple[Compared, ...] | None) -> dict[str, Any]:
    sides = [
        {
            "name": reading.deployment.name,
            "platform": reading.deployment.platform,
            "observed_at": None if reading.at is None else utc(reading.at),
            "error": None if reading.error is None else {"kind": reading.error.kind, "text": reading.error.text},
            "app": None if version is None else _told_by_app(version),
        }
        for reading, version in pair
    ]
    told = None if rows is None else [{key: str(getattr(row, key)) for key in row.__struct_fields__} for row in rows]
    return {
        "service": service,
        "deployments": sides,
        "differences": None if rows is None else len(differing(rows)),
        "rows": told,
    }


def _told_by_app(reading: VersionReading) -> dict[str, Any]:
    """What an app told; an `error` says why it told nothing now."""
    version = AppVersion() if reading.version is None else reading.version
    return {
        "commit": None if version.commit is None else version.commit.value or None,
        "schema": None if version.schema is None else version.schema.value or None,
        "observed_at": None if reading.at is None else utc(reading.at),
        "error": reading.why or None,
    }


def _print_drift(pair: _Pair, rows: tuple[Compared, ...] | None, everything: bool, now: datetime) -> None:
    for reading, version in pair:
        name = reading.deployment.name
        if reading.error is not None:
            when = "" if reading.at is None else f" What follows is from {age(reading.at, now)}."
            say(f"{name}: {ended(reading.error.text)} {reading.error.hint}{when}")
        elif reading.observation is None and version is None:
            say(f"{name} is any address; no platform tells what runs there.")
        if version is not None and version.why:
            when = "" if version.at is None else f" What it told is from {age(version.at, now)}."
            say(f"{name}: its app does not tell what it runs: {ended(version.why)}{when}")
    if rows is None:
        return
    first, second = (reading.deployment.name for reading, _ in pair)
    shown = rows if everything else [row for row in rows if row.agreement is not Agreement.SAME]
    if shown:
        heads = ("WHAT", "", first.upper(), second.upper(), "VERDICT", "MEANS")
        print_table(heads, [(r.aspect, r.subject, r.primary, r.backup, r.agreement, r.why) for r in shown])
        show("")
    number, same = len(differing(rows)), sum(row.agreement is Agreement.SAME for row in rows)
    say(f"{counted(number, 'difference') if number else 'No difference'}; {counted(same, 'thing')} the same.")
