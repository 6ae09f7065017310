"""Platforms by commands, on a practice ground that runs in a process of its own."""

from __future__ import annotations

import contextlib
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from practice_ground import Lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with Lab(tmp_path / "lab") as running:
        yield running


def test_what_runs_and_what_can_be_asked(lab: Lab) -> None:
    """Of all deployments or of one; the releases differ."""
    both = lab.json("platform", "shop")["deployments"]
    assert [(one["name"], one["observed"]["release"]) for one in both] == [("primary", "v42"), ("backup", "v41")]
    (backup,) = lab.json("platform", "shop", "backup")["deployments"]
    assert (backup["platform"], backup["account"], backup["keys"]) == ("lab", "lab-platform", {"app": "backup"})
    told = {key: value for key, value in backup["observed"].items() if value not in (None, "", [])}
    assert told == {
        "wanted": 1,
        "running": 1,
        "release": "v41",
        "maintenance": False,
        "hostnames": ["www.shop.example", "shop.example"],
    }
    assert {(one["verb"], one["reverse"], one["idempotent"]) for one in backup["operations"]} == {
        ("maintenance-on", "maintenance-off", True),
        ("maintenance-off", "maintenance-on", True),
        ("scale", "scale", True),
    }
    told = lab.run("platform", "shop").stdout
    assert "release v41, 1 instance" in told
    assert "maintenance-on" in told
    assert lab.run("platform", "shop", "third").returncode == 2


def test_the_account_is_one_like_others(lab: Lab) -> None:
    """Verified by what it has, not removed while it is used, and told with its keys."""
    check = lab.json("account", "verify", "lab-platform")
    assert (check["ok"], check["may_write"]) == (True, None)
    assert check["apps"] == [
        {"name": "primary", "keys": {"app": "primary"}},
        {"name": "backup", "keys": {"app": "backup"}},
    ]
    assert "lab-platform sees 2 apps" in lab.run("account", "verify", "lab-platform").stderr
    assert "used by shop" in lab.json("account", "remove", "lab-platform", status=3)["error"]["text"]
    told = lab.json("account", "providers", "lab")
    assert ([key["name"] for key in told["keys"]], told["is"]) == (["endpoint"], "platform")
    assert [key["name"] for key in told["deployment_keys"]] == ["app"]
    wrong = lab.json("account", "add", "two", "--provider", "lab", "--set", "endpont=x", status=2)["error"]["text"]
    assert "did you mean endpoint?" in wrong
    endpoint = "http://127.0.0.1:9"
    assert lab.run("account", "add", "two", "--provider", "lab", "--set", f"endpoint={endpoint}").returncode == 0
    silent = lab.json("account", "verify", "two", status=3)
    assert "127.0.0.1:9" in silent["text"]
    assert lab.run("account", "remove", "two").returncode == 0
    assert lab.run("account", "remove", "two").returncode == 2


def test_a_service_is_added_on_a_platform(lab: Lab) -> None:
    """By the account that steers it; the platform's keys are checked before anything is written."""
    words = ["service", "add", "blog", "--hostname", "blog.shop.example", "--dns", "lab-dns:shop.example"]
    words += ["--deployment", "here=a:127.0.0.2", "--deployment", "there=a:127.0.0.3"]
    for wrong, said in (
        ("here=lab-dns", "Accounts at platforms: lab-platform"),
        ("nowhere=lab-platform", "DEPLOYMENT=ACCOUNT"),
        ("here=lab-platform", "app: missing"),
        ("here=lab-platform,ap=primary", "did you mean app?"),
    ):
        ended = lab.run(*words, "--platform", wrong)
        assert (ended.returncode, said in ended.stderr) == (2, True), ended.stderr
    assert lab.run(*words, "--platform", "here=lab-platform,app=primary").returncode == 0
    here, there = lab.json("platform", "blog")["deployments"]
    assert (here["keys"], here["observed"]["release"]) == ({"app": "primary"}, "v42")
    assert (there["platform"], there["observed"], there["operations"], there["error"]) == ("url", None, [], None)
    # No action of it asks a platform, so its settings need no approval; who asks for something is shown where it goes.
    assert lab.json("platform", "blog", "here", "scale", "--set", "instances=2", "--yes")["outcome"] == "completed"
    assert "nobody can steer" in lab.json("platform", "blog", "there", "stop", "--yes", status=2)["error"]["text"]


def test_a_template_makes_steps_that_work(lab: Lab) -> None:
    """What it prints is taken by the settings as it stands; the switch does it, and the undo takes it back."""
    printed = lab.run("service", "template", "shop")
    assert printed.returncode == 0
    settings = lab.home / "changeover.toml"
    text = settings.read_text()
    before, after = text.split("[[services.actions]]")
    settings.write_text(f"{before}{printed.stdout}\n{after[after.index('[lookup]') :]}")
    assert lab.run("trust", "--yes").returncode == 0
    steps = [step["name"] for step in lab.json("plan", "shop", "--to", "backup")["steps"]]
    around = ["change-records", "name-servers", "visitors"]
    assert steps == ["room at backup", "primary quiet", "primary drained", "backup open", "backup proven", *around]
    run = lab.json("switch", "shop", "--to", "backup", "--yes")
    assert run["outcome"] == "completed"
    primary, backup = (one["observed"] for one in lab.json("platform", "shop")["deployments"])
    assert (primary["maintenance"], backup["maintenance"]) == (True, False)
    lab.json("undo", run["run"], "--yes")
    primary, backup = (one["observed"] for one in lab.json("platform", "shop")["deployments"])
    assert (primary["maintenance"], backup["maintenance"]) == (False, False)


def test_an_emergency_asks_the_platform_that_is_down_for_nothing(lab: Lab) -> None:
    """Nobody waits for it: visitors are served without a single connection to it."""
    asked: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = lab.home / "changeover.toml"
        text = settings.read_text()
        port = silent.getsockname()[1]
        account = f'[accounts.dead]\nprovider = "lab"\nendpoint = "http://127.0.0.1:{port}"\n\n'
        text = text.replace("[[services]]", f"{account}[[services]]", 1)
        text = text.replace('account = "lab-platform"', 'account = "dead"', 1)
        quiet = '[[services.actions]]\nname = "quiet"\nphase = "quiesce"\nneeds = "source"\n'
        quiet += 'platform = { deployment = "primary", verb = "maintenance-on" }\n\n'
        settings.write_text(text.replace("[lookup]", f"{quiet}[lookup]"))
        assert lab.run("trust", "--yes").returncode == 0
        (lab.home / "lab" / "broken").mkdir(exist_ok=True)
        (lab.home / "lab" / "broken" / "primary").touch()
        run = lab.json("switch", "shop", "--to", "backup", "--emergency", "--yes")
        assert run["outcome"] == "completed"
        silent.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            asked.append(silent.accept()[0])
    assert not asked
    (quiet_step,) = [step for step in run["steps"] if step["name"] == "quiet"]
    assert (quiet_step["state"], "it needs primary" in quiet_step["note"]) == ("skipped", True)


def test_a_switch_makes_room_and_an_undo_gives_it_back(lab: Lab) -> None:
    """The plan says so; afterwards as many run as before, whatever somebody had set."""
    steps = [step["name"] for step in lab.json("plan", "shop", "--to", "backup")["steps"]]
    assert steps == ["room for all", "change-records", "name-servers", "visitors"]
    (lab.home / "lab" / "apps").mkdir()
    (lab.home / "lab" / "apps" / "backup.json").write_text('{"instances": 2}')
    assert lab.instances() == {"primary": 1, "backup": 2}
    run = lab.json("switch", "shop", "--to", "backup", "--yes")
    assert run["steps"][0]["note"] == "backup has 3 instances"
    assert lab.instances() == {"primary": 1, "backup": 3}
    back = lab.json("undo", run["run"], "--yes")
    first = lab.json("plan", "shop", "--to", "backup")["steps"][0]
    assert (first["name"], first["took_last_time"]) == ("room for all", run["steps"][0]["seconds"])
    shown = lab.run("plan", "shop", "--to", "backup").stdout
    assert re.search(r"1. room for all: Scale backup to 3 instances \(took .+ last time\)", shown)
    assert back["steps"][-1]["text"] == "Take back room for all: Scale backup to 2 instances"
    assert lab.instances() == {"primary": 1, "backup": 2}


def test_a_platform_that_does_not_answer(lab: Lab) -> None:
    """Its deployments are told with what went wrong, and nothing is changed by a switch that needs it."""
    settings = lab.home / "changeover.toml"
    text = settings.read_text()
    (line,) = [line for line in text.splitlines() if line.startswith("endpoint")]
    settings.write_text(text.replace(line, 'endpoint = "http://127.0.0.1:9"'))
    found = lab.json("platform", "shop", status=3)["deployments"]
    assert [one["error"]["kind"] for one in found] == ["unavailable", "unavailable"]
    run = lab.json("switch", "shop", "--to", "backup", "--yes", status=1)
    assert run["outcome"] == "failed"
    assert "Nothing was done" in run["steps"][0]["note"]
    assert [step["state"] for step in run["steps"]] == ["failed", "pending", "pending", "pending"]


def test_what_a_silent_platform_said_is_kept(lab: Lab) -> None:
    """With its age, for the day on which nobody answers; the command says that it could not look."""
    said = lab.json("platform", "shop", "primary")["deployments"][0]
    lab.stop()
    (kept,) = lab.json("platform", "shop", "primary", status=3)["deployments"]
    assert kept["observed"] == said["observed"]
    assert kept["observed_at"] == said["observed_at"]
    assert kept["error"]["kind"] == "unavailable"
    ended = lab.run("platform", "shop", "primary")
    assert "It said" in ended.stdout
    assert "release v42" in ended.stdout
    assert "backup: " in lab.run("drift", "shop").stderr


def test_drift_side_by_side(lab: Lab) -> None:
    """What differs, in words; what is the same is counted; names that are not there are refused."""
    assert lab.json("drift", "shop")["differences"] == 0
    (lab.home / "lab" / "apps").mkdir()
    (lab.home / "lab" / "apps" / "backup.json").write_text('{"instances": 0, "maintenance": true}')
    found = lab.json("drift", "shop")
    assert [(row["aspect"], row["subject"]) for row in found["rows"] if row["agreement"] == "differs"] == [
        ("state", "maintenance"),
        ("scale", "web"),
    ]
    ended = lab.run("drift", "shop")
    assert "backup is in maintenance, so visitors would see a maintenance page" in ended.stdout
    assert "2 differences" in ended.stderr
    check = lab.run("check", "shop", "--to", "backup", "--json")
    (drift,) = [one for one in json.loads(check.stdout)["findings"] if one["check"] == "drift"]
    assert drift["level"] == "warn"
    assert "backup is in maintenance" in drift["text"]
    for words in (("drift", "nothing"), ("drift", "shop", "primary"), ("drift", "shop", "third")):
        assert lab.json(*words, status=2)["error"]["kind"] == "usage"


def test_one_operation_and_its_undo(lab: Lab) -> None:
    """By a run of its own: what stood before is kept, no record is touched, and an undo asks for exactly that."""
    assert lab.run("platform", "shop", "backup", "scale", "--set", "instances=2", "--yes").returncode == 0
    run = lab.json("platform", "shop", "backup", "scale", "--set", "instances=4", "--why", "a sale", "--yes")
    assert (run["kind"], run["outcome"], run["why"], run["changes"]) == ("operation", "completed", "a sale", [])
    assert (run["text"], run["next"]) == ("backup has 4 instances", ["undo"])
    assert lab.instances() == {"primary": 1, "backup": 4}
    assert lab.json("undo", run["run"], "--yes")["outcome"] == "undone"
    assert lab.instances() == {"primary": 1, "backup": 2}
    told = lab.run("report", run["run"]).stdout
    assert "Take back scale: Scale backup to 2 instances" in told
    same = lab.json("platform", "shop", "backup", "scale", "--set", "instances=2", "--yes")
    assert (same["outcome"], same["next"]) == ("completed", []), "what changed nothing needs no undo"
    assert "takes no undo" in lab.json("undo", same["run"], "--yes", status=3)["text"]


def test_what_cannot_be_asked_is_refused_before_anything(lab: Lab) -> None:
    """A verb that there is not, options that it does not take, nobody to ask: nothing is done, and no run begins."""
    for words, said in (
        (("third", "scale"), "has no deployment third"),
        (("backup", "stop"), "It takes: maintenance-on, maintenance-off, scale"),
        (("backup", "scale", "--yes"), "instances: it is missing"),
        (("backup", "scale", "--set", "instances=many", "--yes"), "instances:"),
        (("backup", "scale", "--set", "instances=-1", "--yes"), "instances:"),
        (("backup", "scale", "--set", "instance=1", "--yes"), "did you mean instances?"),
        (("backup", "maintenance-on"), "There is no terminal to ask on"),
        (("backup", "--yes"), "Name the VERB as well"),
    ):
        ended = lab.run("platform", "shop", *words)
        assert (ended.returncode, said in ended.stderr) == (2, True), ended.stderr
    assert lab.json("runs")["runs"] == []
    asked = lab.run("platform", "shop", "primary", "maintenance-on").stderr
    assert "Visitors are at primary now, and would not be served as they are." in asked
    assert "lab, account lab-platform, app primary" in asked


def test_a_silent_platform_is_asked_for_nothing(lab: Lab) -> None:
    """What stood before cannot be read, so nothing is done; what it said last is still told."""
    lab.json("platform", "shop", "backup")
    lab.stop()
    run = lab.json("platform", "shop", "backup", "maintenance-on", "--yes", status=1)
    assert (run["outcome"], run["next"]) == ("failed", [])
    assert "what stands there now could not be read" in run["text"]
    assert "Nothing was done" in run["text"]


def test_settings_that_lead_elsewhere_are_looked_at_first(lab: Lab) -> None:
    """Somebody else's change of which app is steered acts only once it was approved."""
    settings = lab.home / "changeover.toml"
    text = settings.read_text()
    settings.write_text(text.replace('app = "backup"', 'app = "primary"'))
    refused = lab.json("platform", "shop", "backup", "scale", "--set", "instances=2", "--yes", status=3)["error"]
    assert refused["kind"] == "not-approved"
    settings.write_text(text)
    assert lab.instances() == {"primary": 1, "backup": 1}


def test_apps_on_any_address_tell_what_they_run(lab: Lab) -> None:
    """Without any platform: side by side now, in a check as it was told last, and with the reason where it is not."""
    settings = lab.home / "changeover.toml"
    kept = [
        line
        for line in settings.read_text().split("[[services.actions]]")[0].splitlines()
        if not line.startswith(("platform = ", "account = ", "app = "))
    ]
    lookup = settings.read_text()[settings.read_text().index("[lookup]") :]
    told = 'version = { path = "/health", commit = "header:X-Release", schema = "database.schema" }'
    text = "\n".join([*kept, lookup]).replace("ttl = 20", f"ttl = 20\n{told}")
    settings.write_text(text)
    found = lab.json("drift", "shop")
    assert [(one["platform"], one["observed_at"], one["app"]["commit"]) for one in found["deployments"]] == [
        ("url", None, "v42"),
        ("url", None, "v41"),
    ]
    assert [(row["aspect"], row["subject"], row["agreement"]) for row in found["rows"]] == [
        ("release", "commit", "differs"),
        ("schema", "version", "not known"),
    ]
    ended = lab.run("drift", "shop")
    assert "backup runs another commit than primary" in ended.stdout
    assert "backup's app does not tell its database schema's version: the body is not JSON" in ended.stdout
    assert "1 difference; 0 things the same." in ended.stderr
    (check,) = [
        one
        for one in json.loads(lab.run("check", "shop", "--to", "backup", "--json").stdout)["findings"]
        if one["check"] == "drift"
    ]
    assert (check["level"], "as their apps said" in check["text"]) == ("warn", True)
    (lab.home / "lab" / "broken").mkdir(exist_ok=True)
    (lab.home / "lab" / "broken" / "backup").touch()
    ended = lab.run("drift", "shop")
    assert "backup: its app does not tell what it runs: /health answers 503. What it told is from" in ended.stderr
    assert "backup runs another commit than primary" in ended.stdout
    settings.write_text(text.replace("ttl = 20", "ttl = 21").replace(told, told.replace("header:X-Release", "body:(x")))
    assert "services.shop.version.commit" in lab.run("drift", "shop").stderr
