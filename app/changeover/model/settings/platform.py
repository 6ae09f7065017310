"""What platforms declare: the keys of an account and of a deployment, and what they can be asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, NamedTuple, Protocol

from msgspec import Meta, Struct, field

from changeover.model.settings.account_fields import AccountKind, Option
from changeover.model.settings.action import Verb

#: The platform of a deployment that is any web address, which nobody here can steer.
ANY_ADDRESS = "url"

_HOSTNAME = r"(\*\.)?([a-z0-9_-]{1,63}\.)+[a-z0-9-]{2,63}"


class NoOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """An operation that has nothing to be said with it."""


class ScaleOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """What `scale` is told."""

    instances: Annotated[
        Annotated[int, Meta(ge=0, le=10_000)], Option("Instances", "how many of the app are to run", "2")
    ]


class ProcessScaleOptions(ScaleOptions, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What `scale` is told, where an app has several kinds of processes."""

    process: Annotated[
        str | None, Option("Process", "which kind of process, where it is not the one that serves visitors", "worker")
    ] = None


class HostnameOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """What is told with a hostname that an app is to serve, or no longer."""

    hostname: Annotated[
        Annotated[str, Meta(pattern=rf"\A{_HOSTNAME}\Z", max_length=253)],
        Option("Hostname", "the hostname that the app is to serve, or no longer", "www.shop.example"),
    ]


class DriftRules(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a backup must have in common with the primary.

    `minimum` has, by kind of process, how many instances it must have at least. `ignore` are configuration variables
    that are not looked at; `differs` are what may differ: a variable, a kind of process, an aspect such as "release".
    """

    minimum: dict[str, int] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()


class PlatformOperation(Struct, frozen=True, kw_only=True):
    """One thing that a platform can be asked to do.

    `does` is told to people. `reverse` is what takes it back, with the values that stood before, None where nothing
    does. `permission` is what the credential must be allowed. `idempotent`: done twice it is as done once, so that a
    run which was cut off in its midst may just do it again.
    """

    verb: Verb
    does: str
    reverse: Verb | None
    permission: str
    idempotent: bool
    options: type[Struct] = NoOptions


class PlatformKind(AccountKind, Protocol):
    """What a platform declares, so far as settings, forms and documents need it."""

    #: The keys of a deployment there, which stand in its table beside `platform` and `account`.
    target: ClassVar[type[Struct]]
    operations: ClassVar[tuple[PlatformOperation, ...]]


def operation_of(kind: PlatformKind, verb: str) -> PlatformOperation | None:
    """The operation of that name; None where the platform does not take it."""
    return next((operation for operation in kind.operations if operation.verb == verb), None)


class DiscoveredApp(Struct, frozen=True, kw_only=True):
    """Something that an account has and that a deployment may be, with the keys that its table then has."""

    name: str
    keys: dict[str, Any]


class AccountKinds(NamedTuple):
    """What accounts may be at, by the name that the settings file uses: what settings are checked against.

    A deployment on a platform is steered with an account whose provider is that platform.
    """

    providers: Mapping[str, AccountKind]
    platforms: Mapping[str, PlatformKind]

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.providers, *self.platforms)

    def of(self, name: str) -> AccountKind:
        """The kind of that name. KeyError where there is none."""
        return self.providers[name] if name in self.providers else self.platforms[name]

    def platform(self, name: str) -> PlatformKind | None:
        """What declares the platform of that name; None for any address, and where there is none."""
        return self.platforms.get(name)
