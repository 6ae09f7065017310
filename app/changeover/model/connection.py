"""Is it me? Whether this computer is online, as witnesses that have nothing to do with any service say."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from msgspec import Struct


class Link(StrEnum):
    ONLINE = "online"
    OFFLINE = "offline"
    #: Somebody between here and the net answers instead, such as a hotel's login page.
    PORTAL = "captive portal"
    #: Nobody was asked.
    UNKNOWN = "not known"


class Evidence(Struct, frozen=True, kw_only=True):
    """What one witness said. `ok` is None where it could not be asked. `ahead`: this computer's clock, in seconds,
    before the clock of that witness."""

    kind: Literal["tcp", "https", "gateway", "resolver", "doh", "portal", "interface"]
    witness: str
    ok: bool | None
    text: str
    ahead: float | None = None


class Connection(Struct, frozen=True, kw_only=True):
    """This computer's connection at one moment, in a sentence, with the evidence for it.

    `dns_fails`: its own resolvers do not answer, while DNS over HTTPS does. `clock_ahead`: its clock, in seconds,
    before those of the witnesses; None where none told the time.
    """

    at: datetime
    link: Link
    text: str
    evidence: tuple[Evidence, ...] = ()
    dns_fails: bool = False
    clock_ahead: float | None = None

    @property
    def blind(self) -> bool:
        """Does what is seen from here say nothing about anybody else?"""
        return self.link in (Link.OFFLINE, Link.PORTAL)
