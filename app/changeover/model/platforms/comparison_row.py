"""One row of a comparison of two deployments: what both sides have, and whether that is the same."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct


class Agreement(StrEnum):
    SAME = "same"
    DIFFERS = "differs"
    #: It differs, and somebody said that it should.
    MEANT = "meant to differ"
    #: One side does not tell.
    UNKNOWN = "not known"


class Compared(Struct, frozen=True, kw_only=True):
    """One thing on both sides. `why` says what a difference means for who switches; it is empty where there is none."""

    aspect: str
    subject: str
    primary: str
    backup: str
    agreement: Agreement
    why: str = ""


def differing(rows: Iterable[Compared]) -> tuple[Compared, ...]:
    """Those that differ, and that nobody meant to."""
    return tuple(row for row in rows if row.agreement is Agreement.DIFFERS)


def row(aspect: str, subject: str, primary: str, backup: str, why: str = "", *, same: bool | None = None) -> Compared:
    """One row. What is empty was not told. `same` where that is not just the equality of the two."""
    if same is None:
        same = primary == backup
    known = bool(primary and backup)
    agreement = Agreement.SAME if same else Agreement.DIFFERS if known or why else Agreement.UNKNOWN
    told = why if agreement is Agreement.DIFFERS else ""
    return Compared(
        aspect=aspect,
        subject=subject,
        primary=primary or "not told",
        backup=backup or "not told",
        agreement=agreement,
        why=told,
    )
