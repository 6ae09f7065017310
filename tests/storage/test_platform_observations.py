"""What platforms said last is kept, without what could be guessed at, and survives what cannot be read."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from changeover.model.errors import ChangeoverError
from changeover.model.platforms.app_version import AppVersion, KeptVersion, Told
from changeover.model.platforms.platform_observation import KeptObservation, PlatformObservation, Process
from changeover.storage.platform_observations import KeptObservations

NOW = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
SEEN = PlatformObservation(
    wanted=2, processes=(Process(name="web", wanted=2),), config={"KEY": "77de68daecd823ba"}, released_at=NOW
)


async def test_the_newest_of_each_deployment_is_kept(tmp_path: Path) -> None:
    """With its moment, for other processes, too; the hashes of values are not."""
    file = tmp_path / "changeover.db"
    one, other = KeptObservations(file), KeptObservations(file)
    await one.keep("shop", "primary", PlatformObservation(wanted=1), NOW - timedelta(hours=1))
    await one.keep("shop", "primary", SEEN, NOW)
    await one.keep("blog", "primary", PlatformObservation(), NOW)
    assert await other.of("shop") == {"primary": KeptObservation(at=NOW, observation=SEEN.for_keeping)}
    assert await other.of("nothing") == {}
    one.close()
    other.close()
    assert b"77de68daecd823ba" not in b"".join(f.read_bytes() for f in tmp_path.iterdir())


async def test_what_apps_told_is_kept_beside_it(tmp_path: Path) -> None:
    """By deployment, the newest; what cannot be read of it is left out."""
    kept = KeptObservations(tmp_path / "changeover.db")
    told = AppVersion(commit=Told(value="abcdef0"), schema=Told(why="the body is not JSON"))
    await kept.keep_version("shop", "primary", AppVersion(), NOW - timedelta(hours=1))
    await kept.keep_version("shop", "primary", told, NOW)
    await kept.keep_version("shop", "backup", told, NOW)
    with sqlite3.connect(tmp_path / "changeover.db") as connection:
        connection.execute("UPDATE app_versions SET content = '[1]' WHERE deployment = 'backup'")
    connection.close()
    assert await kept.versions("shop") == {"primary": KeptVersion(at=NOW, version=told)}
    assert await kept.of("shop") == {}
    kept.close()


@pytest.mark.parametrize("content", ["{", '{"wanted": "many"}', "[]", "", '{"released_at": 1e400}', "[" * 100_000])
async def test_what_cannot_be_read_is_as_if_it_was_not_there(tmp_path: Path, content: str) -> None:
    """And keeps nobody from the others."""
    kept = KeptObservations(tmp_path / "changeover.db")
    await kept.keep("shop", "primary", SEEN, NOW)
    await kept.keep("shop", "backup", SEEN, NOW)
    with sqlite3.connect(tmp_path / "changeover.db") as connection:
        connection.execute("UPDATE platform_observations SET content = ? WHERE deployment = 'backup'", (content,))
    connection.close()
    assert list(await kept.of("shop")) == ["primary"]
    kept.close()


async def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    """As it is of everything that is kept there."""
    (tmp_path / "changeover.db").write_text("no database")
    kept = KeptObservations(tmp_path / "changeover.db")
    with pytest.raises(ChangeoverError):
        await kept.of("shop")
    kept.close()
