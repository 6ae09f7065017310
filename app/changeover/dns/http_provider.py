"""What DNS providers with an HTTP API and no compare-and-set of their own have in common.

Everything at the names of a batch is read right before the write and must be exactly what was expected. Somebody
else's change in the instant between stays unseen: `window` says how long that instant was.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import dns.exception
import dns.name
import dns.rdata
from msgspec import Struct

from changeover.dns.http import Lost, repeated, when_allowed
from changeover.dns.provider import (
    TEXT_TTL,
    Access,
    Applied,
    ChangedMeanwhile,
    Guard,
    Reading,
    Result,
    Unsure,
    conflicts,
    put_conflicts,
    text_conflicts,
)
from changeover.model.capabilities import Capabilities
from changeover.model.change import Change
from changeover.model.errors import Rejected
from changeover.model.records import NAME_TYPES, AddressSet, RecordSet, address_set, canonical_value
from changeover.model.text import text_of, value_of

#: Seconds for one request, and for one reading with its repetitions.
TIMEOUT = 10.0
#: How many times that a write may wait altogether, where the provider says that it was too early.
PATIENCE = 3

_T = TypeVar("_T")
Found = Mapping[str, Sequence[RecordSet]]


class Zone(Struct, frozen=True):
    """What was read of a zone: the record sets by name. `whole`: a name that is not there has none."""

    found: Found
    whole: bool


class Replacement(Struct, frozen=True):
    """One record set that gives way to another; None where there is none, or is to be none. At least one is there."""

    before: RecordSet | None
    after: RecordSet | None

    @property
    def name(self) -> str:
        return self._one.name

    @property
    def type(self) -> str:
        return self._one.type

    @property
    def _one(self) -> RecordSet:
        one = self.after if self.after is not None else self.before
        assert one is not None
        return one


class HttpProvider(ABC):
    """One account at a provider that compares nothing itself. Implements most of changeover.dns.provider.Provider.

    A provider says what is its own: `_read`, `_write`, `publishes`, `zones`, `verify`, `aclose`; and `_policy`, where
    it has records that a switch must not touch. `window` is how long the last write was blind, in seconds at most:
    from when its comparison was asked for until the write was answered. None before the first write.
    """

    capabilities: Capabilities

    def __init__(self, account: str, timeout: float) -> None:
        self.account = account
        self.window: float | None = None
        self._timeout = timeout
        # Comparing and writing belong together, so this process makes one batch at a time.
        self._writing = asyncio.Lock()

    @abstractmethod
    async def _read(self, zone: str, names: Sequence[str]) -> Zone:
        """Everything at `names`, by one attempt. NotFound where the account does not have the zone."""

    @abstractmethod
    async def _write(self, zone: str, replacements: Sequence[Replacement]) -> None:
        """Makes these replacements, in this order: those that only delete come first.

        Raises Lost where they may have been made, another ProviderError where surely none was.
        """

    @abstractmethod
    def publishes(self, zone: str, before: AddressSet, after: AddressSet) -> AddressSet: ...

    @abstractmethod
    async def zones(self) -> tuple[str, ...]: ...

    @abstractmethod
    async def verify(self, zone: str, names: Sequence[str]) -> Access: ...

    @abstractmethod
    async def aclose(self) -> None: ...

    def _policy(self, records: Sequence[RecordSet]) -> str | None:
        """Why a switch must keep its hands off the name of these record sets, in words."""
        return None

    async def read(self, zone: str, names: Sequence[str]) -> Reading:
        first = await self._again(lambda: self._read(zone, names))
        records = {name: tuple(first.found.get(name, ())) for name in names}
        above = {name: _wildcards_over(zone, name) for name in names if not records[name]}
        wanted = sorted({wildcard for wildcards in above.values() for wildcard in wildcards})
        second = first if first.whole or not wanted else await self._again(lambda: self._read(zone, wanted))
        covering = {w for w in wanted if address_set(second.found.get(w, ()))}
        policies = {name: words for name, there in records.items() if (words := self._policy(there)) is not None}
        return Reading(
            records=records,
            wildcards=tuple(name for name, wildcards in above.items() if covering.intersection(wildcards)),
            policies=policies,
        )

    async def apply(self, zone: str, changes: Sequence[Change], guard: Guard | None = None) -> Result:
        names = [change.name for change in changes] + ([guard.name] if guard else [])

        def compare(live: Found) -> list[str]:
            found = [text for c in changes for text in conflicts(c, live.get(c.name, ()))]
            return found + (text_conflicts(guard.name, guard.text, live.get(guard.name, ())) if guard else [])

        return await self._compare_and_write(zone, names, compare, lambda _: replacements(changes))

    async def put_text(self, zone: str, name: str, before: str | None, after: str | None) -> Result:
        value = value_of(after) if after is not None else None

        def compare(live: Found) -> list[str]:
            there = live.get(name, ())
            if any(r.type == "CNAME" for r in there):
                raise Rejected(f"{name} is a CNAME, beside which no text can stand", "Remove that record.")
            return put_conflicts(name, before, after, there)

        def change(live: Found) -> list[Replacement]:
            there = next((r for r in live.get(name, ()) if r.type == "TXT"), None)
            return [Replacement(there, self._with_text(name, there, before, value))]

        return await self._compare_and_write(zone, [name], compare, change)

    async def _compare_and_write(
        self,
        zone: str,
        names: Sequence[str],
        compare: Callable[[Found], list[str]],
        change: Callable[[Found], list[Replacement]],
    ) -> Result:
        began = 0.0

        async def look() -> Zone:
            nonlocal began
            began = time.monotonic()
            return await self._read(zone, names)

        async def once() -> Result:
            live = (await self._again(look)).found
            found = compare(live)
            if found:
                return ChangedMeanwhile(tuple(found))
            wanted = change(live)
            try:
                if wanted:
                    await self._write(zone, wanted)
                    self.window = time.monotonic() - began
            except Lost as error:
                self.window = time.monotonic() - began
                return Unsure(error.text)
            return Applied()

        async with self._writing:
            return await when_allowed(once, PATIENCE * self._timeout)

    def _with_text(self, name: str, there: RecordSet | None, before: str | None, value: str | None) -> RecordSet | None:
        """The TXT record set `there` with one text replaced, created or removed."""
        values = [v for v in there.values if before is None or text_of(v) != before] if there else []
        values += [value] if value is not None else []
        if not values:
            return None
        ttl, details = (there.ttl, there.details) if there else (max(TEXT_TTL, self.capabilities.least_ttl), {})
        kept = {v: d for v, d in details.items() if v in values}
        return RecordSet(name=name, type="TXT", ttl=ttl, values=tuple(sorted(values)), details=kept)

    async def read_back(self, zone: str, changes: Sequence[Change]) -> dict[str, AddressSet]:
        live = await self._again(lambda: self._read(zone, [change.name for change in changes]))
        return {change.name: address_set(live.found.get(change.name, ())) for change in changes}

    async def _again(self, read: Callable[[], Awaitable[_T]]) -> _T:
        """A reading, repeated where that may help."""
        return await repeated(read, self._timeout)


def replacements(changes: Iterable[Change]) -> list[Replacement]:
    """What a batch of changes does to each record set; what stays as it is is left out.

    What is only deleted comes first, so that a CNAME finds its name empty.
    """
    found = []
    for change in changes:
        before, after = {r.type: r for r in change.before}, {r.type: r for r in change.after}
        found += [
            Replacement(before.get(t), after.get(t)) for t in {**before, **after} if before.get(t) != after.get(t)
        ]
    return sorted(found, key=lambda replacement: replacement.after is not None)


def record_value(rtype: str, text: str) -> str:
    """A value in a zone file's notation as the one text that Changeover compares.

    What cannot be read stays as the provider writes it, and so is never mistaken for something else.
    """
    try:
        if rtype in ("A", "AAAA", *NAME_TYPES):
            return canonical_value(rtype, text)
        return dns.rdata.from_text("IN", rtype, text, origin=dns.name.root, relativize=False).to_text()
    except (ValueError, dns.exception.DNSException):
        return text


def written_value(rtype: str, value: str) -> str:
    """The same value for an API that takes a zone file's notation: host names are absolute."""
    return f"{value}." if rtype in NAME_TYPES else value


def _wildcards_over(zone: str, name: str) -> list[str]:
    labels = name.split(".")
    above = [".".join(labels[start:]) for start in range(1, len(labels) - zone.count("."))]
    return [f"*.{parent}" for parent in above]
