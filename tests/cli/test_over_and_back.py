"""The main job by command line, on BIND: over to the backup and back."""

from __future__ import annotations

import json

import pytest

from shop import APEX, WWW, Shop

WWW_PRIMARY = {f"{WWW}. 60 CNAME edge-primary.shop.example."}
APEX_PRIMARY = {f"{APEX}. 60 A 127.0.0.2", f"{APEX}. 60 AAAA ::1"}
WWW_BACKUP, APEX_BACKUP = {f"{WWW}. 60 A 127.0.0.3"}, {f"{APEX}. 60 A 127.0.0.3"}


def test_status_tells_where_visitors_go_and_that_the_backup_is_ready(shop: Shop) -> None:
    """`status` gives health, active deployment and readiness."""
    (service,) = shop.json("status")["services"]
    assert (service["active"], service["readiness"], service["open_run"]) == ("primary", "pass", None)
    assert [(d["name"], d["health"]) for d in service["deployments"]] == [("primary", "healthy"), ("backup", "healthy")]
    assert all(d["checked_at"].endswith("Z") for d in service["deployments"])


def test_over_and_undo_leaves_the_zone_as_it_was(shop: Shop) -> None:
    """A switch moves every hostname with A, AAAA and CNAME; undo gives back the exact zone."""
    start = shop.bind.records()
    run = shop.json("switch", "shop", "--to", "backup", "--yes")
    assert (run["outcome"], run["from"], run["to"]) == ("completed", "primary", "backup")
    assert {c["name"] for c in run["changes"]} == {WWW, APEX}
    assert [s["state"] for s in run["steps"]] == ["done", "done", "done"]
    assert (shop.at(WWW), shop.at(APEX)) == (WWW_BACKUP, APEX_BACKUP)
    untouched = {line for line in start if line.split()[0] not in (f"{WWW}.", f"{APEX}.")}
    assert untouched <= shop.bind.records()
    assert shop.json("status")["services"][0]["active"] == "backup"

    undone = shop.json("undo", run["run"], "--yes")
    assert undone["outcome"] == "undone"
    assert shop.bind.records() == start
    assert (shop.at(WWW), shop.at(APEX)) == (WWW_PRIMARY, APEX_PRIMARY)


def test_back_by_a_switch_to_the_primary(shop: Shop) -> None:
    """Failback is a switch like any other; other records stay byte for byte."""
    start = shop.bind.records()
    shop.json("switch", "shop", "--to", "backup", "--yes")
    back = shop.json("switch", "shop", "--to", "primary", "--yes")
    assert back["outcome"] == "completed"
    assert shop.bind.records() == start


def test_a_second_switch_finds_everything_there(shop: Shop) -> None:
    """A switch to where visitors are changes nothing and ends with 0."""
    shop.json("switch", "shop", "--to", "backup", "--yes")
    before = shop.bind.records()
    again = shop.json("switch", "shop", "--to", "backup", "--yes")
    assert (again["run"], again["outcome"], again["changes"]) == (None, "completed", [])
    assert shop.bind.records() == before


def test_a_plan_shows_everything_and_changes_nothing(shop: Shop) -> None:
    """`plan` gives before and after of every hostname and the steps in order."""
    before = shop.bind.records()
    plan = shop.json("plan", "shop", "--to", "backup")
    (www,) = [c for c in plan["changes"] if c["name"] == WWW]
    assert www["before"] == [{"type": "CNAME", "ttl": 60, "values": ["edge-primary.shop.example"]}]
    assert www["after"] == [{"type": "A", "ttl": 60, "values": ["127.0.0.3"]}]
    assert [s["name"] for s in plan["steps"]] == ["change-records", "name-servers", "visitors"]
    assert shop.bind.records() == before


def test_a_primary_that_is_down_needs_the_word_emergency(shop: Shop) -> None:
    """A planned switch away from a dead primary is refused, and the fix names --emergency; with it the run goes."""
    shop.web.break_("primary")
    before = shop.bind.records()
    refused = shop.json("switch", "shop", "--to", "backup", "--yes", status=3)
    (finding,) = [f for f in refused["findings"] if f["check"] == "source-healthy"]
    assert refused["outcome"] == "refused"
    assert finding["level"] == "block"
    assert "--emergency" in finding["fix"]
    assert shop.bind.records() == before
    run = shop.json("switch", "shop", "--to", "backup", "--yes", "--emergency")
    assert run["outcome"] == "completed"
    undone = shop.json("undo", run["run"], "--yes")
    assert undone["outcome"] == "undone", "an undo restores the records although the primary is still down"
    assert shop.bind.records() == before


def test_a_backup_that_is_down_blocks_and_can_be_overridden_in_an_emergency_only(shop: Shop) -> None:
    """target-answers is overridden by name, with a reason, in an emergency; the reason is in the report."""
    shop.web.break_("backup")
    shop.json("switch", "shop", "--to", "backup", "--yes", "--override", "target-answers=we know", status=3)
    ended = shop.json(
        *("switch", "shop", "--to", "backup", "--yes", "--emergency", "--verify-timeout", "0.5"),
        *("--override", "target-answers=it is warming up"),
        status=4,
    )
    assert ended["outcome"] == "incomplete", "visitors are not served by the backup"
    assert any(f.get("override") == "it is warming up" for f in ended["findings"])
    assert shop.json("status")["services"][0]["open_run"] == ended["run"]
    shop.json("switch", "shop", "--to", "primary", "--yes", status=3)
    shop.web.repair("backup")
    assert shop.json("resume", ended["run"], "--yes")["outcome"] == "completed"


def test_without_a_terminal_and_without_yes_nothing_happens(shop: Shop) -> None:
    """`switch` and `undo` end with 2 where there is nobody to ask."""
    before = shop.bind.records()
    assert shop.run("switch", "shop", "--to", "backup").returncode == 2
    assert shop.bind.records() == before
    run = shop.json("switch", "shop", "--to", "backup", "--yes")["run"]
    assert shop.run("undo", run).returncode == 2


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["for people", "as JSON"])
def test_what_is_asked_for_was_shown(shop: Shop, form: tuple[str, ...]) -> None:
    """`switch`, `resume` and `undo` show every record set before and after, and every step, before they ask."""

    def asked(*words: str) -> str:
        ended = shop.run(*words, *form)
        assert ended.returncode == 2
        assert "no terminal to ask on" in ended.stderr
        assert not form or set(json.loads(ended.stdout)) == {"error"}
        return ended.stderr if form else ended.stdout + ended.stderr

    def shows(text: str, before: str, after: str, step: str) -> bool:
        return all(part in text for part in (WWW, APEX, f"- {before} (TTL 60 s)", f"+ {after} (TTL 60 s)", step))

    primary, backup = "CNAME edge-primary.shop.example", "A 127.0.0.3"
    before = shop.bind.records()
    assert shows(asked("switch", "shop", "--to", "backup"), primary, backup, "1. Change 2 hostnames")
    assert shop.bind.records() == before
    shop.web.break_("backup")
    emergency = ("--emergency", "--override", "target-answers=it is warming up", "--verify-timeout", "0.5")
    run = shop.json("switch", "shop", "--to", "backup", "--yes", *emergency, status=4)["run"]
    over = shop.bind.records()
    assert shows(asked("resume", run), primary, backup, "1. Check")
    assert shows(asked("undo", run), backup, primary, "1. Change 2 hostnames")
    assert shop.bind.records() == over


def test_runs_reports_commit_and_what_may_follow(shop: Shop) -> None:
    """`runs` says what can be done next; commit closes the undo window; reports come in three formats."""
    run = shop.json("switch", "shop", "--to", "backup", "--yes")["run"]
    (row,) = shop.json("runs")["runs"]
    assert (row["run"], row["outcome"], row["next"]) == (run, "completed", ["undo", "commit"])
    assert shop.json("commit", run)["next"] == ["undo"]
    shop.json("commit", run, status=3)
    shop.json("resume", run, "--yes", status=3)
    report = json.loads(shop.run("report", run, "--format", "json").stdout)
    assert report["changes"]
    assert "edge-primary.shop.example" in shop.run("report", run).stdout
    assert shop.run("report", run, "--format", "html").stdout.startswith("<!doctype html>")
    assert shop.json("undo", run, "--yes")["outcome"] == "undone", "undo works after commit too"


def test_wrong_words_are_answered_with_what_there_is(shop: Shop) -> None:
    """Unknown services, deployments, runs, checks and options end with 2 and name the known ones."""
    for arguments, word in [
        (("plan", "shp", "--to", "backup"), "shop"),
        (("plan", "shop", "--to", "bakup"), "primary, backup"),
        (("undo", "shop-9", "--yes"), "changeover runs"),
        (("switch", "shop", "--to", "backup", "--yes", "--override", "luck=yes"), "luck"),
        (("switch", "shop", "--to", "backup", "--yes", "--override", "ttl="), "reason"),
    ]:
        error = shop.json(*arguments, status=2)["error"]
        assert word in error["text"] + error["hint"], arguments
    assert shop.run("frobnicate").returncode == 2
    assert json.loads(shop.run("plan", "shop", "--json").stdout)["error"]["kind"] == "usage"
