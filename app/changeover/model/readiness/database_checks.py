"""Does the target's database follow the one where visitors are? As both said last, with the age of that."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from msgspec.structs import replace

from changeover.model.databases.database_observation import DatabaseObservation
from changeover.model.databases.kept_database import KeptDatabase
from changeover.model.databases.replication import Relation, Replication, replication_between
from changeover.model.finding import Finding, Level
from changeover.model.foreign_text import one_line
from changeover.model.formatting import age, size
from changeover.model.readiness.drift_checks import compared_with
from changeover.model.readiness.observation import Observation
from changeover.model.settings.deployment_database import LagLimits
from changeover.model.wording.database_words import behind_words, replication_words

#: What was said longer ago says nothing of now: three readings of a watch.
FRESH = timedelta(minutes=15)
#: Bytes of log that a slot which nobody reads may hold, before its disk is worth a word.
HELD = 1_000_000_000
_SYNCHRONOUS = ("sync", "quorum")
_ANEW = (
    "Make one of them a standby of the other anew (PostgreSQL: pg_rewind or pg_basebackup), and look which writes it "
    "lacks."
)
_MEANS = {
    Relation.STRANGERS: "Look at the connection strings, or make the standby from the primary anew.",
    Relation.TWO_PRIMARIES: _ANEW,
    Relation.TWO_STANDBYS: "Which server is the primary? One of the two must follow the other.",
    Relation.DIVERGED: _ANEW,
    Relation.REVERSED: "There is nothing to promote. Look whether the application writes where it should.",
}


def database_findings(seen: Observation, source: str, to: str, emergency: bool) -> list[Finding]:
    """The databases of both, where both name one. What is not known never keeps anybody from an emergency switch."""
    service, kept = seen.service, seen.snapshot.databases
    beside = compared_with(service, source, to)
    pair = [service.deployment(name) for name in (beside, to)]
    if any(deployment is None or deployment.database is None for deployment in pair):
        return []
    primary, standby = kept.get(beside), kept.get(to)
    look = f"Read it now: changeover database {service.name}"
    speaks = Level.WARN if emergency else Level.BLOCK
    if primary is None or standby is None:
        silent = " and ".join(f"that of {name}" for name in (beside, to) if name not in kept)
        text = f"Whether the database of {to} follows is not known: {silent} has said nothing yet"
        return [_finding(speaks, text, look)]
    oldest = min(primary.at, standby.at)
    when = f"as they said {age(oldest, seen.at)}"
    if not emergency and seen.at - oldest > FRESH:
        text = f"Whether the database of {to} follows is not known: what they said is from {age(oldest, seen.at)}"
        return [_finding(speaks, text, look)]
    main = _lost(beside, primary, to, standby, seen) if emergency else None
    if main is None:
        replication = replication_of(primary, standby)
        main = _following(beside, to, replication, service.database_lag, when)
    both = ((beside, primary.observation), (to, standby.observation))
    more = (finding for name, server in both for finding in server_findings(name, server))
    return [main, *_replaying(to, standby.observation, emergency), *more]


def replication_of(primary: KeptDatabase, standby: KeptDatabase) -> Replication:
    """How two stand to each other, each as it said last. What a standby has beyond a primary that said nothing since is
    what that has written meanwhile."""
    here, there = primary.observation, standby.observation
    if standby.at > primary.at:
        there = replace(there, position=min(there.position, here.position))
        if here.gtids is not None and there.gtids is not None:
            there = replace(there, gtids=there.gtids.as_far_as(here.gtids, here.server))
    return replication_between(here, there)


def _following(beside: str, to: str, found: Replication, limits: LagLimits, when: str) -> Finding:
    text = f"{replication_words(beside, to, found)}, {when}"
    if found.relation is Relation.REVERSED:
        return _finding(Level.WARN, text, _MEANS[found.relation])
    if found.relation is not Relation.FOLLOWS:
        return _finding(Level.BLOCK, text, _MEANS[found.relation])
    if found.out_of_reach:
        text = f"{text}; {beside}'s has no log any more of {found.out_of_reach}, which it lacks"
        return _finding(Level.BLOCK, text, "Make the standby from the primary anew.")
    seconds = found.seconds_behind
    wait = "Wait until it has caught up, or look what holds it back."
    if seconds is None:
        return _finding(Level.WARN, text, wait)
    if seconds >= limits.warn:
        return _finding(Level.BLOCK if seconds >= limits.block else Level.WARN, text, wait)
    return _finding(Level.PASS, text)


def _lost(beside: str, primary: KeptDatabase, to: str, standby: KeptDatabase, seen: Observation) -> Finding | None:
    """What a promotion without the primary would lose; None where the standby is none of it.

    A standby that is promoted replays first what it has received.
    """
    found = replication_of(primary, standby)
    if found.relation is not Relation.FOLLOWS:
        return None
    there = standby.observation
    if found.bytes_behind is not None:
        missing = primary.observation.position - max(there.position, there.received or 0)
        found = replace(found, bytes_behind=max(0, missing))
    when = age(primary.at, seen.at)
    since = f"What {beside} wrote later is not known"
    if 0 in (found.bytes_behind, found.transactions_behind):
        text = f"The database of {to} had received everything that {beside}'s had {when}. {since}, and may be lost"
        return _finding(Level.WARN, text)
    behind = behind_words(found)
    text = f"The last {behind} of writes at {beside} would be lost, as the databases stood {when}. {since}"
    if behind == "unknown":
        text = f"How many of the last writes at {beside} would be lost is not known: it was not told {when}"
    fix = f"Wait for {beside} if it may come back. Whoever goes on without it accepts the loss by this check's name."
    return _finding(Level.BLOCK, text, fix)


def _replaying(to: str, standby: DatabaseObservation, emergency: bool) -> Iterator[Finding]:
    """What keeps a standby from following."""
    if standby.role != "standby":
        return
    if standby.replay_paused:
        after = "; a promotion goes on with it first" if emergency else ""
        text = f"The database of {to} has paused its replay, so it falls behind{after}"
        go_on = "START REPLICA SQL_THREAD" if standby.server else "select pg_wal_replay_resume()"
        yield _finding(Level.WARN if emergency else Level.BLOCK, text, f"Go on with it: {go_on}")
    elif not standby.streaming and not emergency:
        text = f"The database of {to} receives nothing from a primary now"
        yield _finding(Level.WARN, text, "Look at its log: the primary, the network, or a slot that is gone.")


def server_findings(name: str, server: DatabaseObservation) -> Iterator[Finding]:
    """What is worth knowing of the database of a deployment by itself: what it holds back, or waits for, and TLS."""
    if server.tls == "none":
        text = f"The connection to the database of {name} is not encrypted"
        mode, least = ("ssl-mode", "REQUIRED") if server.server else ("sslmode", "require")
        yield _finding(Level.WARN, text, f"Leave {mode} out of its connection string, or say {mode}={least}.")
    elif server.tls == "unverified":
        text = f"The connection to the database of {name} is encrypted; who answers there is not verified"
        yield _finding(Level.PASS, text)
    if server.role == "standby":
        return
    for slot in server.slots:
        which = f"The replication slot {one_line(slot.name, 60)} of {name}'s database"
        if slot.state == "lost":
            text = f"{which} has lost the log that its standby needs"
            yield _finding(Level.WARN, text, "That standby must be made anew (pg_basebackup).")
        elif not slot.active and slot.held is not None and slot.held >= HELD:
            text = f"{which} is read by nobody and holds {size(slot.held)} of log, which fills the disk"
            yield _finding(Level.WARN, text, "Start its standby, or drop it: select pg_drop_replication_slot(…)")
    if server.synchronous and not any(replica.sync in _SYNCHRONOUS for replica in server.replicas):
        text = f"The database of {name} waits with every commit for a synchronous standby, and none is connected"
        yield _finding(Level.WARN, text, "Start the standby, or change synchronous_standby_names.")


def _finding(level: Level, text: str, fix: str = "") -> Finding:
    return Finding(check="database", level=level, text=text, fix=fix)
