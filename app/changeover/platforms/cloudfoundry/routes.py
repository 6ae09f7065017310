"""Where a route leads, and maintenance by it: pure functions of its destinations.

In maintenance a route leads to the page app; what it led to before stays with it, held under names of processes that
no app has ("held-web" for "web"), to which the router has nothing to send. So it is done by one request for a route,
whole or not at all; the route itself tells what is to be put back, to whoever looks, and taking it back is exact.
The API takes destinations of processes that do not exist (cloud_controller_ng, UpdateRouteDestinations: it maps those
processes that there are).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from changeover.platforms.cloudfoundry.resources import CfDestination, CfOfApp

_HELD = "held-"


def leads_to(guid: str) -> CfDestination:
    """The web process of an app, at its usual port."""
    return CfDestination(app=CfOfApp(guid=guid))


def in_maintenance(destinations: Sequence[CfDestination], page: str) -> bool:
    """Does all of it lead to the page app, with something held?"""
    led = [one for one in destinations if not _is_held(one)]
    return 0 < len(led) < len(destinations) and all(one.app.guid == page for one in led)


def with_page(destinations: Sequence[CfDestination], page: str) -> tuple[CfDestination, ...]:
    """The same route in maintenance."""
    if in_maintenance(destinations, page):
        return tuple(destinations)
    return (leads_to(page), *(_renamed(one, _HELD + one.app.process.type) for one in destinations))


def without_page(destinations: Sequence[CfDestination], page: str) -> tuple[CfDestination, ...]:
    """What a route in maintenance led to before."""
    if not in_maintenance(destinations, page):
        return tuple(destinations)
    return tuple(_renamed(one, one.app.process.type.removeprefix(_HELD)) for one in destinations if _is_held(one))


def without_app(destinations: Sequence[CfDestination], app: str, page: str) -> tuple[CfDestination, ...]:
    """The same route, not leading to `app` any more; without the page, where nothing is left that it stands for."""
    left = tuple(one for one in destinations if one.app.guid != app)
    if in_maintenance(destinations, page) and not any(map(_is_held, left)):
        return ()
    return left


def sent(destinations: Sequence[CfDestination]) -> dict[str, Any]:
    """The destinations as a request has them."""
    return {"destinations": [_sent(one) for one in destinations]}


def _sent(one: CfDestination) -> dict[str, Any]:
    told: dict[str, Any] = {"app": {"guid": one.app.guid, "process": {"type": one.app.process.type}}}
    if one.port is not None:
        told["port"] = one.port
    if one.protocol is not None:
        told["protocol"] = one.protocol
    if one.weight is not None:
        told["weight"] = one.weight
    return told


def _is_held(one: CfDestination) -> bool:
    return one.app.process.type.startswith(_HELD)


def _renamed(one: CfDestination, process: str) -> CfDestination:
    return replace(one, app=replace(one.app, process=replace(one.app.process, type=process)))
