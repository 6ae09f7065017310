"""Preparing a switch: everything is read, and what it would do and what speaks against it are computed."""

from __future__ import annotations

import asyncio
import logging
import math
from datetime import UTC, datetime

from msgspec.structs import replace

from changeover.accounts.configuration import Configuration
from changeover.health.unforeseen import optional
from changeover.model.dns.propagation import longest_cache
from changeover.model.errors import Refused
from changeover.model.finding import Finding, Level
from changeover.model.formatting import duration
from changeover.model.health.baseline import Baseline
from changeover.model.readiness.all_checks import findings
from changeover.model.readiness.observation import Observation, failing_since
from changeover.model.readiness.service_state import Preparation
from changeover.model.readiness.way_back import WayBack, way_back
from changeover.model.runs.plan import compared_with, make_plan
from changeover.model.runs.plan_actions import with_actions
from changeover.model.runs.run import Run
from changeover.model.runs.ttl import fast_from
from changeover.model.settings.service import Service
from changeover.monitoring.live_states import LiveStates
from changeover.monitoring.observer import Observer
from changeover.storage.journal.recorded_runs import RecordedRuns
from changeover.storage.outages import ToldOutages

log = logging.getLogger(__name__)

#: Seconds that a look at where an undo leads may take: the undo itself needs none of it.
WAY_BACK_LOOK = 15.0


class Preparer:
    """Makes preparations. Reads only."""

    def __init__(
        self,
        configuration: Configuration,
        recorded: RecordedRuns,
        observer: Observer,
        live: LiveStates,
        told: ToldOutages,
    ) -> None:
        self._configuration = configuration
        self._recorded = recorded
        self._observer = observer
        self._live = live
        self._told = told

    async def prepare(
        self, name: str, to: str, emergency: bool = False, expected: str | None = None, dns_first: bool = False
    ) -> Preparation:
        """What a switch of the service to `to` would do, and what speaks against it.

        Health is what a watch has gathered, where one runs, else from a few probes now. `expected` is the deployment
        that a person believes to be active; that another one is blocks the switch. `dns_first`: its actions come after
        the records.
        """
        service = self._configuration.service(name)
        self._configuration.deployment(name, to)
        await self._observer.load(service)
        from changeover.monitoring.propagation import cache_time
        from changeover.monitoring.public_name import take_baseline

        lookup = self._observer.lookup
        seen, cached, baseline, told_before = await asyncio.gather(
            self._observation(service, to, settled=True),
            optional(f"the caches of {name}", cache_time(service, lookup), longest_cache(())),
            optional(f"the baseline of {name}", take_baseline(service, lookup), Baseline(at=datetime.now(UTC))),
            optional(f"what was told of {name}", self._told.of_service(name), []),
        )
        snapshot, now = seen.snapshot, seen.at
        readable = all(r.error is None for r in snapshot.readings)
        plan = make_plan(service, snapshot.active, to, snapshot.readings, now) if readable else None
        if plan is not None:
            fast = fast_from(await self._recorded.all(), name)
            left = math.ceil((fast - now).total_seconds()) if fast is not None else 0
            # Behind a proxy nothing that resolvers keep matters, so the chain of names does not either.
            chain = cached.seconds if plan.visitors_follow_within else 0
            longest = max(plan.visitors_follow_within, left, chain)
            plan = compared_with(with_actions(plan, service, emergency, dns_first), baseline)
            plan = replace(plan, visitors_follow_within=longest)
        began, told = failing_since(seen, snapshot.active, told_before)
        return Preparation(
            service=name,
            to=to,
            emergency=emergency,
            dns_first=dns_first,
            plan=plan,
            findings=findings(seen, to, emergency, expected),
            snapshot=snapshot,
            at=now,
            noticed=began,
            told=told,
        )

    async def way_back(self, run: Run) -> WayBack:
        """What is known of the deployment that an undo of `run` leads to. An undo does not wait for it for long."""
        service = self._configuration.service(run.service)
        if not run.forward.kind.moves_visitors or service.deployment(run.source) is None:
            return WayBack(to=run.source)
        try:
            async with asyncio.timeout(WAY_BACK_LOOK):
                return way_back(await self._observation(service, run.source), run.source)
        except TimeoutError:
            why = f"it took longer than {duration(WAY_BACK_LOOK)}"
        except Exception:
            log.exception("looking at where the undo of %s leads", run.run)
            why = "Changeover failed to read this; the log says more"
        text = f"whether {run.source} answers was not found out: {why}"
        return WayBack(to=run.source, findings=(Finding(check="target-answers", level=Level.BLOCK, text=text),))

    async def _observation(self, service: Service, to: str, *, settled: bool = False) -> Observation:
        if self._live.knows(service.name):
            return self._live.observe(await self._observer.read(service, to, settled=settled))
        return await self._observer.look(service, to, settled=settled)

    async def again(self, preparation: Preparation) -> Preparation:
        """A fresh one for who holds the service's lock. Raises Refused where the plan would be another by now."""
        fresh = await self.prepare(
            preparation.service, preparation.to, preparation.emergency, dns_first=preparation.dns_first
        )
        # The lock is this run's own by now.
        found = tuple(f for f in fresh.findings if f.check != "lock")
        before = preparation.plan.changes if preparation.plan else ()
        if fresh.plan is None or fresh.plan.changes != before:
            raise Refused("The records are not what this plan was made from; nothing was changed", "Look again.")
        return replace(fresh, findings=found)
