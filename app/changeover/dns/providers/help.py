"""What a provider declares of its accounts, in words: for the commands, the window and docs/providers.md."""

from __future__ import annotations

import shlex
from typing import Any

from changeover.dns.provider import ProviderType
from changeover.dns.providers import PROVIDERS, provider_type
from changeover.model.settings.account_fields import (
    AccountKind,
    OptionField,
    SecretField,
    every_secret,
    option_fields,
    secret_fields,
)

#: The one that stands for many others.
_FOR_OTHERS = "lexicon"
#: The name of an account in examples.
EXAMPLE = "dns-main"


def every_provider() -> list[tuple[str, ProviderType]]:
    """By name, in the order of their labels; one that stands for others comes last."""
    kinds = [(name, provider_type(name)) for name in PROVIDERS]
    return sorted(kinds, key=lambda pair: (pair[0] == _FOR_OTHERS, pair[1].label.lower()))


def sentence(text: str) -> str:
    """`text`, which may be a part of a sentence, as one."""
    text = text.strip()
    first, rest = text[:1], text[1:]
    # What is written as a name stays so: minimum_ttl, expand-alias.
    word = text.split(maxsplit=1)[0] if text else ""
    begun = first.upper() + rest if word.isalpha() and word.islower() else text
    return begun if not begun or begun.endswith((".", "!", "?")) else f"{begun}."


def as_written(value: Any) -> str:
    """A value as one types it."""
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def about_option(field: OptionField) -> str:
    """What a key means, what may stand there, and what stands there otherwise."""
    told = [sentence(field.option.help), "Several have commas between them." if field.several else ""]
    if field.choices:
        told.append(f"One of: {', '.join(map(str, field.choices))}")
    elif field.option.example and field.option.example != as_written(field.default):
        told.append(f"Such as: {field.option.example}")
    return " ".join(filter(None, told))


def about_secret(field: SecretField) -> list[str]:
    """What a secret is, where one makes it, the least that it must be allowed, and its looks: a line for each."""
    told = (("where", field.link), ("least permission", field.permission), ("looks like", field.example))
    return [sentence(field.help), *(f"{heading}: {text}" for heading, text in told if text)]


def example_command(provider: str, kind: AccountKind, account: str = EXAMPLE) -> str:
    """How one adds an account at this provider: with what is needed, and no more. It asks for the secrets."""
    secrets = every_secret(kind)
    few = secret_fields(kind, {}) != secrets  # there are more where another key is given
    needed = [f for f in option_fields(kind.options) if f.required or (few and f.default is None and f.option.example)]
    sets = [f" --set {field.name}={shlex.quote(field.option.example or 'VALUE')}" for field in needed]
    command = f"changeover account add {account} --provider {provider}{''.join(sets)}"
    if not secrets:
        return command
    from_file = len(secrets) == 1 and secrets[0].several_lines
    return f"{command} --secret-stdin{' < FILE' if from_file else ''}"
