"""TTLs, lowered before a switch so that it is seen soon, and given back once it is settled."""

from __future__ import annotations

import logging

from changeover.accounts.configuration import Configuration
from changeover.model.dns.records import AddressSet
from changeover.model.errors import ChangeoverError, Refused
from changeover.model.runs.plan import PlanKind
from changeover.model.runs.run import Run
from changeover.model.runs.ttl import Publish, prepare_plan, prepared_by, restore_plan
from changeover.model.settings.service import Service
from changeover.monitoring.observer import Observer
from changeover.storage.journal.recorded_runs import RecordedRuns
from changeover.switchover.runs import VERIFY_TIMEOUT, Runs

log = logging.getLogger(__name__)


class Ttls:
    """Lowers and restores a service's TTLs, each by a run that moves nobody."""

    def __init__(self, configuration: Configuration, recorded: RecordedRuns, observer: Observer, runs: Runs) -> None:
        self._configuration = configuration
        self._recorded = recorded
        self._observer = observer
        self._runs = runs

    async def shorten(
        self, name: str, ttl: int | None = None, *, who: str, verify_timeout: float = VERIFY_TIMEOUT
    ) -> Run:
        """Lowers the TTL of the service's records, so that a later switch is seen soon. Refused where it is low."""
        service = self._configuration.service(name)
        snapshot = await self._observer.read(service)
        publish = await self._publish(service)
        plan = prepare_plan(service, snapshot.active, snapshot.readings, ttl or service.ttl, snapshot.at, publish)
        return await self._runs.carry_out(plan, snapshot, who, verify_timeout)

    async def restore(self, name: str, *, who: str, verify_timeout: float = VERIFY_TIMEOUT) -> Run:
        """Gives the service's records back the TTLs that they had before these were lowered."""
        service = self._configuration.service(name)
        prepared = prepared_by(await self._recorded.all(), name)
        if prepared is None:
            raise Refused(f"The TTLs of {name} were not lowered, or are restored already; nothing was changed")
        snapshot = await self._observer.read(service)
        publish = await self._publish(service)
        plan = restore_plan(service, snapshot.active, snapshot.readings, prepared, snapshot.at, publish)
        return await self._runs.carry_out(plan, snapshot, who, verify_timeout)

    async def restore_after(self, run: Run, who: str) -> None:
        """TTLs that were lowered for a switch go back once it is settled. The commit stands whatever comes of it."""
        if run.forward.kind is not PlanKind.SWITCH or prepared_by(await self._recorded.all(), run.service) is None:
            return
        try:
            await self.restore(run.service, who=who)
        except ChangeoverError as error:
            log.warning("the TTLs of %s are not restored: %s", run.service, error.text)

    async def _publish(self, service: Service) -> Publish:
        """What the accounts of the service make of an address set. Those that cannot be opened make nothing of it."""
        opened = await self._configuration.open_each({entry.account for entry in service.dns})

        def publish(account: str, zone: str, before: AddressSet, after: AddressSet) -> AddressSet:
            provider = opened[account]
            return after if isinstance(provider, ChangeoverError) else provider.normalize(zone, before, after)

        return publish
