"""A journal that an older Changeover wrote, kept as text, and what is done to its bytes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

DUMP = Path(__file__).with_name("journal-of-schema-3.sql")
#: How its runs stood, and what could be done with each, as the Changeover that wrote it said. Newest first.
STOOD = {
    "shop-7": ("interrupted", ("resume", "undo", "accept")),
    "shop-6": ("undone", ()),
    "shop-5": ("undone", ()),
    "shop-4": ("incomplete", ("undo",)),
    "shop-3": ("completed", ("undo", "commit")),
    "shop-2": ("completed", ("undo",)),
    "blog-2": ("completed", ("undo",)),
    "blog-1": ("completed", ("undo", "commit")),
    "shop-1": ("undone", ()),
}


def write_old_journal(file: Path) -> None:
    """Makes the database file as that Changeover left it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(file)
    connection.executescript(f"BEGIN; {DUMP.read_text(encoding='utf-8')} COMMIT;")
    connection.close()


def rows(file: Path, where: str = "1") -> list[tuple[int, str, bytes]]:
    """Number, run and event of the journal's rows."""
    connection = sqlite3.connect(file)
    try:
        return connection.execute(
            f"SELECT seq, run, CAST(event AS BLOB) FROM journal WHERE {where} ORDER BY seq"
        ).fetchall()
    finally:
        connection.close()


def flip(file: Path, numbers: Iterable[int], place: int = -1) -> None:
    """Flips a bit of one byte of each of these events: no byte is text any more, as on a disk that is going."""
    connection = sqlite3.connect(file)
    for seq, _, event in rows(file):
        if seq in set(numbers):
            damaged = bytearray(event)
            damaged[place] ^= 0x80
            connection.execute("UPDATE journal SET event = CAST(? AS TEXT) WHERE seq = ?", (bytes(damaged), seq))
    connection.commit()
    connection.close()
