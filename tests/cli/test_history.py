"""`history`, `pin` and `unpin`, as people and scripts see them."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from changeover.commands.history import percent
from changeover.model.health.history import GapKind
from changeover.model.health.probe_result import Cause
from changeover.storage.history.history import History
from changeover.storage.home import Home
from command import run_command
from storage.recorded import one_round

SETTINGS = """
version = 1

[accounts.dns-main]
provider = "rfc2136"
server = "127.0.0.1:1"

[[services]]
name = "shop"
hostnames = ["www.shop.example"]
dns = [{ account = "dns-main", zone = "shop.example" }]

[[services.deployments]]
name = "primary"
answer = { a = ["127.0.0.2"] }

[[services.deployments]]
name = "backup"
answer = { a = ["127.0.0.3"] }

[lookup]
resolvers = ["127.0.0.1:1"]
witnesses = []
doh = []
"""
NOW = datetime.now(UTC).replace(microsecond=0)


class Changeover:
    """Runs commands in a home folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.home = Home.at(folder)
        self.home.settings_file.write_text(SETTINGS)

    def run(self, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "CHANGEOVER_HOME": str(self.home.data), "TZ": "Asia/Kolkata"}
        ended = run_command(arguments, environment)
        assert ended.returncode == status, f"{arguments}\n{ended.stdout}\n{ended.stderr}"
        return ended

    def json(self, *arguments: str, status: int = 0) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run(*arguments, "--json", status=status).stdout)
        return found

    async def record(self) -> None:
        """Two days of checks of both deployments, an incident that has ended and one that lasts, and a night asleep."""
        history = History(self.home.database)
        assert history.begin_recording()
        for step in range(0, 48 * 60, 10):
            at = NOW - timedelta(hours=48) + timedelta(minutes=step)
            history.add_round("shop", one_round(at, step >= 60), "primary")
            history.add_round("shop", one_round(at, True, seconds=0.2), "backup")
        begun = NOW - timedelta(hours=48)
        history.begin_incident("shop", "primary", begun, Cause.DEPLOYMENT, "503, expected 200-399", {"rounds": []})
        history.end_incident("shop", "primary", begun + timedelta(minutes=65))
        history.begin_incident("shop", "backup", NOW - timedelta(minutes=5), None, "connection refused", {})
        history.add_gap(GapKind.ASLEEP, NOW - timedelta(hours=7, minutes=12), NOW)
        await history.roll_up(NOW)
        await history.aclose()


@pytest.fixture
def changeover(tmp_path: Path) -> Changeover:
    return Changeover(tmp_path)


@pytest.fixture
def recorded(changeover: Changeover) -> Changeover:
    asyncio.run(changeover.record())
    return changeover


def test_nothing_yet(changeover: Changeover) -> None:
    """It says so, and an export is empty."""
    assert "Nothing was recorded of shop in this time" in changeover.run("history", "shop").stderr
    found = changeover.json("history", "shop")
    assert (found["service"], found["days"], found["incidents"], found["gaps"]) == ("shop", [], [], [])
    assert changeover.run("history", "shop", "--export", "csv", "--raw").stdout == ""


def test_days_incidents_and_gaps_for_people(recorded: Changeover) -> None:
    """A row for each day and deployment, then the incidents with cause and reason."""
    said = recorded.run("history", "shop").stdout
    days, _, incidents = said.partition("\n\n")
    assert days.splitlines()[0].split("  ")[0] == "DAY"
    assert days.count("primary") == days.count("backup") == 3, "48 hours are on three days"
    assert "100 %" in days
    assert "asleep" in days
    primary, backup = incidents.splitlines()[1:]
    assert ("1 h 5 min" in primary, "deployment" in primary) == (True, True)
    assert primary.rstrip().endswith("503, expected 200-399")
    assert "still lasts" in backup


def test_the_json_has_all_of_it(recorded: Changeover) -> None:
    """Every check counts once: those of the gap as not tried, the others in the availability."""
    found = recorded.json("history", "shop", "--days", "3")
    primary = [day for day in found["days"] if day["deployment"] == "primary"]
    assert sum(sum(day["checks"].values()) for day in primary) == 288
    assert sum(day["checks"]["bad"] for day in primary) == 6
    assert sum(day["checks"]["untried"] for day in primary) == 43
    assert primary[0]["availability"] == primary[0]["checks"]["good"] / (
        primary[0]["checks"]["good"] + primary[0]["checks"]["bad"]
    )
    for day in found["days"]:
        middle = 0.084 if day["deployment"] == "primary" else 0.2
        assert day["seconds"]["p50"] is None or abs(day["seconds"]["p50"] - middle) <= 0.05 * middle
    assert sum(day["gaps"].get("asleep", 0) for day in primary) == pytest.approx(7.2 * 3600)
    ended, lasting = found["incidents"]
    assert (ended["cause"], ended["seconds"], ended["evidence"]) == ("deployment", 3900, {"rounds": []})
    assert (lasting["deployment"], lasting["ended"], lasting["seconds"]) == ("backup", None, None)
    (gap,) = found["gaps"]
    assert (gap["kind"], gap["seconds"]) == ("asleep", 25920)
    since = datetime.fromisoformat(found["since"])
    assert (since.hour, since.minute) == (18, 30), "midnight in Kolkata"


def test_one_deployment(recorded: Changeover) -> None:
    """Only its days and incidents."""
    found = recorded.json("history", "shop", "--deployment", "backup")
    assert {day["deployment"] for day in found["days"]} == {"backup"}
    assert [incident["deployment"] for incident in found["incidents"]] == ["backup"]


def test_exports(recorded: Changeover) -> None:
    """CSV and JSON lines have the same, hour by hour or result by result."""
    table = list(csv.DictReader(io.StringIO(recorded.run("history", "shop", "--export", "csv", "--raw").stdout)))
    lines = recorded.run("history", "shop", "--export", "json", "--raw").stdout.splitlines()
    assert len(table) == len(lines) == 2 * 288
    first = json.loads(lines[0])
    assert (first["deployment"], first["ok"], first["status"]) == ("primary", False, 503)
    assert (first["cause"], first["reason"]) == ("deployment", "503, expected 200-399")
    assert table[0]["reason"] == first["reason"]
    assert datetime.fromisoformat(first["at"]) == NOW - timedelta(hours=48)
    hours = list(csv.DictReader(io.StringIO(recorded.run("history", "shop", "--export", "csv").stdout)))
    counted = ("good", "part", "bad", "untried")
    assert sum(int(hour[name]) for hour in hours for name in counted) == 2 * 288
    assert {len(recorded.run("history", "shop", "--export", "json").stdout.splitlines())} == {len(hours)}


def test_a_reader_that_has_enough(recorded: Changeover) -> None:
    """`| head -1` ends it without a word of complaint."""
    environment = {**os.environ, "CHANGEOVER_HOME": str(recorded.home.data)}
    command = [sys.executable, "-m", "changeover", "history", "shop", "--export", "csv", "--raw"]
    read, write = os.pipe()
    os.close(read)
    ended = subprocess.run(command, env=environment, stdout=write, stderr=subprocess.PIPE, timeout=120, check=False)
    os.close(write)
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["history", "blog"], "Services: shop"),
        (["history", "shop", "--deployment", "third"], "Deployments: primary, backup"),
        (["history", "shop", "--days", "0"], "--days"),
        (["history", "shop", "--days", "x"], "--days"),
        (["history", "shop", "--export", "xml"], "'csv', 'json'"),
        (["history", "shop", "--raw"], "--export csv"),
        (["pin", "blog", "primary", "--as", "never", "--reason", "x"], "Services: shop"),
        (["pin", "shop", "third", "--as", "never", "--reason", "x"], "Deployments: primary, backup"),
        (["unpin", "shop", "third"], "Deployments: primary, backup"),
        (["pin", "shop", "primary", "--as", "never", "--reason", " "], "A reason is needed"),
        (["pin", "shop", "primary", "--as", "maybe", "--reason", "x"], "'healthy', 'unhealthy', 'never'"),
        (["pin", "shop", "primary", "--as", "never", "--reason", "x", "--for", "73h"], "from 1 s to 72 h"),
        (["pin", "shop", "primary", "--as", "never", "--reason", "x", "--for", "soon"], "Write it like 30min"),
    ],
)
def test_wrong_words(changeover: Changeover, arguments: list[str], words: str) -> None:
    """Exit status 2, and what would be right; as JSON too."""
    assert words in changeover.run(*arguments, status=2).stderr
    assert "error" in changeover.json(*arguments, status=2)


def test_pin_and_unpin(changeover: Changeover) -> None:
    """One object each; for four hours unless said otherwise; nothing to unpin is no failure."""
    found = changeover.json("pin", "shop", "primary", "--as", "unhealthy", "--reason", "it lies")
    assert {key: found[key] for key in found if key != "until"} == {
        "service": "shop",
        "deployment": "primary",
        "hold": "unhealthy",
        "reason": "it lies",
    }
    lasts = datetime.fromisoformat(found["until"]) - datetime.now(UTC)
    assert timedelta(hours=3, minutes=50) < lasts <= timedelta(hours=4)
    said = changeover.run("pin", "shop", "primary", "--as", "never", "--reason", "it lies", "--for", "1h 30min").stderr
    assert "primary of shop is kept out of use until" in said
    assert "for 1 h 30 min: it lies" in said
    assert changeover.json("unpin", "shop", "primary")["hold"] is None
    assert "was not pinned" in changeover.run("unpin", "shop", "primary").stderr


@pytest.mark.parametrize(
    ("share", "words"),
    [(1.0, "100 %"), (0.999999, "99.99 %"), (0.29, "29.00 %"), (0.0, "0.00 %"), (None, "not checked")],
)
def test_an_availability_is_never_rounded_up(share: float | None, words: str) -> None:
    """100 % is said of what never failed, and of nothing else."""
    assert percent(share) == words
