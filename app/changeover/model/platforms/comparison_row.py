"""One row of a comparison of two deployments: what both sides have, and whether that is the same."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

from changeover.model.platforms.app_version import AppVersion
from changeover.model.platforms.platform_observation import PlatformObservation


class Agreement(StrEnum):
    SAME = "same"
    DIFFERS = "differs"
    #: It differs, and somebody said that it should.
    MEANT = "meant to differ"
    #: One side does not tell.
    UNKNOWN = "not known"


class Compared(Struct, frozen=True, kw_only=True):
    """One thing on both sides.

    `why` says what a difference means for who switches, or why it is not known; it is empty where there is none.
    """

    aspect: str
    subject: str
    primary: str
    backup: str
    agreement: Agreement
    why: str = ""


class Side(Struct, frozen=True, kw_only=True):
    """One deployment: its name, its platform's name in the settings, and what that and the app itself tell.

    `observation` is empty where no platform tells anything, `app` is None where the app told nothing.
    """

    name: str
    platform: str
    observation: PlatformObservation = PlatformObservation()
    app: AppVersion | None = None

    @property
    def commit(self) -> str:
        """The commit that runs, as the app tells, else as its platform does; empty where nobody does."""
        told = self.app.commit if self.app is not None else None
        return told.value if told is not None and told.value else self.observation.commit


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
