"""Whether a service has a backup: the stage that it is in, and a person's word that it has one again."""

from __future__ import annotations

import logging
from datetime import datetime

from changeover.accounts.configuration import Configuration
from changeover.model.errors import Refused
from changeover.model.finding import Finding
from changeover.model.readiness.lifecycle import Lifecycle, Stage, lifecycle
from changeover.model.readiness.service_state import assess, unread
from changeover.model.runs.run import Reprotected, Reprotecting, Run
from changeover.model.wording.service_status import lacking
from changeover.monitoring.live_states import LiveStates
from changeover.monitoring.observer import Observer
from changeover.storage.journal.recorded_runs import RecordedRuns
from changeover.storage.journal.store import JournalStore
from changeover.switchover.decisions import OperatorDecisions
from changeover.switchover.preparer import Preparer

log = logging.getLogger(__name__)


class Protection:
    """The protection of services."""

    def __init__(
        self,
        configuration: Configuration,
        journal: JournalStore,
        recorded: RecordedRuns,
        observer: Observer,
        live: LiveStates,
        preparer: Preparer,
        said: OperatorDecisions,
    ) -> None:
        self._configuration = configuration
        self._journal = journal
        self._recorded = recorded
        self._observer = observer
        self._live = live
        self._preparer = preparer
        self._said = said

    async def lifecycle(self, name: str) -> Lifecycle:
        """The stage of a service, from where visitors are sent now, its runs, and whether a backup could take over."""
        service = self._configuration.service(name)
        if self._live.knows(name):
            seen = self._live.observe(await self._observer.read(service))
        else:
            seen = await self._observer.look(service)
        state = assess(seen, unread(service, seen.at))
        return lifecycle(service, state.active, state.runs, datetime.now().astimezone(), lacking(state))

    async def protect(
        self, run_id: str, note: str = "", *, who: str, begin: bool = False, force_reason: str = ""
    ) -> Run:
        """Says that the service which a run left without a backup has one again; with `begin`, that one is being made.

        Some other deployment must be able to take over now. Where none is, Refused says what blocks it, unless there
        is a reason to say so all the same.
        """
        run = await self._recorded.one(run_id)
        service = self._configuration.service(run.service)
        snapshot = await self._observer.read(service, service.primary.name)
        found = lifecycle(service, snapshot.active, snapshot.runs, datetime.now().astimezone())
        if found.run != run_id or found.stage not in (Stage.COMMITTED, Stage.RE_PROTECTING):
            first = found.run == run_id and found.stage is Stage.SWITCHED
            hint = f"Commit it first: changeover commit {run_id}" if first else found.text
            raise Refused(f"Run {run_id} is not one after which {run.service} is known to lack a backup", hint)
        event: Reprotecting | Reprotected = Reprotecting(who=who, note=note)
        if not begin:
            event = Reprotected(who=who, note=await self._proven_backup(run, note, force_reason))
        async with self._recorded.locked(run.service):
            await self._recorded.refuse_unfinished(run.service)
            await self._journal.append(run_id, event)
        return await self._said.told(run_id)

    async def _proven_backup(self, run: Run, note: str, force_reason: str) -> str:
        """The note that goes into the journal, if some deployment besides the one that `run` led to could take over."""
        lacking: dict[str, list[Finding]] = {}
        for deployment in self._configuration.service(run.service).deployments:
            if deployment.name != run.to:
                prepared = await self._preparer.prepare(run.service, deployment.name)
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
