"""Putting a health check and maintenance windows into a TOML text, with every other character left as it was.

The lines of one service are taken apart at the headers of their tables. What stays as it is keeps its lines; a key that
changes does so where it stands; tables that change are written anew in their place.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from changeover.storage.settings.layout import (
    HEALTH_BLOCKS,
    checked,
    header_path,
    health_table,
    in_line,
    is_beside,
    lines_of,
)

_OWN = ("services",)
_HEALTH = ("services", "health")
_WINDOW = ("services", "maintenance")


class _Section(NamedTuple):
    """One table's lines: those beside it that speak of it, and its own from the header on."""

    path: tuple[str, ...]
    lead: str
    body: str


def with_service_check(
    text: str, name: str, health: Mapping[str, Any], maintenance: Sequence[Mapping[str, Any]]
) -> str:
    """`text` with this health check and these maintenance windows of a service; as it is where that is not there.

    Raises ChangeoverError where the text is laid out in a way that cannot be edited.
    """
    if text and not text.endswith("\n"):
        text += "\n"
    wanted = tomllib.loads(text)
    services = wanted.get("services", [])
    number = next((n for n, service in enumerate(services) if service["name"] == name), None)
    if number is None:
        return text
    service = services[number]
    lines = text.splitlines(keepends=True)
    start, end = lines_of(lines, _OWN, number) or (0, 0)
    sections = _sections(lines[start:end])
    if repr(health) != repr(service.get("health", {})):  # unlike ==, it tells true from 1
        sections = _with_health(sections, service.pop("health", {}), health)
        if health:
            service["health"] = dict(health)
    if list(maintenance) != service.get("maintenance", []):
        sections = _with_windows(sections, service.pop("maintenance", []), maintenance)
        if maintenance:
            service["maintenance"] = list(maintenance)
    made = "".join(section.lead + section.body for section in sections)
    return checked("".join((*lines[:start], made, *lines[end:])), wanted)


def _sections(lines: Sequence[str]) -> list[_Section]:
    starts = [number for number, line in enumerate(lines) if header_path(line) is not None]
    found = []
    lead = 0
    for start, following in zip(starts, [*starts[1:], len(lines)], strict=True):
        end = following
        while is_beside(lines[end - 1]):
            end -= 1
        path = header_path(lines[start]) or ()
        found.append(_Section(path, "".join(lines[lead:start]), "".join(lines[start:end])))
        lead = end
    return found


def _with_health(sections: list[_Section], old: Mapping[str, Any], new: Mapping[str, Any]) -> list[_Section]:
    """The sections with this health check, which differs from what was there."""
    sections = _without_key(sections, "health")
    changed = {key for key in (*old, *new) if repr(old.get(key)) != repr(new.get(key))} if new else set(old)
    sections = _left(sections, lambda s: not _of_health(s) or (bool(new) and not changed & set(s.path[2:3])))
    first = next((n for n, s in enumerate(sections) if _of_health(s)), None)
    if first is None:
        return _put(sections, 1, health_table(new))
    keys = {key: new[key] for key in new if key in changed and key not in HEALTH_BLOCKS}
    at = next((n for n, s in enumerate(sections) if s.path == _HEALTH), None)
    if at is None:  # only tables within it are there
        sections = _put(sections, first, health_table(keys))
    else:
        gone = {key for key in changed if key in HEALTH_BLOCKS or key not in new}
        sections[at] = sections[at]._replace(body=_edited(sections[at].body, _HEALTH, gone, keys))
    last = max(n for n, s in enumerate(sections) if _of_health(s))
    return _put(sections, last + 1, health_table({key: new[key] for key in HEALTH_BLOCKS if key in changed & set(new)}))


def _of_health(section: _Section) -> bool:
    return section.path[:2] == _HEALTH


def _with_windows(
    sections: list[_Section], old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]
) -> list[_Section]:
    """The sections with these windows, which differ from what was there. A window that stays keeps its lines."""
    sections = _without_key(sections, "maintenance")
    there = [section for section in sections if section.path == _WINDOW]
    known = list(zip(old, there, strict=False)) if len(old) == len(there) else []
    at = next((n for n, s in enumerate(sections) if s.path == _WINDOW), len(sections))
    made = []
    for window in new:
        same = next((pair for pair in known if pair[0] == window), None)
        if same is not None:
            known.remove(same)
            made.append(same[1])
        else:
            made.append(_Section(_WINDOW, "\n", _dumped("maintenance", [dict(window)])))
    rest = [s for s in sections[at:] if s.path != _WINDOW]
    comments = "".join(pair[1].lead for pair in known if pair[1].lead.strip())
    if comments and rest:
        rest[0] = rest[0]._replace(lead=comments + rest[0].lead)
    elif comments:
        made.append(_Section((), comments, ""))
    return [*sections[:at], *made, *rest]


def _without_key(sections: list[_Section], key: str) -> list[_Section]:
    """The sections without what the service's own lines say of `key`, in one line or with dots."""
    own = tomllib.loads(sections[0].body)["services"][0]
    if key not in own:
        return sections
    return [sections[0]._replace(body=_edited(sections[0].body, _OWN, {key}, {})), *sections[1:]]


def _edited(body: str, path: tuple[str, ...], gone: Iterable[str], put: Mapping[str, Any]) -> str:
    """The lines of one table, without those keys and with these."""
    import tomlkit

    document = tomlkit.parse(body)
    table: Any = document
    for key in path:
        table = table[key]
    if path == _OWN:
        table = table[0]
    for key in gone:
        table.pop(key, None)
    for key, value in put.items():
        table[key] = in_line(value)
    return tomlkit.dumps(document)


def _left(sections: list[_Section], stays: Callable[[_Section], bool]) -> list[_Section]:
    """The sections that stay. A comment above one that goes is kept."""
    return [
        section if stays(section) else _Section((), section.lead, "")
        for section in sections
        if stays(section) or section.lead.strip()
    ]


def _put(sections: list[_Section], at: int, health: Mapping[str, Any]) -> list[_Section]:
    """The sections with new tables of a health check before the one at `at`; as they are where there is none."""
    if not health:
        return sections
    return [*sections[:at], _Section(_HEALTH, "\n", _dumped("health", health)), *sections[at:]]


def _dumped(key: str, value: Any) -> str:
    import tomlkit

    return tomlkit.dumps({"services": {key: value}})
