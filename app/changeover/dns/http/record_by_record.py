"""What DNS providers have in common whose records each have an id and are created, replaced and deleted one by one.

What keeps its type is replaced in place, so that its name is never without an answer. A change of type is made in the
order of changeover.dns.http.provider.replacements: a CNAME stands alone, so between its going and the new records, or
the other way round, the name is empty for the time of a request. A failure half way says what was done before.

The records of one set may have different TTLs here, which DNS does not know (RFC 2181, 5.2). The set has the longest,
since that is how long an answer may be kept; each record's own is restored by an undo. What stands there twice is one
value, and is one record after an undo.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, TypeVar

from msgspec import Struct

from changeover.dns.http.provider import TIMEOUT, HttpProvider, RecordGone, Replacement, Zone
from changeover.model.dns.records import RecordSet
from changeover.model.errors import NotFound
from changeover.model.secret import Secret

_Options = TypeVar("_Options", bound=Struct)


class Record(Struct, frozen=True, kw_only=True):
    """One record. `value` is canonical (changeover.model.dns.records.RecordSet).

    `details` is what the provider keeps beside it and an undo must restore, such as a tag or its own notation.
    """

    name: str
    type: str
    ttl: int
    value: str
    details: dict[str, Any] = {}

    def __str__(self) -> str:
        return f"{self.type} {self.value} at {self.name}"


class Step(Struct, frozen=True):
    """One record is replaced in place, created (no `before`) or deleted (no `after`). Told as `str(step)`."""

    record_id: str
    before: Record | None
    after: Record | None

    def __str__(self) -> str:
        if self.before is None:
            return f"{self.after} is created"
        if self.after is None:
            return f"{self.before} is deleted"
        same = self.after.value == self.before.value
        return f"{self.before} is now {f'with TTL {self.after.ttl}' if same else self.after.value}"


class RecordByRecord(HttpProvider[_Options]):
    """A provider with ids. It says how to list, create, replace and delete one record, and `_finish` where it must.

    `one_ttl`: it refuses a record with another TTL than its set has.
    """

    one_ttl: ClassVar[bool] = False

    def __init__(
        self, account: str, options: _Options, secrets: Mapping[str, Secret], timeout: float = TIMEOUT
    ) -> None:
        super().__init__(account, options, secrets, timeout)
        # What stood at each name of a zone when it was last read: the id with each record.
        self._seen: dict[tuple[str, str], list[tuple[str, Record]]] = {}

    @abstractmethod
    async def _records(self, zone: str, names: Sequence[str]) -> tuple[Iterable[tuple[str, Record]], bool]:
        """The records at `names`, others as well where that is simpler, with their ids; and are these all there are?

        NotFound where the account does not have the zone.
        """

    @abstractmethod
    async def _create(self, zone: str, record: Record) -> None: ...

    @abstractmethod
    async def _replace(self, zone: str, record_id: str, before: Record, after: Record) -> None:
        """In place. The type stays. NotFound where it is not there any more."""

    @abstractmethod
    async def _delete(self, zone: str, record_id: str, record: Record) -> None:
        """NotFound where it is not there any more."""

    async def _finish(self, zone: str) -> None:
        """What a provider must be told after its records were changed, so that its name servers learn of it."""

    async def _read(self, zone: str, names: Sequence[str]) -> Zone:
        records, whole = await self._records(zone, names)
        found: dict[str, list[tuple[str, Record]]] = {}
        for record_id, record in records:
            found.setdefault(record.name, []).append((record_id, record))
        self._seen.update({(zone, name): found.get(name, []) for name in names})
        return Zone({name: record_sets(record for _, record in there) for name, there in found.items()}, whole)

    async def _write(self, zone: str, replacements: Sequence[Replacement]) -> None:
        made = [(str(step), partial(self._make, zone, step)) for r in replacements for step in self._steps(zone, r)]
        await self._run_steps([*made, ("the name servers are told", partial(self._finish, zone))] if made else [])

    def _steps(self, zone: str, replacement: Replacement) -> list[Step]:
        there = [pair for pair in self._seen[zone, replacement.name] if pair[1].type == replacement.type]
        # These are the ids of what was compared, unless another reading came in between and found something else.
        if record_sets(record for _, record in there) != ((replacement.before,) if replacement.before else ()):
            raise RecordGone(f"{replacement.name} changed in the moment before it was written")
        wanted = records_of(replacement.after) if replacement.after is not None else []
        return steps(there, wanted, one_ttl=self.one_ttl)

    async def _make(self, zone: str, step: Step) -> None:
        if step.before is None:
            assert step.after is not None
            return await self._create(zone, step.after)
        try:
            if step.after is None:
                await self._delete(zone, step.record_id, step.before)
            else:
                await self._replace(zone, step.record_id, step.before, step.after)
        except NotFound:
            raise RecordGone(f"{step.before} is not there any more") from None


def steps(there: Sequence[tuple[str, Record]], wanted: Sequence[Record], *, one_ttl: bool = False) -> list[Step]:
    """What makes `wanted` of all the records of one name and type; at no moment is there none, where both have some.

    Replaced first, then created, then deleted. But with `one_ttl` a set that gets another TTL is first reduced to one
    record, which is replaced; then the others are created.
    """
    missing = [record for record in wanted if all(record != other for _, other in there)]
    surplus = [(record_id, record) for record_id, record in there if record not in wanted]
    # What only gets another TTL keeps its record.
    missing.sort(key=lambda record: record.value not in {other.value for _, other in surplus})
    replaced: list[tuple[str, Record, Record]] = []
    while missing and surplus:
        after = missing.pop(0)
        same = next((pair for pair in surplus if pair[1].value == after.value), surplus[0])
        surplus.remove(same)
        replaced.append((*same, after))
    reduced = one_ttl and any(before.ttl != after.ttl for _, before, after in replaced)
    if reduced:
        surplus += [(record_id, before) for record_id, before, _ in replaced[1:]]
        missing = [after for _, _, after in replaced[1:]] + missing
        del replaced[1:]
    made = [*(Step(*each) for each in replaced), *(Step("", None, record) for record in missing)]
    deleted = [Step(record_id, record, None) for record_id, record in surplus]
    return [*deleted, *made] if reduced else [*made, *deleted]


def record_sets(records: Iterable[Record]) -> tuple[RecordSet, ...]:
    """The records of one name as sets. A record's own TTL stands in its details where it is not the set's."""
    by_type: dict[str, list[Record]] = {}
    for record in records:
        by_type.setdefault(record.type, []).append(record)
    return tuple(_record_set(members) for members in by_type.values())


def records_of(one: RecordSet) -> list[Record]:
    """The records of a set, each with its own TTL."""
    found = []
    for value in one.values:
        kept = one.details.get(value, {})
        details = {key: detail for key, detail in kept.items() if key != "ttl"}
        found.append(Record(name=one.name, type=one.type, ttl=kept.get("ttl", one.ttl), value=value, details=details))
    return found


def _record_set(members: Sequence[Record]) -> RecordSet:
    ttl = max(record.ttl for record in members)
    details = {
        r.value: {**r.details, **({"ttl": r.ttl} if r.ttl != ttl else {})} for r in sorted(members, key=lambda r: r.ttl)
    }
    return RecordSet(
        name=members[0].name,
        type=members[0].type,
        ttl=ttl,
        values=tuple(sorted({record.value for record in members})),
        details={value: kept for value, kept in details.items() if kept},
        opaque=members[0].type in ("ALIAS", "ANAME"),
    )
