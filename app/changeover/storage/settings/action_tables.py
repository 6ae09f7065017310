"""Actions as the settings file has them: one key says what is done, and `undo` is a table with one such key."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

from changeover.model.settings.action import (
    Action,
    Approval,
    CommandLine,
    HttpCall,
    Note,
    Operation,
    Phase,
    PlatformCall,
    Verb,
    WaitUntil,
)


class Wait(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Until something is so, or for a time."""

    until: Literal["healthy", "down"] | None = None
    deployment: str | None = None
    seconds: float | None = None


class PlatformTable(Struct, frozen=True, kw_only=True):
    """What a platform is asked; its other keys are for the platform."""

    deployment: str
    verb: Verb
    options: dict[str, Any] = field(default_factory=dict)


class Undo(Struct, frozen=True, kw_only=True):
    """What takes an action back, as the file has it."""

    http: HttpCall | None = None
    command: tuple[str, ...] | None = None
    note: str | None = None
    platform: PlatformTable | None = None


class ActionTable(Struct, frozen=True, kw_only=True):
    """An action, as the file has it."""

    name: str
    phase: Literal["quiesce", "drain", "promote", "prove", "lift", "fence"]
    http: HttpCall | None = None
    command: tuple[str, ...] | None = None
    wait: Wait | None = None
    approval: str | None = None
    note: str | None = None
    platform: PlatformTable | None = None
    undo: Undo | None = None
    to: tuple[str, ...] = ()
    needs: Literal["source", "target", "nothing"] = "nothing"
    timeout: float | None = None
    repeatable: bool = False
    together: str | None = None
    risk: str = ""


def action_table(action: Action) -> dict[str, Any]:
    """An action as the file has it, without what says no more than the defaults."""
    table: dict[str, Any] = {"name": action.name, "phase": str(action.phase), **_operation_table(action.operation)}
    if action.undo is not None:
        table["undo"] = _operation_table(action.undo)
    usual = Action(name="", phase=action.phase, operation=action.operation)
    for key in ("to", "needs", "timeout", "repeatable", "together", "risk"):
        value = getattr(action, key)
        if value != getattr(usual, key):
            table[key] = list(value) if isinstance(value, tuple) else value
    return table


def _operation_table(operation: Operation) -> dict[str, Any]:
    match operation:
        case HttpCall():
            usual = HttpCall(url="")
            values = {key: getattr(operation, key) for key in HttpCall.__struct_fields__}
            return {"http": {key: value for key, value in values.items() if value != getattr(usual, key)}}
        case CommandLine(command=command):
            return {"command": list(command)}
        case WaitUntil(until="seconds", seconds=seconds):
            return {"wait": {"seconds": seconds}}
        case WaitUntil(until=until, deployment=deployment):
            return {"wait": {"until": until, **({"deployment": deployment} if deployment is not None else {})}}
        case Approval(question=question):
            return {"approval": question}
        case Note(note=note):
            return {"note": note}
        case PlatformCall(deployment=deployment, verb=verb, options=options):
            return {"platform": {"deployment": deployment, "verb": verb, **options}}


def action_of(table: ActionTable) -> Action | None:
    """What a table says; None where it does nothing."""
    operation = _operation(table.http, table.command, table.note, table.platform)
    if table.wait is not None:
        wait = table.wait
        operation = WaitUntil(until=wait.until or "seconds", deployment=wait.deployment, seconds=wait.seconds or 0)
    if table.approval is not None:
        operation = Approval(question=table.approval)
    undo = table.undo
    if operation is None:
        return None
    return Action(
        name=table.name,
        phase=Phase(table.phase),
        operation=operation,
        undo=None if undo is None else _operation(undo.http, undo.command, undo.note, undo.platform),
        to=table.to,
        needs=table.needs,
        timeout=table.timeout,
        repeatable=table.repeatable,
        together=table.together,
        risk=table.risk,
    )


def _operation(
    http: HttpCall | None, command: tuple[str, ...] | None, note: str | None, platform: PlatformTable | None
) -> Operation | None:
    if command is not None:
        return CommandLine(command=command)
    if note is not None:
        return Note(note=note)
    if platform is not None:
        return PlatformCall(deployment=platform.deployment, verb=platform.verb, options=platform.options)
    return http
