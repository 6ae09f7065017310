"""What the route diagram says: the words in its boxes, which are its words for a screen reader as well."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from changeover.model.dns import active
from changeover.model.dns.records import address_set
from changeover.model.formatting import age, counted
from changeover.model.health.probe_result import Health, Round
from changeover.model.readiness.service_state import ServiceState
from changeover.model.settings.service import Deployment
from changeover.model.wording.cause_words import card_detail, card_words
from changeover.model.wording.local_fault import own_fault, own_fault_line
from changeover.model.wording.service_status import fails_only_from_here, health_of


class DnsBox(NamedTuple):
    """What the box of the DNS says."""

    title: str
    names: str
    answer: str


def dns_box(state: ServiceState) -> DnsBox:
    """Who answers for the service's names, with which kind of record and for how long resolvers keep it."""
    service = state.service
    name = service.hostnames[0]
    readings = state.snapshot.readings
    labels = list(dict.fromkeys(r.capabilities.label for r in readings)) or [entry.account for entry in service.dns]
    title = ", ".join(labels)
    names = name if len(service.hostnames) == 1 else f"{name} +{len(service.hostnames) - 1}"
    live = [r for reading in readings for r in address_set(reading.records.get(name, ()))]
    answer = "records not read"
    if live:
        answer = f"{'+'.join(dict.fromkeys(r.type for r in live))} · TTL {max(r.ttl for r in live)} s"
    return DnsBox(title if title.startswith("DNS") else f"DNS · {title}", names, answer)


def visitors_line(state: ServiceState) -> str:
    """What happens to visitors, in a few words."""
    if state.active == active.MIXED:
        return "split up"
    if state.active == active.ELSEWHERE:
        return "go elsewhere"
    if state.active == active.UNKNOWN or state.active not in state.health or own_fault(state) is not None:
        return "not known now" if own_fault(state) is not None else "not known yet"
    if fails_only_from_here(state, state.active):
        return "still answered"
    if state.active in state.overlay.pins or health_of(state, state.active) is not Health.UNHEALTHY:
        return f"reach {state.active}"
    return "still answered" if state.overlay.visit is not None and state.overlay.visit.ok else "failing now"


def visit_line(state: ServiceState) -> str:
    """What one visitor got through public DNS, in a few words; nothing where nobody looked."""
    visit = state.overlay.visit
    if visit is None:
        return ""
    if visit.result is None:
        return "name not found"
    if visit.ok is False and visit.result.status is not None:
        return f"got {visit.result.status}"
    return visit.result.reason


def visit_words(state: ServiceState, now: datetime) -> str:
    """The same as a sentence, with the name, who answered and when."""
    visit = state.overlay.visit
    if visit is None:
        return ""
    return f"As a visitor, through public DNS, {age(visit.at, now)}: {visit.text}."


def place(deployment: Deployment) -> str:
    """The address of a deployment in a few words."""
    answer = deployment.answer
    return answer.target or ", ".join((*answer.a, *answer.aaaa)) or "no answer of its own"


def status(state: ServiceState, name: str, now: datetime) -> str:
    """How a deployment stands and answers: "down for 2 min 10 s · 503", or that nobody can tell."""
    word, detail = card_words(state, name, now), card_detail(state, name)
    if own_fault(state) is not None and name in state.health:
        return own_fault_line(state)
    return f"{word} · {detail}" if detail and detail != word else word


def proven(state: ServiceState, name: str, now: datetime) -> str:
    """When a deployment was last seen to answer well everywhere."""
    found = state.health.get(name)
    if found is None or found.last is None:
        return ""
    rounds = state.rounds.get(name, ())
    seen = found.proven or next((r.at for r in reversed(rounds) if r.verdict is Health.HEALTHY), None)
    return f"proven {age(seen, now)}" if seen is not None else "not proven yet"


def rounds_words(rounds: tuple[Round, ...]) -> str:
    """The bars of a deployment in words."""
    bad = sum(r.verdict in (Health.UNHEALTHY, Health.DEGRADED) for r in rounds)
    good = sum(r.verdict is Health.HEALTHY for r in rounds)
    blind = len(rounds) - bad - good
    unseen = f", {blind} could not be tried from here" if blind else ""
    said = f"Last {counted(len(rounds), 'check')}: {good} good, {bad} not good{unseen}."
    return f"{said} Newest on the right, higher is better."
