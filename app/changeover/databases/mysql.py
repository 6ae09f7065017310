"""MySQL from 8.0.22 on and MariaDB from 10.5 on: how a server stands, and making a standby the primary.

They are one in what they are asked; where they differ, `mysql_rows.py` knows. MariaDB was tried, of MySQL what its
manual says. Replication by GTID can be compared; MySQL without it (`gtid_mode`, which is off as delivered) tells only
seconds. MariaDB keeps transactions apart by `server_id`: servers that were left at the number that all have when they
are new cannot be told from each other, and a standby without a binary log does not know of its own writes.

To look, a user needs REPLICATION CLIENT at MySQL and SLAVE MONITOR at MariaDB; without REPLICATION SLAVE, or at MariaDB
REPLICATION MASTER ADMIN, standbys stay unseen. https://dev.mysql.com/doc/refman/8.4/en/replication-administration.html,
https://mariadb.com/kb/en/replication-commands/
"""

from __future__ import annotations

import asyncio
from typing import Literal

from changeover.databases import mysql_rows
from changeover.databases.connection_string import Tls, connection_string, tls_context, unusable
from changeover.databases.mysql_connection import MySQLConnection, MySQLServer, connected
from changeover.databases.mysql_rows import VARIABLES, Row
from changeover.model.databases.database_observation import DatabaseObservation
from changeover.model.errors import ProviderError, Rejected, Unavailable
from changeover.model.secret import Secret

SECONDS = 10.0  # for connecting and one look
PROMOTION_SECONDS = 60
_POLL_SECONDS = 0.2
_MODES = ("VERIFY_IDENTITY", "REQUIRED", "DISABLED")

_TO_LOOK = "Grant the user REPLICATION CLIENT (MySQL) or SLAVE MONITOR (MariaDB)."
_TO_PROMOTE = (
    "Grant the user REPLICATION_SLAVE_ADMIN, RELOAD and SYSTEM_VARIABLES_ADMIN (MySQL), or REPLICATION SLAVE ADMIN, "
    "RELOAD, READ_ONLY ADMIN and SLAVE MONITOR (MariaDB)."
)
_START_SQL_THREAD = "START REPLICA SQL_THREAD there, and when that stays running promote it again."
#: Tried: with GTIDs, MariaDB empties the relay log when a thread is started while both are stopped.
_START_BOTH_THREADS = (
    "START REPLICA there, and promote it again. Do that while its primary can be reached: MariaDB throws away what it "
    "has received and not applied, and asks for it anew."
)
_MYSQL_GTIDS = "select @@global.gtid_executed as executed, @@global.gtid_purged as purged, utc_timestamp(6) as read_at"
_MARIADB_GTIDS = (
    "select @@global.gtid_binlog_state as binlog_state, @@global.gtid_slave_pos as slave_pos, "
    "utc_timestamp(6) as read_at"
)


class MySQL:
    """One server, by its connection string: mysql://user:password@host:port/database?ssl-mode=…

    TLS is verified (VERIFY_IDENTITY) unless the string says less: "ssl-mode=REQUIRED" encrypts for whoever answers,
    "DISABLED" does not encrypt; the observation tells which. `ssl-ca` names a file of authorities. Modes that would
    choose by themselves are refused, as is a string that names several servers. Raises Rejected where the string
    cannot be used.
    """

    def __init__(self, url: Secret) -> None:
        self._server, self._tls, self.authority = _server(url)

    async def observe(self) -> DatabaseObservation:
        """How the server stands now. Ends within `SECONDS`; raises a ProviderError."""
        async with connected(self._server, SECONDS, _TO_LOOK) as connection:
            variables = await _variables(connection)
            sources = await _sources(connection, variables)
            mariadb = mysql_rows.is_mariadb(variables)
            gtids = await connection.rows(_MARIADB_GTIDS if mariadb else _MYSQL_GTIDS)
            return mysql_rows.observation(
                tls=self._tls,
                variables=variables,
                gtids=gtids[0],
                status=await _semi_sync(connection),
                sources=sources,
                replicas=await _replicas(connection, variables),
            )

    async def promote(self) -> Literal["promoted", "was primary"]:
        """Makes a standby the primary, which nothing takes back: the other server must be made a standby anew.

        What the standby has received is applied first; one that does not apply, on purpose or not, is not promoted.
        Then it forgets where it replicated from (RESET REPLICA ALL): otherwise it would follow its old primary again
        when it is next started. Where that was, an observation before tells. Last it takes writes, until it is next
        started: its configuration says whether it does then. A call that was cut short anywhere is gone on with by
        calling again, and asking a primary does nothing. Raises a ProviderError; after an Unavailable only a new look
        tells whether it is done.
        """
        stopped = False
        try:
            async with connected(self._server, SECONDS + PROMOTION_SECONDS, _TO_PROMOTE) as connection:
                variables = await _variables(connection)
                sources = await _sources(connection, variables)
                if mysql_rows.role(variables, sources) == "primary":
                    return "was primary"
                self._refuse_more_than_a_pair(variables, sources)
                # Changes nothing, and is refused to whom the last statement would be refused to.
                await connection.run("set global read_only = @@global.read_only")
                if sources:
                    until = asyncio.get_running_loop().time() + PROMOTION_SECONDS
                    await self._all_applied(connection, variables, until)
                    if mysql_rows.is_mariadb(variables):  # MySQL's statements are for all channels
                        await connection.run("set default_master_connection = %s", sources[0]["connection_name"])
                    await connection.run("stop replica io_thread")
                    stopped = True
                    await self._all_applied(connection, variables, until)
                    await connection.run("stop replica")
                    await connection.run("reset replica all")
                await connection.run("set global read_only = off")  # super_read_only goes off with it
        except ProviderError as error:
            if not stopped:
                raise
            text = f"{error.text}. It has stopped following its primary"
            raise type(error)(text, f"{error.hint} Promote it again, or START REPLICA there.".strip()) from error
        return "promoted"

    def _refuse_more_than_a_pair(self, variables: Row, sources: list[Row]) -> None:
        if variables.get("group_replication_group_name"):
            text = f"{self._server.shown} belongs to a replication group, which chooses its primary itself"
            raise Rejected(text, "Ask the group: group_replication_set_as_primary.")
        if len(sources) > 1:
            text = f"{self._server.shown} replicates from {len(sources)} servers, and would forget all of them"
            raise Rejected(text, "Promote it by hand.")

    async def _all_applied(self, connection: MySQLConnection, variables: Row, until: float) -> None:
        """Waits for what was received to be applied: what is not, would be thrown away with the relay log."""
        while left := [source for source in await _sources(connection, variables) if mysql_rows.unapplied(source)]:
            read = mysql_rows.read_source(left[0])
            if not read.applying:
                why = f": {read.apply_error}" if read.apply_error else ""
                text = f"{self._server.shown} has received transactions that it does not apply{why}"
                kept = read.receiving != "no" or not mysql_rows.is_mariadb(variables)
                raise Rejected(text, _START_SQL_THREAD if kept else _START_BOTH_THREADS)
            if asyncio.get_running_loop().time() > until:
                text = f"{self._server.shown} has not applied in {PROMOTION_SECONDS} s what it has received"
                raise Unavailable(text, "Wait until it has, or take away its delay, and promote it again.")
            await asyncio.sleep(_POLL_SECONDS)


DATABASE = MySQL


async def _variables(connection: MySQLConnection) -> Row:
    rows = await connection.rows(f"show global variables where variable_name in {VARIABLES}")
    return {row["variable_name"]: row["value"] for row in rows}


async def _sources(connection: MySQLConnection, variables: Row) -> list[Row]:
    every = "all replicas" if mysql_rows.is_mariadb(variables) else "replica"
    return await connection.rows(f"show {every} status")


async def _semi_sync(connection: MySQLConnection) -> Row:
    settings = await connection.rows("show global variables like 'rpl_semi_sync%enabled'")
    states = await connection.rows("show global status like 'rpl_semi_sync%status'")
    return {row["variable_name"].lower(): row["value"] for row in [*settings, *states]}


async def _replicas(connection: MySQLConnection, variables: Row) -> list[Row]:
    return await connection.rows_if_allowed(
        "show replica hosts" if mysql_rows.is_mariadb(variables) else "show replicas"
    )


def _server(url: Secret) -> tuple[MySQLServer, Tls, str | None]:
    parts = connection_string(url, ("mysql", "mariadb"), 3306)
    options = {key.lower(): value for key, value in parts.options}
    if options.keys() - {"ssl-mode", "ssl-ca"}:
        raise unusable("of options, only ssl-mode and ssl-ca are known")
    authority = options.get("ssl-ca")
    mode = options.get("ssl-mode", "VERIFY_IDENTITY").upper()
    context, tls = tls_context(mode, _MODES, authority, ("ssl-mode", "ssl-ca"))
    server = MySQLServer(
        host=parts.host,
        port=parts.port,
        user=parts.user,
        password=parts.password,
        database=parts.database,
        tls=context,
    )
    return server, tls, authority
