"""A stand-in for MySQL 8.4, which Debian does not have: it answers over MySQL's own protocol, as the manual says.

Statements: https://dev.mysql.com/doc/refman/8.4/en/replication-statements-replica.html,
https://dev.mysql.com/doc/refman/8.4/en/show-replica-status.html and show-replicas.html. Any other one is refused.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mysql_mimic import MysqlServer
from mysql_mimic.errors import MysqlError
from mysql_mimic.session import BaseSession
from mysql_mimic.variables import GlobalVariables, SessionVariables

SOURCE, REPLICA = "3e11fa47-71ca-11e1-9e33-c80aa9429562", "4e11fa47-71ca-11e1-9e33-c80aa9429562"
DENIED = 1227


class DocumentedMySQL:
    """What the server has; `denied` are beginnings of statements that the user may not use."""

    def __init__(self) -> None:
        self.variables = {
            "group_replication_group_name": "",
            "gtid_mode": "ON",
            "log_bin": "ON",
            "read_only": "ON",
            "server_id": "2",
            "server_uuid": REPLICA,
            "version": "8.4.3",
        }
        self.executed, self.purged = f"{SOURCE}:1-100", ""
        self.semi_sync = {"Rpl_semi_sync_source_enabled": "OFF", "Rpl_semi_sync_replica_enabled": "OFF"}
        self.semi_sync_states = {"Rpl_semi_sync_source_status": "OFF", "Rpl_semi_sync_replica_status": "OFF"}
        self.replicas: list[dict[str, str]] = []
        self.channels = [
            {
                "Replica_IO_State": "Waiting for source to send event",
                "Source_Host": "db1.example",
                "Source_User": "repl",
                "Source_Port": "3306",
                "Connect_Retry": "60",
                "Source_Log_File": "binlog.000002",
                "Read_Source_Log_Pos": "1307",
                "Relay_Log_File": "db2-relay-bin.000003",
                "Relay_Log_Pos": "1508",
                "Relay_Source_Log_File": "binlog.000002",
                "Replica_IO_Running": "Yes",
                "Replica_SQL_Running": "Yes",
                "Exec_Source_Log_Pos": "1307",
                "Relay_Log_Space": "1858",
                "Seconds_Behind_Source": "0",
                "Last_IO_Errno": "0",
                "Last_IO_Error": "",
                "Last_SQL_Errno": "0",
                "Last_SQL_Error": "",
                "Source_Server_Id": "1",
                "Source_UUID": SOURCE,
                "Source_Info_File": "mysql.slave_master_info",
                "SQL_Delay": "0",
                "SQL_Remaining_Delay": None,
                "Replica_SQL_Running_State": "Replica has read all relay log; waiting for more updates",
                "Retrieved_Gtid_Set": f"{SOURCE}:1-100",
                "Executed_Gtid_Set": f"{SOURCE}:1-100",
                "Auto_Position": "1",
                "Channel_Name": "",
            }
        ]
        self.denied: tuple[str, ...] = ()
        self.changes: list[str] = []

    @property
    def channel(self) -> dict[str, Any]:
        return self.channels[0]

    def answer(self, sql: str) -> list[dict[str, Any]]:
        if sql.startswith(self.denied or ("-",)):
            raise MysqlError("Access denied; you need (at least one of) the ... privilege(s)", DENIED)
        match sql:
            case "show replica status":
                return self.channels
            case "show replicas":
                return self.replicas
            case "show global variables like 'rpl_semi_sync%enabled'":
                return _variables(self.semi_sync)
            case "show global status like 'rpl_semi_sync%status'":
                return _variables(self.semi_sync_states)
            case "set global read_only = @@global.read_only":
                return []
        if sql.startswith("show global variables where variable_name in ("):
            return _variables({name: value for name, value in self.variables.items() if f"'{name}'" in sql})
        if sql.startswith(
            "select @@global.gtid_executed as executed, @@global.gtid_purged as purged, utc_timestamp(6)"
        ):
            return [{"executed": self.executed, "purged": self.purged, "read_at": "2026-03-01 12:00:00.250000"}]
        self._change(sql)
        return []

    def _change(self, sql: str) -> None:
        match sql:
            case "stop replica io_thread":
                self.channel["Replica_IO_Running"] = "No"
            case "stop replica":
                for channel in self.channels:
                    channel |= {"Replica_IO_Running": "No", "Replica_SQL_Running": "No"}
            case "reset replica all":
                if any(channel["Replica_SQL_Running"] == "Yes" for channel in self.channels):
                    raise MysqlError("This operation cannot be performed with a running replica", 3081)
                self.channels = []
            case "set global read_only = off":
                self.variables["read_only"] = "OFF"
            case _:
                raise MysqlError(f"You have an error in your SQL syntax near {sql}", 1064)
        self.changes.append(sql)


class _Session(BaseSession):
    def __init__(self, server: DocumentedMySQL) -> None:
        self.server = server
        self.variables = SessionVariables(GlobalVariables())
        self.username = self.database = None

    async def handle_query(self, sql: str, attrs: dict[str, str]) -> Any:
        rows = self.server.answer(sql)
        return ([tuple(row.values()) for row in rows], list(rows[0])) if rows else ([], [])


def _variables(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"Variable_name": name, "Value": value} for name, value in values.items()]


@asynccontextmanager
async def served(server: DocumentedMySQL) -> AsyncIterator[int]:
    """Its port on loopback."""
    serving = MysqlServer(session_factory=lambda: _Session(server))
    await serving.start_server(host="127.0.0.1", port=0)
    try:
        yield serving.sockets()[0].getsockname()[1]
    finally:
        serving.close()
