"""The contract of a platform: what Changeover asks of what runs a deployment, and what that promises in return.

A platform is opened for an account, as a DNS provider is. It is then asked about *targets*: a target says which app of
the account is meant, by the keys that a deployment has for it, in the platform's own `PlatformType.target`.

Looking. `await platform.observe(target)` gives what runs there now:

    PlatformObservation(wanted=2, running=2, release="v41", maintenance=False, hostnames=("www.shop.example",))

What a platform has no word for stays empty. `await platform.discover()` gives what the account has, each with the keys
of the deployment that it would be.

Doing. `PlatformType.operations` declares what can be asked, each with what it does, what takes it back, what it must be
allowed, and whether doing it twice is as doing it once. `perform` does one:

- `Done`: it is done, or is certain to be. `observe` gives what was asked for, at once or when the platform is ready.
- `InDoubt`: the answer was lost. It may have been done or not; nobody repeats it without saying so.
- A ProviderError is raised when provably nothing was changed: a wrong credential, a refusal, no connection.

An operation is taken back by another one, with the values that `observe` gave before it
(changeover.model.platforms.observation.reverse_of); a run keeps these in its journal before it acts.

Every call ends in bounded time, with an answer of bounded size, whatever the platform does.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from msgspec import Struct

from changeover.model.platforms.platform_observation import PlatformObservation
from changeover.model.secret import Secret
from changeover.model.settings.action import Verb
from changeover.model.settings.platform import DiscoveredApp, PlatformKind


class Done(Struct, frozen=True):
    """What was asked is done; `text` says what."""

    text: str


class InDoubt(Struct, frozen=True):
    """Nobody knows whether what was asked is done; `text` says why."""

    text: str


class Platform(Protocol):
    """One account at a platform. Errors are those of changeover.model.errors, with the platform's own words."""

    async def observe(self, target: Any) -> PlatformObservation:
        """What runs at `target` now. Raises NotFound where the account has no such app."""
        ...

    async def discover(self) -> tuple[DiscoveredApp, ...]:
        """What the account has. It proves, too, that the credential may look."""
        ...

    async def perform(self, target: Any, verb: Verb, options: Any, key: str) -> Done | InDoubt:
        """Does one of the declared operations (see above). Never repeats one by itself.

        `options` are of the operation's own type. `key` is the same when the same is asked again, for platforms that
        then do it only once.
        """
        ...

    async def aclose(self) -> None:
        """Closes connections. The platform is not used afterwards."""
        ...


@runtime_checkable
class EndingCredential(Protocol):
    """A platform that may know when its credential ends, so that nobody is surprised by it."""

    @property
    def credential_ends(self) -> datetime | None:
        """The last moment that it is good, with its time zone; None where it does not end, or that is not told."""
        ...


class PlatformType(PlatformKind, Protocol):
    """What a module of changeover.platforms declares as its `PLATFORM`."""

    @staticmethod
    def open(account: str, options: Any, secrets: Mapping[str, Secret]) -> Platform:
        """The account, ready for use. No I/O happens before the first call."""
        ...
