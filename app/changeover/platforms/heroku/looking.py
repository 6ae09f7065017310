"""What is read of one app: what decides every time, and the rest for as long as nothing tells that it has changed.

Every look asks, all at once, for the app, its formation, dynos, domains and releases, and for its databases. What an
operation is taken back by must be told: all of these but dynos and databases. Of the rest, what the credential may not
see, or what fails, stays empty.

A release is code, config variables and add-ons (platform-api-reference#release), so that these are the same as long as
the releases are. Buildpacks, certificates and the pipeline may change without a sign, although most changes show in
the app's `updated_at` or in its domains: they are asked for again when one of these is another, or after KEPT, and the
observation says when they were read. What was not told as a whole is kept by nobody.

Heroku grants 4,500 requests an hour; of the last RESERVE none is spent on the rest, so that there are some for an
emergency. What has not changed is not sent again (ETag).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

from changeover.model.errors import NotFound, ProviderError
from changeover.platforms.config_hash import hashed, urls_without_tls
from changeover.platforms.heroku.answers import (
    AddOn,
    App,
    BuildpackInstallation,
    Built,
    Coupling,
    Domain,
    Dyno,
    Everything,
    Formation,
    Release,
    Rest,
    SniEndpoint,
    Stack,
)
from changeover.platforms.heroku.data_answers import AdvancedDatabase, PostgresDatabase, Transfer
from changeover.platforms.heroku.requests import Requests

log = logging.getLogger(__name__)

#: How long the rest is kept where nothing tells that it has changed.
KEPT = timedelta(minutes=30)
#: Requests that are kept for an emergency: looks that cost more leave out what is not needed.
RESERVE = 450
#: Of a list of releases, the newest. One that failed does not run, so that one alone might not do.
_NEWEST = {"Range": "version ..; order=desc,max=10"}


class _Kept(NamedTuple):
    """The rest of one app, what it goes with, and when it was read."""

    signs: object
    at: datetime
    rest: Rest


class _Stacks(NamedTuple):
    at: datetime
    found: tuple[Stack, ...] | None


class Looks:
    """Those at the apps of one account."""

    def __init__(self, account: str, requests: Requests) -> None:
        self._account = account
        self._requests = requests
        self._kept: dict[str, _Kept] = {}  # by app
        self._stacks: _Stacks | None = None
        self._asking = asyncio.Lock()

    async def everything(self, name: str) -> Everything:
        """All that is told of one app. NotFound where the account has none of that name."""
        read, path, began = self._requests.read, app_path(name), datetime.now(UTC)
        left = self._requests.left
        spare = left is None or left >= RESERVE
        if not spare:
            log.warning("%s: %s requests are left this hour; only what is needed is read", self._account, left)
        app = asyncio.create_task(read(path, App))
        formation = asyncio.create_task(read(f"{path}/formation", tuple[Formation, ...]))
        domains = asyncio.create_task(self._requests.listed(f"{path}/domains", Domain))
        releases = asyncio.create_task(read(f"{path}/releases", tuple[Release, ...], _NEWEST))
        dynos = asyncio.create_task(self._dynos(path)) if spare else None
        asked = (app, formation, domains, releases, *((dynos,) if dynos is not None else ()))
        await asyncio.gather(*asked, return_exceptions=True)  # none of them is left alone where another one fails
        found = Everything(
            app=app.result(),
            formation=formation.result(),
            domains=tuple(domains.result()),
            releases=releases.result(),
            dynos=dynos.result() if dynos is not None else None,
        )
        return await self._with_rest(name, found, began) if spare else found

    async def _dynos(self, path: str) -> tuple[Dyno, ...] | None:
        return await self._requests.maybe(f"{path}/dynos", tuple[Dyno, ...])

    async def _with_rest(self, name: str, found: Everything, began: datetime) -> Everything:
        app = found.app
        # Each release with its status: one that is pending may bring anything when it ends.
        signs = (app.updated_at, app.stack, app.acm, found.domains, [(one.id, one.status) for one in found.releases])
        kept = self._kept.get(name)
        if kept is not None and kept.signs == signs and _is_young(kept.at, began):
            rest = kept.rest
        else:
            at = datetime.now(UTC)
            rest = await self._rest(app_path(name), found.running, at)
            self._kept.pop(name, None)
            if rest.is_whole:
                self._kept[name] = _Kept(signs, at, rest)
        stacks, data = await asyncio.gather(self._all_stacks(), self._data(app_path(name), rest.addons or ()))
        return msgspec.structs.replace(found, rest=rest, stacks=stacks, **data)

    async def _rest(self, path: str, running: Release | None, at: datetime) -> Rest:
        """It was read after the releases that it is kept with, so that it cannot be older than they are."""
        maybe = self._requests.maybe
        (config, addons, built), (buildpacks, endpoints, couplings) = await asyncio.gather(
            asyncio.gather(
                maybe(f"{path}/config-vars", dict[str, str | None], keep=False),
                maybe(f"{path}/addons", tuple[AddOn, ...]),
                self._built(path, running),
            ),
            asyncio.gather(
                maybe(f"{path}/buildpack-installations", tuple[BuildpackInstallation, ...]),
                maybe(f"{path}/sni-endpoints", tuple[SniEndpoint, ...]),
                self._couplings(path),
            ),
        )
        values = None if config is None else {name: value or "" for name, value in config.items()}
        return Rest(
            at=at,
            config=None if values is None else hashed(values),
            urls_without_tls=urls_without_tls(values or {}),
            addons=addons,
            built=built,
            buildpacks=buildpacks,
            endpoints=endpoints,
            couplings=couplings,
        )

    async def _built(self, path: str, release: Release | None) -> Built | None:
        image = None if release is None else next((one for one in release.artifacts if one.type == "oci-image"), None)
        if image is not None:
            place = f"{path}/oci-images/{quote(image.id, safe='')}"
            images = await self._requests.maybe(place, tuple[Built, ...])  # a list, of those with that id
            return None if images is None else next(iter(images), Built())
        if release is None or release.slug is None or not release.slug.id:
            return Built()
        return await self._requests.maybe(f"{path}/slugs/{quote(release.slug.id, safe='')}", Built)

    async def _couplings(self, path: str) -> tuple[Coupling, ...] | None:
        """An app that is in no pipeline is answered by status 404."""
        try:
            return (await self._requests.read(f"{path}/pipeline-couplings", Coupling),)
        except NotFound:
            return ()
        except ProviderError as error:
            log.info("%s: the pipeline of %s is not told: %s", self._account, path, error.text)
            return None

    async def _all_stacks(self) -> tuple[Stack, ...] | None:
        """They are the same for every app, so that several that are looked at together ask once."""
        before = self._stacks
        if before is not None and before.found is not None and _is_young(before.at, datetime.now(UTC)):
            return before.found
        async with self._asking:
            if self._stacks is before:
                at = datetime.now(UTC)
                self._stacks = _Stacks(at, await self._requests.maybe("/stacks", tuple[Stack, ...]))
            return None if self._stacks is None else self._stacks.found

    async def _data(self, path: str, addons: Sequence[AddOn]) -> dict[str, Any]:
        """Databases, by the names that Everything has for it."""
        maybe, replace = self._requests.maybe, msgspec.structs.replace
        postgres = [one for one in addons if one.is_postgres and not one.is_advanced]
        advanced = [one for one in addons if one.is_advanced]
        if not postgres and not advanced:
            return {}
        transfers, databases, clusters = await asyncio.gather(
            maybe(f"/client/v11{path}/transfers", tuple[Transfer, ...], data=True),
            asyncio.gather(*(maybe(database_path(one), PostgresDatabase, data=True) for one in postgres)),
            asyncio.gather(*(maybe(cluster_path(one), AdvancedDatabase, data=True) for one in advanced)),
        )
        # What says nothing of itself is a database all the same, of which its add-on tells.
        told = (one or PostgresDatabase() for one in databases)
        also = (one or AdvancedDatabase() for one in clusters)
        return {
            "databases": tuple(replace(one, name=addon.name) for addon, one in zip(postgres, told, strict=True)),
            "clusters": tuple(replace(one, name=addon.name) for addon, one in zip(advanced, also, strict=True)),
            "transfers": transfers or (),
        }


def _is_young(at: datetime, now: datetime) -> bool:
    """By the clock on the wall, which goes on while a laptop sleeps; one that was set back makes nothing younger."""
    return timedelta() <= now - at < KEPT


def app_path(app: str) -> str:
    return f"/apps/{quote(app, safe='')}"


def database_path(addon: AddOn) -> str:
    return f"/client/v11/databases/{quote(addon.id, safe='')}"


def cluster_path(addon: AddOn) -> str:
    return f"/data/postgres/v1/{quote(addon.id, safe='')}/info"
