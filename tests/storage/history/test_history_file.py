"""The file of the history: from older versions, after a crash, on a disk that fails, and one recorder only."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from changeover.model.errors import ChangeoverError
from changeover.model.health.history import GapKind
from changeover.model.runs.plan import Plan
from changeover.model.runs.run import Committed, Ended, Intent, Outcome, Started
from changeover.storage.database.database import Database
from changeover.storage.database.schema import MIGRATIONS
from changeover.storage.history.history import History
from changeover.storage.journal.journal import Journal
from storage.recorded import AT, after, one_round, opened, rows, sound

#: The schema of version 1, as it was released.
VERSION_1 = """
CREATE TABLE IF NOT EXISTS runs (
    service TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (service, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS journal (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    run TEXT NOT NULL,
    at TEXT NOT NULL,
    event TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS journal_run ON journal (run);
PRAGMA user_version = 1;
"""

#: Records without end, and says after each flush how many rounds the disk has.
RECORDER = """
import asyncio, sys
from datetime import timedelta
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from storage.recorded import after, one_round
from changeover.storage.history.history import History

async def main():
    history = History(Path(sys.argv[1]))
    print("recording" if history.begin_recording() else "refused", flush=True)
    sys.stdin.readline()
    step = 0
    while True:
        for _ in range(20):
            history.add_round("shop", one_round(after(seconds=30 * step), True, step % 5 != 0), "primary")
            step += 1
        await history.flush()
        print(step, flush=True)
        await history.roll_up(after(seconds=30 * step))

asyncio.run(main())
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data" / "changeover.db"


def recorder(file: Path) -> subprocess.Popen[str]:
    """Another process that records, ready to begin."""
    process = subprocess.Popen(
        [sys.executable, "-c", RECORDER, str(file), str(Path(__file__).parents[2])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "recording\n"
    return process


def write_version_1(file: Path) -> list[tuple[str, str, str]]:
    """A journal as version 1 left it: two runs, one of them unfinished."""
    plan = Plan(service="shop", source="primary", to="backup", steps=(), made_at=datetime(2024, 1, 1, tzinfo=UTC))
    finished = [
        Started(plan=plan),
        Intent(step=0),
        Ended(outcome=Outcome.COMPLETED, text="é", seconds=1.5),
        Committed(),
    ]
    events = [("shop-1", event) for event in finished] + [("shop-2", event) for event in finished[:2]]
    entries = [
        (run, f"2024-01-01T00:00:0{n}+00:00", msgspec.json.encode(e).decode()) for n, (run, e) in enumerate(events)
    ]
    connection = sqlite3.connect(file)
    connection.executescript(f"PRAGMA journal_mode = WAL; BEGIN; {VERSION_1} COMMIT;")
    connection.executemany("INSERT INTO runs VALUES (?, ?)", [("shop", 1), ("shop", 2)])
    connection.executemany("INSERT INTO journal (run, at, event) VALUES (?, ?, ?)", entries)
    connection.commit()
    connection.close()
    return entries


@pytest.mark.parametrize("first", ["journal", "history"])
async def test_a_journal_of_version_1_is_kept(file: Path, first: str) -> None:
    """Whoever opens it first: every entry is there as it was, runs are numbered on, and the history begins."""
    entries = write_version_1(file)
    journal = Journal(file)
    if first == "journal":
        await journal.read_all()
    async with opened(file) as history:
        history.add_round("shop", one_round(AT), "primary")
        await history.flush()
        assert rows(file, "SELECT run, at, event FROM journal ORDER BY seq") == entries
        newer, older = await journal.read_all()
        assert (newer[0].run, older[-1].event) == ("shop-2", Committed())
        assert (await journal.begin(Started(plan=older[0].event.plan))).run == "shop-3"  # type: ignore[union-attr]
        assert await history.last_seen() == AT
    journal.close()
    assert rows(file, "PRAGMA user_version") == [(len(MIGRATIONS),)]


async def test_many_open_an_old_file_at_once(file: Path) -> None:
    """Each of them finds the new tables, and one of them made these."""
    write_version_1(file)
    several = [Database(file, "It", "", durable=True) for _ in range(6)]
    opened_all = await asyncio.gather(*(one.in_thread(one.open) for one in several))
    counts = [c.execute("SELECT count(*) FROM marks, journal").fetchone() for c in opened_all]
    assert counts == [(18,)] * 6
    for one in several:
        one.close()


async def test_a_newer_file_is_refused(file: Path) -> None:
    """Nothing is read or written; what was added waits, and the words say what to do."""
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    history = History(file)
    assert history.begin_recording()
    history.add_round("shop", one_round(AT), "primary")
    for work in (history.flush, history.last_seen):
        with pytest.raises(ChangeoverError, match="newer Changeover") as refused:
            await work()
        assert refused.value.hint == "Update this one."
    await history.aclose()
    assert rows(file, "SELECT count(*) FROM sqlite_master") == [(0,)]


async def test_the_journal_stays_durable_and_the_history_is_cheap(file: Path) -> None:
    """An fsync for every entry of the journal; for the history the log's order is enough."""
    journal = Journal(file)
    await journal.read_all()
    async with opened(file) as history:
        history.add_round("shop", one_round(AT), "primary")
        await history.flush()
        assert journal._open().execute("PRAGMA synchronous").fetchone() == (2,), "FULL"
        assert history._writing.open().execute("PRAGMA synchronous").fetchone() == (1,), "NORMAL"
    journal.close()


@pytest.mark.parametrize("lines", [1, 3, 8, 20, 50])
async def test_a_killed_recorder_leaves_a_whole_file(file: Path, lines: int) -> None:
    """SIGKILL while it writes and rolls up: whole, all that was flushed is there, and the next one goes on."""
    process = recorder(file)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    said = [process.stdout.readline().strip() for _ in range(lines)]
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate(timeout=120)
    said += [line for line in rest.split("\n") if line][:-1]  # the last line may be cut
    assert sound(file)
    async with opened(file) as history:
        last = await history.last_seen()
        assert last is not None
        steps = (last - AT).total_seconds() / 30 + 1
        assert steps >= int(said[-1])
        history.add_round("shop", one_round(after(days=1)), "primary")
        await history.roll_up(after(days=1, hours=2))
        days = await history.days("shop", AT, after(days=1, hours=2), UTC)
        assert sum(day.counted.tried for day in days) == steps + 1
    assert sound(file)


async def test_one_records_and_another_is_told_it_may_not(file: Path) -> None:
    """Neither another process nor another window counts twice; when the recorder is gone another may."""
    with recorder(file) as process:
        history = History(file)
        assert not history.begin_recording()
        assert not history.recording
        history.add_round("shop", one_round(AT), "primary")
        await history.roll_up(after(hours=1))
        assert await history.last_seen() is None
        process.kill()
        process.wait(30)
        assert history.begin_recording()
        assert history.begin_recording(), "it does already"
    second = History(file)
    assert not second.begin_recording()
    await history.aclose()
    assert second.begin_recording()
    await second.aclose()


async def test_what_cannot_be_written_waits(file: Path) -> None:
    """Said with its cause and what to do; once it can be, all of it is there, in its order."""
    file.mkdir()
    history = History(file)
    assert history.begin_recording()
    history.begin_incident("shop", "primary", AT, None, "refused", {})
    for work in (history.flush, history.last_seen):
        with pytest.raises(ChangeoverError, match=r"The history .* cannot be used") as failed:
            await work()
        assert "changeover repair" in failed.value.hint
    history.end_incident("shop", "primary", after(minutes=1))
    file.rmdir()
    await history.flush()
    (incident,) = await history.incidents("shop", AT, after(hours=1))
    assert incident.ended == after(minutes=1)
    await history.aclose()


async def test_a_flush_is_written_wholly_or_not_at_all(file: Path) -> None:
    """Where one row of it fails nothing of it is there; the next time all of it is, once."""
    async with opened(file) as history:
        await history.flush()
        assert await history.last_seen() is None
        connection = sqlite3.connect(file)
        connection.execute("CREATE TRIGGER no BEFORE INSERT ON results BEGIN SELECT RAISE(ABORT, 'no'); END")
        history.add_gap(GapKind.ASLEEP, after(minutes=1), after(minutes=2))
        history.add_round("shop", one_round(AT, False), "primary")
        for _ in range(2):
            with pytest.raises(ChangeoverError):
                await history.flush()
        tables = ("gaps", "deployments", "places", "reasons", "results")
        assert [rows(file, f"SELECT count(*) FROM {table}") for table in tables] == [[(0,)]] * 5
        connection.execute("DROP TRIGGER no")
        connection.close()
        await history.flush()
        assert [rows(file, f"SELECT count(*) FROM {table}") for table in tables] == [[(1,)]] * 5
        (day,) = await history.days("shop", AT, after(hours=1), UTC)
        assert day.counted.bad == 1
    assert sound(file)


async def test_what_waits_is_written_at_the_end(file: Path) -> None:
    """Closing writes the last seconds; where it cannot, it closes all the same."""
    async with opened(file) as history:
        history.add_round("shop", one_round(AT), "primary")
    assert rows(file, "SELECT count(*) FROM results") == [(1,)]
    broken = History(file.parent / "folder" / "changeover.db")
    assert broken.begin_recording()
    (file.parent / "folder" / "changeover.db").mkdir()
    broken.add_round("shop", one_round(AT), "primary")
    await broken.aclose()
