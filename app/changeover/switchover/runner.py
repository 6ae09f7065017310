"""Runs a plan, step by step, with every intent and every outcome in the journal before anything else happens.

What is not known is read, never guessed: after an answer that was lost, after a crash, before an undo.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, assert_never

from msgspec.structs import replace

from changeover.dns.lookup.client import Lookup
from changeover.dns.provider import Applied, Indeterminate, PreconditionFailed, Provider, Result
from changeover.health.connectivity.clocks import read_clocks
from changeover.model.dns.change import Change, Place
from changeover.model.dns.records import AddressSet, address_set, same_answer, values_text
from changeover.model.errors import ChangeoverError, Conflict, ProviderError, RateLimited, Refused, Unavailable
from changeover.model.formatting import counted, duration
from changeover.model.health.clock_gap import interruption
from changeover.model.platforms.platform_observation import PlatformObservation
from changeover.model.runs.partial import untouched, who_has_what
from changeover.model.runs.plan import (
    ActionStep,
    ChangeRecords,
    CheckNameServers,
    CheckVisitors,
    Plan,
    PlanKind,
    Step,
    batch_progress,
    half_made,
    inverse,
    plan_of,
    restore_emptied,
)
from changeover.model.runs.plan_actions import undoing
from changeover.model.runs.run import (
    Direction,
    Ended,
    Entry,
    Event,
    Intent,
    Outcome,
    Resumed,
    Run,
    Started,
    StepEnded,
    StepState,
    UndoStarted,
    fold,
)
from changeover.model.runs.verification import Verdict
from changeover.model.settings.action import Approval, Note, WaitUntil
from changeover.model.settings.service import Service
from changeover.storage.journal.store import JournalStore
from changeover.switchover.actions.waiting import unless
from changeover.switchover.lease import ZoneLeases
from changeover.switchover.verify.name_servers import name_servers
from changeover.switchover.verify.visitors import Walk, visitors

log = logging.getLogger(__name__)

#: Seconds that a reading after a lost answer is tried for, and between two tries.
READ_PATIENCE, READ_PAUSE = 30.0, 2.0
#: Seconds between two looks at records that are as they were before the write.
SECOND_LOOK = 1.0

#: Seconds of sleep, or of a clock that was set, that are worth reading the world again.
_SLACK = 4.0
#: Does an operation that is not DNS, for a run, until it is done or the event is set.
Perform = Callable[[ActionStep, Run, asyncio.Event], Awaitable[Verdict]]
#: Reads what stands at a platform before it is asked to do something. Raises a ChangeoverError where it cannot.
ReadBefore = Callable[[ActionStep], Coroutine[Any, Any, PlatformObservation | None]]
_BACK = "Every record set is back as it was"
_GOOD = (StepState.DONE, StepState.WARNING, StepState.SKIPPED)


class Runner:
    """Runs, undoes and resumes for one service, whose lock the caller holds.

    `stop`, once set, lets the step in hand finish and leaves the run interrupted. `on_progress` gets the run's state
    after every entry of its journal. `walk` takes the service's journeys, `act` does what is not DNS, and `before`
    reads what stands where it acts. `leases`, where they are held, are expected by every write.
    """

    def __init__(
        self,
        service: Service,
        journal: JournalStore,
        providers: Mapping[str, Provider],
        lookup: Lookup,
        *,
        on_progress: Callable[[Run], None],
        stop: asyncio.Event,
        verify_timeout: float,
        walk: Walk,
        act: Perform,
        before: ReadBefore,
        leases: ZoneLeases | None = None,
    ) -> None:
        self._service = service
        self._journal = journal
        self._providers = providers
        self._one_by_one = {name for name, p in providers.items() if p.capabilities.batch is None}
        self._lookup = lookup
        self._on_progress = on_progress
        self._stop = stop
        self._verify_timeout = verify_timeout
        self._walk = walk
        self._act = act
        self._before = before
        self._leases = leases
        self._changed = False
        # By when readings show what was written there before this runner began (time.monotonic).
        self._shown_by: dict[Place, float] = {}
        self._read_first = False
        self._clocks = read_clocks()
        self._entries: list[Entry] = []

    async def start(self, started: Started) -> Run:
        """Runs a new plan from its first step."""
        if self._leases is not None:
            started = replace(started, notes=(*started.notes, *self._leases.notes))
        self._entries = [await self._journal.begin(started)]
        if self._leases is not None:
            self._leases.run = self._entries[0].run
        self._progress()
        return await self._carry_out(started.plan, Direction.FORWARD, changed_before=False, read_first=False)

    async def undo(self, run: Run, *, who: str, anyway: bool = False, shown: Plan | None = None) -> Run:
        """Puts back what `run` changed, as far as it still stands; `who` wants it.

        Raises Refused, with nothing changed, where somebody else changed one of its records since; with `anyway` that
        is replaced too, exactly as it is read now and no other. `shown` is what a person said yes to: Refused where
        that is not all of it any more.
        """
        plan = await self.undo_plan(run, anyway)
        if shown is not None and any(change not in shown.changes for change in plan.changes):
            raise Refused("The records are not what was shown; nothing was changed", "Look again.")
        self._entries = list(await self._journal.read(run.run))
        await self._record(UndoStarted(plan=plan, who=who))
        return await self._carry_out(plan, Direction.UNDO, changed_before=run.unfinished, read_first=run.unfinished)

    async def undo_plan(self, run: Run, anyway: bool = False) -> Plan:
        """What an undo of `run` would do now, by reading: only what is not back already."""
        entries = await self._journal.read(run.run)
        # Where nothing was ever changed there is nothing to undo, and it need not even answer.
        live = await self._live_since(entries, run.plan, inverse(run.forward.changes), untouched(entries))
        back = [change for change in inverse(run.forward.changes) if change.place in live]
        stands = batch_progress(back, live, self._one_by_one if run.unfinished else ())
        # What an unfinished run left is read once more as each step comes, and then asked of the name servers.
        todo = (*stands.todo, *stands.done) if run.unfinished else stands.todo
        if anyway:
            todo = (*todo, *(replace(change, before=now) for change, now in stands.foreign))
        else:
            _refuse_foreign(stands.foreign)
        capabilities = {name: provider.capabilities for name, provider in self._providers.items()}
        plan = plan_of(run.service, run.to, run.source, todo, capabilities, datetime.now(UTC))
        return undoing(replace(plan, kind=run.forward.kind), run.forward, run.went, run.taken_back)

    async def resume(self, run: Run, *, who: str) -> Run:
        """Goes on with an unfinished run in the direction that it had; `who` wants it.

        Raises Refused, with nothing changed, where somebody else changed one of its records since.
        """
        self._entries = list(await self._journal.read(run.run))
        live = await self._live_since(self._entries, run.plan, run.plan.changes)
        stands = batch_progress(run.plan.changes, live, self._one_by_one)
        _refuse_foreign(stands.foreign)
        done, todo = (counted(len(found), "hostname") for found in (stands.done, stands.todo))
        await self._record(Resumed(found=f"{done} done, {todo} to do", who=who))
        return await self._carry_out(run.plan, run.direction, changed_before=True, read_first=True)

    async def _carry_out(self, plan: Plan, direction: Direction, *, changed_before: bool, read_first: bool) -> Run:
        began = time.monotonic()
        self._changed = changed_before
        self._read_first = read_first
        for group in plan.groups:
            self._look_at_clocks()
            # Another process may have put a person's word into the journal.
            self._entries = list(await self._journal.read(self._entries[0].run))
            now = self._progress()
            late = time.monotonic() - began > self._service.run_timeout
            if self._stop.is_set() or now.paused or now.unreadable or late:
                return await self._stopped(plan, late)
            if self._leases is not None and self._leases.lost.is_set():
                outcome = _outcome([StepState.REFUSED], self._changed)
                return await self._end(outcome, self._leases.why_lost, time.monotonic() - began)
            waiting = [n for n in group if now.steps[n].state not in _GOOD]
            verdicts = await _all(self._do(n, plan.steps[n], direction) for n in waiting)
            if any(verdict is None for verdict in verdicts):
                return await self._stopped(plan)
            went = [n for n, verdict in zip(waiting, verdicts, strict=True) if verdict and verdict.state in _GOOD]
            self._changed = self._changed or any(_changes_something(plan.steps[n]) for n in went)
            bad = [verdict for verdict in verdicts if verdict is not None and verdict.state not in _GOOD]
            if bad:
                outcome = _outcome([verdict.state for verdict in bad], self._changed)
                return await self._end(outcome, self._told(plan, outcome, bad), time.monotonic() - began)
        outcome = Outcome.COMPLETED if direction is Direction.FORWARD else Outcome.UNDONE
        return await self._end(outcome, _closing_words(plan, direction, self._progress()), time.monotonic() - began)

    def _told(self, plan: Plan, outcome: Outcome, bad: Sequence[Verdict]) -> str:
        """Why a run ends early and, where it stands half way, which account has what."""
        text = "; ".join(verdict.text for verdict in bad)
        states = [step.state for step in self._progress().steps]
        divided = who_has_what(plan, states) if outcome is Outcome.INCOMPLETE else ""
        return f"{text.rstrip('.')}. {divided}" if divided else text

    async def _stopped(self, plan: Plan, late: bool = False) -> Run:
        """The run between two of its steps, to go on later. One operation that asked nothing yet is called off."""
        if plan.kind is PlanKind.OPERATION and self._stop.is_set() and not self._changed:
            return await self._end(Outcome.REFUSED, "it was called off before the platform was asked", 0.0)
        if late:
            limit = duration(self._service.run_timeout)
            log.warning("%s stopped: it has taken longer than %s", self._entries[0].run, limit)
        self._stop.set()
        return self._progress()

    async def _do(self, number: int, step: Step, direction: Direction) -> Verdict | None:
        """One step, between its intent and its outcome in the journal. None where it was stopped before it acted."""
        if isinstance(step, ActionStep) and (undecided := self._undecided(number, step)) is not None:
            return undecided
        began = time.monotonic()
        doubted = self._progress().steps[number].doubted
        before, unread = await self._stood(number, step, direction)
        if self._stop.is_set() and isinstance(step, ActionStep) and _changes_something(step):
            return None
        await self._record(Intent(step=number, before=before))
        verdict = unread or await self._perform(step, direction)
        if doubted and verdict.state is StepState.FAILED:
            told = f"{verdict.text.rstrip('.')}. An earlier try of it may have done it"
            verdict = verdict._replace(text=told)
        if self._stop.is_set() and verdict.state is StepState.UNKNOWN and not _changes_something(step):
            return None  # only looking was cut short; the run can go on from here
        seconds = time.monotonic() - began
        log.info("%s %s: %s, %s", self._entries[0].run, step.name, verdict.state, verdict.text)
        await self._record(StepEnded(step=number, state=verdict.state, text=verdict.text, seconds=seconds))
        return verdict

    async def _stood(
        self, number: int, step: Step, direction: Direction
    ) -> tuple[PlatformObservation | None, Verdict | None]:
        """What stands where a step is about to act, so that it can be put back; or that this cannot be read."""
        known = self._progress().steps[number].before is not None
        if known or direction is Direction.UNDO or not isinstance(step, ActionStep) or self._left_out(step, direction):
            return None, None
        try:
            return await unless(self._stop, self._before(step)), None
        except ChangeoverError as error:
            text = f"what stands there now could not be read: {error.text}. Nothing was done. {error.hint}"
            return None, Verdict(StepState.FAILED, text.strip())

    def _left_out(self, step: ActionStep, direction: Direction) -> str:
        """Why an operation is left out; empty where it is to be done."""
        if step.skip or direction is Direction.UNDO or step.action.needs != "source" or not self._progress().emergency:
            return step.skip
        return f"left out, since the run became an emergency. {step.action.risk}".strip()

    def _undecided(self, number: int, step: ActionStep) -> Verdict | None:
        """What keeps an operation from being done: a person's no, or that nobody knows whether it was done already."""
        progress = self._progress().steps[number]
        if progress.state is StepState.REFUSED:
            return Verdict(StepState.REFUSED, progress.note)
        if progress.state is StepState.UNKNOWN and not step.action.repeatable and _changes_something(step):
            text = f"whether “{step.name}” was done is not known: say that it is to be repeated, or skip it"
            return Verdict(StepState.UNKNOWN, text)
        return None

    def _look_at_clocks(self) -> None:
        """After sleep, or where the clock was set, the world is read again before anything is done to it."""
        before, self._clocks = self._clocks, read_clocks()
        found = interruption(before, self._clocks, self._clocks.monotonic - before.monotonic, _SLACK)
        if found is not None:
            log.warning("%s: %s; reading again", self._entries[0].run, found.text)
            self._read_first = True

    async def _end(self, outcome: Outcome, text: str, seconds: float) -> Run:
        """Ends the run. An undo that changed nothing leaves the run as it was, but is told as what it came to."""
        as_tried = self._progress()
        ended = await self._record(Ended(outcome=outcome, text=text, seconds=seconds))
        if ended.outcome is outcome:
            return ended
        return replace(as_tried, outcome=outcome, text=text, seconds=seconds)

    async def _perform(self, step: Step, direction: Direction) -> Verdict:
        forward = direction is Direction.FORWARD
        match step:
            case ActionStep() if why := self._left_out(step, direction):
                return Verdict(StepState.SKIPPED, why)
            case ActionStep():
                return await self._act(step, self._progress(), self._stop)
            case ChangeRecords():
                return await self._change(step, self._read_first)
            case CheckNameServers():
                needed = self._service.name_servers_needed
                return await name_servers(self._lookup, step.changes, self._verify_timeout, self._stop, needed)
            case CheckVisitors():
                timeout = self._verify_timeout if forward else min(self._verify_timeout, 5.0)
                verdict = await visitors(self._lookup, self._service, step, timeout, self._stop, self._walk)
                if not forward and verdict.state is StepState.UNKNOWN:
                    # An undo restores the records; the deployment behind them may well be the one that is down.
                    return Verdict(StepState.WARNING, verdict.text)
                return verdict

    async def _change(self, step: ChangeRecords, read_first: bool) -> Verdict:
        provider = self._providers[step.account]
        changes: Sequence[Change] = step.changes
        if read_first:
            stands = batch_progress(changes, await self._read_back(provider, step), self._one_by_one)
            if stands.foreign:
                return Verdict(StepState.REFUSED, _foreign_words(stands.foreign))
            changes = stands.todo
            if not changes:
                return Verdict(StepState.DONE, "found done already")
        try:
            result = await self._apply(provider, step, changes)
        except Conflict as error:
            return Verdict(StepState.REFUSED, f"{error.text}. Nothing was changed")
        except ProviderError as error:
            return Verdict(StepState.FAILED, f"{error.text}. Nothing was changed. {error.hint}".strip())
        if isinstance(result, PreconditionFailed):
            return Verdict(StepState.REFUSED, f"Changed by somebody else meanwhile: {'; '.join(result.conflicts)}")
        race_window = provider.race_window
        verdict = await self._confirm(provider, step, result)
        if race_window is None or verdict.state is not StepState.DONE:
            return verdict
        blind = f"somebody else's change would have gone unseen for {race_window * 1000:.0f} ms"
        return verdict._replace(text=f"{verdict.text}; {blind}")

    async def _apply(self, provider: Provider, step: ChangeRecords, changes: Sequence[Change]) -> Result:
        """Writes, where a lease is held only for as long as it is.

        What another process has just written for this run may be read as it was before for a while, and is no conflict.
        """
        until = max((self._shown_by.get(change.place, 0.0) for change in changes), default=0.0)
        while True:
            result = await self._apply_once(provider, step, changes)
            if not isinstance(result, PreconditionFailed) or self._stop.is_set() or time.monotonic() >= until:
                return result
            await asyncio.sleep(SECOND_LOOK)

    async def _apply_once(self, provider: Provider, step: ChangeRecords, changes: Sequence[Change]) -> Result:
        if self._leases is None:
            return await provider.apply(step.zone, changes)
        async with self._leases.guard(step.account, step.zone) as guard:
            return await provider.apply(step.zone, changes, guard)

    async def _confirm(self, provider: Provider, step: ChangeRecords, result: Applied | Indeterminate) -> Verdict:
        """Reads what stands after a write, decides from that alone, and repairs a name that was left empty."""
        doubt = "" if isinstance(result, Applied) else result.text
        proof = ""
        try:
            live = await (self._read_in_the_end(provider, step) if doubt else self._read_back(provider, step))
            end = time.monotonic() + provider.capabilities.shown_within
            while _behind(step.changes, live) and time.monotonic() < end:
                # The write may still be on its way, or the reading is from before it.
                if proof := await self._proof(step):
                    # What was cut short gives the new answer with the old TTL, as nobody but a reading shows.
                    midst = [c.place for c in step.changes if doubt and half_made(c, live.get(c.place, ()))]
                    live = {c.place: live[c.place] if c.place in midst else c.after for c in step.changes}
                    proof = "" if midst else proof
                    break
                await asyncio.sleep(SECOND_LOOK)
                live = await self._read_back(provider, step)
            if doubt and step.account in self._one_by_one:
                live = await self._complete(provider, step, live)
        except ProviderError as error:
            because = f"{doubt}; " if doubt else ""
            return Verdict(StepState.UNKNOWN, f"{because}what stands there now could not be read: {error.text}")
        told = (f" (the answer was lost: {doubt})" if doubt else "") + proof
        as_planned = all(same_answer(live.get(c.place, ()), c.after) for c in step.changes)
        only_ttl = all(same_answer(c.before, c.after) for c in step.changes)
        if as_planned and not (only_ttl and _untouched(step.changes, live)):
            altered = [c.name for c in step.changes if live.get(c.place, ()) != c.after]
            if altered:
                text = f"changed, but {altered[0]} has another TTL or other flags than planned{told}"
                return Verdict(StepState.WARNING, text)
            return Verdict(StepState.DONE, f"{counted(len(step.changes), 'hostname')} changed{told}")
        empty = restore_emptied(step.changes, live)
        if empty:
            return await self._mend(provider, step, empty)
        if _untouched(step.changes, live):
            if isinstance(result, Applied):
                # A reading may be very old, or the provider may have ignored the write: nobody knows which.
                return Verdict(StepState.UNKNOWN, "the provider said yes, but the records read as before")
            if result.under_way:
                return Verdict(StepState.UNKNOWN, f"nothing is changed yet, and may be later: {doubt}")
            return Verdict(StepState.FAILED, f"Nothing was changed: {doubt}")
        wrong = next(c for c in step.changes if not same_answer(live.get(c.place, ()), c.after))
        return Verdict(StepState.UNKNOWN, f"{wrong.name} is now {values_text(live.get(wrong.place, ()))}{told}")

    async def _proof(self, step: ChangeRecords) -> str:
        """What the zone's own name servers prove, where they give what was written: they, not an API, are the truth.

        Empty where they do not yet, or where they cannot: their answers say nothing of a TTL or of what is proxied.
        """
        if any(r.opaque for c in step.changes for r in (*c.before, *c.after)):
            return ""
        if all(same_answer(c.before, c.after) for c in step.changes):
            return ""
        if (await name_servers(self._lookup, step.changes, 0.0, self._stop)).state is StepState.UNKNOWN:
            return ""
        label = self._providers[step.account].capabilities.label
        return f"; {label} still shows what stood before, and the zone's name servers give the new records"

    async def _complete(
        self, provider: Provider, step: ChangeRecords, live: Mapping[Place, AddressSet]
    ) -> Mapping[Place, AddressSet]:
        """Goes on where a write of one record after the other was cut short, expecting what it left."""
        rest = [replace(c, before=live[c.place]) for c in step.changes if half_made(c, live[c.place])]
        if not rest:
            return live
        try:
            await self._apply(provider, step, rest)
        except ProviderError as error:
            log.warning("what was left half made could not be completed: %s", error.text)
        return await self._read_back(provider, step)

    async def _mend(self, provider: Provider, step: ChangeRecords, empty: Sequence[Change]) -> Verdict:
        names = ", ".join(change.name for change in empty)
        try:
            result = await self._apply(provider, step, empty)
        except ProviderError as error:
            return Verdict(StepState.UNKNOWN, f"{names} was left without records and could not be mended: {error.text}")
        if not isinstance(result, Applied):
            return Verdict(StepState.UNKNOWN, f"{names} was left without records; mending it was not confirmed")
        text = f"{names} was left without records by the change; what stood there before is back"
        return Verdict(StepState.UNKNOWN, text)

    async def _read_back(self, provider: Provider, step: ChangeRecords) -> Mapping[Place, AddressSet]:
        live = await provider.read_back(step.zone, step.changes)
        return {change.place: live.get(change.name, ()) for change in step.changes}

    async def _read_in_the_end(self, provider: Provider, step: ChangeRecords) -> Mapping[Place, AddressSet]:
        """What stands after a lost answer. A name may be empty, so an account that is away for a moment is awaited."""
        end = time.monotonic() + READ_PATIENCE
        while True:
            try:
                return await self._read_back(provider, step)
            except (Unavailable, RateLimited):
                if self._stop.is_set() or time.monotonic() + READ_PAUSE > end:
                    raise
            await asyncio.sleep(READ_PAUSE)

    async def _live_since(
        self, entries: Sequence[Entry], last: Plan, changes: Sequence[Change], may_be_silent: Collection[str] = ()
    ) -> dict[Place, AddressSet]:
        """What stands at the places of `changes`, as it is after the writes of `last`, the plan that was run last.

        A provider whose readings may be from before a write that was just made is read again until they show it, or
        until they must.
        """
        now = time.monotonic()
        late = {
            number: (step, now + left)
            for number, step in enumerate(last.steps)
            if isinstance(step, ChangeRecords) and (left := self._may_lag(entries, number, step)) > 0
        }
        self._shown_by = {change.place: until for step, until in late.values() for change in step.changes}
        while True:
            live = await self._live(changes, may_be_silent)
            waits = [
                until
                for step, until in late.values()
                if time.monotonic() < until
                and any(c.place in live for c in step.changes)
                and _behind(step.changes, live)
            ]
            if not waits or self._stop.is_set():
                return live
            log.info("%s: readings may be from before what was just written; reading again", entries[0].run)
            await asyncio.sleep(SECOND_LOOK)

    def _may_lag(self, entries: Sequence[Entry], number: int, step: ChangeRecords) -> float:
        """For how many seconds more a reading may be from before the last write of a step."""
        lag = self._providers[step.account].capabilities.lag
        wrote = [e.at for e in entries if isinstance(e.event, Intent | StepEnded) and e.event.step == number]
        if lag is None or not wrote:
            return 0.0
        since = (datetime.now(UTC) - max(wrote)).total_seconds()
        return lag.seconds - since if since >= 0 else 0.0

    async def _live(self, changes: Sequence[Change], may_be_silent: Collection[str] = ()) -> dict[Place, AddressSet]:
        """What stands at the places of `changes`; an account that may be silent, and cannot be read, is left out."""
        live: dict[Place, AddressSet] = {}
        for account, zone in dict.fromkeys((c.account, c.zone) for c in changes):
            names = [c.name for c in changes if (c.account, c.zone) == (account, zone)]
            try:
                reading = await self._providers[account].read(zone, names)
            except ProviderError as error:
                if account not in may_be_silent:
                    raise
                log.warning("account %s cannot be read and was never changed: %s", account, error.text)
                continue
            live.update({(account, zone, name): address_set(found) for name, found in reading.records.items()})
        return live

    async def _record(self, event: Event) -> Run:
        self._entries.append(await self._journal.append(self._entries[0].run, event))
        return self._progress()

    def _progress(self) -> Run:
        state = fold(self._entries, alive=not self._stop.is_set())
        self._on_progress(state)
        return state


async def _all(steps: Iterable[Coroutine[None, None, Verdict | None]]) -> list[Verdict | None]:
    """Does these at the same time, each to its end, also where another one fails."""
    found = await asyncio.gather(*steps, return_exceptions=True)
    for error in found:
        if isinstance(error, BaseException):
            raise error
    return [verdict for verdict in found if not isinstance(verdict, BaseException)]


def _changes_something(step: Step) -> bool:
    """Does this step act on the world, rather than look at it?"""
    if isinstance(step, ActionStep):
        return not step.skip and not isinstance(step.operation, WaitUntil | Approval | Note)
    return isinstance(step, ChangeRecords)


def _outcome(states: Sequence[StepState], changed: bool) -> Outcome:
    """How a run ends at steps that did not go well; `changed`: something was changed before them."""
    if changed or StepState.UNKNOWN in states:
        return Outcome.INCOMPLETE
    return Outcome.REFUSED if all(state is StepState.REFUSED for state in states) else Outcome.FAILED


def _closing_words(plan: Plan, direction: Direction, run: Run) -> str:
    beside = ", with warnings" if any(step.state is StepState.WARNING for step in run.steps) else ""
    if plan.kind is PlanKind.OPERATION:
        return "; ".join(step.note for step in run.steps) or "Nothing was done, so nothing had to be taken back"
    if direction is Direction.UNDO:
        back = f"What was done at {plan.to} is taken back" if plan.kind is PlanKind.FENCE else _BACK
        return f"{back}{beside}"
    match plan.kind:
        case PlanKind.SWITCH:
            return f"Visitors are served by {plan.to}{beside}"
        case PlanKind.PREPARE:
            return f"The TTLs of {counted(len(plan.changes), 'hostname')} are lowered{beside}"
        case PlanKind.RESTORE_TTL:
            return f"The TTLs of {counted(len(plan.changes), 'hostname')} are restored{beside}"
        case PlanKind.FENCE:
            return f"What was left out at {plan.source} is done{beside}"
        case _:
            assert_never(plan.kind)


def _refuse_foreign(foreign: Sequence[tuple[Change, AddressSet]]) -> None:
    if foreign:
        raise Refused(
            _foreign_words(foreign),
            "Somebody else changed it after this run. Put it right at the provider, accept the run as it stands, or "
            "undo it --anyway.",
        )


def _behind(changes: Sequence[Change], live: Mapping[Place, AddressSet]) -> bool:
    """May `live` be from before a write of `changes`, or from its midst? An empty name is not waited for."""
    late = [c for c in changes if live.get(c.place, ()) != c.after]
    return bool(late) and all(live.get(c.place, ()) == c.before or half_made(c, live.get(c.place, ())) for c in late)


def _untouched(changes: Sequence[Change], live: Mapping[Place, AddressSet]) -> bool:
    return all(live.get(c.place, ()) == c.before for c in changes)


def _foreign_words(foreign: Sequence[tuple[Change, AddressSet]]) -> str:
    parts = [
        f"{change.name} is {values_text(now)}, neither {values_text(change.before)} nor {values_text(change.after)}"
        for change, now in foreign
    ]
    return "; ".join(parts)
