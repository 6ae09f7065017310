"""`discover`: which account has a hostname's zone, what stands there, and whether its delegation points there."""

from __future__ import annotations

from typing import Any

import click

from changeover.accounts.kinds import dns_accounts
from changeover.commands.session import DONE, REFUSED, CommandSession, command, json_option, print_json, say, show
from changeover.model.dns.change import ZoneAt
from changeover.model.dns.discovery import Asked, DiscoveredZone, Discovery, Operator, entry_text, likely_operator
from changeover.model.dns.records import address_set, hostname
from changeover.model.errors import UsageError
from changeover.model.formatting import ended
from changeover.switchover.report import rows_of


@click.command()
@click.argument("name", metavar="HOSTNAME")
@json_option
@command
def discover(name: str, as_json: bool) -> int:
    """Find the account that has a hostname's zone, and whether the delegation points to it."""
    with CommandSession() as session:
        board = session.switchboard
        host = _hostname(name)
        if not as_json:
            say(f"Asking {', '.join(a.name for a in dns_accounts(board.settings)) or 'the name servers'} …")
        discovery = session.run(board.discover(host))
        users = [s.name for s in board.settings.services if host in s.hostnames]
    if as_json:
        print_json(_discovery_object(discovery))
    else:
        _show(discovery, users)
    return DONE if discovery.found else REFUSED


def _hostname(text: str) -> str:
    try:
        return hostname(text)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _discovery_object(discovery: Discovery) -> dict[str, Any]:
    return {
        "hostname": discovery.hostname,
        "found": [_found_object(one) for one in discovery.found],
        "others": [
            {"account": one.account, "provider": one.provider, "error": one.error, "hint": one.hint}
            for one in discovery.others
        ],
        "zone": discovery.zone,
        "name_servers": list(discovery.name_servers) if discovery.name_servers is not None else None,
        "operators": [{"name": o.label, "provider": o.provider or None} for o in discovery.operators],
        "dns": [{"account": entry.account, "zone": entry.zone} for entry in discovery.entries],
    }


def _found_object(one: DiscoveredZone) -> dict[str, Any]:
    held = one.held
    return {
        "account": one.account,
        "provider": one.provider,
        "zone": held.zone,
        "records": [{"type": r.type, "ttl": r.ttl, "values": list(r.values)} for r in held.records],
        "wildcard": held.wildcard,
        "policy": held.policy,
        "name_servers": list(held.name_servers) if held.name_servers is not None else None,
        "delegation": {"leads": str(one.leads), "text": one.text},
    }


def _show(discovery: Discovery, users: list[str]) -> None:
    for one in discovery.found:
        _show_found(discovery.hostname, one)
    for other in discovery.others:
        show(_other_line(other))
    if not discovery.found:
        _show_missing(discovery)
        return
    if not discovery.entries:
        show("", "There is nothing for the settings file yet. Once the delegation points here, it is:", "")
        for one in discovery.found:
            show(f"  {entry_text([ZoneAt(account=one.account, zone=one.held.zone)])}")
        return
    show("", "For the settings file:", "")
    show(f"  {entry_text(discovery.entries)}", "")
    if users:
        show(f"It belongs to {', '.join(users)} already. Look at it with: changeover status {users[0]}")
        return
    show("Go on with:", "")
    zones = " ".join(f"--dns {entry.account}:{entry.zone}" for entry in discovery.entries)
    show(f"  changeover service add NAME --hostname {discovery.hostname} {zones} \\")
    show(f"    --deployment primary={_answer_now(discovery)} --deployment backup=…")


def _show_found(name: str, one: DiscoveredZone) -> None:
    held = one.held
    show(f"{one.account} ({one.label}) has the zone {held.zone}")
    if held.wildcard:
        show(f"  {name} has no records of its own; a wildcard answers for it")
    else:
        for line in rows_of(held.records):
            show(f"  {name}  {line}")
    if held.policy is not None:
        show(f"  It has a routing policy, which Changeover does not flatten: {held.policy}")
    show(f"  {ended(one.text)}")


def _other_line(other: Asked) -> str:
    if other.error is None:
        return f"{other.account} ({other.label}) does not have the zone"
    return " ".join([f"{other.account} ({other.label}) did not say:", ended(other.error), other.hint]).rstrip()


def _show_missing(discovery: Discovery) -> None:
    if not discovery.others:
        show("There are no accounts yet.")
    else:
        show("", f"No account has the zone of {discovery.hostname}.")
    show(likely_operator(discovery) or "Whose name servers it has is not known: nobody who was asked says it.")
    for operator in discovery.operators:
        if not operator.provider:
            continue
        show("", f"Add an account at {operator.label} with:", "", f"  {_add_command(operator)}")
    if not discovery.operators:
        show("", "Add an account with:", "", "  changeover account add NAME --provider … --secret-stdin", "")
        show("Which providers there are, and what each needs: changeover account providers")


def _add_command(operator: Operator) -> str:
    """The command that adds an account there, with the keys that it must be given."""
    from changeover.dns.providers import PROVIDERS, provider_type
    from changeover.model.settings.account_fields import option_fields, secret_fields

    if operator.provider not in PROVIDERS:
        return "changeover account add NAME --provider … --secret-stdin"
    kind = provider_type(operator.provider)
    known = {"via": operator.via} if operator.via else {}
    values = {f.name: known.get(f.name) or f.option.example or "…" for f in option_fields(kind.options) if f.required}
    words = [f"changeover account add NAME --provider {operator.provider}"]
    words += [f"--set {key}={value}" for key, value in values.items()]
    words += ["--secret-stdin"] if secret_fields(kind, values) != () else []
    return " ".join(words)


def _answer_now(discovery: Discovery) -> str:
    """What stands there now, as `service add` takes it."""
    for one in discovery.found:
        there = [r for r in address_set(one.held.records) if r.type in ("A", "AAAA", "CNAME", "ALIAS")]
        if there and one.held.policy is None:
            return ",".join(f"{r.type.lower()}:{value}" for r in there for value in r.values)
    return "…"
