"""Undoing what somebody else has changed since: shown first, and only when a person says so."""

from __future__ import annotations

import pytest

from changeover.model.errors import Refused
from changeover.switchboard import Switchboard
from shop import WWW, Shop


def test_what_somebody_else_changed_is_shown_and_replaced_only_when_asked_for(shop: Shop) -> None:
    """Refused with both values in words; with --anyway the records are exactly as before the run."""
    before = shop.bind.records()
    run = shop.json("switch", "shop", "--to", "backup", "--yes")["run"]
    shop.bind.change(delete=["www A"], add=["www 60 A 192.0.2.77"])
    refused = shop.run("undo", run, "--yes")
    assert refused.returncode == 3
    assert "www.shop.example is A 192.0.2.77, neither" in refused.stderr
    assert "anyway" in refused.stderr
    assert shop.at(WWW) == {f"{WWW}. 60 A 192.0.2.77"}
    undone = shop.json("undo", run, "--yes", "--anyway")
    assert undone["outcome"] == "undone"
    assert shop.bind.records() == before


async def test_what_changes_after_it_was_shown_is_not_replaced(shop: Shop) -> None:
    """A yes is to what was seen: the records changed once more, so that it is refused, and nothing is changed."""
    run = shop.json("switch", "shop", "--to", "backup", "--yes")["run"]
    shop.bind.change(delete=["www A"], add=["www 60 A 192.0.2.77"])
    board = Switchboard(shop.home)
    try:
        shown = await board.undo_plan(run, anyway=True)
        shop.bind.change(delete=["www A"], add=["www 60 A 192.0.2.78"])
        with pytest.raises(Refused, match="The records are not what was shown"):
            await board.undo(run, who="anna@laptop", anyway=True, shown=shown)
        assert shop.at(WWW) == {f"{WWW}. 60 A 192.0.2.78"}
        again = await board.undo_plan(run, anyway=True)
        ended = await board.undo(run, who="anna@laptop", anyway=True, shown=again)
    finally:
        await board.aclose()
    assert ended.outcome == "undone"


def test_an_undo_to_a_deployment_that_is_down_says_so_before_and_after(shop: Shop) -> None:
    """It is done all the same, since a person asked for it; nobody is told that visitors are served."""
    before = shop.bind.records()
    shop.web.break_("primary")
    run = shop.json("switch", "shop", "--to", "backup", "--yes", "--emergency")["run"]
    undone = shop.run("undo", run, "--yes")
    assert undone.returncode == 0
    first, after = undone.stderr.split("\n", 1)
    assert first.startswith("Visitors will reach primary, which could not serve them now: primary does not answer well")
    assert "not all is well there" in after
    assert shop.bind.records() == before
