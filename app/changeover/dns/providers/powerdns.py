"""PowerDNS Authoritative Server, by its HTTP API (doc.powerdns.com/authoritative/http-api/zone.html).

One batch is one PATCH of the zone, whose record sets are checked and written in one database transaction, so either
all of a batch is made or none of it; the server then drops what it has cached of the zone. Within a PATCH the order
counts: a CNAME is refused while the name has other records, so what goes comes first. (Both tried on 4.7.)

There is no compare-and-set: the names are read again right before the PATCH. A text is kept in the same way, by
replacing the name's whole TXT set. Two that create one at the same moment can both be told that it is theirs, so this
is no ground for leases.

A zone may be large (github.com/PowerDNS/pdns/issues/13429), so a few names are read by themselves (the parameter
rrset_name; versions without it give the whole zone, which is as good). So the server hides disabled records, and
replacing their set would remove them unseen: they are had from its search, where that finds the zone's SOA and so
works with the server's backend. Else, and for many names, the whole zone is read in one request. After each PATCH the
server goes through the whole zone by itself, unless the zone's api_rectify is false: 5 seconds at 120,000 names, for
which a change by somebody else would go unseen. (All tried on 4.7.)

A set that stays keeps its comments, which a REPLACE without comments leaves alone; a deleted set loses them, and an
undo brings them back. Disabled records stop a switch: no visitor gets them, so they say nothing about where a name
leads. So do LUA records, whose answer is a program's. SOA is the server's own: whether its serial rises, and so whether
secondaries notice, is the zone's SOA-EDIT-API.

The API takes any TTL and has no pages and no rate limit. Its key can do everything on the whole server. A zone of the
kind Slave or Consumer is a copy: the API would take a change (tried), which the next transfer undoes, so it is refused.

An ALIAS is answered only where the server has expand-alias and a resolver (doc.powerdns.com/authoritative/guides/
alias.html); the account says so with `alias = true`. A CNAME at the apex is refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from msgspec import Meta, Struct
from msgspec.structs import replace

from changeover.dns.http.api import CHECK_ENDPOINT, Api, ApiAnswer, Hints, TooLarge, Unreadable
from changeover.dns.http.notation import as_written, carried_over, record_value, written_value
from changeover.dns.http.provider import (
    TIMEOUT,
    HttpProvider,
    HttpProviderType,
    Reason,
    Replacement,
    Zone,
)
from changeover.model.dns.capabilities import BatchLimit, Capabilities, Lag
from changeover.model.dns.records import AddressSet, RecordSet, address_set
from changeover.model.errors import NotFound, PermissionDenied, ProviderError, Rejected
from changeover.model.secret import Secret
from changeover.model.settings.account_fields import Option, SecretField

#: The server takes requests of 2 MB (its webserver-max-bodysize); this many records are about a tenth of that.
BATCH_RECORDS = 1000
#: So many names are read by themselves, so many at once; and so many records are expected of a search.
FEW, MAX_CONCURRENT, MOST_FOUND = 20, 8, 1000
#: Secondary is what later versions may call a Slave.
_COPIES = ("slave", "secondary", "consumer")
_KEY = "The API key is the value of api-key in pdns.conf; it can change every zone of that server."
_HINTS = Hints(
    credential=f"{_KEY} Add it with: changeover account add NAME … --replace",
    permission="Look at webserver-allow-from in pdns.conf, and at the proxy before the API, if there is one.",
    missing="Look at the zone's name, and at the account's endpoint and server.",
    refused="Look at the records of these names: pdnsutil list-zone ZONE",
)


class PowerDnsOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """The account's keys in the settings file."""

    endpoint: Annotated[str, Option("Endpoint", "the address of the API", "https://ns1.shop.example:8081/api/v1")]
    server: Annotated[
        str, Option("Server", 'the server\'s id in its API, nearly always "localhost"', "localhost", r"[\w.-]+")
    ] = "localhost"
    alias: Annotated[bool, Option("Expands ALIAS records", "expand-alias and a resolver are set in pdns.conf")] = False


_T = TypeVar("_T")


class _Record(Struct, frozen=True):
    content: str
    disabled: bool = False


class _Comment(Struct, frozen=True):
    content: str = ""
    account: str = ""
    modified_at: int = 0


class _Set(Struct, frozen=True):
    name: str
    type: str
    ttl: Annotated[int, Meta(ge=0, le=2**32 - 1)]
    records: tuple[_Record, ...]
    comments: tuple[_Comment, ...] = ()


class _Zone(Struct, frozen=True):
    name: str
    kind: str
    masters: tuple[str, ...] = ()
    rrsets: tuple[_Set, ...] = ()


class _Found(Struct, frozen=True):
    """One record that a search finds, in whichever zone."""

    name: str
    type: str
    content: str
    ttl: Annotated[int, Meta(ge=0, le=2**32 - 1)] = 0
    disabled: bool = False
    zone: str = ""


class _Server(Struct, frozen=True):
    type: str
    id: str


class _Fault(Struct, frozen=True):
    error: str
    errors: tuple[str, ...] = ()


class PowerDns(HttpProvider[PowerDnsOptions]):
    """One server's zones. Implements changeover.dns.provider.Provider."""

    hints = _HINTS

    def __init__(
        self, account: str, options: PowerDnsOptions, secrets: Mapping[str, Secret], timeout: float = TIMEOUT
    ) -> None:
        super().__init__(account, options, secrets, timeout)
        self.capabilities = Capabilities(
            label="PowerDNS",
            batch=BatchLimit(records=BATCH_RECORDS),
            native_compare_and_set=False,
            propagates_atomically=True,
            apex_alias=options.alias,
            lag=Lag(60.0, "GET /servers/{server}/zones/{zone}"),
        )
        # Of each zone that was read and is a copy, where it is copied from.
        self._copied_from: dict[str, str] = {}
        # Whether the server's search finds what a zone has.
        self._searched: dict[str, bool] = {}

    async def _read(self, zone: str, names: Sequence[str]) -> Zone:
        wanted = list(dict.fromkeys(names))
        if len(wanted) <= FEW and await self._can_search(zone):
            return await self._at(zone, wanted)
        try:
            return await self._whole(zone, wanted)
        except TooLarge:
            if not await self._can_search(zone):
                raise
            return await self._at(zone, wanted)

    async def _whole(self, zone: str, names: Sequence[str]) -> Zone:
        there = await self._zone(zone, {})
        wanted = {*names, *(f"*.{parent}" for name in names for parent in _parents(name))}
        return Zone(_by_name(there.rrsets, wanted), whole=True)

    async def _at(self, zone: str, names: Sequence[str]) -> Zone:
        """Only what stands at these names, with what is disabled there."""
        sets: list[_Set] = []
        for rrsets, hidden in await _a_few_at_once(self._one_name(zone, name) for name in names):
            sets += _with_disabled(rrsets, hidden)
        return Zone(_by_name(sets, set(names)), whole=False)

    async def _one_name(self, zone: str, name: str) -> tuple[list[_Set], list[_Found]]:
        # Nobody is given a disabled wildcard, and a search for its name would find all that is below.
        hidden = [] if name.startswith("*") else await self._found(name)
        there = await self._zone(zone, {"rrset_name": f"{name}."})
        here = [one for one in there.rrsets if one.name.rstrip(".").lower() == name]
        mine = [one for one in hidden if one.disabled and _plain(one.zone) == zone and _plain(one.name) == name]
        return here, mine

    async def _found(self, name: str) -> list[_Found]:
        """What the server's search finds at a name, disabled or not."""
        path = f"/servers/{self._options.server}/search-data"
        query = {"q": name, "max": MOST_FOUND, "object_type": "record"}
        found = await self._get(path, query, list[_Found])
        if len(found) >= MOST_FOUND:
            raise TooLarge(f"More than {MOST_FOUND} records of {self._api.host} have to do with {name}")
        return found

    async def _can_search(self, zone: str) -> bool:
        """Does the search work here? It finds nothing with some backends, and not all versions have one."""
        if zone not in self._searched:
            found: list[_Found] = []
            with contextlib.suppress(NotFound, Rejected, Unreadable):
                found = await self._found(zone)
            self._searched[zone] = any(one.type == "SOA" and _plain(one.name) == zone for one in found)
        return self._searched[zone]

    async def _zone(self, zone: str, query: Mapping[str, str]) -> _Zone:
        answer = await self._api.call("GET", self._path(zone), query)
        if answer.status in (404, 422):  # 422: versions before 4.2
            raise await self._missing(f"PowerDNS shows no zone {zone} to account {self.account}")
        there = await self._understood(self._accepted(answer).content, _Zone)
        if there.kind.lower() in _COPIES:
            self._copied_from[zone] = ", ".join(there.masters) or "another server"
        else:
            self._copied_from.pop(zone, None)
        return there

    async def _missing(self, otherwise: str) -> NotFound:
        """Why something is not there: `otherwise` where the endpoint is right, which it may well not be."""
        if await self._is_api(self._api):
            return NotFound(otherwise, _HINTS.missing)
        parts = urlsplit(self._options.endpoint)
        below = f"{parts.path.rstrip('/').removesuffix('/api')}/api/v1"  # a proxy may have it there
        for path in dict.fromkeys(("/api/v1", below)):
            usual = f"{parts.scheme}://{parts.netloc}{path}"
            async with contextlib.aclosing(self._api_at(usual)) as there:
                if await self._is_api(there):
                    text = f"{self._options.endpoint} of account {self.account} answers, but the API is at {usual}"
                    return NotFound(text, f'Set endpoint = "{usual}" in the account.')
        text = f"{self._options.endpoint} answers, but shows account {self.account} no server {self._options.server}"
        return NotFound(text, f"The endpoint of a PowerDNS ends in /api/v1. {CHECK_ENDPOINT}")

    async def _understood(self, content: bytes, of: type[_T]) -> _T:
        """The JSON text of an answer; where something else answers that says yes to all, that is told."""
        try:
            return self._api.decoded(content, of)
        except Unreadable as error:
            if await self._is_api(self._api):
                raise
            raise await self._missing(error.text) from None

    async def _is_api(self, api: Api) -> bool:
        try:
            answer = await api.call("GET", f"/servers/{self._options.server}")
            return answer.status < 300 and api.decoded(answer.content, _Server).type == "Server"
        except ProviderError:
            return False

    async def _write(self, zone: str, replacements: Sequence[Replacement]) -> None:
        if zone in self._copied_from:
            raise PermissionDenied(
                f"The zone {zone} on {self._api.host} is a copy of the one on {self._copied_from[zone]}",
                "Changes are made there: use an account for that server.",
            )
        body = {"rrsets": [_patch(replacement) for replacement in replacements]}
        self._accepted(await self._api.call("PATCH", self._path(zone), body=body))

    def normalize(self, zone: str, before: AddressSet, after: AddressSet) -> AddressSet:
        """ANAME becomes ALIAS. The comments of a set stay where its type stays."""
        return address_set(
            carried_over(before, record, record.ttl, shared=("comments",), alias=True) for record in after
        )

    def _policy(self, records: Sequence[RecordSet]) -> str | None:
        if any(r.type == "LUA" for r in records):
            return "a LUA record, whose answer is computed"
        for record in address_set(records):
            disabled = [value for value in record.values if record.details.get(value, {}).get("disabled")]
            if disabled:
                return f"{record.type} {disabled[0]}, which is disabled; delete it or enable it"
        return None

    async def _may_write(self, zone: str, names: Sequence[str]) -> bool:
        """The key can change every zone that is no copy."""
        return zone not in self._copied_from

    async def zones(self) -> tuple[str, ...]:
        # Without dnssec=false the server looks at every zone's keys, which takes long where there are many zones.
        path = f"/servers/{self._options.server}/zones"
        try:
            answer = await self._retried(lambda: self._api.call("GET", path, {"dnssec": "false"}))
            content = self._accepted(answer).content
        except NotFound as error:
            raise await self._missing(error.text) from None
        found = await self._understood(content, tuple[_Zone, ...])
        return tuple(_plain(zone.name) for zone in found)

    def _path(self, zone: str) -> str:
        """The zone's id is its name with all but letters, digits, dots and hyphens as "=2F"."""
        name = re.sub(rb"[^A-Za-z0-9.-]", lambda found: b"=%02X" % ord(found[0]), zone.encode()).decode()
        return f"/servers/{self._options.server}/zones/{name}."

    def _connect(self) -> Api:
        return self._api_at(self._options.endpoint)

    def _api_at(self, endpoint: str) -> Api:
        return Api(endpoint, {"X-API-Key": self._secret("key", "PowerDNS API key")}, self._timeout)

    def _reason(self, answer: ApiAnswer) -> Reason:
        """JSON with an error, or plain text (401, 404)."""
        try:
            fault = self._api.decoded(answer.content, _Fault)
        except Unreadable:
            return Reason(answer.content[:200].decode("utf-8", "replace"))
        return Reason("; ".join((fault.error, *fault.errors)))


async def _a_few_at_once(asked: Iterable[Awaitable[_T]]) -> list[_T]:
    limit = asyncio.Semaphore(MAX_CONCURRENT)

    async def one(question: Awaitable[_T]) -> _T:
        async with limit:
            return await question

    found: list[_T] = []
    for answer in await asyncio.gather(*map(one, asked), return_exceptions=True):
        if isinstance(answer, BaseException):
            raise answer
        found.append(answer)
    return found


def _plain(name: str) -> str:
    return name.rstrip(".").lower()


def _by_name(sets: Iterable[_Set], wanted: set[str]) -> dict[str, list[RecordSet]]:
    found: dict[str, list[RecordSet]] = {}
    for one in sets:
        name = _plain(one.name)
        if name in wanted and one.records:
            found.setdefault(name, []).append(_record_set(name, one))
    return found


def _with_disabled(rrsets: Sequence[_Set], hidden: Sequence[_Found]) -> list[_Set]:
    """The sets of one name, with the disabled records that were hidden. Where there is no other, a set may be empty."""
    sets = {one.type: one for one in rrsets}
    for one in hidden:
        there = sets.get(one.type, _Set(one.name, one.type, one.ttl, ()))
        if any(record.disabled and record.content == one.content for record in there.records):
            continue  # a version that has no filter shows it by itself
        ttl = there.ttl if there.records else one.ttl
        sets[one.type] = replace(there, ttl=ttl, records=(*there.records, _Record(one.content, disabled=True)))
    return list(sets.values())


def _parents(name: str) -> list[str]:
    labels = name.split(".")
    return [".".join(labels[start:]) for start in range(1, len(labels))]


def _record_set(name: str, one: _Set) -> RecordSet:
    """The set with what must be restored beside each value: comments, and the server's own notation of it."""
    comments = [[c.content, c.account, c.modified_at] for c in one.comments]
    details: dict[str, dict[str, Any]] = {}
    for record in one.records:
        value = record_value(one.type, record.content)
        notes: dict[str, Any] = {"comments": comments} if comments else {}
        notes |= {"disabled": True} if record.disabled else {}
        notes |= {"written": record.content} if record.content != written_value(one.type, value) else {}
        if notes:
            details[value] = notes
    return RecordSet(
        name=name,
        type=one.type,
        ttl=one.ttl,
        values=tuple(sorted({record_value(one.type, record.content) for record in one.records})),
        details=details,
        opaque=one.type in ("ALIAS", "LUA"),
    )


def _patch(replacement: Replacement) -> dict[str, Any]:
    """The record set as a PATCH takes it."""
    place = {"name": f"{replacement.name}.", "type": replacement.type}
    after = replacement.after
    if after is None:
        return {**place, "changetype": "DELETE"}
    records = []
    for value in after.values:
        disabled = after.details.get(value, {}).get("disabled", False)
        records.append({"content": as_written(after, value), "disabled": disabled})
    body = {**place, "ttl": after.ttl, "changetype": "REPLACE", "records": records}
    # Some backends know no comments and refuse the very word: it is sent only where there is something to say.
    if _comments(after) != _comments(replacement.before):
        body["comments"] = [
            {"content": content, "account": account, "modified_at": moment}
            for content, account, moment in _comments(after)
        ]
    return body


def _comments(record: RecordSet | None) -> Sequence[Sequence[Any]]:
    """The comments of a set, which stand with each of its values."""
    details = record.details.values() if record is not None else ()
    return next((notes["comments"] for notes in details if "comments" in notes), ())


class _Type(HttpProviderType):
    label = "PowerDNS (HTTP API)"
    tested = "PowerDNS Authoritative Server 4.7"
    options = PowerDnsOptions
    needs = (
        SecretField(
            name="key",
            label="API key",
            help=_KEY,
            link="https://doc.powerdns.com/authoritative/http-api/",
            permission="the server has one key, which can change every zone",
        ),
    )
    provider = PowerDns


PROVIDER = _Type
