"""What people say of runs: each word is one entry of a run's journal, and changes nothing else.

A word on a run that is under way needs no lock: the process that works on the run reads its journal. One that ends
something takes the lock.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from changeover.model.errors import Refused, UsageError
from changeover.model.runs.fencing import still_to_do
from changeover.model.runs.plan import PlanKind
from changeover.model.runs.run import (
    Accepted,
    Acknowledged,
    Approved,
    Committed,
    Declined,
    Direction,
    Escalated,
    Event,
    Outcome,
    Paused,
    Repeated,
    Run,
    Skipped,
)
from changeover.model.runs.step_decision import StepDecision, step_number, why_not
from changeover.monitoring.live_states import LiveStates
from changeover.storage.journal.recorded_runs import RecordedRuns, refuse_unless_next
from changeover.storage.journal.store import JournalStore


class OperatorDecisions:
    """Writes people's words, and lets live states know. `settled` is called with each run that was committed, and by
    whom.
    """

    def __init__(
        self,
        journal: JournalStore,
        recorded: RecordedRuns,
        live: LiveStates,
        settled: Callable[[Run, str], Awaitable[None]],
    ) -> None:
        self._journal = journal
        self._recorded = recorded
        self._live = live
        self._settled = settled

    async def approve(self, run_id: str, step: str, note: str = "", *, who: str) -> Run:
        """Says yes to a step that asks. A step is named by its name, or by its number from 1."""
        return await self._say(run_id, step, StepDecision.APPROVE, lambda n: Approved(step=n, who=who, note=note))

    async def decline(self, run_id: str, step: str, reason: str, *, who: str) -> Run:
        """Says no to a step that asks: the run ends there."""
        return await self._say(run_id, step, StepDecision.DECLINE, lambda n: Declined(step=n, who=who, reason=reason))

    async def skip(self, run_id: str, step: str, reason: str, *, who: str) -> Run:
        """Leaves a step out that is to be done, that failed, or of which nobody knows whether it was done."""
        return await self._say(run_id, step, StepDecision.SKIP, lambda n: Skipped(step=n, who=who, reason=reason))

    async def repeat(self, run_id: str, step: str, *, who: str) -> Run:
        """Lets a step be done again of which nobody knows whether it was done."""
        return await self._say(run_id, step, StepDecision.REPEAT, lambda n: Repeated(step=n, who=who))

    async def _say(self, run_id: str, step: str, word: StepDecision, event: Callable[[int], Event]) -> Run:
        """Raises Refused where the word makes no sense now."""
        run = await self._readable(run_id, word)
        number = step_number(run, step)
        if number is None:
            raise UsageError(f"Run {run_id} has no step {step}", f"Steps: {', '.join(s.name for s in run.steps)}")
        why = why_not(run, number, word)
        if why:
            raise Refused(why, f"Look at it with: changeover report {run_id}")
        await self._journal.append(run_id, event(number))
        return await self.told(run_id)

    async def pause(self, run_id: str, *, who: str) -> Run:
        """Stops a running run before its next step, whichever process it is in."""
        run = await self._readable(run_id, "pause")
        if run.outcome is not Outcome.RUNNING:
            raise Refused(f"Run {run_id} is {run.outcome}: there is nothing to pause")
        await self._journal.append(run_id, Paused(who=who))
        return await self.told(run_id)

    async def escalate(self, run_id: str, why: str, *, who: str) -> Run:
        """Makes an unfinished planned run an emergency: its steps that need the source are left out from here on."""
        run = await self._readable(run_id, "escalation")
        switching = run.forward.kind is not PlanKind.FENCE and run.direction is Direction.FORWARD
        if not run.unfinished or run.emergency or not switching:
            raise Refused(f"Run {run_id} is {run.outcome}: only an unfinished planned run can become an emergency")
        await self._journal.append(run_id, Escalated(who=who, why=why))
        return await self.told(run_id)

    async def accept(self, run_id: str, reason: str, *, who: str) -> Run:
        """Ends an unfinished run as it stands."""
        if not reason.strip():
            raise UsageError("A reason is needed to accept a run as it stands", "Give it with --reason.")
        async with self._recorded.to_go_on(run_id, "accept") as run:
            await self._journal.append(run.run, Accepted(reason=reason.strip(), who=who))
        return await self.told(run_id)

    async def commit(self, run_id: str, *, who: str) -> Run:
        """Ends the undo window of a completed run."""
        async with self._recorded.to_go_on(run_id, "commit") as run:
            await self._journal.append(run.run, Committed(who=who))
        await self._settled(run, who)
        return await self.told(run_id)

    async def acknowledge(self, run_id: str, *, who: str) -> Run:
        """Says that a person has seen what an emergency switch led to: another may be suggested again."""
        run = await self._recorded.one(run_id)
        if not run.emergency or run.unfinished:
            what = "is not finished" if run.unfinished else "was no emergency"
            raise Refused(f"Run {run_id} {what}: there is nothing to acknowledge")
        if run.acknowledged is None:
            async with self._recorded.locked(run.service):
                await self._journal.append(run_id, Acknowledged(who=who))
        return await self.told(run_id)

    async def drop(self, service: str, step: str, reason: str, *, who: str) -> Run:
        """Says that a step which an emergency left out is no longer to be done. A step is named by its name."""
        if not reason.strip():
            raise UsageError("A reason is needed to drop a step", "Give it with --reason.")
        async with self._recorded.locked(service):
            left = still_to_do(await self._recorded.of(service))
            names = [] if left is None else [one.name for one in left.steps]
            if left is None or step not in names:
                raise UsageError(f"Nothing called {step} is still to be done", f"Steps: {', '.join(names) or 'none'}")
            number = [one.name for one in left.run.forward.steps].index(step)
            await self._journal.append(left.run.run, Skipped(step=number, reason=reason.strip(), who=who))
        return await self.told(left.run.run)

    async def _readable(self, run_id: str, word: str) -> Run:
        """The run. Raises Refused where not all of its journal is understood: nobody knows what a word would do."""
        run = await self._recorded.one(run_id)
        if run.unreadable:
            refuse_unless_next(run, word)
        return run

    async def told(self, run_id: str) -> Run:
        """The run as it is now, which live states are told."""
        run = await self._recorded.one(run_id)
        self._live.take_run(run)
        return run
