"""Text that somebody else wrote, made fit to be shown: on a terminal, in a window, in a report.

Servers, providers, programs and settings of others may say anything. What steers a terminal or turns the direction of
writing is taken out: C0 and C1 controls (ESC is one), bidirectional controls, surrogates that are no characters.
"""

from __future__ import annotations

import shlex

#: Letters, signs and marks that are printable by their category, and show nothing or are read as part of others.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0" + "".join(map(chr, range(0xFE00, 0xFE10))))


def one_line(text: str, most: int | None = None) -> str:
    """`text` in one line, with single spaces between its words, and "…" in place of what is beyond `most` characters.

    Of a long one only four times that is looked at.
    """
    line = " ".join(shown(text if most is None else text[: 4 * most]).split())
    return line if most is None or len(line) <= most else f"{line[:most]}…"


def many_lines(text: str) -> str:
    """`text` with its lines and what they are indented by, without space at their ends and the end of all."""
    return "\n".join(shown(line.expandtabs()).rstrip() for line in text.splitlines()).rstrip()


def shown(text: str) -> str:
    """`text` in one line, with a space for each character that is not seen as itself, line breaks among them.

    str.isprintable names all of these.
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def escaped(text: str) -> str:
    """`text` in one line, with what is not seen as itself written as Python does: nothing hides."""
    plain = (c.isprintable() and c != "\\" and c not in _BLANK for c in text)
    return "".join(
        c if as_it_is else c.encode("unicode_escape").decode() for c, as_it_is in zip(text, plain, strict=True)
    )


def quoted(word: str) -> str:
    """One argument of a command, as a shell would take it, with every character that is not seen spelt out.

    For a line that a person says yes to: nothing in it may be hidden, or look like the end of the argument.
    """
    if word.isprintable() and not any(c in _BLANK for c in word):
        return shlex.quote(word)
    return f"$'{''.join(_spelt(c) for c in word)}'"


def _spelt(char: str) -> str:
    if char in "\\'":
        return f"\\{char}"
    if char.isprintable() and char not in _BLANK:
        return char
    if char in "\n\t":
        return {"\n": "\\n", "\t": "\\t"}[char]
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
