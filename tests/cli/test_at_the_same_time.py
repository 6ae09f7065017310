"""Two commands at once, and commands that are told to stop."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from dns_servers.bind import Bind
from shop import APEX, WWW, ZONE, Shop


def test_two_processes_switch_one_service_at_once(shop: Shop) -> None:
    """One runs; the other is refused, before its run or at its write, or comes late and finds all done."""
    shop.web.break_("primary")
    both = [shop.start("switch", "shop", "--to", "backup", "--yes", "--emergency", "--json") for _ in range(2)]
    ended = [process.communicate(timeout=90) for process in both]
    found = [json.loads(out) for out, _ in ended]
    wrote, other = sorted(zip(both, found, strict=True), key=lambda each: each[1]["run"] != "shop-1")
    assert (wrote[0].returncode, wrote[1]["outcome"], wrote[1]["run"]) == (0, "completed", "shop-1"), ended
    late = other[0].returncode == 0
    assert (other[0].returncode, other[1]["outcome"]) == ((0, "completed") if late else (3, "refused")), ended
    assert other[1]["run"] is None or not late, "exactly one of them wrote"
    begun = ["shop-1"] if other[1]["run"] is None else ["shop-2", "shop-1"]
    assert [row["run"] for row in shop.json("runs")["runs"]] == begun
    assert (shop.at(WWW), shop.at(APEX)) == ({f"{WWW}. 60 A 127.0.0.3"}, {f"{APEX}. 60 A 127.0.0.3"})
    assert shop.json("status")["services"][0]["open_run"] is None


def test_opposite_switches_at_once_leave_one_whole_answer(shop: Shop) -> None:
    """Switch and undo at once: the zone is at the one or the other, never between."""
    run = shop.json("switch", "shop", "--to", "backup", "--yes")["run"]
    both = [
        shop.start("undo", run, "--yes", "--json"),
        shop.start("switch", "shop", "--to", "primary", "--yes", "--json"),
    ]
    ended = [process.communicate(timeout=90) for process in both]
    undone, switched = (json.loads(out) for out, _ in ended)
    by = {("undone", 0), ("refused", 3)}, {("completed", 0), ("refused", 3)}
    for process, said, allowed in zip(both, (undone, switched), by, strict=True):
        assert (said["outcome"], process.returncode) in allowed, ended
    assert "refused" not in (undone["outcome"], switched["outcome"]) or undone["outcome"] != switched["outcome"], ended
    assert shop.at(WWW) == {f"{WWW}. 60 CNAME edge-primary.shop.example."}
    assert shop.at(APEX) == {f"{APEX}. 60 A 127.0.0.2", f"{APEX}. 60 AAAA ::1"}


def test_ctrl_c_lets_the_step_finish_and_says_how_to_go_on(shop: Shop, tmp_path: Path) -> None:
    """Interrupted while it waits for a name server: exit 4, the run interrupted, and resume ends it."""
    with Bind(tmp_path, zone_text=ZONE, key=False) as stale:
        settings = shop.home.settings_file.read_text()
        one = f'nameservers = {{ "shop.example" = ["{shop.bind.server}"] }}'
        two = f'nameservers = {{ "shop.example" = ["{shop.bind.server}", "{stale.server}"] }}'
        shop.home.settings_file.write_text(settings.replace(one, two))
        process = shop.start("switch", "shop", "--to", "backup", "--yes")
        assert process.stderr is not None
        told = process.stderr.readline()
        assert told.startswith("● Change 2 hostnames"), told
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=90)
        assert process.returncode == 4, rest
        assert "changeover resume shop-1" in rest
        (row,) = shop.json("runs")["runs"]
        assert (row["outcome"], row["next"]) == ("interrupted", ["resume", "undo", "accept"])
        assert shop.at(WWW) == {f"{WWW}. 60 A 127.0.0.3"}
        shop.home.settings_file.write_text(settings)
        assert shop.json("resume", "shop-1", "--yes")["outcome"] == "completed"
