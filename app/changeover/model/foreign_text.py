"""Text that somebody else wrote, made fit to be shown: on a terminal, in a window, in a report.

Servers, providers, programs and settings of others may say anything. What steers a terminal or turns the direction of
writing is taken out: C0 and C1 controls (ESC is one), bidirectional controls, surrogates that are no characters.
"""

from __future__ import annotations


def one_line(text: str, most: int | None = None) -> str:
    """`text` in one line, with single spaces between its words, and "…" in place of what is beyond `most` characters.

    Of a long one only four times that is looked at.
    """
    line = " ".join(_shown(text if most is None else text[: 4 * most]).split())
    return line if most is None or len(line) <= most else f"{line[:most]}…"


def many_lines(text: str) -> str:
    """`text` with its lines and what they are indented by, without space at their ends and the end of all."""
    return "\n".join(_shown(line.expandtabs()).rstrip() for line in text.splitlines()).rstrip()


def escaped(text: str) -> str:
    """`text` in one line, with what is not seen as itself written as Python does: nothing hides."""
    return "".join(c if c.isprintable() and c != "\\" else c.encode("unicode_escape").decode() for c in text)


def _shown(text: str) -> str:
    """`text` with a space for each character that is not seen as itself; str.isprintable names all of these."""
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
