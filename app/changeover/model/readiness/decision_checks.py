"""What people and programs did or decided around a switch: freezes, leases, a switch just made, changes by others."""

from __future__ import annotations

from collections.abc import Sequence

from changeover.model.dns import active
from changeover.model.dns.ownership import Owner, owners
from changeover.model.finding import Finding, Level
from changeover.model.formatting import duration
from changeover.model.health.probe_result import Health
from changeover.model.health.track import State
from changeover.model.readiness.drift import drift_ago
from changeover.model.readiness.freeze import freeze_left
from changeover.model.readiness.lifecycle import STABLE, suggestion_blocked
from changeover.model.readiness.observation import Observation
from changeover.model.readiness.snapshot import Snapshot
from changeover.model.settings.acting_parts import deciding


def ownership_findings(snapshot: Snapshot) -> list[Finding]:
    """Another program that keeps these records would put back what a switch changes. Each is told once."""
    found: dict[tuple[str, str], Owner] = {}
    for reading in snapshot.readings:
        for name in snapshot.service.hostnames_in(reading.zone):
            for owner in owners(name, reading.zone, reading.records):
                found.setdefault((owner.program, reading.zone), owner)
    return [Finding(check="ownership", level=Level.WARN, text=one.text, fix=one.fix) for one in found.values()]


def source_known_findings(source: str, expected: str | None = None, undecided: Sequence[str] = ()) -> list[Finding]:
    """Is it known where visitors are (`source`), and is it where a person believes them (`expected`) to be?

    `undecided` are deployments that share the answer which stands, so that nobody can tell.
    """
    if expected is not None and source != expected:
        text = f"Visitors are not at {expected}, as expected: {source}"
        fix = "Look at where they are first; somebody else may have switched already."
        return [Finding(check="source-known", level=Level.BLOCK, text=text, fix=fix)]
    if source == active.UNKNOWN and undecided:
        text = f"{' and '.join(undecided)} have the same answer, so it cannot be decided where visitors are"
        fix = "Give each deployment an answer of its own in the settings; a switch between these would change nothing."
        return [Finding(check="source-known", level=Level.BLOCK, text=text, fix=fix)]
    if source in _NOWHERE:
        fix = "Compare the records with the answers in the settings."
        return [Finding(check="source-known", level=Level.BLOCK, text=_NOWHERE[source], fix=fix)]
    return [Finding(check="source-known", level=Level.PASS, text=f"Visitors reach {source} now")]


_NOWHERE = {
    active.MIXED: "Visitors reach different deployments, by hostname or name server",
    active.ELSEWHERE: "Visitors are sent to something that is none of this service's deployments",
    active.UNKNOWN: "Where visitors go now could not be read",
}


def lease_findings(snapshot: Snapshot) -> list[Finding]:
    """Somebody else is switching something in these zones, on whatever computer."""
    if snapshot.lease is None:
        return []
    fix = "Wait until it is done. An emergency may override it by name, and takes the lease over."
    return [Finding(check="lease", level=Level.BLOCK, text=snapshot.lease, fix=fix)]


def _trusted(snapshot: Snapshot, to: str, emergency: bool) -> list[Finding]:
    """Steps that would act though nobody of this computer approved them as the settings have them now."""
    service = snapshot.service
    places = {
        place
        for action in service.actions
        if (not action.to or to in action.to) and not (emergency and action.needs == "source")
        for place in deciding(service, action)
    }
    fix = "See the difference and approve it: changeover trust. An emergency may leave these steps out by name."
    return [
        Finding(check="trust", level=Level.BLOCK, text=f"{one.words} outside Changeover, and may not act yet", fix=fix)
        for one in snapshot.unapproved
        if one.part.place in places
    ]


def decision_findings(seen: Observation, source: str, to: str, emergency: bool) -> list[Finding]:
    """What speaks against moving visitors from `source` to `to` now, though it may well work."""
    return [
        *_trusted(seen.snapshot, to, emergency),
        *_records_changed(seen),
        *_failback(seen, source, to, emergency),
        *_recent_switch(seen),
        *_frozen(seen),
    ]


def _records_changed(seen: Observation) -> list[Finding]:
    fix = "Find out who did it and why before you switch; a switch starts from what stands there now."
    return [
        Finding(check="records-changed", level=Level.WARN, text=drift_ago(drift, seen.at), fix=fix)
        for drift in seen.snapshot.drift
    ]


def _failback(seen: Observation, source: str, to: str, emergency: bool) -> list[Finding]:
    """A primary that answers again may fail again, and may lack data: it should have been well for a while."""
    service = seen.service
    elsewhere = source != to and service.deployment(source) is not None
    health = seen.health.get(to)
    if to != service.primary.name or not elsewhere or emergency or health is None:
        return []
    if health.health is not Health.HEALTHY or health.state is State.PINNED:
        return []  # what speaks against it is said by other checks
    safer = f"{STABLE.total_seconds() / 60:.0f} min is safer"
    fix = "Wait if time allows, and make sure that its data is up to date."
    if not seen.watched or health.since is None:
        text = f"{to} is healthy now; for how long is not known, since nobody has watched it here: {safer}"
        return [Finding(check="failback", level=Level.WARN, text=text, fix=fix)]
    lasts = max(0.0, (seen.at - health.since).total_seconds())
    text = f"{to} has been healthy for {duration(lasts)}"
    if lasts < STABLE.total_seconds():
        return [Finding(check="failback", level=Level.WARN, text=f"{text}; {safer}", fix=fix)]
    return [Finding(check="failback", level=Level.PASS, text=text)]


def _recent_switch(seen: Observation) -> list[Finding]:
    text = suggestion_blocked(seen.snapshot.runs, seen.at)
    if text is None:
        return []
    fix = "See what came of it before you move visitors once more. To acknowledge it: changeover acknowledge RUN"
    return [Finding(check="recent-switch", level=Level.WARN, text=text, fix=fix)]


def _frozen(seen: Observation) -> list[Finding]:
    found = []
    for freeze in seen.overlay.freezes:
        command = f"changeover unfreeze {freeze.service or ''}".strip()
        fix = f"Wait for its end, or end it with: {command}. An emergency may override it by name."
        found.append(Finding(check="freeze", level=Level.BLOCK, text=freeze_left(freeze, seen.at), fix=fix))
    return found
