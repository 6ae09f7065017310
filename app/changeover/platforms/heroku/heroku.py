"""One account at Heroku: its apps, and what is asked of them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from changeover.model.errors import NotFound
from changeover.model.formatting import counted
from changeover.model.platforms.platform_observation import PlatformObservation
from changeover.model.secret import Secret
from changeover.model.settings.action import Verb
from changeover.model.settings.platform import DiscoveredApp
from changeover.platforms.heroku.answers import AddOn, App, Attachment, Domain, Release
from changeover.platforms.heroku.data_answers import PostgresDatabase
from changeover.platforms.heroku.declaration import HerokuTarget
from changeover.platforms.heroku.looking import Looks, app_path, database_path
from changeover.platforms.heroku.observing import observation_of
from changeover.platforms.heroku.requests import TIMEOUT, Requests
from changeover.platforms.platform import Done, InDoubt


class Heroku:
    """One account's apps."""

    def __init__(self, account: str, endpoint: str, token: Secret, timeout: float = TIMEOUT) -> None:
        self._requests = Requests(account, endpoint, token, timeout)
        self._looks = Looks(account, self._requests)

    async def observe(self, target: HerokuTarget) -> PlatformObservation:
        return observation_of(await self._looks.everything(target.app), target.process)

    async def discover(self) -> tuple[DiscoveredApp, ...]:
        apps = await self._requests.listed("/apps", App)
        return tuple(DiscoveredApp(name=app.name, keys={"app": app.name}) for app in apps)

    async def perform(self, target: HerokuTarget, verb: Verb, options: Any, key: str) -> Done | InDoubt:
        from changeover.dns.http.api import Lost

        try:
            return Done(await self._perform(target, verb, options))
        except Lost as error:
            return InDoubt(error.text)

    async def _perform(self, target: HerokuTarget, verb: Verb, options: Any) -> str:
        app, path = target.app, app_path(target.app)
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
        addons = await self._requests.read(f"{app_path(target.app)}/addons", tuple[AddOn, ...])
        found = next((one for one in addons if name in (one.name, one.id)), None)
        if found is None or not found.is_postgres:
            known = ", ".join(one.name for one in addons if one.is_postgres) or "none"
            raise NotFound(f"{target.app} has no Heroku Postgres {name}", f"Its databases: {known}")
        await self._keep_attached(target.app)
        if not found.is_advanced:  # a cluster of that tier follows nobody
            place = database_path(found)
            database = await self._requests.read(place, PostgresDatabase, data=True)
            if database.line("Following"):
                await self._requests.write("PUT", f"{place}/unfollow", {}, data=True)
        body = {"addon": found.name, "app": target.app, "name": "DATABASE", "confirm": target.app}
        await self._requests.write("POST", "/addon-attachments", body)
        return f"{name} is the primary database of {target.app}"

    async def _keep_attached(self, app: str) -> None:
        """What is DATABASE now gets another name if it has none: Heroku would not let it go (`heroku pg:promote`)."""
        attached = await self._requests.read(f"{app_path(app)}/addon-attachments", tuple[Attachment, ...])
        current = next((one.addon for one in attached if one.name == "DATABASE"), None)
        if current is not None and sum(one.addon == current for one in attached) == 1:
            body = {"addon": current.name, "app": app, "confirm": app}
            await self._requests.write("POST", "/addon-attachments", body)

    async def _has_domain(self, path: str, hostname: str) -> bool:
        domains = await self._requests.listed(f"{path}/domains", Domain)
        return any(one.hostname.lower() == hostname.lower() for one in domains)

    async def aclose(self) -> None:
        await self._requests.aclose()
