"""OVHcloud, by its API 1.0 (eu.api.ovh.com/1.0/domain.json describes it; …/console shows it).

Records have ids and are created, replaced and deleted one by one. What is stored so reaches the name servers by the
zone's refresh, which is the last request of each batch: until then all of them answer as before, so that no name is
empty in between. Somebody else's changes that wait for a refresh are published with it. There is no compare-and-set:
the names are read again right before the first request. A text is kept in the same way, so this is no ground for
leases.

There may be one refresh at a time, whoever asked for it (github.com/ovh/terraform-provider-ovh/issues/76); with which
status another is refused, is not documented. So one that is refused is asked for again for half a minute, which does
no harm, unless the keys are the reason. Where it fails, the change is stored and not published, and the error says so.
What stands in the API alone helps no visitor, so where `read_back` finds all as planned and does not know that it was
published, it publishes it: after such an error, or in a run that is taken up again after a crash.

The least TTL is 60 seconds: less is made 60 (github.com/ovh/terraform-provider-ovh/pull/397). 0 is the zone's default,
which its SOA tells: it is asked whenever a record has a 0, and an undo restores the 0. A host name without a final dot
is below the zone, as in a zone file. There is no ALIAS, and a CNAME stands alone. OVHcloud itself puts a CNAME beside
texts ("3|welcome") in new zones: undoing a change there would put a CNAME beside others, so it is refused beforehand.
So are web redirections and DynHost records, which are kept apart from the records and answer for their name as well.

The list of a zone's records takes a name and gives ids, and each id is a request; the filter is only said to be "like"
the name, so each record's own name counts. Should no name (the apex) mean all, a zone of more than 1,000 records is
refused there. A rate limit was not found in the documentation.

A request is signed with two secrets and the time (github.com/ovh/python-ovh; help.ovhcloud.com, KB0042784). A signature
soon expires, so the API's clock is read once and again where it says that a request came late: this computer's clock
may be wrong. A key has rules, which say what it may call, and maybe a last day: /auth/currentCredential tells them.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property, partial
from typing import Annotated, Any, TypeVar

from msgspec import Meta, Struct

from changeover.dns.http.api import Api, ApiAnswer, Hints, Query, Request, Signature, segment
from changeover.dns.http.notation import carried_over, full_name, record_value, relative_name, written_value
from changeover.dns.http.provider import TIMEOUT, HttpProviderType, Reason, Replacement
from changeover.dns.http.record_by_record import Record, RecordByRecord, record_sets
from changeover.dns.provider import Access
from changeover.model.dns.capabilities import Capabilities, Lag
from changeover.model.dns.change import Change
from changeover.model.dns.records import ADDRESS_TYPES, AddressSet, RecordSet, address_set
from changeover.model.errors import AuthError, Conflict, NotFound, ProviderError, Rejected, Unavailable
from changeover.model.secret import Secret
from changeover.model.settings.account_fields import Option, SecretField

LEAST_TTL = 60
#: Requests at the same time, where several records are read.
MAX_CONCURRENT = 8
#: Seconds for which a refresh that is refused is asked for again, and between two times.
REFRESH_BUDGET, REFRESH_PAUSE = 30.0, 2.0
#: Records that one reading takes; the filter gives more only where it does not do what it is for.
MOST_RECORDS = 1000
#: What these are called where a zone's records are told. No record of DNS has such a type.
REDIRECTION, DYNHOST = "REDIRECTION", "DYNHOST"
#: github.com/ovh/python-ovh, ovh/client.py
_WRONG_KEY = ("INVALID_KEY", "INVALID_CREDENTIAL", "NOT_CREDENTIAL", "INVALID_SIGNATURE")
_TOO_LATE = "QUERY_TIME_OUT"

_LINK = (
    "https://eu.api.ovh.com/createToken/?GET=/auth/currentCredential&GET=/domain/zone&GET=/domain/zone/*"
    "&POST=/domain/zone/*/record&POST=/domain/zone/*/refresh"
    "&PUT=/domain/zone/*/record/*&DELETE=/domain/zone/*/record/*"
)
_PERMISSION = (
    "GET /auth/currentCredential, GET /domain/zone, GET /domain/zone/*, POST /domain/zone/*/record,"
    " POST /domain/zone/*/refresh, PUT /domain/zone/*/record/*, DELETE /domain/zone/*/record/*;"
    " the zone's name may stand in place of the first *"
)
_HINTS = Hints(
    credential="Make an application key, its secret and a consumer key at eu.api.ovh.com/createToken (ca.api.ovh.com,"
    " api.us.ovhcloud.com), and add all three with: changeover account add NAME … --replace",
    permission=f"The consumer key needs these rules: {_PERMISSION}.",
    missing="Look at the zone's name, at the account's endpoint, and at which OVHcloud account the keys belong to.",
    refused="Look at the records of these names in the OVHcloud control panel, Domain names, DNS zone.",
)

_T = TypeVar("_T")
_Seconds = Annotated[int, Meta(ge=0, le=2**32 - 1)]


class OvhOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """The account's keys in the settings file."""

    endpoint: Annotated[
        str,
        Option(
            "Endpoint",
            "where the account is: https://eu.api.ovh.com/1.0, https://ca.api.ovh.com/1.0 or"
            " https://api.us.ovhcloud.com/1.0",
            "https://ca.api.ovh.com/1.0",
        ),
    ] = "https://eu.api.ovh.com/1.0"


class _Record(Struct, frozen=True, rename="camel"):
    id: int
    field_type: str
    target: str
    sub_domain: str | None = None
    ttl: _Seconds | None = None


class _Redirection(Struct, frozen=True, rename="camel"):
    id: int
    target: str
    sub_domain: str | None = None


class _DynHost(Struct, frozen=True, rename="camel"):
    id: int
    ip: str
    sub_domain: str | None = None


class _Soa(Struct, frozen=True):
    ttl: _Seconds


class _Status(Struct, frozen=True):
    errors: tuple[Any, ...] | None = None


class _Rule(Struct, frozen=True):
    method: str
    path: str


class _Credential(Struct, frozen=True):
    status: str
    rules: tuple[_Rule, ...] = ()
    expiration: Annotated[datetime, Meta(tz=True)] | None = None


class _Fault(Struct, frozen=True, rename={"code": "errorCode"}):
    message: str
    code: str | None = None


class _Signature(Signature):
    """Signs each request but that for the time. `ahead`: by how many seconds the API's clock is, once that is known."""

    def __init__(self, *keys: Secret) -> None:
        self.ahead: float | None = None
        self._keys = keys

    def sign(self, request: Request) -> None:
        if not request.url.path.endswith("/auth/time"):
            now = str(int(time.time() + (self.ahead or 0)))
            text = "+".join(
                (*(key.reveal() for key in self._keys), request.method, str(request.url), request.content.decode(), now)
            )
            request.headers["X-Ovh-Timestamp"] = now
            request.headers["X-Ovh-Signature"] = f"$1${hashlib.sha1(text.encode()).hexdigest()}"


class Ovh(RecordByRecord[OvhOptions]):
    """One account's zones. Implements changeover.dns.provider.Provider."""

    hints = _HINTS
    capabilities = Capabilities(
        label="OVHcloud",
        batch=None,
        native_compare_and_set=False,
        propagates_atomically=False,
        least_ttl=LEAST_TTL,
        lag=Lag(60.0, "GET /domain/zone/{zone}/record"),
    )

    def __init__(
        self, account: str, options: OvhOptions, secrets: Mapping[str, Secret], timeout: float = TIMEOUT
    ) -> None:
        super().__init__(account, options, secrets, timeout)
        # Zones whose name servers are known to have what is stored.
        self._published: set[str] = set()
        self._clock = asyncio.Lock()

    async def _records(self, zone: str, names: Sequence[str]) -> tuple[Iterable[tuple[str, Record]], bool]:
        found: list[tuple[str, Record]] = []
        if await self._ids(zone, "redirection"):
            for forward in await self._at(zone, "redirection", names, _Redirection):
                name = full_name(zone, forward.sub_domain)
                found.append((f"redirection {forward.id}", _beside(name, REDIRECTION, forward.target)))
        if await self._ids(zone, "dynHost/record"):
            for host in await self._at(zone, "dynHost/record", names, _DynHost):
                found.append((f"DynHost {host.id}", _beside(full_name(zone, host.sub_domain), DYNHOST, host.ip)))
        # Last, so that little time goes by between what is compared and a write.
        records = await self._at(zone, "record", names, _Record)
        default = 0
        if any(not one.ttl for one in records):
            soa = await self._call("GET", f"/domain/zone/{segment(zone)}/soa")
            default = self._api.decoded(self._accepted(soa).content, _Soa).ttl
        return [*found, *((str(one.id), _record(zone, one, default)) for one in records)], False

    async def _at(self, zone: str, kind: str, names: Sequence[str], of: type[_T]) -> list[_T]:
        """All of that kind at `names`, and what else the filter gives."""
        lists = await self._each(
            partial(self._ids, zone, kind, relative_name(zone, name)) for name in dict.fromkeys(names)
        )
        ids = sorted({one for ids in lists for one in ids})
        if len(ids) > MOST_RECORDS:
            raise Rejected(
                f"OVHcloud gives {len(ids)} records of {zone} for {len(lists)} names; one by one they are too many",
                "Ask for fewer names at a time.",
            )
        found = await self._each(partial(self._one, zone, kind, one, of) for one in ids)
        return [one for one in found if one is not None]

    async def _ids(self, zone: str, kind: str, label: str | None = None) -> list[int]:
        query = {} if label is None else {"subDomain": label}
        answer = await self._call("GET", f"/domain/zone/{segment(zone)}/{kind}", query)
        if answer.status == 404:
            if kind != "record":  # such a thing cannot be in this zone
                return []
            raise NotFound(f"OVHcloud shows no zone {zone} to account {self.account}", _HINTS.missing)
        return self._api.decoded(self._accepted(answer).content, list[int])

    async def _one(self, zone: str, kind: str, one: int, of: type[_T]) -> _T | None:
        answer = await self._call("GET", f"/domain/zone/{segment(zone)}/{kind}/{one}")
        if answer.status == 404:  # deleted since it was listed
            return None
        return self._api.decoded(self._accepted(answer).content, of)

    async def _write(self, zone: str, replacements: Sequence[Replacement]) -> None:
        for replacement in replacements:
            there = record_sets(record for _, record in self._seen[zone, replacement.name])
            if replacement.type in ADDRESS_TYPES and (policy := self._policy(there)) is not None:
                raise Rejected(f"{replacement.name} has {policy}", _HINTS.refused)
        self._published.discard(zone)
        await super()._write(zone, replacements)

    async def _create(self, zone: str, record: Record) -> None:
        body = {"fieldType": record.type, **_content(zone, record)}
        self._accepted(await self._call("POST", f"/domain/zone/{segment(zone)}/record", body=body))

    async def _replace(self, zone: str, record_id: str, before: Record, after: Record) -> None:
        path = f"/domain/zone/{segment(zone)}/record/{record_id}"
        self._accepted(await self._call("PUT", path, body=_content(zone, after)))

    async def _delete(self, zone: str, record_id: str, record: Record) -> None:
        self._accepted(await self._call("DELETE", f"/domain/zone/{segment(zone)}/record/{record_id}"))

    async def _finish(self, zone: str) -> None:
        async def refresh() -> None:
            self._accepted(await self._call("POST", f"/domain/zone/{segment(zone)}/refresh"))

        end = time.monotonic() + REFRESH_BUDGET
        while True:
            try:
                await self._retried(refresh)
                break
            except (Conflict, Rejected):
                if time.monotonic() + REFRESH_PAUSE > end:
                    raise
            await asyncio.sleep(REFRESH_PAUSE)
        self._published.add(zone)

    async def read_back(self, zone: str, changes: Sequence[Change]) -> dict[str, AddressSet]:
        """What stands; where that is as planned, but was perhaps never published, it is published now."""
        found = await super().read_back(zone, changes)
        if zone not in self._published and all(found[change.name] == change.after for change in changes):
            try:
                await self._finish(zone)
            except ProviderError as error:
                said = f"OVHcloud stored the change of {zone} and did not publish it: {error.text}"
                raise Unavailable(said, error.hint) from None
        return found

    def normalize(self, zone: str, before: AddressSet, after: AddressSet) -> AddressSet:
        """The TTL is 60 s at least. What keeps its value keeps its notation, and with its TTL the default."""
        return address_set(
            carried_over(before, record, max(record.ttl, LEAST_TTL), ("written", "default_ttl")) for record in after
        )

    def _policy(self, records: Sequence[RecordSet]) -> str | None:
        by_type = {record.type: record for record in records}
        if REDIRECTION in by_type:
            return f"a web redirection of OVHcloud to {self._api.words(by_type[REDIRECTION].values[0])}; delete it"
        if DYNHOST in by_type:
            return "a DynHost record, which a device elsewhere changes; delete it"
        others = sorted(by_type.keys() - {"CNAME"})
        if "CNAME" in by_type and others:
            return f"a CNAME beside {', '.join(others)}, which could not be brought back; delete what is beside it"
        return None

    async def verify(self, zone: str, names: Sequence[str]) -> Access:
        """Reads the records, whether the zone can be published, and the key's rules."""
        await self.read(zone, names or [zone])
        status = await self._retried(lambda: self._call("GET", f"/domain/zone/{segment(zone)}/status"))
        errors = self._api.decoded(self._accepted(status).content, _Status).errors
        if errors:
            said = self._api.words("; ".join(map(str, errors)))
            raise Rejected(f"OVHcloud cannot publish {zone}: {said}", _HINTS.refused)
        zones = await self._zones_seen(zone)
        credential = await self._credential()
        may_write = None if credential is None else _may_write(credential, zone)
        return Access(zones=zones, may_write=may_write, expires=credential.expiration if credential else None)

    async def _credential(self) -> _Credential | None:
        answer = await self._retried(lambda: self._call("GET", "/auth/currentCredential"))
        if answer.status >= 300:
            return None
        return self._api.decoded(answer.content, _Credential)

    async def zones(self) -> tuple[str, ...]:
        answer = await self._retried(lambda: self._call("GET", "/domain/zone"))
        return tuple(name.lower() for name in self._api.decoded(self._accepted(answer).content, list[str]))

    async def _each(self, requests: Iterable[Callable[[], Awaitable[_T]]]) -> list[_T]:
        """What the requests give, a few of them at the same time; the first error ends them all."""
        allowed = asyncio.Semaphore(MAX_CONCURRENT)

        async def one(request: Callable[[], Awaitable[_T]]) -> _T:
            async with allowed:
                return await request()

        tasks = [asyncio.create_task(one(request)) for request in requests]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def _call(self, method: str, path: str, query: Query | None = None, body: object | None = None) -> ApiAnswer:
        """One request; again where it was refused for its time alone."""
        await self._keep_time()
        answer = await self._api.call(method, path, query, body)
        if answer.status == 400 and _TOO_LATE in self._readable_reason(answer).codes:
            self._signature.ahead = None
            await self._keep_time()
            answer = await self._api.call(method, path, query, body)
        return answer

    async def _keep_time(self) -> None:
        async with self._clock:
            if self._signature.ahead is None:
                answer = self._accepted(await self._api.call("GET", "/auth/time"))
                self._signature.ahead = self._api.decoded(answer.content, _Seconds) - time.time()

    @cached_property
    def _signature(self) -> _Signature:
        application_secret = self._secret("application_secret", "OVHcloud application secret")
        return _Signature(application_secret, self._secret("consumer_key", "OVHcloud consumer key"))

    def _connect(self) -> Api:
        headers = {
            "X-Ovh-Application": self._secret("application_key", "OVHcloud application key"),
            "X-Ovh-Consumer": self._secret("consumer_key", "OVHcloud consumer key"),
        }
        secret = self._secret("application_secret", "OVHcloud application secret")
        return Api(self._options.endpoint, headers, self._timeout, signature=self._signature, secrets=[secret])

    def _reason(self, answer: ApiAnswer) -> Reason:
        fault = self._api.decoded(answer.content, _Fault)
        return Reason(fault.message, (fault.code or "",))

    def _meaning(self, error: ProviderError, reason: Reason, answer: ApiAnswer) -> ProviderError:
        if _TOO_LATE in reason.codes:
            ahead = self._signature.ahead or 0
            off = f"{abs(ahead):.0f} s {'behind' if ahead > 0 else 'ahead of'} OVHcloud's"
            return AuthError(error.text, f"This computer's clock is {off}: set it right, and try again.")
        return AuthError(error.text, _HINTS.credential) if set(_WRONG_KEY).intersection(reason.codes) else error


def _may_write(credential: _Credential, zone: str) -> bool:
    record = f"/domain/zone/{segment(zone)}/record"
    needed = (
        ("POST", record),
        ("PUT", f"{record}/1"),
        ("DELETE", f"{record}/1"),
        ("POST", f"/domain/zone/{segment(zone)}/refresh"),
    )
    return credential.status == "validated" and all(
        any(_allows(rule, method, path) for rule in credential.rules) for method, path in needed
    )


def _allows(rule: _Rule, method: str, path: str) -> bool:
    pattern = re.escape(rule.path).replace(r"\*", ".*")
    return rule.method == method and re.fullmatch(pattern, path) is not None


def _beside(name: str, kind: str, value: str) -> Record:
    return Record(name=name, type=kind, ttl=0, value=value)


def _record(zone: str, one: _Record, default_ttl: int) -> Record:
    value = record_value(one.field_type, one.target, zone)
    details: dict[str, Any] = {} if one.ttl else {"default_ttl": default_ttl}
    if one.target != written_value(one.field_type, value):
        details["written"] = one.target
    name = full_name(zone, one.sub_domain)
    return Record(name=name, type=one.field_type, ttl=one.ttl or default_ttl, value=value, details=details)


def _content(zone: str, record: Record) -> dict[str, Any]:
    """What of a record can be changed, as the API takes it."""
    return {
        "subDomain": relative_name(zone, record.name),
        "target": record.details.get("written", written_value(record.type, record.value)),
        "ttl": 0 if record.details.get("default_ttl") == record.ttl else record.ttl,
    }


class _Type(HttpProviderType):
    label = "OVHcloud"
    tested = "a simulator that answers recorded requests as OVHcloud did"
    options = OvhOptions
    needs = (
        SecretField(
            name="application_key",
            label="Application key",
            help="The application's name for the API; the page shows all three keys once",
            link=_LINK,
            permission="none of its own: the rules belong to the consumer key",
            pattern=r"[0-9A-Za-z]{16}",
            example="7kbG7Bk7S9Nt7ZSV",
        ),
        SecretField(
            name="application_secret",
            label="Application secret",
            help="What requests are signed with",
            link=_LINK,
            permission="none of its own: the rules belong to the consumer key",
            pattern=r"[0-9A-Za-z]{32}",
            example="EXEgWIz07P0HYwtQDs7cNIqCiQaWSuHF",
        ),
        SecretField(
            name="consumer_key",
            label="Consumer key",
            help="What the rules belong to; make it valid for as long as you want to rely on it",
            link=_LINK,
            permission=_PERMISSION,
            pattern=r"[0-9A-Za-z]{32}",
            example="MtSwSrPpNjqfVSmJhLbPyr2i45lSwPU1",
        ),
    )
    provider = Ovh


PROVIDER = _Type
