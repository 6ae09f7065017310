"""A run that stopped half way: which account has the new records, which the old ones, and which was never touched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from changeover.model.formatting import counted
from changeover.model.runs.plan import ChangeRecords, Plan
from changeover.model.runs.run import Entry, Intent, Started, StepEnded, StepState, UndoStarted

_MADE = (StepState.DONE, StepState.WARNING)
#: Of a step that ended so, or never began, it is certain that it changed nothing.
_NOT_MADE = (StepState.PENDING, StepState.FAILED, StepState.REFUSED, StepState.SKIPPED)


def who_has_what(plan: Plan, states: Sequence[StepState]) -> str:
    """Where a plan's batches were made, where not, and where nobody knows; empty where there is one batch only.

    `states` are those of the plan's steps.
    """
    batches = [(s, state) for s, state in zip(plan.steps, states, strict=True) if isinstance(s, ChangeRecords)]
    if len(batches) < 2:
        return ""
    said: dict[str, Counter[tuple[str, str]]] = {"Changed": Counter(), "Not changed": Counter(), "Not known": Counter()}
    for step, state in batches:
        word = "Changed" if state in _MADE else "Not changed" if state in _NOT_MADE else "Not known"
        said[word][(step.account, step.zone)] += len(step.changes)
    parts = [f"{word}: {_places(places)}" for word, places in said.items() if places]
    return ". ".join(parts)


def _places(places: Counter[tuple[str, str]]) -> str:
    return ", ".join(f"{counted(n, 'hostname')} of {zone} at account {a}" for (a, zone), n in places.items())


def untouched(entries: Sequence[Entry]) -> frozenset[str]:
    """The accounts where a run provably changed nothing, by its journal: no batch of theirs was ever under way to an
    end other than "nothing was changed". None, once the run has begun to go back."""
    started = entries[0].event
    if not isinstance(started, Started) or any(isinstance(entry.event, UndoStarted) for entry in entries):
        return frozenset()
    begun, touched = set[int](), set[int]()
    for entry in entries:
        match entry.event:
            case Intent(step=number):
                begun.add(number)
            case StepEnded(step=number, state=state):
                begun.discard(number)
                touched |= set() if state in _NOT_MADE else {number}
            case _:
                pass
    batches = [(n, step) for n, step in enumerate(started.plan.steps) if isinstance(step, ChangeRecords)]
    changed = {step.account for n, step in batches if n in begun | touched}
    return frozenset(step.account for _, step in batches) - changed
