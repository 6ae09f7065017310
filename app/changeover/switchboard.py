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
from changeover.model.finding import Level, overridden, unknown_override
from changeover.model.health import Round
from changeover.model.maintenance import Maintenance
from changeover.model.pin import Hold, Pin
from changeover.model.placeholders import secrets_of
from changeover.model.plan import Kind, Plan, make_plan
from changeover.model.readiness import findings
from changeover.model.records import RecordSet
from changeover.model.run import (
    Accepted,
    Committed,
    Direction,
    Entry,
    Escalated,
    Outcome,
    Paused,
    Run,
    Started,
    fold,
)
from changeover.model.secret import Secret
from changeover.model.service import Service, Settings
from changeover.model.situation import Situation, noticed
from changeover.model.state import AccountCheck, AccountRow, Preparation, ServiceState, assessed
from changeover.model.ttl import fast_from, prepare_plan, prepared_by, restore_plan
from changeover.model.unsafe import FRESH, unsafe
from changeover.model.words import counted
from changeover.storage import settings as settings_file
from changeover.storage.accounts import Accounts
from changeover.storage.history import History
from changeover.storage.home import Home, this_person
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
        self._observer = Observer(home, self.settings, self._accounts, self.vault, self.pins, self._newest_run)
        self._live = LiveStates(self._observer.senses, self._observer, HistoryRecorder(self.history))
        self._live.reset(self.settings.services)

    async def aclose(self) -> None:
        """Closes connections, the history and the journal."""
        await self._accounts.aclose()
        await self.history.aclose()
        self.pins.close()
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
        return next((r for r in await self.runs() if r.service == service), None)

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
        if self._live.seen(service) is None:
            situation = await self._observer.look(service, to)
        else:
            situation = await self._observer.read(service, to)
            situation = replace(situation, **(self._live.seen(service) or {}))
        readable = all(r.error is None for r in situation.readings)
        plan = make_plan(service, situation.active, to, situation.readings, situation.at) if readable else None
        if plan is not None:
            plan = with_actions(plan, service, emergency)
            cached = await self.fast_from(name)
            left = math.ceil((cached - situation.at).total_seconds()) if cached is not None else 0
            plan = replace(plan, visitors_follow_within=max(plan.visitors_follow_within, left))
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
            if blocks or preparation.plan is None:
                text = f"{counted(len(blocks), 'check blocks', 'checks block')} this switch; nothing was changed"
                raise Refused(text, findings=found)
            if not preparation.plan.steps:
                raise Refused(f"Visitors are sent to {preparation.to} already; there is nothing to change")
            wrong = unsafe(preparation.plan, self.service(preparation.service), datetime.now(UTC))
            if wrong:
                raise Refused(f"This plan must not run: {'; '.join(wrong)}. Nothing was changed")
            runner = await self._runner(
                preparation.service, preparation.plan, on_progress, stop or asyncio.Event(), verify_timeout
            )
            log.info("switching %s to %s", preparation.service, preparation.to)
            with self._live.working(preparation.service):
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
            runner = await self._runner(run.service, run.forward, on_progress, stop or asyncio.Event(), verify_timeout)
            with self._live.working(run.service):
                return await runner.undo(run, anyway)

    async def undo_plan(self, run_id: str, anyway: bool = False) -> Plan:
        """What `undo` would do now. Reads only."""
        run = await self.run(run_id)
        self._refuse_unless_next(run, "undo")
        runner = await self._runner(run.service, run.forward, _ignore, asyncio.Event(), VERIFY_TIMEOUT)
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
            runner = await self._runner(run.service, run.plan, on_progress, stop or asyncio.Event(), verify_timeout)
            with self._live.working(run.service):
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
        plan = prepare_plan(service, situation.active, situation.readings, ttl or service.ttl, situation.at)
        return await self._carry_out(plan, situation, verify_timeout)

    async def restore_ttl(self, name: str, *, verify_timeout: float = VERIFY_TIMEOUT) -> Run:
        """Gives the service's records back the TTLs that they had before these were lowered."""
        service = self.service(name)
        prepared = prepared_by(await self.runs(), name)
        if prepared is None:
            raise Refused(f"The TTLs of {name} were not lowered, or are restored already; nothing was changed")
        situation = await self._observer.look(service)
        plan = restore_plan(service, situation.active, situation.readings, prepared, situation.at)
        return await self._carry_out(plan, situation, verify_timeout)

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
            runner = await self._runner(plan.service, plan, _ignore, asyncio.Event(), verify_timeout)
            with self._live.working(plan.service):
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

    async def _refuse_unfinished(self, service: str) -> None:
        entries = [fold(e) for e in await self.journal.all_runs() if e[0].run.rpartition("-")[0] == service]
        for run in entries:
            if run.unfinished:
                raise Refused(
                    f"Run {run.run} of {service} is not finished",
                    f"Look at it with: changeover report {run.run}. Then resume, undo or accept it.",
                )

    async def _runner(
        self,
        service_name: str,
        plan: Plan,
        on_progress: Callable[[Run], None],
        stop: asyncio.Event,
        verify_timeout: float,
    ) -> Runner:
        from changeover.switchover.runner import Runner

        service = self.service(service_name)

        def progress(run: Run) -> None:
            self._live.change(run.service, run=run)
            on_progress(run)

        needed = dict.fromkeys(change.account for change in plan.changes)
        providers: dict[str, Provider] = {}
        for name, provider in (await self._accounts.open_each(self.settings, needed)).items():
            if isinstance(provider, ChangeoverError):
                raise provider
            providers[name] = provider
        return Runner(
            service,
            self.journal,
            providers,
            self.lookup,
            on_progress=progress,
            stop=stop,
            verify_timeout=verify_timeout,
            walk=lambda d, address: journeys(service, (d,), self.lookup, self.vault, address),
            act=Deeds(service).perform,
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
        """Keeps a secret that a service's journeys need, in the keyring, for its first hostname alone."""
        service = self.service(name)
        needed = secrets_of(step for journey in service.health.journeys for step in journey.steps)
        if field not in needed:
            known = ", ".join(needed) or "none"
            raise UsageError(f"No journey of {name} needs a secret {field}", f"Secrets that its journeys name: {known}")
        await self.vault.put(vault_name(name), field, service.hostnames[0], Secret(secret))

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
