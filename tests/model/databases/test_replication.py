"""How two servers stand to each other: only a standby of this primary, with nothing of its own, follows it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from changeover.model.databases.database_observation import DatabaseObservation
from changeover.model.databases.replication import Relation, Replication, replication_between

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PRIMARY = DatabaseObservation(
    role="primary", read_at=NOW, tls="verified", version="15", system="7", timeline=2, position=5000
)
STANDBY = replace(PRIMARY, role="standby", replayed_at=NOW - timedelta(hours=1))


@pytest.mark.parametrize(
    ("primary", "standby", "relation"),
    [
        ({}, {}, Relation.FOLLOWS),
        ({}, {"system": "8"}, Relation.STRANGERS),
        ({}, {"role": "primary"}, Relation.TWO_PRIMARIES),
        ({"role": "standby"}, {}, Relation.TWO_STANDBYS),
        ({"role": "standby"}, {"role": "primary"}, Relation.REVERSED),
        ({}, {"timeline": 3}, Relation.DIVERGED),
        ({}, {"position": 5001}, Relation.DIVERGED),
    ],
)
def test_what_two_servers_are_to_each_other(
    primary: dict[str, Any], standby: dict[str, Any], relation: Relation
) -> None:
    """Each way in which a pair is no pair has its own word."""
    assert replication_between(replace(PRIMARY, **primary), replace(STANDBY, **standby)).relation is relation


def test_an_idle_primary_is_not_a_lag() -> None:
    """A standby that has every byte is 0 s behind, however long ago the last transaction was."""
    assert replication_between(PRIMARY, STANDBY) == Replication(
        relation=Relation.FOLLOWS, bytes_behind=0, seconds_behind=0.0
    )


def test_seconds_are_unknown_where_nothing_was_replayed() -> None:
    """A standby that was just started does not know the age of its data, and none is made up for it."""
    behind = replication_between(PRIMARY, replace(STANDBY, position=4000, replayed_at=None))
    assert (behind.bytes_behind, behind.seconds_behind) == (1000, None)


@given(st.integers(0, 5000), st.integers(-60, 10**6))
def test_lag_is_never_negative(position: int, seconds: int) -> None:
    """Two clocks that disagree do not make a standby that is ahead."""
    standby = replace(STANDBY, position=position, replayed_at=NOW - timedelta(seconds=seconds))
    behind = replication_between(PRIMARY, standby)
    assert behind.bytes_behind == 5000 - position
    assert behind.seconds_behind == (0.0 if position == 5000 else max(0, seconds))
