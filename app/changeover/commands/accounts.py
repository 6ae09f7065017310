"""`account`: credentials at DNS providers and platforms. The secret goes to the keyring and nowhere else."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC
from typing import Any

import click
from msgspec import Struct

from changeover.accounts.accounts import checked_account, known_account, known_kind
from changeover.accounts.kinds import KINDS, every_kind
from changeover.commands.session import (
    DONE,
    REFUSED,
    CommandSession,
    command,
    json_option,
    print_json,
    print_table,
    say,
    show,
)
from changeover.dns.providers.help import about_option, about_secret, as_written, example_command
from changeover.model.errors import UsageError
from changeover.model.formatting import counted
from changeover.model.secret import Secret
from changeover.model.settings.account_fields import (
    LONGEST_SECRET,
    AccountKind,
    OptionField,
    SecretField,
    every_secret,
    option_fields,
    secret_fields,
)

#: Bytes of standard input that are read: several secrets in one object.
_LARGEST_INPUT = 4 * LONGEST_SECRET


@click.group()
def account() -> None:
    """Accounts at DNS providers and platforms."""


@account.command()
@click.argument("name")
@click.option("--provider", required=True, help=f"One of {', '.join(sorted(KINDS.names))}.")
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="A key of this provider's account table.")
@click.option("--secret-stdin", is_flag=True, help="Read the secret from standard input; on a terminal, ask for it.")
@click.option("--replace", is_flag=True, help="Replace an account of this name.")
@json_option
@command
def add(name: str, provider: str, sets: tuple[str, ...], secret_stdin: bool, replace: bool, as_json: bool) -> int:
    """Add an account: its secret to the keyring, the rest to the settings.

    What a provider takes is told by: changeover account providers PROVIDER
    """
    options = options_of(known_kind(provider).options, sets, "--set key=value")
    secrets = _given(name, provider, options) if secret_stdin else {}
    with CommandSession() as session:
        board = session.switchboard
        session.run(board.add_account(name, provider, options, secrets, replace=replace))
        (row,) = [row for row in session.run(board.accounts()) if row.name == name]
    if as_json:
        print_json({"account": name, "provider": provider, "secret": row.secret})
    say(f"Account {name} is added. Try it with: changeover account verify {name}")
    return DONE


def options_of(declared: type[Struct], pairs: Sequence[str], how: str) -> dict[str, Any]:
    """Each KEY=VALUE as the declared key's type wants it. What does not fit stays text, and is complained about later.

    `how` is the way to write them, for the error.
    """
    fields = {field.name: field for field in option_fields(declared)}
    options: dict[str, Any] = {}
    for text in pairs:
        key, equals, value = text.partition("=")
        key = key.strip()
        if not equals:
            raise UsageError(f"{text}: a value is missing", f"Write {how}.")
        options[key] = fields[key].value_of(value) if key in fields else value
    return options


def _given(name: str, provider: str, options: dict[str, Any]) -> dict[str, Secret]:
    """The account's secrets, asked for on a terminal; else what standard input holds."""
    fields = secret_fields(known_kind(provider), options)
    if not fields:
        checked_account(name, provider, options, {})  # says what is wrong with the options, if anything is
        raise UsageError("This account takes no secret", "Leave out --secret-stdin.")
    if sys.stdin.isatty():
        return _asked(fields)
    text = secret_input()
    if len(fields) == 1:
        return {fields[0].name: Secret(text.removesuffix("\n").removesuffix("\r"))}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise UsageError("Standard input is not a JSON object of texts", f"It needs: {_object(fields)}")
    return {key: Secret(value) for key, value in found.items()}


def secret_input() -> str:
    """What standard input holds. Raises UsageError where that is no text, or no end of it comes."""
    raw = sys.stdin.buffer.read(_LARGEST_INPUT + 1)
    if len(raw) > _LARGEST_INPUT:
        raise UsageError(f"Standard input has more than {_LARGEST_INPUT} bytes", "Send the secret alone.")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise UsageError("Standard input is no text in UTF-8", "Send the secret as it was given to you.") from None


def _asked(fields: Sequence[SecretField]) -> dict[str, Secret]:
    """What a person types or pastes, without showing it."""
    for field in fields:
        if field.several_lines:
            what = "it" if len(fields) == 1 else _object(fields)
            raise UsageError(
                f"The {field.label} has several lines, which cannot be typed here",
                f"Send a file with {what}: changeover account add … --secret-stdin < FILE",
            )
    found = {}
    for field in fields:
        for line in about_secret(field):
            say(line)
        found[field.name] = Secret(click.prompt(field.label, hide_input=True, err=True))
    return found


def _object(fields: Sequence[SecretField]) -> str:
    return json.dumps({field.name: "…" for field in fields}, ensure_ascii=False)


@account.command()
@click.argument("name", required=False)
@json_option
@command
def providers(name: str | None, as_json: bool) -> int:
    """The DNS providers and platforms, or the keys and secrets that an account at one of them takes."""
    if name is not None:
        return _tell_provider(name, known_kind(name), as_json)
    kinds = every_kind()
    if as_json:
        rows = [{"name": key, "label": kind.label, "is": _is(key), "tested": kind.tested} for key, kind in kinds]
        print_json({"providers": rows})
    else:
        table = [(key, kind.label, _is(key), kind.tested) for key, kind in kinds]
        print_table(("PROVIDER", "IS", "FOR", "TESTED AGAINST"), table)
        say("What an account at one of them takes: changeover account providers PROVIDER")
    return DONE


def _is(name: str) -> str:
    return "DNS" if name in KINDS.providers else "platform"


def _tell_provider(name: str, kind: AccountKind, as_json: bool) -> int:
    secrets = every_secret(kind)
    platform = KINDS.platform(name)
    example = example_command(name, kind, *([f"{name}-me"] if platform is not None else []))
    target = () if platform is None else option_fields(platform.target)
    if as_json:
        told = {"name": name, "label": kind.label, "is": _is(name), "tested": kind.tested}
        keys = [_key(field) for field in option_fields(kind.options)]
        told_of = ("name", "label", "help", "link", "permission", "example")
        words = [{key: getattr(secret, key) for key in told_of} for secret in secrets]
        more = {} if platform is None else {"deployment_keys": [_key(field) for field in target]}
        print_json({**told, "keys": keys, "secrets": words, "command": example, **more})
        return DONE
    show(kind.label, f"Tested against {kind.tested}.", "", "Keys, each given with --set KEY=VALUE:")
    _print_keys(option_fields(kind.options))
    if target:
        show("", "Keys of a deployment there, beside platform and account:")
        _print_keys(target)
    if secrets:
        show("", "Secrets, asked for on a terminal or read from standard input:")
    for secret in secrets:
        show(f"  {secret.name}: {secret.label}", *(f"      {line}" for line in about_secret(secret)))
    if len(secrets) > 1:
        show(f"  A program sends them as one JSON object: {_object(secrets)}")
    show("", *example.splitlines())
    return DONE


def _print_keys(fields: Sequence[OptionField]) -> None:
    for field in fields:
        default = "needed" if field.required else as_written(field.default) if field.default else ""
        show(f"  {field.name}{f'  ({default})' if default else ''}", f"      {about_option(field)}")


def _key(field: OptionField) -> dict[str, Any]:
    return {
        "name": field.name,
        "label": field.option.label,
        "help": field.option.help,
        "required": field.required,
        "default": field.default,
        "choices": list(field.choices),
        "example": field.option.example,
    }


@account.command("list")
@json_option
@command
def list_(as_json: bool) -> int:
    """Every account, and where its secret is."""
    with CommandSession() as session:
        rows = session.run(session.switchboard.accounts())
    if as_json:
        print_json({"accounts": [{"name": r.name, "provider": r.provider, "secret": r.secret} for r in rows]})
    elif rows:
        print_table(("ACCOUNT", "PROVIDER", "SECRET"), [(r.name, r.provider, r.secret) for r in rows])
    else:
        say("There are no accounts yet. Add one with: changeover account add")
    return DONE


@account.command()
@click.argument("name")
@click.option("--secret-stdin", is_flag=True, help="Read the secret from standard input; on a terminal, ask for it.")
@json_option
@command
def secret(name: str, secret_stdin: bool, as_json: bool) -> int:
    """Give the secret of an account that stands in the settings already, for example from a team's git."""
    if not secret_stdin:
        raise UsageError("The secret is read from standard input, or asked for on a terminal", "Say --secret-stdin.")
    with CommandSession() as session:
        board = session.switchboard
        found = known_account(board.settings, name)
        session.run(board.keep_account_secrets(name, _given(name, found.provider, found.options)))
        (row,) = [row for row in session.run(board.accounts()) if row.name == name]
    if as_json:
        print_json({"account": name, "provider": found.provider, "secret": row.secret})
    say(f"The secret of {name} is kept. Try it with: changeover account verify {name}")
    return DONE


@account.command()
@click.argument("name")
@click.option("--zone", metavar="ZONE", help="A zone that it is about to be used for.")
@json_option
@command
def verify(name: str, zone: str | None, as_json: bool) -> int:
    """Prove that an account can read its zones or apps, and say what its credential may do, and for how long."""
    with CommandSession() as session:
        found = session.run(session.switchboard.verify_account(name, zone))
    if as_json:
        said = {
            "account": name,
            "ok": found.ok,
            "tried": found.tried,
            "zones": list(found.zones),
            "may_write": found.may_write,
        }
        more = {
            "writable": None if found.writable is None else list(found.writable),
            "expires": None if found.expires is None else found.expires.astimezone(UTC).isoformat(),
            "warnings": list(found.warnings),
            "apps": [{"name": app.name, "keys": app.keys} for app in found.apps],
        }
        print_json({**said, **more, "text": found.text, "hint": found.hint})
    say(found.text)
    for text in found.warnings:
        say(f"Look: {text}")
    for text in found.notes:
        say(text)
    if found.zones:
        say(f"It sees {counted(len(found.zones), 'zone')}:")
    for one in (*found.zones, *(app.name for app in found.apps)):
        say(f"  {one}")
    if found.hint:
        say(found.hint)
    return DONE if found.ok else REFUSED


@account.command()
@click.argument("name")
@json_option
@command
def remove(name: str, as_json: bool) -> int:
    """Remove an account that no service uses, and its secret."""
    with CommandSession() as session:
        session.run(session.switchboard.remove_account(name))
    if as_json:
        print_json({"account": name, "removed": True})
    say(f"Account {name} is removed.")
    return DONE
