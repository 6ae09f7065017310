"""PostgreSQL, from 13 on: how a server stands, and `pg_promote()`.

The user needs membership in pg_monitor (without it, standbys and their lag stay unseen), and for a promotion EXECUTE on
pg_promote. https://www.postgresql.org/docs/current/functions-admin.html

Only a command that asks a database imports this file: asyncpg takes a third of a second.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import asyncpg

from changeover.databases.connection_string import connection_string, tls_context, unusable
from changeover.model.databases.database_observation import DatabaseObservation, Replica, ReplicationSlot
from changeover.model.errors import AuthError, PermissionDenied, Rejected, Unavailable
from changeover.model.foreign_text import one_line
from changeover.model.secret import Secret

SECONDS = 10.0  # for connecting and one look
PROMOTION_SECONDS = 60
_MODES = ("verify-full", "require", "disable")

#: A wire that was cut, a server that starts or stops, one with too many connections.
_LATER = (
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.OperatorInterventionError,
    asyncpg.exceptions.InsufficientResourcesError,
)

_SERVER = """
select standby, clock_timestamp() as read_at, current_setting('server_version') as version,
  (select system_identifier::text from pg_control_system()) as system,
  case when standby
    then coalesce((select received_tli from pg_stat_wal_receiver), (select timeline_id from pg_control_checkpoint()))
    else ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int end as timeline,
  pg_wal_lsn_diff(case when standby then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end, '0/0')::int8
    as position,
  pg_wal_lsn_diff(pg_last_wal_receive_lsn(), '0/0')::int8 as received,
  pg_last_xact_replay_timestamp() as replayed_at,
  case when standby then pg_is_wal_replay_paused() else false end as replay_paused,
  exists (select from pg_stat_wal_receiver where status = 'streaming') as streaming,
  not standby and current_setting('synchronous_standby_names') <> '' as synchronous
from (select pg_is_in_recovery() as standby) as role"""
_SLOTS = """
select slot_name::text as name, active, coalesce(wal_status, '') as state,
  case when not pg_is_in_recovery() then pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::int8 end as held
from pg_replication_slots order by slot_name limit 100"""
_REPLICAS = """
select left(application_name, 200) as name, coalesce(state, '') as state, coalesce(sync_state, '') as sync,
  case when not pg_is_in_recovery() then pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::int8 end as behind
from pg_stat_replication order by application_name limit 100"""


class PostgreSQL:
    """One server, by its connection string: postgresql://user:password@host:port/database?sslmode=…

    TLS is verified unless the string says less: "sslmode=require" encrypts for whoever answers (Heroku Postgres has no
    certificate that could be verified), "disable" does not encrypt; the observation tells which. `sslrootcert` names a
    file of authorities. Modes that would choose by themselves are refused, as is a string that names several servers.
    Raises Rejected where the string cannot be used.
    """

    def __init__(self, url: Secret) -> None:
        self._address = connection_string(url, ("postgresql", "postgres"), 5432)
        self._shown = f"PostgreSQL at {self._address.host}:{self._address.port}"
        options = dict(self._address.options)
        if options.keys() - {"sslmode", "sslrootcert", "application_name"}:
            raise unusable("of options, only sslmode and sslrootcert are known")
        authority = options.get("sslrootcert", "system")
        self.authority = None if authority == "system" else authority
        mode = options.get("sslmode", "verify-full")
        self._context, self._tls = tls_context(mode, _MODES, self.authority, ("sslmode", "sslrootcert"))

    async def observe(self) -> DatabaseObservation:
        """How the server stands now. Ends within `SECONDS`; raises a ProviderError."""
        async with self._connected(SECONDS) as connection:
            server = await connection.fetchrow(_SERVER)
            slots = await connection.fetch(_SLOTS)
            replicas = await connection.fetch(_REPLICAS)
        known = dict(server)
        standby = known.pop("standby")
        if known["position"] is None:
            raise Unavailable(f"{self._shown} is in recovery and has not replayed anything yet", "Try later.")
        return DatabaseObservation(
            role="standby" if standby else "primary",
            tls=self._tls,
            slots=tuple(ReplicationSlot(**dict(slot)) for slot in slots),
            replicas=tuple(Replica(**dict(replica)) for replica in replicas),
            **known,
        )

    async def promote(self) -> Literal["promoted", "was primary"]:
        """Makes a standby the primary, which nothing takes back: the other server must be made a standby anew.

        Asking a primary does nothing, so that a call whose answer was lost can be made again. Raises a ProviderError;
        after an Unavailable only a new look tells whether it is done.
        """
        async with self._connected(SECONDS + PROMOTION_SECONDS) as connection:
            if not await connection.fetchval("select pg_is_in_recovery()"):
                return "was primary"
            if not await connection.fetchval("select pg_promote(true, $1)", PROMOTION_SECONDS):
                raise Unavailable(
                    f"{self._shown} was asked to become the primary, and is not after {PROMOTION_SECONDS} s",
                    "It may still become it: look at the server's log.",
                )
        return "promoted"

    @asynccontextmanager
    async def _connected(self, seconds: float) -> AsyncIterator[Any]:
        address = self._address
        try:
            async with asyncio.timeout(seconds):
                connection = await asyncpg.connect(
                    host=address.host,
                    port=address.port,
                    user=address.user,
                    password=address.password.reveal(),
                    database=address.database or address.user,
                    ssl=self._context or False,
                    timeout=SECONDS,
                    statement_cache_size=0,  # a pooler may give each statement another session
                    server_settings={"application_name": "changeover"},
                )
                try:
                    yield connection
                finally:
                    connection.terminate()
        except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError) as error:
            text = f"{self._shown} refuses {one_line(address.user, 60)}: {one_line(str(error), 200)}"
            raise AuthError(text, "Set the connection string's secret again.") from error
        except asyncpg.InsufficientPrivilegeError as error:
            text = f"{self._shown}: {one_line(str(error), 200)}"
            raise PermissionDenied(text, "Grant the user pg_monitor, and EXECUTE on pg_promote to promote.") from error
        except ssl.SSLCertVerificationError as error:
            text = f"{self._shown} has a certificate that is not valid for it: {one_line(error.verify_message, 200)}"
            raise Unavailable(text, "Use the name in its certificate, or name its authority by sslrootcert.") from error
        except TimeoutError as error:
            raise Unavailable(f"{self._shown} did not answer in {seconds:.0f} s") from error
        except (OSError, asyncpg.InterfaceError, *_LATER) as error:
            raise Unavailable(f"{self._shown} cannot be reached: {one_line(str(error), 200)}") from error
        except asyncpg.PostgresError as error:
            raise Rejected(f"{self._shown}: {one_line(str(error), 200)}") from error


DATABASE = PostgreSQL
