"""What database servers say of themselves and of each other, in words."""

from __future__ import annotations

from changeover.model.databases.database_observation import DatabaseObservation
from changeover.model.databases.replication import Relation, Replication
from changeover.model.foreign_text import one_line
from changeover.model.formatting import counted, duration, size


def database_words(seen: DatabaseObservation) -> str:
    """How a server stands, without a full stop.

    "standby, streaming, timeline 1, at 0/3000148" of PostgreSQL, "primary, has 0-1-250" of MySQL and MariaDB.
    """
    parts: list[str] = [seen.role]
    if seen.role == "standby":
        parts += ["streaming" if seen.streaming else "not streaming"]
        parts += ["replay paused"] if seen.replay_paused else []
    if not seen.server:
        parts += [f"timeline {seen.timeline}", f"at {position_words(seen.position)}"]
    elif seen.gtids is not None:
        parts += [f"has {one_line(str(seen.gtids), 120)}"]
    parts += [error for source in seen.sources for error in (source.receive_error, source.apply_error) if error]
    return ", ".join(parts)


def position_words(position: int) -> str:
    """A place in the log as PostgreSQL writes it: "0/3000148"."""
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"


def behind_words(found: Replication) -> str:
    """How far a standby is behind, as far as that is known: "4 s (1.2 MB)", "4 s (3 transactions)", "1.2 MB"."""
    much = size(found.bytes_behind) if found.bytes_behind is not None else ""
    if found.transactions_behind is not None:
        much = counted(found.transactions_behind, "transaction")
    if found.seconds_behind is None:
        return much or "unknown"
    return f"{duration(found.seconds_behind)} ({much})" if much else duration(found.seconds_behind)


def replication_words(primary: str, standby: str, found: Replication) -> str:
    """How the databases of two deployments stand to each other, as a sentence without a full stop."""
    which = f" ({found.only_on_standby})" if found.only_on_standby else ""
    match found.relation:
        case Relation.FOLLOWS if 0 in (found.bytes_behind, found.transactions_behind):
            return f"The database of {standby} has everything that {primary}'s has"
        case Relation.FOLLOWS:
            if behind_words(found) == "unknown":
                return f"How far the database of {standby} is behind {primary}'s is not known"
            unknown = "; for how long is not known" if found.seconds_behind is None else ""
            return f"The database of {standby} is {behind_words(found)} behind {primary}'s{unknown}"
        case Relation.STRANGERS:
            return f"The database of {standby} was not made from {primary}'s, nor that from it"
        case Relation.TWO_PRIMARIES:
            return f"The databases of {primary} and of {standby} are both primaries, and each takes writes of its own"
        case Relation.TWO_STANDBYS:
            return f"The databases of {primary} and of {standby} are both standbys, and neither takes writes"
        case Relation.REVERSED:
            return f"The database of {standby} is the primary, and {primary}'s is a standby"
        case Relation.DIVERGED:
            return f"The database of {standby} has what {primary}'s has not{which}, and follows it no more"
