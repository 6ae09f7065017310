"""The one object that the desktop and the commands hold: services, their live state, their runs, the accounts.

It opens the parts, gives each the others that it needs, and passes on what is asked of it:

    accounts/configuration.py           the settings in force; accounts and services are added, changed, removed
    storage/journal/recorded_runs.py    the runs as the journal has them
    monitoring/observer.py              what is there now, read
    monitoring/live_states.py           what a watch knows
    monitoring/notices.py               outages that people are told of, each once
    switchover/preparer.py              what a switch would do, and what speaks against it
    switchover/runs.py                  a run is begun, resumed, undone
    switchover/decisions.py             what people say of a run
    switchover/ttls.py                  TTLs are lowered, and given back
    switchover/protection.py            is there a backup?

Where a person decides something, `who` it is stands in the call, as others know them: "alice@laptop".
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from changeover.accounts.configuration import Configuration
from changeover.accounts.kinds import dns_accounts
from changeover.health.unforeseen import guarded
from changeover.model.dns.records import RecordSet
from changeover.model.health.check import HealthCheck
from changeover.model.health.probe_result import Round
from changeover.model.readiness.freeze import Freeze
from changeover.model.readiness.pin import Hold, Pin
from changeover.model.readiness.service_state import Preparation, ServiceState, assess, unread
from changeover.model.runs.run import Outcome, Run
from changeover.model.runs.ttl import fast_from
from changeover.model.secret import Secret
from changeover.model.settings.service import Settings
from changeover.monitoring.live_states import LiveStates
from changeover.monitoring.observer import Observer
from changeover.monitoring.recorder import HistoryRecorder
from changeover.storage.database_observations import KeptDatabases
from changeover.storage.freezes import Freezes
from changeover.storage.history.history import History
from changeover.storage.home import Home
from changeover.storage.journal.journal import Journal
from changeover.storage.journal.recorded_runs import RecordedRuns
from changeover.storage.keyring import Vault
from changeover.storage.outages import ToldOutages
from changeover.storage.pins import Pins
from changeover.storage.platform_observations import KeptObservations
from changeover.switchover.decisions import OperatorDecisions
from changeover.switchover.preparer import Preparer
from changeover.switchover.protection import Protection
from changeover.switchover.runs import VERIFY_TIMEOUT, Progress, Runs, ignore_progress
from changeover.switchover.ttls import TtlPreparation, Ttls

if TYPE_CHECKING:
    from changeover.accounts.trust import Trust
    from changeover.dns.lookup.client import Lookup, ResolverAnswer
    from changeover.model.dns.discovery import Discovery
    from changeover.model.dns.propagation import CachedAnswer
    from changeover.model.health.connectivity import Connection
    from changeover.model.health.soak import Soak
    from changeover.model.readiness.lifecycle import Lifecycle
    from changeover.model.readiness.way_back import WayBack
    from changeover.model.runs.fencing import StillToDo
    from changeover.model.runs.plan import Plan
    from changeover.model.settings.account import AccountCheck, AccountRow
    from changeover.model.settings.acting_parts import ActingPart
    from changeover.model.settings.action import Action
    from changeover.model.settings.maintenance import Maintenance
    from changeover.model.settings.platform import DiscoveredApp
    from changeover.model.settings.service import Deployment, Service
    from changeover.model.wording.notice import Notice
    from changeover.monitoring.database_reading import DatabaseReading
    from changeover.monitoring.platform_reading import PlatformReading
    from changeover.monitoring.version_reading import VersionReading

log = logging.getLogger(__name__)


class Switchboard:
    """Everything that Changeover can do, over one home folder. Used on one asyncio loop; needs no window."""

    def __init__(self, home: Home, vault: Vault | None = None) -> None:
        """Reads the settings. Raises SettingsError with every fault of the file."""
        self.home = home
        self.journal = Journal(home.database)
        self.history = History(home.database)
        self.pins = Pins(home.database)
        self.freezes = Freezes(home.database)
        self._told = ToldOutages(home.database)
        self._kept = KeptObservations(home.database)
        self._databases = KeptDatabases(home.database)
        self._recorded = recorded = RecordedRuns(self.journal)
        self._configuration = configuration = Configuration(home, vault or Vault(home), recorded, self._take)
        self._observer = observer = Observer(
            home,
            configuration.settings,
            configuration.accounts,
            configuration.trust,
            self.pins,
            self.freezes,
            self.history,
            self._kept,
            self._databases,
            recorded.of,
        )
        self._live = live = LiveStates(observer.environment, observer, HistoryRecorder(self.history))
        live.reset(configuration.settings.services)
        self._preparer = preparer = Preparer(configuration, recorded, observer, live, self._told)
        self._runs = runs = Runs(home, configuration, self.journal, recorded, observer, live, preparer)
        self._ttls = ttls = Ttls(configuration, recorded, observer, runs)
        self._decisions = decisions = OperatorDecisions(self.journal, recorded, live, settled=ttls.restore_after)
        self._protection = Protection(configuration, self.journal, recorded, observer, live, preparer, decisions)

    def _take(self, settings: Settings) -> None:
        """Takes settings that were changed."""
        self._observer.take(settings)
        self._live.reset(settings.services)

    async def aclose(self) -> None:
        """Closes connections, the history and the journal."""
        await self._configuration.accounts.aclose()
        await self.history.aclose()
        self.pins.close()
        self.freezes.close()
        self._told.close()
        self._kept.close()
        self._databases.close()
        self.journal.close()

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._configuration.settings

    @property
    def vault(self) -> Vault:
        """Where secrets are."""
        return self._configuration.vault

    @property
    def lookup(self) -> Lookup:
        """Looks names up as the settings say."""
        return self._observer.lookup

    # What may act

    @property
    def trust(self) -> Trust:
        """What this computer approved of the settings."""
        return self._configuration.trust

    async def approve_settings(self, parts: Collection[ActingPart]) -> None:
        """Lets these parts of the settings act, as a person was shown them."""
        await self.trust.approve(parts)
        self._live.reset(self.settings.services)

    # What people have set up

    def service(self, name: str) -> Service:
        """The service of that name. Raises UsageError that names the known ones."""
        return self._configuration.service(name)

    def deployment(self, service: str, name: str) -> Deployment:
        """A deployment of a service. Raises UsageError that names the known ones."""
        return self._configuration.deployment(service, name)

    async def accounts(self) -> tuple[AccountRow, ...]:
        """Every account, and where its secret is."""
        return await self._configuration.rows()

    async def add_account(
        self,
        name: str,
        provider: str,
        options: Mapping[str, Any],
        secrets: Mapping[str, Secret],
        *,
        replace: bool = False,
        in_memory: bool = False,
    ) -> None:
        """Adds an account: its secrets to the keyring, or kept in memory only, then its table to the settings file."""
        arguments = (name, provider, options, secrets)
        await self._configuration.add_account(*arguments, replace=replace, in_memory=in_memory)

    async def keep_account_secrets(self, name: str, secrets: Mapping[str, Secret]) -> None:
        """Keeps the secrets of an account that stands in the settings, in this computer's keyring."""
        await self._configuration.keep_account_secrets(name, secrets)

    async def verify_account(self, name: str, zone: str | None = None) -> AccountCheck:
        """Proves what an account's credential can do, in `zone` too where one is given."""
        return await self._configuration.verify_account(name, zone)

    async def remove_account(self, name: str) -> None:
        """Removes an account that no service uses, and its secrets."""
        await self._configuration.remove_account(name)

    async def add_service(self, service: Service) -> None:
        """Adds a service to the settings file. Raises SettingsError, with nothing written, where it is not right."""
        await self._configuration.add_service(service)

    async def add_service_secret(self, name: str, field: str, secret: Secret) -> None:
        """Keeps a secret that a service needs, in the keyring, for the one host it is sent to."""
        await self._configuration.add_service_secret(name, field, secret)

    async def remove_service(self, name: str) -> None:
        """Removes a service from the settings file. Its runs stay in the journal; its records stay as they are."""
        await self._configuration.remove_service(name)

    async def change_check(self, name: str, health: HealthCheck, maintenance: tuple[Maintenance, ...]) -> None:
        """Changes how a service is checked. Raises SettingsError, with nothing written, where it is not right."""
        await self._configuration.change_check(name, health, maintenance)

    # What a watch knows

    def states(self) -> tuple[ServiceState, ...]:
        """Every service's live state, in the order of the settings."""
        return self._live.states()

    def state(self, name: str) -> ServiceState:
        """One service's live state. KeyError where there is no such service."""
        return self._live.state(name)

    def subscribe(self, callback: Callable[[str | None], None]) -> Callable[[], None]:
        """Calls `callback` with a service's name when its state changed, with None when the settings did.

        Gives what ends the subscription.
        """
        return self._live.subscribe(callback)

    async def watch(self) -> None:
        """Watches every service, and what its platforms, apps and databases say of it, until cancelled."""
        from changeover.monitoring.database_reading import has_databases
        from changeover.monitoring.platform_reading import tells_what_runs
        from changeover.monitoring.seldom import read_seldom

        async with asyncio.TaskGroup() as group:
            group.create_task(self._live.watch())
            group.create_task(read_seldom("platforms", lambda: self.settings, tells_what_runs, self.read_what_runs))
            group.create_task(read_seldom("databases", lambda: self.settings, has_databases, self.read_databases))

    async def connection(self) -> Connection:
        """This computer's connection, looked at now."""
        return await self._live.connection()

    # Looking

    async def observe(self, name: str) -> ServiceState:
        """The state of a service, from a few probes and one reading now; for a command, which watches nothing."""
        service = self.service(name)

        def unknown(why: str) -> ServiceState:
            return replace(unread(service, datetime.now(UTC)), error=f"{name} is not known: {why}")

        return await guarded(f"the state of {name}", self._observe(service), unknown)

    async def _observe(self, service: Service) -> ServiceState:
        seen, visit, run = await asyncio.gather(
            self._observer.look(service), self._observer.visit(service), self._observer.foremost_run(service.name)
        )
        # A few probes cannot tell whether a deployment failed before the visit or after it: it is told, and no excuse.
        seen = replace(seen, overlay=replace(seen.overlay, visit=visit))
        return assess(seen, replace(unread(service, seen.at), run=run))

    async def tell_outages(self, channel: str, tell: Callable[[Notice], None], names: Sequence[str] = ()) -> None:
        """Calls `tell` with each outage that begins and ends, for who watches, until cancelled.

        `names` are the services that this is about; all of them where it names none.
        """
        from changeover.monitoring.notices import tell_outages

        await tell_outages(self._live, self._told, channel, tell, names)

    async def read_platforms(self, name: str, deployment: str | None = None) -> tuple[PlatformReading, ...]:
        """What the platforms of a service, or of one of its deployments, say of them now, or said last."""
        from changeover.monitoring.platform_reading import read_platforms

        service = self.service(name)
        chosen = service.deployments
        if deployment is not None:
            chosen = (self._configuration.deployment(name, deployment),)
        return await read_platforms(service.name, chosen, self._configuration.open_platform, self._kept)

    async def read_databases(self, name: str) -> tuple[DatabaseReading, ...]:
        """How the databases of a service stand now, or stood when they last said something."""
        from changeover.monitoring.database_reading import read_databases

        return await read_databases(self.service(name), self._configuration.open_database, self._databases)

    async def read_what_runs(self, name: str) -> tuple[tuple[PlatformReading, ...], tuple[VersionReading, ...]]:
        """What the platforms of a service say, and what its apps tell of themselves where it is set up that they do."""
        from changeover.monitoring.version_reading import read_versions

        service = self.service(name)
        versions = read_versions(service, service.deployments, self.lookup, self._kept)
        return await asyncio.gather(self.read_platforms(name), versions)

    async def apps(self, account: str) -> tuple[DiscoveredApp, ...]:
        """What an account at a platform has, to pick a deployment from."""
        return await self._configuration.apps(account)

    async def template(self, service: Service) -> tuple[Action, ...]:
        """The steps besides DNS that the platforms of a service make possible, which need not be set up yet."""
        from changeover.accounts.kinds import KINDS
        from changeover.model.platforms.template import template
        from changeover.monitoring.platform_reading import read_platforms

        readings = await read_platforms(
            service.name, service.deployments, self._configuration.open_platform, self._kept
        )
        known = {r.deployment.name: r.observation for r in readings if r.observation is not None}
        return template(service, KINDS, known)

    async def refresh(self, name: str) -> None:
        """Probes and reads one service now, for who watches."""
        await self._live.refresh(self.service(name).name)

    async def try_check(self, name: str, health: HealthCheck) -> dict[str, Round]:
        """Probes every deployment once as `health` would have it. Nothing is kept of it."""
        from changeover.health.rounds import probe_round

        service = replace(self.service(name), health=health)
        found = await asyncio.gather(*(probe_round(service, d, self.lookup) for d in service.deployments))
        return {d.name: probed for d, probed in zip(service.deployments, found, strict=True)}

    async def resolvers(self, name: str) -> tuple[ResolverAnswer, ...]:
        """What the resolvers of the settings have in their caches for the service's hostnames."""
        answers = await asyncio.gather(*(self.lookup.resolvers(host) for host in self.service(name).hostnames))
        return tuple(answer for found in answers for answer in found)

    async def panel(self, name: str) -> tuple[CachedAnswer, ...]:
        """What every resolver has for the service's hostnames, beside what the authoritative servers give."""
        from changeover.monitoring.propagation import panel

        return await panel(self.service(name), self.lookup, await self._recorded.newest(name))

    async def soak(self, run: Run, on_progress: Callable[[Soak], None]) -> Soak | None:
        """Looks at a service closely after a switch, until its time is over or it worsens. None where it makes none."""
        from changeover.switchover.verify.soak import soak

        service = self.service(run.service)
        deployment = service.deployment(run.to)
        if run.outcome is not Outcome.COMPLETED or run.ended is None or deployment is None:
            return None
        return await soak(service, deployment, self.lookup, run.ended, on_progress=on_progress)

    async def fast_from(self, name: str) -> datetime | None:
        """From when on a switch of the service is as fast as its lowered TTLs; None where none were lowered."""
        return fast_from(await self._recorded.all(), name)

    async def discover(self, hostname: str) -> Discovery:
        """Which account has the zone of `hostname`, a canonical name, what stands there, where its delegation leads."""
        from changeover.monitoring.discovery import discover

        accounts = dns_accounts(self.settings)
        providers = await self._configuration.open_each([account.name for account in accounts])
        return await discover(hostname, accounts, providers, self.lookup)

    async def look_up(self, hostname: str) -> tuple[RecordSet, ...]:
        """What `hostname` resolves to now, CNAME chain included."""
        both = await asyncio.gather(self.lookup.resolve(hostname, "A"), self.lookup.resolve(hostname, "AAAA"))
        return tuple({(r.name, r.type): r for found in both for r in found}.values())

    # Runs

    async def runs(self) -> tuple[Run, ...]:
        """All runs, newest first."""
        return await self._recorded.all()

    async def run(self, run_id: str) -> Run:
        """One run. Raises UsageError where there is none of that name."""
        return await self._recorded.one(run_id)

    async def run_and_later(self, run_id: str) -> tuple[Run, tuple[Run, ...]]:
        """One run, and those of its service that were begun after it."""
        run = await self._recorded.one(run_id)
        return run, await self._recorded.later(run)

    async def unfinished_run(self, service: str) -> Run | None:
        """The run that must be ended before the service takes a new one."""
        return await self._recorded.unfinished(service)

    async def prepare(
        self, name: str, to: str, emergency: bool = False, expected: str | None = None, dns_first: bool = False
    ) -> Preparation:
        """What a switch of the service to `to` would do, and what speaks against it.

        `expected` is the deployment that a person believes to be active; that another one is blocks the switch.
        `dns_first`: the records are changed before any action, in an emergency.
        """
        return await self._preparer.prepare(name, to, emergency, expected, dns_first)

    async def switch(
        self,
        preparation: Preparation,
        overrides: Mapping[str, str] | None = None,
        *,
        who: str,
        on_progress: Progress = ignore_progress,
        stop: asyncio.Event | None = None,
        verify_timeout: float = VERIFY_TIMEOUT,
        why: str = "",
    ) -> Run:
        """Runs the prepared plan. Raises Refused, with the findings, where something speaks against it.

        `overrides` are reasons by check. `on_progress` gets the run after every entry of its journal. `stop`, once set,
        lets the step in hand finish and leaves the run interrupted. `why` is a person's reason, for the report.
        """
        return await self._runs.switch(
            preparation,
            overrides,
            who=who,
            on_progress=on_progress,
            stop=stop,
            verify_timeout=verify_timeout,
            why=why,
        )

    async def resume(
        self,
        run_id: str,
        *,
        who: str,
        on_progress: Progress = ignore_progress,
        stop: asyncio.Event | None = None,
        verify_timeout: float = VERIFY_TIMEOUT,
    ) -> Run:
        """Goes on with an unfinished run, after reading what stands."""
        return await self._runs.resume(
            run_id, who=who, on_progress=on_progress, stop=stop, verify_timeout=verify_timeout
        )

    async def undo(
        self,
        run_id: str,
        *,
        who: str,
        on_progress: Progress = ignore_progress,
        stop: asyncio.Event | None = None,
        verify_timeout: float = VERIFY_TIMEOUT,
        anyway: bool = False,
        shown: Plan | None = None,
    ) -> Run:
        """Puts every record set of a run back as it was, and gives the run with outcome `undone`.

        Refused where somebody else changed one since, unless a person says `anyway`; and where something would be
        changed that is not in `shown`, the plan that a person said yes to.
        """
        return await self._runs.undo(
            run_id,
            who=who,
            on_progress=on_progress,
            stop=stop,
            verify_timeout=verify_timeout,
            anyway=anyway,
            shown=shown,
        )

    async def undo_plan(self, run_id: str, anyway: bool = False) -> Plan:
        """What `undo` would do now. Reads only."""
        return await self._runs.undo_plan(run_id, anyway)

    async def way_back(self, run_id: str) -> WayBack:
        """Where an undo would send visitors, and whether they would be served there. Reads only."""
        return await self._preparer.way_back(await self._recorded.one(run_id))

    def operation_plan(self, service: str, deployment: str, verb: str, options: Mapping[str, Any]) -> Plan:
        """What asking the platform of a deployment for one operation would do. Raises UsageError for what cannot be."""
        return self._runs.operation_plan(service, deployment, verb, options)

    async def operate(
        self,
        plan: Plan,
        *,
        who: str,
        on_progress: Progress = ignore_progress,
        stop: asyncio.Event | None = None,
        why: str = "",
    ) -> Run:
        """Asks a platform for one operation, by a run of its own: what stood before is kept first, for its undo.

        `stop`, once set before the platform was asked, calls it off.
        """
        return await self._runs.operate(plan, who=who, on_progress=on_progress, stop=stop, why=why)

    async def still_to_do(self, name: str) -> StillToDo | None:
        """What an emergency left out at the side that visitors were led away from, and nobody has done since."""
        return await self._runs.still_to_do(self.service(name).name)

    async def fence(
        self,
        plan: Plan,
        *,
        who: str,
        on_progress: Progress = ignore_progress,
        stop: asyncio.Event | None = None,
        why: str = "",
    ) -> Run:
        """Does what an emergency left out, as it was shown. Refused where visitors are there, or may be."""
        return await self._runs.fence(plan, who=who, on_progress=on_progress, stop=stop, why=why)

    async def drop(self, name: str, step: str, reason: str, *, who: str) -> Run:
        """Says that a step which an emergency left out is no longer to be done."""
        return await self._decisions.drop(self.service(name).name, step, reason, who=who)

    async def prepare_ttl(self, name: str, ttl: int | None = None, *, restore: bool = False) -> TtlPreparation:
        """What lowering the service's TTLs would change, or giving back those that were lowered. Reads only."""
        return await (self._ttls.prepare_restore(name) if restore else self._ttls.prepare_shorten(name, ttl))

    async def change_ttl(self, prepared: TtlPreparation, *, who: str, verify_timeout: float = VERIFY_TIMEOUT) -> Run:
        """Changes TTLs as they were shown. Refused where they are so already."""
        return await self._ttls.carry_out(prepared, who=who, verify_timeout=verify_timeout)

    async def restored_by(self, run_id: str) -> TtlPreparation | None:
        """The TTLs that committing a run would give back; None where it would give none back. Reads only."""
        return await self._ttls.restored_by(await self._recorded.one(run_id))

    # What people say of a run, from whichever process. A step is named by its name, or by its number from 1.

    async def approve(self, run_id: str, step: str, note: str = "", *, who: str) -> Run:
        """Says yes to a step that asks."""
        return await self._decisions.approve(run_id, step, note, who=who)

    async def decline(self, run_id: str, step: str, reason: str, *, who: str) -> Run:
        """Says no to a step that asks: the run ends there."""
        return await self._decisions.decline(run_id, step, reason, who=who)

    async def skip(self, run_id: str, step: str, reason: str, *, who: str) -> Run:
        """Leaves a step out that is to be done, that failed, or of which nobody knows whether it was done."""
        return await self._decisions.skip(run_id, step, reason, who=who)

    async def repeat(self, run_id: str, step: str, *, who: str) -> Run:
        """Lets a step be done again of which nobody knows whether it was done."""
        return await self._decisions.repeat(run_id, step, who=who)

    async def pause(self, run_id: str, *, who: str) -> Run:
        """Stops a running run before its next step."""
        return await self._decisions.pause(run_id, who=who)

    async def escalate(self, run_id: str, why: str, *, who: str) -> Run:
        """Makes an unfinished planned run an emergency: its steps that need the source are left out from here on."""
        return await self._decisions.escalate(run_id, why, who=who)

    async def accept(self, run_id: str, reason: str, *, who: str) -> Run:
        """Ends an unfinished run as it stands."""
        return await self._decisions.accept(run_id, reason, who=who)

    async def commit(self, run_id: str, *, who: str) -> Run:
        """Ends the undo window of a completed run."""
        return await self._decisions.commit(run_id, who=who)

    async def acknowledge(self, run_id: str, *, who: str) -> Run:
        """Says that a person has seen what an emergency switch led to: another may be suggested again."""
        return await self._decisions.acknowledge(run_id, who=who)

    async def lifecycle(self, name: str) -> Lifecycle:
        """Whether a service has a backup, and what comes next."""
        return await self._protection.lifecycle(name)

    async def protect(
        self, run_id: str, note: str = "", *, who: str, begin: bool = False, force_reason: str = ""
    ) -> Run:
        """Says that the service which a run left without a backup has one again; with `begin`, that one is being made.

        Refused where no other deployment could take over now, unless there is a reason to say so all the same.
        """
        return await self._protection.protect(run_id, note, who=who, begin=begin, force_reason=force_reason)

    # Pins and freezes

    async def pin(self, service: str, deployment: str, hold: Hold, reason: str, seconds: float, *, who: str) -> Pin:
        """Holds a deployment healthy, unhealthy or out of use for a time. Raises UsageError for what cannot be."""
        self._configuration.deployment(service, deployment)
        pin = await self.pins.set(service, deployment, hold, reason, seconds)
        log.info("%s holds %s of %s: %s", who, deployment, service, hold)
        self._live.take_pins(await self._observer.pins())
        return pin

    async def unpin(self, service: str, deployment: str, *, who: str) -> bool:
        """Ends a deployment's pin. False where it had none."""
        self._configuration.deployment(service, deployment)
        had = await self.pins.clear(service, deployment)
        log.info("%s no longer holds %s of %s", who, deployment, service)
        self._live.take_pins(await self._observer.pins())
        return had

    async def freeze(self, service: str | None, reason: str, seconds: float, *, who: str) -> Freeze:
        """Lets nothing be switched for a time, at a service or (None) anywhere. Raises UsageError for what cannot be.

        An emergency may override it by name; undoing and resuming a run stay possible.
        """
        if service is not None:
            self.service(service)
        freeze = await self.freezes.set(service, reason, seconds, who)
        self._live.take_freezes(await self._observer.freezes())
        return freeze

    async def unfreeze(self, service: str | None, *, who: str) -> bool:
        """Ends the freeze of a service, or the one of everything. False where there was none."""
        had = await self.freezes.clear(service)
        log.info("%s ends the freeze of %s", who, service or "everything")
        if service is not None and not had:
            self.service(service)
        self._live.take_freezes(await self._observer.freezes())
        return had
