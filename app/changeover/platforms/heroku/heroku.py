"""Heroku by its Platform API v3 (devcenter.heroku.com/articles/platform-api-reference).

The credential is an API key or an OAuth token, sent to the endpoint, and to Heroku Postgres' API, whose host follows
from it. To look, the scopes read and read-protected are enough (read alone hides config variables, which are then not
compared); operations need write-protected.

One look asks for everything at the same time: two round trips, since the release names what it was built from. What an
operation is taken back by must be told: the app, its formation, domains and release. Of the rest, what the credential
may not see, or what fails, stays empty. What has not changed is not sent again (ETag). Heroku grants 4,500 requests an
hour; of the last RESERVE none is spent on the rest, so that there are some for an emergency.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import Meta, Struct

from changeover.dns.http.endpoint import is_safe_endpoint
from changeover.model.errors import NotFound
from changeover.model.formatting import counted
from changeover.model.platforms.platform_observation import PlatformObservation
from changeover.model.secret import Secret
from changeover.model.settings.account_fields import Option, SecretField, misfits
from changeover.model.settings.action import Verb
from changeover.model.settings.platform import DiscoveredApp, PlatformOperation, ScaleOptions
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
from changeover.platforms.heroku.observing import POSTGRES, observation_of
from changeover.platforms.heroku.requests import API_HOST, TIMEOUT, Requests
from changeover.platforms.platform import Done, InDoubt

log = logging.getLogger(__name__)

#: Of a list of releases, the newest alone.
_NEWEST = {"Range": "version ..; order=desc,max=1"}
#: Requests that are kept for an emergency: looks that cost more leave out what is not needed.
RESERVE = 450
_NAME = r"[a-z][a-z0-9-]{1,29}"


class HerokuOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """The account's keys in the settings file."""

    endpoint: Annotated[str, Option("Endpoint", "another address of the API", "https://api.heroku.com")] = (
        f"https://{API_HOST}"
    )


class HerokuTarget(Struct, frozen=True, forbid_unknown_fields=True):
    """A deployment's keys in the settings file."""

    app: Annotated[str, Option("App", "the app's name", "shop-prod", _NAME)]
    process: Annotated[str, Option("Process", "the kind of process that serves visitors", "web", r"[A-Za-z0-9_-]+")] = (
        "web"
    )


class DynoOptions(ScaleOptions, frozen=True, forbid_unknown_fields=True):
    """What `scale` is told."""

    process: Annotated[str, Option("Process", "which kind of process, if not the one that serves visitors", "web")] = ""


class DomainOptions(Struct, frozen=True, forbid_unknown_fields=True):
    hostname: Annotated[str, Option("Hostname", "the name that visitors use", "www.shop.example")]


class ReleaseOptions(Struct, frozen=True, forbid_unknown_fields=True):
    release: Annotated[
        Annotated[str, Meta(pattern=r"^v[0-9]{1,9}$")], Option("Release", "the one to go back to", "v41")
    ]


class DatabaseOptions(Struct, frozen=True, forbid_unknown_fields=True):
    database: Annotated[str, Option("PostgresDatabase", "the follower's add-on", "postgresql-curly-12345")]


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
        domains_at = f"{path}/domains"
        # None of them is left alone where another one fails.
        app, formation, domains, releases, rest = await asyncio.gather(
            self._requests.read(path, App),
            self._requests.read(f"{path}/formation", tuple[Formation, ...]),
            self._requests.retried(lambda: self._requests.listed(domains_at, Domain)),
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
        apps = await self._requests.retried(lambda: self._requests.listed("/apps", App))
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
        domains = await self._requests.retried(lambda: self._requests.listed(f"{path}/domains", Domain))
        return any(one.hostname.lower() == hostname.lower() for one in domains)

    async def aclose(self) -> None:
        await self._requests.aclose()


async def _nothing() -> dict[str, Any]:
    return {}


def _path(app: str) -> str:
    return f"/apps/{quote(app, safe='')}"


def _database(addon: AddOn) -> str:
    return f"/client/v11/databases/{quote(addon.id, safe='')}"


def _operation(verb: Verb, reverse: Verb | None, does: str, options: type[Struct] | None = None) -> PlatformOperation:
    fields: dict[str, Any] = {} if options is None else {"options": options}
    idempotent = verb not in ("promote", "restart")
    return PlatformOperation(
        verb=verb, does=does, reverse=reverse, permission="scope write-protected", idempotent=idempotent, **fields
    )


class PLATFORM:
    label = "Heroku"
    tested = "a simulator, held to Heroku's published schema and to its own command line tool (version 11)"
    options = HerokuOptions
    target = HerokuTarget
    operations = (
        _operation("maintenance-on", "maintenance-off", "Visitors get Heroku's maintenance page, with status 503"),
        _operation("maintenance-off", "maintenance-on", "Visitors get the app again"),
        _operation("scale", "scale", "As many dynos of a kind run as are asked for; they take a while", DynoOptions),
        _operation("restart", None, "Every dyno is stopped and started anew; requests under way may be lost"),
        _operation(
            "attach-domain", "detach-domain", "The app answers to the hostname, and gets a DNS target", DomainOptions
        ),
        _operation(
            "detach-domain",
            "attach-domain",
            "The app no longer answers to the hostname; attached again, it gets another DNS target",
            DomainOptions,
        ),
        _operation("enable-certificates", "disable-certificates", "Heroku makes and renews the certificates (ACM)"),
        _operation(
            "disable-certificates",
            "enable-certificates",
            "Heroku makes none any more; hostnames without an uploaded one fail in browsers",
        ),
        _operation(
            "rollback",
            "rollback",
            "What an earlier release ran is released anew, with that release's config variables and add-ons of now",
            ReleaseOptions,
        ),
        _operation(
            "promote",
            None,
            "A follower no longer follows and becomes the app's database; what it lacks is lost",
            DatabaseOptions,
        ),
    )

    @staticmethod
    def secrets(options: HerokuOptions) -> tuple[SecretField, ...]:
        return (
            SecretField(
                name="token",
                label="API key",
                help="an API key or OAuth token of somebody who may see the apps",
                link="https://dashboard.heroku.com/account/applications",
                permission="scopes read and read-protected to look; write-protected as well to steer",
                pattern=r"[A-Za-z0-9_-]{20,200}",
                example="HRKU-01234567-89ab-cdef-0123-456789abcdef",
            ),
        )

    @staticmethod
    def faults(options: HerokuOptions) -> list[tuple[str, str]]:
        found = misfits(options)
        if not is_safe_endpoint(options.endpoint):
            found.append(("endpoint", f'an https address such as "https://{API_HOST}"'))
        return found

    @staticmethod
    def host(options: HerokuOptions) -> str:
        return urlsplit(options.endpoint).hostname or ""

    @staticmethod
    def open(account: str, options: HerokuOptions, secrets: Mapping[str, Secret]) -> Heroku:
        return Heroku(account, options.endpoint, secrets["token"])
