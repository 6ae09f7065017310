"""What one database server says of itself: its role, how far it is, and what it holds back for others."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct


class ReplicationSlot(Struct, frozen=True, kw_only=True):
    """A place in the log that a primary keeps for a standby. `held` is how many bytes of log it keeps from removal.

    `state` is the server's word for whether that log is still there: "reserved", "extended", "unreserved" or "lost".
    """

    name: str
    active: bool
    held: int | None = None
    state: str = ""


class Replica(Struct, frozen=True, kw_only=True):
    """A standby as its primary sees it. `behind` is in bytes, None where the user may not see it."""

    name: str
    state: str = ""
    sync: str = ""
    behind: int | None = None


class DatabaseObservation(Struct, frozen=True, kw_only=True):
    """How a server stands at `read_at`, by its own clock.

    `position` is how far its data is, in bytes of log since the cluster was made: what a primary has written, and what
    a standby has replayed. `received` is what a standby has, replayed or not. `replayed_at` is when the last
    transaction that it replayed was committed, by the primary's clock. `system` is the same on both servers exactly
    when the one was made from the other; `timeline` grows with each promotion.
    `synchronous`: a primary's commits wait for a standby.
    """

    role: Literal["primary", "standby"]
    read_at: datetime
    tls: Literal["verified", "unverified", "none"]
    version: str
    system: str
    timeline: int
    position: int
    received: int | None = None
    replayed_at: datetime | None = None
    replay_paused: bool = False
    streaming: bool = False
    synchronous: bool = False
    slots: tuple[ReplicationSlot, ...] = ()
    replicas: tuple[Replica, ...] = ()
