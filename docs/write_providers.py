"""Writes docs/providers.md and docs/platforms.md from what every one declares: keys, secrets, what it can do.

usage: python docs/write_providers.py
"""

from __future__ import annotations

import importlib
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from changeover.dns.provider import ProviderType
from changeover.dns.providers import PROVIDERS
from changeover.dns.providers.help import EXAMPLE, about_option, every_provider, example_command, sentence
from changeover.model.dns.capabilities import Capabilities
from changeover.model.secret import Secret
from changeover.model.settings.account_fields import AccountKind, OptionField, SecretField, every_secret, option_fields
from changeover.model.settings.platform import PlatformOperation
from changeover.platforms import PLATFORMS, platform_type
from changeover.platforms.platform import PlatformType

FILE, PLATFORMS_FILE = Path(__file__).with_name("providers.md"), Path(__file__).with_name("platforms.md")
INTRODUCTION = (
    "# DNS providers",
    "<!-- Written by `make providers` from what each provider declares; change it there. -->",
    "An account at one of these may change the records of a service; `changeover account providers` tells the same. The"
    " secrets are in the keyring. The keys are in the settings file, in the account's table ([settings](settings.md)).",
    "- **Somebody else's change**, made after the records were read: where the provider compares by itself, it refuses"
    " the write. Elsewhere everything is read again right before it, and only a change in the instant between stays"
    " unseen.\n"
    "- **Batch**: one that is atomic is made as a whole or not at all. Record by record, one that fails half way says"
    " what was done.\n"
    "- **At the apex**, the top of the zone, where DNS allows no CNAME: what a deployment's answer can be there besides"
    " addresses.\n"
    "- **Lease**: it keeps two computers from switching at the same time.\n"
    "- **May lag**: for so many seconds after a write, at most, that call may still show what stood before. A run waits"
    " for it, or takes the zone's own name servers as proof of what was written.\n"
    "- **Tested against**: a simulator is written from the documentation and held to recorded answers.",
)


PLATFORMS_INTRODUCTION = (
    "# Platforms",
    "<!-- Written by `make providers` from what each platform declares; change it there. -->",
    "A deployment on one of these is steered with an account whose provider is that platform; `changeover account"
    " providers` tells the same, and `changeover platform SERVICE` what runs there now. A deployment on platform `url`"
    " is any address, with nothing to steer. `changeover service add … --platform DEPLOYMENT=ACCOUNT,KEY=VALUE` names"
    " one. The account's keys are in its own table of the settings file, those of a"
    " deployment in the deployment's ([settings](settings.md)).",
    "An operation is asked for by itself, in the window or by `changeover platform SERVICE DEPLOYMENT VERB --set"
    " KEY=VALUE`, which shows what it does and risks, asks, and does it by a run of its own that can be undone where"
    " something takes it back. Or it is an action of a service, done in a switch:",
    ' `platform = { deployment = "backup", verb = "scale", instances = 3 }`.'
    " What stood before is read and kept in the run's journal first, and an undo puts exactly that back. One that is as"
    " good done twice is simply done again where a run was cut off in its midst; of any other a person says whether.",
)


def document() -> str:
    """The whole docs/providers.md."""
    kinds = every_provider()
    parts = ["\n\n".join(INTRODUCTION), "".join(_table(kinds)).rstrip(), *_parts(kinds)]
    return "\n\n".join(parts) + "\n"


def platforms_document() -> str:
    """The whole docs/platforms.md."""
    parts = [_platform_part(name, platform_type(name)) for name in PLATFORMS]
    return "\n\n".join(["\n\n".join(PLATFORMS_INTRODUCTION), *parts]) + "\n"


def _platform_part(name: str, kind: PlatformType) -> str:
    target = "".join(_key(field) for field in option_fields(kind.target))
    operations = "".join(_operation(operation) for operation in kind.operations)
    return (
        f"{_part(name, kind, importlib.import_module(PLATFORMS[name]).__doc__ or '', f'{name}-me')}\n\n"
        f"Tested against {kind.tested}.\n\n"
        f"A deployment there:\n\n| key | default | meaning |\n|---|---|---|\n| `platform` | needed | `{name}` |\n"
        f"| `account` | needed | the account that steers it |\n{target}\n"
        f"What it can be asked:\n\n| verb | with | does | taken back by | permission | done twice |\n"
        f"|---|---|---|---|---|---|\n{operations.rstrip()}"
    )


def _operation(operation: PlatformOperation) -> str:
    options = [f"`{field.name}`: {field.option.help}" for field in option_fields(operation.options)]
    back = f"`{operation.reverse}`" if operation.reverse is not None else "nothing"
    told = ", to what stood before" if operation.reverse is not None and options else ""
    twice = "as once" if operation.idempotent else "not as once"
    cells = (f"`{operation.verb}`", ", ".join(options), operation.does, back + told, operation.permission, twice)
    return f"| {' | '.join(_cell(cell) for cell in cells)} |\n"


def _table(kinds: list[tuple[str, ProviderType]]) -> Iterator[str]:
    yield "| provider | somebody else's change | batch | at the apex | least TTL | lease | may lag | tested against |\n"
    yield "|---|---|---|---|---|---|---|---|\n"
    for _, kind in kinds:
        columns = [_as_options_say(kind, column) for column in (_compares, _batch, _apex, _ttl, _lease, _lag)]
        yield f"| [{kind.label}](#{_anchor(kind.label)}) | {' | '.join(columns)} | {_cell(kind.tested)} |\n"


def _capabilities(kind: ProviderType, **given: Any) -> Capabilities:
    """What an account can do where only the needed keys are given, and `given`."""
    needed = {f.name: f.value_of(f.option.example) for f in option_fields(kind.options) if f.required}
    options = kind.options(**{**needed, **given})
    secrets = {field.name: Secret(field.example or "x" * 40) for field in kind.secrets(options)}
    return kind.open("dns-main", options, secrets).capabilities


def _as_options_say(kind: ProviderType, column: Callable[[Capabilities], str]) -> str:
    """A column, with what it says where a key that is yes or no, or a number, is another."""
    told = column(_capabilities(kind))
    for field in option_fields(kind.options):
        if bool in field.kinds:
            switched = not field.default
            other = column(_capabilities(kind, **{field.name: switched}))
            if other != told:
                told += f"; with `{field.name} = {str(switched).lower()}` {other}"
        elif int in field.kinds and field.default:
            other = column(_capabilities(kind, **{field.name: field.default // 2}))
            told += f", or what `{field.name}` says" if other != told else ""
    return told


def _compares(can: Capabilities) -> str:
    if not can.native_compare_and_set:
        return "read before the write"
    return "refused by the provider" if can.batch else "refused by the provider, set by set"


def _batch(can: Capabilities) -> str:
    if can.batch is None:
        return "record by record"
    return f"atomic, {can.batch.records} records" if can.batch.records else "atomic, one DNS message"


def _apex(can: Capabilities) -> str:
    told = (["CNAME, flattened"] if can.apex_cname else []) + (["ALIAS"] if can.apex_alias else [])
    return " or ".join(told) or "addresses only"


def _ttl(can: Capabilities) -> str:
    return f"{can.least_ttl} s" if can.least_ttl > 1 else "any"


def _lease(can: Capabilities) -> str:
    return "yes" if can.leases else "no"


def _lag(can: Capabilities) -> str:
    return f"{can.lag.seconds:g} s, `{can.lag.call}`" if can.lag is not None else "no"


def _parts(kinds: list[tuple[str, ProviderType]]) -> Iterator[str]:
    for name, kind in kinds:
        yield _part(name, kind, importlib.import_module(PROVIDERS[name]).__doc__ or "", EXAMPLE)


def _part(name: str, kind: AccountKind, about: str, account: str) -> str:
    keys = "".join(_key(field) for field in option_fields(kind.options))
    secrets = "".join(_secret(field) for field in every_secret(kind))
    return (
        f"## {kind.label}\n\n{_description(about)}\n\n"
        f"| key | default | meaning |\n|---|---|---|\n| `provider` | needed | `{name}` |\n{keys}\n"
        f"{secrets}```\n{example_command(name, kind, account)}\n```"
    )


def _description(about: str) -> str:
    """What a module says first: what it is, and how a change is made; a list that follows belongs to it."""
    paragraphs = about.strip().split("\n\n")
    told = paragraphs[:2]
    if told[-1].endswith(":") and len(paragraphs) > 2:
        told.append(paragraphs[2])
    return "\n\n".join(_reflowed(paragraph) for paragraph in told)


def _reflowed(paragraph: str) -> str:
    """A paragraph in one line, a list with one line for each item."""
    items = re.split(r"\n(?=- )", textwrap.dedent(paragraph))
    return "\n".join(" ".join(item.split()) for item in items)


def _key(field: OptionField) -> str:
    return f"| `{field.name}` | {_default(field)} | {_cell(about_option(field))} |\n"


def _default(field: OptionField) -> str:
    if field.required:
        return "needed"
    if isinstance(field.default, bool):
        return f"`{str(field.default).lower()}`"
    if not field.default:
        return "none"
    return f'`"{field.default}"`' if isinstance(field.default, str) else f"`{field.default}`"


def _secret(field: SecretField) -> str:
    link = f" See [{urlsplit(field.link).hostname}]({field.link})." if field.link else ""
    permission = f" Least permission: {field.permission.rstrip('.')}." if field.permission else ""
    looks = f" It looks like `{field.example}`." if field.example else ""
    return f"**{field.label}** (secret `{field.name}`). {sentence(field.help)}{link}{permission}{looks}\n\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _anchor(heading: str) -> str:
    """The anchor that a heading has in Markdown as the usual forges show it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


if __name__ == "__main__":
    for file, text in ((FILE, document()), (PLATFORMS_FILE, platforms_document())):
        file.write_text(text, encoding="utf-8")
        print(file)
