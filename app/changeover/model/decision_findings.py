"""What people and programs did or decided around a switch: freezes, leases, a switch just made, changes by others."""

from __future__ import annotations

from changeover.model.drift import drift_ago
from changeover.model.finding import Finding, Level
from changeover.model.freeze import freeze_left, freezes_of
from changeover.model.health import Health
from changeover.model.judgement import State
from changeover.model.lifecycle import STABLE, suggestion_blocked
from changeover.model.ownership import Owner, owners
from changeover.model.situation import Situation
from changeover.model.words import duration


def decision_findings(situation: Situation, to: str, emergency: bool) -> list[Finding]:
    """What speaks against sending visitors to `to` now, though it may well work. Nothing where nothing does."""
    return [
        *_records_changed(situation),
        *_ownership(situation),
        *_failback(situation, to, emergency),
        *_recent_switch(situation),
        *_frozen(situation),
        *_lease(situation),
    ]


def _records_changed(situation: Situation) -> list[Finding]:
    fix = "Find out who did it and why before you switch; a switch starts from what stands there now."
    return [
        Finding(check="records-changed", level=Level.WARN, text=drift_ago(drift, situation.at), fix=fix)
        for drift in situation.drift
    ]


def _ownership(situation: Situation) -> list[Finding]:
    """Another program that keeps these records would put back what a switch changes. Each is told once."""
    found: dict[tuple[str, str], Owner] = {}
    for reading in situation.readings:
        for name in situation.service.hostnames_in(reading.zone):
            for owner in owners(name, reading.zone, reading.records):
                found.setdefault((owner.program, reading.zone), owner)
    return [Finding(check="ownership", level=Level.WARN, text=one.text, fix=one.fix) for one in found.values()]


def _failback(situation: Situation, to: str, emergency: bool) -> list[Finding]:
    """A primary that answers again may fail again, and may lack data: it should have been well for a while."""
    service = situation.service
    elsewhere = situation.active != to and service.deployment(situation.active) is not None
    health = situation.health.get(to)
    if to != service.primary.name or not elsewhere or emergency or health is None:
        return []
    if health.health is not Health.HEALTHY or health.state is State.PINNED:
        return []  # what speaks against it is said by other checks
    safer = f"{STABLE.total_seconds() / 60:.0f} min is safer"
    fix = "Wait if time allows, and make sure that its data is up to date."
    if not situation.watched or health.since is None:
        text = f"{to} is healthy now; for how long is not known, since nobody has watched it here: {safer}"
        return [Finding(check="failback", level=Level.WARN, text=text, fix=fix)]
    lasts = max(0.0, (situation.at - health.since).total_seconds())
    text = f"{to} has been healthy for {duration(lasts)}"
    if lasts < STABLE.total_seconds():
        return [Finding(check="failback", level=Level.WARN, text=f"{text}; {safer}", fix=fix)]
    return [Finding(check="failback", level=Level.PASS, text=text)]


def _recent_switch(situation: Situation) -> list[Finding]:
    text = suggestion_blocked(situation.runs, situation.at)
    if text is None:
        return []
    fix = "See what came of it before you move visitors once more. To acknowledge it: changeover acknowledge RUN"
    return [Finding(check="recent-switch", level=Level.WARN, text=text, fix=fix)]


def _frozen(situation: Situation) -> list[Finding]:
    found = []
    for freeze in freezes_of(situation.service.name, situation.freezes, situation.at):
        command = f"changeover unfreeze {freeze.service or ''}".strip()
        fix = f"Wait for its end, or end it with: {command}. An emergency may override it by name."
        found.append(Finding(check="freeze", level=Level.BLOCK, text=freeze_left(freeze, situation.at), fix=fix))
    return found


def _lease(situation: Situation) -> list[Finding]:
    if situation.lease is None:
        return []
    fix = "Wait until it is done. An emergency may override it by name, and takes the lease over."
    return [Finding(check="lease", level=Level.BLOCK, text=situation.lease, fix=fix)]
