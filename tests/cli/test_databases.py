"""A shop with a real PostgreSQL pair by commands: how the databases stand, and what that means for a switch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from databases.database_shop import PASSWORD, DatabaseShop
from databases.postgresql_pair import SERVERS
from keyring_session import KeyringSession

pytestmark = pytest.mark.skipif(not SERVERS, reason="PostgreSQL's server is not installed")


@pytest.fixture
def session(tmp_path: Path) -> Iterator[KeyringSession]:
    with KeyringSession(tmp_path) as running:
        yield running


@pytest.fixture
def shop(tmp_path: Path, session: KeyringSession) -> Iterator[DatabaseShop]:
    with DatabaseShop(tmp_path, session) as running:
        yield running


def test_how_they_stand(shop: DatabaseShop) -> None:
    """Roles, positions and lag, now; what they said then stands in the check, and what was never said is not known."""
    (never,) = shop.findings()
    assert never[0] == "block"
    assert "has said nothing yet" in never[1]
    assert [level for level, _ in shop.findings("--emergency")] == ["warn"]
    shop.level()
    found = shop.databases()
    primary, backup = found["deployments"]
    assert (primary["observed"]["role"], backup["observed"]["role"]) == ("primary", "standby")
    assert (primary["kind"], primary["secret"], primary["error"]) == ("postgresql", "primary-db", None)
    assert found["standbys"] == [
        {
            "name": "backup",
            "of": "primary",
            "relation": "follows",
            "bytes_behind": 0,
            "seconds_behind": 0.0,
            "transactions_behind": None,
            "only_on_standby": "",
            "out_of_reach": "",
        }
    ]
    assert [(one["level"], "not verified" in one["text"]) for one in found["findings"]] == [("pass", True)] * 2
    level, text = shop.findings()[0]
    assert (level, "has everything that primary's has, as they said" in text) == ("pass", True)
    told = shop.run("database", "shop")
    assert "standby, streaming, timeline 1, at 0/" in told.stdout
    assert "The database of backup has everything that primary's has." in told.stderr


def test_a_paused_replay_blocks_and_a_limit_is_the_services_own(shop: DatabaseShop) -> None:
    """In bytes and time; a person may accept it by its name."""
    shop.fall_behind()
    behind = shop.databases()["standbys"][0]
    assert behind["bytes_behind"] > 1_000_000
    assert behind["seconds_behind"] > 0
    levels = dict(shop.findings())
    assert "The database of backup has paused its replay, so it falls behind" in levels["block"]
    text = shop.home.settings_file.read_text()
    limits = "ttl = 60\ndatabase_lag = { warn = 1, block = 604800 }"
    shop.home.settings_file.write_text(text.replace("ttl = 60", limits))
    while shop.databases()["standbys"][0]["seconds_behind"] < 1:
        pass
    assert any(level == "warn" and "behind primary's" in text for level, text in shop.findings())
    shop.json("switch", "shop", "--to", "backup", "--yes", status=3)
    run = shop.json("switch", "shop", "--to", "backup", "--yes", "--override", "database=the shop is read-only")
    assert run["outcome"] == "completed"


def test_one_that_is_silent(shop: DatabaseShop) -> None:
    """It is told who cannot be reached, with what it said before; an emergency goes on from that."""
    shop.databases()
    shop.pair.stop(shop.pair.primary)
    found = shop.databases(status=3)
    primary, backup = found["deployments"]
    assert (primary["error"]["kind"], primary["observed"]["role"]) == ("unavailable", "primary")
    assert backup["error"] is None
    told = shop.run("database", "shop")
    assert "cannot be reached" in told.stdout
    assert "It said" in told.stdout
    assert [level for level, text in shop.findings("--emergency") if "may be lost" in text] == ["warn"]


def test_a_string_that_cannot_be_used_is_not_kept(shop: DatabaseShop) -> None:
    """It is told at once, without a word of it; so is a file of authorities that came with the settings."""
    for wrong in (f"mysql://me:{PASSWORD}@db.example/x", f"postgresql://me:{PASSWORD}@a,b/x", PASSWORD):
        ended = shop.run("service", "secret", "shop", "backup-db", "--secret-stdin", stdin=wrong)
        assert (ended.returncode, "cannot be used" in ended.stderr) == (3, True), ended.stderr
        assert PASSWORD not in ended.stdout + ended.stderr
    pushed = shop.home.settings_file.with_name("ca.pem")
    pushed.write_bytes(shop.pair.authority.read_bytes())
    options = f"sslrootcert={pushed}"
    url = f"postgresql://operator:{PASSWORD}@localhost:{shop.pair.standby}/postgres?{options}"
    ended = shop.run("service", "secret", "shop", "backup-db", "--secret-stdin", stdin=url)
    assert (ended.returncode, "came with the settings" in ended.stderr) == (3, True), ended.stderr
    kept = url.replace(str(pushed), str(shop.pair.authority))
    shop.json("service", "secret", "shop", "backup-db", "--secret-stdin", stdin=kept)
    assert shop.databases()["deployments"][1]["observed"]["tls"] == "verified"


def test_databases_that_change_places_are_asked_nothing(shop: DatabaseShop) -> None:
    """Settings from elsewhere: until somebody has seen it, no connection is made."""
    text = shop.home.settings_file.read_text()
    swapped = text.replace("primary-db", "x-db").replace("backup-db", "primary-db").replace("x-db", "backup-db")
    shop.home.settings_file.write_text(swapped)
    before = shop.wire.connections
    found = shop.databases(status=3)
    assert [one["error"]["kind"] for one in found["deployments"]] == ["not-approved"] * 2
    assert shop.wire.connections == before


def test_a_watch_sees_lag(shop: DatabaseShop) -> None:
    """It reads what nobody asked for, keeps it, and so does the next check know of it."""
    shop.fall_behind()
    assert "has said nothing yet" in shop.findings()[0][1]
    with shop.start("status", "shop", "--watch") as watching:
        while not any("paused its replay" in text for _, text in shop.findings()):
            assert watching.poll() is None
        watching.terminate()
        watching.communicate(timeout=60)
    assert any("behind primary's" in text for _, text in shop.findings())
