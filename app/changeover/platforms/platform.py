"""What everything that runs deployments can be asked, whatever it is called there."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from changeover.model.settings.action import PlatformCall, Verb
from changeover.model.settings.service import Deployment


class Platform(Protocol):
    """What runs a deployment, with an account that may steer it.

    `maintenance-on` shows visitors a page instead of the app, `maintenance-off` takes that away; `scale` sets how many
    of the app run; `promote` makes a standby database the one that takes writes; `purge-cache` empties a CDN's cache.
    """

    @property
    def verbs(self) -> Collection[Verb]:
        """What it can be asked to do: the same as its line in model/settings/platform.py."""
        ...

    async def perform(self, deployment: Deployment, call: PlatformCall, key: str) -> str:
        """Does what is asked, and gives it in words. `key` is the same when the same is asked again.

        Raises a ProviderError: Unavailable where nobody knows whether it was done, any other where it was not.
        """
        ...

    async def reverse(self, deployment: Deployment, call: PlatformCall) -> PlatformCall | None:
        """What takes `call` back, by reading what stands before it is done; None where nothing does.

        Maintenance is switched the other way, `scale` goes back to the number that ran. A promotion is taken back by
        promoting the other one, which is a switch of its own, and an emptied cache fills by itself.
        """
        ...
