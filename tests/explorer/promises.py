"""What must be true after every event of a history. A promise that is broken is told to the world."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from changeover.model.dns.change import Change
from changeover.model.dns.records import AddressSet, same_answer, values_text
from changeover.model.runs.plan import ChangeRecords, PlanKind
from changeover.model.runs.run import Ended, Entry, Intent, Outcome, Resumed, Run, Started, StepEnded, UndoStarted, fold
from explorer.copies import Copy

if TYPE_CHECKING:
    from explorer.process import Process


def _of(planned: Change, found: AddressSet) -> bool:
    """Is every record of `found` one that the plan takes away or brings? So a write that was cut short leaves it."""
    both = {(r.type, value) for records in (planned.before, planned.after) for r in records for value in r.values}
    return {(r.type, value) for r in found for value in r.values} <= both


def sent(process: Process, copy: Copy, changes: Sequence[Change]) -> None:
    """Before a write is asked for: its intent is in the journal, it was planned, and what is unclear was read."""
    world = process.world
    if process.ended:
        world.broke(f"{process} writes after it gave up its lock")
    entries = process.journal.stored(process.run)
    if not entries:
        world.broke(f"{process} writes without a run in its journal")
        return
    run = fold(entries, alive=True)
    intended = {c.place: c for n in _open_steps(entries) for c in _changes(run, n)}
    planned = {c.place: c for c in run.forward.changes}
    for change in changes:
        if change.place not in intended:
            world.broke(f"{process} writes {change.name} without an intent in its journal")
        first = planned.get(change.place)
        if first is None:
            world.broke(f"{process} writes {change.name}, which is not in its plan")
            continue
        expected = [(), first.before, first.after]
        meant = [first]
        if run.run in process.disk.anyway:
            meant.append(intended.get(change.place, first))
            expected.append(meant[-1].before)
        halves = not copy.kind.batch
        if change.before not in expected and not (halves and any(_of(one, change.before) for one in meant)):
            world.broke(f"{process} replaces at {change.name} what was not in its plan: {values_text(change.before)}")
        # A half that was made, and emptied by what came next, is put back as it was.
        put_back = halves and change.after and any(_of(one, change.after) for one in meant)
        if change.after not in expected[1:] and not put_back:
            world.broke(f"{process} puts at {change.name} what was not in its plan: {values_text(change.after)}")
        if change.place in process.unclear:
            world.broke(f"{process} repeats a write of {change.name} without reading what became of the first")


def _open_steps(entries: Sequence[Entry]) -> list[int]:
    """The steps whose intent stands in the journal, and no end of them."""
    ended: set[int] = set()
    found = []
    for entry in reversed(entries):
        match entry.event:
            case StepEnded(step=number):
                ended.add(number)
            case Intent(step=number) if number not in ended:
                found.append(number)
            case Started() | UndoStarted() | Resumed():
                break
    return found


def _changes(run: Run, number: int) -> tuple[Change, ...]:
    step = run.plan.steps[number]
    return step.changes if isinstance(step, ChangeRecords) else ()


def landed(
    copy: Copy,
    change: Change,
    found: AddressSet,
    left: AddressSet,
    *,
    entries: Sequence[Entry],
    seen: float,
    late: bool,
) -> None:
    """After a write was carried out: nothing is empty that need not be, nothing strange, nothing of others' is lost.

    `entries` are its run's, `seen` is the time of what its writer had read right before, `late`: its writer had given
    up on it.
    """
    world, kind = copy.world, copy.kind
    if late and entries and isinstance(entries[-1].event, Ended):
        world.count(f"landed after its run ended {entries[-1].event.outcome}")
    if not left and change.after:
        alone = any(r.type == "CNAME" for r in change.before) != any(r.type == "CNAME" for r in change.after)
        if alone and not kind.batch:
            world.count("excused gaps")
        else:
            world.broke(f"{change.name} at {copy.account} is without an answer, and could have been spared it")
    known = copy.known[change.name]
    if kind.batch:
        strange = left not in known and bool(left)
    else:
        strange = any(all(r not in addresses for addresses in known) for r in left)
    if strange and kind.compares == "ids" and found != change.before:
        world.count("mixtures by a write in the window")  # two writers, and a provider that compares nothing
    elif strange:
        world.broke(f"{change.name} at {copy.account} is nobody's: {values_text(left)}")
    _overwritten(copy, change, found, left, seen, late)


def _overwritten(copy: Copy, change: Change, found: AddressSet, left: AddressSet, seen: float, late: bool) -> None:
    world, kind = copy.world, copy.kind
    touched = [r for r in found if r not in left]
    lost = [r for r in touched if r not in change.before]
    if not lost:
        return
    text = f"overwritten at {change.name}: {values_text(tuple(lost))}, where {values_text(change.before)} was expected"
    if kind.compares == "all":
        world.broke(text)
        return
    if kind.compares == "values" and not same_answer(found, change.before):
        world.broke(text)
        return
    since = copy.past[change.name][-2].at
    if since < seen:
        world.broke(f"{text}; it stood there before its writer read it")
        return
    world.count("overwritten in the window, late" if late else "overwritten in the window")


def written(process: Process, run_id: str, entries: Sequence[Entry]) -> None:
    """After every entry of a journal: the run is in a state that has a name and a safe way on, and tells the truth."""
    world = process.world
    if process.ended:
        world.broke(f"{process} goes on with {run_id} after it gave up its lock")
    fold(entries, alive=True)
    run = fold(entries)
    final = run.forward.kind is PlanKind.OPERATION and run.next == ("resume", "accept")  # nothing takes it back
    if run.unfinished and run.next != ("resume", "undo", "accept") and not final:
        world.broke(f"{run_id} is {run.outcome} and offers {run.next}")
    event = entries[-1].event
    if not isinstance(event, Ended):
        return
    world.count(f"ended {event.outcome}")
    if not event.text:
        world.broke(f"{run_id} ended {event.outcome} without a word")
    before_it = fold(entries[:-1])
    if event.outcome is Outcome.COMPLETED:
        _stands(process, run_id, before_it.forward.changes, exactly=False)
    elif event.outcome is Outcome.UNDONE:
        _stands(process, run_id, tuple(c.inverse for c in before_it.forward.changes), exactly=True)
    elif event.outcome in (Outcome.FAILED, Outcome.REFUSED):
        _nothing_stands(process, run_id, before_it.plan.changes)


def _stands(process: Process, run_id: str, changes: Sequence[Change], exactly: bool) -> None:
    """A run that ended well did what it says, but for what somebody else has done since."""
    world = process.world
    for change in changes:
        copy = process.copy(change.account, change.zone)
        now, last = copy.now(change.name), copy.past[change.name][-1]
        if now == change.after or (not exactly and same_answer(now, change.after)):
            continue
        if not process.wrote(run_id, last.writer) or last.at > process.read_at.get(change.place, 0.0):
            world.count("changed by somebody else, or late, before the end was told")
        elif process.stale.get(change.place):
            world.count("told from a stale reading")
        else:
            world.broke(f"{run_id} says that it ended well, but {change.name} is {values_text(now)}")


def _nothing_stands(process: Process, run_id: str, changes: Sequence[Change]) -> None:
    """A run that says that nothing was changed has changed nothing."""
    world = process.world
    for change in changes:
        last = process.copy(change.account, change.zone).past[change.name][-1]
        if not process.wrote(run_id, last.writer) or last.addresses != change.after or last.at < process.began:
            continue
        if last.at > process.read_at.get(change.place, 0.0):
            world.count("landed just before its run was told as failed")
        elif process.stale.get(change.place) and change.place not in process.confirmed:
            world.count("told from a stale reading")
        else:
            world.broke(f"{run_id} says that nothing was changed, but its change stands at {change.name}")
