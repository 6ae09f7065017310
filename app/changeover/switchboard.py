"""The one object that the desktop and the commands hold: services, their live state, their runs, the accounts."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from changeover.health.rounds import probe_round
from changeover.model.acting import with_actions
from changeover.model.check import HealthCheck
from changeover.model.connection import Connection
from changeover.model.errors import ChangeoverError, Refused, UsageError
from changeover.model.finding import Finding, Level, overridden, unknown_override
from changeover.model.freeze import Freeze, freeze_left, freezes_of
from changeover.model.health import Round
from changeover.model.lease import Holder
from changeover.model.lifecycle import Lifecycle, Stage, lifecycle
from changeover.model.maintenance import Maintenance
from changeover.model.pin import Hold, Pin
from changeover.model.plan import Kind, Plan, compared_with, make_plan
from changeover.model.readiness import findings
from changeover.model.records import AddressSet, RecordSet
from changeover.model.run import (
    Accepted,
    Acknowledged,
    Approved,
    Committed,
    Declined,
    Direction,
    Entry,
    Escalated,
    Event,
    Outcome,
    Paused,
    Repeated,
    Reprotected,
    Reprotecting,
    Run,
    Skipped,
    Started,
    fold,
)
from changeover.model.secret import Secret
from changeover.model.service import Service, Settings
from changeover.model.service_secrets import service_secrets
from changeover.model.situation import Situation, noticed
from changeover.model.state import AccountCheck, AccountRow, Preparation, ServiceState, assessed
from changeover.model.ttl import Publish, fast_from, prepare_plan, prepared_by, restore_plan
from changeover.model.unsafe import FRESH, unsafe
from changeover.model.word import Word, step_number, why_not
from changeover.model.words import counted
from changeover.storage import settings as settings_file
from changeover.storage.accounts import Accounts
from changeover.storage.freezes import Freezes
from changeover.storage.history import History
from changeover.storage.home import Home, home_mark, this_person
from changeover.storage.journal import Journal
from changeover.storage.lock import is_locked, service_lock
from changeover.storage.pins import Pins
from changeover.storage.secrets import Vault
from changeover.switchover.deeds import Deeds
from changeover.switchover.journeys import journeys, vault_name
from changeover.switchover.live import LiveStates
from changeover.switchover.observer import Observer
from changeover.switchover.recorder import HistoryRecorder

if TYPE_CHECKING:
    from changeover.dns.lookup import Lookup, ResolverAnswer
    from changeover.dns.provider import Provider
    from changeover.model.discovery import Discovery
    from changeover.model.propagation import Kept
    from changeover.model.soak import Soak
    from changeover.switchover.lease import ZoneLeases
    from changeover.switchover.runner import Runner

log = logging.getLogger(__name__)

VERIFY_TIMEOUT = 60.0


def _ignore(_: Run) -> None:
    return None


class Switchboard:
    """Everything that Changeover can do, over one home folder. Used on one asyncio loop; needs no window."""

    def __init__(self, home: Home, vault: Vault | None = None) -> None:
        """Reads the settings. Raises SettingsError with every fault of the file."""
        self.home = home
        self.settings = settings_file.load(home.settings_file)
        self.vault = vault or Vault(home)
        self._accounts = Accounts(home.settings_file, self.vault)
        self.journal = Journal(home.database)
        self.history = History(home.database)
        self.pins = Pins(home.database)
        self.freezes = Freezes(home.database)
        self._observer = Observer(
            home, self.settings, self._accounts, self.vault, self.pins, self.freezes, self._runs_of
        )
        self._live = LiveStates(self._observer.senses, self._observer, HistoryRecorder(self.history))
        self._live.reset(self.settings.services)

    async def aclose(self) -> None:
        """Closes connections, the history and the journal."""
        await self._accounts.aclose()
        await self.history.aclose()
        self.pins.close()
        self.freezes.close()
        self.journal.close()

    @property
    def lookup(self) -> Lookup:
        """Looks names up as the settings say."""
        return self._observer.lookup

    def service(self, name: str) -> Service:
        """The service of that name. Raises UsageError that names the known ones."""
        found = self.settings.service(name)
        if found is None:
            known = ", ".join(s.name for s in self.settings.services) or "none yet"
            raise UsageError(f"There is no service {name}", f"Services: {known}")
        return found

    # Looking

    async def observe(self, name: str) -> ServiceState:
        """The state of a service, from a few probes and one reading now; for a command, which watches nothing."""
        service = self.service(name)
        situation, visit, run = await asyncio.gather(
            self._observer.look(service), self._observer.visit(service), self._newest_run(name)
        )
        return assessed(ServiceState(service=service, run=run, visit=visit), situation)

    async def _newest_run(self, service: str) -> Run | None:
        return next(iter(await self._runs_of(service)), None)

    async def _runs_of(self, service: str) -> tuple[Run, ...]:
        return tuple(r for r in await self.runs() if r.service == service)

    # Watching

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
        """Keeps every service's state up to date, until cancelled."""
        await self._live.watch()

    async def refresh(self, name: str) -> None:
        """Probes and reads one service now."""
        await self._live.refresh(self.service(name).name)

    async def connection(self) -> Connection:
        """This computer's connection, looked at now."""
        return await self._live.connection()

    async def change_check(self, name: str, health: HealthCheck, maintenance: tuple[Maintenance, ...]) -> None:
        """Changes how a service is checked. Raises SettingsError, with nothing written, where it is not right."""
        service = replace(self.service(name), health=health, maintenance=maintenance)
        await self._edit(lambda text: settings_file.set_check(text, service, self.home.settings_file.resolve().parent))

    async def try_check(self, name: str, health: HealthCheck) -> dict[str, Round]:
        """Probes every deployment once as `health` would have it. Nothing is kept of it."""
        service = replace(self.service(name), health=health)
        found = await asyncio.gather(*(probe_round(service, d, self.lookup) for d in service.deployments))
        return {d.name: probed for d, probed in zip(service.deployments, found, strict=True)}

    async def prepare(
        self,
        name: str,
        to: str,
        emergency: bool = False,
        expected: str | None = None,
    ) -> Preparation:
        """Reads everything and computes what a switch to `to` would do, and what speaks against it.

        Health is what a watch has gathered, where one runs, else from a few probes now. `expected` is the deployment
        that a person believes to be active; that another one is blocks the switch.
        """
        service = self.service(name)
        if service.deployment(to) is None:
            known = ", ".join(d.name for d in service.deployments)
            raise UsageError(f"Service {name} has no deployment {to}", f"Deployments: {known}")
        from changeover.switchover.propagation import cache_time
        from changeover.switchover.public_name import take_baseline

        watched = self._live.seen(service) is not None
        looking = self._observer.read(service, to) if watched else self._observer.look(service, to)
        situation, cached, baseline = await asyncio.gather(
            looking, cache_time(service, self.lookup), take_baseline(service, self.lookup)
        )
        situation = replace(situation, **((self._live.seen(service) or {}) if watched else {}))
        readable = all(r.error is None for r in situation.readings)
        plan = make_plan(service, situation.active, to, situation.readings, situation.at) if readable else None
        if plan is not None:
            fast = await self.fast_from(name)
            left = math.ceil((fast - situation.at).total_seconds()) if fast is not None else 0
            # Behind a proxy nothing that resolvers keep matters, so the chain of names does not either.
            chain = cached.seconds if plan.visitors_follow_within else 0
            longest = max(plan.visitors_follow_within, left, chain)
            plan = compared_with(with_actions(plan, service, emergency), baseline)
            plan = replace(plan, visitors_follow_within=longest)
        return Preparation(
            service=name,
            to=to,
            emergency=emergency,
            plan=plan,
            findings=findings(situation, to, emergency, expected),
            situation=situation,
            at=situation.at,
        )

    async def resolvers(self, name: str) -> tuple[ResolverAnswer, ...]:
        """What the resolvers of the settings have in their caches for the service's hostnames."""
        answers = await asyncio.gather(*(self.lookup.resolvers(host) for host in self.service(name).hostnames))
        return tuple(answer for found in answers for answer in found)

    async def panel(self, name: str) -> tuple[Kept, ...]:
        """What every resolver has for the service's hostnames, beside what the authoritative servers give."""
        from changeover.switchover.propagation import panel

        return await panel(self.service(name), self.lookup, await self._newest_run(name))

    async def soak(self, run: Run, on_progress: Callable[[Soak], None]) -> Soak | None:
        """Looks at a service closely after a switch, until its time is over or it worsens. None where it makes none."""
        from changeover.switchover.soak import soak

        service = self.service(run.service)
        deployment = service.deployment(run.to)
        if run.outcome is not Outcome.COMPLETED or run.ended is None or deployment is None:
            return None
        return await soak(service, deployment, self.lookup, run.ended, on_progress=on_progress)

    async def discover(self, hostname: str) -> Discovery:
        """Which account has the zone of `hostname`, a canonical name, what stands there, where its delegation leads."""
        from changeover.switchover.discovery import discover

        accounts = self.settings.accounts
        providers = await self._accounts.open_each(self.settings, [account.name for account in accounts])
        return await discover(hostname, accounts, providers, self.lookup)

    async def look_up(self, hostname: str) -> tuple[RecordSet, ...]:
        """What `hostname` resolves to now, CNAME chain included."""
        both = await asyncio.gather(self.lookup.resolve(hostname, "A"), self.lookup.resolve(hostname, "AAAA"))
        return tuple({(r.name, r.type): r for found in both for r in found}.values())

    # Running

    async def switch(
        self,
        preparation: Preparation,
        overrides: Mapping[str, str] | None = None,
        *,
        on_progress: Callable[[Run], None] = _ignore,
        stop: asyncio.Event | None = None,
        verify_timeout: float = VERIFY_TIMEOUT,
        why: str = "",
    ) -> Run:
        """Runs the prepared plan. Raises Refused, with the findings, where something speaks against it.

        `why` is a person's reason, for the report.
        """
        overrides = overrides or {}
        unknown = unknown_override(overrides)
        if unknown is not None:
            raise UsageError(f"There is no check {unknown}", "The checks' names stand before each finding.")
        with service_lock(self.home.lock_file(preparation.service), preparation.service):
            if datetime.now(UTC) - preparation.at > FRESH:
                preparation = await self._again(preparation)
            found = overridden(preparation.findings, overrides)
            blocks = [f for f in found if f.level is Level.BLOCK]
            await self._refuse_unfinished(preparation.service)
            if not (preparation.emergency and "freeze" in overrides):
                await self._refuse_frozen(preparation.service)
            if blocks or preparation.plan is None:
                text = f"{counted(len(blocks), 'check blocks', 'checks block')} this switch; nothing was changed"
                raise Refused(text, findings=found)
            if not preparation.plan.steps:
                raise Refused(f"Visitors are sent to {preparation.to} already; there is nothing to change")
            wrong = unsafe(preparation.plan, self.service(preparation.service), datetime.now(UTC))
            if wrong:
                raise Refused(f"This plan must not run: {'; '.join(wrong)}. Nothing was changed")
            log.info("switching %s to %s", preparation.service, preparation.to)
            takeover = preparation.emergency and "lease" in overrides
            arguments = (preparation.service, preparation.plan, on_progress, stop, verify_timeout)
            async with self._running(*arguments, takeover=takeover) as runner:
                return await runner.start(
                    Started(
                        plan=preparation.plan,
                        findings=found,
                        emergency=preparation.emergency,
                        who=this_person(),
                        why=why,
                        noticed=noticed(preparation.situation),
                        decided=preparation.at,
                    )
                )

    async def _again(self, preparation: Preparation) -> Preparation:
        fresh = await self.prepare(preparation.service, preparation.to, preparation.emergency)
        # The lock is this run's own by now.
        found = tuple(f for f in fresh.findings if f.check != "lock")
        before = preparation.plan.changes if preparation.plan else ()
        if fresh.plan is None or fresh.plan.changes != before:
            raise Refused("The records are not what this plan was made from; nothing was changed", "Look again.")
        return replace(fresh, findings=found)

    async def undo(
        self,
        run_id: str,
        *,
        on_progress: Callable[[Run], None] = _ignore,
        stop: asyncio.Event | None = None,
        verify_timeout: float = VERIFY_TIMEOUT,
        anyway: bool = False,
    ) -> Run:
        """Puts every record set of a run back as it was, and gives the run with outcome `undone`.

        Refused where somebody else changed one since, unless a person says `anyway`.
        """
        async with self._to_go_on(run_id, "undo") as run:
            arguments = (run.service, run.forward, on_progress, stop, verify_timeout)
            # No lease where nothing is to be undone: an account that was never changed need not even answer.
            reader = self._runner(self.service(run.service), await self._providers(run.forward))
            leased = await reader.undo_plan(run, anyway)
            async with self._running(*arguments, run=run_id, leased=leased) as runner:
                return await runner.undo(run, anyway)

    async def undo_plan(self, run_id: str, anyway: bool = False) -> Plan:
        """What `undo` would do now. Reads only."""
        run = await self.run(run_id)
        self._refuse_unless_next(run, "undo")
        runner = self._runner(self.service(run.service), await self._providers(run.forward))
        return await runner.undo_plan(run, anyway)

    async def resume(
        self,
        run_id: str,
        *,
        on_progress: Callable[[Run], None] = _ignore,
        stop: asyncio.Event | None = None,
        verify_timeout: float = VERIFY_TIMEOUT,
    ) -> Run:
        """Goes on with an unfinished run, after reading what stands."""
        async with self._to_go_on(run_id, "resume") as run:
            arguments = (run.service, run.plan, on_progress, stop, verify_timeout)
            async with self._running(*arguments, run=run_id) as runner:
                return await runner.resume(run)

    async def accept(self, run_id: str, reason: str) -> Run:
        """Ends an unfinished run as it stands."""
        if not reason.strip():
            raise UsageError("A reason is needed to accept a run as it stands", "Give it with --reason.")
        async with self._to_go_on(run_id, "accept") as run:
            await self.journal.append(run.run, Accepted(reason=reason.strip()))
        return await self._told(run_id)

    async def commit(self, run_id: str) -> Run:
        """Ends the undo window of a completed run."""
        async with self._to_go_on(run_id, "commit") as run:
            await self.journal.append(run.run, Committed(who=this_person()))
        if run.forward.kind is Kind.SWITCH and prepared_by(await self.runs(), run.service) is not None:
            await self._restore_later(run.service)
        return await self._told(run_id)

    async def _restore_later(self, service: str) -> None:
        """TTLs that were lowered for a switch go back once it is settled. The commit stands whatever comes of it."""
        try:
            await self.restore_ttl(service)
        except ChangeoverError as error:
            log.warning("the TTLs of %s are not restored: %s", service, error.text)

    async def shorten_ttl(self, name: str, ttl: int | None = None, *, verify_timeout: float = VERIFY_TIMEOUT) -> Run:
        """Lowers the TTL of the service's records, so that a later switch is seen soon. Refused where it is low."""
        service = self.service(name)
        situation = await self._observer.look(service)
        publish = await self._publish(service)
        plan = prepare_plan(service, situation.active, situation.readings, ttl or service.ttl, situation.at, publish)
        return await self._carry_out(plan, situation, verify_timeout)

    async def restore_ttl(self, name: str, *, verify_timeout: float = VERIFY_TIMEOUT) -> Run:
        """Gives the service's records back the TTLs that they had before these were lowered."""
        service = self.service(name)
        prepared = prepared_by(await self.runs(), name)
        if prepared is None:
            raise Refused(f"The TTLs of {name} were not lowered, or are restored already; nothing was changed")
        situation = await self._observer.look(service)
        publish = await self._publish(service)
        plan = restore_plan(service, situation.active, situation.readings, prepared, situation.at, publish)
        return await self._carry_out(plan, situation, verify_timeout)

    async def _publish(self, service: Service) -> Publish:
        """What the accounts of the service make of an address set. Those that cannot be opened make nothing of it."""
        opened = await self._accounts.open_each(self.settings, {entry.account for entry in service.dns})

        def publish(account: str, zone: str, before: AddressSet, after: AddressSet) -> AddressSet:
            provider = opened[account]
            return after if isinstance(provider, ChangeoverError) else provider.publishes(zone, before, after)

        return publish

    async def fast_from(self, name: str) -> datetime | None:
        """From when on a switch of the service is as fast as its lowered TTLs; None where none were lowered."""
        return fast_from(await self.runs(), name)

    async def _carry_out(self, plan: Plan, situation: Situation, verify_timeout: float) -> Run:
        """Runs a plan that moves nobody."""
        errors = [r for r in situation.readings if r.error is not None]
        if errors:
            raise Refused(f"The records of {errors[0].zone} cannot be read: {errors[0].error}", errors[0].hint)
        if not plan.steps:
            raise Refused("The TTLs are as they should be; nothing was changed")
        with service_lock(self.home.lock_file(plan.service), plan.service):
            await self._refuse_unfinished(plan.service)
            async with self._running(plan.service, plan, _ignore, None, verify_timeout) as runner:
                return await runner.start(Started(plan=plan, who=this_person(), decided=situation.at))

    async def pause(self, run_id: str) -> Run:
        """Stops a running run before its next step, whichever process it is in."""
        run = await self.run(run_id)
        if run.outcome is not Outcome.RUNNING:
            raise Refused(f"Run {run_id} is {run.outcome}: there is nothing to pause")
        await self.journal.append(run_id, Paused(who=this_person()))
        return await self._told(run_id)

    async def escalate(self, run_id: str, why: str) -> Run:
        """Makes an unfinished planned run an emergency: its steps that need the source are left out from here on."""
        run = await self.run(run_id)
        if not run.unfinished or run.emergency or run.direction is Direction.UNDO:
            raise Refused(f"Run {run_id} is {run.outcome}: only an unfinished planned run can become an emergency")
        await self.journal.append(run_id, Escalated(who=this_person(), why=why))
        return await self._told(run_id)

    async def _told(self, run_id: str) -> Run:
        run = await self.run(run_id)
        self._live.change(run.service, run=run)
        return run

    @asynccontextmanager
    async def _to_go_on(self, run_id: str, verb: str) -> AsyncIterator[Run]:
        """The run, with its service locked, if `verb` is among what can be done with it."""
        service = (await self.run(run_id)).service
        with service_lock(self.home.lock_file(service), service):
            run = fold(await self.journal.entries(run_id))
            self._refuse_unless_next(run, verb)
            if not run.unfinished:
                await self._refuse_unfinished(service)
            yield run

    @staticmethod
    def _refuse_unless_next(run: Run, verb: str) -> None:
        if verb not in run.next:
            can = ", ".join(run.next) or "nothing more"
            raise Refused(f"Run {run.run} is {run.outcome}: it takes no {verb}", f"What can be done with it: {can}")

    async def _refuse_frozen(self, service: str) -> None:
        """A freeze may have been set since the plan was looked at."""
        now = datetime.now(UTC)
        frozen = freezes_of(service, await self.freezes.all(), now)
        if frozen:
            raise Refused(f"{freeze_left(frozen[0], now)}. Nothing was changed", "Unfreeze it, or wait for its end.")

    async def _refuse_unfinished(self, service: str) -> None:
        entries = [fold(e) for e in await self.journal.all_runs() if e[0].run.rpartition("-")[0] == service]
        for run in entries:
            if run.unfinished:
                raise Refused(
                    f"Run {run.run} of {service} is not finished",
                    f"Look at it with: changeover report {run.run}. Then resume, undo or accept it.",
                )

    @asynccontextmanager
    async def _running(
        self,
        service_name: str,
        plan: Plan,
        on_progress: Callable[[Run], None],
        stop: asyncio.Event | None,
        verify_timeout: float,
        *,
        run: str = "",
        leased: Plan | None = None,
        takeover: bool = False,
    ) -> AsyncIterator[Runner]:
        """What carries a plan out, with the leases of its zones held meanwhile, or of those of `leased`; `takeover`
        takes them from anybody."""
        from changeover.switchover.lease import zone_lease

        service = self.service(service_name)
        providers = await self._providers(plan)
        changes = (leased or plan).changes
        zones = sorted({(change.account, change.zone) for change in changes}) if service.lease else []
        holder = Holder(owner=this_person(), service=service.name, run=run, home=home_mark(self.home.data))
        async with zone_lease(providers, zones, holder, takeover=takeover) as leases:
            with self._live.working(service_name):
                yield self._runner(service, providers, on_progress, stop, verify_timeout, leases)

    async def _providers(self, plan: Plan) -> dict[str, Provider]:
        needed = dict.fromkeys(change.account for change in plan.changes)
        providers: dict[str, Provider] = {}
        for name, provider in (await self._accounts.open_each(self.settings, needed)).items():
            if isinstance(provider, ChangeoverError):
                raise provider
            providers[name] = provider
        return providers

    def _runner(
        self,
        service: Service,
        providers: Mapping[str, Provider],
        on_progress: Callable[[Run], None] = _ignore,
        stop: asyncio.Event | None = None,
        verify_timeout: float = VERIFY_TIMEOUT,
        leases: ZoneLeases | None = None,
    ) -> Runner:
        from changeover.switchover.runner import Runner

        def progress(run: Run) -> None:
            self._live.change(run.service, run=run)
            on_progress(run)

        return Runner(
            service,
            self.journal,
            providers,
            self.lookup,
            on_progress=progress,
            stop=stop or asyncio.Event(),
            verify_timeout=verify_timeout,
            walk=lambda d, address: journeys(service, (d,), self.lookup, self.vault, address),
            act=Deeds(service, self.lookup, self.vault, self.run).perform,
            leases=leases,
        )

    # The journal

    async def runs(self) -> tuple[Run, ...]:
        """All runs, newest first."""
        return tuple(self._folded(entries) for entries in await self.journal.all_runs())

    async def run(self, run_id: str) -> Run:
        """One run. Raises UsageError where there is none of that name."""
        return self._folded(await self.journal.entries(run_id))

    async def unfinished_run(self, service: str) -> Run | None:
        """The run that must be ended before the service takes a new one."""
        return next((r for r in await self.runs() if r.service == service and r.unfinished), None)

    def _folded(self, entries: Iterable[Entry]) -> Run:
        journal = tuple(entries)
        run = fold(journal)
        if run.outcome is Outcome.INTERRUPTED and is_locked(self.home.lock_file(run.service)):
            return fold(journal, alive=True)
        return run

    # Accounts and services

    async def accounts(self) -> tuple[AccountRow, ...]:
        """Every account, and where its secret is."""
        return await self._accounts.rows(self.settings)

    async def add_account(
        self,
        name: str,
        provider: str,
        options: Mapping[str, Any],
        secrets: Mapping[str, str],
        *,
        replace: bool = False,
        in_memory: bool = False,
    ) -> None:
        """Adds an account: its secrets to the keyring, then its table to the settings file."""
        arguments = (name, provider, options, secrets)
        self._take(await self._accounts.add(*arguments, replace=replace, in_memory=in_memory))

    async def verify_account(self, name: str) -> AccountCheck:
        """Proves what an account's credential can do."""
        return await self._accounts.verify(self.settings, name)

    async def remove_account(self, name: str) -> None:
        """Removes an account that no service uses, and its secrets."""
        self._take(await self._accounts.remove(name))

    async def add_service(self, service: Service) -> None:
        """Adds a service to the settings file. Raises SettingsError, with nothing written, where it is not right."""
        if self.settings.service(service.name) is not None:
            raise Refused(f"There is a service {service.name} already", "Choose another name.")
        await self._edit(lambda text: settings_file.add_service(text, service))

    async def add_service_secret(self, name: str, field: str, secret: str) -> None:
        """Keeps a secret that a service's journeys or actions need, in the keyring, for the one host it is sent to."""
        needed = service_secrets(self.service(name))
        if field not in needed:
            known = ", ".join(needed) or "none"
            text = f"No journey and no action of {name} needs a secret {field}"
            raise UsageError(text, f"Secrets that they name: {known}")
        await self.vault.put(vault_name(name), field, needed[field][0], Secret(secret))

    async def remove_service(self, name: str) -> None:
        """Removes a service from the settings file. Its runs stay in the journal; its records stay as they are."""
        self.service(name)
        run = await self.unfinished_run(name)
        if run is not None:
            raise Refused(f"Run {run.run} of {name} is not finished", "Resume, undo or accept it first.")
        await self._edit(lambda text: settings_file.remove_service(text, name))

    async def _edit(self, change: Callable[[str], str]) -> None:
        self._take(await asyncio.to_thread(settings_file.rewrite, self.home.settings_file, change))

    def _take(self, settings: Settings) -> None:
        self.settings = settings
        self._observer.take(settings)
        self._live.reset(settings.services)

    # Pins

    async def pin(self, service: str, deployment: str, hold: Hold, reason: str, seconds: float) -> Pin:
        """Holds a deployment healthy, unhealthy or out of use for a time. Raises UsageError for what cannot be."""
        self._check_deployment(service, deployment)
        pin = await self.pins.set(service, deployment, hold, reason, seconds)
        self._live.take_pins(await self._observer.pins())
        return pin

    async def unpin(self, service: str, deployment: str) -> bool:
        """Ends a deployment's pin. False where it had none."""
        self._check_deployment(service, deployment)
        had = await self.pins.clear(service, deployment)
        self._live.take_pins(await self._observer.pins())
        return had

    def _check_deployment(self, service: str, deployment: str) -> None:
        found = self.service(service)
        if found.deployment(deployment) is None:
            known = ", ".join(d.name for d in found.deployments)
            raise UsageError(f"Service {service} has no deployment {deployment}", f"Deployments: {known}")

    # A person's word on a step, from whichever process

    async def approve(self, run_id: str, step: str, note: str = "") -> Run:
        """Says yes to a step that asks. A step is named by its name, or by its number from 1."""
        return await self._say(run_id, step, Word.APPROVE, lambda n: Approved(step=n, who=this_person(), note=note))

    async def decline(self, run_id: str, step: str, reason: str) -> Run:
        """Says no to a step that asks: the run ends there."""
        return await self._say(run_id, step, Word.DECLINE, lambda n: Declined(step=n, who=this_person(), reason=reason))

    async def skip(self, run_id: str, step: str, reason: str) -> Run:
        """Leaves a step out that is to be done, that failed, or of which nobody knows whether it was done."""
        return await self._say(run_id, step, Word.SKIP, lambda n: Skipped(step=n, who=this_person(), reason=reason))

    async def repeat(self, run_id: str, step: str) -> Run:
        """Lets a step be done again of which nobody knows whether it was done."""
        return await self._say(run_id, step, Word.REPEAT, lambda n: Repeated(step=n, who=this_person()))

    async def _say(self, run_id: str, step: str, word: Word, event: Callable[[int], Event]) -> Run:
        """Needs no lock: the process that works on the run reads its journal. Refused where it makes no sense now."""
        run = await self.run(run_id)
        number = step_number(run, step)
        if number is None:
            raise UsageError(f"Run {run_id} has no step {step}", f"Steps: {', '.join(s.name for s in run.steps)}")
        why = why_not(run, number, word)
        if why:
            raise Refused(why, f"Look at it with: changeover report {run_id}")
        await self.journal.append(run_id, event(number))
        return await self._told(run_id)

    # Freezes, and the time after a switch

    async def freeze(self, service: str | None, reason: str, seconds: float) -> Freeze:
        """Lets nothing be switched for a time, at a service or (None) anywhere. Raises UsageError for what cannot be.

        An emergency may override it by name; undoing and resuming a run stay possible.
        """
        if service is not None:
            self.service(service)
        freeze = await self.freezes.set(service, reason, seconds, this_person())
        self._live.take_freezes(await self._observer.freezes())
        return freeze

    async def unfreeze(self, service: str | None) -> bool:
        """Ends the freeze of a service, or the one of everything. False where there was none."""
        had = await self.freezes.clear(service)
        if service is not None and not had:
            self.service(service)
        self._live.take_freezes(await self._observer.freezes())
        return had

    async def lifecycle(self, name: str) -> Lifecycle:
        """The stage of a service, from where visitors are sent now and its runs."""
        service = self.service(name)
        situation = await self._observer.read(service, service.primary.name)
        return lifecycle(service, situation.active, situation.runs, datetime.now().astimezone())

    async def protect(self, run_id: str, note: str = "", *, begin: bool = False, force_reason: str = "") -> Run:
        """Says that the service which a run left without a backup has one again; with `begin`, that one is being made.

        Some other deployment must be able to take over now. Where none is, Refused says what blocks it, unless there
        is a reason to say so all the same.
        """
        run = await self.run(run_id)
        found = await self.lifecycle(run.service)
        if found.run != run_id or found.stage not in (Stage.COMMITTED, Stage.RE_PROTECTING):
            first = found.run == run_id and found.stage is Stage.SWITCHED
            hint = f"Commit it first: changeover commit {run_id}" if first else found.text
            raise Refused(f"Run {run_id} is not one after which {run.service} is known to lack a backup", hint)
        event: Reprotecting | Reprotected = Reprotecting(who=this_person(), note=note)
        if not begin:
            event = Reprotected(who=this_person(), note=await self._proven_backup(run, note, force_reason))
        with service_lock(self.home.lock_file(run.service), run.service):
            await self._refuse_unfinished(run.service)
            await self.journal.append(run_id, event)
        return await self._told(run_id)

    async def _proven_backup(self, run: Run, note: str, force_reason: str) -> str:
        """The note that goes into the journal, if some deployment besides the one that `run` led to could take over."""
        lacking: dict[str, list[Finding]] = {}
        for deployment in self.service(run.service).deployments:
            if deployment.name != run.to:
                prepared = await self.prepare(run.service, deployment.name)
                # Whether anything should be switched just now is another question.
                asked = [f for f in prepared.blocked if f.check not in ("freeze", "lease", "source-healthy")]
                if not asked:
                    return note
                lacking[deployment.name] = asked
        said = "; ".join(f"{name}: {', '.join(f.text for f in found)}" for name, found in lacking.items())
        if force_reason.strip():
            log.warning("%s counts as protected although nothing could take over: %s", run.service, said)
            return f"{note} (by force: {force_reason.strip()}; {said})".strip()
        hint = "Mend it, or say with --force-reason why there is a backup all the same."
        blocks = [f for found in lacking.values() for f in found]
        raise Refused(f"No other deployment could take over now, so there is no backup. {said}", hint, blocks)

    async def acknowledge(self, run_id: str) -> Run:
        """Says that a person has seen what an emergency switch led to: another may be suggested again."""
        run = await self.run(run_id)
        if not run.emergency or run.unfinished:
            what = "is not finished" if run.unfinished else "was no emergency"
            raise Refused(f"Run {run_id} {what}: there is nothing to acknowledge")
        if run.acknowledged is None:
            with service_lock(self.home.lock_file(run.service), run.service):
                await self.journal.append(run_id, Acknowledged(who=this_person()))
        return await self._told(run_id)
