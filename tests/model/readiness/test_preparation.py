"""What stands before a switch: when there is nothing to do, and when that only seems so."""

from __future__ import annotations

import pytest

from changeover.model.finding import Finding, Level
from changeover.model.readiness.service_state import Preparation
from changeover.model.runs.plan import plan_of
from model.snapshots import snapshot
from model.strategies import NOW


def prepared(*checks: str) -> Preparation:
    """Nothing is to be changed, and these checks block."""
    return Preparation(
        service="shop",
        to="primary",
        emergency=False,
        plan=plan_of("shop", "primary", "primary", [], {}, NOW),
        findings=tuple(Finding(check=check, level=Level.BLOCK, text="") for check in checks),
        snapshot=snapshot(),
        at=NOW,
    )


def test_visitors_are_there_already() -> None:
    """Whatever else speaks against a switch, since none is made."""
    assert prepared().already_there
    assert prepared("target-answers", "credential").already_there


@pytest.mark.parametrize("check", ["records-agree", "unfinished-run", "lock"])
def test_it_is_not_said_where_something_says_otherwise(check: str) -> None:
    """A reading from before a write shows the target while the name servers still lead elsewhere."""
    assert not prepared(check).already_there
