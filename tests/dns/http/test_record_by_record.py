"""Which records are replaced, created and deleted, in which order, where a provider knows records only by their ids."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from changeover.dns.http.api import Api, ApiAnswer, Hints
from changeover.dns.http.provider import Reason
from changeover.dns.http.record_by_record import Record, RecordByRecord, Step, record_sets, records_of, steps
from changeover.dns.provider import Applied, Guard, Indeterminate, PreconditionFailed
from changeover.model.dns.capabilities import Capabilities
from changeover.model.dns.change import Change
from changeover.model.dns.records import AddressSet, RecordSet, record_set
from changeover.model.errors import NotFound, PermissionDenied, RateLimited
from changeover.model.secret import Secret

ZONE, WWW = "shop.example", "www.shop.example"


def a(value: str, ttl: int = 60, **details: Any) -> Record:
    return Record(name=WWW, type="A", ttl=ttl, value=f"192.0.2.{value}", details=details)


def there(*records: Record) -> list[tuple[str, Record]]:
    return [(f"id-{number}", record) for number, record in enumerate(records, 1)]


def told(made: Sequence[Step]) -> list[str]:
    return [f"{step.record_id} {step}".strip().replace(" at www.shop.example", "") for step in made]


class TestSteps:
    @pytest.mark.parametrize(
        ("stands", "wanted", "expected"),
        [
            pytest.param([], [], [], id="nothing"),
            pytest.param([a("1"), a("2")], [a("2"), a("1")], [], id="as it is, in another order"),
            pytest.param([a("1")], [a("9")], ["id-1 A 192.0.2.1 is now 192.0.2.9"], id="in place"),
            pytest.param([a("1")], [a("1", 300)], ["id-1 A 192.0.2.1 is now with TTL 300"], id="another TTL"),
            pytest.param([a("1")], [a("1", tag="x")], ["id-1 A 192.0.2.1 is now with TTL 60"], id="other details"),
            pytest.param([], [a("1"), a("2")], ["A 192.0.2.1 is created", "A 192.0.2.2 is created"], id="created"),
            pytest.param(
                [a("1"), a("2")], [], ["id-1 A 192.0.2.1 is deleted", "id-2 A 192.0.2.2 is deleted"], id="deleted"
            ),
            pytest.param(
                [a("1")],
                [a("8"), a("9")],
                ["id-1 A 192.0.2.1 is now 192.0.2.8", "A 192.0.2.9 is created"],
                id="more values",
            ),
            pytest.param(
                [a("1"), a("2"), a("3")],
                [a("9")],
                ["id-1 A 192.0.2.1 is now 192.0.2.9", "id-2 A 192.0.2.2 is deleted", "id-3 A 192.0.2.3 is deleted"],
                id="fewer values",
            ),
            pytest.param(
                [a("1"), a("2")], [a("2"), a("3")], ["id-1 A 192.0.2.1 is now 192.0.2.3"], id="what stays is left alone"
            ),
            pytest.param(
                [a("1"), a("2")],
                [a("9", 300), a("2", 300)],
                ["id-2 A 192.0.2.2 is now with TTL 300", "id-1 A 192.0.2.1 is now 192.0.2.9"],
                id="what only gets another TTL keeps its record",
            ),
            pytest.param([a("1"), a("1")], [a("1")], [], id="twice the same, which stays"),
            pytest.param(
                [a("1"), a("1")],
                [a("9")],
                ["id-1 A 192.0.2.1 is now 192.0.2.9", "id-2 A 192.0.2.1 is deleted"],
                id="twice the same, which goes",
            ),
            pytest.param(
                [a("1", 300), a("1", 60)], [a("1", 300)], ["id-2 A 192.0.2.1 is deleted"], id="twice, with two TTLs"
            ),
        ],
    )
    def test_the_fewest_requests_in_a_safe_order(
        self, stands: list[Record], wanted: list[Record], expected: list[str]
    ) -> None:
        """Replaced, then created, then deleted."""
        assert told(steps(there(*stands), wanted)) == expected

    @pytest.mark.parametrize(
        ("stands", "wanted", "expected"),
        [
            pytest.param([a("1"), a("2")], [a("8"), a("2")], ["id-1 A 192.0.2.1 is now 192.0.2.8"], id="the TTL stays"),
            pytest.param(
                [a("1"), a("2"), a("3")],
                [a("2", 300), a("9", 300)],
                [
                    "id-3 A 192.0.2.3 is deleted",
                    "id-1 A 192.0.2.1 is deleted",
                    "id-2 A 192.0.2.2 is now with TTL 300",
                    "A 192.0.2.9 is created",
                ],
                id="another TTL",
            ),
        ],
    )
    def test_a_provider_of_one_ttl_a_set_never_sees_two(
        self, stands: list[Record], wanted: list[Record], expected: list[str]
    ) -> None:
        """The set is reduced to one record, which gets the new TTL, and then completed."""
        assert told(steps(there(*stands), wanted, one_ttl=True)) == expected


values = st.integers(1, 5).map(str)


@given(
    stands=st.lists(st.builds(a, values, st.sampled_from([60, 300])), max_size=6),
    wanted=st.lists(st.builds(a, values, st.sampled_from([60, 300])), max_size=5, unique_by=lambda r: r.value),
)
def test_the_steps_give_what_is_wanted_and_never_nothing(stands: list[Record], wanted: list[Record]) -> None:
    """Whatever stands there, each record is touched once at most, and no more requests are made than needed."""
    made = steps(there(*stands), wanted)
    moments = list(_moments(there(*stands), made))
    assert distinct(moments[-1].values()) == distinct(wanted)
    assert all(moments) or not stands or not wanted
    touched = [step.record_id for step in made if step.record_id]
    assert len(touched) == len(set(touched))
    assert len(made) <= max(len(stands), len(wanted))
    assert not [step for step in made if step.before in wanted]


@given(
    stands=st.lists(values, min_size=1, max_size=5, unique=True),
    wanted=st.lists(values, min_size=1, max_size=5, unique=True),
    ttls=st.tuples(st.sampled_from([60, 300]), st.sampled_from([60, 300])),
)
def test_a_set_of_one_ttl_has_one_at_each_moment(stands: list[str], wanted: list[str], ttls: tuple[int, int]) -> None:
    """And is never empty."""
    before, after = [a(value, ttls[0]) for value in stands], [a(value, ttls[1]) for value in wanted]
    moments = list(_moments(there(*before), steps(there(*before), after, one_ttl=True)))
    assert distinct(moments[-1].values()) == distinct(after)
    assert all(len({record.ttl for record in moment.values()}) == 1 for moment in moments)
    # Nor does it have a value twice.
    assert all(len({record.value for record in moment.values()}) == len(moment) for moment in moments)


def distinct(records: Iterable[Record]) -> set[tuple[str, int]]:
    return {(record.value, record.ttl) for record in records}


def _moments(stands: Sequence[tuple[str, Record]], made: Sequence[Step]) -> list[dict[str, Record]]:
    now = dict(stands)
    found = [dict(now)]
    for number, step in enumerate(made):
        if step.before is not None:
            assert now[step.record_id] == step.before
        if step.after is None:
            del now[step.record_id]
        else:
            now[step.record_id or f"new-{number}"] = step.after
        found.append(dict(now))
    return found


@given(st.lists(st.builds(a, values, st.sampled_from([60, 300])), min_size=1, unique_by=lambda r: r.value))
def test_a_set_has_its_records_again(records: list[Record]) -> None:
    """With each record's own TTL, whatever order they were listed in."""
    (one,) = record_sets(records)
    assert record_sets(reversed(records)) == (one,)
    assert distinct(records_of(one)) == distinct(records)
    assert one.ttl == max(record.ttl for record in records)


def test_sets_of_several_types() -> None:
    """One for each type; an alias answers with other data than it has."""
    alias = Record(name=WWW, type="ALIAS", ttl=60, value="backup.example.net", details={"tag": "x"})
    assert record_sets([a("2"), alias, a("1", 30)]) == (
        RecordSet(name=WWW, type="A", ttl=60, values=("192.0.2.1", "192.0.2.2"), details={"192.0.2.1": {"ttl": 30}}),
        RecordSet(
            name=WWW,
            type="ALIAS",
            ttl=60,
            values=("backup.example.net",),
            details={"backup.example.net": {"tag": "x"}},
            opaque=True,
        ),
    )


class Options(Struct, frozen=True):
    endpoint: str = "https://api.example"


class InMemory(RecordByRecord[Options]):
    """Records in a dictionary. `does` has what was done, `fails` what is to fail: the number of the step, and how."""

    hints = Hints(credential="c", permission="p", missing="m", refused="r")
    capabilities = Capabilities(label="Memory", batch=None, native_compare_and_set=False, propagates_atomically=False)

    def __init__(self, *records: Record) -> None:
        super().__init__("account", Options(), {"token": Secret("secret")}, timeout=0.5)
        self.records = dict(there(*records))
        self.does: list[str] = []
        self.fails: dict[int, list[Exception]] = {}

    async def _records(self, zone: str, names: Sequence[str]) -> tuple[list[tuple[str, Record]], bool]:
        found = list(self.records.items())
        await asyncio.sleep(0)
        return found, True

    async def _create(self, zone: str, record: Record) -> None:
        self._do("create")
        self.records[f"new-{len(self.does)}"] = record

    async def _replace(self, zone: str, record_id: str, before: Record, after: Record) -> None:
        self._do("replace")
        if record_id not in self.records:
            raise NotFound("no such record")
        self.records[record_id] = after

    async def _delete(self, zone: str, record_id: str, record: Record) -> None:
        self._do("delete")
        if self.records.pop(record_id, None) is None:
            raise NotFound("no such record")

    async def _finish(self, zone: str) -> None:
        self._do("finish")

    def _do(self, what: str) -> None:
        waiting = self.fails.get(len(self.does) + 1)
        if waiting:
            raise waiting.pop(0)
        self.does.append(what)

    def _connect(self) -> Api:
        raise NotImplementedError

    def _reason(self, answer: ApiAnswer) -> Reason:
        raise NotImplementedError

    def normalize(self, zone: str, before: AddressSet, after: AddressSet) -> AddressSet:
        return after

    async def zones(self) -> tuple[str, ...]:
        return (ZONE,)


def change(before: Sequence[RecordSet], after: Sequence[RecordSet], name: str = WWW) -> Change:
    return Change(account="account", zone=ZONE, name=name, before=tuple(before), after=tuple(after))


def plain(*addresses: str, ttl: int = 60) -> RecordSet:
    return record_set(WWW, "A", ttl, [f"192.0.2.{address}" for address in addresses])


CNAME = record_set(WWW, "CNAME", 60, ["backup.example.net"])


class TestWriting:
    async def test_the_name_servers_are_told_once(self) -> None:
        """After everything else, and not where nothing was changed."""
        provider = InMemory(a("1"), a("2"))
        assert await provider.apply(ZONE, [change([plain("1", "2")], [plain("1", "2")])]) == Applied()
        assert provider.does == []
        assert await provider.apply(ZONE, [change([plain("1", "2")], [plain("8")])]) == Applied()
        assert provider.does == ["replace", "delete", "finish"]

    async def test_a_cname_stands_alone(self) -> None:
        """What it gives way to, and what gives way to it, is deleted first."""
        provider = InMemory(a("1"), a("2"))
        there_and_back = change([plain("1", "2")], [CNAME])
        assert await provider.apply(ZONE, [there_and_back]) == Applied()
        assert provider.does == ["delete", "delete", "create", "finish"]
        del provider.does[:]
        assert await provider.apply(ZONE, [there_and_back.inverse]) == Applied()
        assert provider.does == ["delete", "create", "create", "finish"]

    async def test_another_type_is_there_before_the_old_one_goes(self) -> None:
        """So that there is always an answer."""
        provider = InMemory(a("1"))
        six = record_set(WWW, "AAAA", 60, ["2001:db8::1"])
        assert await provider.apply(ZONE, [change([plain("1")], [six])]) == Applied()
        assert provider.does == ["create", "delete", "finish"]

    @pytest.mark.parametrize("step", [1, 2, 3])
    async def test_a_refusal_says_what_was_done_before_it(self, step: int) -> None:
        """Of the first step, it says that nothing was."""
        provider = InMemory(a("1"), a("2"))
        provider.fails[step] = [PermissionDenied("You may not.")]
        planned = change([plain("1", "2")], [plain("9")])
        if step == 1:
            with pytest.raises(PermissionDenied):
                await provider.apply(ZONE, [planned])
            return
        result = await provider.apply(ZONE, [planned])
        assert isinstance(result, Indeterminate)
        assert result.text.startswith(f"Done: A 192.0.2.1 at {WWW} is now 192.0.2.9")
        assert result.text.endswith("since You may not.")
        assert ("; A 192.0.2.2 at" in result.text) == (step == 3)

    async def test_a_step_that_comes_too_early_is_made_later(self) -> None:
        """Where the provider says when."""
        provider = InMemory(a("1"), a("2"))
        provider.fails[2] = [RateLimited("Slowly.", "", 0.05), RateLimited("Slowly.", "", 0.05)]
        assert await provider.apply(ZONE, [change([plain("1", "2")], [plain("9")])]) == Applied()

    @pytest.mark.parametrize("wanted", [[plain("9")], [CNAME]], ids=["replaced", "deleted"])
    async def test_a_record_that_vanishes_in_the_last_instant(self, wanted: list[RecordSet]) -> None:
        """It is not created again by the way: nothing was changed."""

        class Vanishing(InMemory):
            async def _write(self, zone: str, replacements: Any) -> None:
                self.records.clear()
                await super()._write(zone, replacements)

        provider = Vanishing(a("1"))
        result = await provider.apply(ZONE, [change([plain("1")], wanted)])
        assert isinstance(result, PreconditionFailed)
        assert result.conflicts == (f"A 192.0.2.1 at {WWW} is not there any more",)
        assert provider.records == {}

    async def test_another_reading_in_between(self) -> None:
        """One of other names does no harm; one that saw this name changed stops the write."""

        class Interrupted(InMemory):
            names: ClassVar[list[str]] = ["other.shop.example"]

            async def _write(self, zone: str, replacements: Any) -> None:
                self.records["id-1"] = a("77")
                await self.read(ZONE, self.names)
                await super()._write(zone, replacements)

        class Seen(Interrupted):
            names: ClassVar[list[str]] = [WWW]

        assert await Interrupted(a("1")).apply(ZONE, [change([plain("1")], [plain("9")])]) == Applied()
        provider = Seen(a("1"))
        assert isinstance(await provider.apply(ZONE, [change([plain("1")], [plain("9")])]), PreconditionFailed)
        assert provider.does == []

    async def test_a_text_beside_others(self) -> None:
        """Only it is touched, and each of the others keeps its TTL."""
        note = Record(name=WWW, type="TXT", ttl=300, value='"a note"')
        provider = InMemory(a("1"), note)
        assert await provider.swap_txt(ZONE, WWW, None, "kind one") == Applied()
        assert await provider.apply(ZONE, [change([plain("1")], [plain("9")])], Guard(WWW, "kind one")) == Applied()
        assert await provider.swap_txt(ZONE, WWW, "kind one", "kind two") == Applied()
        assert await provider.swap_txt(ZONE, WWW, "kind two", None) == Applied()
        assert provider.does == ["create", "finish", "replace", "finish", "replace", "finish", "delete", "finish"]
        assert list(provider.records.values()) == [a("9"), note]
