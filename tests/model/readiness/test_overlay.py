"""What stands around the checks: only what is in force, and a person's word before everything else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from changeover.model.health.connectivity import Connection, Connectivity
from changeover.model.health.probe_result import Cause, Health, Visit
from changeover.model.health.track import State
from changeover.model.readiness.freeze import Freeze
from changeover.model.readiness.overlay import Overlay, in_context, overlay_at
from changeover.model.readiness.pin import Hold, Pin
from changeover.model.settings.maintenance import Maintenance
from model.snapshots import health_of, result, service
from model.strategies import NOW

LATER = NOW + timedelta(hours=1)
PIN = Pin(service="shop", deployment="backup", hold=Hold.HEALTHY, reason="seen", set_at=NOW, until=LATER)
FREEZE = Freeze(service="shop", reason="a release", set_at=NOW, until=LATER)


def test_only_what_is_in_force_for_this_service() -> None:
    """Pins and freezes of others, of deployments that are gone, and those that are over, count for nothing."""
    day = Maintenance(date=f"{NOW:%Y-%m-%d}", at=f"{NOW:%H:%M}", minutes=90, deployments=("backup",))
    at_work = replace(service(), maintenance=(day,))
    pins = (replace(PIN, service="mail"), replace(PIN, deployment="third"), PIN)
    freezes = (replace(FREEZE, service="mail"), FREEZE)
    found = overlay_at(at_work, NOW, connection=None, pins=pins, freezes=freezes)
    assert (found.pins, found.freezes, list(found.maintenance)) == ({"backup": PIN}, (FREEZE,), ["backup"])
    assert overlay_at(at_work, NOW + timedelta(hours=2), connection=None, pins=pins, freezes=freezes) == Overlay()


OFFLINE = Connection(at=NOW, link=Connectivity.OFFLINE)
SEEN = Visit(hostname="www.shop.example", at=LATER, text="", result=result("backup"), deployment="backup")


@pytest.mark.parametrize(
    ("around", "health", "state", "cause"),
    [
        (Overlay(), Health.UNHEALTHY, State.DOWN, None),
        (Overlay(pins={"backup": PIN}, connection=OFFLINE), Health.HEALTHY, State.PINNED, None),
        (Overlay(pins={"backup": replace(PIN, hold=Hold.NEVER)}), Health.UNHEALTHY, State.DOWN, None),
        (Overlay(connection=OFFLINE, maintenance={"backup": LATER}), Health.UNKNOWN, State.UNKNOWN, Cause.COMPUTER),
        (Overlay(maintenance={"backup": LATER}, visit=SEEN), Health.UNHEALTHY, State.MAINTENANCE, None),
        (Overlay(visit=SEEN), Health.DEGRADED, State.DOWN, Cause.ADDRESS),
        (Overlay(visit=replace(SEEN, at=NOW)), Health.UNHEALTHY, State.DOWN, None),
        (Overlay(visit=replace(SEEN, deployment="primary")), Health.UNHEALTHY, State.DOWN, None),
    ],
)
def test_what_counts_first(around: Overlay, health: Health, state: State, cause: Cause | None) -> None:
    """A person, then this computer, then planned work, then visitors who are still served."""
    failing = health_of("backup", "unhealthy", result("backup", ok=False))
    found = in_context(failing, around)
    assert (found.health, found.state, found.cause) == (health, state, cause)
