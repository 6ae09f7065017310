"""How a standby stands to its primary, from what each says of itself."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from changeover.model.databases.database_observation import DatabaseObservation


class Relation(StrEnum):
    """What two servers are to each other. Only FOLLOWS is a pair that can be switched in a planned way."""

    FOLLOWS = "follows"
    STRANGERS = "strangers"
    TWO_PRIMARIES = "two-primaries"
    TWO_STANDBYS = "two-standbys"
    REVERSED = "reversed"
    DIVERGED = "diverged"


class Replication(Struct, frozen=True, kw_only=True):
    """`bytes_behind` and `seconds_behind` are what a promotion now would lose of the primary's writes at most.

    Both are None where the two do not follow each other. Seconds are None as well where the standby has not replayed
    any transaction since it was started.
    """

    relation: Relation
    bytes_behind: int | None = None
    seconds_behind: float | None = None


def replication_between(primary: DatabaseObservation, standby: DatabaseObservation) -> Replication:
    """How `standby` stands to `primary`, the two being what the settings say that they are.

    The standby is to be read before the primary: then what was written meanwhile counts as behind, and a lag of zero
    is one. An idle primary commits nothing, so the age of the last transaction says nothing while no byte is missing.
    """
    if primary.system != standby.system:
        return Replication(relation=Relation.STRANGERS)
    if primary.role != "primary":
        swapped = standby.role == "primary"
        return Replication(relation=Relation.REVERSED if swapped else Relation.TWO_STANDBYS)
    if standby.role == "primary":
        return Replication(relation=Relation.TWO_PRIMARIES)
    if standby.timeline > primary.timeline or standby.position > primary.position:
        return Replication(relation=Relation.DIVERGED)
    behind = primary.position - standby.position
    if not behind:
        seconds: float | None = 0.0
    elif standby.replayed_at is None:
        seconds = None
    else:
        seconds = max(0.0, (primary.read_at - standby.replayed_at).total_seconds())
    return Replication(relation=Relation.FOLLOWS, bytes_behind=behind, seconds_behind=seconds)
