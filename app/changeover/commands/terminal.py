"""Where text leaves for a terminal, a pipe or a file: cleaned of what steers, and fit for what takes it."""

from __future__ import annotations

import codecs
import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TextIO

from changeover.model.foreign_text import shown

if TYPE_CHECKING:
    from rich.table import Table

#: What stands for our own signs where the output has no room for them, such as in Windows' cp1252.
_PLAIN = {
    "→": "->",
    "←": "<-",
    "…": "...",
    "●": "*",
    "▲": "!",
    "△": "^",
    "■": "#",
    "○": "o",
    "◌": "~",
    "◐": "%",
    "–": "-",
    "—": "-",
    "·": "-",
    "✓": "v",
}
_NARROW = "changeover-narrow"


def prepare_streams() -> None:
    """Lets standard output and error take every text, whatever their encoding is; one that was closed goes nowhere."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # Takes the lowest free number, so that no file of ours gets the one of a stream.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115  (for as long as the process)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors=_NARROW)


def readable_words(words: Sequence[str]) -> list[str]:
    """What was typed, as text: UTF-8 where the locale knows no such letters. Raises ValueError for what is no text."""
    return [word if word.isascii() else os.fsencode(word).decode() for word in words]


def write(line: str = "", *, to: TextIO | None = None) -> None:
    """One line, to standard output. Text of others can neither steer what shows it nor begin a line of its own."""
    write_block(f"{shown(line)}\n", to=to)


def write_block(text: str, *, to: TextIO | None = None) -> bool:
    """A text of lines that are clean already. False where nobody takes it (`| head`): the rest is dropped."""
    stream = sys.stdout if to is None else to
    if stream in _dropped:
        return False
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        _drop(stream)
    except OSError:
        # What cannot be told (a full disk) must not end the work that tells it.
        _drop(stream)
        lost.append(stream)
    return stream not in _dropped


#: Streams whose output could not be written, other than because nobody reads it.
lost: list[TextIO] = []
#: All that are written to no more.
_dropped: list[TextIO] = []


def _drop(stream: TextIO) -> None:
    """Sends what else is written to `stream` nowhere, so that Python's own last flush finds nothing to complain of."""
    _dropped.append(stream)
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):  # a stream without a descriptor has nothing to drop
        return


def json_text(found: Any, *, indent: int | None = None) -> str:
    """`found` as JSON in which every character that is not seen as itself is spelt out."""
    text = json.dumps(found, indent=indent, ensure_ascii=not _wide(sys.stdout))
    return text if text.isprintable() else "".join(c if c.isprintable() or c == "\n" else _spelt(c) for c in text)


def _spelt(char: str) -> str:
    return json.dumps(char)[1:-1] if ord(char) != 0x7F else "\\u007f"


def _wide(stream: TextIO) -> bool:
    return codecs.lookup(stream.encoding or "ascii").name.startswith("utf")


def made_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """A table for rich, with cells that show exactly what stands in them."""
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, show_edge=False, pad_edge=False, header_style="bold")
    for heading in headings:
        made.add_column(heading, overflow="fold")
    for row in rows:
        made.add_row(*(Text(_fitting(shown(cell))) for cell in row))
    return made


def _fitting(text: str) -> str:
    """`text` as it will come out, so that columns stand below each other."""
    encoding = sys.stdout.encoding or "ascii"
    return text.encode(encoding, _NARROW).decode(encoding)


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_PLAIN.get(c, "?") for c in error.object[error.start : error.end]), error.end


codecs.register_error(_NARROW, _plain)
