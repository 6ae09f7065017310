"""What Heroku's data API answers, as far as it is used: as its CLI (version 11) has it, for there is no reference."""

from __future__ import annotations

from msgspec import Struct, field


class Info(Struct, frozen=True):
    """One line of what Heroku Postgres says of a database."""

    name: str
    values: tuple[object, ...] = ()


class PostgresDatabase(Struct, frozen=True):
    """What Heroku Postgres says of one, as `heroku pg:info` shows it. `waiting`: is it being made or moved?"""

    name: str = ""
    info: tuple[Info, ...] = ()
    waiting: bool = field(default=False, name="waiting?")

    def line(self, name: str) -> str:
        """The first value of a line; empty where it is not there."""
        values = next((one.values for one in self.info if one.name == name), ())
        return str(values[0]) if values else ""


class WaitStatus(Struct, frozen=True):
    message: str | None = None
    waiting: bool = False


class Pool(Struct, frozen=True):
    """Servers of one cluster: one that writes ("leader") with its standby, or some that only read."""

    name: str
    #: "available", "modifying", "provisioning" or "unknown".
    status: str = ""
    expected_count: int = 0
    wait_status: WaitStatus = WaitStatus()


class AdvancedDatabase(Struct, frozen=True):
    """A cluster of Heroku Postgres Advanced, as `heroku data:pg:info` shows it."""

    status: str = ""
    version: str = ""
    pools: tuple[Pool, ...] = ()
    name: str = ""


class Transfer(Struct, frozen=True):
    """A backup, a restore or a copy. `from_name` is the attachment of the database, such as "DATABASE" or "BLUE"."""

    from_name: str | None = None
    to_type: str = ""
    succeeded: bool | None = None
    finished_at: str | None = None
