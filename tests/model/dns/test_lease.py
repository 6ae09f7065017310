"""Leases: who may take one, what it says, and that its fence only grows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.model.dns.batches import batches, guard_share, share
from changeover.model.dns.capabilities import BatchLimit
from changeover.model.dns.change import Change
from changeover.model.dns.lease import (
    LENGTH,
    SKEW,
    Holder,
    Lease,
    Refusal,
    Take,
    Unread,
    leases,
    lost_words,
    may_take,
    parse,
    renewed,
)
from changeover.model.dns.records import record_set
from changeover.model.dns.txt_record import LONGEST, value_of
from model.strategies import capabilities

NOW = datetime(2026, 11, 24, 11, 55, tzinfo=UTC)
ALICE = Holder(owner="5b0c3e9a1f27d846", service="shop", run="shop-4")
BOB = Holder(owner="77aa77aa77aa77aa", service="shop", run="shop-9")
TEXT = "changeover-lease v1 owner=5b0c3e9a1f27d846 fence=7 expires=2026-11-24T12:00:00Z service=shop run=shop-4"
#: As a version before wrote it.
OLD = (
    "changeover-lease v1 owner=alice@laptop fence=7 expires=2026-11-24T12:00:00Z service=shop run=shop-4 home=1f3a9c02"
)
HELD = parse(TEXT)
assert isinstance(HELD, Lease)


def taken(answer: Take | Refusal) -> Lease:
    assert isinstance(answer, Take)
    return answer.lease


def test_a_lease_is_one_line_of_text() -> None:
    """As it stands in the zone."""
    made = Lease(owner="5b0c3e9a1f27d846", fence=7, expires=NOW + LENGTH, service="shop", run="shop-4")
    assert made == HELD
    assert made.text == TEXT


holders = st.builds(
    Holder,
    owner=st.text(min_size=1, max_size=120),
    service=st.text(min_size=1, max_size=100),
    run=st.text(max_size=110),
)


@given(holders, st.datetimes(datetime(2026, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)))
def test_whatever_it_says_it_fits_into_one_string_and_is_read_again(me: Holder, now: datetime) -> None:
    """Names of any length in any script, and it is known as one's own."""
    lease = taken(may_take((), me, now))
    assert len(value_of(lease.text)) <= LONGEST + 2
    assert parse(lease.text) == lease
    assert lease.is_of(me)
    assert lease.in_force(now)


def test_what_is_not_understood_is_kept_as_it_is() -> None:
    """A later version's lease holds, and says its fence if it can; what a later version adds is passed over."""
    later = TEXT.replace("v1", "v2")
    assert parse(later) == Unread(later)
    assert Unread(later).fence == 7
    assert parse("changeover-lease v1 nonsense") == Unread("changeover-lease v1 nonsense")
    assert parse(f"{TEXT} more=words") == HELD


def test_other_texts_stand_beside_it() -> None:
    """They are nobody's business."""
    there = record_set("_changeover.shop.example", "TXT", 60, ['"v=spf1 -all"', f'"{TEXT}"', '"changeover-leases"'])
    assert leases([there]) == (HELD,)
    assert leases([]) == ()


def test_a_free_zone_may_be_taken() -> None:
    """With the first fence."""
    answer = may_take((), ALICE, NOW)
    assert isinstance(answer, Take)
    assert (answer.before, answer.lease.fence, answer.over) == (None, 1, None)
    assert answer.lease.expires == NOW + LENGTH


def test_a_lease_in_force_is_refused_in_words() -> None:
    """Who by the random name, what, until when, and what to do."""
    assert may_take([HELD], BOB, NOW) == Refusal(
        "Another computer (5b0c3e9a1f27d846) is switching shop (run shop-4) until 12:00",
        "Wait, or take the lease over by name in an emergency.",
    )


@pytest.mark.parametrize(
    ("people", "who"),
    [({"shop-4": "alice@laptop", "shop-3": "bob@laptop"}, "alice@laptop"), ({}, "This computer")],
)
def test_a_lease_of_this_computer_is_told_by_the_journal(people: dict[str, str], who: str) -> None:
    """It holds one for another service in the same zone: the journal knows who began that run, once it has begun."""
    other = Holder(owner=ALICE.owner, service="blog", run="blog-1")
    answer = may_take([HELD], other, NOW, people=people)
    assert isinstance(answer, Refusal)
    assert answer.text == f"{who} is switching shop (run shop-4) until 12:00"
    over = may_take([HELD], other, NOW, takeover=True, people=people)
    assert isinstance(over, Take)
    assert over.over == HELD


def test_a_lease_of_an_earlier_version_is_read() -> None:
    """It said itself whose it is; it holds, is waited for, and is replaced word for word as it stands."""
    old = parse(OLD)
    assert isinstance(old, Lease)
    assert (old.owner, old.home, old.text) == ("alice@laptop", "1f3a9c02", OLD)
    answer = may_take([old], BOB, NOW)
    assert isinstance(answer, Refusal)
    assert answer.text == "alice@laptop is switching shop (run shop-4) until 12:00"
    given_back = parse(OLD.replace("2026-11-24T12", "1970-01-01T00"))
    assert isinstance(given_back, Lease)
    assert may_take([given_back], BOB, NOW) == Take(
        Lease(owner=BOB.owner, fence=8, expires=NOW + LENGTH, service="shop", run="shop-9"), given_back.text
    )


@pytest.mark.parametrize(
    ("after", "free"),
    [(timedelta(0), False), (LENGTH + SKEW, False), (LENGTH + SKEW + timedelta(seconds=1), True)],
)
def test_a_lease_ends_when_nobody_can_believe_in_it_any_more(after: timedelta, free: bool) -> None:
    """A minute later than it says, since clocks differ."""
    assert isinstance(may_take([HELD], BOB, NOW + after), Take) is free


def test_an_emergency_takes_it_over() -> None:
    """From whom is told."""
    answer = may_take([HELD], BOB, NOW, takeover=True)
    assert isinstance(answer, Take)
    assert (answer.lease.fence, answer.before, answer.over) == (8, TEXT, HELD)


@pytest.mark.parametrize(
    ("me", "free"),
    [
        (ALICE, True),
        (Holder(owner=ALICE.owner, service="shop", run="shop-5"), True),
        (Holder(owner="0000000000000000", service="shop", run="shop-4"), False),
        (Holder(owner=ALICE.owner, service="blog", run="blog-1"), False),
    ],
)
def test_what_was_left_by_a_crash_is_ones_own(me: Holder, free: bool) -> None:
    """The same installation and service, which one process works on at a time; not another of the same person."""
    assert isinstance(may_take([HELD], me, NOW), Take) is free


def test_a_lease_of_a_later_version_holds() -> None:
    """It is taken over by name only."""
    later = Unread(TEXT.replace("v1", "v2"))
    answer = may_take([later], ALICE, NOW)
    assert isinstance(answer, Refusal)
    assert "does not understand" in answer.text
    assert taken(may_take([later], ALICE, NOW, takeover=True)).fence == 8


def test_a_lease_that_lasts_too_long_tells_of_a_wrong_clock() -> None:
    """Nobody waits for a year without a word."""
    answer = may_take([HELD], BOB, NOW - timedelta(hours=3))
    assert isinstance(answer, Refusal)
    assert "leases last 5 min and this one 3 h 5 min, so a clock is wrong, there or here" in answer.text


def test_a_renewal_keeps_the_fence_and_gets_the_name_of_the_run() -> None:
    """Which is not known when the lease is taken."""
    later = NOW + timedelta(minutes=1)
    first = taken(may_take((), Holder(owner=ALICE.owner, service="shop"), NOW))
    again = renewed(first, ALICE, later)
    assert (again.fence, again.expires, again.run) == (first.fence, later + LENGTH, "shop-4")


def test_why_a_lease_was_lost() -> None:
    """Who has it now, or that it is gone."""
    over = taken(may_take([HELD], BOB, NOW, takeover=True))
    assert lost_words("shop.example", [over]) == (
        "Another computer (77aa77aa77aa77aa) took over the lease on shop.example, for shop-9"
    )
    assert "removed by somebody" in lost_words("shop.example", ())


@given(st.lists(st.tuples(st.sampled_from([ALICE, BOB]), st.booleans(), st.integers(0, 900)), max_size=20))
def test_of_two_holders_one_has_the_lease_and_fences_grow(
    moves: list[tuple[Holder, bool, int]],
) -> None:
    """Whatever they try in whatever order: nobody gets it from another while it is in force, but by takeover."""
    stands: Lease | None = None
    now = NOW
    for me, takeover, seconds in moves:
        now += timedelta(seconds=seconds)
        answer = may_take([stands] if stands else [], me, now, takeover)
        if isinstance(answer, Refusal):
            assert stands is not None and stands.in_force(now) and not stands.is_of(me) and not takeover
            continue
        assert answer.before == (stands.text if stands else None)
        assert answer.lease.fence == (stands.fence if stands else 0) + 1
        stands = answer.lease


def test_every_batch_has_room_for_a_guard() -> None:
    """A full message takes one more prerequisite; where records are counted, a guard is none."""
    limit = BatchLimit(message_bytes=4000)
    names = [f"{number}.shop.example" for number in range(200)]
    answer = [record_set(names[0], "A", 60, ["192.0.2.1"])]
    every = [Change(account="a", zone="shop.example", name=name, before=(), after=tuple(answer)) for name in names]
    parts = list(batches(every, {"a": capabilities(limit)}))
    assert len(parts) > 2
    assert all(sum(share(change, limit) for change in part) + guard_share(limit) <= 1 + 1e-6 for part in parts)
    assert guard_share(BatchLimit(records=200)) == 0
