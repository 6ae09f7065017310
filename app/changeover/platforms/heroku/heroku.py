"""One account at Heroku: what is read of its apps, and what is asked of them.

One look asks for everything at the same time: two round trips, since the release names what it was built from. What an
operation is taken back by must be told: the app, its formation, domains and release. Of the rest, what the credential
may not see, or what fails, stays empty. What has not changed is not sent again (ETag). Heroku grants 4,500 requests an
hour; of the last RESERVE none is spent on the rest, so that there are some for an emergency.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from urllib.parse import quote

import msgspec

from changeover.model.errors import NotFound
from changeover.model.formatting import counted
from changeover.model.platforms.platform_observation import PlatformObservation
from changeover.model.secret import Secret
from changeover.model.settings.action import Verb
from changeover.model.settings.platform import DiscoveredApp
from changeover.platforms.heroku.answers import (
    AddOn,
    App,
    BuildpackInstallation,
    Domain,
    Dyno,
    Everything,
    Formation,
    PostgresDatabase,
    Release,
    Slug,
    SniEndpoint,
    Stack,
    Transfer,
)
from changeover.platforms.heroku.declaration import HerokuTarget
from changeover.platforms.heroku.observing import POSTGRES, observation_of
from changeover.platforms.heroku.requests import TIMEOUT, Requests
from changeover.platforms.platform import Done, InDoubt

log = logging.getLogger(__name__)

#: Of a list of releases, the newest alone.
_NEWEST = {"Range": "version ..; order=desc,max=1"}
#: Requests that are kept for an emergency: looks that cost more leave out what is not needed.
RESERVE = 450


class Heroku:
    """One account's apps."""

    def __init__(self, account: str, endpoint: str, token: Secret, timeout: float = TIMEOUT) -> None:
        self._account = account
        self._requests = Requests(account, endpoint, token, timeout)

    # Looking

    async def observe(self, target: HerokuTarget) -> PlatformObservation:
        path = _path(target.app)
        left = self._requests.left
        spare = left is None or left >= RESERVE
        if not spare:
            log.warning("%s: %s requests are left this hour; only what is needed is read", self._account, left)
        # None of them is left alone where another one fails.
        app, formation, domains, releases, rest = await asyncio.gather(
            self._requests.read(path, App),
            self._requests.read(f"{path}/formation", tuple[Formation, ...]),
            self._requests.listed(f"{path}/domains", Domain),
            self._requests.read(f"{path}/releases", tuple[Release, ...], _NEWEST),
            self._rest(path) if spare else _nothing(),
            return_exceptions=True,
        )
        for failed in (app, formation, domains, releases, rest):
            if isinstance(failed, BaseException):
                raise failed
        release = releases[0] if releases else None
        commit = await self._commit(path, release) if spare else ""
        found = Everything(app=app, formation=formation, domains=tuple(domains), release=release, commit=commit, **rest)
        return observation_of(found, target.process)

    async def discover(self) -> tuple[DiscoveredApp, ...]:
        apps = await self._requests.listed("/apps", App)
        return tuple(DiscoveredApp(name=app.name, keys={"app": app.name}) for app in apps)

    async def _rest(self, path: str) -> dict[str, Any]:
        """What else there is to know, as far as it is told, by the names that Everything has for it."""
        maybe = self._requests.maybe
        (dynos, endpoints, config, addons), (buildpacks, stacks, transfers) = await asyncio.gather(
            asyncio.gather(
                maybe(f"{path}/dynos", tuple[Dyno, ...]),
                maybe(f"{path}/sni-endpoints", tuple[SniEndpoint, ...]),
                maybe(f"{path}/config-vars", dict[str, str | None]),
                maybe(f"{path}/addons", tuple[AddOn, ...]),
            ),
            asyncio.gather(
                maybe(f"{path}/buildpack-installations", tuple[BuildpackInstallation, ...]),
                maybe("/stacks", tuple[Stack, ...]),
                maybe(f"/client/v11{path}/transfers", tuple[Transfer, ...], data=True),
            ),
        )
        postgres = [one for one in addons or () if one.addon_service.name == POSTGRES]
        databases = await asyncio.gather(*(maybe(_database(one), PostgresDatabase, data=True) for one in postgres))
        named = [
            msgspec.structs.replace(database, name=one.name)
            for one, database in zip(postgres, databases, strict=True)
            if database is not None
        ]
        return {
            "dynos": dynos,
            "endpoints": endpoints,
            "config": None if config is None else {name: value or "" for name, value in config.items()},
            "addons": addons,
            "buildpacks": buildpacks,
            "stacks": stacks,
            "databases": tuple(named),
            "transfers": transfers or (),
        }

    async def _commit(self, path: str, release: Release | None) -> str:
        """What the release was built from: its slug's commit, or, on Fir, its image's."""
        if release is None:
            return ""
        image = next((one.id for one in release.artifacts if one.type == "oci-image"), None)
        if image is not None:
            place = f"{path}/oci-images/{quote(image, safe='')}"
        elif release.slug is not None and release.slug.id:
            place = f"{path}/slugs/{quote(release.slug.id, safe='')}"
        else:
            return ""
        found = await self._requests.maybe(place, Slug)
        return found.commit or "" if found is not None else ""

    # Doing

    async def perform(self, target: HerokuTarget, verb: Verb, options: Any, key: str) -> Done | InDoubt:
        from changeover.dns.http.api import Lost

        try:
            return Done(await self._perform(target, verb, options))
        except Lost as error:
            return InDoubt(error.text)

    async def _perform(self, target: HerokuTarget, verb: Verb, options: Any) -> str:
        app, path = target.app, _path(target.app)
        match verb:
            case "maintenance-on" | "maintenance-off":
                on = verb == "maintenance-on"
                await self._requests.write("PATCH", path, {"maintenance": on})
                return f"{app} is {'in' if on else 'out of'} maintenance"
            case "scale":
                process = options.process or target.process
                await self._requests.write(
                    "PATCH", f"{path}/formation/{quote(process, safe='')}", {"quantity": options.instances}
                )
                return f"{app} is to have {counted(options.instances, f'{process} dyno')}"
            case "restart":
                await self._requests.write("DELETE", f"{path}/dynos")
                return f"every dyno of {app} starts anew"
            case "attach-domain":
                if await self._has_domain(path, options.hostname):
                    return f"{options.hostname} is attached to {app} already"
                asked = {"hostname": options.hostname, "sni_endpoint": None}
                await self._requests.write("POST", f"{path}/domains", asked)
                return f"{options.hostname} is attached to {app}"
            case "detach-domain":
                if not await self._has_domain(path, options.hostname):
                    return f"{options.hostname} is not attached to {app}"
                await self._requests.write("DELETE", f"{path}/domains/{quote(options.hostname, safe='')}")
                return f"{options.hostname} is detached from {app}"
            case "enable-certificates":
                await self._requests.write("POST", f"{path}/acm", {})
                return f"Heroku makes the certificates of {app}"
            case "disable-certificates":
                await self._requests.write("DELETE", f"{path}/acm")
                return f"Heroku no longer makes the certificates of {app}"
            case "rollback":
                version = options.release.removeprefix("v")
                release = await self._requests.read(f"{path}/releases/{version}", Release)
                await self._requests.write("POST", f"{path}/releases", {"release": release.id})
                return f"{app} runs what {options.release} ran, as a new release"
            case "promote":
                return await self._promote(target, options.database)
            case _:
                raise ValueError(f"Heroku takes no {verb}")

    async def _promote(self, target: HerokuTarget, name: str) -> str:
        """A follower no longer follows, and becomes DATABASE_URL, as `heroku pg:unfollow` and `pg:promote` do it."""
        addons = await self._requests.read(f"{_path(target.app)}/addons", tuple[AddOn, ...])
        found = next((one for one in addons if name in (one.name, one.id)), None)
        if found is None or found.addon_service.name != POSTGRES:
            known = ", ".join(one.name for one in addons if one.addon_service.name == POSTGRES) or "none"
            raise NotFound(f"{target.app} has no Heroku Postgres {name}", f"Its databases: {known}")
        place = _database(found)
        database = await self._requests.read(place, PostgresDatabase, data=True)
        if database.line("Following"):
            await self._requests.write("PUT", f"{place}/unfollow", {}, data=True)
        body = {"addon": found.name, "app": target.app, "name": "DATABASE", "confirm": target.app}
        await self._requests.write("POST", "/addon-attachments", body)
        return f"{name} is the primary database of {target.app}"

    async def _has_domain(self, path: str, hostname: str) -> bool:
        domains = await self._requests.listed(f"{path}/domains", Domain)
        return any(one.hostname.lower() == hostname.lower() for one in domains)

    async def aclose(self) -> None:
        await self._requests.aclose()


async def _nothing() -> dict[str, Any]:
    return {}


def _path(app: str) -> str:
    return f"/apps/{quote(app, safe='')}"


def _database(addon: AddOn) -> str:
    return f"/client/v11/databases/{quote(addon.id, safe='')}"
