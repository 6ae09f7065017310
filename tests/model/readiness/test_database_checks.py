"""What the databases of both deployments said last decides, with its age; what nobody knows stops no emergency."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from changeover.model.databases.database_observation import DatabaseObservation, Replica, ReplicationSlot
from changeover.model.databases.kept_database import KeptDatabase
from changeover.model.finding import Finding, Level
from changeover.model.readiness.database_checks import database_findings
from changeover.model.readiness.observation import Observation
from changeover.model.settings.deployment_database import DeploymentDatabase, LagLimits
from changeover.model.settings.service import Service
from model.snapshots import observed, service
from model.strategies import NOW

MINUTES = timedelta(minutes=1)
PRIMARY = DatabaseObservation(
    role="primary", read_at=NOW, tls="verified", version="15", system="7", timeline=2, position=5_000_000
)
STANDBY = replace(PRIMARY, role="standby", streaming=True, received=5_000_000, replayed_at=NOW - timedelta(days=1))


def shop(**more: Any) -> Service:
    of = service()
    named = tuple(
        replace(d, database=DeploymentDatabase(kind="postgresql", secret=f"{d.name}-db")) for d in of.deployments
    )
    return replace(of, deployments=named, **more)


def seen(
    primary: DatabaseObservation = PRIMARY,
    standby: DatabaseObservation = STANDBY,
    ages: tuple[timedelta, timedelta] = (2 * MINUTES, 2 * MINUTES),
    **more: Any,
) -> Observation:
    both = zip(("primary", "backup"), (primary, standby), ages, strict=True)
    return observed(shop(**more), databases={n: KeptDatabase(at=NOW - age, observation=one) for n, one, age in both})


def found(of: Observation, emergency: bool = False, to: str = "backup") -> list[Finding]:
    return database_findings(of, "primary" if to == "backup" else "backup", to, emergency)


def behind(seconds: float) -> DatabaseObservation:
    return replace(STANDBY, position=3_800_000, received=3_800_000, replayed_at=NOW - timedelta(seconds=seconds))


def test_a_standby_that_has_everything() -> None:
    """With the age of what both said."""
    (one,) = found(seen())
    assert one.level is Level.PASS
    assert one.text == "The database of backup has everything that primary's has, as they said 2 min ago"


@pytest.mark.parametrize(
    ("seconds", "level"), [(4, Level.PASS), (299, Level.PASS), (300, Level.WARN), (599, Level.WARN), (600, Level.BLOCK)]
)
def test_lag_warns_at_five_minutes_and_blocks_at_ten(seconds: float, level: Level) -> None:
    """It is told in time and in bytes."""
    (one,) = found(seen(standby=behind(seconds)))
    assert one.level is level
    assert "(1.2 MB) behind primary's" in one.text


def test_the_limits_are_the_services_own() -> None:
    """A shop that may lose nothing says so."""
    (one,) = found(seen(standby=behind(4), database_lag=LagLimits(warn=1, block=3)))
    assert one.level is Level.BLOCK


def test_lag_of_which_nobody_knows_the_time() -> None:
    """It is told in bytes, and as not known."""
    (one,) = found(seen(standby=replace(behind(0), replayed_at=None)))
    assert (one.level, "is 1.2 MB behind primary's; for how long is not known" in one.text) == (Level.WARN, True)


def test_where_nobody_names_databases_nothing_is_said() -> None:
    """Nor where one alone has one."""
    assert found(observed()) == []
    one = replace(shop().deployments[1], database=None)
    assert found(observed(replace(shop(), deployments=(shop().primary, one)))) == []


@pytest.mark.parametrize("kept", [{}, {"primary": KeptDatabase(at=NOW, observation=PRIMARY)}])
def test_what_was_never_said_is_not_known(kept: dict[str, KeptDatabase]) -> None:
    """It stops a planned switch, which a person may override, and no emergency."""
    (planned,), (emergency,) = (found(observed(shop(), databases=kept), emergency) for emergency in (False, True))
    assert (planned.level, emergency.level) == (Level.BLOCK, Level.WARN)
    assert "that of backup has said nothing yet" in planned.text
    assert planned.fix == "Read it now: changeover database shop"


def test_what_is_old_is_not_known_either() -> None:
    """After three readings of a watch; an emergency takes what there is, with its age."""
    old = seen(ages=(16 * MINUTES, MINUTES))
    (planned,) = found(old)
    assert (planned.level, "is from 16 min ago" in planned.text) == (Level.BLOCK, True)
    (emergency,) = found(old, emergency=True)
    assert emergency.level is Level.WARN
    assert "had received everything that primary's had 16 min ago" in emergency.text


RELATIONS = {
    "was not made from": {"system": "8"},
    "both primaries": {"role": "primary"},
    "has what primary's has not": {"timeline": 3},
}


@pytest.mark.parametrize("emergency", [False, True])
@pytest.mark.parametrize(("words", "standby"), RELATIONS.items())
def test_servers_that_are_no_pair(words: str, standby: dict[str, Any], emergency: bool) -> None:
    """Each in its own words, with the way out; also in an emergency a person must accept it by name."""
    (one, *_) = found(seen(standby=replace(STANDBY, **standby)), emergency)
    assert (one.level, words in one.text) == (Level.BLOCK, True)
    assert one.fix


def test_two_standbys_and_a_reversed_pair() -> None:
    """Of two standbys neither takes writes; a target that is the primary already needs no promotion."""
    standby = replace(PRIMARY, role="standby", streaming=True)
    assert found(seen(primary=standby))[0].level is Level.BLOCK
    (one,) = found(seen(primary=standby, standby=PRIMARY))
    assert (one.level, "The database of backup is the primary" in one.text) == (Level.WARN, True)


def test_the_way_back_is_looked_at_from_the_other_side() -> None:
    """Visitors at the backup: its database is the one that the primary's must follow."""
    (one,) = found(seen(primary=STANDBY, standby=PRIMARY), to="primary")
    assert one.text.startswith("The database of primary has everything that backup's has")


def test_an_emergency_tells_what_would_be_lost() -> None:
    """In time and bytes; a person accepts it by the check's name. What was received is not lost."""
    (one,) = found(seen(standby=behind(4)), emergency=True)
    assert one.level is Level.BLOCK
    assert one.text == (
        "The last 4 s (1.2 MB) of writes at primary would be lost, as the databases stood 2 min ago. What primary "
        "wrote later is not known"
    )
    (received,) = found(seen(standby=replace(behind(4), received=5_000_000)), emergency=True)
    assert (received.level, "may be lost" in received.text) == (Level.WARN, True)


def test_a_standby_that_was_read_later_than_a_silent_primary_has_not_diverged() -> None:
    """It may have what the primary wrote before it fell silent."""
    later = replace(STANDBY, position=5_000_900)
    (one,) = found(seen(standby=later, ages=(5 * MINUTES, MINUTES)), emergency=True)
    assert (one.level, "had received everything" in one.text) == (Level.WARN, True)
    (together,) = found(seen(standby=later))
    assert (together.level, "has what primary's has not" in together.text) == (Level.BLOCK, True)


def test_a_paused_replay() -> None:
    """Stops a planned switch; a promotion goes on with it by itself."""
    for emergency, level in ((False, Level.BLOCK), (True, Level.WARN)):
        of = seen(standby=replace(STANDBY, replay_paused=True))
        (one,) = [f for f in found(of, emergency) if "paused" in f.text]
        assert one.level is level


def test_a_standby_that_receives_nothing() -> None:
    """Is warned of; in an emergency it cannot."""
    of = seen(standby=replace(STANDBY, streaming=False))
    assert [f.level for f in found(of) if "receives nothing" in f.text] == [Level.WARN]
    assert not [f for f in found(of, emergency=True) if "receives nothing" in f.text]


@pytest.mark.parametrize(
    ("slot", "words"),
    [
        (ReplicationSlot(name="old\n\x1b[2J", active=False, held=3_200_000_000), "holds 3.2 GB of log"),
        (ReplicationSlot(name="old", active=False, held=100), ""),
        (ReplicationSlot(name="old", active=True, held=3_200_000_000), ""),
        (ReplicationSlot(name="old", active=False, held=None, state="lost"), "has lost the log"),
    ],
)
def test_a_slot_that_fills_the_disk_or_is_lost(slot: ReplicationSlot, words: str) -> None:
    """Of the primary; its name is shown as text."""
    more = found(seen(primary=replace(PRIMARY, slots=(slot,))))[1:]
    assert [(f.level, words in f.text, f.text.isprintable()) for f in more] == (
        [(Level.WARN, True, True)] if words else []
    )


@pytest.mark.parametrize(
    ("sync", "missing"), [("sync", False), ("quorum", False), ("async", True), ("potential", True)]
)
def test_a_synchronous_standby_that_is_missing(sync: str, missing: bool) -> None:
    """Every commit waits for it."""
    primary = replace(PRIMARY, synchronous=True, replicas=(Replica(name="b", sync=sync),))
    assert bool([f for f in found(seen(primary=primary)) if "waits with every commit" in f.text]) is missing


def test_tls_that_proves_nothing_is_told() -> None:
    """None at all is warned of."""
    (_, one, other) = found(seen(replace(PRIMARY, tls="unverified"), replace(STANDBY, tls="none")))
    assert (one.level, "who answers there is not verified" in one.text) == (Level.PASS, True)
    assert (other.level, "backup is not encrypted" in other.text) == (Level.WARN, True)
