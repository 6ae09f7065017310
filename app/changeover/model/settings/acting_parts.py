"""The parts of the settings that can act, or that decide where a secret goes, beside what was approved of them.

Settings may come from elsewhere, such as git. Watching without secrets and changing records need nobody's approval: a
plan is shown first. What these parts do is done only once a person of this computer has approved just that.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec
from msgspec import Struct

from changeover.model.formatting import counted
from changeover.model.health.check import JourneyStep
from changeover.model.settings.action import Action, CommandLine, HttpCall, Operation, PlatformCall, operation_words
from changeover.model.settings.deployment_database import DeploymentDatabase
from changeover.model.settings.placeholders import secrets_of, secrets_of_call
from changeover.model.settings.service import LookupSettings, Service, Settings
from changeover.model.settings.service_secrets import (
    DATABASE_HOST,
    calls_of,
    database_secrets,
    host_of,
    origin_of_call,
    origin_of_journeys,
    vault_name,
)

#: What a part says, in words: (what, how it is).
Lines = tuple[tuple[str, str], ...]
#: Stands for the folder of the settings file, so that a path is the same on every computer.
_FOLDER = "SETTINGS_FOLDER"
_SLASH = r"[/\\]"
#: What may stand around the name of a file within one argument: "--file=x", "@x", a line for a shell.
_AROUND = re.compile(r"""[\s=@:,;&|<>(){}"'`$]+""")

#: Is said once to who comes from an older version.
TAKEN_OVER = (
    "From this version on, what others change in the settings acts only once you have approved it. What stands there "
    "now was in use before, and is approved."
)


class Files(Protocol):
    """The files that settings name."""

    def content(self, path: str) -> str:
        """What tells a file's content from every other; empty where there is no such file."""
        ...

    def beside(self, word: str) -> str | None:
        """The path, from the settings' folder, of the file that `word` names, where it came with the settings."""
        ...

    def whole(self, relative: str) -> str:
        """The whole path of one of these."""
        ...


class Credential(Struct, frozen=True, kw_only=True):
    """An account that has secrets: `options` are its keys that are not as usual, `host` is where these go."""

    provider: str
    options: Mapping[str, object]
    fields: tuple[str, ...]
    host: str


class BoundSecret(Struct, frozen=True, kw_only=True):
    """A secret, by its names in the keyring, and what it is bound to: the part that it is for, the host that it goes
    to, and what stands for all the rest that decides where it goes, such as scheme, port and certificates."""

    owner: str
    field: str
    place: str
    host: str
    bound: str


class ActingPart(Struct, frozen=True, kw_only=True):
    """One part: where it stands in the settings, what it is called, and all that it says. No secret is in it.

    `owner` is whose secrets it sends, by the name that the keyring has them under.
    """

    place: str
    words: str
    lines: Lines
    owner: str

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.place, self.lines)


class Unapproved(Struct, frozen=True, kw_only=True):
    """A part that this computer has not approved as it is. `was` is what was approved of it, None where nothing was."""

    part: ActingPart
    was: Lines | None = None

    @property
    def words(self) -> str:
        return f"{self.part.words} {'is new' if self.was is None else 'has changed'}"

    @property
    def rows(self) -> tuple[tuple[str, str, str], ...]:
        """What differs: ("-" or "+", what, how it is), and with " " what stays, in the order of the settings."""
        was = self.was or ()
        kept = [line for line in was if line in self.part.lines]
        gone = [("-", *line) for line in was if line not in kept]
        rows: list[tuple[str, str, str]] = []
        for line in self.part.lines:
            rows += [row for row in gone if row[1] == line[0]]
            gone = [row for row in gone if row[1] != line[0]]
            rows.append((" " if line in kept else "+", *line))
        return (*rows, *gone)


def fingerprint(place: str, lines: Lines) -> str:
    """What tells a part from all others."""
    return _fingerprint((place, lines))


def fingerprint_of(parts: Sequence[ActingPart]) -> str:
    """What tells these parts from all others, on whichever computer."""
    return _fingerprint(sorted((part.place, part.lines) for part in parts))


def unapproved(parts: Sequence[ActingPart], approved: Mapping[str, Lines]) -> tuple[Unapproved, ...]:
    """Those of `parts` that are not as they were approved; `approved` has by place what was."""
    return tuple(
        Unapproved(part=part, was=approved.get(part.place)) for part in parts if approved.get(part.place) != part.lines
    )


def unapproved_words(closed: Sequence[Unapproved]) -> str:
    """What is said of parts that may not act, in windows and by commands."""
    number = counted(len(closed), "part")
    return f"The settings changed outside Changeover: {number} may not act until you have seen them."


def only(settings: Settings, places: Collection[str]) -> Settings:
    """`settings` with no other accounts and services than those that have these places."""
    names = {place.split("/")[1] for place in places if place.startswith("services/")}
    return Settings(
        accounts=tuple(account for account in settings.accounts if account_place(account.name) in places),
        services=tuple(service for service in settings.services if service.name in names),
        lookup=settings.lookup,
    )


def places_of(service: Service) -> tuple[str, ...]:
    """Where the parts of a service may stand: actions, where calls go, journeys with secrets, databases, accounts."""
    accounts = sorted(service.accounts)
    actions = (action_place(service.name, action.name) for action in service.actions)
    own = (place(service.name) for place in (calls_place, steering_place, journeys_place, databases_place))
    return (*actions, *own, *(account_place(name) for name in accounts))


def sending(service: Service, secret: str) -> tuple[str, ...]:
    """Where the parts of a service stand that send this secret."""
    places = [journeys_place(service.name)] if secret in carrying(service) else []
    for action in service.actions:
        if any(secret in secrets_of_call(call) for call in calls_of(action)):
            places += [action_place(service.name, action.name), calls_place(service.name)]
    if secret in database_secrets(service):
        places.append(databases_place(service.name))
    return tuple(dict.fromkeys(places))


def deciding(service: Service, action: Action) -> tuple[str, ...]:
    """Where the parts stand that must be approved for an action to be done; none for one that does nothing itself."""
    if not acts(action):
        return ()
    calls = (calls_place(service.name),) if _asks(action, HttpCall) else ()
    steering = (steering_place(service.name),) if _asks(action, PlatformCall) else ()
    return (action_place(service.name, action.name), *calls, *steering)


def account_place(name: str) -> str:
    return f"accounts/{name}"


def action_place(service: str, name: str) -> str:
    return f"services/{service}/actions/{name}"


def calls_place(service: str) -> str:
    return f"services/{service}/calls"


def steering_place(service: str) -> str:
    return f"services/{service}/steering"


def journeys_place(service: str) -> str:
    return f"services/{service}/journeys"


def databases_place(service: str) -> str:
    return f"services/{service}/databases"


def acting_parts(settings: Settings, credentials: Mapping[str, Credential], files: Files) -> tuple[ActingPart, ...]:
    """Every part of `settings`, in their order. `credentials` are by account."""
    parts = [account_part(a.name, credentials[a.name], files) for a in settings.accounts if a.name in credentials]
    for service in settings.services:
        parts += [action_part(service, action, files) for action in service.actions if acts(action)]
        if any(_asks(action, HttpCall) for action in service.actions):
            parts.append(calls_part(service, settings.lookup, files))
        if any(_asks(action, PlatformCall) for action in service.actions):
            parts.append(steering_part(service))
        if carrying(service):
            parts.append(_journeys(service, settings.lookup, files))
        if database_secrets(service):
            parts.append(databases_part(service))
    return tuple(parts)


def bound_secrets(settings: Settings, credentials: Mapping[str, Credential], files: Files) -> tuple[BoundSecret, ...]:
    """Every secret that the settings name, once for each way that it goes."""
    found = []
    for name, credential in credentials.items():
        bound, place = account_part(name, credential, files).fingerprint, account_place(name)
        found += [
            BoundSecret(owner=name, field=field, place=place, host=credential.host, bound=bound)
            for field in credential.fields
        ]
    for service in settings.services:
        owner, place = vault_name(service.name), journeys_place(service.name)
        bound, host = bound_of_journeys(service, files), service.hostnames[0]
        found += [
            BoundSecret(owner=owner, field=field, place=place, host=host, bound=bound) for field in carrying(service)
        ]
        for action in service.actions:
            place = action_place(service.name, action.name)
            found += [
                BoundSecret(
                    owner=owner,
                    field=field,
                    place=place,
                    host=host_of(call),
                    bound=bound_of_call(service, call, files),
                )
                for call in calls_of(action)
                for field in secrets_of_call(call)
            ]
        place = databases_place(service.name)
        found += [
            BoundSecret(
                owner=owner,
                field=deployment.database.secret,
                place=place,
                host=DATABASE_HOST,
                bound=bound_of_database(deployment.database),
            )
            for deployment in service.deployments
            if deployment.database is not None
        ]
    return tuple(dict.fromkeys(found))


def bound_of_journeys(service: Service, files: Files) -> str:
    return _fingerprint((origin_of_journeys(service), _trusted(service, files)))


def bound_of_call(service: Service, call: HttpCall, files: Files) -> str:
    return _fingerprint((origin_of_call(call), _trusted(service, files)))


def bound_of_database(database: DeploymentDatabase) -> str:
    return _fingerprint(database.kind)


def acts(action: Action) -> bool:
    """Does it do something by itself, rather than wait or have a person do it?"""
    return any(_asks(action, kind) for kind in (CommandLine, HttpCall, PlatformCall))


def _asks(action: Action, kind: type[Struct]) -> bool:
    return isinstance(action.operation, kind) or isinstance(action.undo, kind)


def carrying(service: Service) -> tuple[str, ...]:
    """The secrets that the service's journeys carry."""
    return secrets_of(step for journey in service.health.journeys for step in journey.steps)


def account_part(name: str, credential: Credential, files: Files) -> ActingPart:
    """An account that has secrets. These are bound to its fingerprint."""
    lines = [("provider", credential.provider), ("its secret goes to", credential.host)]
    for key, value in credential.options.items():
        lines.append((key, _file(str(value), files) if key == "ca_file" else _text(value)))
    return ActingPart(place=account_place(name), words=f"Account {name}", lines=tuple(lines), owner=name)


def action_part(service: Service, action: Action, files: Files) -> ActingPart:
    """An action, be it one of the settings or of a run, with what is in its files now."""
    lines = [("phase", str(action.phase))]
    if action.to:
        lines.append(("for switches to", ", ".join(action.to)))
    usual = Action(name="", phase=action.phase, operation=action.operation)
    for key in ("needs", "timeout", "repeatable", "together"):
        if (value := getattr(action, key)) != getattr(usual, key):
            lines.append((key, _text(value)))
    lines += _operation("does", action.operation, service, files)
    if action.undo is not None:
        lines += _operation("is taken back by", action.undo, service, files)
    place, words = action_place(service.name, action.name), f"Action {action.name} of {service.name}"
    return ActingPart(place=place, words=words, lines=tuple(lines), owner=vault_name(service.name))


def asked_part(service: Service, action: Action, files: Files) -> ActingPart:
    """One operation that a person asks of a platform, with which app it goes to and by which account."""
    part, steering = action_part(service, action, files), steering_part(service)
    place = f"services/{service.name}/operations/{action.name}"
    return ActingPart(place=place, words=part.words, lines=(*part.lines, *steering.lines), owner=part.owner)


def _operation(verb: str, operation: Operation, service: Service, files: Files) -> Iterator[tuple[str, str]]:
    match operation:
        case CommandLine(command=command):
            beside = {word: path for word in command if (path := files.beside(word)) is not None}
            words = [f"{_FOLDER}/{beside[word]}" if word in beside else word for word in command]
            yield verb, f"run {shlex.join(words)}"
            yield from _files_of(verb, command, files)
        case HttpCall(url=url, method=method, headers=headers, body=body):
            yield verb, f"{method} {url}"
            for name, value in headers.items():
                yield f"{verb}, header {name}", value
            if body is not None:
                yield f"{verb}, body", body
        case PlatformCall(options=options):
            yield verb, operation_words(operation)
            for key, value in options.items():
                yield f"{verb}, {key}", _text(value)
        case _:
            yield verb, operation_words(operation)


def _files_of(verb: str, command: Sequence[str], files: Files) -> Iterator[tuple[str, str]]:
    """What is in the files that a command names. Somebody who can write the settings can write these as well."""
    parts = (part for word in command for part in (word, *_AROUND.split(word)) if part)
    for path in dict.fromkeys(path for part in parts if (path := files.beside(part)) is not None):
        yield f"{verb}, file {path}", f"SHA-256 {files.content(files.whole(path))}"


def calls_part(service: Service, lookup: LookupSettings, files: Files) -> ActingPart:
    """What decides where the calls of a service's actions go, besides their URLs."""
    lines = [("certificates", _authority(service, files)), *_resolvers(lookup)]
    place, words = calls_place(service.name), f"What decides where calls of {service.name} go"
    return ActingPart(place=place, words=words, lines=tuple(lines), owner=vault_name(service.name))


def steering_part(service: Service) -> ActingPart:
    """What is asked where an action asks the platform of a deployment: which app, with which account."""
    lines = []
    for deployment in service.deployments:
        at = {"platform": deployment.platform, "account": deployment.account, **deployment.options}
        lines += [(f"{deployment.name}, {key}", _text(value)) for key, value in at.items() if value is not None]
    place, words = steering_place(service.name), f"What actions of {service.name} ask of platforms"
    return ActingPart(place=place, words=words, lines=tuple(lines), owner=vault_name(service.name))


def databases_part(service: Service) -> ActingPart:
    """Which database is asked, and made the primary, where a deployment's is meant."""
    lines = []
    for deployment in service.deployments:
        if deployment.database is not None:
            lines.append((f"{deployment.name}, kind", deployment.database.kind))
            lines.append((f"{deployment.name}, secret", deployment.database.secret))
    place, words = databases_place(service.name), f"Which databases the deployments of {service.name} have"
    return ActingPart(place=place, words=words, lines=tuple(lines), owner=vault_name(service.name))


def _journeys(service: Service, lookup: LookupSettings, files: Files) -> ActingPart:
    hostname = service.hostnames[0]
    zone = service.zone_of(hostname)
    lines = [("secrets", _listed(carrying(service))), ("go to", origin_of_journeys(service))]
    lines.append(("certificates", _authority(service, files)))
    for deployment in service.deployments:
        answer = deployment.answer_for(hostname)
        lines.append((f"at {deployment.name}", answer.target or _listed((*answer.a, *answer.aaaa))))
    lines += _resolvers(lookup)
    if zone in lookup.nameservers:
        lines.append((f"name servers of {zone}", _listed(lookup.nameservers[zone])))
    for number, journey in enumerate(service.health.journeys, start=1):
        if secrets_of(journey.steps):
            lines.append((f"journey {number}", journey.name))
            for at, step in enumerate(journey.steps, start=1):
                lines += _step(f"journey {number}, step {at}", step)
    place, words = journeys_place(service.name), f"Where the secrets of {service.name}'s journeys go"
    return ActingPart(place=place, words=words, lines=tuple(lines), owner=vault_name(service.name))


def _step(label: str, step: JourneyStep) -> Iterator[tuple[str, str]]:
    yield label, f"{step.method} {step.path}"
    for name, value in step.headers.items():
        yield f"{label}, header {name}", value
    if step.body is not None:
        yield f"{label}, body", step.body
    for name, source in step.capture.items():
        yield f"{label}, then {{{name}}} is", source


def _resolvers(lookup: LookupSettings) -> Iterator[tuple[str, str]]:
    yield "resolvers", _listed(lookup.resolvers)
    if lookup.system_resolvers is not None:
        yield "then the system's resolvers", "yes" if lookup.system_resolvers else "no"


def _authority(service: Service, files: Files) -> str:
    """Whose certificates are believed."""
    own = service.health.ca_file
    return "those that this computer believes" if own is None else f"those, and {_file(own, files)}"


def _trusted(service: Service, files: Files) -> str:
    return "" if service.health.ca_file is None else files.content(service.health.ca_file)


def _file(path: str, files: Files) -> str:
    content = files.content(path)
    return f"{re.split(_SLASH, path)[-1]}, {f'SHA-256 {content}' if content else 'which is not there'}"


def _listed(texts: Sequence[str]) -> str:
    return ", ".join(texts) or "none"


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _fingerprint(what: object) -> str:
    return hashlib.sha256(msgspec.json.encode(what)).hexdigest()
