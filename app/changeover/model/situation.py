"""What was read about a service at one moment. Every decision is made from this, and from nothing else."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field

from changeover.model import active
from changeover.model.connection import Connection
from changeover.model.drift import Drift
from changeover.model.freeze import Freeze
from changeover.model.health import DeploymentHealth, Health
from changeover.model.journey import JourneyResult
from changeover.model.pin import Pin
from changeover.model.plan import ZoneReading
from changeover.model.records import AddressSet, address_set
from changeover.model.run import Run
from changeover.model.service import Service
from changeover.model.signing import Signing
from changeover.model.status_page import StatusPage


class ServerAnswer(Struct, frozen=True, kw_only=True):
    """What one address of one authoritative server said about one hostname; `error` where it said nothing usable.

    `nonexistent`: it says that there is no such name, which is more than that it has no address.
    """

    server: str
    address: str
    hostname: str
    zone: str
    records: AddressSet = ()
    error: str | None = None
    checked: bool = True
    nonexistent: bool = False


class RoutingName(Struct, frozen=True, kw_only=True):
    """A name that answers lead to: its addresses by resolvers and by its own servers; None where nobody answers."""

    name: str
    resolved: tuple[str, ...] | None
    own: tuple[str, ...] | None


class Situation(Struct, frozen=True, kw_only=True):
    """Everything that was read about a service at one moment; decisions are made from this alone.

    `pins` and `maintenance` (when it ends) are by deployment, those in force. `names` are the routing names of its
    answers, as their own servers and the resolvers see them. `watched`: the health comes from watching, not from probes
    that were sent for this situation. `earlier` has, by service that must be switched before this one, where it is.
    `runs` are the service's own, newest first. `drift` is what others changed since. `lease` says who else holds it.
    `signing` has those of its zones that are signed.
    """

    service: Service
    at: datetime
    readings: tuple[ZoneReading, ...] = ()
    servers: tuple[ServerAnswer, ...] = ()
    health: dict[str, DeploymentHealth] = field(default_factory=dict)
    unfinished_run: str | None = None
    locked: bool = False
    connection: Connection | None = None
    pins: dict[str, Pin] = field(default_factory=dict)
    maintenance: dict[str, datetime] = field(default_factory=dict)
    names: tuple[RoutingName, ...] = ()
    journeys: tuple[JourneyResult, ...] = ()
    watched: bool = False
    earlier: dict[str, str] = field(default_factory=dict)
    status_pages: tuple[StatusPage, ...] = ()
    runs: tuple[Run, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    drift: tuple[Drift, ...] = ()
    lease: str | None = None
    signing: tuple[Signing, ...] = ()

    @property
    def active(self) -> str:
        return active_of(self)


def active_of(situation: Situation) -> str:
    """The active deployment: from the providers' record sets where they can be read, else from the name servers.

    What only the name servers say, and no deployment's answer is, may be a proxy or an alias: it is not known.
    """
    service = situation.service
    places: list[active.Candidates] = []
    for name in service.hostnames:
        readable = [r for r in situation.readings if r.zone == service.zone_of(name) and r.error is None]
        for reading in readable:
            wanted = {deployment: names[name] for deployment, names in reading.wanted.items()}
            places.append(active.candidates(address_set(reading.records.get(name, ())), wanted))
        if not readable:
            said = [s for s in situation.servers if s.hostname == name and s.error is None]
            plain = {d.name: d.answer_for(name).record_sets(name, service.ttl) for d in service.deployments}
            places.extend(active.candidates(s.records, plain, active.UNKNOWN) for s in said)
            if not said:
                places.append(frozenset({active.UNKNOWN}))
    return active.active_deployment(places)


def noticed(situation: Situation) -> datetime | None:
    """When the active deployment began to fail, where it does."""
    health = situation.health.get(situation.active)
    return health.since if health is not None and health.health is Health.UNHEALTHY else None
