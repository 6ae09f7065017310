"""What DNS providers with an HTTP API have in common.

Everything at the names of a batch is read right before the write and must be exactly what was expected. Where the
provider compares nothing itself, somebody else's change in the instant between stays unseen: `race_window` says how
long that instant was. Where it does, `_write` raises Conflict, and nothing was changed.

Readings may lag behind writes (`capabilities.lag`). What this account wrote itself is remembered for that long, so that
a reading from before it is known as such, and what was written is told instead. Right before a write that is done only
where the provider compares by itself, and so has the last word; elsewhere the names are read again until they show it.
What is read back after a write is what the provider says, old or not.

A provider that changes one record set after the other writes through `_run_steps`, which says how far it came.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from msgspec import Struct

from changeover.dns.http.api import (
    Api,
    ApiAnswer,
    Hints,
    Lost,
    Query,
    UnderWay,
    Unreadable,
    credential,
    refusal,
    retry_rate_limited,
    retry_read,
)
from changeover.dns.http.endpoint import endpoint_host, is_safe_endpoint
from changeover.dns.provider import (
    TEXT_TTL,
    Access,
    Applied,
    Guard,
    Indeterminate,
    PreconditionFailed,
    RecordsRead,
    Result,
    conflicts,
    swap_conflicts,
    text_conflicts,
)
from changeover.model.dns.capabilities import Capabilities
from changeover.model.dns.change import Change
from changeover.model.dns.records import AddressSet, RecordSet, address_set, names_above
from changeover.model.dns.txt_record import text_of, value_of
from changeover.model.errors import Conflict, NotFound, PermissionDenied, ProviderError, RateLimited, Rejected
from changeover.model.secret import Secret
from changeover.model.settings.account_fields import Option, SecretField, misfits, option_fields

log = logging.getLogger(__name__)

#: Seconds for one request, and for one reading with its repetitions.
TIMEOUT = 10.0
#: How many times that a write may wait altogether, where the provider limits the rate; and after the first of several
#: requests, where stopping would leave a name between two answers.
RETRY_BUDGET, RETRY_BUDGET_MID_CHANGE = 3, 6
#: Seconds after which such a later request is made again, where it was surely not carried out.
RETRY_PAUSE_MID_CHANGE = 1.0

#: Seconds between two readings, where the first was from before a write of this account.
CATCH_UP_PAUSE = 0.5

#: The key of the settings file with which another address than the provider's own is asked.
ENDPOINT = Option("Endpoint", "the address of the API, where it is another than usual")

_T = TypeVar("_T")
_Options = TypeVar("_Options", bound=Struct)
Found = Mapping[str, Sequence[RecordSet]]


class RecordGone(Conflict):
    """A record that the write names by its id is not there any more; nothing was changed."""


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


class Written(Struct, frozen=True):
    """One record set as this account wrote it, what readings showed before, and until when they may (time.monotonic).

    `earlier` has what each write within that time replaced.
    """

    after: RecordSet | None
    earlier: tuple[RecordSet | None, ...]
    until: float


class Reason(Struct, frozen=True):
    """Why the provider refuses a request: in its own words, empty where there are none, and by its own codes."""

    words: str
    codes: tuple[str, ...] = ()


class HttpProvider(ABC, Generic[_Options]):
    """One account at a provider. Implements most of changeover.dns.provider.Provider.

    A provider says what is its own: `capabilities`, `hints`, `_connect`, `_reason`, `_read`, `_write`, `normalize` and
    `zones`; `_policy`, where it has records that a switch must not touch, `_may_write`, where it tells what a
    credential may do, and `_meaning` and `_pause`, where its refusals say more than their status.
    """

    capabilities: Capabilities
    hints: ClassVar[Hints]

    def __init__(
        self, account: str, options: _Options, secrets: Mapping[str, Secret], timeout: float = TIMEOUT
    ) -> None:
        self.account = account
        self.race_window: float | None = None
        self._options = options
        self._secrets = secrets
        self._timeout = timeout
        self._zone_ids: dict[str, str] = {}
        # What this account wrote, by zone, name and type, while readings may be older.
        self._written: dict[tuple[str, str, str], Written] = {}
        # Comparing and writing belong together, so this process makes one batch at a time.
        self._writing = asyncio.Lock()

    @abstractmethod
    def _connect(self) -> Api:
        """The API with this account's credential. AuthError where that cannot be one."""

    @abstractmethod
    def _reason(self, answer: ApiAnswer) -> Reason:
        """What a refusal says. Unreadable where it is not the provider's."""

    @abstractmethod
    async def _read(self, zone: str, names: Sequence[str]) -> Zone:
        """Everything at `names`, by one attempt. NotFound where the account does not have the zone."""

    @abstractmethod
    async def _write(self, zone: str, replacements: Sequence[Replacement]) -> None:
        """Makes these replacements, in this order; where before and after are the same, it only must stand.

        Raises Lost where they may have been made, RecordGone (or where it compares natively, Conflict) where the
        provider itself found that a `before` does not stand any more, another ProviderError where surely none was made.
        """

    @abstractmethod
    def normalize(self, zone: str, before: AddressSet, after: AddressSet) -> AddressSet: ...

    @abstractmethod
    async def zones(self) -> tuple[str, ...]: ...

    async def verify(self, zone: str, names: Sequence[str]) -> Access:
        """Reads the records, and says what the credential may do as far as that can be seen."""
        await self.read(zone, names or [zone])
        zones = await self._zones_seen(zone)
        return Access(zones=zones, may_write=await self._may_write(zone, names or [zone]))

    async def _may_write(self, zone: str, names: Sequence[str]) -> bool | None:
        """May the credential change these names, which were just read? None where only a write would show it."""
        return None

    @cached_property
    def _api(self) -> Api:
        return self._connect()

    async def aclose(self) -> None:
        if "_api" in self.__dict__:
            await self._api.aclose()

    def _secret(self, name: str, what: str) -> Secret:
        """One secret of the account, as it can be sent. AuthError where it cannot be `what`."""
        return credential(self._secrets[name], self.account, what, self.hints.credential)

    def _accepted(self, answer: ApiAnswer) -> ApiAnswer:
        """The answer, where it says yes; else the error for its status, with the provider's words."""
        if answer.status < 300:
            return answer
        raise self._refusal(answer)

    def _refusal(self, answer: ApiAnswer) -> ProviderError:
        reason = self._readable_reason(answer)
        words = self._api.words(reason.words) or "nothing more"
        said = f"{self.capabilities.label} says to account {self.account}: {words}"
        error = refusal(answer, f"{said} (status {answer.status})", self.hints)
        if isinstance(error, RateLimited) and error.retry_after is None:
            error = RateLimited(error.text, error.hint, self._pause(answer.headers))
        return self._meaning(error, reason, answer)

    def _readable_reason(self, answer: ApiAnswer) -> Reason:
        """What a refusal says; nothing where it cannot be read."""
        try:
            return self._reason(answer)
        except Unreadable:
            return Reason("")

    def _meaning(self, error: ProviderError, reason: Reason, answer: ApiAnswer) -> ProviderError:
        """What a refusal means: `error`, which follows from its status, unless the reason says more. Its words may be
        looked at, and not shown: those of `error` are."""
        return error

    def _pause(self, headers: Mapping[str, str]) -> float | None:
        """The seconds to wait after an answer 429 without Retry-After, where the provider has headers of its own."""
        return None

    async def _get(self, path: str, query: Query, of: type[_T]) -> _T:
        """What a GET gives, as a `of`."""
        return self._api.decoded(self._accepted(await self._api.call("GET", path, query)).content, of)

    async def _zones_seen(self, zone: str) -> tuple[str, ...]:
        """The zones that the credential sees, or the one that it was made for where it may not list them."""
        try:
            return await self.zones()
        except PermissionDenied:
            return (zone,)

    async def _with_zone_id(
        self, zone: str, find: Callable[[], Awaitable[str]], use: Callable[[str], Awaitable[_T]]
    ) -> _T:
        """What `use` gives with the zone's id, which `find` looks up once; again where the kept one is not there."""
        kept = self._zone_ids.get(zone)
        if kept is not None:
            # One that is stale stays until another is found: a write that is under way may still need it.
            with contextlib.suppress(NotFound):
                return await use(kept)
        found = await find()
        result = await use(found)
        self._zone_ids[zone] = found
        return result

    async def _run_steps(self, steps: Sequence[tuple[str, Callable[[], Awaitable[object]]]]) -> None:
        """Makes each step, told in words such as "A at www.shop.example is replaced".

        A refusal of the first changed nothing, and is raised as it is; one of a later is Lost, saying what was done.
        """
        for number, (words, step) in enumerate(steps):
            try:
                await (
                    retry_rate_limited(step, RETRY_BUDGET_MID_CHANGE * self._timeout, RETRY_PAUSE_MID_CHANGE)
                    if number
                    else step()
                )
            except ProviderError as error:
                if not number:
                    raise
                done = "; ".join(made for made, _ in steps[:number])
                kind = UnderWay if isinstance(error, UnderWay) else Lost
                raise kind(f"Done: {done}. Not done: {words}, since {error.text}", error.hint) from None

    def _policy(self, records: Sequence[RecordSet]) -> str | None:
        """Why a switch must not change the name of these record sets, in words."""
        return None

    async def read(self, zone: str, names: Sequence[str]) -> RecordsRead:
        cuts = {up for name in names for up in names_above(name, zone)}
        first = await self._retried(lambda: self._read(zone, [*names, *sorted(cuts.difference(names))]))
        for name in names:
            _refuse_cut(zone, name, first.found)
        first = Zone(_corrected(first.found, self._behind(zone, names, first.found)), first.whole)
        records = {name: tuple(first.found.get(name, ())) for name in names}
        above = {name: _wildcards_over(zone, name) for name in names if not records[name]}
        wanted = sorted({wildcard for wildcards in above.values() for wildcard in wildcards})
        second = first if first.whole or not wanted else await self._retried(lambda: self._read(zone, wanted))
        covering = {w for w in wanted if address_set(second.found.get(w, ()))}
        policies = {name: words for name, there in records.items() if (words := self._policy(there)) is not None}
        return RecordsRead(
            records=records,
            wildcards=tuple(name for name, wildcards in above.items() if covering.intersection(wildcards)),
            policies=policies,
        )

    async def apply(self, zone: str, changes: Sequence[Change], guard: Guard | None = None) -> Result:
        names = [change.name for change in changes] + ([guard.name] if guard else [])

        def compare(live: Found) -> list[str]:
            found = [text for c in changes for text in conflicts(c, live.get(c.name, ()))]
            return found + (text_conflicts(guard.name, guard.text, live.get(guard.name, ())) if guard else [])

        def change(live: Found) -> list[Replacement]:
            if not self._compares_whole_batches:
                return replacements(changes)
            must_stand = [r for r in live.get(guard.name, ()) if r.type == "TXT"] if guard else []
            return replacements(changes, unchanged=True) + [Replacement(r, r) for r in must_stand]

        return await self._compare_and_write(zone, names, compare, change)

    @property
    def _compares_whole_batches(self) -> bool:
        return self.capabilities.native_compare_and_set and self.capabilities.batch is not None

    async def swap_txt(self, zone: str, name: str, before: str | None, after: str | None) -> Result:
        value = value_of(after) if after is not None else None

        def compare(live: Found) -> list[str]:
            there = live.get(name, ())
            if any(r.type == "CNAME" for r in there):
                raise Rejected(f"{name} is a CNAME, beside which no text can stand", "Remove that record.")
            return swap_conflicts(name, before, after, there)

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
            live = (await self._caught_up(zone, names, look)).found
            found = compare(live)
            if found:
                return PreconditionFailed(tuple(found))
            wanted = change(live)
            if not wanted:
                return Applied()
            try:
                await self._write(zone, wanted)
            except Lost as error:
                return Indeterminate(error.text, under_way=isinstance(error, UnderWay))
            except Conflict as error:
                if not self.capabilities.native_compare_and_set and not isinstance(error, RecordGone):
                    raise
                return PreconditionFailed((error.text,))
            finally:
                if not self.capabilities.native_compare_and_set:
                    self.race_window = time.monotonic() - began
            self._remember(zone, wanted)
            return Applied()

        async with self._writing:
            return await retry_rate_limited(once, RETRY_BUDGET * self._timeout)

    async def _caught_up(self, zone: str, names: Sequence[str], look: Callable[[], Awaitable[Zone]]) -> Zone:
        """What `look` gives of `names`, as it is after all that this account wrote (see above)."""
        while True:
            there = await self._retried(look)
            behind = self._behind(zone, names, there.found)
            if not behind:
                return there
            if self.capabilities.native_compare_and_set:
                return Zone(_corrected(there.found, behind), there.whole)
            log.info(
                "%s shows %s as before this account's write", self.capabilities.label, ", ".join(n for n, _ in behind)
            )
            await asyncio.sleep(CATCH_UP_PAUSE)

    def _behind(self, zone: str, names: Collection[str], found: Found) -> dict[tuple[str, str], Written]:
        """The record sets, by name and type, that a reading shows as they were before this account wrote them."""
        now = time.monotonic()
        self._written = {place: own for place, own in self._written.items() if now < own.until}
        behind = {}
        for (in_zone, name, rtype), own in self._written.items():
            if in_zone == zone and name in names:
                there = next((r for r in found.get(name, ()) if r.type == rtype), None)
                if there != own.after and there in own.earlier:
                    behind[name, rtype] = own
        return behind

    def _remember(self, zone: str, made: Iterable[Replacement]) -> None:
        if self.capabilities.lag is None:
            return
        until = time.monotonic() + self.capabilities.lag.seconds
        for one in made:
            if one.before != one.after:
                place = (zone, one.name, one.type)
                earlier = self._written[place].earlier if place in self._written else ()
                self._written[place] = Written(one.after, (*earlier, one.before), until)

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
        live = await self._retried(lambda: self._read(zone, [change.name for change in changes]))
        return {change.name: address_set(live.found.get(change.name, ())) for change in changes}

    async def _retried(self, read: Callable[[], Awaitable[_T]]) -> _T:
        """A reading, repeated where that may help."""
        return await retry_read(read, self._timeout)


def _corrected(found: Found, behind: Mapping[tuple[str, str], Written]) -> Found:
    """The reading, with what was written in place of what stood before it."""
    live = {name: list(there) for name, there in found.items()}
    for (name, rtype), own in behind.items():
        others = [r for r in live.get(name, ()) if r.type != rtype]
        live[name] = [*others, own.after] if own.after is not None else others
    return live


def replacements(changes: Iterable[Change], *, unchanged: bool = False) -> list[Replacement]:
    """What a batch of changes does to each record set; what stays as it is only where `unchanged`.

    At each name, what is only deleted comes last, so that there is always an answer; but where a CNAME comes or goes,
    it comes first, since a CNAME stands alone.
    """
    found = []
    for change in changes:
        before, after = {r.type: r for r in change.before}, {r.type: r for r in change.after}
        pairs = [Replacement(before.get(t), after.get(t)) for t in {**before, **after}]
        alone = ("CNAME" in before) != ("CNAME" in after)
        pairs.sort(key=lambda pair: (pair.after is not None) == alone)
        found += [pair for pair in pairs if unchanged or pair.before != pair.after]
    return found


def texts_in(fault: object, unnamed: Collection[str], depth: int = 0) -> list[str]:
    """Every text in a fault, each with the name of its field but for the `unnamed`, which say only that it is one."""
    if isinstance(fault, str):
        return [fault]
    if isinstance(fault, list) and depth < 8:
        return [text for one in fault for text in texts_in(one, unnamed, depth + 1)]
    if isinstance(fault, dict) and depth < 8:
        return [
            text if key in unnamed else f"{key}: {text}"
            for key, one in fault.items()
            for text in texts_in(one, unnamed, depth + 1)
        ]
    return []


class _WithEndpoint(Protocol):
    endpoint: str


class HttpProviderType:
    """What a provider with an HTTP API declares (changeover.dns.provider.ProviderType), as far as all do it alike.

    Its options have an `endpoint`. A provider says `label`, `tested`, `options`, `needs` and `provider`, and where its
    options need more than their patterns, `faults`.
    """

    label: ClassVar[str]
    tested: ClassVar[str]
    options: ClassVar[type[Struct]]
    needs: ClassVar[tuple[SecretField, ...]]
    provider: ClassVar[type[HttpProvider[Any]]]

    @classmethod
    def secrets(cls, options: Any) -> tuple[SecretField, ...]:
        return cls.needs

    @classmethod
    def faults(cls, options: Any) -> list[tuple[str, str]]:
        found = misfits(options)
        if not is_safe_endpoint(options.endpoint):
            (endpoint,) = (f for f in option_fields(cls.options) if f.name == "endpoint")
            found.append(("endpoint", f'an https address such as "{endpoint.default or endpoint.option.example}"'))
        return found

    @classmethod
    def host(cls, options: _WithEndpoint) -> str:
        return endpoint_host(options.endpoint)

    @classmethod
    def open(cls, account: str, options: Any, secrets: Mapping[str, Secret]) -> Any:
        return cls.provider(account, options, secrets)


def _refuse_cut(zone: str, name: str, found: Found) -> None:
    """Raises Rejected where the zone gives `name`, or a name above it, away (RFC 1034, 4.2.1; RFC 6672, 2.4)."""
    for up in (name, *names_above(name, zone)) if name != zone else ():
        types = {r.type for r in found.get(up, ())}
        if "NS" in types or ("DNAME" in types and up != name):
            how = f"delegated away from {zone}" if "NS" in types else "below a DNAME"
            raise Rejected(
                f"{name} is {how}, at {up}",
                "Name the zone that really holds it; a record added here would serve nothing.",
            )


def _wildcards_over(zone: str, name: str) -> list[str]:
    labels = name.split(".")
    above = [".".join(labels[start:]) for start in range(1, len(labels) - zone.count("."))]
    return [f"*.{parent}" for parent in above]
