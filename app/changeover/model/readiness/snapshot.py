"""What was read about a service: its records, its name servers, its runs. How it answers is known by probing only."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field

from changeover.model.databases.kept_database import KeptDatabase
from changeover.model.dns import active
from changeover.model.dns.change import Place
from changeover.model.dns.dnssec import Signing
from changeover.model.dns.observed import RoutingName, ServerAnswer
from changeover.model.dns.records import AddressSet, address_set
from changeover.model.health.check import JourneyResult
from changeover.model.health.status_page import StatusPage
from changeover.model.platforms.app_version import KeptVersion
from changeover.model.platforms.platform_observation import KeptObservation
from changeover.model.runs.plan import ZoneReading
from changeover.model.runs.run import Run
from changeover.model.settings.acting_parts import Unapproved
from changeover.model.settings.service import Service


class Snapshot(Struct, frozen=True, kw_only=True):
    """Everything that was read about a service, until `at`.

    `names` are the routing names of its answers, as their own servers and the resolvers see them. `earlier` has, by
    service that must be switched before this one, where it is. `runs` are the service's own, newest first. `drift` is
    what others changed since. `lease` says who else holds it. `signing` has those of its zones that are signed.
    `platforms` and `databases` have, by deployment, what its platform and its database said last, `versions` what its
    app did.
    `unapproved` are the parts of its settings that may not act. `unrecorded` says why runs could not be read on this
    computer, and what to do.
    """

    service: Service
    at: datetime
    readings: tuple[ZoneReading, ...] = ()
    servers: tuple[ServerAnswer, ...] = ()
    unfinished_run: str | None = None
    locked: bool = False
    names: tuple[RoutingName, ...] = ()
    journeys: tuple[JourneyResult, ...] = ()
    earlier: dict[str, str] = field(default_factory=dict)
    status_pages: tuple[StatusPage, ...] = ()
    runs: tuple[Run, ...] = ()
    drift: tuple[Drift, ...] = ()
    lease: str | None = None
    signing: tuple[Signing, ...] = ()
    unapproved: tuple[Unapproved, ...] = ()
    unrecorded: str | None = None
    platforms: dict[str, KeptObservation] = field(default_factory=dict)
    databases: dict[str, KeptDatabase] = field(default_factory=dict)
    versions: dict[str, KeptVersion] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Was nothing read yet?"""
        return not self.readings and not self.servers

    @property
    def active(self) -> str:
        return active_of(self)

    @property
    def undecided(self) -> tuple[str, ...]:
        """The deployments that share the answer which stands everywhere, so that records cannot tell them apart."""
        return active.shared(_places(self))


def active_of(snapshot: Snapshot) -> str:
    """The active deployment: from the providers' record sets where they can be read, else from the name servers.

    What only the name servers say, and no deployment's answer is, may be a proxy or an alias: it is not known.
    """
    return active.active_deployment(_places(snapshot))


def _places(snapshot: Snapshot) -> list[active.Candidates]:
    """What may be active at each place that answers for the service's hostnames."""
    service = snapshot.service
    places: list[active.Candidates] = []
    for name in service.hostnames:
        readable = [r for r in snapshot.readings if r.zone == service.zone_of(name) and r.error is None]
        for reading in readable:
            wanted = {deployment: names[name] for deployment, names in reading.wanted.items()}
            places.append(active.candidates(address_set(reading.records.get(name, ())), wanted))
        if not readable:
            said = [s for s in snapshot.servers if s.hostname == name and s.error is None]
            plain = {d.name: d.answer_for(name).record_sets(name, service.ttl) for d in service.deployments}
            places.extend(active.candidates(s.records, plain, active.UNKNOWN) for s in said)
            if not said:
                places.append(frozenset({active.UNKNOWN}))
    return places


class Drift(Struct, frozen=True, kw_only=True):
    """One hostname that is not what `run` left at an account.

    It was changed between `after`, when it was last as it should be, and `seen`, when it first was not.
    """

    account: str
    zone: str
    name: str
    left: AddressSet
    found: AddressSet
    run: str
    after: datetime
    seen: datetime

    @property
    def place(self) -> Place:
        return (self.account, self.zone, self.name)
