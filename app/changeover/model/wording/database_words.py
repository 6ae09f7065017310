"""What database servers say of themselves and of each other, in words."""

from __future__ import annotations

from changeover.model.databases.database_observation import DatabaseObservation
from changeover.model.databases.replication import Relation, Replication
from changeover.model.formatting import duration, size


def database_words(seen: DatabaseObservation) -> str:
    """How a server stands, without a full stop: "standby, streaming, timeline 1, at 0/3000148"."""
    parts: list[str] = [seen.role]
    if seen.role == "standby":
        parts += ["streaming" if seen.streaming else "not streaming"]
        parts += ["replay paused"] if seen.replay_paused else []
    return ", ".join((*parts, f"timeline {seen.timeline}", f"at {position_words(seen.position)}"))


def position_words(position: int) -> str:
    """A place in the log as PostgreSQL writes it: "0/3000148"."""
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"


def behind_words(bytes_behind: int, seconds_behind: float | None) -> str:
    """How far a standby is behind: "4 s (1.2 MB)"."""
    return size(bytes_behind) if seconds_behind is None else f"{duration(seconds_behind)} ({size(bytes_behind)})"


def replication_words(primary: str, standby: str, found: Replication) -> str:
    """How the databases of two deployments stand to each other, as a sentence without a full stop."""
    match found.relation:
        case Relation.FOLLOWS if not found.bytes_behind:
            return f"The database of {standby} has everything that {primary}'s has"
        case Relation.FOLLOWS:
            unknown = "; for how long is not known" if found.seconds_behind is None else ""
            behind = behind_words(found.bytes_behind or 0, found.seconds_behind)
            return f"The database of {standby} is {behind} behind {primary}'s{unknown}"
        case Relation.STRANGERS:
            return f"The database of {standby} was not made from {primary}'s, nor that from it"
        case Relation.TWO_PRIMARIES:
            return f"The databases of {primary} and of {standby} are both primaries, and each takes writes of its own"
        case Relation.TWO_STANDBYS:
            return f"The databases of {primary} and of {standby} are both standbys, and neither takes writes"
        case Relation.REVERSED:
            return f"The database of {standby} is the primary, and {primary}'s is a standby"
        case Relation.DIVERGED:
            return f"The database of {standby} has what {primary}'s has not, and follows it no more"
