"""The state of a run, folded from its journal or from any beginning of it."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from changeover.model.dns.capabilities import BatchLimit
from changeover.model.dns.change import Change
from changeover.model.platforms.platform_observation import PlatformObservation
from changeover.model.runs.plan import ActionStep, Plan, plan_of
from changeover.model.runs.plan_actions import undoing
from changeover.model.runs.run import (
    Accepted,
    Committed,
    Ended,
    Entry,
    Event,
    Intent,
    Outcome,
    Paused,
    Repeated,
    Resumed,
    Started,
    StepEnded,
    StepState,
    UndoStarted,
    UnreadableEvent,
    fold,
    foremost,
)
from changeover.model.settings.action import Action, Phase, PlatformCall
from model.strategies import NEXT, NOW, capabilities, histories, journals


@settings(max_examples=300)
@given(histories())
def test_any_beginning_of_a_journal_gives_a_state_with_a_safe_next_action(history: list[tuple[Entry, str]]) -> None:
    """Unfinished: resume, undo or accept it, and no new run. Finished: what its outcome allows. Nothing else."""
    journal = [entry for entry, _ in history]
    for cut, (_, stands) in enumerate(history, start=1):
        run = fold(journal[:cut])
        assert run.next == NEXT[stands], stands
        assert run.unfinished is (stands == "open")
        assert (run.accepted is not None) is (stands == "accepted")
        assert run.outcome is not Outcome.RUNNING
        assert all(step.state is not StepState.RUNNING for step in run.steps), "nobody is at work"
        assert run.forward == journal[0].event.plan, "what an undo needs is always there"


@given(journals, st.data())
def test_while_somebody_works_on_it_nobody_else_may(journal: list[Entry], data: st.DataObject) -> None:
    """A run without an end is running while its process lives, interrupted after."""
    cut = data.draw(st.integers(1, len(journal)))
    alive, dead = fold(journal[:cut], alive=True), fold(journal[:cut])
    if dead.outcome is Outcome.INTERRUPTED and dead.accepted is None:
        assert (alive.outcome, alive.next) == (Outcome.RUNNING, ())
    else:
        assert alive.outcome is dead.outcome


@given(journals)
def test_an_intent_without_an_end_is_never_taken_for_done(journal: list[Entry]) -> None:
    """After a crash in the midst of a step its state is unknown."""
    for cut in range(1, len(journal)):
        run = fold(journal[:cut])
        begun = type(journal[cut - 1].event).__name__ == "Intent"
        if begun:
            assert run.outcome is Outcome.INTERRUPTED
            assert StepState.UNKNOWN in [step.state for step in run.steps]


@given(journals)
def test_an_undo_that_changed_nothing_leaves_the_run_as_it_was(journal: list[Entry]) -> None:
    """Refused and failed undos are told, but the run stays what it was before them."""
    for cut in range(2, len(journal) + 1):
        event = journal[cut - 1].event
        ended = isinstance(event, Ended) and event.outcome in (Outcome.REFUSED, Outcome.FAILED)
        if ended and any(isinstance(entry.event, UndoStarted) for entry in journal[:cut]):
            undo = max(n for n in range(cut) if isinstance(journal[n].event, UndoStarted))
            before, after = fold(journal[:undo]), fold(journal[:cut])
            assert (before.outcome, before.next, before.direction) == (after.outcome, after.next, after.direction)


def test_the_strategy_reaches_everything() -> None:
    """The made-up journals come to every state in every way, or the properties above would prove little."""
    seen: set[tuple[str, str]] = set()

    @settings(max_examples=1000, derandomize=True)
    @given(histories())
    def look(history: list[tuple[Entry, str]]) -> None:
        seen.update((type(entry.event).__name__, stands) for entry, stands in history)

    look()
    assert seen >= {
        *((event, "open") for event in ("Started", "Intent", "StepEnded", "Ended", "Resumed", "UndoStarted")),
        *(("Ended", stands) for stands in ("completed", "undone", "nothing changed")),
        ("Accepted", "accepted"),
        ("Committed", "committed"),
    }


def test_no_entries_are_no_run() -> None:
    """Nothing can be said of nothing."""
    with pytest.raises(ValueError, match="begins with its plan"):
        fold(())


@given(journals, st.data())
def test_what_cannot_be_read_is_in_doubt_until_an_entry_ends_it(journal: list[Entry], data: st.DataObject) -> None:
    """Whichever entries are damaged or newer: the run says so, is neither resumed nor undone, and blocks until it is
    known to be over; accepting it ends it, whatever was damaged.
    """
    wrong = data.draw(st.sets(st.integers(0, len(journal) - 1), min_size=1))
    newer = data.draw(st.booleans())
    entries = [
        replace(entry, event=UnreadableEvent(newer=newer), service="shop") if number in wrong else entry
        for number, entry in enumerate(journal)
    ]
    run = fold(entries)
    assert run.outcome is (Outcome.NEWER if newer else Outcome.DAMAGED)
    assert run.unreadable
    assert run.next == (("accept",) if run.unfinished else ())
    sound = fold(journal)
    if sound.unfinished:
        assert run.unfinished, "what is open must not look closed"
    if max(wrong) == len(journal) - 1:
        assert run.unfinished, "nobody knows what the last entry was"
    assert run.service == sound.service
    ended = fold([*entries, Entry(run=run.run, at=NOW, event=Accepted(reason="seen"))])
    assert (ended.outcome, ended.unfinished, ended.accepted, ended.next) == (run.outcome, False, "seen", ())


def test_damage_before_newer_entries_is_damage() -> None:
    """An update would not help."""
    first = Entry(run="shop-1", at=NOW, event=UnreadableEvent(newer=False), service="shop")
    run = fold([first, Entry(run="shop-1", at=NOW, event=UnreadableEvent(newer=True))])
    assert (run.outcome, run.service, run.source) == (Outcome.DAMAGED, "shop", "unknown")


@pytest.mark.parametrize(
    "event", [Intent(step=99), StepEnded(step=99, state=StepState.DONE), Committed(), Accepted(reason="seen")]
)
def test_entries_that_do_not_fit_together_are_damage(event: Event) -> None:
    """A step that no plan has, and a run without a beginning; only an entry that ends it makes it harmless."""
    entry = Entry(run="shop-1", at=NOW, event=event, service="shop")
    run = fold([entry])
    assert (run.outcome, run.service) == (Outcome.DAMAGED, "shop")
    assert run.unfinished is isinstance(event, Intent | StepEnded)
    whole = started_run()
    if isinstance(event, Intent | StepEnded):
        assert fold([*whole, entry]).outcome is Outcome.DAMAGED


def test_the_run_that_stands_in_the_way_comes_first() -> None:
    """An older run that must be ended goes before the newest; where all are over, the newest does."""
    over = fold([*started_run(), Entry(run="shop-2", at=NOW, event=Ended(outcome=Outcome.COMPLETED))])
    open_run = fold(started_run())
    assert foremost([over, open_run]) is open_run
    assert foremost([over]) is over
    assert foremost([]) is None


@pytest.mark.parametrize("alive", [True, False])
def test_a_run_that_is_to_pause_says_so_while_it_goes_on_too(alive: bool) -> None:
    """The process that works on it stops for that; once it is resumed nothing is paused."""
    entries = [*started_run(), Entry(run="shop-1", at=NOW, event=Paused(who="anna@laptop"))]
    assert fold(entries, alive=alive).paused
    assert not fold([*entries, Entry(run="shop-1", at=NOW, event=Resumed())], alive=alive).paused


def started_run() -> list[Entry]:
    return [Entry(run="shop-1", at=NOW, event=Started(plan=plan_of("shop", "primary", "backup", [], {}, NOW)))]


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.FAILED])
@pytest.mark.parametrize(
    ("events", "stands"),
    [
        ([Ended(outcome=Outcome.COMPLETED)], "completed"),
        ([Ended(outcome=Outcome.COMPLETED), Committed()], "committed"),
        ([Ended(outcome=Outcome.INCOMPLETE), Accepted(reason="seen")], "accepted"),
        ([Accepted(reason="seen")], "accepted"),
    ],
    ids=["completed", "committed", "incomplete and accepted", "interrupted and accepted"],
)
def test_a_refused_undo_gives_back_how_the_run_stood(events: list[Event], stands: str, outcome: Outcome) -> None:
    """And the undo can be tried again."""
    change = Change(account="one", zone="shop.example", name="shop.example", before=(), after=())
    plan = plan_of("shop", "primary", "backup", [change], {"one": capabilities(None)}, NOW)
    begun: list[Event] = [Started(plan=plan), Intent(step=0), *events]
    undo: list[Event] = [UndoStarted(plan=plan), Intent(step=0), Ended(outcome=outcome)]
    journal = [Entry(run="shop-1", at=NOW, event=event) for event in (*begun, *undo, *undo)]
    before = fold(journal[: len(begun)])
    for cut in (len(begun) + len(undo), len(journal)):
        after = fold(journal[:cut])
        assert after.next == NEXT[stands]
        assert after == before
    assert fold(journal[:-1]).next == NEXT["open"]


def test_what_a_run_tells_of_itself() -> None:
    """Who, from where, to where, when, how long, what was said; the steps of the present direction."""
    change = Change(account="one", zone="shop.example", name="shop.example", before=(), after=())
    can = {"one": capabilities(BatchLimit(records=9))}
    there = plan_of("shop", "primary", "backup", [change], can, NOW)
    back = plan_of("shop", "backup", "primary", [change.inverse], can, NOW)
    events = [
        Started(plan=there, emergency=True),
        Intent(step=0),
        StepEnded(step=0, state=StepState.DONE, text="1 hostname changed", seconds=0.5),
        Ended(outcome=Outcome.INCOMPLETE, text="the rest is not known", seconds=0.75),
        UndoStarted(plan=back),
    ]
    journal = [Entry(run="shop-1", at=NOW + timedelta(seconds=n), event=event) for n, event in enumerate(events)]
    run = fold(journal[:4])
    assert (run.run, run.service, run.source, run.to, run.emergency) == ("shop-1", "shop", "primary", "backup", True)
    assert (run.started, run.ended, run.seconds) == (NOW, NOW + timedelta(seconds=3), 0.75)
    assert (run.outcome, run.text, run.direction) == ("incomplete", "the rest is not known", "forward")
    assert [(step.state, step.note) for step in run.steps][:2] == [("done", "1 hostname changed"), ("pending", "")]
    undoing = fold(journal, alive=True)
    assert (undoing.outcome, undoing.direction, undoing.plan, undoing.ended) == ("running", "undo", back, None)
    assert {step.state for step in undoing.steps} == {StepState.PENDING}
    assert (undoing.source, undoing.to) == ("primary", "backup")


OLD_INTENT = b'{"type":"intent","step":1}'


def test_an_intent_of_an_older_version_is_read_and_none_is_written_otherwise() -> None:
    """What stood at a platform is new in it, and is left out where there was none."""
    assert msgspec.json.decode(OLD_INTENT, type=Event) == Intent(step=1)
    assert msgspec.json.encode(Intent(step=1)) == OLD_INTENT
    kept = Intent(step=1, before=PlatformObservation(wanted=2, maintenance=False))
    assert msgspec.json.decode(msgspec.json.encode(kept), type=Event) == kept


@pytest.mark.parametrize("between", [(Resumed(),), (Repeated(step=0),), (Repeated(step=0), Resumed())])
def test_what_stood_before_the_first_try_is_what_an_undo_goes_back_to(between: tuple[Event, ...]) -> None:
    """A second try may already find what the first one did."""
    call = PlatformCall(deployment="backup", verb="scale", options={"instances": 5})
    action = Action(name="room", phase=Phase.PROMOTE, operation=call, repeatable=True)
    step = ActionStep(name="room", text="", action=action, operation=call)
    plan = Plan(service="shop", source="primary", to="backup", steps=(step,), made_at=NOW)
    first, second = PlatformObservation(wanted=2), PlatformObservation(wanted=5)
    events = (Started(plan=plan), Intent(step=0, before=first), *between, Intent(step=0, before=second))
    run = fold([Entry(run="shop-1", at=NOW, event=event) for event in events])
    assert run.steps[0].before == first
    (back,) = undoing(replace(plan, steps=()), run.forward, run.went, run.taken_back).steps
    assert isinstance(back, ActionStep)
    assert back.operation == replace(call, options={"instances": 2})
