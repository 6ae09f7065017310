"""MySQL as its manual describes it: what a server says is read, and a standby is promoted by MySQL's statements."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from changeover.databases.mysql import MySQL
from changeover.model.databases.database_observation import DatabaseObservation, ReplicationSource
from changeover.model.databases.gtids import mysql_gtids
from changeover.model.databases.replication import Relation, Replication, replication_between
from changeover.model.errors import PermissionDenied, Rejected, Unavailable
from changeover.model.secret import Secret
from databases.documented_mysql import REPLICA, SOURCE, DocumentedMySQL, served

CHANGES = ["stop replica io_thread", "stop replica", "reset replica all", "set global read_only = off"]


@pytest.fixture
def standby() -> DocumentedMySQL:
    return DocumentedMySQL()


@pytest.fixture
def primary() -> DocumentedMySQL:
    server = DocumentedMySQL()
    server.channels = []
    server.variables |= {"read_only": "OFF", "server_id": "1", "server_uuid": SOURCE}
    server.executed = f"{SOURCE}:1-103,\n{SOURCE[:-1]}3:billing:1-2"
    return server


@pytest.fixture
async def port(standby: DocumentedMySQL) -> AsyncIterator[int]:
    async with served(standby) as port:
        yield port


def at(port: int) -> MySQL:
    return MySQL(Secret(f"mysql://me@127.0.0.1:{port}/?ssl-mode=DISABLED"))


async def seen(server: DocumentedMySQL) -> DatabaseObservation:
    async with served(server) as port:
        return await at(port).observe()


async def test_a_standby_is_read_as_the_manual_says(standby: DocumentedMySQL) -> None:
    """Its source with the state of both threads, what it has, and who it is."""
    found = await seen(standby)
    assert (found.role, found.server, found.version, found.read_only) == ("standby", REPLICA, "8.4.3", True)
    assert found.gtids == mysql_gtids(f"{SOURCE}:1-100")
    assert found.sources == (
        ReplicationSource(
            host="db1.example", port=3306, server=SOURCE, receiving="yes", applying=True, seconds_behind=0
        ),
    )
    assert (found.streaming, found.replay_paused, found.semi_sync) == (True, False, None)


async def test_a_primary_is_read_as_the_manual_says(primary: DocumentedMySQL) -> None:
    """With tagged GTIDs, the standbys that are connected, and whether commits wait for them."""
    primary.replicas = [
        {"Server_Id": "10", "Host": "db2", "Port": "3306", "Source_Id": "1", "Replica_UUID": REPLICA},
        {"Server_Id": "11", "Host": "", "Port": "3306", "Source_Id": "1", "Replica_UUID": ""},
    ]
    primary.semi_sync["Rpl_semi_sync_source_enabled"] = "ON"
    primary.semi_sync_states["Rpl_semi_sync_source_status"] = "ON"
    found = await seen(primary)
    assert (found.role, found.server, found.read_only, found.semi_sync) == ("primary", SOURCE, False, True)
    assert [replica.name for replica in found.replicas] == ["db2:3306", "server 11"]
    assert found.gtids is not None and f"{SOURCE[:-1]}3:billing" in found.gtids.ranges


async def test_semi_sync_that_fell_back_is_told(standby: DocumentedMySQL) -> None:
    """Set up, and not working: under the names of the plugins before 8.0.26 as well."""
    standby.semi_sync |= {"rpl_semi_sync_slave_enabled": "ON"}
    standby.semi_sync_states |= {"Rpl_semi_sync_slave_status": "OFF"}
    assert (await seen(standby)).semi_sync is False


async def test_a_pair_is_compared_by_its_sets(primary: DocumentedMySQL, standby: DocumentedMySQL) -> None:
    """What is missing is counted over all sources, what was purged is out of reach, what is its own is told."""
    primary.purged = f"{SOURCE}:1-101"
    behind = replication_between(await seen(primary), await seen(standby))
    assert behind == Replication(
        relation=Relation.FOLLOWS, transactions_behind=5, seconds_behind=1.0, out_of_reach=f"{SOURCE}:101"
    )
    standby.executed = f"{SOURCE}:1-100,\n{REPLICA}:1-2"
    apart = replication_between(await seen(primary), await seen(standby))
    assert (apart.relation, apart.only_on_standby) == (Relation.DIVERGED, f"{REPLICA}:1-2")


async def test_a_standby_that_cannot_reach_its_source_is_not_0_seconds_behind(
    primary: DocumentedMySQL, standby: DocumentedMySQL
) -> None:
    """MySQL says 0 where the source's name is not found."""
    error = "Error connecting to source 'repl@db1.example:3306'. Message: Unknown MySQL server host 'db1.example' (-2)"
    standby.channel.update(Replica_IO_Running="Connecting", Last_IO_Errno="2005", Last_IO_Error=error)
    found = await seen(standby)
    assert (found.sources[0].receiving, found.sources[0].receive_error) == ("connecting", error)
    assert replication_between(await seen(primary), found).seconds_behind is None


async def test_without_gtids_only_seconds_are_told(primary: DocumentedMySQL, standby: DocumentedMySQL) -> None:
    """As delivered: who follows whom is known by the source's id, how many transactions are missing is not."""
    for server in (primary, standby):
        server.variables["gtid_mode"], server.executed = "OFF", ""
    standby.channel.update(Auto_Position="0", Retrieved_Gtid_Set="", Executed_Gtid_Set="", Seconds_Behind_Source="7")
    found = replication_between(await seen(primary), await seen(standby))
    assert found == Replication(relation=Relation.FOLLOWS, seconds_behind=7.0)


async def test_a_standby_is_promoted_in_mysql_s_words(standby: DocumentedMySQL, port: int) -> None:
    """Exactly these statements in this order, and none for a primary."""
    assert await at(port).promote() == "promoted"
    assert await at(port).promote() == "was primary"
    assert standby.changes == CHANGES


@pytest.mark.parametrize("done", range(1, 4))
async def test_a_promotion_is_gone_on_with_from_each_statement(standby: DocumentedMySQL, port: int, done: int) -> None:
    """Whatever was done, the rest is."""
    for change in CHANGES[:done]:
        standby.answer(change)
    assert await at(port).promote() == "promoted"
    assert (standby.channels, standby.variables["read_only"]) == ([], "OFF")


@pytest.mark.parametrize(
    ("channel", "why"),
    [
        ({"Retrieved_Gtid_Set": f"{SOURCE}:1-101"}, "by GTID"),
        ({"Auto_Position": "0", "Retrieved_Gtid_Set": "", "Read_Source_Log_Pos": "1400"}, "by position"),
        ({"Auto_Position": "0", "Retrieved_Gtid_Set": "", "Source_Log_File": "binlog.000003"}, "by file"),
    ],
)
async def test_what_was_received_and_is_not_applied_is_not_thrown_away(
    standby: DocumentedMySQL, port: int, channel: dict[str, str], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is waited for, and where nobody applies it nothing is changed."""
    standby.channel.update(channel)
    monkeypatch.setattr("changeover.databases.mysql.PROMOTION_SECONDS", 1)
    with pytest.raises(Unavailable, match="has not applied in 1 s"):
        await at(port).promote()
    standby.channel.update(Replica_SQL_Running="No", Last_SQL_Error="Coordinator stopped: \x1b[2J duplicate key")
    with pytest.raises(Rejected, match=r"does not apply: Coordinator stopped: .*duplicate key") as caught:
        await at(port).promote()
    assert caught.value.text.isprintable(), why
    assert standby.changes == []


@pytest.mark.parametrize("channel", [{"Retrieved_Gtid_Set": ""}, {"Auto_Position": "0"}])
async def test_a_transaction_that_was_received_in_part_does_not_hold_up(
    standby: DocumentedMySQL, port: int, channel: dict[str, str]
) -> None:
    """Its rest will never come where the primary is gone: positions differ for ever, GTIDs do not know of it."""
    standby.channel.update(channel, Read_Source_Log_Pos="1400")
    assert await at(port).promote() == "promoted"


async def test_what_arrives_until_the_io_thread_stops_is_waited_for_as_well(
    standby: DocumentedMySQL, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last transaction is received as it stops, and applied only after that."""
    looks = 0

    def answer(sql: str) -> list[dict[str, str]]:
        nonlocal looks
        rows = DocumentedMySQL.answer(standby, sql)
        if sql == "stop replica io_thread":
            standby.channel["Retrieved_Gtid_Set"] = f"{SOURCE}:1-101"
        elif sql == "show replica status" and standby.changes:
            assert standby.changes == CHANGES[:1]
            looks += 1
            if looks == 2:
                standby.channel["Executed_Gtid_Set"] = f"{SOURCE}:1-101"
        return rows

    monkeypatch.setattr(standby, "answer", answer)
    assert await at(port).promote() == "promoted"
    assert looks >= 2


async def test_what_is_more_than_a_pair_is_left_alone(standby: DocumentedMySQL, port: int) -> None:
    """Several channels would all be forgotten, and a group elects its primary itself."""
    standby.channels.append({**standby.channel, "Channel_Name": "billing"})
    with pytest.raises(Rejected, match="replicates from 2 servers"):
        await at(port).promote()
    standby.channels = []
    standby.variables["group_replication_group_name"] = "8a94f357-aab4-11df-86ab-c80aa9429562"
    with pytest.raises(Rejected, match="belongs to a replication group"):
        await at(port).promote()
    assert standby.changes == []


async def test_rights_that_are_lacking_are_named_before_anything_is_changed(
    standby: DocumentedMySQL, port: int
) -> None:
    """The right to take writes is tried first, though it is used last."""
    standby.denied = ("set global read_only",)
    with pytest.raises(PermissionDenied) as caught:
        await at(port).promote()
    assert "SYSTEM_VARIABLES_ADMIN" in caught.value.hint
    standby.denied = ("stop replica",)
    with pytest.raises(PermissionDenied, match=r"privilege\(s\)$"):
        await at(port).promote()
    assert standby.changes == []
    standby.denied = ("reset replica",)
    with pytest.raises(PermissionDenied, match="stopped following its primary"):
        await at(port).promote()
    standby.denied = ()
    assert await at(port).promote() == "promoted"


async def test_who_may_not_look_is_told_what_is_lacking(standby: DocumentedMySQL, port: int) -> None:
    """Standbys that may not be seen are none; the own replication must be."""
    standby.denied = ("show replicas",)
    assert (await at(port).observe()).replicas == ()
    standby.denied = ("show replica status",)
    with pytest.raises(PermissionDenied) as caught:
        await at(port).observe()
    assert "REPLICATION CLIENT" in caught.value.hint


@pytest.mark.parametrize("executed", ["no set", f"{SOURCE}:1-{'9' * 30}", f"{SOURCE}:5-1", f"{SOURCE}:1," * 40_000])
async def test_a_set_that_cannot_be_is_no_observation(standby: DocumentedMySQL, port: int, executed: str) -> None:
    """Nor is one that is huge."""
    standby.executed = executed
    with pytest.raises(Unavailable, match="does not answer as MySQL does"):
        await at(port).observe()


async def test_an_old_version_is_told_as_one(
    standby: DocumentedMySQL, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before 8.0.22 the statements had other words."""
    known = standby.answer
    monkeypatch.setattr(standby, "answer", lambda sql: known(sql.replace("replica", "nothing")))
    with pytest.raises(Rejected, match="SQL syntax") as caught:
        await at(port).observe()
    assert "8.0.22" in caught.value.hint
