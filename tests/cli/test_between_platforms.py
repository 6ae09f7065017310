"""A shop on Heroku with its mirror on Cloud Foundry, by commands: over and back, and at night with Heroku silent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from keyring_session import KeyringSession
from platforms.cloudfoundry_ground import SECRET
from platforms.heroku_simulator import TOKEN
from shop import APEX, WWW
from two_platforms import Moving


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeyringSession]:
    with KeyringSession(tmp_path_factory.mktemp("keyring")) as running:
        yield running


@pytest.fixture
def shop(tmp_path: Path, session: KeyringSession) -> Iterator[Moving]:
    with Moving(tmp_path, session) as running:
        yield running


def test_over_and_back(shop: Moving) -> None:
    """Heroku is quiet and its workers rest while the mirror serves; the undo gives back what stood on both sides."""
    for name in (WWW, APEX):
        shop.heroku.app.attach(name)
    shop.take_template()
    before = shop.observed()
    assert (before[0]["release"], before[0]["maintenance"]) == ("v41", False)
    steps = [step["name"] for step in shop.json("plan", "shop", "--to", "backup")["steps"]]
    assert steps[:3] == ["room at backup", "primary quiet", "worker of primary stopped"]
    assert steps.index("backup proven") < steps.index("change-records") < steps.index("worker of backup started")
    run = shop.json("switch", "shop", "--to", "backup", "--yes")
    assert run["outcome"] == "completed", json.dumps(run["steps"])
    primary, backup = shop.observed()
    assert primary["maintenance"] is True
    assert {one["name"]: one["wanted"] for one in primary["processes"]} == {"web": 1, "worker": 0}
    assert backup["maintenance"] is False
    assert shop.json("undo", run["run"], "--yes")["outcome"] == "undone"
    after = shop.observed()
    for side in (0, 1):
        for key in ("maintenance", "processes", "hostnames", "started"):
            assert after[side][key] == before[side][key], key


def test_where_the_two_differ(shop: Moving) -> None:
    """Names of variables and what only Heroku gives; no value leaves."""
    mirror = shop.cloud_foundry
    mirror.simulator.variables[mirror.app] = {"LANG": "C.UTF-8", "SECRET_KEY": "canary-of-config"}
    ended = shop.run("drift", "shop")
    assert ended.returncode == 0, ended.stderr
    assert "RAILS_ENV is not set at backup" in ended.stdout
    assert "Heroku gives DYNO to every app by itself" in ended.stdout
    assert "www.shop.example is not attached at backup" in ended.stdout
    kept = b"".join(file.read_bytes() for file in shop.home_folder.rglob("*") if file.is_file())
    for secret in (TOKEN, SECRET.reveal(), "canary-of-config"):
        assert secret not in ended.stdout + ended.stderr
        assert secret.encode() not in kept


def test_at_night_with_heroku_silent(shop: Moving) -> None:
    """Nothing is asked of it before visitors are served, and what it said before is shown with its age."""
    shop.take_template()
    shop.web.break_("primary")
    shop.heroku.behind.misbehave("hang", times=10_000)
    asked = len(shop.heroku.behind.requests)
    run = shop.json("switch", "shop", "--to", "backup", "--emergency", "--yes")
    assert run["outcome"] == "completed", json.dumps(run["steps"])
    assert len(shop.heroku.behind.requests) == asked
    left_out = {step["name"] for step in run["steps"] if step["state"] == "skipped"}
    assert {"primary quiet", "worker of primary stopped", "primary drained"} <= left_out
    (drift,) = [one for one in run["findings"] if one["check"] == "drift"]
    assert "as their platforms said" in drift["text"]


def test_dns_first(shop: Moving) -> None:
    """Visitors are led away before any platform is asked, and looked at once the target is ready."""
    shop.take_template()
    shop.web.break_("primary")
    shop.heroku.behind.misbehave("hang", times=10_000)
    refused = shop.run("plan", "shop", "--to", "backup", "--dns-first")
    assert (refused.returncode, "--dns-first is for an emergency" in refused.stderr) == (2, True)
    night = ("shop", "--to", "backup", "--emergency", "--dns-first")
    planned = [step["name"] for step in shop.json("plan", *night)["steps"]]
    assert planned[:2] == ["change-records", "room at backup"]
    assert planned.index("backup proven") < planned.index("name-servers") < planned.index("visitors")
    run = shop.json("switch", *night, "--yes")
    assert run["outcome"] == "completed", json.dumps(run["steps"])
    assert [step["name"] for step in run["steps"]] == planned
    assert shop.at(WWW) == {f"{WWW}. 60 A 127.0.0.3"}


def test_when_heroku_answers_again(shop: Moving) -> None:
    """What the night left out there is told, and done by one command; the undo of the night gives all of it back."""
    shop.take_template()
    before = shop.observed()[0]
    shop.web.break_("primary")
    shop.heroku.behind.misbehave("hang", times=10_000)
    run = shop.json("switch", "shop", "--to", "backup", "--emergency", "--yes")
    assert [one["step"] for one in run["still_to_do"]] == ["primary quiet", "worker of primary stopped"]
    shop.heroku.behind.forget_misbehaviour()
    shop.web.repair("primary")
    assert shop.observed()[0]["processes"] == before["processes"], "its workers work on"
    findings = json.loads(shop.run("check", "shop", "--to", "primary", "--json").stdout)["findings"]
    (fenced,) = [one for one in findings if one["check"] == "fenced"]
    assert "primary works on while visitors are at backup" in fenced["text"]
    assert "Still to do there: primary quiet; worker of primary stopped" in fenced["text"]
    assert shop.json("fence", "shop", "--yes")["outcome"] == "completed"
    primary = shop.observed()[0]
    assert primary["maintenance"] is True
    assert {one["name"]: one["wanted"] for one in primary["processes"]} == {"web": 1, "worker": 0}
    assert shop.json("undo", run["run"], "--yes")["outcome"] == "undone"
    after = shop.observed()[0]
    assert (after["maintenance"], after["processes"]) == (False, before["processes"])
