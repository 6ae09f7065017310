"""Could this deployment serve visitors, and can this computer tell? What probing it, and looking around here, found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from changeover.model.dns.observed import RoutingName
from changeover.model.finding import Finding, Level
from changeover.model.formatting import duration
from changeover.model.health.connectivity import Connection, Connectivity
from changeover.model.health.probe_result import DeploymentHealth, Health, ProbeResult
from changeover.model.health.track import State
from changeover.model.readiness.observation import Observation
from changeover.model.readiness.pin import Hold
from changeover.model.readiness.snapshot import Snapshot
from changeover.model.settings.service import Service
from changeover.model.wording.fault_words import clock_words, connection_words

#: Less than this left of a certificate blocks a switch; people are told of it from the longest of these on.
CERTIFICATE_BLOCK = timedelta(hours=48)
CERTIFICATE_WARN = tuple(timedelta(days=days) for days in (7, 14, 21, 30))


def connection_findings(connection: Connection | None) -> list[Finding]:
    """Is it me? Nothing where this computer was not looked at, since nothing failed or nobody is to be asked."""
    if connection is None or not connection.evidence:
        return []
    doubtful = connection.dns_fails or connection.link is Connectivity.UNKNOWN
    level = Level.BLOCK if connection.blind else Level.WARN if doubtful else Level.PASS
    fix = "" if level is Level.PASS else "Until then what is seen from here may say nothing about the service."
    found = [Finding(check="connection", level=level, text=connection_words(connection), fix=fix)]
    off = clock_words(connection.clock_ahead)
    if off is not None:
        found.append(Finding(check="clock", level=Level.WARN, text=off, fix="Let the system set the time by itself."))
    elif connection.clock_ahead is not None:
        found.append(Finding(check="clock", level=Level.PASS, text="This computer's clock is right"))
    return found


def place_findings(snapshot: Snapshot, to: str) -> list[Finding]:
    """What was read of `to` itself: its platform's word, the names that lead to it, the journeys taken there."""
    return [*_platform_status(snapshot, to), *_names(snapshot, to), *_journeys(snapshot, to)]


def target_findings(seen: Observation, to: str, emergency: bool) -> list[Finding]:
    """What its checks, and people, say for and against `to`."""
    found = [*_pinned(seen, to), *_maintenance(seen, to)]
    health = seen.health.get(to)
    if health is None or health.last is None:
        text = f"{to} has not been checked yet"
        return [
            *found,
            Finding(check="target-answers", level=Level.BLOCK, text=text, fix="Wait for the first checks."),
        ]
    found.append(_answers(to, health))
    if seen.watched and health.state is not State.PINNED:
        found.append(_evidence(seen, to, health, emergency))
    tried = [r for r in health.last.results if r.ok is not None]
    if seen.service.health.scheme != "tcp":
        found += _marker(seen.service, to, tried)
    if seen.service.health.scheme == "https":
        found.append(_certificate(to, tried, seen.at))
    return found


def source_findings(seen: Observation, source: str, to: str, emergency: bool) -> list[Finding]:
    """Does the deployment that visitors are at answer? A planned switch leaves one that does."""
    health = seen.health.get(source)
    if source == to or health is None:
        return []
    if health.health is not Health.UNHEALTHY:
        return [Finding(check="source-healthy", level=Level.PASS, text=f"{source} is {health.health}")]
    planned = " in maintenance, and" if source in seen.overlay.maintenance else ""
    text = f"{source} is{planned} down: {health.reason}"
    level = Level.WARN if emergency else Level.BLOCK
    fix = "" if emergency else "Switch with --emergency: steps that need the primary are then left out."
    return [Finding(check="source-healthy", level=level, text=text, fix=fix)]


def _platform_status(snapshot: Snapshot, to: str) -> list[Finding]:
    """What the platform of `to` says of itself. A green page proves nothing, and one that is silent neither."""
    found = []
    for page in [page for page in snapshot.status_pages if page.deployment == to]:
        level = Level.PASS if page.ok else Level.WARN
        fix = "" if page.ok else f"Look at {page.url}. The checks of {to} itself count for more."
        found.append(Finding(check="platform-status", level=level, text=f"{to}: {page.text}", fix=fix))
    return found


def _pinned(seen: Observation, to: str) -> list[Finding]:
    pin = seen.overlay.pins.get(to)
    if pin is None:
        return []
    level = Level.BLOCK if pin.hold is Hold.NEVER else Level.WARN
    said = "taken out of use" if pin.hold is Hold.NEVER else f"held {pin.hold}"
    text = f"{to} is {said} by a person: {pin.reason}"
    fix = f"End it with: changeover unpin {pin.service} {to}"
    return [Finding(check="pinned", level=level, text=text, fix=fix)]


def _maintenance(seen: Observation, to: str) -> list[Finding]:
    if to not in seen.overlay.maintenance:
        return []
    left = duration((seen.overlay.maintenance[to] - seen.at).total_seconds())
    text = f"{to} is in maintenance for {left} more"
    return [Finding(check="maintenance", level=Level.WARN, text=text, fix="Wait for its end if time allows.")]


def _names(snapshot: Snapshot, to: str) -> list[Finding]:
    """Does every name that the deployment's answers lead to have an address, at its own servers and elsewhere?"""
    deployment = snapshot.service.deployment(to)
    if deployment is None:
        return []
    targets = {deployment.answer_for(name).target for name in snapshot.service.hostnames}
    return [_name(to, name) for name in snapshot.names if name.name in targets]


def _name(to: str, name: RoutingName) -> Finding:
    fix = f"Ask the platform of {to} for its present DNS target. The app itself may well be alive."
    if not name.resolved and not name.own and (name.resolved, name.own) != (None, None):
        text = f"The routing name {name.name} has no address"
        return Finding(check="routing-name", level=Level.BLOCK, text=text, fix=fix)
    if name.own is not None and not name.own:
        text = f"The routing name {name.name} is gone at its own name servers; resolvers still have it for a while"
        return Finding(check="routing-name", level=Level.BLOCK, text=text, fix=fix)
    if not name.resolved:
        text = f"Resolvers do not find the routing name {name.name}"
        fix = "Look at your resolvers in the settings, or at this computer's network."
        return Finding(check="routing-name", level=Level.WARN, text=text, fix=fix)
    text = f"The routing name {name.name} leads to {', '.join(name.own or name.resolved)}"
    return Finding(check="routing-name", level=Level.PASS, text=text)


def _evidence(seen: Observation, to: str, health: DeploymentHealth, emergency: bool) -> Finding:
    """A planned switch rests on fresh proof; an emergency takes what there is."""
    stale = timedelta(seconds=2 * seen.service.health.interval)
    if health.proven is None:
        text = f"{to} was not seen to answer well everywhere since the watching began"
    else:
        age = max(timedelta(0), seen.at - health.proven)
        text = f"{to} was last proven healthy {duration(age.total_seconds())} ago"
        if age <= stale:
            return Finding(check="evidence", level=Level.PASS, text=text)
    fix = f"Wait for the next check of {to}, or mend it."
    return Finding(check="evidence", level=Level.WARN if emergency else Level.BLOCK, text=text, fix=fix)


def _journeys(snapshot: Snapshot, to: str) -> list[Finding]:
    found = []
    for walked in [j for j in snapshot.journeys if j.deployment == to]:
        level = Level.PASS if walked.ok else Level.BLOCK if walked.ok is False else Level.WARN
        fix = "" if walked.ok else f"Try it by hand at {to}, or mend the journey in the settings."
        text = f"{to}, {walked.journey}: {walked.text}"
        found.append(Finding(check="journeys", level=level, text=text, fix=fix))
    return found


def _answers(to: str, health: DeploymentHealth) -> Finding:
    fix = f"Mend {to}, or choose another deployment. In an emergency this can be overridden by name."
    if health.health is Health.HEALTHY:
        return Finding(check="target-answers", level=Level.PASS, text=f"{to} answers: {health.reason}")
    if health.health is Health.DEGRADED:
        said = "changes between good and bad" if health.state is State.FLAPPING else "answers only in part"
        text = f"{to} {said}: {health.reason}"
        return Finding(check="target-answers", level=Level.WARN, text=text, fix=f"Look at {to} first if time allows.")
    if health.health is Health.UNKNOWN:
        text = f"{to} is not proven to answer: {health.reason}"
        return Finding(check="target-answers", level=Level.BLOCK, text=text, fix=fix)
    text = f"{to} does not answer well: {health.reason}"
    return Finding(check="target-answers", level=Level.BLOCK, text=text, fix=fix)


def _marker(service: Service, to: str, tried: Sequence[ProbeResult]) -> list[Finding]:
    deployment = service.deployment(to)
    if deployment is None or deployment.marker is None:
        text = f"{to} has no marker, so nobody can prove who answers after the switch"
        fix = f'Let {to} send a header of its own and set marker = {{ header = "X-Deployment", value = "{to}" }}.'
        return [Finding(check="marker", level=Level.WARN, text=text, fix=fix)]
    marker = deployment.marker
    wrong = [r for r in tried if r.marker_ok is False]
    if wrong:
        seen = wrong[0].marker_seen or "no such header"
        text = f"{to} at {wrong[0].address} should say {marker.header}: {marker.value}, but says {seen}"
        fix = "Another deployment may answer at this address. Check the answer and the marker in the settings."
        return [Finding(check="marker", level=Level.BLOCK, text=text, fix=fix)]
    if not any(r.marker_ok for r in tried):
        text = f"The marker of {to} could not be read"
        return [Finding(check="marker", level=Level.BLOCK, text=text, fix=f"See why {to} does not answer.")]
    return [Finding(check="marker", level=Level.PASS, text=f"{to} says {marker.header}: {marker.value}")]


def _certificate(to: str, tried: Sequence[ProbeResult], at: datetime) -> Finding:
    bad = [r for r in tried if r.certificate_error]
    if bad:
        text = (
            f"{to}: the certificate at {bad[0].address} is not good for {bad[0].hostname}: {bad[0].certificate_error}"
        )
        fix = "Install a certificate that covers every hostname of the service there."
        return Finding(check="certificate", level=Level.BLOCK, text=text, fix=fix)
    seen = [r.certificate for r in tried if r.certificate is not None]
    if not seen:
        text = f"The certificate of {to} could not be read"
        return Finding(check="certificate", level=Level.BLOCK, text=text, fix=f"See why {to} does not answer.")
    first = min(seen, key=lambda c: c.expires)
    left = first.expires - at
    text = f"The certificate of {to} is valid for {duration(left.total_seconds())} more (from {first.issuer})"
    fix = "Renew it there. A check of its domain by the authority may need visitors to be there, so see to it early."
    if left < CERTIFICATE_BLOCK:
        return Finding(check="certificate", level=Level.BLOCK, text=text, fix=fix)
    passed = next((limit for limit in CERTIFICATE_WARN if left < limit), None)
    if passed is not None:
        text = f"{text}, less than {duration(passed.total_seconds())}"
        return Finding(check="certificate", level=Level.WARN, text=text, fix=fix)
    return Finding(check="certificate", level=Level.PASS, text=text)
