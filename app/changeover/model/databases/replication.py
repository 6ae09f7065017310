"""How a standby stands to its primary, from what each says of itself."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from changeover.model.databases.database_observation import DatabaseObservation
from changeover.model.databases.gtids import Gtids
from changeover.model.foreign_text import one_line


class Relation(StrEnum):
    """What two servers are to each other. Only FOLLOWS is a pair that can be switched in a planned way."""

    FOLLOWS = "follows"
    STRANGERS = "strangers"
    TWO_PRIMARIES = "two-primaries"
    TWO_STANDBYS = "two-standbys"
    REVERSED = "reversed"
    DIVERGED = "diverged"


class Replication(Struct, frozen=True, kw_only=True):
    """What is behind is what a promotion now would lose of the primary's writes at most.

    It is None where the two do not follow each other. PostgreSQL counts bytes, MySQL and MariaDB transactions. Seconds
    are None as well where a standby of PostgreSQL has not replayed any transaction since it was started, and where one
    of MySQL or MariaDB does not receive or apply; these two say whole seconds, and "0" of one that is behind is 1 here.

    `only_on_standby` are the GTIDs that the primary lacks, whatever the relation, if it is not STRANGERS;
    `out_of_reach` those that the standby lacks and the primary has no log of any more.
    """

    relation: Relation
    bytes_behind: int | None = None
    seconds_behind: float | None = None
    transactions_behind: int | None = None
    only_on_standby: str = ""
    out_of_reach: str = ""


def replication_between(primary: DatabaseObservation, standby: DatabaseObservation) -> Replication:
    """How `standby` stands to `primary`, the two being what the settings say that they are.

    The standby is to be read before the primary: then what was written meanwhile counts as behind, and a lag of zero
    is one. An idle primary commits nothing, so the age of the last transaction says nothing while no byte is missing.
    """
    if not _related(primary, standby):
        return Replication(relation=Relation.STRANGERS)
    apart = _told(standby.gtids, primary.gtids)
    if primary.role != "primary":
        relation = Relation.REVERSED if standby.role == "primary" else Relation.TWO_STANDBYS
        return Replication(relation=relation, only_on_standby=apart)
    if standby.role == "primary":
        return Replication(relation=Relation.TWO_PRIMARIES, only_on_standby=apart)
    if apart or standby.timeline > primary.timeline or standby.position > primary.position:
        return Replication(relation=Relation.DIVERGED, only_on_standby=apart)
    if primary.server:
        return _by_transactions(primary, standby)
    behind = primary.position - standby.position
    if not behind:
        seconds: float | None = 0.0
    elif standby.replayed_at is None:
        seconds = None
    else:
        seconds = max(0.0, (primary.read_at - standby.replayed_at).total_seconds())
    return Replication(relation=Relation.FOLLOWS, bytes_behind=behind, seconds_behind=seconds)


def _by_transactions(primary: DatabaseObservation, standby: DatabaseObservation) -> Replication:
    behind = None
    out_of_reach = ""
    if primary.gtids and standby.gtids:
        behind = primary.gtids.lead(standby.gtids)
        out_of_reach = _told(primary.purged, standby.gtids)
    said = [source.seconds_behind for source in standby.sources if source.receiving == "yes" and source.applying]
    known = [seconds for seconds in said if seconds is not None]
    if behind == 0:
        seconds: float | None = 0.0
    elif known and len(known) == len(standby.sources):
        seconds = float(max([*known, 1 if behind else 0]))
    else:
        seconds = None
    return Replication(
        relation=Relation.FOLLOWS, transactions_behind=behind, seconds_behind=seconds, out_of_reach=out_of_reach
    )


def _related(primary: DatabaseObservation, standby: DatabaseObservation) -> bool:
    if primary.system or standby.system:
        return primary.system == standby.system
    if primary.server == standby.server:  # one server by two strings; two of one number cannot follow each other
        return primary.role == standby.role
    if any(source.server == primary.server for source in standby.sources):
        return True
    return bool(primary.gtids and standby.gtids and primary.gtids.related(standby.gtids))


def _told(gtids: Gtids | None, other: Gtids | None) -> str:
    """Those of `gtids` that are not in `other`, cut where there are many."""
    return one_line(str(gtids.beyond(other)), 300) if gtids and other else ""
