"""What databases said last is kept, and survives what cannot be read."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from changeover.model.databases.database_observation import DatabaseObservation, ReplicationSlot
from changeover.model.databases.kept_database import KeptDatabase
from changeover.storage.database_observations import KeptDatabases

NOW = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
SEEN = DatabaseObservation(
    role="primary",
    read_at=NOW,
    tls="none",
    version="15",
    system="7",
    timeline=1,
    position=2**40,
    slots=(ReplicationSlot(name="b", active=True),),
)


async def test_the_newest_of_each_deployment_is_kept(tmp_path: Path) -> None:
    """With its moment, for other processes, too."""
    file = tmp_path / "changeover.db"
    one, other = KeptDatabases(file), KeptDatabases(file)
    await one.keep("shop", "primary", SEEN, NOW - timedelta(hours=1))
    await one.keep("shop", "primary", SEEN, NOW)
    assert await other.of("shop") == {"primary": KeptDatabase(at=NOW, observation=SEEN)}
    assert await other.of("nothing") == {}
    one.close()
    other.close()


@pytest.mark.parametrize("content", ["{", '{"role": "king"}', "[]", "", "[" * 100_000])
async def test_what_cannot_be_read_is_as_if_it_was_not_there(tmp_path: Path, content: str) -> None:
    """And keeps nobody from the others."""
    kept = KeptDatabases(tmp_path / "changeover.db")
    await kept.keep("shop", "primary", SEEN, NOW)
    await kept.keep("shop", "backup", SEEN, NOW)
    with sqlite3.connect(tmp_path / "changeover.db") as connection:
        connection.execute("UPDATE database_observations SET content = ? WHERE deployment = 'backup'", (content,))
    connection.close()
    assert list(await kept.of("shop")) == ["primary"]
    kept.close()
