"""Two commands at once, and commands that are told to stop."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dns_servers.bind import Bind
from shop import APEX, WWW, ZONE, Shop


@contextmanager
def held_up(shop: Shop, folder: Path, *command: str, zone: str = ZONE) -> Iterator[subprocess.Popen[str]]:
    """A command that has changed the records and waits for a name server whose `zone` stays as it is."""
    settings = shop.home.settings_file.read_text()
    with Bind(folder, zone_text=zone, key=False) as stale:
        one = f'nameservers = {{ "shop.example" = ["{shop.bind.server}"] }}'
        two = f'nameservers = {{ "shop.example" = ["{shop.bind.server}", "{stale.server}"] }}'
        shop.home.settings_file.write_text(settings.replace(one, two))
        process = shop.start(*command)
        assert process.stderr is not None
        told = process.stderr.readline()
        assert told.startswith("● Change 2 hostnames"), told
        shop.home.settings_file.write_text(settings)
        try:
            yield process
        finally:
            process.kill()
            process.communicate()


def interrupted(process: subprocess.Popen[str]) -> tuple[int, str]:
    """How a command ends, and what it says, after Ctrl-C."""
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=90)
    return process.returncode, rest


BUSY, RUNNING = "Another Changeover is working on shop right now", "Run shop-1 is running: it takes no undo"
#: The exit status that belongs to each end.
STATUS = {"completed": 0, "undone": 0, "refused": 3}


def test_while_one_process_switches_others_are_refused(shop: Shop, tmp_path: Path) -> None:
    """Over and back alike: before their run, with nothing changed, saying why; the first is not disturbed."""
    with held_up(shop, tmp_path, "switch", "shop", "--to", "backup", "--yes") as first:
        zone = shop.bind.records()
        for command, said in {("switch", "shop", "--to", "primary"): BUSY, ("undo", "shop-1"): RUNNING}.items():
            refused = shop.json(*command, "--yes", status=3)
            assert refused["outcome"] == "refused"
            assert refused["text"] == said
        assert shop.bind.records() == zone
        assert [row["run"] for row in shop.json("runs")["runs"]] == ["shop-1"]
        assert interrupted(first)[0] == 4
    assert shop.json("resume", "shop-1", "--yes")["outcome"] == "completed"
    assert shop.at(WWW) == {f"{WWW}. 60 A 127.0.0.3"}


def test_while_one_process_undoes_others_are_refused(shop: Shop, tmp_path: Path) -> None:
    """Neither a switch nor another undo comes between."""
    shop.json("switch", "shop", "--to", "backup", "--yes")
    text = ZONE.replace("@ A 127.0.0.2\n@ AAAA ::1\n", "@ A 127.0.0.3\n").replace(
        "www CNAME edge-primary", "www A 127.0.0.3"
    )
    with held_up(shop, tmp_path, "undo", "shop-1", "--yes", zone=text) as first:
        for command, said in {("switch", "shop", "--to", "backup"): BUSY, ("undo", "shop-1"): RUNNING}.items():
            refused = shop.json(*command, "--yes", status=3)
            assert refused["outcome"] == "refused"
            assert refused["text"] == said
        assert interrupted(first)[0] == 4
    assert shop.json("resume", "shop-1", "--yes")["outcome"] == "undone"
    assert shop.at(APEX) == {f"{APEX}. 60 A 127.0.0.2", f"{APEX}. 60 AAAA ::1"}


def test_who_comes_late_finds_all_done(shop: Shop) -> None:
    """The second begins no run, and says that there is nothing to change."""
    first, second = (shop.json("switch", "shop", "--to", "backup", "--yes") for _ in range(2))
    assert (first["outcome"], first["run"]) == ("completed", "shop-1")
    assert (second["outcome"], second["run"]) == ("completed", None)
    assert [row["run"] for row in shop.json("runs")["runs"]] == ["shop-1"]


def test_two_processes_switch_one_service_at_once(shop: Shop) -> None:
    """Whoever comes first: one run wrote and nothing is left open; the other says by its status what became of it."""
    shop.web.break_("primary")
    both = [shop.start("switch", "shop", "--to", "backup", "--yes", "--emergency", "--json") for _ in range(2)]
    ended = [process.communicate(timeout=90) for process in both]
    found = [json.loads(out) for out, _ in ended]
    assert [process.returncode for process in both] == [STATUS[run["outcome"]] for run in found], ended
    assert [(run["run"], run["outcome"]) for run in found if run["run"] == "shop-1"] == [("shop-1", "completed")], ended
    written = [row["run"] for row in shop.json("runs")["runs"] if row["outcome"] == "completed"]
    assert written == ["shop-1"], "exactly one of them wrote"
    assert (shop.at(WWW), shop.at(APEX)) == ({f"{WWW}. 60 A 127.0.0.3"}, {f"{APEX}. 60 A 127.0.0.3"})
    assert shop.json("status")["services"][0]["open_run"] is None


def test_opposite_switches_at_once_leave_one_whole_answer(shop: Shop) -> None:
    """Switch and undo at once: whoever comes first, both lead to the primary, and the zone is never between."""
    run = shop.json("switch", "shop", "--to", "backup", "--yes")["run"]
    both = [
        shop.start("undo", run, "--yes", "--json"),
        shop.start("switch", "shop", "--to", "primary", "--yes", "--json"),
    ]
    ended = [process.communicate(timeout=90) for process in both]
    outcomes = [json.loads(out)["outcome"] for out, _ in ended]
    assert [process.returncode for process in both] == [STATUS[outcome] for outcome in outcomes], ended
    assert {"undone", "completed"} & set(outcomes), ended
    assert shop.at(WWW) == {f"{WWW}. 60 CNAME edge-primary.shop.example."}
    assert shop.at(APEX) == {f"{APEX}. 60 A 127.0.0.2", f"{APEX}. 60 AAAA ::1"}


def test_ctrl_c_lets_the_step_finish_and_says_how_to_go_on(shop: Shop, tmp_path: Path) -> None:
    """Interrupted while it waits for a name server: exit 4, the run interrupted, and resume ends it."""
    with held_up(shop, tmp_path, "switch", "shop", "--to", "backup", "--yes") as process:
        status, rest = interrupted(process)
    assert status == 4, rest
    assert "changeover resume shop-1" in rest
    (row,) = shop.json("runs")["runs"]
    assert (row["outcome"], row["next"]) == ("interrupted", ["resume", "undo", "accept"])
    assert shop.at(WWW) == {f"{WWW}. 60 A 127.0.0.3"}
    assert shop.json("resume", "shop-1", "--yes")["outcome"] == "completed"
