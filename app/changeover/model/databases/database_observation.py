"""What one database server says of itself: its role, how far it is, and what it holds back for others."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from changeover.model.databases.gtids import Gtids


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


class ReplicationSource(Struct, frozen=True, kw_only=True):
    """A server that a MySQL or MariaDB server replicates from, as that says; `name` is that of a channel, mostly "".

    `server` is the source's id, "" until it was reached once. `seconds_behind` is None where either thread is stopped.
    """

    host: str
    port: int
    name: str = ""
    server: str = ""
    receiving: Literal["yes", "connecting", "no"] = "no"
    applying: bool = False
    receive_error: str = ""
    apply_error: str = ""
    seconds_behind: int | None = None


class DatabaseObservation(Struct, frozen=True, kw_only=True):
    """How a server stands at `read_at`, by its own clock.

    `position` is how far its data is, in bytes of log since the cluster was made: what a primary has written, and what
    a standby has replayed. `received` is what a standby has, replayed or not. `replayed_at` is when the last
    transaction that it replayed was committed, by the primary's clock. `system` is the same on both servers exactly
    when the one was made from the other; `timeline` grows with each promotion.
    `synchronous`: a primary's commits wait for a standby.

    MySQL and MariaDB have none of these four and count transactions instead. `server` is its own id, "" at PostgreSQL;
    `gtids` are the transactions that it has, None where it does not number them; of `purged` it has no log to give to
    a standby any more. `read_only` is off where a standby takes writes as well. `semi_sync` says whether a primary's
    commits wait for a standby and a standby confirms them, None where that is not set up.
    """

    role: Literal["primary", "standby"]
    read_at: datetime
    tls: Literal["verified", "unverified", "none"]
    version: str
    system: str = ""
    timeline: int = 0
    position: int = 0
    received: int | None = None
    replayed_at: datetime | None = None
    replay_paused: bool = False
    streaming: bool = False
    synchronous: bool = False
    slots: tuple[ReplicationSlot, ...] = ()
    replicas: tuple[Replica, ...] = ()
    server: str = ""
    gtids: Gtids | None = None
    purged: Gtids | None = None
    sources: tuple[ReplicationSource, ...] = ()
    read_only: bool | None = None
    semi_sync: bool | None = None
