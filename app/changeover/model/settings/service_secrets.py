"""Which secrets a service's settings name, and which host each of them is for."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from changeover.model.settings.action import Action, HttpCall
from changeover.model.settings.placeholders import secrets_of, secrets_of_call
from changeover.model.settings.service import Service


def service_secrets(service: Service) -> dict[str, tuple[str, ...]]:
    """By name, the hosts that a secret is sent to: the first hostname for journeys, the URL's for an action's call.

    More than one is a fault of the settings: a secret that was added for one host must never reach another.
    """
    found: dict[str, dict[str, None]] = {}
    for name in secrets_of(step for journey in service.health.journeys for step in journey.steps):
        found.setdefault(name, {})[service.hostnames[0]] = None
    for action in service.actions:
        for call in calls_of(action):
            for name in secrets_of_call(call):
                found.setdefault(name, {})[host_of(call)] = None
    return {name: tuple(hosts) for name, hosts in found.items()}


def calls_of(action: Action) -> Iterator[HttpCall]:
    """The HTTP calls of an action: what it does, and what takes it back."""
    return (operation for operation in (action.operation, action.undo) if isinstance(operation, HttpCall))


def host_of(call: HttpCall) -> str:
    """The host that a call goes to. Never part of a secret: a placeholder stands after the host only."""
    return urlsplit(call.url).hostname or ""
