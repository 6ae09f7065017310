"""What stands around a service's own checks: this computer's connection, planned work, people's words, visitors."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct, field
from msgspec.structs import replace

from changeover.model.health.connectivity import Connection
from changeover.model.health.probe_result import Cause, DeploymentHealth, Health, Visit
from changeover.model.health.track import State
from changeover.model.readiness.freeze import Freeze, freezes_of
from changeover.model.readiness.pin import Hold, Pin
from changeover.model.settings.maintenance import maintenance_end
from changeover.model.settings.service import Service
from changeover.model.wording.fault_words import connection_words


class Overlay(Struct, frozen=True, kw_only=True):
    """What is in force for one service at one moment, made by `overlay_at`.

    `connection` is this computer's, where it was looked at. `pins` and `maintenance` (when it ends) are by deployment.
    `visit` is what a visitor of the first hostname gets, through public DNS.
    """

    connection: Connection | None = None
    pins: dict[str, Pin] = field(default_factory=dict)
    maintenance: dict[str, datetime] = field(default_factory=dict)
    freezes: tuple[Freeze, ...] = ()
    visit: Visit | None = None


def overlay_at(
    service: Service,
    at: datetime,
    *,
    connection: Connection | None,
    pins: Iterable[Pin],
    freezes: Iterable[Freeze],
    visit: Visit | None = None,
) -> Overlay:
    """The overlay of `service` at a moment, out of everybody's pins and freezes."""
    names = [d.name for d in service.deployments]
    return Overlay(
        connection=connection,
        pins={p.deployment: p for p in pins if p.service == service.name and p.deployment in names and p.until > at},
        maintenance={n: end for n in names if (end := maintenance_end(service.maintenance, n, at)) is not None},
        freezes=freezes_of(service.name, freezes, at),
        visit=visit,
    )


def in_context(health: DeploymentHealth, overlay: Overlay) -> DeploymentHealth:
    """`health`, judged from probes alone, as it is to be taken.

    A person's word comes first. An offline computer knows nothing of anybody. A deployment that fails from here, but
    whose marker visitors still see by the public name, is not down; the way from here to it may be.
    """
    pin, connection = overlay.pins.get(health.deployment), overlay.connection
    if pin is not None and pin.hold is not Hold.NEVER:
        word = Health.HEALTHY if pin.hold is Hold.HEALTHY else Health.UNHEALTHY
        reason = f"held {pin.hold} by a person: {pin.reason}"
        return replace(health, health=word, state=State.PINNED, reason=reason, cause=None, since=pin.set_at)
    if connection is not None and connection.blind:
        reason = connection_words(connection)
        return replace(health, health=Health.UNKNOWN, state=State.UNKNOWN, cause=Cause.COMPUTER, reason=reason)
    if health.deployment in overlay.maintenance:
        return replace(health, state=State.MAINTENANCE)
    if health.health is Health.UNHEALTHY and _visited(health, overlay.visit):
        reason = f"{health.reason}, from here; visitors are still answered through the public name"
        return replace(health, health=Health.DEGRADED, cause=Cause.ADDRESS, reason=reason)
    if health.health is Health.UNKNOWN and connection is not None and connection.dns_fails:
        return replace(health, cause=Cause.DNS, reason=connection_words(connection))
    return health


def _visited(health: DeploymentHealth, visit: Visit | None) -> bool:
    """Did a visitor reach this deployment well after it began to fail from here?"""
    if visit is None or visit.deployment != health.deployment or not visit.ok:
        return False
    return health.since is not None and visit.at > health.since
