"""TTLs, lowered before a switch so that it is seen soon, and given back once it is settled."""

from __future__ import annotations

import logging
from typing import NamedTuple

from changeover.accounts.configuration import Configuration
from changeover.model.dns.records import AddressSet
from changeover.model.errors import ChangeoverError, Refused
from changeover.model.readiness.snapshot import Snapshot
from changeover.model.runs.plan import Plan, PlanKind
from changeover.model.runs.run import Run
from changeover.model.runs.ttl import Publish, prepare_plan, prepared_by, restore_plan
from changeover.model.settings.service import Service
from changeover.monitoring.observer import Observer
from changeover.storage.journal.recorded_runs import RecordedRuns
from changeover.switchover.runs import VERIFY_TIMEOUT, Runs

log = logging.getLogger(__name__)


class TtlPreparation(NamedTuple):
    """What a person looks at before TTLs are changed, and what it was made from."""

    plan: Plan
    snapshot: Snapshot


class Ttls:
    """Lowers and restores a service's TTLs, each by a run that moves nobody."""

    def __init__(self, configuration: Configuration, recorded: RecordedRuns, observer: Observer, runs: Runs) -> None:
        self._configuration = configuration
        self._recorded = recorded
        self._observer = observer
        self._runs = runs

    async def prepare_shorten(self, name: str, ttl: int | None = None) -> TtlPreparation:
        """What lowering the TTLs would change, so that a later switch is seen soon.

        Raises Refused where visitors are not at one deployment: what is lowered then would be kept as it is, split.
        """
        service = self._configuration.service(name)
        snapshot = await self._observer.read(service, settled=True)
        if service.deployment(snapshot.active) is None and all(r.error is None for r in snapshot.readings):
            raise Refused(
                f"Visitors of {name} are not at one deployment ({snapshot.active}); nothing was changed",
                "Send them to one first, or end the run that is under way.",
            )
        publish = await self._publish(service)
        plan = prepare_plan(service, snapshot.active, snapshot.readings, ttl or service.ttl, snapshot.at, publish)
        return TtlPreparation(plan, snapshot)

    async def prepare_restore(self, name: str) -> TtlPreparation:
        """What giving the TTLs back that were lowered would change. Raises Refused where none were."""
        service = self._configuration.service(name)
        prepared = prepared_by(await self._recorded.all(), name)
        if prepared is None:
            raise Refused(f"The TTLs of {name} were not lowered, or are restored already; nothing was changed")
        snapshot = await self._observer.read(service, settled=True)
        publish = await self._publish(service)
        plan = restore_plan(service, snapshot.active, snapshot.readings, prepared, snapshot.at, publish)
        return TtlPreparation(plan, snapshot)

    async def carry_out(self, prepared: TtlPreparation, *, who: str, verify_timeout: float = VERIFY_TIMEOUT) -> Run:
        """Changes what was shown, and nothing where that stands no longer. Refused where the TTLs are so already."""
        return await self._runs.carry_out(prepared.plan, prepared.snapshot, who, verify_timeout)

    async def restored_by(self, run: Run) -> TtlPreparation | None:
        """The TTLs that committing `run` gives back, since they were lowered for it; None where it gives none back."""
        if run.forward.kind is not PlanKind.SWITCH or prepared_by(await self._recorded.all(), run.service) is None:
            return None
        prepared = await self.prepare_restore(run.service)
        return prepared if prepared.plan.steps else None

    async def restore_after(self, run: Run, who: str) -> None:
        """TTLs that were lowered for a switch go back once it is settled. The commit stands whatever comes of it."""
        try:
            prepared = await self.restored_by(run)
            if prepared is not None:
                await self.carry_out(prepared, who=who)
        except ChangeoverError as error:
            log.warning("the TTLs of %s are not restored: %s", run.service, error.text)

    async def _publish(self, service: Service) -> Publish:
        """What the accounts of the service make of an address set. Those that cannot be opened make nothing of it."""
        opened = await self._configuration.open_each({entry.account for entry in service.dns})

        def publish(account: str, zone: str, before: AddressSet, after: AddressSet) -> AddressSet:
            provider = opened[account]
            return after if isinstance(provider, ChangeoverError) else provider.normalize(zone, before, after)

        return publish
