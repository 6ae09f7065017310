"""`service`: which web applications there are, and where each of them runs."""

from __future__ import annotations

from collections.abc import Sequence

import click
from msgspec.structs import replace

from changeover.accounts.kinds import KINDS
from changeover.commands.accounts import options_of, secret_input
from changeover.commands.session import DONE, CommandSession, command, json_option, print_json, print_table, say, show
from changeover.model.dns.change import ZoneAt
from changeover.model.errors import UsageError
from changeover.model.foreign_text import escaped
from changeover.model.formatting import counted
from changeover.model.health.check import HealthCheck
from changeover.model.secret import Secret
from changeover.model.settings.account_fields import LONGEST_SECRET
from changeover.model.settings.acting_parts import sending
from changeover.model.settings.service import Answer, Deployment, Marker, Service, Settings
from changeover.storage.settings.action_tables import action_table
from changeover.storage.settings.layout import actions_text


@click.group()
def service() -> None:
    """Services: web applications with a primary and a backup."""


@service.command()
@click.argument("name")
@click.option("--hostname", "hostnames", multiple=True, required=True, metavar="H", help="A name that visitors use.")
@click.option("--dns", "zones", multiple=True, required=True, metavar="ACCOUNT:ZONE", help="Where its zone is.")
@click.option(
    "--deployment",
    "deployments",
    multiple=True,
    required=True,
    metavar="NAME=ANSWER",
    help="a:192.0.2.1,aaaa:2001:db8::1 or cname:app.example.net; the first is the primary.",
)
@click.option(
    "--platform",
    "platforms",
    multiple=True,
    metavar="DEPLOYMENT=ACCOUNT[,KEY=VALUE…]",
    help="What runs it, by the account that steers it, and the platform's own keys: primary=heroku-me,app=shop-prod.",
)
@click.option("--template", "templated", is_flag=True, help="With the steps that its platforms make possible.")
@click.option("--path", default="/", show_default=True, help="What a health check asks for.")
@click.option("--marker", "markers", multiple=True, metavar="DEPLOYMENT:HEADER=VALUE", help="Proves who answered.")
@json_option
@command
def add(
    name: str,
    hostnames: tuple[str, ...],
    zones: tuple[str, ...],
    deployments: tuple[str, ...],
    platforms: tuple[str, ...],
    templated: bool,
    path: str,
    markers: tuple[str, ...],
    as_json: bool,
) -> int:
    """Add a service."""
    made = Service(
        name=name,
        hostnames=hostnames,
        dns=tuple(_zone(text) for text in zones),
        deployments=_deployments(deployments, markers),
        health=HealthCheck(path=path),
    )
    with CommandSession() as session:
        for text in platforms:
            made = _on_platform(made, text, session.switchboard.settings)
        if templated:
            made = replace(made, actions=session.run(session.switchboard.template(made)))
        session.run(session.switchboard.add_service(made))
    if as_json:
        print_json({"service": name, "added": True})
    steps = f" with {counted(len(made.actions), 'step')} besides DNS" if made.actions else ""
    say(f"Service {name} is added{steps}. Look at it with: changeover status {name}")
    return DONE


def _zone(text: str) -> ZoneAt:
    account, colon, zone = text.partition(":")
    if not (account and colon and zone):
        raise UsageError(f"--dns {text}: not an account and a zone", "Write --dns ACCOUNT:ZONE.")
    return ZoneAt(account=account, zone=zone)


def _deployments(texts: Sequence[str], markers: Sequence[str]) -> tuple[Deployment, ...]:
    marked = dict(_marker(text) for text in markers)
    found = []
    for text in texts:
        name, equals, answer = text.partition("=")
        if not (name and equals and answer):
            raise UsageError(f"--deployment {text}: no answer", "Write NAME=a:192.0.2.1 or NAME=cname:HOST.")
        found.append(Deployment(name=name, answer=_answer(text, answer), marker=marked.pop(name, None)))
    if marked:
        known = ", ".join(deployment.name for deployment in found)
        text = f"--marker names {', '.join(marked)}, which is no deployment of this service"
        raise UsageError(text, f"Deployments: {known}")
    return tuple(found)


def _on_platform(service: Service, text: str, settings: Settings) -> Service:
    """The service with one deployment on a platform."""
    name, equals, rest = text.partition("=")
    account_name, *pairs = rest.split(",")
    if service.deployment(name) is None or not (equals and account_name):
        raise UsageError(f"--platform {text}: no deployment and account", "Write --platform DEPLOYMENT=ACCOUNT.")
    account = settings.account(account_name)
    kind = None if account is None else KINDS.platform(account.provider)
    if account is None or kind is None:
        able = [a.name for a in settings.accounts if KINDS.platform(a.provider) is not None]
        raise UsageError(
            f"--platform {text}: there is no account {account_name} at a platform",
            f"Accounts at platforms: {', '.join(able) or 'none yet'}",
        )
    options = options_of(kind.target, pairs, "--platform DEPLOYMENT=ACCOUNT,KEY=VALUE")
    changed = (
        replace(d, platform=account.provider, account=account.name, options=options) if d.name == name else d
        for d in service.deployments
    )
    return replace(service, deployments=tuple(changed))


def _answer(whole: str, text: str) -> Answer:
    values: dict[str, list[str]] = {}
    for part in text.split(","):
        kind, colon, value = part.partition(":")
        if kind not in ("a", "aaaa", "cname", "alias") or not colon or not value:
            raise UsageError(f"--deployment {whole}: {part!r} is no answer", "Write a:…, aaaa:…, cname:… or alias:….")
        values.setdefault(kind, []).append(value)
    for kind in ("cname", "alias"):
        if len(values.get(kind, ())) > 1:
            raise UsageError(f"--deployment {whole}: more than one {kind}", "A deployment has one.")
    return Answer(
        cname=next(iter(values.get("cname", ())), None),
        alias=next(iter(values.get("alias", ())), None),
        a=tuple(values.get("a", ())),
        aaaa=tuple(values.get("aaaa", ())),
    )


def _marker(text: str) -> tuple[str, Marker]:
    deployment, _, rest = text.partition(":")
    header, equals, value = rest.partition("=")
    if not (deployment and header and equals and value):
        raise UsageError(f"--marker {text}: incomplete", "Write --marker DEPLOYMENT:HEADER=VALUE.")
    return deployment, Marker(header=header, value=value)


@service.command()
@click.argument("name")
@click.argument("field")
@click.option("--secret-stdin", is_flag=True, required=True, help="Read the secret from standard input.")
@json_option
@command
def secret(name: str, field: str, secret_stdin: bool, as_json: bool) -> int:
    """Keep a secret that a service names: in the keyring, not in the settings.

    A journey or an action names it as {secret:FIELD}, a deployment's database as its connection string.
    """
    text = secret_input().removesuffix("\n").removesuffix("\r")
    if not text:
        raise UsageError("Standard input is empty", "Send the secret there, for example from a password manager.")
    if not text.isprintable() or len(text) > LONGEST_SECRET:
        raise UsageError("This is no secret in one line", "Send it alone, without line breaks and control characters.")
    given = Secret(text)
    with CommandSession() as session:
        board = session.switchboard
        session.run(board.add_service_secret(name, field, given))
        places = sending(board.service(name), field)
        parts = [part for part in session.run(board.trust.parts()) if part.place in places]
    if as_json:
        print_json({"service": name, "secret": field, "added": True})
    for part in parts:  # who gives it says by that where it goes
        say(f"{part.words}:", *(f"  {escaped(what)}: {escaped(how)}" for what, how in part.lines))
    say(f"The secret {field} of {name} is in the keyring. Try it with: changeover check {name} --to DEPLOYMENT")
    return DONE


@service.command()
@click.argument("name")
@json_option
@command
def template(name: str, as_json: bool) -> int:
    """Steps of a switch besides DNS that the platforms of a service make possible, for its settings.

    Nothing is changed: put what fits below the service in the settings file.
    """
    with CommandSession() as session:
        of = session.switchboard.service(name)
        tables = [action_table(action) for action in session.run(session.switchboard.template(of))]
    if as_json:
        print_json({"service": name, "actions": tables})
    elif tables:
        show(*actions_text(tables).splitlines())
    else:
        say(f"No platform of {name} can be asked for anything. Name one in its deployments: see changeover platform.")
    return DONE


@service.command("list")
@json_option
@command
def list_(as_json: bool) -> int:
    """Every service with its hostnames and deployments."""
    with CommandSession() as session:
        services = session.switchboard.settings.services
    if as_json:
        rows = [
            {"name": s.name, "hostnames": list(s.hostnames), "deployments": [d.name for d in s.deployments]}
            for s in services
        ]
        print_json({"services": rows})
    elif services:
        table = [(s.name, ", ".join(s.hostnames), ", ".join(d.name for d in s.deployments)) for s in services]
        print_table(("SERVICE", "HOSTNAMES", "DEPLOYMENTS"), table)
    else:
        say("There are no services yet. Add one with: changeover service add")
    return DONE


@service.command()
@click.argument("name")
@json_option
@command
def remove(name: str, as_json: bool) -> int:
    """Remove a service from the settings. Its records and its journal stay as they are."""
    with CommandSession() as session:
        session.run(session.switchboard.remove_service(name))
    if as_json:
        print_json({"service": name, "removed": True})
    say(f"Service {name} is removed from the settings.")
    return DONE
