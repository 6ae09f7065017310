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
(developers.cloudflare.com/dns/cname-flattening). Records that a Worker's Custom Domain or a Tunnel made are its own,
and stop a switch (developers.cloudflare.com/workers/configuration/routing/custom-domains).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from changeover.dns.http.api import Api, ApiAnswer, Hints, Query, pages
from changeover.dns.http.notation import record_value
from changeover.dns.http.provider import (
    ENDPOINT,
    TIMEOUT,
    HttpProvider,
    HttpProviderType,
    Reason,
    RecordGone,
    Replacement,
    Zone,
)
from changeover.dns.provider import (
    Access,
    Applied,
    Indeterminate,
    PreconditionFailed,
    RecordsRead,
    Result,
    text_conflicts,
)
from changeover.model.dns.capabilities import BatchLimit, Capabilities, Lag
from changeover.model.dns.records import NAME_TYPES, AddressSet, RecordSet, address_set
from changeover.model.dns.txt_record import kind_of, texts
from changeover.model.errors import AuthError, NotFound, PermissionDenied, ProviderError, RateLimited, Rejected
from changeover.model.secret import Secret
from changeover.model.settings.account_fields import SecretField

#: What a batch may hold on the free plan; others take 3,500. A larger batch is refused as a whole.
BATCH_RECORDS = 200
#: About 500 kB; up to 5,000,000 are allowed.
RECORDS_PER_PAGE = 1000
ZONES_PER_PAGE = 50
LEAST_TTL, MOST_TTL, AUTOMATIC_TTL = 60, 86400, 1

_PROXIABLE = ("A", "AAAA", "CNAME")
#: What Cloudflare keeps beside a value and answers do not show.
_NOTES = ("comment", "tags", "settings")
#: What the code 9109 is called here where it is about the token.
_WRONG_TOKEN = "wrong token"
#: "Invalid request headers", "Missing X-Auth-Key", "Unknown X-Auth-Key", "Invalid API Token".
_WRONG_CREDENTIAL = {"6003", "9103", "9106", "1000", "1001", _WRONG_TOKEN}
#: "Unauthorized to access requested resource", "Authentication error" (of a token that is right).
_NOT_ALLOWED = {"9109", "10000"}
#: "Record does not exist", "Could not route to …, perhaps your object identifier is invalid?"
_GONE, _NO_ZONE = "81044", "7003"
_MAKE_TOKEN = "Make a token at dash.cloudflare.com, My Profile > API Tokens, with the permissions Zone.DNS edit and"
_HINTS = Hints(
    credential=f"{_MAKE_TOKEN} Zone.Zone read for this zone, and add it with: changeover account add NAME … --replace",
    permission=f"{_MAKE_TOKEN} Zone.Zone read for this zone, and add it with: changeover account add NAME … --replace",
    missing="Look at the zone's name, and at the token's Zone Resources and its permission Zone.Zone read"
    " (dash.cloudflare.com, My Profile > API Tokens).",
    refused="Look at the records of these names at dash.cloudflare.com.",
)

#: Where the records of tunnels lead (developers.cloudflare.com/cloudflare-one/…/routing-to-tunnel/dns).
_TUNNEL = ".cfargotunnel.com"

_T = TypeVar("_T")


class CloudflareOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """The account's keys in the settings file."""

    endpoint: Annotated[str, ENDPOINT] = "https://api.cloudflare.com/client/v4"


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
    meta: dict[str, Any] | None = None


class _Zone(Struct, frozen=True):
    id: str
    name: str
    status: str
    permissions: tuple[str, ...] | None = None
    name_servers: tuple[str, ...] | None = None


class _Token(Struct, frozen=True):
    expires_on: Annotated[datetime, Meta(tz=True)] | None = None


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


class Cloudflare(HttpProvider[CloudflareOptions]):
    """One API token's zones. Implements changeover.dns.provider.Provider."""

    hints = _HINTS
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
        lag=Lag(60.0, "GET /zones/{zone}/dns_records"),
    )

    def __init__(
        self, account: str, options: CloudflareOptions, secrets: Mapping[str, Secret], timeout: float = TIMEOUT
    ) -> None:
        super().__init__(account, options, secrets, timeout)
        # What the last reading found, by name: the write names these records by their ids.
        self._seen: dict[str, list[_Record]] = {}

    async def read(self, zone: str, names: Sequence[str]) -> RecordsRead:
        # Looked up each time: its status may have changed since its id was kept.
        self._zone_ids[zone] = (await self._zone(zone)).id
        return await super().read(zone, names)

    async def _read(self, zone: str, names: Sequence[str]) -> Zone:
        """Everything at each name: by one question a name, or by listing the zone where that is fewer requests."""

        async def records(zone_id: str) -> tuple[list[_Record], bool]:
            path, size = f"/zones/{zone_id}/dns_records", {"per_page": RECORDS_PER_PAGE}
            every = await self._list(path, size, _Record, most_pages=len(names)) if len(names) > 1 else None
            if every is not None:
                return every, True
            return [r for n in names for r in await self._list(path, {"name": n, **size}, _Record) or ()], False

        found, whole = await self._with_zone_id(zone, lambda: self._zone_id(zone), records)
        self._seen = {}
        for record in {r.id: r for r in found}.values():  # a page can repeat what moved while the others were read
            self._seen.setdefault(_ascii(record.name), []).append(record)
        return Zone({name: _record_sets(zone, there) for name, there in self._seen.items()}, whole)

    async def _write(self, zone: str, replacements: Sequence[Replacement]) -> None:
        batch: dict[str, list[dict[str, Any]]] = {}
        for replacement in replacements:
            _add(batch, replacement, self._seen.get(replacement.name, ()))
        if batch:
            await self._call("POST", f"/zones/{self._zone_ids[zone]}/dns_records/batch", body=batch)

    async def swap_txt(self, zone: str, name: str, before: str | None, after: str | None) -> Result:
        result = await super().swap_txt(zone, name, before, after)
        return result if after is None or result != Applied() else await self._uncontested(zone, name, after)

    async def _uncontested(self, zone: str, name: str, text: str) -> Result:
        """Is the text that was just put the only one of its kind? One that collided with another is taken back."""
        try:
            there = (await self._caught_up(zone, [name], lambda: self._read(zone, [name]))).found.get(name, ())
        except ProviderError as error:
            return Indeterminate(f"the text is written, but what stands at {name} could not be read: {error.text}")
        found = text_conflicts(name, text, there)
        if not found:
            return Applied()
        if text in texts(there, kind_of(text)):
            doubt = f"two texts collided at {name}, and taking one back was not confirmed"
            try:
                back = await super().swap_txt(zone, name, text, None)
            except ProviderError as error:
                return Indeterminate(f"{doubt}: {error.text}")
            if isinstance(back, Indeterminate):
                return Indeterminate(f"{doubt}: {back.text}")
        return PreconditionFailed(tuple(found))

    def normalize(self, zone: str, before: AddressSet, after: AddressSet) -> AddressSet:
        """ALIAS becomes a CNAME, which is flattened at the apex. A name that is proxied stays so, and its TTL with it.

        Comments, tags and settings stay where the value stays; a new value gets those that all former ones share.
        """
        proxied = any(details.get("proxied") for record in before for details in record.details.values())
        return address_set(_published(zone, before, record, proxied) for record in after)

    def _policy(self, records: Sequence[RecordSet]) -> str | None:
        for record in records:
            for value, details in record.details.items():
                if "owned" in details:
                    return f"{record.type} {value}, which {details['owned']}"
        return None

    async def verify(self, zone: str, names: Sequence[str]) -> Access:
        """Reads the records. What may be changed is told by the permissions that Cloudflare lists with each zone."""
        await self.read(zone, names or [zone])
        zones, expires = await asyncio.gather(self._zones(), self._expires())
        # A domain that changes accounts is there twice: what holds is the one that is active.
        last = sorted(zones, key=lambda z: z.status == "active")
        may_write = {
            _ascii(z.name): None if z.permissions is None else "#dns_records:edit" in z.permissions for z in last
        }
        known = all(may is not None for may in may_write.values())
        return Access(
            zones=tuple(dict.fromkeys(_ascii(z.name) for z in zones)),
            may_write=may_write.get(zone),
            writable=tuple(name for name, may in may_write.items() if may) if known else None,
            expires=expires,
        )

    async def zones(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(_ascii(zone.name) for zone in await self._zones()))

    async def _zones(self) -> Sequence[_Zone]:
        return await self._retried(lambda: self._list("/zones", {"per_page": ZONES_PER_PAGE}, _Zone)) or ()

    async def _expires(self) -> datetime | None:
        """When the token ends (developers.cloudflare.com/api/resources/user/subresources/tokens/methods/verify).

        A token that an account owns cannot ask this.
        """
        try:
            answer = await self._retried(lambda: self._call("GET", "/user/tokens/verify"))
            return self._api.decoded(answer.result, _Token).expires_on
        except ProviderError:
            return None

    async def _zone_id(self, name: str) -> str:
        return (await self._zone(name)).id

    async def _zone(self, name: str) -> _Zone:
        """The zone of that name; Rejected where the world does not ask Cloudflare for it (…/domain-status)."""
        query = {"name": name, "per_page": ZONES_PER_PAGE}
        found = await self._retried(lambda: self._list("/zones", query, _Zone)) or []
        zones = sorted((z for z in found if _ascii(z.name) == name), key=lambda z: z.status != "active")
        if not zones:
            raise NotFound(f"Cloudflare shows no zone {name} to the token of account {self.account}", _HINTS.missing)
        if zones[0].status != "active":
            servers = ", ".join(zones[0].name_servers or ()) or "those that Cloudflare shows for it"
            raise Rejected(
                f"The zone {name} is not active at Cloudflare (its status is {zones[0].status}), so a change there"
                " would move no visitor",
                f"At your registrar, set the name servers of {name} to {servers}.",
            )
        return zones[0]

    async def _list(
        self, path: str, params: Mapping[str, Any], of: type[_T], most_pages: int | None = None
    ) -> list[_T] | None:
        """All pages of a listing, or None where it has more than `most_pages`."""

        async def page(query: Query) -> tuple[list[_T], Query | None]:
            number = query.get("page", 1)
            answer = await self._call("GET", path, {**params, "page": number})
            found = self._api.decoded(answer.result, list[of])  # type: ignore[valid-type]
            last = answer.result_info.total_pages if answer.result_info else 1
            return found, {"page": number + 1} if number < last else None

        return await pages(page, most_pages)

    async def _call(
        self, method: str, path: str, params: Mapping[str, Any] | None = None, body: object | None = None
    ) -> _Envelope:
        """One request. Raises Lost where it may have been carried out, another ProviderError where it was not."""
        answer = await self._api.call(method, path, params, body)
        if answer.status < 300:
            envelope = self._api.decoded(answer.content, _Envelope)
            if envelope.success:
                return envelope
        raise self._refusal(answer)

    def _connect(self) -> Api:
        token = self._secret("token", "Cloudflare API token")
        return Api(self._options.endpoint, {"Authorization": token.after("Bearer ")}, self._timeout)

    def _reason(self, answer: ApiAnswer) -> Reason:
        faults = self._api.decoded(answer.content, _Envelope).errors or ()
        words = "; ".join(f"{f.message.rstrip('.')} (code {f.code})" for f in faults)
        return Reason(words, tuple(_WRONG_TOKEN if _is_wrong_token(f) else str(f.code) for f in faults))

    def _meaning(self, error: ProviderError, reason: Reason, answer: ApiAnswer) -> ProviderError:
        """By Cloudflare's own codes, which say more than the status."""
        codes = set(reason.codes)
        if isinstance(error, RateLimited | AuthError):
            return error
        if codes & _WRONG_CREDENTIAL:
            return AuthError(error.text, _HINTS.credential)
        if codes & _NOT_ALLOWED:
            return PermissionDenied(error.text, _HINTS.permission)
        if _GONE in codes:
            return RecordGone(error.text, _HINTS.refused)
        if _NO_ZONE in codes:
            return NotFound(error.text, _HINTS.missing)
        return error


def _ascii(name: str) -> str:
    """The name in lower case and A-labels. Cloudflare shows zones in the script that they are written in."""
    try:
        return name.lower() if name.isascii() else name.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return name


def _is_wrong_token(fault: _Fault) -> bool:
    """Code 9109 is "Invalid access token", but "Unauthorized to access requested resource" and more as well."""
    return fault.code == 9109 and ("Invalid access token" in fault.message or "auth failures" in fault.message)


def _record_sets(zone: str, records: Sequence[_Record]) -> tuple[RecordSet, ...]:
    """The record sets of one name. The highest TTL of a set is the set's; one that differs is among the details."""
    proxied = any(r.proxied for r in records)
    found = []
    for rtype in sorted({r.type for r in records}):
        members = {_value(r): r for r in records if r.type == rtype}
        ttl = max(r.ttl for r in members.values())
        details = {value: d for value, r in members.items() if (d := _details(r, ttl))}
        name = _ascii(records[0].name)
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
        "owned": _owner(record),
    }
    return {key: value for key, value in found.items() if value}


def _owner(record: _Record) -> str | None:
    """Which of Cloudflare's features made the record and follows it, in words."""
    meta = record.meta or {}
    if meta.get("origin_worker_id"):
        return "belongs to a Worker (Custom Domains)"
    if record.content.lower().endswith(_TUNNEL):
        return "leads into a Cloudflare Tunnel"
    return "is kept by a feature of Cloudflare and can only be read" if meta.get("read_only") else None


def _value(record: _Record) -> str:
    """The record's value as a zone file has it. What cannot be read is kept as Cloudflare writes it."""
    text = record.content
    if record.type == "TXT" and not text.startswith('"'):
        text = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if record.priority is not None and record.type in ("MX", "SRV", "URI"):
        text = f"{record.priority} {text}"
    return record_value(record.type, text)


def _add(batch: dict[str, list[dict[str, Any]]], replacement: Replacement, live: Sequence[_Record]) -> None:
    """A record whose value stays keeps its id, another of the set is overwritten; the rest goes or is new."""
    ids = {_value(r): r.id for r in live if r.type == replacement.type}
    before = _bodies(replacement.before)
    after = _bodies(replacement.after)
    free = [value for value in before if value not in after]
    for value, body in after.items():
        if value in before:
            if body != before[value]:
                batch.setdefault("puts", []).append({"id": ids[value], **body})
        elif free:
            batch.setdefault("puts", []).append({"id": ids[free.pop(0)], **body})
        else:
            batch.setdefault("posts", []).append(body)
    for value in free:
        batch.setdefault("deletes", []).append({"id": ids[value]})


def _bodies(record: RecordSet | None) -> dict[str, dict[str, Any]]:
    return {value: _body(record, value) for value in record.values} if record is not None else {}


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


class _Type(HttpProviderType):
    label = "Cloudflare"
    tested = "a simulator that answers recorded requests as Cloudflare did"
    options = CloudflareOptions
    needs = (
        SecretField(
            name="token",
            label="API token",
            help="An API token, not the global API key.",
            link="https://dash.cloudflare.com/profile/api-tokens",
            permission="Zone.DNS edit and Zone.Zone read, for this zone alone",
            pattern=r"(?!cfk_)[A-Za-z0-9_-]{40,}",
            example="Sn3lZJTBX6kkg7OdcBUAxOO963GEIyGQqnFTOFYY",
        ),
    )
    provider = Cloudflare


PROVIDER = _Type
