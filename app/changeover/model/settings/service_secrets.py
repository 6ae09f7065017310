"""Which secrets a service's settings name, and where each of them goes."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from changeover.model.settings.action import Action, HttpCall
from changeover.model.settings.placeholders import secrets_of, secrets_of_call
from changeover.model.settings.service import Service

#: Stands for the host of a connection string, which is within it: no settings can lead it elsewhere. No host's name.
DATABASE_HOST = "the database that it names"


def service_secrets(service: Service) -> dict[str, tuple[str, ...]]:
    """By name, the hosts that a secret is sent to: the first hostname for journeys, the URL's for an action's call.

    A database's connection string says itself where it goes. More than one is a fault of the settings: a secret that
    was added for one host must never reach another.
    """
    found: dict[str, dict[str, None]] = {}
    for name in secrets_of(step for journey in service.health.journeys for step in journey.steps):
        found.setdefault(name, {})[service.hostnames[0]] = None
    for action in service.actions:
        for call in calls_of(action):
            for name in secrets_of_call(call):
                found.setdefault(name, {})[host_of(call)] = None
    for name in database_secrets(service):
        found.setdefault(name, {})[DATABASE_HOST] = None
    return {name: tuple(hosts) for name, hosts in found.items()}


def database_secrets(service: Service) -> tuple[str, ...]:
    """The connection strings that a service's deployments name."""
    return tuple(dict.fromkeys(d.database.secret for d in service.deployments if d.database is not None))


def vault_name(service: str) -> str:
    """Under which name, beside those of accounts, a keyring has the secrets of a service's journeys and actions."""
    return f"service-{service}"


def calls_of(action: Action) -> Iterator[HttpCall]:
    """The HTTP calls of an action: what it does, and what takes it back."""
    return (operation for operation in (action.operation, action.undo) if isinstance(operation, HttpCall))


def host_of(call: HttpCall) -> str:
    """The host that a call goes to. Never part of a secret: a placeholder stands after the host only."""
    return urlsplit(call.url).hostname or ""


def origin_of_call(call: HttpCall) -> str:
    """Scheme, host and port that a call goes to."""
    parts = urlsplit(call.url)
    return _origin(parts.scheme, parts.hostname or "", parts.port)


def origin_of_journeys(service: Service) -> str:
    """Scheme, host and port that the service's journeys go to, at whichever of its deployments."""
    health = service.health
    return _origin("http" if health.scheme == "http" else "https", service.hostnames[0], health.port)


def _origin(scheme: str, host: str, port: int | None) -> str:
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port or (80 if scheme == 'http' else 443)}"
