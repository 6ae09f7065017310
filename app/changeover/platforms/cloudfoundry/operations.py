"""What is done at a Cloud Foundry: which requests, and what became of them. Each is made once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from changeover.dns.http.api import Lost, segment
from changeover.model.errors import Conflict, NotFound, ProviderError, Rejected
from changeover.model.formatting import counted
from changeover.model.settings.action import Verb
from changeover.platforms.cloudfoundry.cloud_controller import CloudController
from changeover.platforms.cloudfoundry.observing import WEB, CfPlace, is_in_maintenance
from changeover.platforms.cloudfoundry.resources import CfApp, CfDestination, CfNamed, CfRoute
from changeover.platforms.cloudfoundry.routes import leads_to, sent, with_page, without_app, without_page
from changeover.platforms.platform import Done, InDoubt

#: Method, path and body of a request that changes something.
Change = tuple[str, str, Mapping[str, Any] | None]


async def made(cloud: CloudController, changes: Sequence[Change], told: str) -> Done | InDoubt:
    """Makes these requests in turn. A refusal is raised only where nothing was changed before it."""
    for number, (method, path, body) in enumerate(changes):
        try:
            await cloud.change(method, path, body)
        except Lost as error:
            return InDoubt(error.text)
        except ProviderError as error:
            if number == 0:
                raise
            return InDoubt(f"{number} of {counted(len(changes), 'change')} were made, then: {error.text}")
    return Done(told)


def on_app(app: CfApp, verb: Verb, options: Any) -> tuple[Change, str]:
    """The one request of what is asked of an app, and what it does in words."""
    path = f"/v3/apps/{segment(app.guid)}"
    match verb:
        case "scale":
            process = options.process or WEB
            body = {"instances": options.instances}
            told = f"{process} of {app.name} is scaled to {counted(options.instances, 'instance')}"
            return ("POST", f"{path}/processes/{segment(process)}/actions/scale", body), told
        case "start":
            return ("POST", f"{path}/actions/start", None), f"{app.name} is started"
        case "stop":
            return ("POST", f"{path}/actions/stop", None), f"{app.name} is stopped"
        case "restart":
            restart = {"strategy": "rolling", "relationships": {"app": {"data": {"guid": app.guid}}}}
            told = f"a rolling deployment of {app.name} began; its instances are replaced one by one"
            return ("POST", "/v3/deployments", restart), told
        case _:
            raise ValueError(f"Cloud Foundry takes no {verb}")


async def maintain(cloud: CloudController, app: CfApp, page: CfApp, on: bool) -> Done | InDoubt:
    """Leads all routes of the app to the page, or back to where they led."""
    if (await cloud.root()).cf_on_k8s:
        raise Rejected(
            "Korifi divides visitors between all that a route leads to, so that no page can take its place",
            "Show a maintenance page in another way.",
        )
    if on and page.state != "STARTED":
        raise Rejected(f"{page.name} is stopped, so that visitors would see no page", f"Start it: cf start {page.name}")
    routes = await _routes(cloud, app)
    if not routes:
        raise Rejected(f"No route leads to {app.name}", "Map its routes first.")
    changes: list[Change] = []
    for route in routes:
        wanted = (with_page if on else without_page)(route.destinations, page.guid)
        if wanted != route.destinations:
            changes.append(_replacement(route, wanted))
    told = f"visitors of {app.name} get {page.name if on else 'it again'} ({counted(len(routes), 'route')})"
    return await made(cloud, changes, told)


async def attach(
    cloud: CloudController, place: CfPlace, app: CfApp, page: CfApp | None, hostname: str
) -> Done | InDoubt:
    """Maps the hostname's route to the app; makes it, where there is none."""
    domain = await _domain(cloud, place, hostname)
    host = "" if domain.name == hostname else hostname.partition(".")[0]
    named = {"host": host} if host else {}
    there = await cloud.listed("/v3/routes", CfRoute, domain_guids=domain.guid, **({"hosts": host} if host else {}))
    route = next((one for one in there if one.hostname == hostname and one.host == host), None)
    if route is not None and route.relationships.space.guid not in ("", place.space.guid):
        raise Conflict(f"{hostname} is the route of another space", "Delete it there, or share it with this space.")
    added: tuple[CfDestination, ...] = (leads_to(app.guid),)
    if page is not None and is_in_maintenance(await _routes(cloud, app), page.guid):
        added = with_page(added, page.guid)
    told = f"{hostname} leads to {app.name}"
    if route is not None:
        return await made(cloud, [_insertion(route.guid, added)], told)
    where = {"space": {"data": {"guid": place.space.guid}}, "domain": {"data": {"guid": domain.guid}}}
    try:
        content = await cloud.change("POST", "/v3/routes", {**named, "relationships": where})
        route = cloud.decoded(content, CfRoute)
    except Lost as error:
        return InDoubt(error.text)
    try:
        return await made(cloud, [_insertion(route.guid, added)], told)
    except ProviderError as error:
        return InDoubt(f"the route {hostname} was made, but it does not lead to {app.name} yet: {error.text}")


async def detach(cloud: CloudController, app: CfApp, page: CfApp | None, hostname: str) -> Done | InDoubt:
    """Unmaps the hostname's route from the app. Refused where attaching it again would not give back the same."""
    changes: list[Change] = []
    for route in await _routes(cloud, app):
        if route.hostname != hostname:
            continue
        own = [one for one in route.destinations if one.app.guid == app.guid]
        if (
            len(own) != 1
            or own[0].app.process.type.removeprefix("held-") != WEB
            or own[0].protocol not in (None, "http1")
        ):
            raise Rejected(
                f"{hostname} leads to {app.name} in another way than to its web process, which could not be put back",
                "Unmap it by hand: cf unmap-route.",
            )
        changes.append(_replacement(route, without_app(route.destinations, app.guid, page.guid if page else "")))
    return await made(cloud, changes, f"{hostname} does not lead to {app.name}")


async def _domain(cloud: CloudController, place: CfPlace, hostname: str) -> CfNamed:
    """The domain of the organization that the hostname is, or is right below."""
    names = [hostname, hostname.partition(".")[2]]
    path = f"/v3/organizations/{segment(place.organization.guid)}/domains"
    found = {one.name: one for one in await cloud.listed(path, CfNamed, names=",".join(names))}
    for name in names:
        if name in found:
            return found[name]
    raise NotFound(
        f"Organization {place.organization.name} has no domain {' or '.join(names)}",
        f"Add it: cf create-private-domain {place.organization.name} {names[1]}",
    )


async def _routes(cloud: CloudController, app: CfApp) -> list[CfRoute]:
    return await cloud.listed("/v3/routes", CfRoute, app_guids=app.guid)


def _insertion(route: str, added: Sequence[CfDestination]) -> Change:
    return "POST", f"/v3/routes/{segment(route)}/destinations", sent(added)


def _replacement(route: CfRoute, wanted: Sequence[CfDestination]) -> Change:
    return "PATCH", f"/v3/routes/{segment(route.guid)}/destinations", sent(wanted)
