"""What an account's keys and secrets are, as each provider declares them once.

The window's form, `account add`, the check of the settings file and docs/providers.md are all made from this. A key
of the settings file is a field of the provider's `Options`, with its words beside its type:

    class Options(Struct, frozen=True, forbid_unknown_fields=True):
        server: Annotated[str, Option("Server", "Host or host:port of the primary name server", "ns1.shop.example")]
        project: Annotated[str, Option("Project", "The project's id", "shop-prod", pattern=r"[a-z][a-z0-9-]{4,28}")]
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, Protocol

import msgspec
from msgspec import Struct

from changeover.model.secret import Secret

#: Characters. Key files have a twentieth of that.
LONGEST_SECRET = 64 * 1024


class Option(Struct, frozen=True):
    """How a key is told to people. `pattern` is a regular expression for the whole text, empty where any will do."""

    label: str
    help: str
    example: str = ""
    pattern: str = ""


class SecretField(Struct, frozen=True, kw_only=True):
    """A secret that an account needs. It is kept in the keyring under `name`.

    `link` is where a person makes it, `permission` the least that it must be allowed to do. `pattern` is a regular
    expression that every secret of this kind matches as a whole, empty where any text may be one; one that begins with
    (?s) says that the secret has several lines, such as a key file.
    """

    name: str
    label: str
    help: str
    link: str = ""
    permission: str = ""
    pattern: str = ""
    example: str = ""

    @property
    def several_lines(self) -> bool:
        return self.pattern.startswith("(?s)")

    def fitted(self, secret: Secret) -> Secret | None:
        """`secret` as one of this kind, without what a clipboard puts around it; None where it can be none.

        One that has no lines of its own goes into a header or a message, so it is one line of ASCII.
        """
        text = secret.reveal()
        if secret.is_blank or len(text) > LONGEST_SECRET:
            return None
        if not self.pattern:
            one = text.strip("\r\n")
            return Secret(one) if one.isascii() and one.isprintable() else None
        if not self.several_lines and not (text.strip().isascii() and text.strip().isprintable()):
            return None
        return next((Secret(one) for one in (text, text.strip()) if re.fullmatch(self.pattern, one)), None)


class OptionField(Struct, frozen=True, kw_only=True):
    """One key of an account's table in the settings file. `default` is None where it is required or may be left out."""

    name: str
    option: Option
    type: Any
    required: bool
    default: Any

    @property
    def kinds(self) -> tuple[Any, ...]:
        """The types that its value may have, but for None."""
        union = typing.get_origin(self.type) in (typing.Union, types.UnionType)
        members = typing.get_args(self.type) if union else (self.type,)
        bare = (typing.get_args(m)[0] if typing.get_origin(m) is Annotated else m for m in members)
        return tuple(kind for kind in bare if kind is not type(None))

    @property
    def choices(self) -> tuple[Any, ...]:
        """The only values that it may have; empty where there are others."""
        (first, *others) = self.kinds
        return typing.get_args(first) if typing.get_origin(first) is Literal and not others else ()

    @property
    def several(self) -> bool:
        """Is it a list of texts?"""
        return any(typing.get_origin(kind) is tuple for kind in self.kinds)

    @property
    def blank(self) -> Any:
        """What stands for it while it is not known: its default, else an empty value of its type."""
        if not self.required:
            return self.default
        (first, *_) = self.kinds
        if self.choices:
            return self.choices[0]
        return () if typing.get_origin(first) is tuple else first() if first in (str, int, float, bool) else ""

    def value_of(self, text: str) -> object:
        """What was typed, as its type wants it. What does not fit stays text, and is complained about later."""
        for kind in self.kinds:
            if kind is bool and text in ("true", "false"):
                return text == "true"
            if kind is int and re.fullmatch(r"-?[0-9]{1,18}", text):
                return int(text)
            if kind is float and re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", text):
                return float(text)
            if typing.get_origin(kind) is tuple:
                return [item for item in (item.strip() for item in text.split(",")) if item]
        return next((choice for choice in self.choices if str(choice) == text), text)


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


class AccountKind(Protocol):
    """What a DNS provider or a platform declares of its accounts."""

    label: ClassVar[str]
    #: What it was tried against, for people who choose one.
    tested: ClassVar[str]
    #: The account's keys in the settings file; a frozen msgspec Struct with defaults where a key may be left out, and
    #: with words beside each, as above.
    options: ClassVar[type[Struct]]

    @staticmethod
    def secrets(options: Any) -> tuple[SecretField, ...]:
        """The secrets that an account with these options needs; empty where it needs none."""
        ...

    @staticmethod
    def faults(options: Any) -> list[tuple[str, str]]:
        """What is wrong with the options beyond their types: (key, what would be right)."""
        ...

    @staticmethod
    def host(options: Any) -> str:
        """The host that the secret is meant for. A stored secret is refused for any other."""
        ...


def secret_fields(kind: AccountKind, options: Mapping[str, object]) -> tuple[SecretField, ...] | None:
    """The secrets that an account with these options needs, be others still missing; None where one does not fit."""
    filled = {
        f.name: options.get(f.name, f.blank) for f in _option_fields(kind.options) if f.required or f.name in options
    }
    try:
        return kind.secrets(msgspec.convert(filled, kind.options))
    except msgspec.ValidationError:
        return None


def every_secret(kind: AccountKind) -> tuple[SecretField, ...]:
    """The secrets that accounts of this kind may need: those with every key filled in, by its example."""
    filled = {f.name: f.value_of(f.option.example) for f in _option_fields(kind.options) if f.option.example}
    plain, full = secret_fields(kind, {}) or (), secret_fields(kind, filled) or ()
    return (*plain, *(field for field in full if field not in plain))


def misfits(options: Struct) -> list[tuple[str, str]]:
    """The texts that do not match their pattern: (key, what would be right)."""
    return [
        (field.name, f'like "{field.option.example}" ({field.option.help.rstrip(".")})')
        for field in _option_fields(type(options))
        if field.option.pattern
        and isinstance(value := getattr(options, field.name), str)
        and (value or field.required)
        and not re.fullmatch(field.option.pattern, value)
    ]
