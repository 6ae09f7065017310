"""What an account's keys and secrets are, as each provider declares them once.

The window's form, `account add`, the check of the settings file and docs/providers.md are all made from this. A key
of the settings file is a field of the provider's `Options`, with its words beside its type:

    class Options(Struct, frozen=True, forbid_unknown_fields=True):
        server: Annotated[str, Option("Server", "Host or host:port of the primary name server", "ns1.shop.example")]
        project: Annotated[str, Option("Project", "The project's id", "shop-prod", pattern=r"[a-z][a-z0-9-]{4,28}")]
"""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from msgspec import Struct


class Option(Struct, frozen=True):
    """How a key is told to people. `pattern` is a regular expression for the whole text, empty where any will do."""

    label: str
    help: str
    example: str = ""
    pattern: str = ""


class SecretField(Struct, frozen=True, kw_only=True):
    """A secret that an account needs. It is kept in the keyring under `name`.

    `link` is where a person makes it, `permission` the least that it must be allowed to do. `pattern` is a regular
    expression that every secret of this kind matches as a whole, empty where any text may be one.
    """

    name: str
    label: str
    help: str
    link: str = ""
    permission: str = ""
    pattern: str = ""
    example: str = ""


class OptionField(Struct, frozen=True, kw_only=True):
    """One key of an account's table in the settings file. `default` is None where it is required or may be left out."""

    name: str
    option: Option
    type: Any
    required: bool
    default: Any


def option_fields(options: type[Struct]) -> tuple[OptionField, ...]:
    """The keys of an account, in the order of their declaration."""
    return tuple(_option_fields(options))


def _option_fields(options: type[Struct]) -> Iterator[OptionField]:
    hints = typing.get_type_hints(options, include_extras=True)
    for field in msgspec.structs.fields(options):
        hint = hints[field.name]
        declared = None
        if typing.get_origin(hint) is Annotated:
            hint, *notes = typing.get_args(hint)
            declared = next((note for note in notes if isinstance(note, Option)), None)
        yield OptionField(
            name=field.encode_name,
            option=declared or Option(field.encode_name.replace("_", " ").capitalize(), ""),
            type=hint,
            required=field.required,
            default=None if field.default is msgspec.NODEFAULT else field.default,
        )


def misfits(options: Struct) -> list[tuple[str, str]]:
    """The texts that do not match their pattern: (key, what would be right)."""
    return [
        (field.name, f'such as "{field.option.example}": {field.option.help}')
        for field in _option_fields(type(options))
        if field.option.pattern
        and isinstance(value := getattr(options, field.name), str)
        and (value or field.required)
        and not re.fullmatch(field.option.pattern, value)
    ]
