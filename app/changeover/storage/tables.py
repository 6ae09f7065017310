"""From plain tables to frozen structs, with every fault at once: msgspec names only the first, and not the table."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Struct

S = TypeVar("S", bound=Struct)


class Rule(NamedTuple):
    """What a struct must be beyond its types.

    `fields` has, by field, what gives the canonical value or raises ValueError; a list's is for each of its items.
    `whole` looks at a struct whose fields are all in order, adds faults, and gives it in canonical form.
    """

    fields: Mapping[str, Callable[[Any], Any]] = MappingProxyType({})
    whole: Callable[[Any, str, Faults], Any] = lambda struct, place, faults: struct


Rules = Mapping[type[Struct], Rule]


class Faults:
    """Collects sentences, each with the place in the file that it speaks of."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def add(self, place: str, text: str) -> None:
        self.sentences.append(f"{place}: {text}")

    def unknown_keys(self, table: Mapping[str, Any], known: Iterable[str], place: str) -> None:
        """A fault for each key of `table` that is not known, with the nearest one that is."""
        names = list(known)
        for key in table:
            if key not in names:
                near = difflib.get_close_matches(key, names, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(names)}"
                self.add(below(place, key), f"unknown key; {hint}")


def below(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key


def read_struct(
    table: object, kind: type[S], place: str, faults: Faults, rules: Rules = MappingProxyType({})
) -> S | None:
    """`table` as a `kind` in canonical form, or None with every fault added; structs within it likewise."""
    if not isinstance(table, Mapping):
        faults.add(place, f"must be a table, not {_said(table)}")
        return None
    before = len(faults.sentences)
    fields = msgspec.structs.fields(kind)
    rule = rules.get(kind, Rule())
    faults.unknown_keys(table, [f.encode_name for f in fields], place)
    values = {}
    for field in fields:
        where = below(place, field.encode_name)
        if field.encode_name not in table:
            if field.default is NODEFAULT and field.default_factory is NODEFAULT:
                faults.add(where, f"missing; it must be {_words(field.type)}")
            continue
        value = _read(table[field.encode_name], field.type, where, faults, rules)
        if field.name in rule.fields and value is not None:
            value = _canonical(value, rule.fields[field.name], where, faults)
        values[field.name] = value
    if len(faults.sentences) != before:
        return None
    whole = rule.whole(kind(**values), place, faults)
    return whole if len(faults.sentences) == before else None


def _canonical(value: Any, canonical: Callable[[Any], Any], place: str, faults: Faults) -> Any:
    many = isinstance(value, tuple)
    found = []
    for item in value if many else (value,):
        try:
            found.append(canonical(item))
        except ValueError as error:
            faults.add(place, str(error))
    return tuple(found) if many else found[0] if found else None


def _read(value: object, kind: Any, place: str, faults: Faults, rules: Rules) -> Any:
    inner = _without_none(kind)
    arguments = get_args(inner)
    if _is_struct(inner):
        return read_struct(value, inner, place, faults, rules)
    if get_origin(inner) is tuple and _is_struct(arguments[0]):
        if not isinstance(value, list):
            faults.add(place, f"must be a list of tables, not {_said(value)}")
            return None
        places = [item_place(place, number, item) for number, item in enumerate(value)]
        read = [read_struct(v, arguments[0], p, faults, rules) for v, p in zip(value, places, strict=True)]
        return tuple(struct for struct in read if struct is not None)
    if get_origin(inner) is dict and _is_struct(arguments[1]):
        if not isinstance(value, Mapping):
            faults.add(place, f"must be a table, not {_said(value)}")
            return None
        return {key: read_struct(item, arguments[1], f'{place}."{key}"', faults, rules) for key, item in value.items()}
    try:
        return msgspec.convert(value, inner)
    except msgspec.ValidationError:
        faults.add(place, f"must be {_words(kind)}, not {_said(value)}")
        return None


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Struct)


def item_place(place: str, number: int, item: object) -> str:
    """The place of one table of a list: by its name where it has one, else by its number from 1."""
    name = item.get("name") if isinstance(item, Mapping) else None
    return below(place, name) if isinstance(name, str) and name else f"{place}[{number + 1}]"


def _without_none(kind: Any) -> Any:
    if get_origin(kind) in (typing.Union, types.UnionType):
        members = [member for member in get_args(kind) if member is not type(None)]
        return members[0] if len(members) == 1 else kind
    return kind


def _words(kind: Any) -> str:
    inner = _without_none(kind)
    if get_origin(inner) is typing.Literal:
        return " or ".join(f'"{choice}"' for choice in get_args(inner))
    if get_origin(inner) is tuple:
        return 'a list of texts, such as ["one", "two"]' if get_args(inner)[0] is str else "a list of tables"
    if get_origin(inner) is dict or (isinstance(inner, type) and issubclass(inner, Struct)):
        return (
            'a table of lists, such as { "shop.example" = ["127.0.0.1:5301"] }'
            if get_origin(inner) is dict
            else "a table"
        )
    return {int: "a whole number", float: "a number", str: "a text in quotes", bool: "true or false"}[inner]


def _said(value: object) -> str:
    if isinstance(value, str):
        return f'the text "{value}"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"the number {value}"
    return "a list" if isinstance(value, list) else "a table" if isinstance(value, Mapping) else f"{value}"
