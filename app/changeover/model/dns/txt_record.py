"""Texts in TXT records (RFC 1035, 3.3.14) that programs leave for each other: one of each kind at a name."""

from __future__ import annotations

from collections.abc import Iterable

from changeover.model.dns.records import RecordSet

#: The longest text that fits into one character string (RFC 1035, 3.3).
LONGEST = 255


def text_of(value: str) -> str:
    """The text of a TXT record's value as a zone file has it: without quotes, its strings joined, escapes kept."""
    return value.strip().removeprefix('"').removesuffix('"').replace('" "', "")


def value_of(text: str) -> str:
    """`text` as the value of a TXT record in a zone file.

    ValueError for what one of our texts never is: empty, longer than 255 characters, or in need of an escape.
    """
    if not 0 < len(text) <= LONGEST or not text.isascii() or not text.isprintable() or '"' in text or "\\" in text:
        raise ValueError(f"{text!r} cannot be written as one plain string of a TXT record")
    return f'"{text}"'


def kind_of(text: str) -> str:
    """What kind of text it is: its first word."""
    return text.partition(" ")[0]


def texts(records: Iterable[RecordSet], kind: str) -> tuple[str, ...]:
    """The texts of one kind among the TXT records of a name."""
    found = (text_of(value) for record in records if record.type == "TXT" for value in record.values)
    return tuple(text for text in found if kind_of(text) == kind)
