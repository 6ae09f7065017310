"""What people and programs did or decided around a switch: freezes, leases, a switch just made, changes by others."""

from __future__ import annotations

from changeover.model.dns.ownership import Owner, owners
from changeover.model.finding import Finding, Level
from changeover.model.formatting import duration
from changeover.model.health.probe_result import Health
from changeover.model.health.track import State
from changeover.model.readiness.drift import drift_ago
from changeover.model.readiness.freeze import freeze_left, freezes_of
from changeover.model.readiness.lifecycle import STABLE, suggestion_blocked
from changeover.model.readiness.snapshot import Snapshot


def decision_findings(snapshot: Snapshot, to: str, emergency: bool) -> list[Finding]:
    """What speaks against sending visitors to `to` now, though it may well work. Nothing where nothing does."""
    return [
        *_records_changed(snapshot),
        *_ownership(snapshot),
        *_failback(snapshot, to, emergency),
        *_recent_switch(snapshot),
        *_frozen(snapshot),
        *_lease(snapshot),
    ]


def _records_changed(snapshot: Snapshot) -> list[Finding]:
    fix = "Find out who did it and why before you switch; a switch starts from what stands there now."
    return [
        Finding(check="records-changed", level=Level.WARN, text=drift_ago(drift, snapshot.at), fix=fix)
        for drift in snapshot.drift
    ]


def _ownership(snapshot: Snapshot) -> list[Finding]:
    """Another program that keeps these records would put back what a switch changes. Each is told once."""
    found: dict[tuple[str, str], Owner] = {}
    for reading in snapshot.readings:
        for name in snapshot.service.hostnames_in(reading.zone):
            for owner in owners(name, reading.zone, reading.records):
                found.setdefault((owner.program, reading.zone), owner)
    return [Finding(check="ownership", level=Level.WARN, text=one.text, fix=one.fix) for one in found.values()]


def _failback(snapshot: Snapshot, to: str, emergency: bool) -> list[Finding]:
    """A primary that answers again may fail again, and may lack data: it should have been well for a while."""
    service = snapshot.service
    elsewhere = snapshot.active != to and service.deployment(snapshot.active) is not None
    health = snapshot.health.get(to)
    if to != service.primary.name or not elsewhere or emergency or health is None:
        return []
    if health.health is not Health.HEALTHY or health.state is State.PINNED:
        return []  # what speaks against it is said by other checks
    safer = f"{STABLE.total_seconds() / 60:.0f} min is safer"
    fix = "Wait if time allows, and make sure that its data is up to date."
    if not snapshot.watched or health.since is None:
        text = f"{to} is healthy now; for how long is not known, since nobody has watched it here: {safer}"
        return [Finding(check="failback", level=Level.WARN, text=text, fix=fix)]
    lasts = max(0.0, (snapshot.at - health.since).total_seconds())
    text = f"{to} has been healthy for {duration(lasts)}"
    if lasts < STABLE.total_seconds():
        return [Finding(check="failback", level=Level.WARN, text=f"{text}; {safer}", fix=fix)]
    return [Finding(check="failback", level=Level.PASS, text=text)]


def _recent_switch(snapshot: Snapshot) -> list[Finding]:
    text = suggestion_blocked(snapshot.runs, snapshot.at)
    if text is None:
        return []
    fix = "See what came of it before you move visitors once more. To acknowledge it: changeover acknowledge RUN"
    return [Finding(check="recent-switch", level=Level.WARN, text=text, fix=fix)]


def _frozen(snapshot: Snapshot) -> list[Finding]:
    found = []
    for freeze in freezes_of(snapshot.service.name, snapshot.freezes, snapshot.at):
        command = f"changeover unfreeze {freeze.service or ''}".strip()
        fix = f"Wait for its end, or end it with: {command}. An emergency may override it by name."
        found.append(Finding(check="freeze", level=Level.BLOCK, text=freeze_left(freeze, snapshot.at), fix=fix))
    return found


def _lease(snapshot: Snapshot) -> list[Finding]:
    if snapshot.lease is None:
        return []
    fix = "Wait until it is done. An emergency may override it by name, and takes the lease over."
    return [Finding(check="lease", level=Level.BLOCK, text=snapshot.lease, fix=fix)]
