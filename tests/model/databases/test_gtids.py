"""GTIDs are read as the sets that they are, or not at all."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.model.databases.gtids import MOST, Gtids, mariadb_gtids, mysql_gtids

ONE, OTHER = "3e11fa47-71ca-11e1-9e33-c80aa9429562", "4e11fa47-71ca-11e1-9e33-c80aa9429562"
SOURCES = [ONE, OTHER, f"{ONE}:billing"]

#: What a server has, number by number, and the same as it would write it: in any order, in pieces that may overlap.
stretches = st.tuples(st.sampled_from(SOURCES), st.integers(1, 30), st.integers(0, 8))
members = st.lists(stretches, max_size=8).map(
    lambda found: {(source, first + step) for source, first, length in found for step in range(length + 1)}
)
positions = st.dictionaries(st.tuples(st.integers(0, 3), st.integers(0, 3)), st.integers(1, 20))


def mysql(numbers: set[tuple[str, int]]) -> Gtids:
    return mysql_gtids(",\n".join(f"{source}:{number}" for source, number in numbers))


def mariadb(last: dict[tuple[int, int], int]) -> Gtids:
    return mariadb_gtids(",".join(f"{domain}-{server}-{number}" for (domain, server), number in last.items()))


def numbers_of(gtids: Gtids) -> set[tuple[str, int]]:
    return {
        (source, number)
        for source, ranges in gtids.ranges.items()
        for first, last in ranges
        for number in range(first, last + 1)
    }


@given(members, members)
def test_mysql_sets_are_compared_as_sets(one: set[tuple[str, int]], other: set[tuple[str, int]]) -> None:
    """What one has and the other lacks is exactly the difference, however it is written."""
    gtids, others = mysql(one), mysql(other)
    assert numbers_of(gtids) == one
    assert numbers_of(gtids.beyond(others)) == one - other
    assert gtids.lead(others) == len(one - other)
    assert gtids.related(others) == bool({s[:36] for s, _ in one} & {s[:36] for s, _ in other})
    assert mysql_gtids(str(gtids)) == gtids
    for ranges in gtids.ranges.values():
        assert all(later[0] > earlier[1] + 1 for earlier, later in pairwise(ranges))


@given(positions, positions)
def test_mariadb_positions_are_compared_by_server_and_counted_by_domain(
    one: dict[tuple[int, int], int], other: dict[tuple[int, int], int]
) -> None:
    """A transaction is missing by who wrote it; how many are, by the number that a domain's servers share."""
    gtids, others = mariadb(one), mariadb(other)
    assert bool(gtids.beyond(others).ranges) == any(number > other.get(by, 0) for by, number in one.items())
    lead = 0
    for domain in range(4):
        here, there = ([n for (d, _), n in has.items() if d == domain] for has in (one, other))
        lead += max(0, max(here, default=0) - max(there, default=0))
    assert gtids.lead(others) == lead
    assert mariadb_gtids(str(gtids)) == gtids


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("", {}),
        (" ,\n", {}),
        (f"{ONE.upper()}:1-5:7,\n{OTHER}:1", {ONE: ((1, 5), (7, 7)), OTHER: ((1, 1),)}),
        (f"{ONE}:7:1-5:6", {ONE: ((1, 7),)}),
        (
            f"{ONE}:1-3:billing:1-3:7:_a1:4",
            {ONE: ((1, 3),), f"{ONE}:billing": ((1, 3), (7, 7)), f"{ONE}:_a1": ((4, 4),)},
        ),
        (f"{ONE}:{2**63 - 1}", {ONE: ((2**63 - 1, 2**63 - 1),)}),
    ],
)
def test_how_mysql_writes_its_sets(text: str, ranges: dict[str, Any]) -> None:
    """Ranges, single numbers, several servers, tags that hold for what follows; an empty set is one."""
    assert mysql_gtids(text) == Gtids(kind="mysql", ranges=ranges)


def test_how_mariadb_writes_its_positions() -> None:
    """Of several texts the highest number counts; number 0 is nothing."""
    assert mariadb_gtids("0-1-100,1-2-5,9-9-0", "0-1-90,0-3-101", "").ranges == {
        "0-1": ((1, 100),),
        "0-3": ((1, 101),),
        "1-2": ((1, 5),),
    }
    assert mariadb_gtids(f"{2**32 - 1}-0-{2**64 - 1}").ranges == {f"{2**32 - 1}-0": ((1, 2**64 - 1),)}


def test_what_is_missing_is_told_in_the_server_s_own_notation() -> None:
    """With its ends, so that a person finds it in the log."""
    assert str(mysql_gtids(f"{ONE}:1-9:12").beyond(mysql_gtids(f"{ONE}:1-5"))) == f"{ONE}:6-9:12"
    assert str(mariadb_gtids("0-1-103,0-2-90").beyond(mariadb_gtids("0-1-100,0-2-105"))) == "0-1-101 to 0-1-103"
    assert str(mariadb_gtids("0-1-101").beyond(mariadb_gtids("0-1-100"))) == "0-1-101"


@pytest.mark.parametrize(
    "text",
    [
        ONE,
        f"{ONE}:",
        f"{ONE}:5-1",
        f"{ONE}:0-3",
        f"{ONE}:{2**63}",
        f"{ONE}:1-{'9' * 5000}",
        f"{ONE}:1-3-5",
        f"{ONE}:+1",
        f"{ONE}:٣",
        f"{ONE}:{'t' * 33}:1",
        f"{ONE[:-1]}:1",
        "0-1-100",
        "\x1b[2J",
        ",".join([f"{ONE}:1"] * (MOST // 30)),
    ],
)
def test_what_is_no_set_of_mysql_is_refused(text: str) -> None:
    """Nothing is guessed, and what is refused is not repeated."""
    with pytest.raises(ValueError, match="GTIDs") as caught:
        mysql_gtids(text)
    assert len(str(caught.value)) < 60


@pytest.mark.parametrize(
    "text",
    ["0-1", "0-1-2-3", "-1-1-1", f"{2**32}-1-1", f"0-{2**32}-1", f"0-1-{2**64}", "0-1-٣", f"0-1-{'9' * 5000}"],
)
def test_what_is_no_position_of_mariadb_is_refused(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError, match="GTIDs"):
        mariadb_gtids(text)


@given(st.text(max_size=60), st.sampled_from([mysql_gtids, mariadb_gtids]))
def test_any_text_is_read_or_refused(text: str, read: Any) -> None:
    """No other error comes of it."""
    try:
        assert isinstance(read(text), Gtids)
    except ValueError as error:
        assert "GTIDs" in str(error)
