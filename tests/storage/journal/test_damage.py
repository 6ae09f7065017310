"""Damage to the database on disk: told in words, repaired as far as it can be read, and no number given twice."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from changeover.model.errors import ChangeoverError
from changeover.model.runs.plan import Plan
from changeover.model.runs.run import Intent, Outcome, Started, fold
from changeover.storage.database.repair import is_damaged, repair
from changeover.storage.journal.journal import Journal
from changeover.storage.journal.lock import is_locked, service_lock

NOW = datetime(2026, 12, 1, 4, 41, tzinfo=UTC)


def started(service: str = "shop") -> Started:
    return Started(plan=Plan(service=service, source="a", to="b", steps=(), made_at=NOW))


async def written(file: Path, runs: int, entries: int = 20) -> None:
    journal = Journal(file)
    for _ in range(runs):
        run = (await journal.begin(started())).run
        for number in range(entries):
            await journal.append(run, Intent(step=number))
    journal.close()
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


async def next_number(file: Path) -> str:
    journal = Journal(file)
    try:
        return (await journal.begin(started())).run
    finally:
        journal.close()


def overwrite(file: Path, start: float, end: float) -> None:
    """Writes noise over a part of the file, given as parts of its length."""
    raw = bytearray(file.read_bytes())
    a, b = int(len(raw) * start), int(len(raw) * end)
    raw[a:b] = b"Z" * (b - a)
    file.write_bytes(raw)


@pytest.mark.parametrize(
    ("start", "end", "kept"),
    [(0.3, 0.32, True), (0.95, 1.0, True), (0.0, 1.0, False), (0.0, 0.001, False)],
    ids=["in the midst", "at the end", "all of it", "its head"],
)
async def test_damage_is_repaired(tmp_path: Path, start: float, end: float, kept: bool) -> None:
    """The damaged file stays under a name that says so, what can be read is in the new one, and numbers go on."""
    file = tmp_path / "changeover.db"
    await written(file, runs=12)
    overwrite(file, start, end)
    raw = file.read_bytes()
    assert is_damaged(file)
    done = repair(file, NOW)
    assert done.moved.name == "changeover.db.damaged-20261201-044100"
    assert done.moved.read_bytes() == raw
    assert not is_damaged(file)
    assert bool(done.kept["journal"]) is kept
    assert await next_number(file) == "shop-13"


async def test_a_damaged_one_says_the_way_out(tmp_path: Path) -> None:
    """Reading and writing fail with what is wrong and with the command that repairs it."""
    file = tmp_path / "changeover.db"
    await written(file, runs=2)
    file.write_bytes(b"no database at all, but as long as one" * 1000)
    journal = Journal(file)
    with pytest.raises(ChangeoverError, match="damaged") as refused:
        await journal.read_all()
    assert "changeover repair" in refused.value.hint
    with pytest.raises(ChangeoverError, match="damaged"):
        await journal.begin(started())
    journal.close()


async def test_what_was_open_can_be_resumed(tmp_path: Path) -> None:
    """A run that had no end is interrupted after a repair, so that it is resumed from what the zone shows."""
    file = tmp_path / "changeover.db"
    await written(file, runs=150, entries=0)
    overwrite(file, 0.7, 0.75)
    repair(file, NOW)
    journal = Journal(file)
    runs = {fold(entries).run: fold(entries) for entries in await journal.read_all()}
    journal.close()
    assert 100 < len(runs) < 150
    assert runs["shop-1"].outcome is Outcome.INTERRUPTED
    assert "resume" in runs["shop-1"].next


@pytest.mark.parametrize("gone", ["cut to nothing", "removed"])
async def test_numbers_are_never_given_twice(tmp_path: Path, gone: str) -> None:
    """What is lost with the database are its runs, not their numbers: reports of old ones keep their names."""
    file = tmp_path / "changeover.db"
    await written(file, runs=3, entries=1)
    if gone == "removed":
        file.unlink()
    else:
        file.write_bytes(b"")
        with pytest.raises(ChangeoverError, match="it is empty, though runs were recorded"):
            await next_number(file)
        assert is_damaged(file)
        repair(file, NOW)
    assert await next_number(file) == "shop-4"


async def test_a_number_that_cannot_be_read(tmp_path: Path) -> None:
    """Whatever stands in its file, the database has the number too."""
    file = tmp_path / "changeover.db"
    await written(file, runs=1, entries=1)
    for nonsense in (b"", b"seven", b"\xff\xfe", b"9" * 5000):
        (tmp_path / "locks" / "shop.number").write_bytes(nonsense)
        number = int((await next_number(file)).rpartition("-")[2])
        assert number >= 2


#: What may stand in the place of a file: each would be waited for, written to in vain, or fail in its own way.
IN_ITS_PLACE = {
    "folder": lambda file: file.mkdir(),
    "pipe": lambda file: os.mkfifo(file),
    "device": lambda file: file.symlink_to("/dev/zero"),
    "link to nothing": lambda file: file.symlink_to(file.parent / "not" / "there"),
    "link to itself": lambda file: file.symlink_to(file.name),
}
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")


@posix
@pytest.mark.parametrize("end", ["", "-wal", "-shm"])
@pytest.mark.parametrize("what", list(IN_ITS_PLACE))
async def test_no_file_in_the_place_of_one(tmp_path: Path, what: str, end: str) -> None:
    """Said with the way out, which keeps what there is and gives no number twice. Nothing is waited for."""
    file = tmp_path / "changeover.db"
    await written(file, runs=2, entries=1)
    place = tmp_path / f"changeover.db{end}"
    place.unlink(missing_ok=True)
    IN_ITS_PLACE[what](place)
    with pytest.raises(ChangeoverError, match=r"it is damaged: .* is no plain file") as refused:
        await next_number(file)
    assert "changeover repair" in refused.value.hint
    assert is_damaged(file)
    done = repair(file, NOW)
    assert any(os.path.lexists(f"{done.moved}{end}{mark}") for mark in ("", ".no-file"))
    assert done.kept["runs"] == (2 if end else 0)
    assert await next_number(file) == "shop-3"


@posix
@pytest.mark.parametrize("what", list(IN_ITS_PLACE))
async def test_no_file_beside_the_database(tmp_path: Path, what: str) -> None:
    """A number or a reserve that is none costs nothing; nobody works without a lock, and that is said at once."""
    file = tmp_path / "changeover.db"
    await written(file, runs=1, entries=1)
    for name in ("changeover.reserve", "locks/shop.number"):
        (tmp_path / name).unlink(missing_ok=True)
        IN_ITS_PLACE[what](tmp_path / name)
    assert await next_number(file) == "shop-2"
    lock = tmp_path / "locks" / "shop.lock"
    lock.unlink(missing_ok=True)
    IN_ITS_PLACE[what](lock)
    for held in (lambda: is_locked(lock), lambda: service_lock(lock, "shop").__enter__()):
        with pytest.raises(ChangeoverError, match=r"The lock .* cannot be used: it is no plain file"):
            held()


async def test_a_run_that_could_not_be_begun_has_done_nothing(tmp_path: Path) -> None:
    """So that a command which fails there says that nothing was changed."""
    journal = Journal(tmp_path / "changeover.db")
    assert (await journal.begin(started("blog"))).run == "blog-1"
    again = Journal(tmp_path / "changeover.db")
    with contextlib.closing(sqlite3.connect(tmp_path / "changeover.db")) as connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'no room'); END")
        connection.commit()
    with pytest.raises(ChangeoverError, match="no room"):
        await again.begin(started())
    assert (again.written, journal.written) == (None, "blog-1")
    journal.close()
    again.close()


async def test_a_whole_one_is_not_damaged(tmp_path: Path) -> None:
    """Neither a new one, nor one that is written right now."""
    file = tmp_path / "changeover.db"
    assert not is_damaged(file)
    journal = Journal(file)
    await journal.begin(started())
    assert not is_damaged(file)
    journal.close()


#: Fills its disk, and then works: planned runs, an emergency with all its entries, and reading as another process does.
ON_A_FULL_DISK = """
import asyncio, os, sys
from datetime import UTC, datetime
from pathlib import Path
from changeover.model.errors import ChangeoverError
from changeover.model.runs.plan import Plan
from changeover.model.runs.run import Intent, Started
from changeover.storage.journal.journal import Journal

def started(service, emergency):
    plan = Plan(service=service, source="a", to="b", steps=(), made_at=datetime.now(UTC))
    return Started(plan=plan, emergency=emergency)

async def main(folder):
    file = folder / "changeover.db"
    journal = Journal(file)
    await journal.begin(started("shop", False))
    if sys.argv[2] == "closed":
        journal.close()
    try:
        with (folder / "filler").open("wb", buffering=0) as filler:
            for size in (65536, 4096, 512, 1):
                try:
                    while True:
                        filler.write(b"x" * size)
                except OSError:
                    pass
    finally:
        print("full", os.statvfs(folder).f_bavail)
    print("read", len(await journal.read_all()))
    refused = 0
    for number in range(40):
        try:
            await journal.begin(started("blog", False))
        except ChangeoverError as error:
            refused += 1
            assert "disk is not full" in error.hint, error.hint
            break
    print("planned refused", refused)
    run = (await journal.begin(started("shop", True))).run
    for number in range(60):
        await journal.append(run, Intent(step=number))
    journal.close()
    again = Journal(file)
    print("journalled", run, len(await again.read(run)))
    again.close()

asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.mark.skipif(sys.platform != "linux" or shutil.which("unshare") is None, reason="needs a small disk of its own")
@pytest.mark.parametrize("before", ["open", "closed"])
async def test_an_emergency_on_a_full_disk(tmp_path: Path, before: str) -> None:
    """It is journalled to its end, from room that was taken in good times; a planned switch is refused in words."""
    program = tmp_path / "work.py"
    program.write_text(ON_A_FULL_DISK)
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f"mount -t tmpfs -o size=8m tmpfs {disk} && exec {sys.executable} {program} {disk} {before}"
    ended = await asyncio.to_thread(
        subprocess.run,
        ["unshare", "--map-root-user", "--mount", "sh", "-c", mount],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if "unshare" in ended.stderr or "mount:" in ended.stderr:
        pytest.skip(f"no disk of its own can be made here: {ended.stderr.strip()}")
    assert ended.returncode == 0, ended.stderr
    said = ended.stdout.splitlines()
    assert said[0] == "full 0"
    assert said[1] == "read 1"
    assert said[2] == "planned refused 1"
    assert said[3] == "journalled shop-2 61"
