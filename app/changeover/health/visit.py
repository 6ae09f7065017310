"""Visiting a service as everybody does: by its public name, through a resolver."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from changeover.health.probe import probe
from changeover.health.unforeseen import guarded
from changeover.model.errors import Unavailable
from changeover.model.health.probe_result import Visit
from changeover.model.settings.service import Service

if TYPE_CHECKING:
    from changeover.dns.lookup.client import Lookup


async def visit(service: Service, lookup: Lookup) -> Visit:
    """One visit to the service's first hostname, at the first address that a resolver gives. Never raises.

    Deployments are told apart by the header of the first one's marker, which is usually that of all.
    """
    at, hostname = datetime.now(UTC), service.hostnames[0]

    def unread(why: str) -> Visit:
        return Visit(hostname=hostname, at=at, text=f"what visitors of {hostname} get is not known: {why}")

    return await guarded(f"what visitors of {hostname} get", _visit(service, lookup, hostname, at), unread)


async def _visit(service: Service, lookup: Lookup, hostname: str, at: datetime) -> Visit:
    try:
        addresses = await lookup.addresses(hostname)
    except Unavailable as error:
        return Visit(hostname=hostname, at=at, text=f"{hostname} could not be visited: {error.text}")
    if not addresses:
        return Visit(hostname=hostname, at=at, text=f"{hostname} leads visitors to no address")
    result = await probe(service.primary, hostname, addresses[0], service.health)
    asked = service.primary.marker
    seen = [
        d.name
        for d in service.deployments
        if asked is not None
        and d.marker is not None
        and d.marker.header.lower() == asked.header.lower()
        and d.marker.stands_in(result.marker_seen)
    ]
    who = seen[0] if len(seen) == 1 else None
    text = f"{hostname} at {addresses[0]}: {result.reason}" + (f", answered by {who}" if who else "")
    return Visit(hostname=hostname, at=at, text=text, result=result, deployment=who)
