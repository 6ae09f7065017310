"""A real PostgreSQL pair: what is told of it is what is so, and a promotion is done once."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from changeover.databases.postgresql import PostgreSQL
from changeover.model.databases.replication import Relation, Replication, replication_between
from changeover.model.errors import AuthError, PermissionDenied, ProviderError, Rejected, Unavailable
from changeover.model.secret import Secret
from databases.postgresql_pair import SERVERS, Pair, postgresql_pair

pytestmark = pytest.mark.skipif(not SERVERS, reason="PostgreSQL's server is not installed")


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    # Under /tmp, where the server's own user may go.
    with tempfile.TemporaryDirectory() as folder, postgresql_pair(Path(folder)) as pair:
        yield pair


def server(port: int, user: str = "postgres", host: str = "127.0.0.1", options: str = "sslmode=disable") -> PostgreSQL:
    return PostgreSQL(Secret(f"postgresql://{user}@{host}:{port}/postgres?{options}"))


async def replication(pair: Pair) -> Replication:
    standby = await server(pair.standby).observe()
    return replication_between(await server(pair.primary).observe(), standby)


async def until(pair: Pair, holds: Callable[[Replication], bool]) -> Replication:
    async with asyncio.timeout(60):
        while not holds(now := await replication(pair)):
            pass
    return now


async def test_lag_is_told_in_bytes_and_seconds(pair: Pair) -> None:
    """A standby that has everything is 0 behind, one whose replay is paused is behind by what was written since."""
    pair.sql(pair.primary, "insert into t values (1)")
    level = await until(pair, lambda now: now.bytes_behind == 0)
    assert level == Replication(relation=Relation.FOLLOWS, bytes_behind=0, seconds_behind=0.0)

    pair.sql(pair.standby, "select pg_wal_replay_pause()")
    pair.sql(pair.primary, "insert into t select generate_series(1, 20000)")
    behind = await replication(pair)
    assert behind.bytes_behind is not None and behind.bytes_behind > 1_000_000
    assert behind.seconds_behind is not None and behind.seconds_behind > 0
    assert (await server(pair.standby).observe()).replay_paused

    pair.sql(pair.standby, "select pg_wal_replay_resume()")
    await until(pair, lambda now: now.bytes_behind == 0)
    assert not (await server(pair.standby).observe()).replay_paused


async def test_a_slot_that_holds_the_log_is_told(pair: Pair) -> None:
    """A slot that nobody reads is told with what it keeps, before it fills the disk; the standby's own is active."""
    pair.sql(pair.primary, "select pg_create_physical_replication_slot('forgotten', true)")
    pair.sql(pair.primary, "insert into t select generate_series(1, 20000)")
    seen = await server(pair.primary).observe()
    pair.sql(pair.primary, "select pg_drop_replication_slot('forgotten')")
    slots = {slot.name: slot for slot in seen.slots}
    assert slots["backup"].active and not slots["forgotten"].active
    assert slots["forgotten"].held is not None and slots["forgotten"].held > 1_000_000
    assert [(replica.state, replica.sync) for replica in seen.replicas] == [("streaming", "async")]


async def test_a_wrong_password_is_told_as_one(pair: Pair) -> None:
    """The server's refusal names the user, and never the password."""
    with pytest.raises(AuthError, match="refuses watcher") as caught:
        await server(pair.primary, user="watcher:sesame").observe()
    assert "sesame" not in caught.value.text + caught.value.hint


async def test_who_may_look_need_not_be_able_to_promote(pair: Pair) -> None:
    """A user with pg_monitor sees all of it, and its attempt to promote changes nothing and says what it lacks."""
    watcher = "watcher:right"
    assert (await server(pair.primary, user=watcher).observe()).replicas[0].behind is not None
    with pytest.raises(PermissionDenied, match="pg_promote"):
        await server(pair.standby, user=watcher).promote()
    assert (await server(pair.standby).observe()).role == "standby"


async def test_tls_is_verified_unless_the_string_says_less(pair: Pair) -> None:
    """Without a word the certificate must be valid for the name; what is weaker is told."""
    known = f"sslrootcert={pair.authority}"
    assert (await server(pair.primary, host="localhost", options=known).observe()).tls == "verified"
    assert (await server(pair.primary, options="sslmode=require").observe()).tls == "unverified"
    assert (await server(pair.primary, options="sslmode=disable").observe()).tls == "none"
    with pytest.raises(Unavailable, match=r"not valid for it.*127\.0\.0\.1"):
        await server(pair.primary, options=known).observe()
    with pytest.raises(Unavailable, match="not valid for it"):
        await server(pair.primary, host="localhost", options="").observe()


@pytest.mark.parametrize("after", [0, 200, 400])
async def test_a_wire_that_is_cut_is_told(pair: Pair, after: int) -> None:
    """A connection that ends in the middle is an error with the server's name, not a hang or a half observation."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, there = await asyncio.open_connection("127.0.0.1", pair.primary)

        async def forward() -> None:
            while data := await reader.read(4096):
                there.write(data)

        sending = asyncio.create_task(forward())
        writer.write(await back.readexactly(after))
        await writer.drain()
        sending.cancel()
        there.close()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as proxy:
        port = proxy.sockets[0].getsockname()[1]
        with pytest.raises(Unavailable, match=rf"PostgreSQL at 127\.0\.0\.1:{port}"):
            await server(port).observe()


@pytest.mark.parametrize(
    "url",
    [
        "mysql://me:sesame@db.example/x",
        "postgresql:///x",
        "postgresql://me:sesame@one.example,two.example/x",
        "postgresql://me:sesame@db.example:sesame/x",
        "postgresql://me:sesame@db.example/x?host=evil.example",
        "postgresql://me:sesame@db.example/x?sslmode=prefer",
        "postgresql://me:sesame@db.example/x?sslrootcert=/nowhere",
    ],
)
def test_a_string_that_cannot_be_used_is_refused_without_showing_it(url: str) -> None:
    """Nothing chooses another server or a weaker TLS by itself, and no refusal shows the secret."""
    with pytest.raises(Rejected, match="cannot be used") as caught:
        PostgreSQL(Secret(url))
    assert "sesame" not in caught.value.text + caught.value.hint


async def test_a_promotion_is_done_once_and_a_primary_that_comes_back_is_noticed(pair: Pair) -> None:
    """The standby is the primary on a new timeline; asked again it says so; the old one makes two primaries.

    The last test of this file: nothing makes a standby of it again.
    """
    await until(pair, lambda now: now.bytes_behind == 0)
    before = await server(pair.standby).observe()
    pair.stop(pair.primary)
    with pytest.raises(ProviderError, match="cannot be reached"):
        await server(pair.primary).observe()
    assert await server(pair.standby).promote() == "promoted"
    assert await server(pair.standby).promote() == "was primary"
    after = await server(pair.standby).observe()
    assert (after.role, after.timeline, after.system) == ("primary", before.timeline + 1, before.system)
    pair.start(pair.primary)
    assert (await replication(pair)).relation is Relation.TWO_PRIMARIES
