"""What the settings must say of actions: what each does, where it goes, and whom it is for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from changeover.model.health.check import HealthCheck
from changeover.model.health.conditions import status_ranges
from changeover.model.settings.action import Action, HttpCall, PlatformCall, WaitUntil
from changeover.model.settings.placeholders import secrets_of, secrets_of_call
from changeover.model.settings.platform import AccountKinds, operation_of
from changeover.model.settings.service import Deployment, Service
from changeover.model.settings.service_secrets import calls_of, host_of
from changeover.storage.settings.action_tables import ActionTable, PlatformTable, Undo, Wait, action_of
from changeover.storage.settings.check_rules import sent_header
from changeover.storage.settings.reader import Check, Faults, Rule, Rules, below, item_place, read_struct
from changeover.storage.settings.values import between, https_url

_KINDS = ("http", "command", "wait", "approval", "note", "platform")
_DAY = 86400
_MAX_NAME = 100
#: Steps of every plan have these names.
_OWN_NAMES = re.compile(r"change-records(-\d+)?|name-servers|visitors")
_KEY_HEADER = "idempotency-key"
_IN_DOUBT = re.compile(r"\{secret:[^{}\s]+\}|(?P<wrong>\{\s*secret\b)", re.IGNORECASE)


def action_rules(folder: Path) -> Rules:
    """The rules for a service's actions in a settings file that lies in `folder`."""

    def read(table: object, place: str, faults: Faults) -> Action | None:
        found = read_struct(table, ActionTable, place, faults, rules)
        return None if found is None else action_of(found)

    operations: Mapping[str, Callable[[Any], Any]] = {"approval": _words, "note": _words}
    command = Check(("command",), _command)
    rules: Rules = {
        ActionTable: Rule(
            {
                **operations,
                "name": _name,
                "timeout": between(1, _DAY),
                "together": _words,
                "risk": _words,
            },
            (Check(_KINDS, _one_of(ActionTable)), command),
            {"command": _program_in(folder)},
        ),
        Undo: Rule(
            operations,
            (Check(("http", "command", "note", "platform"), _one_of(Undo)), command),
            {"command": _program_in(folder)},
        ),
        HttpCall: Rule({"url": _url, "headers": _header, "body": _secrets_right, "expect_status": _status}),
        Wait: Rule(
            {"seconds": between(0.1, _DAY)},
            (Check(("until", "deployment", "seconds"), _until_or_for),),
        ),
        PlatformTable: Rule(read=_platform_table),
    }
    return {Action: Rule(read=read)}


def action_checks(kinds: AccountKinds) -> tuple[Check, ...]:
    """What must hold between a service's actions, and between them and the rest of the service."""
    return (
        Check(("actions", "deployments"), _deployments_known),
        Check(("actions", "deployments"), _operations_known(kinds)),
        Check(("actions",), _one_phase),
        Check(("hostnames", "health", "actions", "deployments"), _one_host),
    )


def _platform_table(table: object, place: str, faults: Faults) -> PlatformTable | None:
    if not isinstance(table, Mapping):
        return read_struct(table, PlatformTable, place, faults)
    own = {key: value for key, value in table.items() if key in ("deployment", "verb")}
    options = {key: value for key, value in table.items() if key not in own}
    return read_struct({**own, "options": options}, PlatformTable, place, faults)


def _one_of(kind: type[Struct]) -> Callable[..., None]:
    """A fault unless there is exactly one of the keys that say what is done."""
    names = [name for name in kind.__struct_fields__ if name in _KINDS]

    def check(faults: Faults, place: str, *values: object) -> None:
        given = [name for name, value in zip(names, values, strict=True) if value is not None]
        if not given:
            faults.add(place, f"does nothing; give it one of {', '.join(names)}")
        if len(given) > 1:
            faults.add(place, f"has {' and '.join(given)}; it can do one thing only, so make an action of each")

    return check


def _name(text: str) -> str:
    if not text.strip() or text != text.strip() or not text.isprintable() or len(text) > _MAX_NAME:
        raise ValueError("must be a short name")
    if text.startswith("-") or text.isdecimal():
        raise ValueError("must not begin with a hyphen, nor be a number: commands name a step by it")
    if _OWN_NAMES.fullmatch(text):
        raise ValueError(f'"{text}" is the name of a step in every plan; choose another name')
    return text


def _words(text: str) -> str:
    if not text.strip() or not all(character.isprintable() or character == "\n" for character in text):
        raise ValueError("must be words, without control characters")
    return text


def _program_in(folder: Path) -> Callable[[object], object]:
    """A program that is given by its path is found beside the settings, where that is relative."""

    def written(command: object) -> object:
        if not isinstance(command, list) or not command or not isinstance(command[0], str):
            return command
        program = command[0]
        if "/" not in program and "\\" not in program:
            return command
        return [str((folder / Path(program).expanduser()).absolute()), *command[1:]]

    return written


def _command(faults: Faults, place: str, command: Sequence[str | None] | None) -> None:
    if command is None:
        return
    if not command or (command[0] is not None and not command[0].strip()):
        faults.add(below(place, "command"), 'must begin with a program, as in ["/usr/local/bin/promote", "--now"]')
    if any(word is not None and "\0" in word for word in command):
        faults.add(below(place, "command"), "has a zero byte, which no program can be given")


def _url(text: str) -> str:
    bare = re.sub(r"\{secret:[^{}\s]+\}", "x", _secrets_right(text))
    scheme, _, rest = text.partition("://")
    host = re.split("[/?#]", rest)[0]
    if "@" in host:
        raise ValueError("has a name or a password before its host; write {secret:NAME} into a header instead")
    if "{" in host:
        raise ValueError("has a secret before its path; the host must stand there itself")
    https_url(f"{scheme}://{host}")
    if not bare.isascii():
        raise ValueError("must have only ASCII; escape other letters, as in %C3%BC")
    https_url(bare)
    return text


def _header(pair: tuple[str, str]) -> tuple[str, str]:
    name, value = sent_header(pair)
    if name.lower() == _KEY_HEADER:
        raise ValueError("is set by Changeover itself; leave it out")
    return name, _secrets_right(value)


def _secrets_right(text: str) -> str:
    if any(match["wrong"] for match in _IN_DOUBT.finditer(text)):
        raise ValueError("a secret is written as {secret:NAME}, without spaces")
    return text


def _status(text: str) -> str:
    status_ranges(text)
    return text


def _until_or_for(faults: Faults, place: str, until: str | None, deployment: str | None, seconds: float | None) -> None:
    if until is None and seconds is None:
        faults.add(place, 'needs until = "healthy" or "down", or seconds')
    if until is not None and seconds is not None:
        faults.add(below(place, "seconds"), "leave out either this or until; how long to wait at most is the timeout")
    if deployment is not None and until is None:
        faults.add(below(place, "deployment"), "leave it out; it belongs to until")


def _deployments_known(
    faults: Faults, place: str, actions: Sequence[Action | None], deployments: Sequence[Deployment | None]
) -> None:
    """A fault for each deployment that there is not."""
    known = [d.name for d in deployments if d is not None]
    if len(known) < len(deployments):
        return  # nobody knows yet which there are
    for where, action in _placed(place, actions):
        for key, name in _named(action):
            if name not in known:
                listed = ", ".join(known) or "none yet"
                faults.add(f"{where}.{key}", f'no deployment is "{name}"; known: {listed}')


def _operations_known(kinds: AccountKinds) -> Callable[..., None]:
    """A fault for what the platform of a deployment cannot be asked, and for what it must be told with it."""

    def check(
        faults: Faults, place: str, actions: Sequence[Action | None], deployments: Sequence[Deployment | None]
    ) -> None:
        known = {d.name: d for d in deployments if d is not None}
        for where, action in _placed(place, actions):
            for key, call in _platform_calls(action):
                if call.deployment not in known:
                    continue
                here, platform = f"{where}.{key}", known[call.deployment].platform
                kind = kinds.platform(platform)
                operation = None if kind is None else operation_of(kind, call.verb)
                if operation is not None:
                    read_struct(call.options, operation.options, here, faults)
                    continue
                can = "" if kind is None else ", ".join(one.verb for one in kind.operations)
                takes = f"it takes {can}" if can else "nobody can steer it; use http, command or note"
                faults.add(f"{here}.verb", f'platform "{platform}" takes no {call.verb}: {takes}')

    return check


def _platform_calls(action: Action) -> Iterator[tuple[str, PlatformCall]]:
    """What an action asks of platforms, each with the key that it stands in."""
    for key, operation in (("platform", action.operation), ("undo.platform", action.undo)):
        if isinstance(operation, PlatformCall):
            yield key, operation


def with_idempotence(service: Service, kinds: AccountKinds) -> Service:
    """The service, with those actions repeatable that ask platforms for nothing but what may be done twice."""

    def harmless(call: PlatformCall) -> bool:
        deployment = service.deployment(call.deployment)
        kind = None if deployment is None else kinds.platform(deployment.platform)
        operation = None if kind is None else operation_of(kind, call.verb)
        return operation is not None and operation.idempotent

    def one(action: Action) -> Action:
        operations = [operation for operation in (action.operation, action.undo) if operation is not None]
        calls = [call for _, call in _platform_calls(action)]
        return replace(action, repeatable=True) if calls == operations and all(map(harmless, calls)) else action

    return replace(service, actions=tuple(one(action) for action in service.actions))


def _named(action: Action) -> Iterator[tuple[str, str]]:
    """The deployments that an action names, each with the key that it stands in."""
    for name in action.to:
        yield "to", name
    if isinstance(action.operation, WaitUntil) and action.operation.deployment is not None:
        yield "wait.deployment", action.operation.deployment
    for key, call in _platform_calls(action):
        yield f"{key}.deployment", call.deployment


def _one_phase(faults: Faults, place: str, actions: Sequence[Action | None]) -> None:
    first: dict[str, Action] = {}
    for where, action in _placed(place, actions):
        if action.together is None:
            continue
        other = first.setdefault(action.together, action)
        if other.phase is not action.phase:
            text = f'"{action.together}" has {other.name} of phase {other.phase} already; what is done at the same time'
            faults.add(below(where, "together"), f"{text} must be of one phase")


def _one_host(
    faults: Faults,
    place: str,
    hostnames: Sequence[str | None],
    health: HealthCheck | None,
    actions: Sequence[Action | None],
    deployments: Sequence[Deployment | None],
) -> None:
    """A fault for each secret that would go to two hosts: it is kept for the one that it was added for."""
    journeys = health.journeys if health is not None else ()
    first = next((name for name in hostnames if name is not None), "")
    hosts = dict.fromkeys(secrets_of(step for journey in journeys for step in journey.steps), first)
    for where, action in _placed(place, actions):
        for call in calls_of(action):
            for name in secrets_of_call(call):
                host = hosts.setdefault(name, host_of(call))
                if host != host_of(call):
                    faults.add(where, f"{{secret:{name}}} is for {host} already; name another one for {host_of(call)}")
    for deployment in deployments:
        if deployment is not None and deployment.database is not None and deployment.database.secret in hosts:
            where = below(below(below(place, "deployments"), deployment.name), "database.secret")
            host = hosts[deployment.database.secret]
            faults.add(where, f"{deployment.database.secret} is for {host} already; name another one for the database")


def _placed(place: str, actions: Sequence[Action | None]) -> Iterator[tuple[str, Action]]:
    for number, action in enumerate(actions):
        if action is not None:
            yield item_place(below(place, "actions"), number, {"name": action.name}), action
