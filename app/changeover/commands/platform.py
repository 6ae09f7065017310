"""`platform`: what the platforms of a service say of its deployments, and what they can be asked to do."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from changeover.accounts.kinds import KINDS
from changeover.commands.session import (
    DONE,
    REFUSED,
    CommandSession,
    command,
    json_option,
    print_json,
    print_table,
    show,
)
from changeover.dns.providers.help import as_written
from changeover.model.platforms.platform_observation import PlatformObservation
from changeover.model.settings.account_fields import option_fields
from changeover.model.settings.platform import PlatformKind, PlatformOperation
from changeover.model.wording.platform_words import observation_words
from changeover.monitoring.platform_reading import PlatformReading


@click.command()
@click.argument("service")
@click.argument("deployment", required=False)
@json_option
@command
def platform(service: str, deployment: str | None, as_json: bool) -> int:
    """Show what runs of a service, as its platforms say, and what they can be asked to do by its actions."""
    with CommandSession() as session:
        readings = session.run(session.switchboard.read_platforms(service, deployment))
    if as_json:
        print_json({"service": service, "deployments": [_reading(reading) for reading in readings]})
    else:
        _print(readings)
    return REFUSED if any(reading.error is not None for reading in readings) else DONE


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
            says = f"{reading.error.text} {reading.error.hint}".strip()
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
