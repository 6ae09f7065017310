"""What `status --watch` thinks worth a line."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from changeover.commands.watching import status_lines
from changeover.model.health.probe_result import Cause, DeploymentHealth
from changeover.model.health.track import State
from changeover.storage.outages import ToldOutages
from changeover.switchover.report import utc
from model.snapshots import health_of, observed, result, state
from shop import Shop


def told(**backup: object) -> dict[str, str]:
    """The lines of a shop whose backup is so."""
    bad: DeploymentHealth = replace(health_of("backup", "unhealthy", result("backup", ok=False)), **backup)
    return status_lines(state(observed(health={"primary": health_of("primary", "healthy"), "backup": bad})))


def bad(reason: str, status: int = 200, unexpected: bool = False) -> dict[str, object]:
    seen = result("backup", ok=False, reason=reason, status=status, unexpected_status=unexpected)
    return {"last": health_of("backup", "unhealthy", seen).last, "reason": reason}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("slow: 3412 ms, more than 2 s", "slow: 3398 ms, more than 2 s"),
        ("no answer within 10 s", "no answer within 10.01 s"),
        ("$.load is 97.2, not below 80", "$.load is 98.1, not below 80"),
    ],
)
def test_another_measured_value_is_no_change(one: str, other: str) -> None:
    """Times, counts and values are others with every check; they are told with the next change of state."""
    assert list(told(**bad(one))) == list(told(**bad(other)))
    assert any(one in line for line in told(**bad(one)).values())


@pytest.mark.parametrize(
    "other",
    [{"state": State.RECOVERING}, {"cause": Cause.CERTIFICATE}, bad("500 in 3 ms", 500, True)],
    ids=["state", "cause", "status"],
)
def test_another_state_is_a_change(other: dict[str, object]) -> None:
    """So are another cause and another status."""
    before = {**bad("503 in 12 ms", 503, True), "cause": Cause.ADDRESS}
    assert list(told(**before)) != list(told(**{**before, **other}))


async def test_a_switch_knows_when_the_watch_said_that_visitors_are_not_served(shop: Shop) -> None:
    """ "Noticed" ends when the other terminal said so, and what comes after was the decision."""
    shop.web.break_("primary")
    watch = shop.start("status", "shop", "--watch")
    told = ToldOutages(shop.home.database)
    try:
        async with asyncio.timeout(60):
            while not (known := await told.of_service("shop")):
                assert watch.poll() is None
    finally:
        told.close()
        watch.terminate()
        watch.communicate(timeout=60)
    report = shop.json("switch", "shop", "--to", "backup", "--emergency", "--yes")
    (first,) = known
    assert (report["noticed"], report["told"]) == (utc(first.began), utc(first.told))
    assert first.told is not None
    said = (first.told - first.began).total_seconds()
    assert report["recovery"]["noticed"] == pytest.approx(said, abs=0.001)
