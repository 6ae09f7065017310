"""Runs, each begun, resumed or undone under the lock of its service and the leases of its zones."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from changeover.accounts.asked_operation import checked_options, known_operation
from changeover.accounts.configuration import Configuration
from changeover.accounts.trust import not_approved
from changeover.model.dns.lease import Holder
from changeover.model.errors import ChangeoverError, Refused, UsageError
from changeover.model.finding import Level, overridden, unknown_override
from changeover.model.formatting import counted
from changeover.model.readiness.freeze import freeze_left, freezes_of
from changeover.model.readiness.service_state import Preparation
from changeover.model.readiness.snapshot import Snapshot
from changeover.model.runs.fencing import StillToDo, fence_plan, fenced, still_to_do, why_not_fenced
from changeover.model.runs.operation_plan import operation_plan
from changeover.model.runs.plan import ActionStep, Plan, PlanKind
from changeover.model.runs.plan_actions import leaving_out
from changeover.model.runs.plan_guard import FRESH, unsafe
from changeover.model.runs.run import Direction, Run, Started, StepState
from changeover.model.runs.verification import Verdict
from changeover.model.settings.acting_parts import Unapproved, deciding
from changeover.model.settings.service import Service
from changeover.monitoring.journeys import journeys
from changeover.monitoring.live_states import LiveStates
from changeover.monitoring.observer import Observer
from changeover.storage.home import Home, installation_name
from changeover.storage.journal.recorded_runs import RecordedRuns, refuse_unless_next
from changeover.storage.journal.store import JournalStore
from changeover.switchover.actions.perform import ActionExecutor
from changeover.switchover.preparer import Preparer

if TYPE_CHECKING:
    from changeover.dns.provider import Provider
    from changeover.switchover.lease import ZoneLeases
    from changeover.switchover.runner import Runner

log = logging.getLogger(__name__)

#: Seconds within which the name servers must give what was written.
VERIFY_TIMEOUT = 60.0

Progress = Callable[[Run], None]


def ignore_progress(_: Run) -> None:
    """For who does not follow a run."""


class Runs:
    """Carries plans out. Live states follow each run, and `on_progress` gets it after every entry of its journal.

    `who` wants it, as others know them: "alice@laptop". `stop`, once set, lets the step in hand finish and leaves the
    run interrupted.
    """

    def __init__(
        self,
        home: Home,
        configuration: Configuration,
        journal: JournalStore,
        recorded: RecordedRuns,
        observer: Observer,
        live: LiveStates,
        preparer: Preparer,
    ) -> None:
        self._home = home
        self._configuration = configuration
        self._journal = journal
        self._recorded = recorded
        self._observer = observer
        self._live = live
        self._preparer = preparer

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

        `why` is a person's reason, for the report.
        """
        overrides = overrides or {}
        unknown = unknown_override(overrides)
        if unknown is not None:
            raise UsageError(f"There is no check {unknown}", "The checks' names stand before each finding.")
        async with self._recorded.locked(preparation.service):
            if datetime.now(UTC) - preparation.at > FRESH:
                preparation = await self._preparer.again(preparation)
            found = overridden(preparation.findings, overrides)
            blocks = [f for f in found if f.level is Level.BLOCK]
            await self._recorded.refuse_unfinished(preparation.service)
            if not (preparation.emergency and "freeze" in overrides):
                await self._refuse_frozen(preparation.service)
            if blocks or preparation.plan is None:
                text = f"{counted(len(blocks), 'check blocks', 'checks block')} this switch; nothing was changed"
                raise Refused(text, findings=found)
            if not preparation.plan.steps:
                raise Refused(f"Visitors are sent to {preparation.to} already; there is nothing to change")
            service = self._configuration.service(preparation.service)
            wrong = unsafe(preparation.plan, service, datetime.now(UTC))
            if wrong:
                raise Refused(f"This plan must not run: {'; '.join(wrong)}. Nothing was changed")
            plan = await self._as_trusted(
                preparation.plan, service, overrides.get("trust") if preparation.emergency else None
            )
            log.info("switching %s to %s", preparation.service, preparation.to)
            takeover = preparation.emergency and "lease" in overrides
            arguments = (preparation.service, plan, on_progress, stop, verify_timeout)
            async with self._running(*arguments, takeover=takeover) as runner:
                return await runner.start(
                    Started(
                        plan=plan,
                        findings=found,
                        emergency=preparation.emergency,
                        who=who,
                        why=why,
                        noticed=preparation.noticed,
                        told=preparation.told,
                        objective=service.recovery_objective,
                        decided=preparation.at,
                    )
                )

    async def _as_trusted(self, plan: Plan, service: Service, left_out: str | None) -> Plan:
        """The plan, whose actions are approved. Where an emergency says why, those that are not are left out.

        From here on a run does what its journal has, whatever becomes of the settings. Raises NotApproved.
        """
        closed: dict[str, tuple[Unapproved, ...]] = {}
        for step in plan.steps:
            if isinstance(step, ActionStep) and not step.skip:
                found = await self._configuration.trust.unapproved(deciding(service, step.action))
                closed |= {step.name: found} if found else {}
        if closed and left_out is None:
            raise not_approved([one for found in closed.values() for one in found])
        return leaving_out(plan, closed, f"left out: it is not approved on this computer. {left_out}")

    async def _refuse_frozen(self, service: str) -> None:
        """A freeze may have been set since the plan was looked at."""
        now = datetime.now(UTC)
        frozen = freezes_of(service, await self._observer.freezes(), now)
        if frozen:
            raise Refused(f"{freeze_left(frozen[0], now)}. Nothing was changed", "Unfreeze it, or wait for its end.")

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
        async with self._recorded.to_go_on(run_id, "undo") as recorded:
            run = await self._with_fences(recorded)
            arguments = (run.service, run.forward, on_progress, stop, verify_timeout)
            # No lease where nothing is to be undone: an account that was never changed need not even answer.
            leased = await self._undo_plan(run, anyway)
            async with self._running(*arguments, run=run_id, leased=leased) as runner:
                return await runner.undo(run, who=who, anyway=anyway, shown=shown)

    async def undo_plan(self, run_id: str, anyway: bool = False) -> Plan:
        """What `undo` would do now. Reads only."""
        run = await self._recorded.one(run_id)
        refuse_unless_next(run, "undo")
        return await self._undo_plan(await self._with_fences(run), anyway)

    async def _with_fences(self, run: Run) -> Run:
        """The run with what was done since of what it left out: visitors must not come back to a side that rests."""
        return fenced(run, await self._recorded.later(run))

    async def _undo_plan(self, run: Run, anyway: bool) -> Plan:
        service = self._configuration.service(run.service)
        runner = self._runner(service, await self._providers(run.forward))
        return await runner.undo_plan(run, anyway)

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
        async with self._recorded.to_go_on(run_id, "resume") as run:
            arguments = (run.service, run.plan, on_progress, stop, verify_timeout)
            async with self._running(*arguments, run=run_id) as runner:
                return await runner.resume(run, who=who)

    async def still_to_do(self, service: str) -> StillToDo | None:
        """What an emergency left out and nobody has done since."""
        return still_to_do(await self._recorded.of(service))

    async def fence(
        self,
        plan: Plan,
        *,
        who: str,
        on_progress: Progress = ignore_progress,
        stop: asyncio.Event | None = None,
        why: str = "",
    ) -> Run:
        """Does what an emergency left out, as it was planned. Raises Refused where visitors may be there."""
        service = self._configuration.service(plan.service)
        async with self._recorded.locked(plan.service):
            await self._recorded.refuse_unfinished(plan.service)
            left = await self.still_to_do(plan.service)
            if left is None or fence_plan(left, plan.made_at) != plan:
                raise Refused("What is still to be done is not what it was; nothing was done", "Look again.")
            if wrong := await self._why_not_fenced(service, left):
                raise Refused(f"{wrong}. Nothing was done", "Wait until visitors are elsewhere.")
            plan = await self._as_trusted(plan, service, None)
            log.info("doing what was left out at %s of %s", plan.source, plan.service)
            async with self._running(plan.service, plan, on_progress, stop, VERIFY_TIMEOUT) as runner:
                return await runner.start(Started(plan=plan, who=who, why=why, decided=plan.made_at))

    async def _why_not_fenced(self, service: Service, left: StillToDo) -> str:
        """What keeps its sides from being fenced now, as records and a visit say; empty where nothing does."""
        active, visit = await asyncio.gather(self._observer.active(service), self._observer.visit(service))
        return why_not_fenced(service, left, active, visit.deployment)

    async def carry_out(self, plan: Plan, snapshot: Snapshot, who: str, verify_timeout: float) -> Run:
        """Runs a plan that moves nobody: one for TTLs, made from what was read."""
        errors = [r for r in snapshot.readings if r.error is not None]
        if errors:
            raise Refused(f"The records of {errors[0].zone} cannot be read: {errors[0].error}", errors[0].hint)
        if not plan.steps:
            raise Refused("The TTLs are as they should be; nothing was changed")
        async with self._recorded.locked(plan.service):
            await self._recorded.refuse_unfinished(plan.service)
            async with self._running(plan.service, plan, ignore_progress, None, verify_timeout) as runner:
                return await runner.start(Started(plan=plan, who=who, decided=snapshot.at))

    def operation_plan(self, service: str, deployment: str, verb: str, options: Mapping[str, Any]) -> Plan:
        """What asking the platform of a deployment for one operation would do. Raises UsageError for what cannot be."""
        at = self._configuration.deployment(service, deployment)
        operation = known_operation(at, verb)
        return operation_plan(
            service, deployment, operation, checked_options(at, operation, options), datetime.now(UTC)
        )

    async def operate(
        self,
        plan: Plan,
        *,
        who: str,
        on_progress: Progress = ignore_progress,
        stop: asyncio.Event | None = None,
        why: str = "",
    ) -> Run:
        """Asks the platform of a deployment for one operation, as it was planned. `stop` calls it off before that."""
        service = self._configuration.service(plan.service)
        async with self._recorded.locked(plan.service):
            await self._recorded.refuse_unfinished(plan.service)
            for step in plan.steps:
                if isinstance(step, ActionStep):
                    await self._configuration.trust.ask(service, step.action)
            log.info("asking for %s at %s of %s", plan.steps[0].name, plan.to, plan.service)
            async with self._running(plan.service, plan, on_progress, stop, VERIFY_TIMEOUT) as runner:
                return await runner.start(Started(plan=plan, who=who, why=why, decided=plan.made_at))

    @asynccontextmanager
    async def _running(
        self,
        service_name: str,
        plan: Plan,
        on_progress: Progress,
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

        service = self._configuration.service(service_name)
        providers = await self._providers(plan)
        changes = (leased or plan).changes
        zones = sorted({(change.account, change.zone) for change in changes}) if service.lease else []
        # A lease is this installation's, whoever acts: what a run that died has left is taken up by the next person.
        holder = Holder(owner=installation_name(self._home), service=service.name, run=run)
        people = {one.run: one.who for one in await self._recorded.all()} if zones else {}
        async with zone_lease(providers, zones, holder, takeover=takeover, people=people) as leases:
            with self._live.working(service_name):
                yield self._runner(service, providers, on_progress, stop, verify_timeout, leases)

    async def _providers(self, plan: Plan) -> dict[str, Provider]:
        needed = dict.fromkeys(change.account for change in plan.changes)
        providers: dict[str, Provider] = {}
        for name, provider in (await self._configuration.open_each(needed)).items():
            if isinstance(provider, ChangeoverError):
                raise provider
            providers[name] = provider
        return providers

    def _runner(
        self,
        service: Service,
        providers: Mapping[str, Provider],
        on_progress: Progress = ignore_progress,
        stop: asyncio.Event | None = None,
        verify_timeout: float = VERIFY_TIMEOUT,
        leases: ZoneLeases | None = None,
    ) -> Runner:
        from changeover.switchover.runner import Runner

        trust, open_platform = self._configuration.trust, self._configuration.open_platform
        actions = ActionExecutor(service, self._observer.lookup, trust, open_platform, self._recorded.one)

        async def act(step: ActionStep, run: Run, stop: asyncio.Event) -> Verdict:
            if run.forward.kind is PlanKind.FENCE and run.direction is Direction.FORWARD:
                wrong = await self._why_not_fenced(service, StillToDo(run=run, steps=(step,)))
                if wrong:
                    return Verdict(StepState.FAILED, f"{wrong}. Nothing was done")
            return await actions.perform(step, run, stop)

        def progress(run: Run) -> None:
            self._live.take_run(run)
            on_progress(run)

        return Runner(
            service,
            self._journal,
            providers,
            self._observer.lookup,
            on_progress=progress,
            stop=stop or asyncio.Event(),
            verify_timeout=verify_timeout,
            walk=lambda d, address: journeys(service, (d,), self._observer.lookup, trust, address),
            act=act,
            before=actions.before,
            leases=leases,
        )
