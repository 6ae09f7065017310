"""DNSimple, by its API v2 (developer.dnsimple.com/v2).

Every record has an id. What keeps its type is updated in place, and so keeps its note, which the API does not show. How
many records change at once is a question of the plan:

- With `batch = true` one batch is one POST to …/batch. It is atomic, its deletes come before its updates and these
  before its creates (…/v2/zones/batch-change-zone-records), and it holds 100 operations at most
  (blog.dnsimple.com/2025/10/bulk-dns-updates). Only the Enterprise plan has it, on others the answer is 412; and a zone
  with integrated providers takes none. Everything reaches the name servers record by record all the same.
- Without it records change one by one (changeover.dns.http.record_by_record), as every plan can.

There is no compare-and-set: everything at the names is read again right before the write. A record that vanished in the
instant between makes a batch, or the first request, fail with nothing changed; what was added there stays unseen. Texts
are kept in the same way, and are no ground for leases.

The name servers have a change where …/distribution says so (…/v2/zones/#checkZoneDistribution). `apply` waits for that
after a batch, for 30 seconds at most: who calls asks the name servers anyway, so a check that fails or says "not yet"
takes nothing back. Record by record it does not wait, since each name would wait for the one before it.

The default TTL is 3600, the least that the web interface offers is 60 (support.dnsimple.com/articles/
what-minimum-time-to-live); the API's description has none. An ALIAS may stand at the apex, beside anything but a CNAME
(…/articles/alias-record-reference). With it DNSimple keeps a TXT record "ALIAS for …", whose parent it is, and which
comes and goes with it (parent_id in …/v2/openapi.yml): such children are not shown. A name with a URL record, which
redirects, a POOL record, which answers by chance, or records for some regions only is not switched.

HTTPS records can be made in the record editor (…/articles/service-binding-records), but the API's description does not
name that type: an undo that must create one may be refused. Contents have no final dot; a TXT record's are quoted or
not, as they were given (…/articles/txt-record-format).

DNSimple makes no records with capital letters in their names, but keeps those of old times
(github.com/Shopify/record_store/pull/75). In a zone of one page they are switched like others, and what is created
anew is in lower case. A larger zone is asked for names, which may not find them: where a name has no records, the
whole zone is looked through once, and a name with capital letters is refused.

Lists have pages of 100 (…/v2/#pagination). An account's tokens share 2400 requests an hour; an answer 429 says in
X-RateLimit-Reset when the next hour begins (…/v2/#rate-limiting). A token belongs to an account or to a user, who may
have several accounts; a scoped one sees some zones only (…/articles/api-access-token). Which scopes it has, no request
shows: `verify` sends an empty batch, as each of its parts is optional, and without batches does not know.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, TypeVar

from msgspec import Struct

from changeover.dns.http.api import Api, ApiAnswer, Fields, Hints, Query, pages, segment
from changeover.dns.http.notation import carried_over, relative_name
from changeover.dns.http.provider import TIMEOUT, HttpProviderType, Reason, RecordGone, Replacement, texts_in
from changeover.dns.http.record_by_record import Record, RecordByRecord
from changeover.dns.provider import Applied, Guard, Result
from changeover.dns.providers.dnsimple_records import (
    LEAST_TTL,
    ZoneRecord,
    created,
    in_capitals,
    operation,
    record_of,
    updated,
)
from changeover.model.dns.capabilities import BatchLimit, Capabilities, Lag
from changeover.model.dns.change import Change
from changeover.model.dns.records import AddressSet, RecordSet, address_set
from changeover.model.errors import NotFound, PermissionDenied, ProviderError, Rejected
from changeover.model.secret import Secret
from changeover.model.settings.account_fields import Option, SecretField

#: Operations in one batch.
BATCH_RECORDS = 100
PER_PAGE = 100
#: Seconds that `apply` waits for the name servers, and between two looks at first and at last.
DISTRIBUTION, FIRST_PAUSE, LAST_PAUSE = 30.0, 0.5, 5.0

_MAKE_TOKEN = "Make an account token at dnsimple.com, your account's page API & Access"
_HINTS = Hints(
    credential=f"{_MAKE_TOKEN}, and add it with: changeover account add NAME … --replace",
    permission="Give the token full access to this zone (dnsimple.com, API & Access > Edit).",
    missing="Look at the zone's name, at account_id, and at which zones the token may see (dnsimple.com).",
    refused="Look at the records of these names in the record editor of dnsimple.com.",
)
_NO_BATCHES = (
    "The account's plan lacks this. Where it is about batches, set batch = false in the account: then records change"
    " one by one."
)

_T = TypeVar("_T")


class DnsimpleOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """The account's keys in the settings file."""

    endpoint: Annotated[
        str, Option("Endpoint", "the address of the API; the sandbox is at https://api.sandbox.dnsimple.com/v2")
    ] = "https://api.dnsimple.com/v2"
    account_id: Annotated[
        str,
        Option(
            "Account id",
            "the number after /a/ in the addresses of dnsimple.com; a token of a user with several accounts needs it",
            "1234",
            r"\d{1,18}",
        ),
    ] = ""
    batch: Annotated[
        bool, Option("Batch changes", "the account has the Enterprise plan, so that all names change in one request")
    ] = False


class _Account(Struct, frozen=True):
    id: int


class _Identity(Struct, frozen=True):
    account: _Account | None = None


class _Whoami(Struct, frozen=True):
    data: _Identity


class _Accounts(Struct, frozen=True):
    data: tuple[_Account, ...]


class _Pagination(Struct, frozen=True):
    current_page: int
    total_pages: int


class _ZoneState(Struct, frozen=True):
    name: str
    active: bool
    secondary: bool
    reverse: bool


class _OneZone(Struct, frozen=True):
    data: _ZoneState


class _Zones(Struct, frozen=True):
    data: tuple[_ZoneState, ...]
    pagination: _Pagination


class _Records(Struct, frozen=True):
    data: tuple[ZoneRecord, ...]
    pagination: _Pagination


class _Distribution(Struct, frozen=True):
    distributed: bool


class _Distributed(Struct, frozen=True):
    data: _Distribution


class _Fault(Struct, frozen=True):
    message: str = ""
    errors: Any = None


class DnSimple(RecordByRecord[DnsimpleOptions]):
    """One account's zones. Implements changeover.dns.provider.Provider."""

    hints = _HINTS

    def __init__(
        self, account: str, options: DnsimpleOptions, secrets: Mapping[str, Secret], timeout: float = TIMEOUT
    ) -> None:
        super().__init__(account, options, secrets, timeout)
        self.capabilities = Capabilities(
            label="DNSimple",
            batch=BatchLimit(records=BATCH_RECORDS) if options.batch else None,
            native_compare_and_set=False,
            propagates_atomically=False,
            least_ttl=LEAST_TTL,
            apex_alias=True,
            lag=Lag(60.0, "GET /{account}/zones/{zone}/records"),
        )
        self._account_id = options.account_id
        self._known: set[str] = set()
        # The names of a zone that have capital letters, as they are spelled, where it was looked through for them.
        self._capitals: dict[str, dict[str, str]] = {}

    async def _records(self, zone: str, names: Sequence[str]) -> tuple[Iterable[tuple[str, Record]], bool]:
        await self._check_zone(zone)
        path = f"{await self._path(zone)}/records"
        found = every = await self._list(path, {}, _Records, most_pages=len(names))
        if found is None:
            each = {name: await self._list(path, {"name": relative_name(zone, name)}, _Records) or () for name in names}
            found = [record for there in each.values() for record in there]
            await self._refuse_capitals(zone, [name for name, there in each.items() if not there])
        elif len(found) > PER_PAGE:
            self._capitals[zone] = in_capitals(zone, found)
            await self._refuse_capitals(zone, names)
        ids = {record.id for record in found}
        shown = {r.id: r for r in found if r.parent_id not in ids}  # a page may repeat what moved meanwhile
        return [(str(r.id), record_of(zone, r)) for r in shown.values()], every is not None

    async def _refuse_capitals(self, zone: str, names: Sequence[str]) -> None:
        """Refuses those of `names` whose records are there with capital letters, in a zone of several pages."""
        if names and zone not in self._capitals:
            every = await self._list(f"{await self._path(zone)}/records", {}, _Records)
            self._capitals[zone] = in_capitals(zone, every or ())
        for name in names:
            if (spelled := self._capitals[zone].get(name)) is not None:
                del self._capitals[zone]  # somebody may repair it
                raise Rejected(
                    f"DNSimple has {name} as {spelled}, and does not find names with capital letters reliably",
                    "Write the name in lower case in the record editor of dnsimple.com.",
                )

    async def _check_zone(self, zone: str) -> None:
        """Once for each zone: is it there, and does what stands there reach visitors?"""
        if zone in self._known:
            return
        answer = await self._api.call("GET", await self._path(zone))
        if answer.status == 404:
            raise NotFound(f"DNSimple shows no zone {zone} to account {self.account}", _HINTS.missing)
        state = self._api.decoded(self._accepted(answer).content, _OneZone).data
        if not state.active:
            raise Rejected(
                f"DNS services are off for the zone {zone} at DNSimple, so a change there would move no visitor",
                "Activate them at dnsimple.com, on the domain's page, or use the provider that answers for the zone.",
            )
        if state.secondary:
            raise Rejected(
                f"The zone {zone} at DNSimple is a copy of another server's",
                "Changes are made there: use an account for that server.",
            )
        if state.reverse:
            raise Rejected(f"The zone {zone} is a reverse zone, which has no names of services", _HINTS.missing)
        self._known.add(zone)

    async def apply(self, zone: str, changes: Sequence[Change], guard: Guard | None = None) -> Result:
        """Waits a while for the name servers after a batch that was made."""
        result = await super().apply(zone, changes, guard)
        if self.capabilities.batch is not None and changes and isinstance(result, Applied):
            with contextlib.suppress(ProviderError, TimeoutError):
                async with asyncio.timeout(DISTRIBUTION):
                    await self._distributed(zone)
        return result

    async def _distributed(self, zone: str) -> None:
        path, pause = f"{await self._path(zone)}/distribution", FIRST_PAUSE
        while True:
            if (await self._get(path, {}, _Distributed)).data.distributed:
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, LAST_PAUSE)

    async def _write(self, zone: str, replacements: Sequence[Replacement]) -> None:
        if self.capabilities.batch is None:
            await super()._write(zone, replacements)
            return
        batch: dict[str, list[dict[str, Any]]] = {}
        for step in [step for replacement in replacements for step in self._steps(zone, replacement)]:
            kind, body = operation(zone, step)
            batch.setdefault(kind, []).append(body)
        if batch:
            self._accepted(await self._api.call("POST", f"{await self._path(zone)}/batch", body=batch))

    async def _create(self, zone: str, record: Record) -> None:
        self._accepted(await self._api.call("POST", f"{await self._path(zone)}/records", body=created(zone, record)))

    async def _replace(self, zone: str, record_id: str, before: Record, after: Record) -> None:
        path = f"{await self._path(zone)}/records/{record_id}"
        self._accepted(await self._api.call("PATCH", path, body=updated(before, after)))

    async def _delete(self, zone: str, record_id: str, record: Record) -> None:
        self._accepted(await self._api.call("DELETE", f"{await self._path(zone)}/records/{record_id}"))

    def normalize(self, zone: str, before: AddressSet, after: AddressSet) -> AddressSet:
        """ANAME becomes ALIAS, and no TTL is below a minute. A value that stays keeps DNSimple's notation of it."""
        return address_set(
            carried_over(before, record, max(record.ttl, LEAST_TTL), ("written", "priority"), alias=True)
            for record in after
        )

    def _policy(self, records: Sequence[RecordSet]) -> str | None:
        types = {record.type for record in records}
        if "URL" in types:
            return "a URL record, which redirects its visitors; delete it"
        if "POOL" in types:
            return "a POOL record, whose answer is one of several by chance"
        for record in address_set(records):
            for value, details in record.details.items():
                if "regions" in details:
                    return f"{record.type} {value}, which is for the regions {', '.join(details['regions'])} only"
                if "system" in details:
                    return f"{record.type} {value}, which DNSimple manages itself"
        return None

    async def _may_write(self, zone: str, names: Sequence[str]) -> bool | None:
        """With batches, by sending one that holds nothing."""
        if not self._options.batch:
            return None
        nothing: dict[str, list[object]] = {"creates": [], "updates": [], "deletes": []}
        path = f"{await self._path(zone)}/batch"
        answer = await self._retried(lambda: self._api.call("POST", path, body=nothing))
        if answer.status in (401, 402, 412):
            raise self._refusal(answer)
        return True if answer.status < 300 else False if answer.status == 403 else None

    async def zones(self) -> tuple[str, ...]:
        async def listed() -> Sequence[_ZoneState]:
            return await self._list(f"/{await self._account()}/zones", {}, _Zones) or ()

        return tuple(zone.name.lower() for zone in await self._retried(listed))

    async def _list(self, path: str, query: Query, of: type[Any], most_pages: int | None = None) -> list[Any] | None:
        """All pages of a list, or None where it has more than `most_pages`."""

        async def page(further: Query) -> tuple[Sequence[Any], Query | None]:
            found = await self._get(path, {**query, "per_page": PER_PAGE, **further}, of)
            at: _Pagination = found.pagination
            return found.data, {"page": at.current_page + 1} if at.current_page < at.total_pages else None

        return await pages(page, most_pages)

    async def _path(self, zone: str) -> str:
        return f"/{await self._account()}/zones/{segment(zone)}"

    async def _account(self) -> str:
        """The account's id: the one that the settings or the token name, else the only one that the token sees."""
        if not self._account_id:
            account = (await self._get("/whoami", {}, _Whoami)).data.account
            seen = (account,) if account is not None else (await self._get("/accounts", {}, _Accounts)).data
            if len(seen) != 1:
                ids = ", ".join(str(one.id) for one in seen[:10]) or "none"
                raise Rejected(
                    f"The token of account {self.account} sees more than one account of DNSimple, or none: {ids}",
                    "Set account_id in the account to the one that has the zone, or make an account token.",
                )
            self._account_id = str(seen[0].id)
        return self._account_id

    def _connect(self) -> Api:
        token = self._secret("token", "DNSimple API access token")
        headers: Fields = {"Authorization": token.after("Bearer "), "Accept": "application/json"}
        return Api(self._options.endpoint, headers, self._timeout)

    def _reason(self, answer: ApiAnswer) -> Reason:
        fault = self._api.decoded(answer.content, _Fault)
        found = texts_in(fault.errors, ("message", "errors", "base", "creates", "updates", "deletes"))
        return Reason("; ".join(dict.fromkeys([fault.message, *found])))

    def _meaning(self, error: ProviderError, reason: Reason, answer: ApiAnswer) -> ProviderError:
        """What the statuses mean here: developer.dnsimple.com/v2/#response-codes."""
        match answer.status:
            case 400 if "Record not found" in error.text:
                return RecordGone(error.text)
            case 402:
                return Rejected(error.text, "Look at the account's subscription and invoices at dnsimple.com.")
            case 412:
                return PermissionDenied(error.text, _NO_BATCHES)
        return error

    def _pause(self, headers: Mapping[str, str]) -> float | None:
        """Until the hour of the rate limit ends."""
        moment = headers.get("x-ratelimit-reset", "")
        seconds = int(moment) - time.time() if moment.isdecimal() and len(moment) < 15 else 0.0
        return seconds if seconds > 0 else None


class _Type(HttpProviderType):
    label = "DNSimple"
    tested = "a simulator that answers recorded requests as DNSimple did"
    options = DnsimpleOptions
    needs = (
        SecretField(
            name="token",
            label="API access token",
            help=_MAKE_TOKEN,
            link="https://support.dnsimple.com/articles/api-access-token/",
            permission="Zones: full access, for this zone only (scopes need the Teams plan or a higher one)",
            pattern=r"(dnsimple_[a-z]+_)?[A-Za-z0-9_-]{16,}",
            example="dnsimple_a_W7hbcLWLrkLfSxuSpbGd3AhBo5HTBcLo",
        ),
    )
    provider = DnSimple


PROVIDER = _Type
