"""An observation: everything that is known of a service at one moment. Every decision is made from it alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct, field

from changeover.model.health.probe_result import DeploymentHealth, Health, judged
from changeover.model.readiness.overlay import Overlay, in_context
from changeover.model.readiness.snapshot import Snapshot
from changeover.model.settings.service import Service


class Observation(Struct, frozen=True, kw_only=True):
    """What was read, what probes found, and what stands around both; made by `observed`.

    `at` is the moment of it, `snapshot` may be older. `health` has every deployment, in its context. `watched`: it
    comes from watching, not from a few probes that were sent for this.
    """

    snapshot: Snapshot
    at: datetime
    health: dict[str, DeploymentHealth] = field(default_factory=dict)
    overlay: Overlay = Overlay()
    watched: bool = False

    @property
    def service(self) -> Service:
        return self.snapshot.service


def observed(
    snapshot: Snapshot, probed: Mapping[str, DeploymentHealth], overlay: Overlay, at: datetime, *, watched: bool
) -> Observation:
    """The observation at a moment. `probed` has, by deployment, what probes alone say of it, where there were any."""
    names = [d.name for d in snapshot.service.deployments]
    health = {name: in_context(probed.get(name) or judged(name, ()), overlay) for name in names}
    return Observation(snapshot=snapshot, at=at, health=health, overlay=overlay, watched=watched)


def failing_since(seen: Observation, deployment: str) -> tuple[datetime | None, datetime | None]:
    """When a deployment began to fail, where it does, and when it was first said to be down."""
    health = seen.health.get(deployment)
    if health is None or health.health is not Health.UNHEALTHY:
        return None, None
    return health.since, health.judged_at
