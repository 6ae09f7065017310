"""What DNS providers have in common whose records each have an id and are created, replaced and deleted one by one.

What keeps its type is replaced in place, so that its name is never without an answer. A change of type is made in the
order of changeover.dns.http_provider.replacements: a CNAME stands alone, so between its going and the new records, or
the other way round, the name is empty for the time of a request. A failure half way says what was done before.

The records of one set may have different TTLs here, which DNS does not know (RFC 2181, 5.2). The set has the longest,
since that is how long an answer may be kept; each record's own is restored by an undo.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeVar

from msgspec import Struct

from changeover.dns.http_provider import HttpProvider, Replacement, Zone
from changeover.model.records import RecordSet

_Options = TypeVar("_Options", bound=Struct)
_Step = tuple[str, Callable[[], Awaitable[object]]]


class Record(Struct, frozen=True, kw_only=True):
    """One record. `value` is canonical (changeover.model.records.RecordSet).

    `details` is what the provider keeps beside it and an undo must restore, such as a tag or its own notation.
    """

    name: str
    type: str
    ttl: int
    value: str
    details: dict[str, Any] = {}


class RecordByRecord(HttpProvider[_Options]):
    """A provider with ids. It says how to list, create, replace and delete one record, and `_finish` where it must."""

    #: What stood at the names of the last reading: the id with each record.
    _seen: dict[str, list[tuple[str, Record]]]

    @abstractmethod
    async def _records(self, zone: str, names: Sequence[str]) -> tuple[Iterable[tuple[str, Record]], bool]:
        """The records at `names`, others as well where that is simpler, with their ids; and are these all there are?

        NotFound where the account does not have the zone.
        """

    @abstractmethod
    async def _create(self, zone: str, record: Record) -> None: ...

    @abstractmethod
    async def _replace(self, zone: str, record_id: str, before: Record, after: Record) -> None:
        """In place. The type stays."""

    @abstractmethod
    async def _delete(self, zone: str, record_id: str, record: Record) -> None: ...

    async def _finish(self, zone: str) -> None:
        """What a provider must be told after its records were changed, so that its name servers learn of it."""

    async def _read(self, zone: str, names: Sequence[str]) -> Zone:
        records, whole = await self._records(zone, names)
        self._seen = {}
        for record_id, record in records:
            self._seen.setdefault(record.name, []).append((record_id, record))
        return Zone({name: record_sets(record for _, record in there) for name, there in self._seen.items()}, whole)

    async def _write(self, zone: str, replacements: Sequence[Replacement]) -> None:
        steps = [step for replacement in replacements for step in self._steps(zone, replacement)]
        await self._in_turn([*steps, ("the name servers are told", lambda: self._finish(zone))] if steps else [])

    def _steps(self, zone: str, replacement: Replacement) -> list[_Step]:
        """In the order: replaced, created, deleted."""
        there = [(i, r) for i, r in self._seen.get(replacement.name, ()) if r.type == replacement.type]
        wanted = _records_of(replacement.after) if replacement.after is not None else []
        missing = [record for record in wanted if all(record != r for _, r in there)]
        surplus = [(record_id, record) for record_id, record in there if record not in wanted]
        # What only gets another TTL keeps its record.
        missing.sort(key=lambda record: record.value not in {r.value for _, r in surplus})
        steps: list[_Step] = []
        for after in list(missing):
            if not surplus:
                break
            same = next((pair for pair in surplus if pair[1].value == after.value), surplus[0])
            surplus.remove(same)
            missing.remove(after)
            steps.append((f"{_told(same[1])} is now {after.value}", _bound(self._replace, zone, *same, after)))
        steps += [(f"{_told(record)} is created", _bound(self._create, zone, record)) for record in missing]
        steps += [(f"{_told(r)} is deleted", _bound(self._delete, zone, record_id, r)) for record_id, r in surplus]
        return steps


def record_sets(records: Iterable[Record]) -> tuple[RecordSet, ...]:
    """The records of one name as sets. A record's own TTL stands in its details where it is not the set's."""
    by_type: dict[str, list[Record]] = {}
    for record in records:
        by_type.setdefault(record.type, []).append(record)
    return tuple(_record_set(members) for members in by_type.values())


def _record_set(members: Sequence[Record]) -> RecordSet:
    ttl = max(record.ttl for record in members)
    details = {r.value: {**r.details, **({"ttl": r.ttl} if r.ttl != ttl else {})} for r in members}
    return RecordSet(
        name=members[0].name,
        type=members[0].type,
        ttl=ttl,
        values=tuple(sorted({record.value for record in members})),
        details={value: kept for value, kept in details.items() if kept},
        opaque=members[0].type in ("ALIAS", "ANAME"),
    )


def _records_of(one: RecordSet) -> list[Record]:
    found = []
    for value in one.values:
        kept = one.details.get(value, {})
        details = {key: detail for key, detail in kept.items() if key != "ttl"}
        found.append(Record(name=one.name, type=one.type, ttl=kept.get("ttl", one.ttl), value=value, details=details))
    return found


def _told(record: Record) -> str:
    return f"{record.type} {record.value} at {record.name}"


def _bound(act: Callable[..., Awaitable[object]], *arguments: object) -> Callable[[], Awaitable[object]]:
    return lambda: act(*arguments)
