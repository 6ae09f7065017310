"""The journal: on disk before anything acts on it, whole after any crash, and the same for every process."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from changeover.model.dns.capabilities import Capabilities
from changeover.model.dns.change import Change
from changeover.model.dns.records import RecordSet, record_set
from changeover.model.errors import ChangeoverError, Refused, UsageError
from changeover.model.runs.plan import Plan, plan_of
from changeover.model.runs.run import Committed, Ended, Intent, Outcome, Started, StepEnded, StepState, fold
from changeover.storage.journal.journal import Journal
from changeover.storage.journal.recorded_runs import RecordedRuns

#: Appends runs and entries to a journal and says each once it is told to be on disk.
WRITER = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from changeover.model.dns.capabilities import Capabilities
from changeover.model.dns.change import Change
from changeover.model.errors import ChangeoverError
from changeover.model.runs.plan import Plan
from changeover.model.runs.run import Intent, Started
from changeover.storage.journal.journal import Journal

async def main(file, service, runs, entries):
    journal = Journal(file)
    print("ready", flush=True)
    sys.stdin.readline()
    plan = Plan(service=service, source="a", to="b", steps=(), made_at=datetime.now(UTC))
    try:
        for _ in range(runs):
            run = (await journal.begin(Started(plan=plan))).run
            print(run, flush=True)
            for number in range(entries):
                await journal.append(run, Intent(step=number))
                print(run, number, flush=True)
    except ChangeoverError as error:
        sys.exit(f"{error.text} | {error.hint}")

asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
"""

#: Holds a service's lock until it is killed.
HOLDER = """
import asyncio, sys
from pathlib import Path
from changeover.storage.journal.journal import Journal

async def main(file):
    async with Journal(file).lock("shop"):
        print("held", flush=True)
        await asyncio.Event().wait()

asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "changeover.db"


@asynccontextmanager
async def opened(file: Path) -> AsyncIterator[Journal]:
    journal = Journal(file)
    try:
        yield journal
    finally:
        journal.close()


def plan(service: str = "shop") -> Plan:
    return Plan(service=service, source="primary", to="backup", steps=(), made_at=datetime(2024, 1, 1, tzinfo=UTC))


def whole_plan() -> Plan:
    """One with steps, records, and what a provider keeps beside them."""
    name = "www.shop.example"
    before = RecordSet(name=name, type="CNAME", ttl=1, values=("x.example",), details={"x.example": {"tags": ["é"]}})
    after = (record_set(name, "A", 60, ["192.0.2.1"]), record_set(name, "AAAA", 60, ["2001:db8::1"]))
    change = Change(account="dns", zone="shop.example", name=name, before=(before,), after=after)
    can = Capabilities(label="DNS", batch=None, native_compare_and_set=True, propagates_atomically=True)
    return plan_of("shop", "primary", "backup", [change], {"dns": can}, datetime(2024, 1, 1, tzinfo=UTC))


def writers(file: Path, services: Sequence[str], runs: int, entries: int) -> list[subprocess.Popen[str]]:
    """Processes that begin to write at the same moment."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(file), service, str(runs), str(entries)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for service in services
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return started


async def test_every_entry_is_on_disk_before_anything_acts_on_it(file: Path) -> None:
    """Write-ahead log, and an fsync for every entry."""
    async with opened(file) as journal:
        await journal.begin(Started(plan=plan()))
        assert journal._open().execute("PRAGMA synchronous").fetchone() == (2,), "FULL"
        other = sqlite3.connect(file)
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        other.close()


async def test_entries_come_back_as_they_were(file: Path) -> None:
    """Plans with their records, steps, outcomes: what another process reads is what was written."""
    whole = whole_plan()
    async with opened(file) as journal:
        run = (await journal.begin(Started(plan=whole, emergency=True))).run
        for event in (
            Intent(step=0),
            StepEnded(step=0, state=StepState.DONE, text="3 hostnames changed", seconds=0.25),
            Ended(outcome=Outcome.COMPLETED, text="done", seconds=1.5),
            Committed(),
        ):
            await journal.append(run, event)
        written = await journal.read(run)
    async with opened(file) as again:
        assert await again.read("shop-1") == written
        (found,) = await again.read_all()
    assert found == written
    folded = fold(found)
    assert (folded.plan, folded.emergency, folded.outcome) == (whole, True, "completed")
    assert all(entry.at.tzinfo is not None for entry in found)


async def test_runs_are_numbered_by_service_and_the_newest_comes_first(file: Path) -> None:
    """Services do not share numbers; what another process adds is seen by the next look."""
    async with opened(file) as journal, opened(file) as other:
        for service in ("shop", "blog", "shop", "shop-1"):
            await journal.begin(Started(plan=plan(service)))
        assert [e[0].run for e in await journal.read_all()] == ["shop-1-1", "shop-2", "blog-1", "shop-1"]
        assert (await other.begin(Started(plan=plan()))).run == "shop-3"
        await other.append("shop-1", Committed())
        assert [e[0].run for e in await journal.read_all()] == ["shop-3", "shop-1-1", "shop-2", "blog-1", "shop-1"]
        assert isinstance((await journal.read_all())[-1][-1].event, Committed)
        with pytest.raises(UsageError, match="There is no run shop-9"):
            await journal.read("shop-9")


async def test_processes_append_at_once(file: Path) -> None:
    """Four processes, two of them at one service: every number once, every entry there and in order."""
    processes = writers(file, ["shop", "shop", "blog", "blog"], runs=5, entries=4)
    said = [process.communicate(timeout=60)[0].split("\n") for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    begun = sorted(line for lines in said for line in lines if line and " " not in line)
    assert begun == sorted(f"{service}-{number}" for service in ("shop", "blog") for number in range(1, 11))
    async with opened(file) as journal:
        for entries in await journal.read_all():
            assert [e.event.step for e in entries[1:] if isinstance(e.event, Intent)] == [0, 1, 2, 3]


async def test_a_killed_process_leaves_all_that_it_was_told(file: Path) -> None:
    """SIGKILL in the midst of writing: every entry that was confirmed is there, and the journal goes on."""
    (process,) = writers(file, ["shop"], runs=1000, entries=5)
    assert process.stdout is not None
    said = [process.stdout.readline().strip() for _ in range(40)]
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate(timeout=60)
    said += [line for line in rest.split("\n") if line][:-1]  # the last line may be cut
    async with opened(file) as journal:
        found = {
            f"{run[0].run} {entry.event.step}" if isinstance(entry.event, Intent) else run[0].run
            for run in await journal.read_all()
            for entry in run
        }
        assert set(said) <= found
        number = int((await journal.begin(Started(plan=plan()))).run.rpartition("-")[2])
    assert number == len({name for name in found if " " not in name}) + 1


async def test_a_lock_says_that_somebody_is_alive(file: Path) -> None:
    """Of two that want a service's lock one gets it, and everybody sees that it is alive, until it lets go."""
    async with opened(file) as journal, opened(file) as other:
        assert not await other.is_alive("shop")
        async with journal.lock("shop"):
            assert await other.is_alive("shop")
            assert not await other.is_alive("blog")
            with pytest.raises(Refused, match="Another Changeover is working on shop"):
                async with other.lock("shop"):
                    pass
            async with other.lock("blog"):
                pass
        assert not await other.is_alive("shop")


async def test_a_run_whose_writer_is_killed_is_interrupted(file: Path) -> None:
    """While the process that holds the lock lives the run is running; SIGKILL, and it is interrupted."""
    (process,) = writers(file, ["shop"], runs=1, entries=0)
    process.communicate(timeout=60)
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDER, str(file), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"held\n"
    async with opened(file) as journal:
        recorded = RecordedRuns(journal)
        assert [run.outcome for run in await recorded.all()] == [Outcome.RUNNING]
        holder.kill()
        await holder.wait()
        assert [run.outcome for run in await recorded.all()] == [Outcome.INTERRUPTED]


async def test_a_newer_version_is_refused(file: Path) -> None:
    """Nothing is read or written; the words say what to do."""
    async with opened(file) as journal:
        await journal.begin(Started(plan=plan()))
    changed = sqlite3.connect(file)
    changed.execute("PRAGMA user_version = 99")
    changed.close()
    async with opened(file) as journal:
        for work in (journal.read_all(), journal.begin(Started(plan=plan())), journal.append("shop-1", Committed())):
            with pytest.raises(ChangeoverError, match="newer Changeover") as refused:
                await work
            assert refused.value.hint == "Update this one."
    unchanged = sqlite3.connect(file)
    assert unchanged.execute("SELECT count(*) FROM journal").fetchone() == (1,)
    unchanged.close()


async def test_what_is_no_journal(file: Path) -> None:
    """Another file in its place, a folder in its place, a file in its folder's place."""
    file.parent.mkdir()
    file.write_text("This is no database, and it is long enough to be sure of that." * 20)
    in_a_file = file / "changeover.db"
    folder = file.with_name("folder.db")
    folder.mkdir()
    for place in (file, in_a_file, folder):
        async with opened(place) as journal:
            for work in (journal.read_all(), journal.begin(Started(plan=plan()))):
                with pytest.raises(ChangeoverError, match="cannot be used") as refused:
                    await work
                assert str(place) in refused.value.text
                assert "Nothing is done without a journal" in refused.value.hint


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on a file's size")
async def test_a_disk_that_is_full(file: Path) -> None:
    """Said with its cause; what was confirmed before is whole, and once there is room it goes on."""
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n{WRITER}"
    command = [sys.executable, "-c", limited, str(file), "shop", "2000", "3"]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
    said, error = await asyncio.wait_for(process.communicate(b"go\n"), 120)
    assert process.returncode == 1
    assert f"The journal {file} cannot be used" in error.decode()
    assert "disk is not full" in error.decode()
    confirmed = said.decode().split("\n")[1:-1]
    assert len(confirmed) > 10
    async with opened(file) as journal:
        runs = await journal.read_all()
        assert sum(map(len, runs)) in (len(confirmed), len(confirmed) + 1)
        assert (await journal.begin(Started(plan=plan()))).run == f"shop-{len(runs) + 1}"


#: The disk is full for a while, and has room again, all in one process.
FULL_FOR_A_WHILE = """
import asyncio, resource, sys
from datetime import UTC, datetime
from pathlib import Path
from changeover.model.errors import ChangeoverError
from changeover.model.runs.plan import Plan
from changeover.model.runs.run import Committed, Started
from changeover.storage.journal.journal import Journal

async def main(file):
    journal = Journal(file)
    started = Started(plan=Plan(service="shop", source="a", to="b", steps=(), made_at=datetime.now(UTC)))
    first = (await journal.begin(started)).run
    log = file.with_name(file.name + "-wal").stat().st_size
    for room in range(0, 30_000, 700):
        resource.setrlimit(resource.RLIMIT_FSIZE, (log + room, resource.RLIM_INFINITY))
        for work in (journal.begin(started), journal.append(first, Committed())):
            try:
                await work
            except ChangeoverError:
                print("refused")
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await journal.begin(started)
        await journal.append(first, Committed())
        log = file.with_name(file.name + "-wal").stat().st_size

asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on a file's size")
async def test_a_disk_that_has_room_again(file: Path) -> None:
    """Wherever the disk was full, the same process goes on as soon as it can; no run is half there."""
    command = [sys.executable, "-c", FULL_FOR_A_WHILE, str(file)]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    said, error = await asyncio.wait_for(process.communicate(), 120)
    assert (process.returncode, b"refused" in said) == (0, True), error.decode()
    async with opened(file) as journal:
        runs = await journal.read_all()
        assert all(isinstance(run[0].event, Started) for run in runs)
        assert [run[0].run for run in runs] == [f"shop-{number}" for number in range(len(runs), 0, -1)]
