"""Hetzner DNS, by the Hetzner Cloud API (docs.hetzner.cloud/reference/cloud). Not the former dns.hetzner.com.

One record set is changed at a time, so a batch is not atomic. A new set is a POST of rrsets, a set that stays is
changed by the actions set_records and change_ttl, of which neither can do what the other does, and a DELETE removes it
(…#tag/zone-rrsets, …#tag/zone-rrset-actions). Where both are needed, the shorter TTL holds while the records change: so
nothing is kept in caches for long that is only half of the change.

Each of these answers with an action that still runs. It is done, and readers see a consistent zone, when the action has
succeeded; several may run at once and be waited for later (…#description/actions). They took 2 to 17 seconds where that
was recorded. So everything is sent, then everything is waited for. The answers "locked" and "conflict" say that another
action is in the way (…#description/errors): after our own, the request is sent once more when they are done; after
somebody else's, the names are compared and written again a second later. What an action that failed has left behind
is not documented, and one that still runs at the end may yet be made: both are told as unsure.

There is no compare-and-set. The names are read again right before the write. Texts are kept by replacing the name's TXT
set: two that create one at the same moment can both be told that it is theirs, so this is no ground for leases.

A TTL is 60 to 2147483647 seconds. A set without one has the zone's default, and gets back to that by an undo, as each
record to its comment, and a set that was deleted to its labels. A set with change protection stops a switch. There is
no ALIAS type. A CNAME stands alone (RFC 2181, 10.1), and so nowhere at the apex; where one comes or goes, the name is
empty from one request to the next, or until the deletion is done where Hetzner insists on that. Values are those of a
zone file: a name without a final dot is below the zone (docs.hetzner.com/networking/dns/faq/records).

Zones are addressed by name. A zone in secondary mode is a copy, shows no record sets, and is refused as soon as it is
read. Its status and delegation_status (…#tag/zones) stop nothing: "error" says that the last change did not reach the
name servers, which the next one may; the delegation was looked at days ago, and is "invalid" of a hidden primary too.
What the name servers give is looked at in any case. Lists have pages of 100 record sets or 50 zones.

A token may read, or read and write, everything in its project, and cannot see which: `verify` cannot tell. A project
has 3600 requests an hour, which come back one by one (…#description/rate-limiting).
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from changeover.dns.http.api import Api, ApiAnswer, Hints, Lost, Query, UnderWay, pages, segment
from changeover.dns.http.notation import (
    as_written,
    carried_over,
    full_name,
    record_value,
    relative_name,
    written_value,
)
from changeover.dns.http.provider import ENDPOINT, HttpProvider, HttpProviderType, Reason, Replacement, Zone
from changeover.model.dns.capabilities import Capabilities, Lag
from changeover.model.dns.records import AddressSet, RecordSet, address_set
from changeover.model.errors import NotFound, PermissionDenied, ProviderError, RateLimited, Rejected, Unavailable
from changeover.model.settings.account_fields import SecretField

LEAST_TTL, MOST_TTL = 60, 2**31 - 1
#: The most that a page has.
SETS_A_PAGE, ZONES_A_PAGE = 100, 50
#: How many times the time of one request all actions of a batch may take.
ACTION_BUDGET = 6
#: Seconds between two looks at an action: at first, and at most.
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 2.0
#: Seconds after which a zone is tried again that somebody else's action has locked.
LOCKED_PAUSE = 1.0

_MAKE_TOKEN = "Make a token at console.hetzner.com, in the zone's project: Security, API tokens, Read & Write"
_HINTS = Hints(
    credential=f"{_MAKE_TOKEN}, and add it with: changeover account add NAME … --replace",
    permission=f"The token may only read. {_MAKE_TOKEN}.",
    missing="Look at the zone's name, and at which project the token belongs to (console.hetzner.com).",
    refused="Look at the records of these names at console.hetzner.com.",
)

_T = TypeVar("_T")
_Step = tuple[str, Callable[[], Awaitable[object]]]


class HetznerOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """The account's keys in the settings file."""

    endpoint: Annotated[str, ENDPOINT] = "https://api.hetzner.cloud/v1"


class _Zone(Struct, frozen=True):
    name: str
    mode: str
    ttl: Annotated[int, Meta(ge=0, le=2**32 - 1)]
    record_count: Annotated[int, Meta(ge=0)]


class _Record(Struct, frozen=True):
    value: str
    comment: str | None = None


class _Protection(Struct, frozen=True):
    change: bool = False


class _Set(Struct, frozen=True):
    name: str
    type: str
    records: tuple[_Record, ...]
    ttl: Annotated[int, Meta(ge=0, le=2**32 - 1)] | None = None
    labels: dict[str, str] = {}
    protection: _Protection = _Protection()


class _Pagination(Struct, frozen=True):
    next_page: int | None = None


class _Meta(Struct, frozen=True):
    pagination: _Pagination


class _Page(Struct, frozen=True, kw_only=True):
    meta: _Meta


class _Sets(_Page, frozen=True, kw_only=True):
    items: tuple[_Set, ...] = msgspec.field(name="rrsets")


class _Zones(_Page, frozen=True, kw_only=True):
    items: tuple[_Zone, ...] = msgspec.field(name="zones")


class _OneZone(Struct, frozen=True):
    zone: _Zone


class _Error(Struct, frozen=True):
    code: str
    message: str


class _Fault(Struct, frozen=True):
    error: _Error


class _Action(Struct, frozen=True):
    id: Annotated[int, Meta(ge=0)]
    status: Literal["running", "success", "error"]
    error: _Error | None = None


class _Started(Struct, frozen=True):
    action: _Action


class Hetzner(HttpProvider[HetznerOptions]):
    """The zones of one project. Implements changeover.dns.provider.Provider."""

    hints = _HINTS
    capabilities = Capabilities(
        label="Hetzner DNS",
        batch=None,
        native_compare_and_set=False,
        propagates_atomically=False,
        least_ttl=LEAST_TTL,
        settles=20.0,
        lag=Lag(60.0, "GET /zones/{zone}/rrsets"),
    )

    async def _read(self, zone: str, names: Sequence[str]) -> Zone:
        there = await self._check_zone(zone)
        path = f"{_path(zone)}/rrsets"
        # The whole zone where that takes fewer requests. It has at most as many sets as records.
        whole = len(names) > 1 and there.record_count <= SETS_A_PAGE * (len(names) - 1)
        queries: list[Query] = [{}] if whole else [{"name": relative_name(zone, name) or "@"} for name in names]
        found: dict[str, list[RecordSet]] = {}
        for query in queries:
            for one in await self._list(path, {**query, "per_page": SETS_A_PAGE}, _Sets):
                name = full_name(zone, one.name)
                found.setdefault(name, []).append(_record_set(name, zone, there.ttl, one))
        return Zone(found, whole)

    async def _check_zone(self, zone: str) -> _Zone:
        """The zone, where its record sets are changed here."""
        answer = await self._api.call("GET", _path(zone))
        if answer.status == 404:
            raise NotFound(f"Hetzner shows no zone {zone} to account {self.account}", _HINTS.missing)
        there = self._api.decoded(self._accepted(answer).content, _OneZone).zone
        if there.mode == "secondary":
            raise Rejected(
                f"The zone {zone} at Hetzner is a copy of the one on another server (secondary mode)",
                "Changes are made there: use an account for that server.",
            )
        return there

    async def _write(self, zone: str, replacements: Sequence[Replacement]) -> None:
        running: list[_Action] = []
        steps = [
            (words, partial(self._send, running, *request))
            for replacement in replacements
            for words, request in _requests(zone, replacement)
        ]
        finishing = False

        async def finish() -> None:
            nonlocal finishing
            finishing = True
            await self._finish(running)

        try:
            await self._run_steps([*steps, ("Hetzner has carried out all of it", finish)])
        except Lost:
            # What was taken is carried out all the same; until it is, a reading shows what stood before.
            if not finishing:
                with contextlib.suppress(ProviderError):
                    await self._finish(running)
            raise

    async def _send(self, running: list[_Action], method: str, path: str, body: object | None) -> None:
        answer = await self._api.call(method, path, body=body)
        if running and answer.status in (409, 422, 423):
            # What was sent before may be in its way until it is done. A refusal changed nothing, so this can be sent
            # again; what is refused for another reason is refused again.
            await self._finish(running)
            answer = await self._api.call(method, path, body=body)
        running.append(self._api.decoded(self._accepted(answer).content, _Started).action)

    async def _finish(self, running: list[_Action]) -> None:
        """Waits until all these actions have succeeded, and takes them off the list. Lost where one did not."""
        end = time.monotonic() + ACTION_BUDGET * self._timeout
        pause = FIRST_PAUSE
        while running:
            action = running[0]
            if action.status == "success":
                del running[0]
                continue
            if action.status == "error":
                why = f"{action.error.message} ({action.error.code})" if action.error else "it does not say why"
                raise Lost(f"Hetzner's action {action.id} failed: {self._api.words(why)}", _HINTS.refused)
            if time.monotonic() > end:
                raise UnderWay(
                    f"Hetzner's action {action.id} is still running after {ACTION_BUDGET * self._timeout:g} s",
                    "It may be made later. Read the records again before anything else is changed.",
                )
            await asyncio.sleep(pause)
            pause = min(1.5 * pause, LONGEST_PAUSE)
            running[0] = await self._retried(partial(self._action, action.id))

    async def _action(self, number: int) -> _Action:
        return (await self._get(f"/zones/actions/{number}", {}, _Started)).action

    def normalize(self, zone: str, before: AddressSet, after: AddressSet) -> AddressSet:
        """The TTL becomes one that Hetzner takes. Where a type stays, so do its labels, and a value's comment."""
        return address_set(_published(before, record) for record in after)

    def _policy(self, records: Sequence[RecordSet]) -> str | None:
        for record in address_set(records):
            if any(notes.get("protected") for notes in record.details.values()):
                return f"{record.type}, which is protected against changes; take the protection off there"
        return None

    async def zones(self) -> tuple[str, ...]:
        found = await self._retried(lambda: self._list("/zones", {"per_page": ZONES_A_PAGE}, _Zones))
        return tuple(zone.name for zone in found)

    async def _list(self, path: str, query: Query, of: type[_Sets] | type[_Zones]) -> list[Any]:
        async def page(further: Query) -> tuple[Sequence[Any], Query | None]:
            found = await self._get(path, {**query, **further}, of)
            following = found.meta.pagination.next_page
            return found.items, None if following is None else {"page": following}

        return await pages(page) or []

    def _connect(self) -> Api:
        token = self._secret("token", "Hetzner Cloud API token")
        return Api(self._options.endpoint, {"Authorization": token.after("Bearer ")}, self._timeout)

    def _reason(self, answer: ApiAnswer) -> Reason:
        error = self._api.decoded(answer.content, _Fault).error
        return Reason(f"{error.message} ({error.code})", (error.code,))

    def _meaning(self, error: ProviderError, reason: Reason, answer: ApiAnswer) -> ProviderError:
        """By the code, where that says more than the status (…#description/errors)."""
        match reason.codes:
            case ("token_readonly",):
                return PermissionDenied(error.text, _HINTS.permission)
            case ("locked" | "conflict",):
                return RateLimited(error.text, "Somebody else changes the zone. Wait and try again.", LOCKED_PAUSE)
            case ("maintenance",):
                return Unavailable(error.text, "Look at status.hetzner.com.")
            case ("protected",):
                return Rejected(error.text, "Take the protection off the record set at console.hetzner.com.")
        return error

    def _pause(self, headers: Mapping[str, str]) -> float | None:
        """Until one more request is allowed: an hour's requests come back evenly."""
        limit = headers.get("ratelimit-limit", "")
        return 3600 / int(limit) if re.fullmatch(r"[1-9]\d{0,8}", limit) else None


def _path(zone: str) -> str:
    return f"/zones/{segment(zone)}"


def _record_set(name: str, zone: str, default_ttl: int, one: _Set) -> RecordSet:
    """The set with what must be restored: what the set has stands with each of its values."""
    common: dict[str, Any] = {"default_ttl": True} if one.ttl is None else {}
    common |= {"labels": one.labels} if one.labels else {}
    common |= {"protected": True} if one.protection.change else {}
    details: dict[str, dict[str, Any]] = {}
    for record in one.records:
        value = record_value(one.type, record.value, zone)
        written = {"written": record.value} if record.value != written_value(one.type, value) else {}
        details[value] = {**common, **({"comment": record.comment} if record.comment else {}), **written}
    return RecordSet(
        name=name,
        type=one.type,
        ttl=default_ttl if one.ttl is None else one.ttl,
        values=tuple(sorted(details)),
        details={value: notes for value, notes in details.items() if notes},
    )


def _requests(zone: str, replacement: Replacement) -> Iterator[tuple[str, tuple[str, str, object | None]]]:
    """What is asked of the API, in words and as method, path and body."""
    before, after = replacement.before, replacement.after
    label, place = relative_name(zone, replacement.name) or "@", f"{replacement.type} at {replacement.name}"
    sets = f"{_path(zone)}/rrsets"
    body: dict[str, Any]
    this = f"{sets}/{segment(label)}/{replacement.type}"
    if after is None:
        yield f"Hetzner took the deletion of {place}", ("DELETE", this, None)
    elif before is None:
        body = {"name": label, "type": after.type, "ttl": _ttl(after), "records": _records(after)}
        body |= {"labels": _labels(after)} if _labels(after) else {}
        yield f"Hetzner took the new {place}", ("POST", sets, body)
    else:
        changes = []
        if _records(after) != _records(before):
            body = {"records": _records(after)}
            changes.append((f"Hetzner took other values of {place}", ("POST", f"{this}/actions/set_records", body)))
        # A new text does not know that its set has the zone's default.
        if after.ttl != before.ttl or (_ttl(after) is None and _ttl(before) is not None):
            body = {"ttl": _ttl(after)}
            changes.append((f"Hetzner took another TTL of {place}", ("POST", f"{this}/actions/change_ttl", body)))
        yield from reversed(changes) if after.ttl < before.ttl else changes


def _records(record: RecordSet) -> list[dict[str, str]]:
    found = []
    for value in record.values:
        notes = record.details.get(value, {})
        one = {"value": as_written(record, value)}
        found.append(one | ({"comment": notes["comment"]} if "comment" in notes else {}))
    return found


def _ttl(record: RecordSet) -> int | None:
    """None for the zone's default."""
    return None if any(notes.get("default_ttl") for notes in record.details.values()) else record.ttl


def _labels(record: RecordSet) -> dict[str, str]:
    return next((notes["labels"] for notes in record.details.values() if "labels" in notes), {})


def _published(before: AddressSet, record: RecordSet) -> RecordSet:
    ttl = min(max(record.ttl, LEAST_TTL), MOST_TTL)
    found = carried_over(before, record, ttl, ("comment", "written"), shared=("labels", "protected"))
    same = next((r for r in before if r.type == record.type), None)
    if same is None or _ttl(same) is not None or same.ttl != ttl:
        return found
    details = {value: {"default_ttl": True, **found.details.get(value, {})} for value in found.values}
    return msgspec.structs.replace(found, details=details)


class _Type(HttpProviderType):
    label = "Hetzner DNS"
    tested = "a simulator that answers recorded requests as Hetzner did"
    options = HetznerOptions
    needs = (
        SecretField(
            name="token",
            label="API token",
            help=_MAKE_TOKEN,
            link="https://console.hetzner.com/projects",
            permission="Read & Write in the zone's project, which is the least that may change records",
            pattern=r"[A-Za-z0-9]{64}",
            example="zX2cV4bN6mQ8wE1rT3yU5iO7pA9sD2fG4hZq7wE2rT9yU4iO1pA6sD8fG3hJ5kL0",
        ),
    )
    provider = Hetzner


PROVIDER = _Type
