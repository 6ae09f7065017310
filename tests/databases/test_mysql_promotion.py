"""A standby of a real MariaDB becomes the primary: with all that it received, once, and from wherever it was left."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from changeover.databases.mysql import MySQL
from changeover.model.databases.replication import Relation, replication_between
from changeover.model.errors import PermissionDenied, Rejected, Unavailable
from changeover.model.secret import Secret
from databases.cut_wire import cut_at
from databases.mariadb_pair import INSTALLED, Pair, mariadb_pair

pytestmark = pytest.mark.skipif(not INSTALLED, reason="MariaDB's server is not installed")


@pytest.fixture(scope="module")
def servers() -> Iterator[Pair]:
    with tempfile.TemporaryDirectory() as folder, mariadb_pair(Path(folder)) as pair:
        yield pair


@pytest.fixture
def pair(servers: Pair) -> Pair:
    servers.pair_up()
    servers.sql(servers.primary, "insert into shop.t values (1)")
    wait_for_all(servers)
    return servers


def wait_for_all(pair: Pair) -> None:
    at = pair.sql(pair.primary, "select @@global.gtid_binlog_pos")
    assert pair.sql(pair.standby, f"select master_gtid_wait('{at}', 60)") == "0"


def wait_until_received(pair: Pair) -> None:
    """What the primary has is in the standby's relay log, applied or not."""
    at = pair.sql(pair.primary, "select @@global.gtid_binlog_pos")
    until = time.monotonic() + 60
    while f"\t{at}\t" not in pair.sql(pair.standby, "show slave status"):
        assert time.monotonic() < until


def server(port: int, user: str = "admin") -> MySQL:
    return MySQL(Secret(f"mysql://{user}:right@127.0.0.1:{port}/?ssl-mode=DISABLED"))


async def stands_as_primary(pair: Pair) -> None:
    """It takes writes, follows nobody, also after it was started anew, and has what the old primary had."""
    seen = await server(pair.standby).observe()
    assert (seen.role, seen.read_only, seen.sources) == ("primary", False, ())
    assert pair.sql(pair.standby, "show all slaves status") == ""
    assert replication_between(seen, await server(pair.primary).observe()).transactions_behind is None
    old = (await server(pair.primary).observe()).gtids
    assert seen.gtids is not None and old is not None
    assert not old.beyond(seen.gtids).ranges


async def test_a_promotion_is_done_once_and_a_primary_that_comes_back_is_told_with_what_only_it_has(pair: Pair) -> None:
    """Asked again it says so; the old one makes two primaries, and as a standby it has diverged."""
    assert await server(pair.standby).promote() == "promoted"
    await stands_as_primary(pair)
    assert await server(pair.standby).promote() == "was primary"
    pair.sql(pair.standby, "insert into shop.t values (2)")
    new = await server(pair.standby).observe()
    assert replication_between(new, await server(pair.primary).observe()).relation is Relation.TWO_PRIMARIES

    pair.sql(pair.primary, "set global read_only = 1")
    assert replication_between(new, await server(pair.primary).observe()).transactions_behind == 1
    pair.sql(pair.primary, "insert into shop.t values (3), (4)")
    own = pair.sql(pair.primary, "select @@global.gtid_binlog_pos")
    back = replication_between(new, await server(pair.primary).observe())
    assert (back.relation, back.only_on_standby) == (Relation.DIVERGED, own)


async def test_a_primary_that_is_gone_does_not_hold_up_its_standby(pair: Pair) -> None:
    """What the standby has is enough; the old primary returns as the second one."""
    pair.stop(pair.primary)
    try:
        with pytest.raises(Unavailable, match="cannot be reached"):
            await server(pair.primary).observe()
        assert await server(pair.standby).promote() == "promoted"
    finally:
        pair.start(pair.primary)
    await stands_as_primary(pair)


async def test_what_was_received_is_applied_first(pair: Pair) -> None:
    """A standby that applies three seconds late is waited for, and nothing that it has is thrown away."""
    pair.sql(pair.standby, "stop slave; change master to master_delay=3; start slave")
    pair.sql(pair.primary, "insert into shop.t values (41), (42)")
    wait_until_received(pair)
    assert pair.sql(pair.standby, "select count(*) from shop.t where i in (41, 42)") == "0"
    assert await server(pair.standby).promote() == "promoted"
    assert pair.sql(pair.standby, "select count(*) from shop.t where i in (41, 42)") == "2"
    await stands_as_primary(pair)


@pytest.mark.parametrize("broken", [False, True])
async def test_a_standby_that_does_not_apply_is_not_promoted(pair: Pair, broken: bool) -> None:
    """Whether somebody stopped it or it stopped by itself: nothing is changed, and why is told."""
    if broken:
        pair.sql(pair.standby, "insert into shop.t values (7)")  # takes a number that the primary gives as well
    else:
        pair.sql(pair.standby, "stop slave sql_thread")
    pair.sql(pair.primary, "insert into shop.t values (2)")
    wait_until_received(pair)
    async with asyncio.timeout(60):
        while (await server(pair.standby).observe()).sources[0].applying:
            pass
    with pytest.raises(Rejected, match="does not apply" + (".*strict" if broken else "$")) as caught:
        await server(pair.standby).promote()
    assert "START REPLICA SQL_THREAD" in caught.value.hint
    seen = await server(pair.standby).observe()
    assert (seen.role, seen.read_only, seen.streaming) == ("standby", True, True)


async def test_what_starting_a_standby_would_throw_away_is_said(pair: Pair) -> None:
    """With both threads stopped, MariaDB forgets what it has received when either is started."""
    pair.sql(pair.standby, "stop slave sql_thread")
    pair.sql(pair.primary, "insert into shop.t values (43)")
    wait_until_received(pair)
    pair.sql(pair.standby, "stop slave")
    with pytest.raises(Rejected, match="does not apply") as caught:
        await server(pair.standby).promote()
    assert "while its primary can be reached" in caught.value.hint
    pair.sql(pair.standby, "start slave")
    wait_for_all(pair)
    assert await server(pair.standby).promote() == "promoted"
    assert pair.sql(pair.standby, "select count(*) from shop.t where i = 43") == "1"
    await stands_as_primary(pair)


async def test_a_standby_that_is_too_slow_goes_on_following(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait ends, and nothing was changed."""
    monkeypatch.setattr("changeover.databases.mysql.PROMOTION_SECONDS", 1)
    pair.sql(pair.standby, "stop slave; change master to master_delay=600; start slave")
    pair.sql(pair.primary, "insert into shop.t values (2)")
    wait_until_received(pair)
    with pytest.raises(Unavailable, match="has not applied in 1 s"):
        await server(pair.standby).promote()
    seen = await server(pair.standby).observe()
    assert (seen.role, seen.read_only, seen.streaming) == ("standby", True, True)
    pair.sql(pair.standby, "stop slave; change master to master_delay=0; start slave")


@pytest.mark.parametrize("executed", [True, pytest.param(False, marks=pytest.mark.long)], ids=["after", "before"])
async def test_a_promotion_that_was_cut_short_is_gone_on_with(pair: Pair, executed: bool) -> None:
    """Between any two statements, whether the last one was done or not: the next call ends at the same."""
    statement = 0
    while True:
        async with cut_at(pair.standby, statement, executed=executed) as port:
            try:
                await server(port).promote()
            except Unavailable:
                pass
            else:
                break
        seen = await server(pair.standby).observe()
        whole = seen.role == "primary"
        assert await server(pair.standby).promote() == ("was primary" if whole else "promoted")
        await stands_as_primary(pair)
        statement += 1
        pair.pair_up()
        pair.sql(pair.primary, "insert into shop.t values (5)")
        wait_for_all(pair)
    assert statement >= 9
    await stands_as_primary(pair)


@pytest.mark.parametrize("statements", ["stop slave io_thread", "stop slave", "stop slave; reset slave all"])
async def test_a_server_that_died_within_its_promotion_is_promoted_when_it_is_back(pair: Pair, statements: str) -> None:
    """It begins anew by itself, with its configuration; the promotion is gone on with from there."""
    pair.sql(pair.standby, statements)
    pair.stop(pair.standby)
    pair.start(pair.standby, "--read-only")
    assert await server(pair.standby).promote() == "promoted"
    await stands_as_primary(pair)


async def test_a_promoted_server_does_not_follow_its_old_primary_when_it_is_started_anew(pair: Pair) -> None:
    """That is why it forgets where it replicated from."""
    assert await server(pair.standby).promote() == "promoted"
    pair.stop(pair.standby)
    pair.start(pair.standby)
    await stands_as_primary(pair)


async def test_a_named_source_is_taken_off_and_several_are_left_alone(pair: Pair) -> None:
    """A name is nothing but a name; who follows two servers would lose one that has nothing to do with it."""
    follow = "master_host='127.0.0.1', master_user='repl', master_password='right', master_use_gtid=slave_pos"
    pair.sql(pair.standby, f"change master 'other''s' to {follow}, master_port=1")
    with pytest.raises(Rejected, match="replicates from 2 servers"):
        await server(pair.standby).promote()
    assert len((await server(pair.standby).observe()).sources) == 2
    pair.sql(pair.standby, f"stop slave; reset slave all; change master 'other''s' to master_port={pair.primary}")
    pair.sql(pair.standby, "start slave 'other''s'")
    assert [source.name for source in (await server(pair.standby).observe()).sources] == ["other's"]
    assert await server(pair.standby).promote() == "promoted"
    await stands_as_primary(pair)


async def test_a_standby_that_takes_writes_is_promoted_as_well(pair: Pair) -> None:
    """Where `read_only` was never set, following is what makes the standby."""
    pair.sql(pair.standby, "set global read_only = 0")
    assert await server(pair.standby).promote() == "promoted"
    await stands_as_primary(pair)


async def test_a_fenced_primary_that_follows_nobody_takes_writes_again(pair: Pair) -> None:
    """As after a promotion that ended before its last statement, which looks the same."""
    pair.sql(pair.primary, "set global read_only = 1")
    assert await server(pair.primary).promote() == "promoted"
    assert pair.sql(pair.primary, "select @@global.read_only") == "0"


async def test_who_may_look_need_not_be_able_to_promote(pair: Pair) -> None:
    """The attempt changes nothing and says what the user lacks."""
    with pytest.raises(PermissionDenied, match="READ_ONLY ADMIN") as caught:
        await server(pair.standby, "watcher").promote()
    assert "REPLICATION SLAVE ADMIN" in caught.value.hint
    assert "stopped following" not in caught.value.text
    seen = await server(pair.standby).observe()
    assert (seen.role, seen.read_only, seen.streaming) == ("standby", True, True)


async def test_who_may_not_do_the_whole_promotion_is_told_how_far_it_went(pair: Pair) -> None:
    """Without RELOAD nothing can be reset: the standby does not follow any more, and is one still."""
    with pytest.raises(PermissionDenied, match="stopped following its primary") as caught:
        await server(pair.standby, "almost").promote()
    assert "START REPLICA" in caught.value.hint
    seen = await server(pair.standby).observe()
    assert (seen.role, seen.read_only, len(seen.sources)) == ("standby", True, 1)
    assert await server(pair.standby).promote() == "promoted"
    await stands_as_primary(pair)
