"""Watching a service closely after a switch, as its visitors get it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from changeover.dns.lookup.client import Lookup
from changeover.health.probe import probe
from changeover.health.unforeseen import guarded
from changeover.model.errors import NotFound, Unavailable
from changeover.model.health.baseline import Baseline
from changeover.model.health.soak import EVERY, MINUTES, Look, Soak, SoakState, judged_soak, soak_until
from changeover.model.settings.service import Deployment, Service
from changeover.monitoring.public_name import MOST_NAMES, public_addresses


def _now() -> datetime:
    return datetime.now(UTC)


async def soak(
    service: Service,
    deployment: Deployment,
    lookup: Lookup,
    ended: datetime,
    *,
    baseline: Baseline | None = None,
    minutes: float = MINUTES,
    every: float = EVERY,
    on_progress: Callable[[Soak], None] = lambda _: None,
    now: Callable[[], datetime] = _now,
) -> Soak:
    """Looks at the service by its public names every `every` seconds, until `minutes` after `ended`, when its run did.

    It ends early where the service has WORSENED. `on_progress` gets how it stands after each look. It can be cancelled,
    and begun again at any time: the end comes from the run alone. Looks that were missed meanwhile count for nothing.
    """
    until = soak_until(ended, minutes)
    usual = max((s.seconds for s in baseline.samples if s.status < 400), default=None) if baseline else None
    looks: list[Look] = []
    while True:
        began = now()
        if began < until:

            def unread(why: str, at: datetime = began) -> Look:
                return Look(at=at, ok=None, reason=f"not known: {why}")

            work = _look(service, deployment, lookup, began)
            looks.append(await guarded(f"how visitors of {service.name} are served", work, unread))
        stands = judged_soak(deployment.name, ended, until, now(), looks, usual)
        on_progress(stands)
        if stands.state is not SoakState.GOING:
            return stands
        pause = every - (now() - began).total_seconds()
        await asyncio.sleep(max(0.0, min(pause, (until - now()).total_seconds())))


async def _look(service: Service, deployment: Deployment, lookup: Lookup, at: datetime) -> Look:
    """One probe of each address of each hostname. It is bad where any of them is bad, or somebody else answers."""
    names = service.hostnames[:MOST_NAMES]
    try:
        places = await public_addresses(lookup, service, names)
    except (Unavailable, NotFound) as error:
        return Look(at=at, ok=None, reason=error.text)
    homeless = [name for name in names if not places[name]]
    if homeless:
        return Look(at=at, ok=False, reason=f"{homeless[0]} leads to no address")
    found = await asyncio.gather(
        *(probe(deployment, name, address, service.health) for name in names for address in places[name])
    )
    tried = [result for result in found if result.ok is not None]
    if not tried:
        return Look(at=at, ok=None, reason="no address could be reached from this computer")
    for result in tried:
        if not result.ok:
            return Look(at=at, ok=False, reason=f"{result.hostname} at {result.address}: {result.reason}")
        if result.marker_ok is False:
            who = result.marker_seen or "without a marker"
            return Look(at=at, ok=False, reason=f"{result.hostname} at {result.address} answers as {who}")
    return Look(at=at, ok=True, seconds=max(result.phases.total or 0.0 for result in tried))
