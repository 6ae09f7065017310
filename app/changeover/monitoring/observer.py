"""Reading the snapshot of a service: its records, its name servers, its deployments, and this computer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from msgspec.structs import replace

from changeover.accounts.accounts import Accounts
from changeover.accounts.trust import Trust
from changeover.health.probe_environment import NetworkEnvironment
from changeover.health.unforeseen import guarded
from changeover.model.databases.kept_database import KeptDatabase
from changeover.model.dns.active import UNKNOWN
from changeover.model.dns.lease import Holder, Lease, held_by_others, lease_name, leases
from changeover.model.dns.observed import ServerAnswer
from changeover.model.dns.records import same_answer
from changeover.model.errors import ChangeoverError, Unavailable
from changeover.model.formatting import ended
from changeover.model.health.connectivity import Connection
from changeover.model.health.probe_result import DeploymentHealth, Health, Round, Visit
from changeover.model.platforms.app_version import KeptVersion
from changeover.model.platforms.platform_observation import KeptObservation
from changeover.model.readiness.drift import drifts
from changeover.model.readiness.freeze import Freeze
from changeover.model.readiness.observation import Observation, observed
from changeover.model.readiness.overlay import overlay_at
from changeover.model.readiness.pin import Pin
from changeover.model.readiness.snapshot import Snapshot
from changeover.model.runs.own_writes import hidden_for
from changeover.model.runs.plan import ZoneReading
from changeover.model.runs.run import Run, foremost
from changeover.model.settings.acting_parts import places_of
from changeover.model.settings.service import Deployment, Service, Settings
from changeover.storage.database_observations import KeptDatabases
from changeover.storage.freezes import Freezes
from changeover.storage.history.history import History
from changeover.storage.home import Home, installation_name
from changeover.storage.journal.lock import is_locked
from changeover.storage.pins import Pins
from changeover.storage.platform_observations import KeptObservations

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Seconds between two readings, where the first may be from before a write.
SECOND_LOOK = 1.0

if TYPE_CHECKING:
    from changeover.dns.lookup.client import Lookup
    from changeover.dns.provider import Provider


class Observer:
    """Reads snapshots, as the settings in force say. Changes nothing anywhere."""

    def __init__(
        self,
        home: Home,
        settings: Settings,
        accounts: Accounts,
        trust: Trust,
        pins: Pins,
        freezes: Freezes,
        history: History,
        kept: KeptObservations,
        databases: KeptDatabases,
        runs: Callable[[str], Awaitable[tuple[Run, ...]]],
    ) -> None:
        self._home = home
        self._accounts = accounts
        self._trust = trust
        self._pins = pins
        self._freezes = freezes
        self._history = history
        self._kept = kept
        self._databases = databases
        self._runs = runs
        #: By service, what was read of it last: it says since when something is as it is.
        self._last: dict[str, Snapshot] = {}
        #: By account and zone, whether the credential was last seen to have the right to write.
        self._rights: dict[tuple[str, str], bool | None] = {}
        self.environment = NetworkEnvironment(lambda: self.lookup, lambda: self._settings.lookup)
        self.take(settings)

    def take(self, settings: Settings) -> None:
        """Takes new settings."""
        self._settings = settings
        self._last = {}
        self._lookup: Lookup | None = None

    @property
    def lookup(self) -> Lookup:
        """Looks names up as the settings say."""
        if self._lookup is None:
            from changeover.dns.lookup.client import Lookup

            self._lookup = Lookup(self._settings.lookup)
        return self._lookup

    async def foremost_run(self, service: str) -> Run | None:
        """The run that must be ended before the service takes a new one, else its newest."""
        try:
            return foremost(await self._runs(service))
        except ChangeoverError:
            return None  # the snapshot says why

    async def active(self, service: Service) -> str:
        """Where visitors are sent now, as the records and the name servers say."""
        from changeover.monitoring.reading import read_servers

        readings, servers = await asyncio.gather(self._read_zones(service), read_servers(service, self.lookup))
        return Snapshot(service=service, at=datetime.now(UTC), readings=readings, servers=servers).active

    async def visit(self, service: Service) -> Visit:
        """What a visitor gets now."""
        from changeover.health.visit import visit

        return await visit(service, self.lookup)

    async def pins(self) -> tuple[Pin, ...]:
        """What people say of deployments now."""
        return await _or_none(self._pins.all())

    async def freezes(self) -> tuple[Freeze, ...]:
        """What people want left alone now."""
        return await _or_none(self._freezes.all())

    async def look(self, service: Service, to: str | None = None, *, settled: bool = False) -> Observation:
        """Reads everything now, for somebody who watches nothing, with health from a few probes.

        Where something fails, the witnesses are asked whether it is this computer. Journeys are taken at `to` only.
        `settled` is as for `read`.
        """
        await self.load(service)
        (found, connection), snapshot, pins, freezes = await asyncio.gather(
            self._probed(service), self.read(service, to, settled=settled), self.pins(), self.freezes()
        )
        now = datetime.now(UTC)
        overlay = overlay_at(service, now, connection=connection, pins=pins, freezes=freezes)
        return observed(snapshot, {h.deployment: h for h in found}, overlay, now, watched=False)

    async def load(self, service: Service) -> None:
        """Loads what a look takes, so that it is not counted as the time of probes: the DNS library, and beside it, in
        a thread, the certificates that they trust."""
        from changeover.health.http.trust import trusted

        reading = asyncio.get_running_loop().run_in_executor(None, trusted, service.health.ca_file)
        import changeover.monitoring.reading

        _ = changeover.monitoring.reading, self.lookup
        await asyncio.gather(reading, return_exceptions=True)  # a file that cannot be used is told by the probes

    async def _probed(self, service: Service) -> tuple[Sequence[DeploymentHealth], Connection | None]:
        """The health of every deployment, from a few probes; where somebody watches over this home, from fewer.

        And this computer's connection, where something is not healthy that it may be the cause of.
        """
        from changeover.health.rounds import probe_now, probe_round

        now = datetime.now(UTC)
        recently = now - 2 * timedelta(seconds=service.health.interval)
        seen, firsts = await asyncio.gather(
            self._rounds(service, recently, now),
            asyncio.gather(*(probe_round(service, d, self.lookup) for d in service.deployments)),
        )
        pairs = zip(service.deployments, firsts, strict=True)
        probing = asyncio.gather(*(probe_now(service, d, self.lookup, first, seen.get(d.name)) for d, first in pairs))
        if any(first.verdict is not Health.HEALTHY for first in firsts):
            # Beside the probes that follow, so that an emergency does not wait for witnesses as well.
            found, connection = await asyncio.gather(probing, self.environment.look_around())
            return found, connection
        found = await probing
        healthy = all(h.health is Health.HEALTHY for h in found)
        return found, None if healthy else await self.environment.look_around()

    async def _rounds(self, service: Service, since: datetime, until: datetime) -> Mapping[str, Round]:
        """The newest rounds that somebody who watches has recorded; where that cannot be read, none."""
        try:
            return await self._history.newest_rounds(service.name, since, until)
        except ChangeoverError as error:
            log.warning("%s", error.text)
            return {}

    async def snapshot(self, service: Service, known: Snapshot | None) -> Snapshot:
        """Reads for a watch. With `known`, asks the name servers only, and the rest where these now say otherwise.

        Where nothing has changed, gives `known` itself.
        """
        if known is None or any(r.error is not None for r in known.readings):
            return await self.read(service)
        from changeover.monitoring.reading import read_servers

        servers = await read_servers(service, self.lookup)
        if _differ(servers, known.servers):
            return await self.read(service)
        recorded, (platforms, versions), databases = await asyncio.gather(
            self._recorded(service), self._kept_of(service.name), self._kept_databases(service)
        )
        before = _Recorded(known.unfinished_run, known.locked, known.runs, known.unrecorded)
        said = (platforms, versions, databases)
        if (
            servers == known.servers
            and recorded == before
            and said
            == (
                known.platforms,
                known.versions,
                known.databases,
            )
        ):
            return known
        kept = {"platforms": platforms, "versions": versions, "databases": databases}
        return replace(known, servers=servers, **kept, **recorded._asdict())

    async def read(self, service: Service, to: str | None = None, *, settled: bool = False) -> Snapshot:
        """Reads everything but health, and takes the journeys, at `to` only where it is given.

        With `settled`, for a plan: a provider that may still show what stood before a run of this computer is read
        until it shows what that wrote, for as long as it may lag.
        """
        from changeover.health.status_page import status_pages
        from changeover.monitoring.journeys import journeys
        from changeover.monitoring.reading import read_names, read_servers, read_signing

        taken: Sequence[Deployment] = [d for d in service.deployments if to in (None, d.name)]
        more = asyncio.gather(
            journeys(service, taken, self.lookup, self._trust),
            self._earlier(service),
            status_pages(service, self.lookup),
            self._trust.unapproved(places_of(service)),
            # The platform that fails, or the database, would be waited for: they are not asked.
            asyncio.gather(self._kept_of(service.name), self._kept_databases(service)),
        )
        (
            readings,
            servers,
            names,
            signing,
            (walked, earlier, pages, closed, ((platforms, versions), databases)),
        ) = await asyncio.gather(
            self._settled(service) if settled else self._read_zones(service),
            read_servers(service, self.lookup),
            read_names(service, self.lookup),
            read_signing(service, self.lookup),
            more,
        )
        # After the records: a write that is seen in them then has its intent in the journal.
        recorded = await self._recorded(service)
        snapshot = Snapshot(
            service=service,
            at=datetime.now(UTC),
            readings=readings,
            servers=servers,
            unfinished_run=recorded.unfinished_run,
            locked=recorded.locked,
            names=names,
            journeys=walked,
            earlier=earlier,
            status_pages=pages,
            runs=recorded.runs,
            unrecorded=recorded.unrecorded,
            lease=await self._held_by_others(service, readings),
            signing=signing,
            unapproved=closed,
            platforms=platforms,
            versions=versions,
            databases=databases,
        )
        last = self._last.get(service.name)
        snapshot = replace(snapshot, drift=drifts(snapshot, last))
        self._last[service.name] = snapshot
        return snapshot

    async def _kept_of(self, service: str) -> tuple[dict[str, KeptObservation], dict[str, KeptVersion]]:
        """What the platforms and apps of a service said last."""
        return await _or_nothing(self._kept.of(service)), await _or_nothing(self._kept.versions(service))

    async def _kept_databases(self, service: Service) -> dict[str, KeptDatabase]:
        """What the databases of a service said last, of those that the settings still name."""
        named = {deployment.name for deployment in service.deployments if deployment.database is not None}
        if not named:
            return {}
        found = await _or_nothing(self._databases.of(service.name))
        return {name: kept for name, kept in found.items() if name in named}

    async def _held_by_others(self, service: Service, readings: Sequence[ZoneReading]) -> str | None:
        """Who else is switching something in one of the service's zones, on whatever computer."""
        me = Holder(owner=installation_name(self._home), service=service.name)
        now = datetime.now().astimezone()
        for reading in readings:
            there = leases(reading.records.get(lease_name(reading.zone), ()))
            here = {one.service for one in there if isinstance(one, Lease) and one.owner == me.owner}
            people = {run.run: run.who for name in here for run in await self._runs(name)}
            words = held_by_others(reading.records, reading.zone, me, now, people)
            if words is not None:
                return words
        return None

    async def _earlier(self, service: Service) -> dict[str, str]:
        """Where the services are that must be switched before this one."""

        async def one(name: str) -> str:
            other = self._settings.service(name)
            if other is None:
                return UNKNOWN
            readings = await self._read_zones(other)
            return Snapshot(service=other, at=datetime.now(UTC), readings=readings).active

        found = await asyncio.gather(*(one(name) for name in service.after))
        return dict(zip(service.after, found, strict=True))

    async def _read_zones(self, service: Service) -> tuple[ZoneReading, ...]:
        from changeover.monitoring.reading import read_zones

        accounts = dict.fromkeys(entry.account for entry in service.dns)

        def unread(why: str) -> dict[str, Provider | ChangeoverError]:
            return {name: Unavailable(f"The account {name} is not known: {why}") for name in accounts}

        opening = self._accounts.open_each(self._settings, accounts)
        providers = await guarded(f"the accounts of {service.name}", opening, unread)
        return await read_zones(service, providers)

    async def _settled(self, service: Service) -> tuple[ZoneReading, ...]:
        """The zones as they are after every write of this computer's runs."""
        from changeover.monitoring.reading import read_servers

        runs = await _or_none(self._runs(service.name))
        while True:
            readings = await self._read_zones(service)
            if hidden_for(runs, readings, (), datetime.now(UTC)) <= 0:
                return readings
            servers = await read_servers(service, self.lookup)
            if (left := hidden_for(runs, readings, servers, datetime.now(UTC))) <= 0:
                return readings
            log.info("%s: readings may be from before what was just written; reading again", service.name)
            await asyncio.sleep(min(left, SECOND_LOOK))

    async def _recorded(self, service: Service) -> _Recorded:
        """What this computer knows of the service's runs."""
        try:
            runs = await self._runs(service.name)
            locked = is_locked(self._home.lock_file(service.name))
        except ChangeoverError as error:
            log.warning("%s", error.text)
            return _Recorded(None, False, (), f"{ended(error.text)} {error.hint}")
        run = foremost(runs)
        open_run = run.run if run is not None and run.unfinished and not locked else None
        return _Recorded(open_run, locked, runs, None)


class _Recorded(NamedTuple):
    unfinished_run: str | None
    locked: bool
    runs: tuple[Run, ...]
    unrecorded: str | None


async def _or_none(read: Awaitable[tuple[T, ...]]) -> tuple[T, ...]:
    """What people said, where it can be read. Where it cannot, the journal cannot either, which the snapshot says."""
    try:
        return await read
    except ChangeoverError as error:
        log.warning("%s", error.text)
        return ()


async def _or_nothing(read: Awaitable[dict[str, T]]) -> dict[str, T]:
    """What was kept, where it can be read."""
    try:
        return await read
    except ChangeoverError as error:
        log.warning("%s", error.text)
        return {}


def _differ(now: Sequence[ServerAnswer], before: Sequence[ServerAnswer]) -> bool:
    """Does any name server give something else for a name than it did?"""
    said = {(s.server, s.address, s.hostname): s.records for s in before if s.error is None}
    for answer in now:
        old = said.get((answer.server, answer.address, answer.hostname))
        if answer.error is None and (old is None or not same_answer(old, answer.records)):
            return True
    return False
