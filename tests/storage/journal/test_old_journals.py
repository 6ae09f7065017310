"""Journals of older and of newer versions, and damaged ones: each run by itself is told, and no other suffers."""

from __future__ import annotations

import contextlib
import functools
import sqlite3
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.model.errors import Refused
from changeover.model.runs.plan import ActionStep
from changeover.model.runs.run import (
    EVENT_VERSION,
    Accepted,
    Committed,
    Entry,
    Event,
    Outcome,
    Run,
    StepState,
    UnreadableEvent,
    fold,
)
from changeover.storage.journal.journal import Journal
from changeover.storage.journal.recorded_runs import RecordedRuns
from changeover.storage.journal.store import decoded, encoded
from storage.journal.old_journal import STOOD, flip, rows, write_old_journal

NOW = datetime(2026, 12, 1, tzinfo=UTC)
KINDS = {kind.__struct_config__.tag for kind in Event.__args__}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "changeover.db"
    write_old_journal(made)
    return made


async def runs_in(file: Path) -> dict[str, Run]:
    """All runs by name, as a new process reads them."""
    with contextlib.closing(Journal(file)) as journal:
        return {run.run: run for run in await RecordedRuns(journal).all()}


def sql(file: Path, statement: str, *values: object) -> None:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute(statement, values)
        connection.commit()


@functools.cache
def old_rows() -> list[tuple[int, str, bytes]]:
    with tempfile.TemporaryDirectory() as folder:
        write_old_journal(Path(folder) / "changeover.db")
        return rows(Path(folder) / "changeover.db")


async def test_an_old_journal_opens(file: Path) -> None:
    """Every run stands as the Changeover that wrote it said, newest first, with its service, and its steps' names."""
    found = await runs_in(file)
    assert {name: (str(run.outcome), run.next) for name, run in found.items()} == STOOD
    assert list(found) == list(STOOD)
    assert all(run.service == name.rpartition("-")[0] for name, run in found.items())
    escalated = found["shop-3"]
    assert (escalated.emergency, escalated.acknowledged is not None) == (True, True)
    assert escalated.who == "alice@laptop"
    states = {step.name: step.state for step in found["shop-2"].steps}
    assert (states["promote"], states["go"], states["open"]) == (StepState.SKIPPED, StepState.DONE, StepState.SKIPPED)
    assert found["shop-4"].accepted == "nothing was changed yet"
    assert found["shop-2"].reprotected is not None
    assert found["shop-6"].taken_back == {"lock"}
    kinds = {type(step.operation).__name__ for step in found["shop-2"].plan.steps if isinstance(step, ActionStep)}
    assert kinds == {"CommandLine", "WaitUntil", "Approval", "Note", "HttpCall"}


async def test_an_old_journal_goes_on(file: Path) -> None:
    """Entries are added to its runs, new runs are numbered on, and both kinds of rows are read together."""
    with contextlib.closing(Journal(file)) as journal:
        await journal.append("shop-7", Accepted(reason="seen", who="anna@laptop"))
        first = (await journal.read("shop-1"))[0]
        assert (await journal.begin(first.event)).run == "shop-8"  # type: ignore[arg-type]
    found = await runs_in(file)
    assert (found["shop-7"].accepted, found["shop-8"].outcome) == ("seen", Outcome.INTERRUPTED)


def test_the_old_journal_has_every_kind_of_event() -> None:
    """Or it would prove little."""
    kinds = Counter(msgspec.json.decode(event)["type"] for _, _, event in old_rows())
    assert set(kinds) == KINDS


@pytest.mark.parametrize("kind", sorted(KINDS))
async def test_damage_in_one_event_touches_one_run(file: Path, kind: str) -> None:
    """A byte of any kind of event: its run says that it is damaged, and all others stand as they did."""
    number, damaged, _ = rows(file, f'event LIKE \'%"type":"{kind}"%\'')[-1]
    flip(file, [number])
    found = await runs_in(file)
    assert found[damaged].outcome is Outcome.DAMAGED
    assert found[damaged].next in ((), ("accept",))
    del found[damaged]
    assert {name: (str(r.outcome), r.next) for name, r in found.items()} == {
        name: stood for name, stood in STOOD.items() if name != damaged
    }


@given(st.data())
def test_whatever_byte_is_another_a_run_is_told(data: st.DataObject) -> None:
    """Any bit of any old event, which has no checksum: there is a state, and what is in doubt is never undone."""
    number = data.draw(st.integers(0, len(old_rows()) - 1))
    _, damaged, event = old_rows()[number]
    changed = bytearray(event)
    changed[data.draw(st.integers(0, len(event) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    raws = [bytes(changed) if n == number else raw for n, (_, run, raw) in enumerate(old_rows()) if run == damaged]
    run = fold([Entry(run=damaged, at=NOW, event=decoded(None, raw, None), service="shop") for raw in raws])
    if run.unreadable:
        assert run.next in ((), ("accept",))


@given(st.binary(min_size=1, max_size=3), st.data())
def test_a_checksum_finds_every_change(noise: bytes, data: st.DataObject) -> None:
    """Also one that leaves the event well formed, such as another digit in an address."""
    raw = data.draw(st.sampled_from([event for _, _, event in old_rows()]))
    event = decoded(None, raw, None)
    assert not isinstance(event, UnreadableEvent)
    version, written, checksum = encoded(event)
    assert (version, decoded(version, written, checksum)) == (EVENT_VERSION, event)
    place = data.draw(st.integers(0, len(written) - len(noise)))
    changed = written[:place] + noise + written[place + len(noise) :]
    if changed != written:
        assert decoded(version, changed, checksum) == UnreadableEvent(newer=False)


@pytest.mark.parametrize(
    ("version", "event"),
    [
        (None, '{"type":"teleported"}'),
        (EVENT_VERSION, '{"type":"teleported","to":"the moon"}'),
        (EVENT_VERSION + 1, '{"type":"committed","who":"anna@laptop"}'),
        (EVENT_VERSION + 1, '{"type":"intent","step":"the third"}'),
    ],
)
async def test_an_event_of_a_newer_version(file: Path, version: int | None, event: str) -> None:
    """Of a kind or a version that this Changeover does not know: its run says who wrote it, and blocks its service."""
    add = "INSERT INTO journal (run, at, event) VALUES ('shop-3', ?, ?)"
    await runs_in(file)  # brings the file to this version's schema
    sql(file, add, NOW.isoformat(), event)
    sql(file, "UPDATE journal SET version = ? WHERE seq = (SELECT max(seq) FROM journal)", version)
    found = await runs_in(file)
    newer = found["shop-3"]
    assert (newer.outcome, newer.next, newer.emergency) == (Outcome.NEWER, ("accept",), False)
    assert newer.to == "primary", "its plan is known all the same"
    with contextlib.closing(Journal(file)) as journal:
        recorded = RecordedRuns(journal)
        assert (found["blog-2"].outcome, await recorded.unfinished("blog")) == (Outcome.COMPLETED, None)
        await journal.append("shop-7", Accepted(reason="seen"))
        with pytest.raises(Refused, match="Run shop-3 of shop was written by a newer Changeover") as refused:
            await recorded.refuse_unfinished("shop")
        assert "changeover accept shop-3 --reason TEXT" in refused.value.hint
        for verb in ("undo", "resume", "commit"):
            with pytest.raises(Refused, match=f"it takes no {verb}"):
                async with recorded.to_go_on("shop-3", verb):
                    pass
        async with recorded.to_go_on("shop-3", "accept"):
            await journal.append("shop-3", Accepted(reason="looked at it", who="anna@laptop"))
        await recorded.refuse_unfinished("shop")


async def test_what_is_damaged_besides_events(file: Path) -> None:
    """A row's time, and its run's name: the run is damaged, or what is left of it is told; nothing else suffers."""
    last = rows(file, "run = 'shop-7'")[-1][0]
    sql(file, "UPDATE journal SET at = '2026-13-99' WHERE run = 'shop-6' AND event LIKE '%undo-started%'")
    sql(file, "UPDATE journal SET run = CAST(X'73686F70FF37' AS TEXT) WHERE seq = ?", last)
    found = await runs_in(file)
    assert found["shop-6"].outcome is Outcome.DAMAGED
    assert found["shop-7"].outcome is Outcome.INTERRUPTED
    stray = next(run for name, run in found.items() if name not in STOOD)
    assert (stray.outcome, stray.service) == (Outcome.DAMAGED, "")
    assert found["blog-2"].outcome is Outcome.COMPLETED


async def test_a_damaged_run_that_is_known_to_be_over_blocks_nothing(file: Path) -> None:
    """Its end stands after what cannot be read; where the end itself cannot, nobody knows."""
    first, *_, last = rows(file, "run = 'blog-1'")
    flip(file, [first[0]])
    with contextlib.closing(Journal(file)) as journal:
        recorded = RecordedRuns(journal)
        run = await recorded.one("blog-1")
        assert (run.outcome, run.unfinished, run.service, run.source) == (Outcome.DAMAGED, False, "blog", "unknown")
        await recorded.refuse_unfinished("blog")
    flip(file, [last[0]])
    assert (await runs_in(file))["blog-1"].unfinished


async def test_runs_are_folded_once(file: Path) -> None:
    """The same object comes back until its run has another entry, also one of another process."""
    with contextlib.closing(Journal(file)) as journal, contextlib.closing(Journal(file)) as other:
        recorded = RecordedRuns(journal)
        first = {run.run: run for run in await recorded.all()}
        await other.append("shop-3", Committed(who="anna@laptop"))
        again = {run.run: run for run in await recorded.all()}
    assert {name for name in first if first[name] is not again[name]} == {"shop-3"}
    assert again["shop-3"].committed is not None
