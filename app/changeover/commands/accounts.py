"""`account`: credentials at DNS providers. The secret goes to the keyring and nowhere else."""

from __future__ import annotations

import json
import sys
from typing import Any

import click
import msgspec

from changeover.commands.session import DONE, REFUSED, Session, command, json_option, print_json, print_table, say
from changeover.model.errors import UsageError


@click.group()
def account() -> None:
    """Accounts at DNS providers."""


@account.command()
@click.argument("name")
@click.option("--provider", required=True, help="rfc2136, cloudflare, powerdns or desec.")
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="A key of this provider's account table.")
@click.option("--secret-stdin", is_flag=True, help="Read the secret from standard input.")
@click.option("--replace", is_flag=True, help="Replace an account of this name.")
@json_option
@command
def add(name: str, provider: str, sets: tuple[str, ...], secret_stdin: bool, replace: bool, as_json: bool) -> int:
    """Add an account: its secret to the keyring, the rest to the settings."""
    options = _options(provider, sets)
    secrets = _secrets(provider, options, sys.stdin.read()) if secret_stdin else {}
    with Session() as session:
        board = session.switchboard
        session.run(board.add_account(name, provider, options, secrets, replace=replace))
        (row,) = [row for row in session.run(board.accounts()) if row.name == name]
    if as_json:
        print_json({"account": name, "provider": provider, "secret": row.secret})
    say(f"Account {name} is added. Try it with: changeover account verify {name}")
    return DONE


def _options(provider: str, sets: tuple[str, ...]) -> dict[str, Any]:
    """The account's keys, as their types want them. What does not fit stays text, and is complained about later."""
    from changeover.dns.providers import PROVIDERS, provider_type

    fields = msgspec.structs.fields(provider_type(provider).options) if provider in PROVIDERS else ()
    kinds = {field.encode_name: field.type for field in fields}
    options: dict[str, Any] = {}
    for text in sets:
        key, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--set {text}: a value is missing", "Write --set key=value.")
        kind = kinds.get(key.strip())
        if kind is int and value.isdecimal():
            options[key.strip()] = int(value)
        elif kind is bool and value in ("true", "false"):
            options[key.strip()] = value == "true"
        else:
            options[key.strip()] = value
    return options


def _secrets(provider: str, options: dict[str, Any], text: str) -> dict[str, str]:
    """What standard input holds: a JSON object of secrets, or the one secret as text."""
    from changeover.dns.providers import PROVIDERS, provider_type
    from changeover.storage.accounts import checked_account

    if provider not in PROVIDERS:
        raise UsageError(f"There is no provider {provider}", f"Providers: {', '.join(PROVIDERS)}")
    kind = provider_type(provider)
    typed = msgspec.convert(checked_account("new", provider, options).options, kind.options)
    fields = [field.name for field in kind.secrets(typed)]
    if len(fields) == 1:
        secret = text.removesuffix("\n").removesuffix("\r")
        if not secret:
            raise UsageError("Standard input is empty", "Send the secret there, for example from a password manager.")
        return {fields[0]: secret}
    if not fields:
        raise UsageError("This account takes no secret", "Leave out --secret-stdin.")
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise UsageError("Standard input is not a JSON object of texts", f"It needs: {', '.join(fields)}")
    return found


@account.command("list")
@json_option
@command
def list_(as_json: bool) -> int:
    """Every account, and where its secret is."""
    with Session() as session:
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
@json_option
@command
def verify(name: str, as_json: bool) -> int:
    """Prove that an account can read its zones, and say whether it may change them."""
    with Session() as session:
        found = session.run(session.switchboard.verify_account(name))
    if as_json:
        said = {"account": name, "ok": found.ok, "zones": list(found.zones), "may_write": found.may_write}
        print_json({**said, "text": found.text, "hint": found.hint})
    say(found.text)
    for zone in found.zones:
        say(f"  {zone}")
    if found.hint:
        say(found.hint)
    return DONE if found.ok else REFUSED


@account.command()
@click.argument("name")
@json_option
@command
def remove(name: str, as_json: bool) -> int:
    """Remove an account that no service uses, and its secret."""
    with Session() as session:
        session.run(session.switchboard.remove_account(name))
    if as_json:
        print_json({"account": name, "removed": True})
    say(f"Account {name} is removed.")
    return DONE
