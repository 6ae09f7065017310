"""Readiness: could this deployment take over now? Every check at once, in two groups that change at their own pace."""

from __future__ import annotations

from collections.abc import Iterable

from changeover.model.finding import CHECKS, Finding, with_overridable
from changeover.model.readiness.database_checks import database_findings
from changeover.model.readiness.decision_checks import (
    decision_findings,
    lease_findings,
    ownership_findings,
    source_known_findings,
)
from changeover.model.readiness.drift_checks import drift_findings
from changeover.model.readiness.fence_checks import fence_findings
from changeover.model.readiness.observation import Observation
from changeover.model.readiness.platform_checks import platform_findings
from changeover.model.readiness.snapshot import Snapshot
from changeover.model.readiness.target_checks import (
    connection_findings,
    place_findings,
    source_findings,
    target_findings,
)
from changeover.model.readiness.zone_checks import zone_findings

_ORDER = {name: number for number, name in enumerate(CHECKS)}


def findings(seen: Observation, to: str, emergency: bool = False, expected: str | None = None) -> tuple[Finding, ...]:
    """All readiness findings for sending visitors to `to`, in the order of CHECKS.

    `expected` is the deployment that a person believes visitors to be at, where they said so.
    """
    source = seen.snapshot.active
    read = snapshot_findings(seen.snapshot, source, to, expected)
    return in_order((*read, *moment_findings(seen, source, to, emergency)), emergency)


def snapshot_findings(snapshot: Snapshot, source: str, to: str, expected: str | None = None) -> tuple[Finding, ...]:
    """Those that follow from what was read alone. They hold until it is read again, whatever probes find meanwhile."""
    return (
        *zone_findings(snapshot, to),
        *ownership_findings(snapshot),
        *place_findings(snapshot, to),
        *source_known_findings(source, expected, snapshot.undecided),
        *platform_findings(snapshot, source, to),
        *drift_findings(snapshot, source, to),
        *fence_findings(snapshot, source),
        *lease_findings(snapshot),
    )


def moment_findings(seen: Observation, source: str, to: str, emergency: bool) -> tuple[Finding, ...]:
    """Those that depend on what probes find, on what stands around them, or on the time. Visitors are at `source`."""
    return (
        *connection_findings(seen.overlay.connection),
        *target_findings(seen, to, emergency),
        *source_findings(seen, source, to, emergency),
        *database_findings(seen, source, to, emergency),
        *decision_findings(seen, source, to, emergency),
    )


def in_order(found: Iterable[Finding], emergency: bool) -> tuple[Finding, ...]:
    """Findings as they are shown, each with whether it may be overridden."""
    return tuple(with_overridable(f, emergency) for f in sorted(found, key=lambda f: _ORDER[f.check]))
