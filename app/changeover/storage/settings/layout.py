"""Putting tables into a TOML text and taking them out, with every other character left as it was.

tomlkit keeps comments, but moves tables where those of one kind do not stand together. So a new table is put at the end
of the text, and an old one is cut out as lines; what comes out is read again and compared with what it should say.
"""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from changeover.model.errors import ChangeoverError


def with_account(text: str, name: str, options: Mapping[str, Any]) -> str:
    """`text` with this account's table; where there is one already, with these keys in it."""
    import tomlkit

    wanted = tomllib.loads(text)
    there = name in wanted.get("accounts", {})
    wanted.setdefault("accounts", {})[name] = dict(options)
    if not there:
        return checked(_appended(text, tomlkit.dumps({"accounts": {name: dict(options)}})), wanted)
    lines = text.splitlines(keepends=True)
    start, end = lines_of(lines, ("accounts", name)) or (0, len(lines))
    document = tomlkit.parse("".join(lines[start:end]))
    table: Any = document["accounts"][name]
    for key in [key for key in table if key not in options]:
        del table[key]
    table.update(options)
    return checked("".join((*lines[:start], tomlkit.dumps(document), *lines[end:])), wanted)


def without_account(text: str, name: str) -> str:
    """`text` without the table of this account; as it is where there is none."""
    wanted = tomllib.loads(text)
    if wanted.get("accounts", {}).pop(name, None) is None:
        return text
    return checked(_cut(text, ("accounts", name)), wanted)


def with_service(text: str, service: Mapping[str, Any]) -> str:
    """`text` with this service at its end. Short tables (answers, markers, zones) are written in one line each."""
    import tomlkit

    wanted = tomllib.loads(text)
    wanted["services"] = [*wanted.get("services", []), service]
    table = tomlkit.table()
    for key, value in service.items():
        if key not in ("health", "maintenance", "deployments", "actions"):
            table[key] = in_line(value)
    if "health" in service:
        table["health"] = health_table(service["health"])
    deployments = tomlkit.aot()
    for deployment in service["deployments"]:
        deployments.append(tomlkit.item({key: in_line(value) for key, value in deployment.items()}))
    table["deployments"] = deployments
    if service.get("maintenance"):
        table["maintenance"] = [dict(window) for window in service["maintenance"]]
    if service.get("actions"):
        table["actions"] = [{key: in_line(value) for key, value in action.items()} for action in service["actions"]]
    services = tomlkit.aot()
    services.append(table)
    return checked(_appended(text, tomlkit.dumps({"services": services})), wanted)


def actions_text(actions: Sequence[Mapping[str, Any]]) -> str:
    """Tables of actions as they stand below the last service of a file."""
    import tomlkit

    tables = [{key: in_line(value) for key, value in action.items()} for action in actions]
    return "\n".join(f"[[services.actions]]\n{tomlkit.dumps(table)}" for table in tables)


#: Tables within a health check that are too long for one line.
HEALTH_BLOCKS = ("thresholds", "journeys")


def health_table(health: Mapping[str, Any]) -> dict[str, Any]:
    """A health check for tomlkit: thresholds, journeys and their steps as tables, short tables in one line each."""
    made = {key: in_line(health[key]) for key in _ordered(health, "path", "scheme", "port") if key not in HEALTH_BLOCKS}
    if "thresholds" in health:
        made["thresholds"] = dict(health["thresholds"])
    if health.get("journeys"):
        made["journeys"] = [
            {"name": journey["name"], "steps": [step_table(step) for step in journey["steps"]]}
            for journey in health["journeys"]
        ]
    return made


def step_table(step: Mapping[str, Any]) -> dict[str, Any]:
    """A step of a journey for tomlkit: what is sent before what must come back."""
    return {key: in_line(step[key]) for key in _ordered(step, "path", "method", "headers", "body")}


def whole(value: Any) -> Any:
    """30 rather than 30.0, in lists and tables too."""
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _ordered(table: Mapping[str, Any], *first: str) -> list[str]:
    """The keys of a table, with these first."""
    return [*(key for key in first if key in table), *(key for key in table if key not in first)]


def without_service(text: str, name: str) -> str:
    """`text` without the service of this name; as it is where there is none."""
    wanted = tomllib.loads(text)
    services = wanted.get("services", [])
    number = next((n for n, service in enumerate(services) if service["name"] == name), None)
    if number is None:
        return text
    del services[number]
    return checked(_cut(text, ("services",), number), wanted)


def _appended(text: str, block: str) -> str:
    return f"{text}\n{block}" if text.strip() and not text.endswith("\n\n") else text + block


def _cut(text: str, path: tuple[str, ...], number: int = 0) -> str:
    """`text` without the lines of one table, and without a blank one where that leaves two."""
    lines = text.splitlines(keepends=True)
    start, end = lines_of(lines, path, number) or (0, 0)
    if start > 0 and not lines[start - 1].strip() and (end == len(lines) or not lines[end].strip()):
        start -= 1
    return "".join((*lines[:start], *lines[end:]))


def lines_of(lines: Sequence[str], path: tuple[str, ...], number: int = 0) -> tuple[int, int] | None:
    """Where a table begins and ends, those within it included; `number` counts its namesakes.

    Comments after its last line are not counted in: they speak of what follows.
    """
    headers = [(line, found) for line, words in enumerate(lines) if (found := header_path(words)) is not None]
    start = next(itertools.islice((line for line, found in headers if found == path), number, None), None)
    if start is None:
        return None
    depth = len(path)
    ends = (line for line, found in headers if line > start and (found[:depth] != path or len(found) == depth))
    end = next(ends, len(lines))
    while is_beside(lines[end - 1]):
        end -= 1
    return start, end


def is_beside(line: str) -> bool:
    """Is it blank, or a comment alone?"""
    return not line.strip() or line.lstrip().startswith("#")


def header_path(line: str) -> tuple[str, ...] | None:
    """The keys of a table's header; None for any other line."""
    if not line.lstrip().startswith("["):
        return None
    try:
        found: Any = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return None
    keys = []
    while found:
        ((key, found),) = found.items()
        keys.append(key)
        if isinstance(found, list):
            found = found[0]
    return tuple(keys)


def checked(text: str, wanted: Mapping[str, Any]) -> str:
    """`text`, if it says exactly what is wanted."""
    try:
        if _full(tomllib.loads(text)) == _full(wanted):
            return text
    except tomllib.TOMLDecodeError:
        pass
    raise ChangeoverError(
        "The settings file is laid out in a way that cannot be edited without damage; nothing was changed",
        "Write its accounts as tables such as [accounts.dns-main] and its services as [[services]], and try again.",
    )


def _full(tables: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: _plain(value) for key, value in tables.items() if value or key not in ("accounts", "services")}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def in_line(value: Any) -> Any:
    """`value` for tomlkit, so that a table is written in one line."""
    import tomlkit

    if isinstance(value, Mapping):
        table = tomlkit.inline_table()
        table.update({key: in_line(item) for key, item in value.items()})
        return table
    if isinstance(value, Sequence) and not isinstance(value, str):
        array = tomlkit.array()
        array.extend([in_line(item) for item in value])
        return array
    if isinstance(value, str) and ('"' in value or "\\" in value) and "'" not in value and value.isprintable():
        return tomlkit.string(value, literal=True)
    return value
