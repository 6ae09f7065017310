"""Plans: there and back gives the exact start, no state without an answer, batches within their limits."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.model.dns.batches import batches, share
from changeover.model.dns.capabilities import BatchLimit
from changeover.model.dns.change import Change, Place
from changeover.model.dns.records import AddressSet, RecordSet, record_set
from changeover.model.runs.plan import ChangeRecords, Plan, batch_progress, half_made, inverse, plan_of, restore_emptied
from model.strategies import NOW, address_sets, capabilities, changes

World = dict[Place, AddressSet]
LIMITS = st.sampled_from([None, BatchLimit(records=1), BatchLimit(records=7), BatchLimit(records=200), BatchLimit()])


def states(world: World, plan: Plan) -> Iterable[World]:
    """Every state that the world passes through: after each batch, or after each change where there are none."""
    for step in plan.steps:
        if isinstance(step, ChangeRecords):
            for change in step.changes:
                assert world[change.place] == change.before, "a change expects exactly what stands"
                world = {**world, change.place: change.after}
            yield world


@given(changes(), LIMITS, LIMITS)
def test_a_plan_and_its_inverse_give_back_the_exact_start(
    made: tuple[Change, ...], one: BatchLimit | None, two: BatchLimit | None
) -> None:
    """Values, TTLs, provider details: all as it was, and every name has an answer all the way."""
    both = {"one": capabilities(one), "two": capabilities(two)}
    start = {c.place: c.before for c in made}
    plan = plan_of("shop", "primary", "backup", made, both, NOW)
    there = list(states(start, plan))
    assert there[-1] == {c.place: c.after for c in made}
    undo = plan_of("shop", "backup", "primary", inverse(plan.changes), both, NOW)
    back = list(states(there[-1], undo))
    assert back[-1] == start
    assert all(answer for state in (*there, *back) for answer in state.values())


@given(changes(), LIMITS)
def test_batches_have_every_change_once_and_keep_their_limit(
    made: tuple[Change, ...], limit: BatchLimit | None
) -> None:
    """Each at one account, none too large unless a single hostname is; without a limit, one hostname each."""
    both = {"one": capabilities(limit), "two": capabilities(limit)}
    parts = list(batches(made, both))
    assert sorted(c.place for part in parts for c in part) == sorted(c.place for c in made)
    for part in parts:
        assert len({(c.account, c.zone) for c in part}) == 1
        assert len(part) == 1 or (limit is not None and sum(share(c, limit) for c in part) <= 1)


@pytest.mark.parametrize("limit", [10, 20, 200, 1000])
def test_a_batch_is_full_at_its_limit_and_not_a_record_later(limit: int) -> None:
    """A provider that takes so many records refuses one more: the next hostname begins a new batch."""

    def one(number: int) -> Change:
        name = f"n{number:04}.shop.example"
        old, new = record_set(name, "A", 60, ["192.0.2.1"]), record_set(name, "A", 60, ["192.0.2.2"])
        return Change(account="one", zone="shop.example", name=name, before=(old,), after=(new,))

    both = {"one": capabilities(BatchLimit(records=limit))}
    for hostnames, sizes in ((limit // 2, [limit // 2]), (limit // 2 + 1, [limit // 2, 1])):
        assert [len(part) for part in batches([one(n) for n in range(hostnames)], both)] == sizes


@given(changes(), st.data())
def test_progress_tells_what_is_to_do_from_what_stands(made: tuple[Change, ...], data: st.DataObject) -> None:
    """Before is to do, after is done, empty is to do from nothing, everything else is somebody else's."""
    live: World = {}
    for change in made:
        other = data.draw(address_sets(change.name))
        live[change.place] = data.draw(st.sampled_from([change.before, change.after, (), other]))
    found = batch_progress(made, live)
    assert len(found.todo) + len(found.done) + len(found.foreign) == len(made)
    assert all(live[c.place] == c.after for c in found.done)
    assert all(live[c.place] == c.before for c in found.todo)
    assert all(now not in ((), c.before, c.after) for c, now in found.foreign)
    assert {c.place for c in restore_emptied(made, live)} == {c.place for c in made if not live[c.place]}


def test_what_is_there_already_is_no_change() -> None:
    """A plan without changes has no steps."""
    plan = plan_of("shop", "backup", "backup", (), {}, NOW)
    assert (plan.steps, plan.changes) == ((), ())


@pytest.mark.parametrize(("ttl", "opaque", "seconds"), [(60, False, 60), (1, False, 300), (1, True, 0)])
def test_visitors_follow_within_the_longest_ttl_before(ttl: int, opaque: bool, seconds: int) -> None:
    """An automatic TTL is what it stands for; behind a proxy visitors have nothing to forget."""
    before = RecordSet(name="www.shop.example", type="A", ttl=ttl, values=("192.0.2.1",), opaque=opaque)
    after = record_set("www.shop.example", "A", 60, ["192.0.2.2"])
    change = Change(account="one", zone="shop.example", name=before.name, before=(before,), after=(after,))
    can = capabilities(BatchLimit(records=200))
    can = type(can)(**{**{f: getattr(can, f) for f in can.__struct_fields__}, "automatic_ttl": 300})
    assert plan_of("shop", "a", "b", [change], {"one": can}, NOW).visitors_follow_within == seconds


class TestHalfMade:
    """A change of one record after the other that was cut short."""

    CHANGE = Change(
        account="dns",
        zone="shop.example",
        name="shop.example",
        before=(record_set("shop.example", "A", 3600, ["192.0.2.1", "192.0.2.2"]),),
        after=(record_set("shop.example", "A", 60, ["198.51.100.1"]),),
    )

    @pytest.mark.parametrize(
        ("ttl", "values", "half"),
        [
            pytest.param(60, ["192.0.2.1", "192.0.2.2"], True, id="only the TTL is new"),
            pytest.param(3600, ["198.51.100.1"], True, id="only the TTL is old"),
            pytest.param(60, ["198.51.100.1", "192.0.2.2"], True, id="records of both"),
            pytest.param(3600, ["192.0.2.2"], True, id="a part of the old ones"),
            pytest.param(3600, ["192.0.2.1", "192.0.2.2"], False, id="nothing is made"),
            pytest.param(60, ["198.51.100.1"], False, id="all is made"),
            pytest.param(60, ["198.51.100.1", "203.0.113.9"], False, id="a record of neither"),
            pytest.param(120, ["198.51.100.1"], False, id="a TTL of neither"),
        ],
    )
    def test_only_what_is_of_both_is_ours(self, ttl: int, values: list[str], half: bool) -> None:
        """Anything else was done by somebody else, and stays."""
        now = (record_set("shop.example", "A", ttl, values),)
        assert half_made(self.CHANGE, now) is half

    def test_a_mixture_is_gone_on_with(self) -> None:
        """Where records are written one by one, the TTL too. An atomic write leaves none."""
        mixture = (record_set("shop.example", "A", 60, ["198.51.100.1", "192.0.2.2"]),)
        at = {self.CHANGE.place: mixture}
        assert [c.before for c in batch_progress([self.CHANGE], at, ["dns"]).todo] == [mixture]
        assert batch_progress([self.CHANGE], at).foreign
        old = (record_set("shop.example", "A", 60, ["192.0.2.1", "192.0.2.2"]),)
        assert [c.before for c in batch_progress([self.CHANGE], {self.CHANGE.place: old}, ["dns"]).todo] == [old]
        new = (record_set("shop.example", "A", 3600, ["198.51.100.1"]),)
        assert batch_progress([self.CHANGE], {self.CHANGE.place: new}, ["dns"]).foreign, (
            "another switch may have made it"
        )

    def test_an_empty_name_is_not_half_made(self) -> None:
        """It is repaired first."""
        assert not half_made(self.CHANGE, ())
