"""An observation: everything that is known of a service at one moment. Every decision is made from it alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from msgspec import Struct, field

from changeover.model.health.outage import Outage
from changeover.model.health.probe_result import DeploymentHealth, Health, judged
from changeover.model.readiness.overlay import Overlay, in_context
from changeover.model.readiness.snapshot import Snapshot
from changeover.model.runs.run import Outcome
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


#: What was told longer ago than this, and not seen to be over, may have been over while nobody watched.
_SAME_OUTAGE = timedelta(days=1)
_MOVED = (Outcome.COMPLETED, Outcome.UNDONE)


def failing_since(
    seen: Observation, deployment: str, told: Iterable[Outage] = ()
) -> tuple[datetime | None, datetime | None]:
    """When a deployment began to fail, where it does, and when it was first said to be down.

    `told` is what people were told of the service's outages, by whichever process watches. One from before visitors
    came to the deployment is of another.
    """
    health = seen.health.get(deployment)
    if health is None or health.health is not Health.UNHEALTHY:
        return None, None
    moved = [run.ended for run in seen.snapshot.runs if run.ended is not None and run.outcome in _MOVED]
    after = max([*moved, seen.at - _SAME_OUTAGE])
    before = [outage for outage in told if outage.told is not None and after < outage.told <= seen.at]
    began = [health.since, *(outage.began for outage in before)]
    said = [health.judged_at, *(outage.told for outage in before)]
    return min(filter(None, began), default=None), min(filter(None, said), default=None)
