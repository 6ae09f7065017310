"""The practice ground's own platform: it runs the two web deployments of `changeover lab`, and nothing else.

It is asked over HTTP on this computer, and needs no credential. Maintenance shows visitors a page instead of the shop,
and as many instances are said to run as are wanted, unless the deployment is broken.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from urllib.parse import quote, urlsplit

from msgspec import Struct

from changeover.model.errors import Unavailable
from changeover.model.formatting import counted
from changeover.model.platforms.platform_observation import PlatformObservation
from changeover.model.secret import Secret
from changeover.model.settings.account_fields import Option, SecretField, misfits
from changeover.model.settings.action import Verb
from changeover.model.settings.platform import DiscoveredApp, PlatformOperation, ScaleOptions
from changeover.platforms.platform import Done, InDoubt

if TYPE_CHECKING:
    from changeover.dns.http.api import Api, ApiAnswer

#: Seconds for one request with its answer, and for a reading with its repetitions.
TIMEOUT, READ_TIMEOUT = 5.0, 10.0

_T = TypeVar("_T")


class LabOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """The account's keys in the settings file."""

    endpoint: Annotated[
        str,
        Option(
            "Address",
            "where the running practice ground takes requests, on this computer",
            "http://127.0.0.1:5380",
            r"http://(127\.0\.0\.1|\[::1\]):[0-9]{1,5}",
        ),
    ]


class LabTarget(Struct, frozen=True, forbid_unknown_fields=True):
    """A deployment's keys in the settings file."""

    app: Annotated[str, Option("App", "which of the practice ground's deployments it is", "primary", r"[a-z-]{1,40}")]


class _App(Struct, frozen=True):
    """An app in the practice ground's answers."""

    name: str
    release: str
    wanted: int
    running: int
    maintenance: bool
    hostnames: tuple[str, ...]


class _Apps(Struct, frozen=True):
    apps: tuple[_App, ...]


class _Refusal(Struct, frozen=True):
    error: str = ""


class LabPlatform:
    """One running practice ground."""

    def __init__(self, account: str, endpoint: str, timeout: float = TIMEOUT) -> None:
        self._account = account
        self._endpoint = endpoint
        self._timeout = timeout

    async def observe(self, target: LabTarget) -> PlatformObservation:
        app = await self._read(_path(target), _App)
        return PlatformObservation(
            wanted=app.wanted,
            running=app.running,
            release=app.release,
            maintenance=app.maintenance,
            hostnames=app.hostnames,
        )

    async def discover(self) -> tuple[DiscoveredApp, ...]:
        found = await self._read("/apps", _Apps)
        return tuple(DiscoveredApp(name=app.name, keys={"app": app.name}) for app in found.apps)

    async def perform(self, target: LabTarget, verb: Verb, options: Any, key: str) -> Done | InDoubt:
        body: dict[str, Any]
        match verb:
            case "maintenance-on" | "maintenance-off":
                body = {"maintenance": verb == "maintenance-on"}
                told = f"{target.app} shows {'its maintenance page' if body['maintenance'] else 'the shop'}"
            case "scale":
                body = {"instances": options.instances}
                told = f"{target.app} has {counted(options.instances, 'instance')}"
            case _:
                raise ValueError(f"the practice ground takes no {verb}")
        from changeover.dns.http.api import Lost

        try:
            self._checked(await self._api.call("PATCH", _path(target), body=body))
        except Lost as error:
            return InDoubt(error.text)
        return Done(told)

    async def aclose(self) -> None:
        if "_api" in self.__dict__:
            await self._api.aclose()

    async def _read(self, path: str, of: type[_T]) -> _T:
        from changeover.dns.http.api import retry_read

        async def read() -> _T:
            return self._api.decoded(self._checked(await self._api.call("GET", path)).content, of)

        return await retry_read(read, READ_TIMEOUT)

    def _checked(self, answer: ApiAnswer) -> ApiAnswer:
        if answer.status < 400:
            return answer
        from changeover.dns.http.api import Hints, refusal

        try:
            said = self._api.decoded(answer.content, _Refusal).error
        except Unavailable:
            said = ""
        hint = "Look at the deployment's app: the practice ground has primary and backup."
        hints = Hints(credential=hint, permission=hint, missing=hint, refused="")
        raise refusal(answer, self._api.words(said) or f"{self._api.host} answers {answer.status}", hints)

    @cached_property
    def _api(self) -> Api:
        from changeover.dns.http.api import Api  # it takes long to import, and settings are checked without it

        return Api(self._endpoint, {}, self._timeout)


def _path(target: LabTarget) -> str:
    return f"/apps/{quote(target.app, safe='')}"


class LabKind:
    """What the practice ground declares."""

    label = "The practice ground"
    tested = "itself: it runs on this computer, for as long as `changeover lab` does"
    options = LabOptions
    target = LabTarget
    operations = (
        PlatformOperation(
            verb="maintenance-on",
            does="Visitors get a maintenance page, with status 503, instead of the shop",
            reverse="maintenance-off",
            permission="none",
            idempotent=True,
        ),
        PlatformOperation(
            verb="maintenance-off",
            does="Visitors get the shop again",
            reverse="maintenance-on",
            permission="none",
            idempotent=True,
        ),
        PlatformOperation(
            verb="scale",
            does="As many instances run as are asked for; with none, visitors get status 503",
            reverse="scale",
            permission="none",
            idempotent=True,
            options=ScaleOptions,
        ),
    )

    @staticmethod
    def secrets(options: LabOptions) -> tuple[SecretField, ...]:
        return ()

    @staticmethod
    def faults(options: LabOptions) -> list[tuple[str, str]]:
        return misfits(options)

    @staticmethod
    def host(options: LabOptions) -> str:
        return urlsplit(options.endpoint).hostname or ""

    @staticmethod
    def open(account: str, options: LabOptions, secrets: Mapping[str, Secret]) -> LabPlatform:
        return LabPlatform(account, options.endpoint)


PLATFORM = LabKind
