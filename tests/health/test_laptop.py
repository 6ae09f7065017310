"""No false alarm in a laptop's life, and no outage missed: the real watch, in a world that runs thousands of hours."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from changeover.model.health.history import GapKind
from health.laptop import HOUR, SERVICE, Life, lived
from health.virtual_time import run

#: Seconds from the beginning of an outage to the verdict, at most, while the laptop is awake and online.
IN_TIME = SERVICE.health.interval * SERVICE.health.thresholds.down_after + 1
SHORT = [pytest.param(seed, 100.0, id=f"seed {seed}") for seed in (1, 2)]
LONG = [pytest.param(seed, 520.0, id=f"seed {seed}", marks=pytest.mark.long) for seed in range(10, 30)]


Record = Callable[[str, object], None]


def told(life: Life, seed: int) -> str:
    laptop = life.laptop
    return f"seed {seed}: {laptop.hours:.0f} h, {laptop.awake / HOUR:.0f} h awake, {laptop.rounds} rounds"


@pytest.mark.parametrize("windows", [False, True], ids=["clock stops in sleep", "clock goes on in sleep"])
@pytest.mark.parametrize(("seed", "hours"), SHORT + LONG)
def test_a_healthy_site_never_alarms(seed: int, hours: float, windows: bool, record_property: Record) -> None:
    """Sleep, lost Wi-Fi, VPNs, login pages and clocks that are set: none of it is ever the site's fault."""
    life = run(lived(seed, hours, outages=False, windows=windows))
    record_property("life", f"{told(life, seed)}, healthy: {len(life.false)} alarms, {len(life.laptop.gaps)} gaps")
    assert life.false == []
    assert {GapKind.ASLEEP, GapKind.OFFLINE} <= {gap.kind for gap in life.laptop.gaps}


@pytest.mark.parametrize("windows", [False, True], ids=["clock stops in sleep", "clock goes on in sleep"])
@pytest.mark.parametrize(("seed", "hours"), SHORT + LONG)
def test_every_outage_in_sight_is_found_in_time(
    seed: int, hours: float, windows: bool, record_property: Record
) -> None:
    """Each one that is seen for two minutes, within interval × threshold and a second; and nothing else alarms."""
    life = run(lived(seed, hours, outages=True, windows=windows))
    found = [delay for delay in life.delays if delay is not None]
    late = [delay for delay in found if delay > IN_TIME]
    record_property(
        "life",
        f"{told(life, seed)}, {len(life.outages)} outages: {len(found)} of {len(life.delays)} sights found, "
        f"{len(late)} late, slowest after {max(found, default=0):.0f} s, {len(life.false)} false alarms",
    )
    assert life.delays
    assert (life.delays.count(None), late, life.false) == (0, [], [])
