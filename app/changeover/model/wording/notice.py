"""What is worth interrupting somebody for: one message for one fault, when it begins and when it is over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from changeover.model.formatting import clock, counted, lasting
from changeover.model.health.outage import Fault, FaultKind, Outage
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


def fault_of(state: ServiceState) -> Fault:
    """What is at fault.

    A dead routing name, a failing address and this computer's view of the DNS may be behind several services; what is
    wrong with a deployment alone is the service's own.
    """
    found = state.health.get(state.active)
    bad = bad_results(found)
    if found is not None and bad and not all_down(state):
        if found.cause is Cause.DNS:
            return Fault(FaultKind.DNS)
        if found.cause is Cause.ROUTING_NAME and bad[0].target:
            return Fault(FaultKind.ROUTING_NAME, bad[0].target)
        where = {r.address for r in bad}
        if found.cause in (Cause.ADDRESS, Cause.DEPLOYMENT) and len(where) == 1 and where != {""}:
            return Fault(FaultKind.ADDRESS, where.pop())
    return Fault(FaultKind.SERVICE, state.service.name)


def notices(
    states: Sequence[ServiceState], told: Mapping[str, Outage], now: datetime
) -> tuple[list[Notice], dict[str, Outage]]:
    """What to tell now, and, by service, the outages that are told of then and not over.

    Only outages are told, once each, and that they are over. Nothing is told while this computer is at fault, during
    maintenance, or of what merely looks suspicious; and an outage that such a time only hid is not told again.
    """
    after = {name: outage for name, outage in told.items() if any(s.service.name == name for s in states)}
    begun: dict[Fault, list[ServiceState]] = {}
    over: dict[str, tuple[ServiceState, Outage]] = {}
    for state in states:
        name, stands = state.service.name, service_status(state)
        if stands is ServiceStatus.DOWN and own_fault(state) is None:
            if name not in after:
                begun.setdefault(fault_of(state), []).append(state)
        elif name in after and stands in _OVER and health_of(state, state.active) is Health.HEALTHY:
            over[name] = state, after.pop(name)
    known = {outage.fault for outage in after.values()}
    for fault, failing in begun.items():
        after.update({s.service.name: Outage(fault=fault, began=_began(s, now), told=now) for s in failing})
    found = [_outage(fault, failing, now) for fault, failing in begun.items() if fault not in known]
    return found + ([_recovery(over, now)] if over else []), after


def _began(state: ServiceState, now: datetime) -> datetime:
    found = state.health.get(state.active)
    return (found.since if found is not None else None) or now


#: Where the active deployment is healthy as well, an outage is over. Degraded is then for want of a backup.
_OVER = (ServiceStatus.HEALTHY, ServiceStatus.HELD, ServiceStatus.DEGRADED)


def _outage(fault: Fault, failing: Sequence[ServiceState], now: datetime) -> Notice:
    names = tuple(s.service.name for s in failing)
    first = failing[0]
    if len(failing) == 1:
        found = first.health.get(first.active)
        text = list_line(first, now)
        if found is not None and found.cause is not None and not all_down(first):
            text = cause_words(found, now)
        return Notice(f"{names[0]} is down", text, names)
    long = lasting(_began(first, now), now)
    return Notice(f"{counted(len(names), 'service')} are down", f"{_why(fault)}{long}: {_listed(names)}.", names)


def _why(fault: Fault) -> str:
    match fault.kind:
        case FaultKind.DNS:
            return "The DNS fails for all of them"
        case FaultKind.ROUTING_NAME:
            return f"The routing name {fault.subject} is dead"
        case FaultKind.ADDRESS:
            return f"{fault.subject} does not answer well"
        case FaultKind.SERVICE:
            return "They fail"


def _recovery(over: Mapping[str, tuple[ServiceState, Outage]], now: datetime) -> Notice:
    names = tuple(over)
    since = clock(min(outage.began for _, outage in over.values()), now)
    if len(over) == 1:
        (state, _), *_ = over.values()
        text = f"{list_line(state, now)}. It had been down since {since}."
        return Notice(f"{names[0]} is up again", text, names, grave=False)
    text = f"They had been down since {since}: {_listed(names)}."
    return Notice(f"{counted(len(names), 'service')} are up again", text, names, grave=False)


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    if len(every) <= _NAMED:
        return ", ".join(every)
    return f"{', '.join(every[: _NAMED - 1])} and {len(every) - _NAMED + 1} more"
