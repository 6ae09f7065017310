"""TTLs by command, on BIND: lowered now, restored when a switch is settled, paused and escalated runs."""

from __future__ import annotations

from changeover.model.runs.run import Outcome
from changeover.switchboard import Switchboard
from shop import APEX, WWW, Shop


def ttls(shop: Shop) -> set[int]:
    return {int(line.split()[1]) for name in (WWW, APEX) for line in shop.at(name)}


def test_lowered_before_a_switch_and_restored_by_its_commit(shop: Shop) -> None:
    """Only TTLs change; a switch meanwhile says how long caches may last; commit gives the old times back."""
    shop.bind.change(delete=["www CNAME"], add=["www 3600 CNAME edge-primary.shop.example."])
    before = shop.bind.records()
    lowered = shop.json("ttl", "lower", "shop", "--yes")
    assert (lowered["outcome"], lowered["kind"], lowered["from"], lowered["to"]) == (
        ("completed", "prepare", "primary", "primary")
    )
    assert ttls(shop) == {60}
    assert lowered["fast_from"] is not None
    changed = {line.replace(f"{WWW}. 60", f"{WWW}. 3600") for line in shop.bind.records()}
    assert changed == before
    plan = shop.json("plan", "shop", "--to", "backup")
    assert 3500 < plan["visitors_follow_within"] <= 3600
    again = shop.run("ttl", "lower", "shop", "--yes")
    assert again.returncode == 3
    switched = shop.json("switch", "shop", "--to", "backup", "--yes", "--why", "a test")
    assert (switched["why"], "@" in switched["who"]) == ("a test", True)
    refused = shop.run("commit", switched["run"])
    assert refused.returncode == 2, "the TTLs that it gives back are shown, and there is nobody to ask"
    assert "TTL 60 s" in refused.stderr
    assert "TTL 3600 s" in refused.stderr
    shop.json("commit", switched["run"], "--yes")
    assert {line.split()[1] for line in shop.at(WWW)} == {"3600"}
    assert shop.run("ttl", "restore", "shop", "--yes").returncode == 3
    kinds = [shop.json("report", f"shop-{n}")["kind"] for n in (1, 2, 3)]
    assert kinds == ["prepare", "switch", "restore-ttl"]


def test_a_lowering_can_be_undone(shop: Shop) -> None:
    """Exactly, as any run."""
    shop.bind.change(delete=["www CNAME"], add=["www 3600 CNAME edge-primary.shop.example."])
    before = shop.bind.records()
    lowered = shop.json("ttl", "lower", "shop", "--to", "30", "--yes")
    assert ttls(shop) == {30}
    shop.json("undo", lowered["run"], "--yes")
    assert shop.bind.records() == before


async def test_only_a_run_that_goes_on_can_be_paused(shop: Shop) -> None:
    """And only an unfinished planned one can become an emergency: both are refused in words, and change nothing."""
    shop.json("switch", "shop", "--to", "backup", "--yes")
    for words in (("pause", "shop-1"), ("escalate", "shop-1", "--why", "the primary died")):
        refused = shop.run(*words)
        assert refused.returncode == 3
        assert "shop-1 is completed" in refused.stderr
    board = Switchboard(shop.home)
    assert (await board.run("shop-1")).outcome is Outcome.COMPLETED
    await board.aclose()


def test_nothing_is_lowered_before_it_was_seen_nor_while_visitors_are_split(shop: Shop) -> None:
    """Without --yes and a terminal it exits 2, with what would change; visitors who are split are no state to keep."""
    shop.bind.change(delete=["www CNAME"], add=["www 3600 CNAME edge-primary.shop.example."])
    before = shop.bind.records()
    asked = shop.run("ttl", "lower", "shop")
    assert (asked.returncode, shop.bind.records()) == (2, before)
    assert "TTL 3600 s" in asked.stderr
    shop.bind.change(delete=["www CNAME"], add=["www 3600 A 127.0.0.3"])
    split = shop.run("ttl", "lower", "shop", "--yes")
    assert split.returncode == 3
    assert "not at one deployment (mixed)" in split.stderr
