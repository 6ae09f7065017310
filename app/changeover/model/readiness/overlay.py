"""What stands around a deployment's own checks: this computer's connection, planned work, a person's word, visitors."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from changeover.model.health.connectivity import Connection
from changeover.model.health.probe_result import Cause, DeploymentHealth, Health, Visit
from changeover.model.health.track import State
from changeover.model.readiness.pin import Hold, Pin


def in_context(
    health: DeploymentHealth,
    *,
    connection: Connection | None = None,
    pin: Pin | None = None,
    maintenance: datetime | None = None,
    visit: Visit | None = None,
) -> DeploymentHealth:
    """`health` as it is to be taken.

    A person's word comes first. An offline computer knows nothing of anybody. A deployment that fails from here, but
    whose marker visitors still see by the public name, is not down; the way from here to it may be.
    """
    if pin is not None and pin.hold is not Hold.NEVER:
        word = Health.HEALTHY if pin.hold is Hold.HEALTHY else Health.UNHEALTHY
        reason = f"held {pin.hold} by a person: {pin.reason}"
        return replace(health, health=word, state=State.PINNED, reason=reason, cause=None, since=pin.set_at)
    if connection is not None and connection.blind:
        return replace(health, health=Health.UNKNOWN, state=State.UNKNOWN, cause=Cause.COMPUTER, reason=connection.text)
    if maintenance is not None:
        return replace(health, state=State.MAINTENANCE)
    if health.health is Health.UNHEALTHY and _visited(health, visit):
        reason = f"{health.reason}, from here; visitors are still answered through the public name"
        return replace(health, health=Health.DEGRADED, cause=Cause.ADDRESS, reason=reason)
    if health.health is Health.UNKNOWN and connection is not None and connection.dns_fails:
        return replace(health, cause=Cause.DNS, reason=connection.text)
    return health


def _visited(health: DeploymentHealth, visit: Visit | None) -> bool:
    """Did a visitor reach this deployment well after it began to fail from here?"""
    if visit is None or visit.deployment != health.deployment or not visit.ok:
        return False
    return health.since is not None and visit.at > health.since
