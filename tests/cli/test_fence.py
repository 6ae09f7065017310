"""What an emergency left out at the side that failed, by commands: told until it is done there, or dropped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dns.query
import dns.update
import pytest

from practice_ground import Lab

KILLED_AT = str(Path(__file__).with_name("killed_at.py"))
ACTIONS = """[[services.actions]]
name = "quiet"
phase = "quiesce"
to = ["backup"]
needs = "source"
repeatable = true
platform = { deployment = "primary", verb = "maintenance-on" }
risk = "Visitors may still write at primary."

[[services.actions]]
name = "stopped"
phase = "fence"
to = ["backup"]
needs = "source"
repeatable = true
platform = { deployment = "primary", verb = "scale", instances = 0 }

[lookup]"""


class Shop(Lab):
    """The practice ground, whose primary is to be quiet and stopped while the backup serves."""

    def __enter__(self) -> Shop:
        super().__enter__()
        settings = self.home / "changeover.toml"
        settings.write_text(settings.read_text().replace("[lookup]", ACTIONS))
        assert self.run("trust", "--yes").returncode == 0
        return self

    def break_(self) -> None:
        (self.home / "lab" / "broken").mkdir(exist_ok=True)
        (self.home / "lab" / "broken" / "primary").touch()

    def mend(self) -> None:
        (self.home / "lab" / "broken" / "primary").unlink()

    def fail_over(self) -> dict[str, Any]:
        """The primary fails, and visitors are led away from it; then it answers again."""
        self.break_()
        run = self.json("switch", "shop", "--to", "backup", "--emergency", "--yes")
        assert run["outcome"] == "completed", json.dumps(run["steps"])
        self.mend()
        return run

    def left(self) -> list[str]:
        """What is still to be done, as `status` has it."""
        (shop,) = self.json("status", "shop")["services"]
        return [step["step"] for step in shop["still_to_do"]]

    def primary(self) -> tuple[bool, int]:
        """Is it in maintenance, and how many instances should it have?"""
        observed = self.json("platform", "shop", "primary")["deployments"][0]["observed"]
        return observed["maintenance"], observed["wanted"]

    def kill(self, number: int, moment: str) -> None:
        """`fence`, killed before or after so many entries of its journal."""
        words = [sys.executable, KILLED_AT, str(number), moment, "fence", "shop", "--yes"]
        environment = {**os.environ, "CHANGEOVER_HOME": str(self.home)}
        killed = subprocess.run(words, env=environment, capture_output=True, timeout=90, check=False)
        assert killed.returncode == -signal.SIGKILL

    def primary_address(self) -> str:
        tables = tomllib.loads((self.home / "changeover.toml").read_text())
        (answer,) = tables["services"][0]["deployments"][0]["answer"].values()
        address: str = answer[0]
        return address

    def lead_to(self, address: str) -> None:
        """Somebody else changes the records of both hostnames."""
        tables = tomllib.loads((self.home / "changeover.toml").read_text())
        host, port = tables["accounts"]["lab-dns"]["server"].rsplit(":", 1)
        update = dns.update.UpdateMessage("shop.example")
        for name in ("www.shop.example.", "shop.example."):
            update.delete(name, "A")
            update.add(name, 20, "A", address)
        assert dns.query.udp(update, host, port=int(port), timeout=5).rcode() == 0


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with Shop(tmp_path / "lab") as running:
        yield running


def test_told_until_it_is_done(shop: Shop) -> None:
    """By the switch, the status, the report and a check; then one command does it, and an undo takes all of it back."""
    run = shop.fail_over()
    assert [(one["at"], one["step"], one["doubtful"]) for one in run["still_to_do"]] == [
        ("primary", "quiet", False),
        ("primary", "stopped", False),
    ]
    words = "Still to do at primary when it answers: quiet; stopped"
    assert f"shop: {words}. Do it with: changeover fence shop" in shop.run("status", "shop").stderr
    assert words in shop.run("report", "shop-1").stdout
    assert shop.primary() == (False, 1)
    findings = json.loads(shop.run("check", "shop", "--to", "primary", "--json").stdout)["findings"]
    (fenced,) = [one for one in findings if one["check"] == "fenced"]
    assert "still to do there: quiet; stopped" in fenced["text"]
    assert fenced["fix"] == "Do it: changeover fence shop"
    asked = shop.run("fence", "shop")
    assert asked.returncode == 2
    assert "1. quiet: Maintenance on at primary" in asked.stderr
    assert "2. stopped: Scale primary to 0 instances" in asked.stderr
    assert shop.primary() == (False, 1)
    done = shop.json("fence", "shop", "--yes", "--why", "it answers again")
    assert (done["outcome"], done["kind"], done["changes"], done["next"]) == ("completed", "fence", [], ["undo"])
    assert [(step["name"], step["state"]) for step in done["steps"]] == [("quiet", "done"), ("stopped", "done")]
    assert shop.primary() == (True, 0)
    assert shop.left() == []
    assert "Still to do" not in shop.run("report", "shop-1").stdout
    assert "Does what was left out by: shop-1" in shop.run("report", "shop-2").stdout
    assert shop.json("fence", "shop")["run"] is None
    back = shop.json("undo", "shop-1", "--yes")
    assert back["outcome"] == "undone"
    assert shop.primary() == (False, 1)
    assert shop.left() == []


def test_where_visitors_are_nothing_is_done(shop: Shop) -> None:
    """Somebody else led them back meanwhile; or nobody knows where they are."""
    shop.fail_over()
    shop.lead_to(shop.primary_address())
    refused = shop.json("fence", "shop", "--yes", status=3)["error"]
    assert "Visitors are at primary: it must not be fenced. Nothing was done" in refused["text"]
    shop.lead_to("198.51.100.7")
    refused = shop.json("fence", "shop", "--yes", status=3)["error"]
    assert "It is not known where visitors are (elsewhere)" in refused["text"]
    assert shop.primary() == (False, 1)
    assert shop.left() == ["quiet", "stopped"]


def test_what_is_dropped(shop: Shop) -> None:
    """With a reason, which stays in the report; what is not there cannot be."""
    shop.fail_over()
    for words in (("--drop", "quiet"), ("--drop", "nothing", "--reason", "x"), ("--reason", "x")):
        assert shop.json("fence", "shop", *words, status=2)["error"]["kind"] == "usage"
    left = shop.json("fence", "shop", "--drop", "quiet", "--reason", "it was rebuilt")["still_to_do"]
    assert [one["step"] for one in left] == ["stopped"]
    assert shop.left() == ["stopped"]
    assert "No longer to be done: quiet: it was rebuilt" in shop.run("report", "shop-1").stdout
    assert [step["name"] for step in shop.json("fence", "shop", "--yes")["steps"]] == ["stopped"]
    assert shop.primary() == (False, 0)


def test_a_platform_that_does_not_answer_yet(shop: Shop) -> None:
    """Nothing was done, and all of it is still to be done."""
    shop.fail_over()
    settings = shop.home / "changeover.toml"
    text = settings.read_text()
    (line,) = [line for line in text.splitlines() if line.startswith("endpoint")]
    settings.write_text(text.replace(line, 'endpoint = "http://127.0.0.1:9"'))
    assert shop.run("trust", "--yes").returncode == 0
    run = shop.json("fence", "shop", "--yes", status=1)
    assert (run["outcome"], run["steps"][0]["state"]) == ("failed", "failed")
    settings.write_text(text)
    assert shop.run("trust", "--yes").returncode == 0
    assert shop.left() == ["quiet", "stopped"]
    assert shop.json("fence", "shop", "--yes")["outcome"] == "completed"


def test_what_was_not_approved_is_not_done(shop: Shop) -> None:
    """Approval that was taken back counts for what an emergency left out as well."""
    shop.fail_over()
    assert shop.run("trust", "--withdraw").returncode == 0
    refused = shop.json("fence", "shop", "--yes", status=3)["error"]
    assert "quiet" in refused["text"] + refused["hint"]
    assert shop.primary() == (False, 1)
    assert shop.run("runs").stdout.count("shop-") == 1, "no run was begun"


def test_visitors_that_came_back_on_the_way(shop: Shop) -> None:
    """It is looked at right before each step, also when a run that was cut off goes on."""
    shop.fail_over()
    shop.kill(2, "after")
    shop.lead_to(shop.primary_address())
    run = shop.json("resume", "shop-2", "--yes", status=4)
    assert [step["state"] for step in run["steps"]] == ["failed", "pending"]
    assert "Visitors are at primary: it must not be fenced. Nothing was done" in run["steps"][0]["note"]
    assert shop.primary() == (False, 1)


@pytest.mark.parametrize(("number", "moment"), [(1, "after"), (2, "after"), (3, "before"), (4, "after"), (6, "before")])
def test_killed_on_the_way(shop: Shop, number: int, moment: str) -> None:
    """Between any two entries of its journal: a step that may have been done is told so, and a resume does the rest."""
    shop.fail_over()
    shop.kill(number, moment)
    (state,) = shop.json("status", "shop")["services"]
    assert state["open_run"] == "shop-2"
    doubtful = [step["step"] for step in state["still_to_do"] if step["doubtful"]]
    assert doubtful == {2: ["quiet"], 3: ["quiet"], 4: ["stopped"]}.get(number, [])
    assert shop.json("fence", "shop", "--yes", status=3 if state["still_to_do"] else 0)
    assert shop.json("resume", "shop-2", "--yes")["outcome"] == "completed"
    assert shop.primary() == (True, 0)
    assert shop.left() == []
