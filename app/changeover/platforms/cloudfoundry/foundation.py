"""A Cloud Foundry, looked at and steered by one account. Implements changeover.platforms.platform.Platform."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from changeover.model.errors import NotFound, Rejected
from changeover.model.platforms.platform_observation import PlatformObservation
from changeover.model.secret import Secret
from changeover.model.settings.action import Verb
from changeover.model.settings.platform import DiscoveredApp
from changeover.platforms.cloudfoundry import operations
from changeover.platforms.cloudfoundry.cloud_controller import CloudController
from changeover.platforms.cloudfoundry.declaration import CloudFoundryOptions, CloudFoundryTarget
from changeover.platforms.cloudfoundry.observing import CfPlace, found_place, observed
from changeover.platforms.cloudfoundry.resources import CfApp, CfNamed
from changeover.platforms.platform import Done, InDoubt

#: Seconds for one request with its answer.
TIMEOUT = 15.0
#: Seconds for which it is kept which space a name means, and how that is placed.
KEPT = 300.0


class CloudFoundry:
    """One foundation. What a name means there is asked anew where an app is not found under it any more."""

    def __init__(
        self, account: str, options: CloudFoundryOptions, secrets: Mapping[str, Secret], timeout: float = TIMEOUT
    ) -> None:
        self._cloud = CloudController(account, options, secrets, timeout)
        self._places: dict[tuple[str, str], tuple[float, CfPlace]] = {}
        self._finding = asyncio.Lock()

    @property
    def credential_ends(self) -> datetime | None:
        return self._cloud.login.ends

    async def observe(self, target: CloudFoundryTarget) -> PlatformObservation:
        place, app = await self._find(target)
        page = (await self._page(target, place)).guid if target.maintenance_app else None
        return await observed(self._cloud, place, app, page)

    async def discover(self) -> tuple[DiscoveredApp, ...]:
        try:
            async with asyncio.TaskGroup() as group:
                listed = group.create_task(self._cloud.listed("/v3/apps", CfApp))
                spaces = group.create_task(self._cloud.listed("/v3/spaces", CfNamed))
                organizations = group.create_task(self._cloud.listed("/v3/organizations", CfNamed))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        names = {one.guid: one.name for one in organizations.result()}
        places = {one.guid: one for one in spaces.result()}
        found = []
        for app in listed.result():
            space = places.get(app.relationships.space.guid)
            organization = names.get(space.relationships.organization.guid) if space else None
            if space is not None and organization is not None:  # else it was deleted between two of the lists
                keys = {"organization": organization, "space": space.name, "app": app.name}
                found.append(DiscoveredApp(name=" / ".join(keys.values()), keys=keys))
        return tuple(sorted(found, key=lambda app: app.name))

    async def perform(self, target: CloudFoundryTarget, verb: Verb, options: Any, key: str) -> Done | InDoubt:
        place, app = await self._find(target)
        match verb:
            case "maintenance-on" | "maintenance-off":
                page = await self._page(target, place)
                return await operations.maintain(self._cloud, app, page, verb == "maintenance-on")
            case "attach-domain" | "detach-domain":
                shown = await self._page(target, place) if target.maintenance_app else None
                if verb == "attach-domain":
                    return await operations.attach(self._cloud, place, app, shown, options.hostname)
                return await operations.detach(self._cloud, app, shown, options.hostname)
            case _:
                pass
        change, told = operations.on_app(app, verb, options)
        return await operations.made(self._cloud, [change], told)

    async def aclose(self) -> None:
        await self._cloud.aclose()

    async def _find(self, target: CloudFoundryTarget) -> tuple[CfPlace, CfApp]:
        names = (target.organization, target.space)
        kept = self._places.get(names)
        app = await self._app(kept[1], target.app) if kept is not None and time.monotonic() < kept[0] else None
        if kept is not None and app is not None:
            return kept[1], app
        async with self._finding:  # several deployments in one space ask once
            if self._places.get(names) is kept:
                self._places[names] = (time.monotonic() + KEPT, await self._place(target))
            place = self._places[names][1]
        app = await self._app(place, target.app)
        if app is None:
            raise NotFound(
                f"Space {target.space} of organization {target.organization} has no app {target.app}",
                "Look at the deployment's app: `cf apps`.",
            )
        return place, app

    async def _place(self, target: CloudFoundryTarget) -> CfPlace:
        found = await self._cloud.listed("/v3/organizations", CfNamed, names=target.organization)
        organization = next((one for one in found if one.name == target.organization), None)
        if organization is None:
            raise NotFound(
                f"The account sees no organization {target.organization}", "Look at the deployment's organization."
            )
        query = {"names": target.space, "organization_guids": organization.guid}
        space = next(
            (one for one in await self._cloud.listed("/v3/spaces", CfNamed, **query) if one.name == target.space), None
        )
        if space is None:
            text = f"The account sees no space {target.space} in organization {target.organization}"
            raise NotFound(text, "Look at the deployment's space, and at the account's roles there.")
        return await found_place(self._cloud, organization, space)

    async def _app(self, place: CfPlace, name: str) -> CfApp | None:
        found = await self._cloud.listed("/v3/apps", CfApp, names=name, space_guids=place.space.guid)
        return next((app for app in found if app.name == name), None)

    async def _page(self, target: CloudFoundryTarget, place: CfPlace) -> CfApp:
        if not target.maintenance_app:
            raise Rejected(
                "The deployment names no app that shows a maintenance page",
                "Add `maintenance_app`, the name of a running app in the same space.",
            )
        page = await self._app(place, target.maintenance_app)
        if page is None:
            text = f"Space {target.space} has no app {target.maintenance_app}, which is to show the maintenance page"
            raise NotFound(text, "Correct the deployment's `maintenance_app`.")
        return page
