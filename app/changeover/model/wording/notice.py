"""What is worth interrupting somebody for: one message for one fault, when it begins and when it is over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from changeover.model.formatting import counted, lasting
from changeover.model.health.probe_result import Cause, Health
from changeover.model.wording.cause_words import bad_results, cause_words
from changeover.model.wording.local_fault import own_fault
from changeover.model.wording.sentence import list_line
from changeover.model.wording.service_status import ServiceStatus, all_down, health_of, service_status

if TYPE_CHECKING:
    from changeover.model.readiness.service_state import ServiceState

#: More names than this are counted, not listed.
_NAMED = 4


class Notice(Struct, frozen=True):
    """One message. `services` are those that it is about; `grave` is what needs somebody now."""

    title: str
    text: str
    services: tuple[str, ...]
    grave: bool = True


#: By service, the fault that was told of and is not over, as `fault_of` names it.
Told = Mapping[str, str]


def fault_of(state: ServiceState) -> str:
    """What is at fault, in a key that services with the same fault share.

    A dead routing name, a failing address and this computer's view of the DNS may be behind several services; what is
    wrong with a deployment alone is the service's own.
    """
    found = state.health.get(state.active)
    bad = bad_results(found)
    if found is not None and bad and not all_down(state):
        if found.cause is Cause.DNS:
            return "DNS"
        if found.cause is Cause.ROUTING_NAME and bad[0].target:
            return f"routing name {bad[0].target}"
        where = {r.address for r in bad}
        if found.cause in (Cause.ADDRESS, Cause.DEPLOYMENT) and len(where) == 1 and where != {""}:
            return f"address {where.pop()}"
    return f"service {state.service.name}"


def notices(states: Sequence[ServiceState], told: Told, now: datetime) -> tuple[list[Notice], dict[str, str]]:
    """What to tell now, and what is told then.

    Only outages are told, once each, and that they are over. Nothing is told while this computer is at fault, during
    maintenance, or of what merely looks suspicious; and an outage that such a time only hid is not told again.
    """
    after = {name: fault for name, fault in told.items() if any(s.service.name == name for s in states)}
    begun: dict[str, list[ServiceState]] = {}
    over: list[ServiceState] = []
    for state in states:
        name, stands = state.service.name, service_status(state)
        if stands is ServiceStatus.DOWN and own_fault(state) is None:
            if name not in after:
                begun.setdefault(fault_of(state), []).append(state)
        elif name in after and stands in _OVER and health_of(state, state.active) is Health.HEALTHY:
            over.append(state)
            del after[name]
    known = set(after.values())
    for fault, failing in begun.items():
        after.update({s.service.name: fault for s in failing})
    found = [_outage(fault, failing, now) for fault, failing in begun.items() if fault not in known]
    return found + ([_recovery(over, now)] if over else []), after


#: Where the active deployment is healthy as well, an outage is over. Degraded is then for want of a backup.
_OVER = (ServiceStatus.HEALTHY, ServiceStatus.HELD, ServiceStatus.DEGRADED)


def _outage(fault: str, failing: Sequence[ServiceState], now: datetime) -> Notice:
    names = tuple(s.service.name for s in failing)
    first = failing[0]
    if len(failing) == 1:
        found = first.health.get(first.active)
        text = list_line(first, now)
        if found is not None and found.cause is not None and not all_down(first):
            text = cause_words(found, now)
        return Notice(f"{names[0]} is down", text, names)
    kind, _, what = fault.partition(" ")
    why = {
        "DNS": "The DNS fails for all of them",
        "routing": f"The routing name {what.removeprefix('name ')} is dead",
        "address": f"{what} does not answer well",
    }.get(kind, "They fail")
    found = first.health.get(first.active)
    long = lasting(found.since, now) if found is not None else ""
    return Notice(f"{counted(len(names), 'service')} are down", f"{why}{long}: {_listed(names)}.", names)


def _recovery(over: Sequence[ServiceState], now: datetime) -> Notice:
    names = tuple(s.service.name for s in over)
    if len(over) == 1:
        return Notice(f"{names[0]} is up again", list_line(over[0], now), names, grave=False)
    return Notice(f"{counted(len(names), 'service')} are up again", f"{_listed(names)}.", names, grave=False)


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    if len(every) <= _NAMED:
        return ", ".join(every)
    return f"{', '.join(every[: _NAMED - 1])} and {len(every) - _NAMED + 1} more"
