"""The state of a run, folded from its journal or from any beginning of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from changeover.model.run import Accepted, Committed, Entry, Outcome, Resumed, StepState, UndoStarted, fold
from model.strategies import journals

UNFINISHED = (Outcome.INTERRUPTED, Outcome.INCOMPLETE)


@given(journals(), st.data())
def test_any_beginning_of_a_journal_gives_a_state_with_a_safe_next_action(
    journal: list[Entry], data: st.DataObject
) -> None:
    """Unfinished: resume, undo or accept it, and no new run. Finished: what its outcome allows. Nothing else."""
    cut = data.draw(st.integers(1, len(journal)))
    run = fold(journal[:cut])
    if run.accepted is not None:
        assert not run.unfinished
        assert run.next == ("undo",)
    elif run.outcome in UNFINISHED:
        assert run.unfinished
        assert run.next == ("resume", "undo", "accept")
        assert all(step.state is not StepState.RUNNING for step in run.steps) or run.outcome is Outcome.INCOMPLETE
    elif run.outcome is Outcome.COMPLETED:
        assert not run.unfinished
        assert run.next == (("undo",) if run.committed else ("undo", "commit"))
    else:
        assert run.outcome is Outcome.UNDONE
        assert run.next == ()
    assert run.forward.changes, "what an undo needs is always there"


@given(journals(), st.data())
def test_while_somebody_works_on_it_nobody_else_may(journal: list[Entry], data: st.DataObject) -> None:
    """A run without an end is running while its process lives, interrupted after."""
    cut = data.draw(st.integers(1, len(journal)))
    alive, dead = fold(journal[:cut], alive=True), fold(journal[:cut])
    if dead.outcome is Outcome.INTERRUPTED and dead.accepted is None:
        assert (alive.outcome, alive.next) == (Outcome.RUNNING, ())
    else:
        assert alive.outcome is dead.outcome


@given(journals())
def test_an_intent_without_an_end_is_never_taken_for_done(journal: list[Entry]) -> None:
    """After a crash in the midst of a step its state is unknown."""
    for cut in range(1, len(journal)):
        run = fold(journal[:cut])
        begun = type(journal[cut - 1].event).__name__ == "Intent"
        if begun:
            assert run.outcome is Outcome.INTERRUPTED
            assert StepState.UNKNOWN in [step.state for step in run.steps]


@given(journals())
def test_an_undo_that_changed_nothing_leaves_the_run_as_it_was(journal: list[Entry]) -> None:
    """Refused and failed undos are told, but the run stays what it was before them."""
    for cut in range(2, len(journal) + 1):
        event = journal[cut - 1].event
        if getattr(event, "outcome", None) in (Outcome.REFUSED, Outcome.FAILED):
            undo = max(n for n in range(cut) if isinstance(journal[n].event, UndoStarted))
            before, after = fold(journal[:undo]), fold(journal[:cut])
            assert (before.outcome, before.next, before.direction) == (after.outcome, after.next, after.direction)


def test_the_strategy_reaches_everything() -> None:
    """The made-up journals have every kind of event in them, or the properties above would prove little."""
    seen: set[str] = set()

    @given(journals())
    def look(journal: list[Entry]) -> None:
        seen.update(type(entry.event).__name__ for entry in journal)

    look()
    assert {c.__name__ for c in (Accepted, Committed, Resumed, UndoStarted)} <= seen
