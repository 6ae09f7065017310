"""What the rows of a MySQL or MariaDB server say of its replication. Pure: tried on rows as they are documented."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from changeover.model.databases.database_observation import DatabaseObservation, Replica, ReplicationSource
from changeover.model.databases.gtids import Gtids, mariadb_gtids, mysql_gtids
from changeover.model.foreign_text import one_line

#: By the names of its columns, in small letters, with the old words for the roles, which only MariaDB still uses.
Row = dict[str, str]

#: Variables that both have, or that tell which of the two it is. None of them is long: SHOW VARIABLES would cut it.
VARIABLES = (
    "group_replication_group_name",
    "gtid_mode",
    "gtid_strict_mode",
    "log_bin",
    "read_only",
    "server_id",
    "server_uuid",
    "version",
)
_SEMI_SYNC = {"primary": ("master", "source"), "standby": ("slave", "replica")}


def is_mariadb(variables: Row) -> bool:
    return "gtid_strict_mode" in variables


def role(variables: Row, sources: list[Row]) -> Literal["primary", "standby"]:
    """A server that takes no writes is a standby, and so is one that follows another, whether it takes some or not.

    Where `read_only` was never set, standbys take writes. Two that follow each other are two standbys.
    """
    return "standby" if sources or _is_read_only(variables) else "primary"


def observation(
    *,
    tls: Literal["verified", "unverified", "none"],
    variables: Row,
    gtids: Row,
    status: Row,
    sources: list[Row],
    replicas: list[Row],
) -> DatabaseObservation:
    """Raises ValueError where a server says what cannot be so."""
    is_role = role(variables, sources)
    read = tuple(read_source(source) for source in sources)
    return DatabaseObservation(
        role=is_role,
        read_at=datetime.fromisoformat(gtids["read_at"]).replace(tzinfo=UTC),
        tls=tls,
        version=one_line(variables["version"], 60),
        server=one_line(variables["server_id"] if is_mariadb(variables) else variables["server_uuid"].lower(), 60),
        gtids=_gtids(variables, gtids, is_role),
        purged=None if is_mariadb(variables) else mysql_gtids(gtids["purged"]),
        sources=read,
        streaming=any(source.receiving == "yes" for source in read),
        replay_paused=any(not source.applying for source in read),
        read_only=_is_read_only(variables),
        semi_sync=_semi_sync(status, is_role),
        replicas=tuple(_replica(replica) for replica in replicas[:100]),
    )


def unapplied(source: Row) -> bool:
    """Was something received that is not applied yet, and would be lost if the relay log were thrown away?

    Of a transaction that was received in part neither family's GTIDs know. Without GTIDs positions tell, and there
    such a part is never applied.
    """
    if source.get("using_gtid", "No") != "No":
        received, applied = mariadb_gtids(source["gtid_io_pos"]), mariadb_gtids(source["gtid_slave_pos"])
    elif source.get("retrieved_gtid_set") or source.get("auto_position") == "1":
        received, applied = mysql_gtids(source["retrieved_gtid_set"]), mysql_gtids(source["executed_gtid_set"])
    else:
        read = (source["master_log_file"], source["read_master_log_pos"])
        return read != (source["relay_master_log_file"], source["exec_master_log_pos"])
    return bool(received.beyond(applied).ranges)


def _gtids(variables: Row, gtids: Row, is_role: Literal["primary", "standby"]) -> Gtids | None:
    if is_mariadb(variables):
        if is_role == "primary" and variables["log_bin"] != "ON":
            return None  # then it numbers nothing
        return mariadb_gtids(gtids["binlog_state"], gtids["slave_pos"])
    return mysql_gtids(gtids["executed"]) if variables.get("gtid_mode") == "ON" else None


def read_source(row: Row) -> ReplicationSource:
    io = row["slave_io_running"].lower()
    server = row.get("master_uuid", "").lower() or row.get("master_server_id", "")
    return ReplicationSource(
        name=one_line(row.get("connection_name", "") or row.get("channel_name", ""), 60),
        host=one_line(row["master_host"], 255),
        port=_number(row["master_port"]) or 0,
        server="" if server == "0" else one_line(server, 60),
        receiving="yes" if io == "yes" else "no" if io == "no" else "connecting",
        applying=row["slave_sql_running"].lower() == "yes",
        receive_error=one_line(row.get("last_io_error", ""), 200),
        apply_error=one_line(row.get("last_sql_error", ""), 200),
        seconds_behind=_number(row["seconds_behind_master"]),
    )


def _replica(row: Row) -> Replica:
    name = f"{row['host']}:{row['port']}" if row.get("host") else f"server {row['server_id']}"
    return Replica(name=one_line(name, 200), state="connected")


def _semi_sync(status: Row, is_role: Literal["primary", "standby"]) -> bool | None:
    """From MySQL 8.0.26 on the plugins have other names, and both sets may be there."""
    names = [f"rpl_semi_sync_{word}_" for word in _SEMI_SYNC[is_role]]
    if not any(status.get(f"{name}enabled") == "ON" for name in names):
        return None
    return any(status.get(f"{name}status") == "ON" for name in names)


def _is_read_only(variables: Row) -> bool:
    return variables["read_only"] != "OFF"  # from MariaDB 12 on it may say how much so


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else None
