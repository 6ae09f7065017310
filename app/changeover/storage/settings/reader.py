"""From plain tables to frozen structs, with every fault at once: msgspec names only the first, and not the table."""

from __future__ import annotations

import difflib
import functools
import types
import typing
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Struct

from changeover.model.settings.account_fields import Option
from changeover.storage.settings.values import LARGEST_WRITTEN

S = TypeVar("S", bound=Struct)


class Check(NamedTuple):
    """What must hold among some fields of a struct. It runs where these are in order, whatever the others are.

    `add_faults` is called with the faults, the struct's place and the fields' values. What is not in order within a
    list or table is None there.
    """

    fields: tuple[str, ...]
    add_faults: Callable[..., None]


class Rule(NamedTuple):
    """What a struct must be beyond its types.

    `fields` has, by field, what gives the canonical value or raises ValueError. For a list it is called with each item,
    for a table with each pair of key and value. `written` has, by field, what is made of a value as the file has it
    before its type is looked at. `read` reads the whole struct where its table is laid out otherwise: it is called with
    the table, its place and the faults, and gives None where there are some. `former` has, by a key's former name, the
    field that it is now: files that have it are read as before.
    """

    fields: Mapping[str, Callable[[Any], Any]] = MappingProxyType({})
    checks: Sequence[Check] = ()
    written: Mapping[str, Callable[[object], object]] = MappingProxyType({})
    read: Callable[[object, str, Faults], Any] | None = None
    former: Mapping[str, str] = MappingProxyType({})


Rules = Mapping[type[Struct], Rule]


class Faults:
    """Collects sentences, each with the place in the file that it speaks of; `pairs` has the two apart."""

    def __init__(self) -> None:
        self.pairs: list[tuple[str, str]] = []

    @property
    def sentences(self) -> list[str]:
        return [f"{place}: {text}" for place, text in self.pairs]

    def add(self, place: str, text: str) -> None:
        self.pairs.append((place, text))

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
    before = len(faults.pairs)
    values = read_fields(table, kind, place, faults, rules)
    return kind(**values) if len(faults.pairs) == before else None


def read_fields(
    table: object, kind: type[Struct], place: str, faults: Faults, rules: Rules = MappingProxyType({})
) -> dict[str, Any]:
    """The fields of a `kind` that are in order, in canonical form, defaults included; a fault for everything else."""
    if not isinstance(table, Mapping):
        faults.add(place, f"must be a table, not {said(table)}")
        return {}
    fields = _fields(kind)
    rule = rules.get(kind, Rule())
    for key in [key for key, now in rule.former.items() if key in table and now in table]:
        faults.add(below(place, key), f"leave it out; it is the former name of {rule.former[key]}, which is set too")
    table = {rule.former.get(key, key): value for key, value in table.items()}
    faults.unknown_keys(table, [f.encode_name for f in fields], place)
    values: dict[str, Any] = {}
    for field in fields:
        where = below(place, field.encode_name)
        if field.encode_name not in table:
            if field.default is not NODEFAULT:
                values[field.name] = field.default
            elif field.default_factory is not NODEFAULT:
                values[field.name] = field.default_factory()
            else:
                faults.add(where, f"missing; it must be {_words(field.type)}")
            continue
        before = len(faults.pairs)
        given = rule.written.get(field.name, _as_it_is)(table[field.encode_name])
        value = _read(given, field.type, where, faults, rules)
        if field.name in rule.fields:
            value = _canonical(value, rule.fields[field.name], where, faults)
        if value is not None or len(faults.pairs) == before:
            values[field.name] = value
    for check in rule.checks:
        if all(name in values for name in check.fields):
            check.add_faults(faults, place, *(values[name] for name in check.fields))
    return values


@functools.cache
def _fields(kind: type[Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """What a struct has. msgspec evaluates its annotations each time, which thousands of services would feel."""
    return msgspec.structs.fields(kind)


def _as_it_is(value: object) -> object:
    return value


def _canonical(value: Any, canonical: Callable[[Any], Any], place: str, faults: Faults) -> Any:
    def one(item: Any, where: str) -> Any:
        try:
            return None if item is None else canonical(item)
        except ValueError as error:
            faults.add(where, str(error))
            return None

    if isinstance(value, tuple):
        return tuple(one(item, place) for item in value)
    if isinstance(value, dict):
        pairs = (one(pair, f'{place}."{pair[0]}"') for pair in value.items() if pair[1] is not None)
        return dict(pair for pair in pairs if pair is not None)
    return one(value, place)


def _read(value: object, kind: Any, place: str, faults: Faults, rules: Rules) -> Any:
    inner = _without_none(kind)
    arguments = get_args(inner)
    if isinstance(inner, type) and issubclass(inner, Struct):
        own = rules.get(inner, Rule()).read
        return own(value, place, faults) if own is not None else read_struct(value, inner, place, faults, rules)
    if get_origin(inner) is tuple and isinstance(value, list):
        places = add_namesakes(faults, place, value)
        return tuple(_read(v, arguments[0], p, faults, rules) for v, p in zip(value, places, strict=True))
    if get_origin(inner) is dict and isinstance(value, Mapping):
        return {key: _read(item, arguments[1], f'{place}."{key}"', faults, rules) for key, item in value.items()}
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        faults.add(place, f"must be {_words(kind)}, not {said(value)}")
        return None


def add_namesakes(faults: Faults, place: str, items: Sequence[object]) -> list[str]:
    """Adds a fault for each table of a list that has the name of an earlier one, and gives the places of all items."""
    places = [item_place(place, number, item) for number, item in enumerate(items)]
    names = [item.get("name") if isinstance(item, Mapping) else None for item in items]
    add_same_names(faults, ((n, below(where, "name")) for n, where in zip(names, places, strict=True)))
    return places


def add_same_names(faults: Faults, names: Iterable[tuple[object, str]]) -> None:
    """Adds a fault for each name, given with its place, that people or a disk could take for an earlier one.

    Those that differ only in case, or in how Unicode writes the same letters, are the same to both.
    """
    known: dict[str, str] = {}
    for name, where in names:
        if not isinstance(name, str):
            continue
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
        if folded not in known:
            known[folded] = name
        elif known[folded] == name:
            faults.add(where, "another one has this name; each needs its own")
        else:
            faults.add(where, f'another one is called "{known[folded]}", which differs only in how it is written')


def item_place(place: str, number: int, item: object) -> str:
    """The place of one item of a list: by its name where it has one, else by its number from 1."""
    name = item.get("name") if isinstance(item, Mapping) else None
    return below(place, name) if isinstance(name, str) and name else f"{place}[{number + 1}]"


def _without_none(kind: Any) -> Any:
    if get_origin(kind) is typing.Annotated:
        return _without_none(get_args(kind)[0])
    if get_origin(kind) in (typing.Union, types.UnionType):
        members = [member for member in get_args(kind) if member is not type(None)]
        return _without_none(members[0]) if len(members) == 1 else kind
    return kind


def _words(kind: Any) -> str:
    if get_origin(kind) is typing.Annotated:
        return _annotated_words(*get_args(kind))
    limited = [member for member in get_args(kind) if get_origin(member) is typing.Annotated]
    if get_origin(kind) in (typing.Union, types.UnionType) and len(limited) == 1:
        return _words(limited[0])
    inner = _without_none(kind)
    arguments = get_args(inner)
    if get_origin(inner) is typing.Literal:
        return _one_of([f'"{choice}"' for choice in arguments])
    if get_origin(inner) in (typing.Union, types.UnionType):
        return _one_of([_words(member) for member in arguments if member is not int or float not in arguments])
    if get_origin(inner) is tuple and get_origin(arguments[0]) is typing.Literal:
        first, second, *_ = get_args(arguments[0])
        return f'a list such as ["{first}", "{second}"]'
    if get_origin(inner) is tuple:
        return 'a list of texts, such as ["one", "two"]' if arguments[0] is str else "a list of tables"
    if get_origin(inner) is dict or (isinstance(inner, type) and issubclass(inner, Struct)):
        return "a table"
    return {int: "a whole number", float: "a number", str: "a text in quotes", bool: "true or false"}[inner]


def _annotated_words(kind: Any, *notes: Any) -> str:
    """The type's words with its limits, an example, and what it means."""
    words, inner = _words(kind), _without_none(kind)
    for note in notes:
        if isinstance(note, msgspec.Meta):
            limits = (("at least", note.ge), ("at most", note.le))
            told = " and ".join(f"{sign} {limit}" for sign, limit in limits if limit is not None)
            words += f" of {told}" if told else ""
        elif isinstance(note, Option):
            if note.example and get_origin(inner) is tuple:
                words = f'a list of texts such as ["{note.example}"]'
            elif note.example and get_origin(inner) is not typing.Literal:
                words += f' such as "{note.example}"' if inner is str else f" such as {note.example}"
            words += f" ({note.help.rstrip('.')})" if note.help else ""
    return words


def _one_of(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def said(value: object) -> str:
    """A value of the file in a sentence that says what it is."""
    if isinstance(value, str):
        return f'the text "{value}"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) > LARGEST_WRITTEN:
        return "a huge number"
    if isinstance(value, int | float):
        return f"the number {value}"
    return "a list" if isinstance(value, list) else "a table" if isinstance(value, Mapping) else f"{value}"
