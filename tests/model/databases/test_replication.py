"""How two servers stand to each other: only a standby of this primary, with nothing of its own, follows it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from changeover.model.databases.database_observation import DatabaseObservation, ReplicationSource
from changeover.model.databases.gtids import mariadb_gtids, mysql_gtids
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


ONE, OTHER = "3e11fa47-71ca-11e1-9e33-c80aa9429562", "4e11fa47-71ca-11e1-9e33-c80aa9429562"
MYSQL = DatabaseObservation(
    role="primary", read_at=NOW, tls="verified", version="8.4", server=ONE, gtids=mysql_gtids(f"{ONE}:1-100")
)
LINK = ReplicationSource(host="db.example", port=3306, server=ONE, receiving="yes", applying=True, seconds_behind=7)
REPLICA = replace(MYSQL, role="standby", server=OTHER, sources=(LINK,), gtids=mysql_gtids(f"{ONE}:1-90"))
MARIADB = replace(MYSQL, version="10.11", server="1", gtids=mariadb_gtids("0-1-100,0-2-90"))
MARIADB_REPLICA = replace(
    REPLICA, server="2", sources=(replace(LINK, server="1"),), gtids=mariadb_gtids("0-1-95,0-2-90")
)


@pytest.mark.parametrize(
    ("primary", "standby", "expected"),
    [
        ({}, {}, {"transactions_behind": 10, "seconds_behind": 7.0}),
        ({}, {"gtids": MYSQL.gtids}, {"transactions_behind": 0, "seconds_behind": 0.0}),
        ({}, {"sources": (replace(LINK, seconds_behind=0),)}, {"transactions_behind": 10, "seconds_behind": 1.0}),
        ({}, {"sources": (replace(LINK, seconds_behind=None),)}, {"transactions_behind": 10}),
        ({}, {"sources": (replace(LINK, applying=False),)}, {"transactions_behind": 10}),
        ({}, {"sources": (replace(LINK, receiving="connecting"),)}, {"transactions_behind": 10}),
        ({}, {"sources": (LINK, replace(LINK, name="b", receiving="no"))}, {"transactions_behind": 10}),
        ({}, {"sources": ()}, {"transactions_behind": 10}),
        ({"gtids": None}, {"gtids": None}, {"seconds_behind": 7.0}),
        (
            {"purged": mysql_gtids(f"{ONE}:1-95")},
            {},
            {"transactions_behind": 10, "seconds_behind": 7.0, "out_of_reach": f"{ONE}:91-95"},
        ),
        ({}, {"gtids": mysql_gtids("")}, {"transactions_behind": 100, "seconds_behind": 7.0}),
    ],
)
def test_transactions_behind(primary: dict[str, Any], standby: dict[str, Any], expected: dict[str, Any]) -> None:
    """What is missing is counted; seconds are told only where the standby can know them, and never 0 of one behind."""
    behind = replication_between(replace(MYSQL, **primary), replace(REPLICA, **standby))
    assert behind == Replication(relation=Relation.FOLLOWS, **expected)


@pytest.mark.parametrize(
    ("primary", "standby", "relation", "only"),
    [
        ({}, {"gtids": mysql_gtids(f"{ONE}:1-90,{OTHER}:1-2")}, Relation.DIVERGED, f"{OTHER}:1-2"),
        ({}, {"gtids": mysql_gtids(f"{ONE}:1-101")}, Relation.DIVERGED, f"{ONE}:101"),
        ({}, {"role": "primary", "gtids": mysql_gtids(f"{ONE}:1-103")}, Relation.TWO_PRIMARIES, f"{ONE}:101-103"),
        ({"role": "standby"}, {}, Relation.TWO_STANDBYS, ""),
        ({"role": "standby"}, {"role": "primary"}, Relation.REVERSED, ""),
        ({}, {"gtids": mysql_gtids(f"{OTHER}:1-90"), "sources": ()}, Relation.STRANGERS, ""),
        ({}, {"gtids": None, "sources": ()}, Relation.STRANGERS, ""),
        ({}, {"gtids": mariadb_gtids("0-1-5"), "sources": ()}, Relation.STRANGERS, ""),
        ({}, {"server": ONE}, Relation.STRANGERS, ""),
        ({}, {"server": ONE, "role": "primary"}, Relation.TWO_PRIMARIES, ""),
        ({}, {"server": "", "system": "7"}, Relation.STRANGERS, ""),
    ],
)
def test_what_two_servers_of_mysql_are_to_each_other(
    primary: dict[str, Any], standby: dict[str, Any], relation: Relation, only: str
) -> None:
    """A transaction of its own makes a standby one that has diverged; no server is its own standby."""
    found = replication_between(replace(MYSQL, **primary), replace(REPLICA, **standby))
    assert (found.relation, found.only_on_standby) == (relation, only)


def test_a_former_primary_of_mariadb_is_not_taken_for_one_that_is_behind() -> None:
    """Its last number is lower than the new primary's, and yet it has transactions that nobody else has."""
    behind = replication_between(MARIADB, MARIADB_REPLICA)
    assert behind == Replication(relation=Relation.FOLLOWS, transactions_behind=5, seconds_behind=7.0)
    back = replace(MARIADB_REPLICA, gtids=mariadb_gtids("0-1-103,0-2-90"))
    found = replication_between(replace(MARIADB, gtids=mariadb_gtids("0-1-100,0-2-105")), back)
    assert (found.relation, found.only_on_standby) == (Relation.DIVERGED, "0-1-101 to 0-1-103")


def test_many_missing_transactions_are_cut() -> None:
    """A set of a thousand pieces does not become a page."""
    own = ":".join(map(str, range(1, 2001, 2)))
    found = replication_between(MYSQL, replace(REPLICA, gtids=mysql_gtids(f"{ONE}:1-90,{OTHER}:{own}")))
    assert found.relation is Relation.DIVERGED
    assert len(found.only_on_standby) <= 301
