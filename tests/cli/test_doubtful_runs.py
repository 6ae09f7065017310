"""A journal of an older version with a run that is damaged, or that a newer one wrote, by real commands on BIND."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from shop import Shop
from storage.journal.old_journal import flip, rows, write_old_journal

SERVICE = """
[[services]]
name = "{name}"
hostnames = ["{hostname}"]
dns = [{{ account = "lab-dns", zone = "shop.example" }}]
ttl = 20
health = {{ path = "/health", port = {port}, expect_body = "ok", ca_file = "{ca_file}", timeout = 3 }}

[[services.deployments]]
name = "primary"
answer = {{ a = ["127.0.0.2"] }}
marker = {{ header = "X-Deployment", value = "primary" }}

[[services.deployments]]
name = "backup"
answer = {{ a = ["127.0.0.3"] }}
marker = {{ header = "X-Deployment", value = "backup" }}
"""
#: The services of the journal, shop at www and blog at the top of the zone.
HOSTNAMES = {"shop": "www.shop.example", "blog": "shop.example"}


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Shop]:
    """A home whose journal an older Changeover wrote, and the zone as its runs left it."""
    with Shop(tmp_path) as shop:
        text = shop.home.settings_file.read_text().replace("dns-main", "lab-dns")
        before, _, rest = text.partition("[[services]]")
        more = {"port": shop.web.port, "ca_file": shop.web.ca_file}
        services = "".join(SERVICE.format(name=name, hostname=host, **more) for name, host in HOSTNAMES.items())
        shop.home.settings_file.write_text(f"{before}{services}[lookup]{rest.partition('[lookup]')[2]}")
        shop.bind.change(
            delete=["www CNAME", "@ A", "@ AAAA"], add=["www 20 A 127.0.0.2", "shop.example. 20 A 127.0.0.3"]
        )
        write_old_journal(shop.home.database)
        yield shop


def damage(shop: Shop) -> None:
    """The last entry of the run that was left unfinished."""
    flip(shop.home.database, [rows(shop.home.database, "run = 'shop-7'")[-1][0]])


def add_newer(shop: Shop, run: str = "shop-7") -> None:
    """An entry of a kind that comes with a later version."""
    with closing(sqlite3.connect(shop.home.database)) as connection:
        connection.execute(
            "INSERT INTO journal (run, at, event) VALUES (?, '2026-12-01T04:00:00+00:00', ?)",
            (run, '{"type":"teleported","who":"anna@laptop"}'),
        )
        connection.commit()


@pytest.mark.parametrize(
    ("how", "outcome", "words"),
    [
        (damage, "damaged", "is damaged"),
        (add_newer, "newer", "was written by a newer Changeover"),
    ],
    ids=["damaged", "newer"],
)
def test_one_run_in_doubt(old: Shop, how: object, outcome: str, words: str) -> None:
    """It is named wherever runs are, it blocks its own service until somebody accepts it, and others go on as ever."""
    assert callable(how)
    how(old)
    told = {row["run"]: row for row in old.json("runs")["runs"]}
    assert (told["shop-7"]["outcome"], told["shop-7"]["next"], told["shop-7"]["service"]) == (
        outcome,
        ["accept"],
        "shop",
    )
    assert told["blog-2"]["outcome"] == "completed"
    looked = old.run("status")
    assert looked.returncode == 0
    assert f"Run shop-7 of shop {words}. Look at it with: changeover report shop-7" in looked.stderr
    assert [s["open_run"] for s in old.json("status")["services"]] == ["shop-7", None]
    report = old.run("report", "shop-7")
    assert report.returncode == 0
    assert words in report.stdout
    assert "changeover accept shop-7 --reason TEXT" in report.stdout
    for act in (("undo", "--yes"), ("resume", "--yes"), ("commit",), ("pause",), ("approve", "go")):
        refused = old.run(act[0], "shop-7", *act[1:])
        assert refused.returncode == 3, refused.stderr
        assert f"Run shop-7 of shop {words}" in refused.stderr
    check = old.json("check", "shop", "--to", "backup", status=3)
    (finding,) = [f for f in check["findings"] if f["check"] == "unfinished-run"]
    assert (finding["level"], finding["overridable"]) == ("block", False)
    assert words in finding["text"]
    assert old.run("switch", "shop", "--to", "backup", "--yes").returncode == 3
    assert old.run("service", "remove", "shop").returncode == 3

    undone = old.json("undo", "blog-2", "--yes")
    assert undone["outcome"] == "undone"
    assert any("127.0.0.2" in line for line in old.at("shop.example"))
    accepted = old.json("accept", "shop-7", "--reason", "looked at it by hand")
    assert (accepted["outcome"], accepted["accepted"], accepted["next"]) == (outcome, "looked at it by hand", [])
    assert old.run("accept", "shop-7", "--reason", "once more").returncode == 3
    assert old.json("switch", "shop", "--to", "backup", "--yes")["outcome"] == "completed"
    assert old.json("undo", "shop-8", "--yes")["outcome"] == "undone"


def test_every_entry_of_a_service_damaged(old: Shop) -> None:
    """All of its runs are told as damaged; the other service is seen, and its run undone, as if nothing were."""
    flip(old.home.database, [number for number, run, _ in rows(old.home.database) if run.startswith("shop-")])
    told = old.json("runs")["runs"]
    assert {row["outcome"] for row in told if row["service"] == "shop"} == {"damaged"}
    assert len([row for row in told if row["service"] == "shop"]) == 7
    assert old.json("status", "blog")["services"][0]["open_run"] is None
    assert old.json("undo", "blog-2", "--yes")["outcome"] == "undone"


COMMAND = """
[[services.actions]]
name = "tell"
phase = "prove"
command = ["/bin/sh", "-c", "cat {fifo}"]
"""
QUESTION = """
[[services.actions]]
name = "go"
phase = "prove"
approval = "Are the orders there?"
"""


@pytest.mark.parametrize("waits", [False, True], ids=["in a step", "waiting for a yes"])
def test_a_newer_version_speaks_to_a_run_that_goes_on(shop: Shop, waits: bool) -> None:
    """Whatever it said: the run stops before it changes any record, and says that it is not over."""
    asked = shop.folder / "asked"
    os.mkfifo(asked)
    actions = COMMAND.format(fifo=asked) + (QUESTION if waits else "")
    shop.home.settings_file.write_text(shop.home.settings_file.read_text().replace("[lookup]", f"{actions}\n[lookup]"))
    shop.json("trust", "--yes")
    before = shop.bind.records()
    with shop.start("switch", "shop", "--to", "backup", "--yes") as switching:
        with asked.open("w"):  # once the command is under way
            if not waits:
                add_newer(shop, "shop-1")
        if waits:
            while shop.json("report", "shop-1")["steps"][1]["state"] != "running":
                assert switching.poll() is None
            add_newer(shop, "shop-1")
        _, progress = switching.communicate(timeout=60)
    assert switching.returncode == 4, progress
    assert shop.bind.records() == before
    (row,) = shop.json("runs")["runs"]
    assert (row["outcome"], row["next"]) == ("newer", ["accept"])
    shop.json("accept", "shop-1", "--reason", "nothing was changed")
    assert shop.json("check", "shop", "--to", "backup")["ready"]
