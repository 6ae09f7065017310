"""What the settings must say of accounts, and of all else whose keys a provider or a platform declares."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from changeover.model.settings.account_fields import option_fields
from changeover.model.settings.platform import AccountKinds
from changeover.model.settings.service import Account
from changeover.storage.settings.reader import Faults, below, read_fields

#: What people would call a secret's key.
_SECRETS = ("secret", "token", "password", "api_token", "key")


def read_account(name: str, table: object, faults: Faults, kinds: AccountKinds) -> Account | None:
    """One account, its own keys checked against what its provider declares."""
    place = below("accounts", name)
    before = len(faults.pairs)
    try:
        account_name(name)
    except ValueError as error:
        faults.add(place, str(error))
    known = ", ".join(f'"{provider}"' for provider in kinds.names)
    if not isinstance(table, Mapping):
        faults.add(place, "must be a table with a provider")
        return None
    provider = table.get("provider")
    if provider is None:
        faults.add(below(place, "provider"), f"missing; it must be one of {known}")
        return None
    if not isinstance(provider, str) or provider not in kinds.names:
        near = nearest_kind(provider, kinds) if isinstance(provider, str) else None
        meant = f'did you mean "{near}"? ' if near else ""
        text = f"{provider!r} is not a provider that this version knows; {meant}known: {known}"
        faults.add(below(place, "provider"), text)
        return None
    kind = kinds.of(provider)
    options = read_options(table, kind.options, place, faults, kind.faults)
    fields = [field.name for field in option_fields(kind.options)]
    secrets = {*_SECRETS, *(field.name for field in kind.secrets(options))}
    others = [key for key in table if key not in fields and key != "provider"]
    for key in [key for key in others if key in secrets]:
        text = f"secrets are never kept in this file; give it to: changeover account add {name} … --secret-stdin"
        faults.add(below(place, key), text)
    faults.unknown_keys({key: None for key in others if key not in secrets}, fields, place)
    return None if len(faults.pairs) > before else Account(name, provider, msgspec.to_builtins(options))


def read_options(
    table: Mapping[str, Any],
    declared: type[Struct],
    place: str,
    faults: Faults,
    wrong: Callable[[Any], Iterable[tuple[str, str]]],
) -> Struct:
    """Those keys of `table` that are declared. What is missing or wrong is blank, with a fault; `wrong` finds more."""
    fields = {field.name: field for field in option_fields(declared)}
    values = read_fields({key: table[key] for key in table if key in fields}, declared, place, faults)
    options = declared(**{key: values.get(key, field.blank) for key, field in fields.items()})
    told = set(fields) - set(values)
    for key, right in wrong(options):
        if key not in told:
            faults.add(below(place, key), f"must be {right}")
            told.add(key)
    return options


def nearest_kind(text: str, kinds: AccountKinds) -> str | None:
    """What may be meant by a name that none has: one that is called so, or is written alike."""
    word = text.strip().lower()
    called = [name for name in kinds.names if len(word) > 2 and word in kinds.of(name).label.lower()]
    return next(iter((*called, *difflib.get_close_matches(word, kinds.names, n=1))), None)


def account_name(text: str) -> str:
    """The name of an account: it stands in the keyring, in commands and in log lines."""
    if not text or not text.isprintable() or any(character in text for character in ":@/\\ "):
        raise ValueError("an account's name has no spaces, colons, slashes or @")
    return text
