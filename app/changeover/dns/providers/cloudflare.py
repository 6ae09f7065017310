"""Cloudflare, by its API v4 (developers.cloudflare.com/api/resources/dns/subresources/records).

One batch is one POST to dns_records/batch. Its deletes, patches, puts and posts run in this order in one database
transaction, so either all of a batch is made or none of it. What the name servers give does not change at one moment
for all of it: every record travels by itself
(developers.cloudflare.com/dns/manage-dns-records/how-to/batch-record-changes).

Cloudflare has no compare-and-set. Everything at the names is read again right before the batch and must be exactly
what was expected, TTL and flags included; somebody else's change in the instant between stays unseen, unless it
removed a record that the batch names. A guard's text is read in the same instant. A text that is put is read once more
after the write, and where another of its kind stands there as well, it is taken back.

A TTL of 1 is "automatic": 300 seconds (developers.cloudflare.com/dns/manage-dns-records/reference/ttl). A proxied
record always has it, and the name servers answer with Cloudflare's own addresses; one proxied record at a name makes
all its addresses proxied (…/how-to/round-robin-dns). A CNAME at the apex is answered with the addresses of its target
(developers.cloudflare.com/dns/cname-flattening).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

import dns.exception
import dns.name
import dns.rdata
import msgspec
from msgspec import Struct

from changeover.dns.account_fields import SecretField
from changeover.dns.http import Answer, Api, Lost, endpoint_host, is_safe_endpoint, repeated
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
from changeover.model.capabilities import BatchLimit, Capabilities
from changeover.model.change import Change
from changeover.model.errors import (
    AuthError,
    NotFound,
    PermissionDenied,
    ProviderError,
    RateLimited,
    Rejected,
    Unavailable,
)
from changeover.model.records import ADDRESS_TYPES, NAME_TYPES, AddressSet, RecordSet, address_set, canonical_value
from changeover.model.secret import Secret
from changeover.model.text import text_of, value_of

#: What a batch may hold on the free plan; others take 3,500. A larger batch is refused as a whole.
BATCH_RECORDS = 200
#: Seconds for one request, and for one reading with its repetitions.
TIMEOUT = 10.0
#: About 500 kB; up to 5,000,000 are allowed.
RECORDS_PER_PAGE = 1000
ZONES_PER_PAGE = 50
LEAST_TTL, MOST_TTL, AUTOMATIC_TTL = 60, 86400, 1

_PROXIABLE = ("A", "AAAA", "CNAME")
#: What Cloudflare keeps beside a value and answers do not show.
_NOTES = ("comment", "tags", "settings")
#: "Invalid request headers", "Missing X-Auth-Key", "Unknown X-Auth-Key", "Invalid API Token".
_WRONG_CREDENTIAL = (6003, 9103, 9106, 1000, 1001)
#: "Record does not exist."
_GONE = 81044
_MAKE_TOKEN = "Make a token at dash.cloudflare.com, My Profile > API Tokens, with the permissions Zone.DNS edit and"
_HINT = f"{_MAKE_TOKEN} Zone.Zone read for this zone, and add it with: changeover account add NAME … --replace"

_T = TypeVar("_T")


class Options(Struct, frozen=True, forbid_unknown_fields=True):
    """The account's keys in the settings file."""

    endpoint: str = "https://api.cloudflare.com/client/v4"


class _Record(Struct, frozen=True):
    id: str
    name: str
    type: str
    ttl: int
    content: str = ""
    priority: int | None = None
    proxied: bool | None = None
    comment: str | None = None
    tags: tuple[str, ...] | None = None
    settings: dict[str, Any] | None = None


class _Zone(Struct, frozen=True):
    id: str
    name: str
    status: str
    permissions: tuple[str, ...] | None = None
    name_servers: tuple[str, ...] | None = None


class _Fault(Struct, frozen=True):
    code: int = 0
    message: str = ""


class _Paging(Struct, frozen=True):
    total_pages: int = 1


class _Envelope(Struct, frozen=True):
    success: bool
    errors: tuple[_Fault, ...] | None = None
    result: msgspec.Raw = msgspec.Raw(b"null")
    result_info: _Paging | None = None


class Cloudflare:
    """One API token's zones. Implements changeover.dns.provider.Provider."""

    capabilities = Capabilities(
        label="Cloudflare",
        batch=BatchLimit(records=BATCH_RECORDS),
        native_compare_and_set=False,
        propagates_atomically=False,
        least_ttl=LEAST_TTL,
        automatic_ttl=300,
        apex_cname=True,
        apex_alias=True,
        leases=True,
    )

    def __init__(self, account: str, options: Options, token: Secret, timeout: float = TIMEOUT) -> None:
        self.account = account
        self._options = options
        self._token = token
        self._timeout = timeout
        self._zone_ids: dict[str, str] = {}
        # Comparing and writing belong together, so this process makes one batch at a time.
        self._writing = asyncio.Lock()

    async def read(self, zone: str, names: Sequence[str]) -> Reading:
        zone_id = (await self._zone(zone)).id
        found = await self._records(zone_id, names)
        records = {name: _record_sets(zone, found[name]) for name in names}
        over = {name: _wildcards_over(zone, name) for name in names if not records[name]}
        answering = await self._records(zone_id, sorted({w for wildcards in over.values() for w in wildcards}))
        covered = {w for w, there in answering.items() if any(r.type in ADDRESS_TYPES for r in there)}
        wildcards = tuple(name for name, above in over.items() if covered.intersection(above))
        return Reading(records=records, wildcards=wildcards)

    async def apply(self, zone: str, changes: Sequence[Change], guard: Guard | None = None) -> Result:
        async with self._writing:
            zone_id = self._zone_ids.get(zone) or (await self._zone(zone)).id
            names = [change.name for change in changes] + ([guard.name] if guard else [])
            live = await self._records(zone_id, names)
            found = [text for c in changes for text in conflicts(c, _record_sets(zone, live[c.name]))]
            if guard:
                found += text_conflicts(guard.name, guard.text, _record_sets(zone, live[guard.name]))
            if found:
                return ChangedMeanwhile(tuple(found))
            batch: dict[str, list[dict[str, Any]]] = {}
            for change in changes:
                _add_change(batch, change, live[change.name])
            return await self._write(f"/zones/{zone_id}/dns_records/batch", batch) if batch else Applied()

    async def put_text(self, zone: str, name: str, before: str | None, after: str | None) -> Result:
        async with self._writing:
            zone_id = self._zone_ids.get(zone) or (await self._zone(zone)).id
            there = (await self._records(zone_id, [name]))[name]
            found = put_conflicts(name, before, after, _record_sets(zone, there))
            if found:
                return ChangedMeanwhile(tuple(found))
            ids = [r.id for r in there if r.type == "TXT" and text_of(_value(r)) == before]
            result = await self._write(f"/zones/{zone_id}/dns_records/batch", _text_batch(name, ids, after))
            if after is None or not isinstance(result, Applied):
                return result
            return await self._uncontested(zone, zone_id, name, after)

    async def _uncontested(self, zone: str, zone_id: str, name: str, text: str) -> Result:
        """Is the text that was just put the only one of its kind? One that collided with another is taken back."""
        try:
            there = (await self._records(zone_id, [name]))[name]
        except ProviderError as error:
            return Unsure(f"the text is written, but what stands at {name} could not be read: {error.text}")
        found = text_conflicts(name, text, _record_sets(zone, there))
        if not found:
            return Applied()
        ours = [r.id for r in there if r.type == "TXT" and text_of(_value(r)) == text]
        if ours:
            doubt = f"two texts collided at {name}, and taking one back was not confirmed"
            try:
                back = await self._write(f"/zones/{zone_id}/dns_records/batch", _text_batch(name, ours, None))
            except ProviderError as error:
                return Unsure(f"{doubt}: {error.text}")
            if isinstance(back, Unsure):
                return Unsure(f"{doubt}: {back.text}")
        return ChangedMeanwhile(tuple(found))

    async def read_back(self, zone: str, changes: Sequence[Change]) -> dict[str, AddressSet]:
        zone_id = self._zone_ids.get(zone) or (await self._zone(zone)).id
        found = await self._records(zone_id, [change.name for change in changes])
        return {name: address_set(_record_sets(zone, records)) for name, records in found.items()}

    async def _write(self, path: str, batch: dict[str, list[dict[str, Any]]]) -> Result:
        try:
            await self._call("POST", path, body=batch)
        except Lost as error:
            return Unsure(error.text)
        except _RecordGone:
            return ChangedMeanwhile(("Cloudflare says that a record that was just read is gone",))
        return Applied()

    def publishes(self, zone: str, before: AddressSet, after: AddressSet) -> AddressSet:
        """ALIAS becomes a CNAME, which is flattened at the apex. A name that is proxied stays so, and its TTL with it.

        Comments, tags and settings stay where the value stays; a new value gets those that all former ones share.
        """
        proxied = any(details.get("proxied") for record in before for details in record.details.values())
        return address_set(_published(zone, before, record, proxied) for record in after)

    async def verify(self, zone: str, names: Sequence[str]) -> Access:
        """Reads the records. Whether they may be changed is told by the permissions that Cloudflare lists."""
        await self.read(zone, names or [zone])
        permissions = (await self._zone(zone)).permissions
        may_write = None if permissions is None else "#dns_records:edit" in permissions
        return Access(zones=await self.zones(), may_write=may_write)

    async def zones(self) -> tuple[str, ...]:
        found = await self._list("/zones", {"per_page": ZONES_PER_PAGE}, _Zone)
        return tuple(dict.fromkeys(zone.name for zone in found or ()))

    async def aclose(self) -> None:
        if "_api" in self.__dict__:
            await self._api.aclose()

    async def _zone(self, name: str) -> _Zone:
        """The zone of that name; Rejected where the world does not ask Cloudflare for it (…/domain-status)."""
        found = await self._list("/zones", {"name": name, "per_page": ZONES_PER_PAGE}, _Zone) or []
        zones = sorted((z for z in found if z.name == name), key=lambda z: z.status != "active")
        if not zones:
            raise NotFound(
                f"Cloudflare shows no zone {name} to the token of account {self.account}",
                "Look at the zone's name, and at the token's Zone Resources and its permission Zone.Zone read"
                " (dash.cloudflare.com, My Profile > API Tokens).",
            )
        if zones[0].status != "active":
            servers = ", ".join(zones[0].name_servers or ()) or "those that Cloudflare shows for it"
            raise Rejected(
                f"The zone {name} is not active at Cloudflare (its status is {zones[0].status}), so a change there"
                " would move no visitor",
                f"At your registrar, set the name servers of {name} to {servers}.",
            )
        self._zone_ids[name] = zones[0].id
        return zones[0]

    async def _records(self, zone_id: str, names: Sequence[str]) -> dict[str, list[_Record]]:
        """Everything at each name: by one question a name, or by listing the zone where that is fewer requests."""
        if not names:
            return {}
        path, size = f"/zones/{zone_id}/dns_records", {"per_page": RECORDS_PER_PAGE}
        found = await self._list(path, size, _Record, most_pages=len(names)) if len(names) > 1 else None
        if found is None:
            found = [r for name in names for r in await self._list(path, {"name": name, **size}, _Record) or ()]
        records: dict[str, list[_Record]] = {name: [] for name in names}
        for record in {r.id: r for r in found}.values():  # a page can repeat what moved while the others were read
            records.get(record.name.lower(), []).append(record)
        return records

    async def _list(
        self, path: str, params: dict[str, Any], of: type[_T], most_pages: int | None = None
    ) -> list[_T] | None:
        """All pages of a listing, or None where it has more than `most_pages`."""
        found: list[_T] = []
        page = pages = 1
        while page <= pages:
            answer = await self._get(path, {**params, "page": page})
            pages = answer.result_info.total_pages if answer.result_info else 1
            if most_pages is not None and pages > most_pages:
                return None
            try:
                found += msgspec.json.decode(answer.result, type=list[of])  # type: ignore[valid-type]
            except msgspec.DecodeError as error:
                raise Unavailable(f"The answer of {self._api.host} could not be understood: {error}") from None
            page += 1
        return found

    async def _get(self, path: str, params: dict[str, Any]) -> _Envelope:
        return await repeated(lambda: self._call("GET", path, params=params), self._timeout)

    async def _call(
        self, method: str, path: str, params: dict[str, Any] | None = None, body: object | None = None
    ) -> _Envelope:
        """One request. Raises Lost where it may have been carried out, another ProviderError where it was not."""
        answer = await self._api.call(method, path, params, body)
        accepted = answer.status < 300
        try:
            envelope = msgspec.json.decode(answer.content, type=_Envelope)
        except msgspec.DecodeError:
            if accepted:
                raise Lost(f"The answer of {self._api.host} is not Cloudflare's", _CHECK_ENDPOINT) from None
            envelope = _Envelope(success=False)
        if accepted and envelope.success:
            return envelope
        raise self._refusal(answer, envelope.errors or ())

    @cached_property
    def _api(self) -> Api:
        token = self._token.reveal()
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise AuthError(f"The secret of account {self.account} is no Cloudflare API token", _HINT)
        return Api(self._options.endpoint, {"Authorization": f"Bearer {token}"}, self._timeout)

    def _refusal(self, answer: Answer, faults: Sequence[_Fault]) -> ProviderError:
        status = answer.status
        codes = {fault.code for fault in faults}
        words = "; ".join(f"{f.message.rstrip('.')} (code {f.code})" for f in faults) or f"status {status}"
        said = f"Cloudflare says to account {self.account}: {words}"
        if status == 429:
            wait = answer.headers.get("retry-after", "")
            return RateLimited(said, "Wait and try again.", float(wait) if wait.isdecimal() else None)
        if codes & set(_WRONG_CREDENTIAL) or status == 401 or _is_wrong_token(faults):
            return AuthError(said, _HINT)
        if status == 403 or codes & {9109, 10000}:
            return PermissionDenied(said, _HINT)
        if _GONE in codes:
            return _RecordGone(said)
        if status == 404 or 7003 in codes:
            return NotFound(said, _CHECK_ENDPOINT)
        return Rejected(said, "Look at the records of these names at dash.cloudflare.com.")


class _RecordGone(NotFound):
    """A record that the request names by its id is not there."""


_CHECK_ENDPOINT = "Look at the account's endpoint and at the zone at dash.cloudflare.com."


def _is_wrong_token(faults: Iterable[_Fault]) -> bool:
    """Code 9109 is "Invalid access token", but "Unauthorized to access requested resource" and more as well."""
    return any(f.code == 9109 and ("Invalid access token" in f.message or "auth failures" in f.message) for f in faults)


def _record_sets(zone: str, records: Sequence[_Record]) -> tuple[RecordSet, ...]:
    """The record sets of one name. The highest TTL of a set is the set's; one that differs is among the details."""
    proxied = any(r.proxied for r in records)
    found = []
    for rtype in sorted({r.type for r in records}):
        members = {_value(r): r for r in records if r.type == rtype}
        ttl = max(r.ttl for r in members.values())
        details = {value: d for value, r in members.items() if (d := _details(r, ttl))}
        name = records[0].name.lower()
        found.append(
            RecordSet(
                name=name,
                type=rtype,
                ttl=ttl,
                values=tuple(sorted(members)),
                details=details,
                opaque=_is_opaque(zone, name, rtype, details, proxied),
            )
        )
    return tuple(found)


def _is_opaque(zone: str, name: str, rtype: str, details: Mapping[str, dict[str, Any]], proxied: bool) -> bool:
    flattened = name == zone or any(d.get("settings", {}).get("flatten_cname") for d in details.values())
    return (proxied and rtype in _PROXIABLE) or (rtype == "CNAME" and flattened)


def _details(record: _Record, set_ttl: int) -> dict[str, Any]:
    """What must be restored beside the value, without what is Cloudflare's default."""
    settings = {key: value for key, value in (record.settings or {}).items() if value}
    found: dict[str, Any] = {
        "proxied": record.proxied,
        "comment": record.comment,
        "tags": sorted(record.tags or ()),
        "settings": settings,
        "ttl": record.ttl if record.ttl != set_ttl else None,
    }
    return {key: value for key, value in found.items() if value}


def _value(record: _Record) -> str:
    """The record's value as a zone file has it. What cannot be read is kept as Cloudflare writes it."""
    if record.type in ("A", "AAAA", *NAME_TYPES):
        return canonical_value(record.type, record.content)
    text = record.content
    if record.type == "TXT" and not text.startswith('"'):
        text = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if record.priority is not None and record.type in ("MX", "SRV", "URI"):
        text = f"{record.priority} {text}"
    try:
        return dns.rdata.from_text("IN", record.type, text, origin=dns.name.root, relativize=False).to_text()
    except dns.exception.DNSException:
        return text


def _wildcards_over(zone: str, name: str) -> list[str]:
    labels = name.split(".")
    above = [".".join(labels[start:]) for start in range(1, len(labels) - zone.count("."))]
    return [f"*.{parent}" for parent in above]


def _add_change(batch: dict[str, list[dict[str, Any]]], change: Change, live: Sequence[_Record]) -> None:
    """A record whose value stays keeps its id, another of the same type is overwritten; the rest goes or is new."""
    ids = {(r.type, _value(r)): r.id for r in live}
    before = {(r.type, value): _body(r, value) for r in change.before for value in r.values}
    after = {(r.type, value): _body(r, value) for r in change.after for value in r.values}
    free = [key for key in before if key not in after]
    for key, body in after.items():
        if key in before:
            if body != before[key]:
                batch.setdefault("puts", []).append({"id": ids[key], **body})
            continue
        replaced = next((old for old in free if old[0] == key[0]), None)
        if replaced is None:
            batch.setdefault("posts", []).append(body)
        else:
            free.remove(replaced)
            batch.setdefault("puts", []).append({"id": ids[replaced], **body})
    for key in free:
        batch.setdefault("deletes", []).append({"id": ids[key]})


def _text_batch(name: str, ids: Sequence[str], text: str | None) -> dict[str, list[dict[str, Any]]]:
    """Replaces these records, of which there is one at most unless they collided, by one with `text`."""
    if text is None:
        return {"deletes": [{"id": one} for one in ids]}
    body = {"name": name, "type": "TXT", "ttl": TEXT_TTL, "content": value_of(text)}
    return {"puts": [{"id": ids[0], **body}]} if ids else {"posts": [body]}


def _body(record: RecordSet, value: str) -> dict[str, Any]:
    """The record as Cloudflare takes it. What is left out takes its default."""
    details = record.details.get(value, {})
    body: dict[str, Any] = {"name": record.name, "type": record.type, "ttl": details.get("ttl", record.ttl)}
    if record.type in ("HTTPS", "SVCB"):
        priority, target, *parameters = value.split(maxsplit=2)
        body["data"] = {"priority": int(priority), "target": target, "value": " ".join(parameters)}
    else:
        body["content"] = value
    if record.type in _PROXIABLE:
        body["proxied"] = details.get("proxied", False)
    return body | {key: details[key] for key in _NOTES if key in details}


def _published(zone: str, before: AddressSet, record: RecordSet, proxied: bool) -> RecordSet:
    rtype = "CNAME" if record.type in NAME_TYPES else record.type
    proxied = proxied and rtype in _PROXIABLE
    details = {}
    for value in record.values:
        notes = ({"proxied": True} if proxied else {}) | _carried(before, rtype, value)
        if notes:
            details[value] = notes
    return RecordSet(
        name=record.name,
        type=rtype,
        ttl=AUTOMATIC_TTL if proxied else min(max(record.ttl, LEAST_TTL), MOST_TTL),
        values=record.values,
        details=details,
        opaque=_is_opaque(zone, record.name, rtype, details, proxied),
    )


def _carried(before: AddressSet, rtype: str, value: str) -> dict[str, Any]:
    """Comment, tags and settings for a value: its own former ones, else those that all records here share.

    Settings mean something for one type only, so they end where the type does.
    """
    same = [r for r in before if r.type == rtype]
    former = [(r, v) for r in same or before for v in r.values]
    former = [(r, v) for r, v in former if v == value and r.type == rtype] or former
    notes = [r.details.get(v, {}) for r, v in former]
    keys = _NOTES if same else ("comment", "tags")
    return {
        key: notes[0][key]
        for key in keys
        if notes and key in notes[0] and all(n.get(key) == notes[0][key] for n in notes)
    }


class _Type:
    label = "Cloudflare"
    tested = "a simulator that answers recorded requests as Cloudflare did"
    options = Options

    @staticmethod
    def secrets(options: Options) -> tuple[SecretField, ...]:
        return (SecretField(name="token", label="API token", help=f"{_MAKE_TOKEN} Zone.Zone read."),)

    @staticmethod
    def faults(options: Options) -> list[tuple[str, str]]:
        if is_safe_endpoint(options.endpoint):
            return []
        return [("endpoint", 'an https address such as "https://api.cloudflare.com/client/v4"')]

    @staticmethod
    def host(options: Options) -> str:
        return endpoint_host(options.endpoint)

    @staticmethod
    def open(account: str, options: Options, secrets: Mapping[str, Secret]) -> Cloudflare:
        return Cloudflare(account, options, secrets["token"])


PROVIDER = _Type
