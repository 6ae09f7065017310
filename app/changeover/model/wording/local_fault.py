"""Where this computer is at fault, so that nothing can be said about anybody else: what, and what was seen last."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from changeover.model.formatting import age
from changeover.model.health.connectivity import Connectivity
from changeover.model.health.probe_result import HEALTH_WORDS, Cause, Health, Round
from changeover.model.wording.fault_words import clock_words, connection_words, local_fault_words

if TYPE_CHECKING:
    from changeover.model.readiness.service_state import ServiceState

_PORTAL = "A login page stands between this computer and the internet"


def own_fault(state: ServiceState) -> Cause | None:
    """What is wrong with this computer, so that nothing can be said about the service: no connection, or no DNS."""
    connection = state.overlay.connection
    if connection is None:
        return None
    if connection.blind:
        return Cause.COMPUTER
    here = state.health.get(state.active)
    unseen = here is None or here.health is Health.UNKNOWN or here.cause in (Cause.COMPUTER, Cause.DNS)
    return Cause.DNS if connection.dns_fails and unseen else None


def own_fault_line(state: ServiceState) -> str:
    """The fault of this computer in a few words, for a list; nothing where there is none."""
    fault = own_fault(state)
    if fault is None or state.overlay.connection is None:
        return ""
    if fault is Cause.DNS:
        return "this computer's DNS fails"
    return "behind a login page" if state.overlay.connection.link is Connectivity.PORTAL else "this computer is offline"


def nothing_seen(state: ServiceState, now: datetime) -> tuple[str, str]:
    """A sentence that names the fault of this computer, and what is known besides."""
    connection, name = state.overlay.connection, state.service.name
    assert connection is not None
    seen = last_seen(state, now)
    if own_fault(state) is Cause.DNS:
        return f"Nothing can be said about {name} from here.", f"{connection_words(connection)} {seen}"
    if connection.link is Connectivity.PORTAL:
        return f"{_PORTAL}, so nothing can be said about {name}.", f"Open a browser and log in. {seen}"
    why = local_fault_words(connection.fault) if connection.fault is not None else ""
    rest = f"{why[:1].upper()}{why[1:]} {seen}".strip()
    return f"This computer is offline, so nothing can be said about {name}.", rest


def last_seen(state: ServiceState, now: datetime) -> str:
    """When the deployments were last seen, and how they were then."""
    last = {name: found for name, rounds in state.rounds.items() if (found := _last_tried(rounds)) is not None}
    if not last:
        return "Nothing was seen before."
    verdicts = {found.verdict for found in last.values()}
    if len(verdicts) == 1 and len(last) == len(state.service.deployments) > 1:
        how = f"{'both' if len(last) == 2 else f'all {len(last)}'} deployments {HEALTH_WORDS[verdicts.pop()]}"
    else:
        how = ", ".join(f"{name} {HEALTH_WORDS[found.verdict]}" for name, found in last.items())
    return f"Last seen {age(max(found.at for found in last.values()), now)}: {how}."


def clock_note(states: Iterable[ServiceState]) -> str:
    """What to say of this computer's clock, once for all services; nothing where it is right enough."""
    said = (clock_words(each.overlay.connection.clock_ahead) for each in states if each.overlay.connection is not None)
    return next((text for text in said if text), "")


def _last_tried(rounds: tuple[Round, ...]) -> Round | None:
    seen = (r for r in reversed(rounds) if r.verdict is not Health.UNKNOWN and r.cause is not Cause.COMPUTER)
    return next(seen, None)
