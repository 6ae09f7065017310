"""A real MariaDB pair: what is told of it is what is so."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from changeover.databases.mysql import MySQL
from changeover.model.databases.database_observation import DatabaseObservation
from changeover.model.databases.replication import Relation, Replication, replication_between
from changeover.model.errors import AuthError, PermissionDenied, Rejected, Unavailable
from changeover.model.secret import Secret
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
    return servers


def server(port: int, user: str = "admin:right", host: str = "127.0.0.1", options: str = "ssl-mode=DISABLED") -> MySQL:
    return MySQL(Secret(f"mysql://{user}@{host}:{port}/?{options}"))


async def replication(pair: Pair) -> Replication:
    standby = await server(pair.standby).observe()
    return replication_between(await server(pair.primary).observe(), standby)


async def level(pair: Pair) -> Replication:
    """How the two stand once the standby has everything."""
    async with asyncio.timeout(60):
        while (now := await replication(pair)).transactions_behind != 0:
            pass
    return now


async def seen(port: int, holds: Callable[[DatabaseObservation], object]) -> DatabaseObservation:
    async with asyncio.timeout(60):
        while not holds(now := await server(port).observe()):
            pass
    return now


async def test_lag_is_told_in_transactions(pair: Pair) -> None:
    """A standby that has everything is 0 behind, one whose SQL thread is stopped by what was committed since."""
    assert await level(pair) == Replication(relation=Relation.FOLLOWS, transactions_behind=0, seconds_behind=0.0)
    pair.sql(pair.standby, "stop slave sql_thread")
    for number in range(3):
        pair.sql(pair.primary, f"insert into shop.t values ({number})")
    assert await replication(pair) == Replication(relation=Relation.FOLLOWS, transactions_behind=3)
    stopped = await server(pair.standby).observe()
    assert (stopped.replay_paused, stopped.streaming) == (True, True)
    pair.sql(pair.standby, "start slave sql_thread")
    assert (await level(pair)).seconds_behind == 0.0


async def test_seconds_are_told_while_the_standby_works(pair: Pair) -> None:
    """A standby that applies with a delay is that much behind, and says so itself."""
    await level(pair)
    pair.sql(pair.standby, "stop slave; change master to master_delay=600; start slave")
    pair.sql(pair.primary, "insert into shop.t values (2)")
    pair.sql(pair.primary, "insert into shop.t values (3)")
    async with asyncio.timeout(60):
        while (now := await replication(pair)).seconds_behind is None or now.seconds_behind < 2:
            assert now.transactions_behind == 2
    pair.sql(pair.standby, "stop slave; change master to master_delay=0; start slave")


async def test_who_follows_whom_is_told(pair: Pair) -> None:
    """The standby names its source and both threads' state, the primary its standby, each its number and access."""
    await level(pair)
    standby, primary = await server(pair.standby).observe(), await server(pair.primary).observe()
    assert (standby.role, standby.server, standby.read_only) == ("standby", "2", True)
    assert (primary.role, primary.server, primary.read_only, primary.sources) == ("primary", "1", False, ())
    [source] = standby.sources
    assert (source.host, source.port, source.server) == ("127.0.0.1", pair.primary, "1")
    assert (source.receiving, source.applying, source.receive_error) == ("yes", True, "")
    assert f"127.0.0.1:{pair.standby}" in [replica.name for replica in primary.replicas]
    assert primary.version.startswith("1")
    assert primary.gtids == standby.gtids


async def test_a_standby_that_cannot_log_in_says_why(pair: Pair) -> None:
    """The IO thread's own error is told in one line, and no seconds are made up."""
    await level(pair)
    pair.sql(pair.standby, "stop slave; change master to master_password='wrong'; start slave")
    pair.sql(pair.primary, "insert into shop.t values (2)")
    standby = await seen(pair.standby, lambda now: now.sources[0].receive_error)
    assert standby.sources[0].receiving == "connecting"
    assert "Access denied" in standby.sources[0].receive_error
    assert not standby.streaming
    assert await replication(pair) == Replication(relation=Relation.FOLLOWS, transactions_behind=1)


async def test_a_standby_that_takes_writes_is_told_before_and_after_it_got_one(pair: Pair) -> None:
    """`read_only` taken off behind our back is seen at once; a write then makes it one that has diverged, with what."""
    await level(pair)
    pair.sql(pair.standby, "set global read_only = 0")
    standby = await server(pair.standby).observe()
    assert (standby.role, standby.read_only) == ("standby", False)
    assert (await replication(pair)).relation is Relation.FOLLOWS
    at = pair.sql(pair.standby, "select @@global.gtid_slave_pos")
    pair.sql(pair.standby, "insert into shop.t values (7)")
    own = f"0-2-{int(at.rpartition('-')[2]) + 1}"
    assert await replication(pair) == Replication(relation=Relation.DIVERGED, only_on_standby=own)


async def test_an_error_of_the_sql_thread_is_told(pair: Pair) -> None:
    """A number that the standby gave away itself stops the thread (gtid_strict_mode); what it said is there."""
    await level(pair)
    pair.sql(pair.standby, "insert into shop.t values (7)")
    pair.sql(pair.primary, "insert into shop.t values (8)")
    standby = await seen(pair.standby, lambda now: now.sources[0].apply_error)
    assert "strict" in standby.sources[0].apply_error
    assert standby.replay_paused


async def test_two_standbys_reversed_and_strangers(pair: Pair) -> None:
    """Each way in which the two are no pair has its own word."""
    await level(pair)
    standby, primary = await server(pair.standby).observe(), await server(pair.primary).observe()
    assert replication_between(standby, primary).relation is Relation.REVERSED
    assert replication_between(primary, primary).relation is Relation.TWO_PRIMARIES
    pair.sql(pair.primary, "set global read_only = 1")
    assert (await replication(pair)).relation is Relation.TWO_STANDBYS
    pair.sql(pair.primary, "set global read_only = 0")
    pair.sql(pair.standby, "stop slave; reset slave all; reset master; set global gtid_slave_pos = ''")
    assert (await replication(pair)).relation is Relation.STRANGERS


async def test_a_wrong_password_is_told_as_one(pair: Pair) -> None:
    """The server's refusal names the user, and never the password."""
    with pytest.raises(AuthError, match="refuses watcher") as caught:
        await server(pair.primary, user="watcher:sesame").observe()
    assert "sesame" not in caught.value.text + caught.value.hint


async def test_a_password_in_any_alphabet_is_the_one_that_was_set(pair: Pair) -> None:
    """It logs in, and is only refused what it may not do."""
    with pytest.raises(PermissionDenied):
        await server(pair.primary, user="far:p%C3%A4ssw%C3%B6rd%E2%98%83").observe()


async def test_who_may_look_need_not_see_the_standbys(pair: Pair) -> None:
    """SLAVE MONITOR is enough to look; who has not even that is told what is lacking."""
    watcher = "watcher:right"
    assert (await server(pair.standby, user=watcher).observe()).sources
    assert (await server(pair.primary, user=watcher).observe()).replicas == ()
    with pytest.raises(PermissionDenied, match="SLAVE MONITOR") as caught:
        await server(pair.primary, user="nobody:right").observe()
    assert "REPLICATION CLIENT" in caught.value.hint


async def test_tls_is_verified_unless_the_string_says_less(pair: Pair) -> None:
    """Without a word the certificate must be valid for the name; what is weaker is told."""
    known = f"ssl-ca={pair.authority}"
    assert (await server(pair.primary, host="localhost", options=known).observe()).tls == "verified"
    assert (await server(pair.primary, options="ssl-mode=REQUIRED").observe()).tls == "unverified"
    assert (await server(pair.primary, options="ssl-mode=disabled").observe()).tls == "none"
    with pytest.raises(Unavailable, match=r"not valid for it.*127\.0\.0\.1"):
        await server(pair.primary, options=known).observe()
    with pytest.raises(Unavailable, match="not valid for it"):
        await server(pair.primary, host="localhost", options="").observe()


@pytest.mark.parametrize("after", [0, 2, 60, 200, 900])
async def test_a_wire_that_is_cut_is_told(pair: Pair, after: int) -> None:
    """A connection that ends in the middle is an error with the server's name, not a hang or a half observation."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, there = await asyncio.open_connection("127.0.0.1", pair.primary)

        async def forward() -> None:
            while data := await reader.read(4096):
                there.write(data)

        sending = asyncio.create_task(forward())
        left = after
        while left and (data := await back.read(left)):
            writer.write(data)
            left -= len(data)
        await writer.drain()
        sending.cancel()
        there.close()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as proxy:
        port = proxy.sockets[0].getsockname()[1]
        with pytest.raises(Unavailable, match=rf"MySQL at 127\.0\.0\.1:{port} cannot be reached"):
            await server(port).observe()


async def test_a_server_that_is_not_there_is_told() -> None:
    """With what the system says."""
    with pytest.raises(Unavailable, match=r"MySQL at 127\.0\.0\.1:1 cannot be reached"):
        await server(1).observe()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:sesame@db.example/x",
        "mysql:///x",
        "mysql://:sesame@db.example/x",
        "mysql://me:sesame@one.example,two.example/x",
        "mysql://me:sesame@db.example:sesame/x",
        "mysql://me:sesame@[::1/x",
        "mysql://me:sesame@db.example/x?host=evil.example",
        "mysql://me:sesame@db.example/x?ssl-mode=PREFERRED",
        "mysql://me:sesame@db.example/x?ssl-mode=VERIFY_CA",
        "mysql://me:sesame@db.example/x?ssl-ca=/nowhere",
        "mysql://me:sesame@db.example/x?ssl-ca=here.pem",
    ],
)
def test_a_string_that_cannot_be_used_is_refused_without_showing_it(url: str) -> None:
    """Nothing chooses another server or a weaker TLS by itself, and no refusal shows the secret."""
    with pytest.raises(Rejected, match="cannot be used") as caught:
        MySQL(Secret(url))
    assert "sesame" not in caught.value.text + caught.value.hint
    assert "nowhere" not in caught.value.text
