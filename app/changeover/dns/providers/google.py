"""Google Cloud DNS, by its API v1 (docs.cloud.google.com/dns/docs/reference/rest/v1).

One batch is one change: record sets to delete, each exactly as it stands, and record sets to add, applied atomically
(…/rest/v1/changes). So a change compares by itself. A set that does not stand exactly so is answered 404 or 412, one
that is to be added and is there already 409, and nothing is changed (docs.cloud.google.com/dns/docs/error-messages).
What must stand and stays is deleted and added again in the same change, which Google accepts (seen in
github.com/kubernetes-sigs/external-dns/issues/4050); so texts are kept by compare-and-set, and a guard holds to the
last instant. One thing a change cannot say is that a set is absent: what appears at a name in the last instant as
another type than the ones that are written stays unseen, but for a CNAME, which Google never puts beside others.

A change is pending until it was sent to all name servers, and "done" still lets them take a moment (…/rest/v1/changes).
It is asked for half a minute at most; what was accepted is made, whatever becomes of that question. Nothing says that
all name servers show a change at the same time.

A TTL is from 0 to 2147483647 (int32 in the API's description). A change takes 1,000 additions, 1,000 deletions and
100,000 bytes of data (cloud.google.com/dns/quotas). ALIAS exists at the apex of public zones without DNSSEC, and
answers as A and AAAA (docs.cloud.google.com/dns/docs/records-overview); the account says so with `alias = true`. There
is no CNAME at the apex.

A record set with a routing policy stops a switch. So does a zone that is not public: private, forwarding, peering and
reverse lookup zones are never asked by visitors. Where a project has two public zones of one name, only one of them is
delegated to, and the account must say which with `managed_zone`.

The credential is a service account's key, which signs a request for an access token (developers.google.com/identity/
protocols/oauth2/service-account). The role roles/dns.admin is enough. Less is a role of one's own with dns.changes.
create and get, dns.resourceRecordSets.list, create, update and delete, dns.managedZones.list; with `managed_zone` that
role can be given on the one zone, with dns.managedZones.get in place of list (docs.cloud.google.com/dns/docs/
access-control). Which of these the key has is asked with testIamPermissions, which changes nothing.

Lists give names alone where one name is asked for. How often one may ask is the project's quota for each minute; an
answer 429, or 403 with rateLimitExceeded, says that it was too often.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

from msgspec import Meta, Struct

from changeover.dns.http.api import Api, ApiAnswer, Hints, Query, pages, retry_after
from changeover.dns.http.endpoint import endpoint_host
from changeover.dns.http.notation import as_written, carried_over, record_value, written_value
from changeover.dns.http.oauth import AccessTokens, BearerApi
from changeover.dns.http.provider import (
    ENDPOINT,
    TIMEOUT,
    HttpProvider,
    HttpProviderType,
    Reason,
    Replacement,
    Zone,
)
from changeover.dns.provider import is_this_computer
from changeover.dns.providers.google_key import PROJECT, ServiceAccountKey, service_account_key, signed_grant
from changeover.model.dns.capabilities import BatchLimit, Capabilities, Lag
from changeover.model.dns.records import ADDRESS_TYPES, AddressSet, RecordSet, address_set
from changeover.model.errors import (
    AuthError,
    Conflict,
    NotFound,
    ProviderError,
    RateLimited,
    Rejected,
)
from changeover.model.secret import Secret
from changeover.model.settings.account_fields import Option, SecretField

#: A change takes 100,000 bytes of data; a host name has up to 255. The rest is for a guard's texts.
BATCH_RECORDS = 350
MOST_TTL = 2**31 - 1
#: Seconds that a change is asked for until it is done, and the longest pause between two questions.
RETRY_BUDGET, PAUSE = 30.0, 4.0
#: Questions for one name that are under way at once.
MAX_CONCURRENT = 8

_SCOPE = "https://www.googleapis.com/auth/ndev.clouddns.readwrite"
#: What a switch needs to write (docs.cloud.google.com/dns/docs/access-control).
_PERMISSIONS = tuple(
    f"dns.{what}"
    for what in (
        "changes.create",
        "resourceRecordSets.create",
        "resourceRecordSets.delete",
        "resourceRecordSets.update",
    )
)
#: What a change answers where the zone is not as the change says (docs.cloud.google.com/dns/docs/error-messages).
_CONFLICTS = {"alreadyExists", "notFound", "conditionNotMet", "preconditionFailed", "cnameResourceRecordSetConflict"}
_TOO_OFTEN = {"rateLimitExceeded", "userRateLimitExceeded"}
_POLICIES = {
    "wrr": "a weighted routing policy",
    "geo": "a routing policy by place",
    "primaryBackup": "a failover policy",
}

_MAKE_KEY = "Make a JSON key of a service account (console.cloud.google.com, IAM & Admin > Service Accounts > Keys)"
_HINTS = Hints(
    credential=f"{_MAKE_KEY}, and add all of the file with: changeover account add NAME … --replace. Where the key is"
    " right, look at this computer's clock.",
    permission="Give the service account the role DNS Administrator in the zone's project (console.cloud.google.com,"
    " IAM & Admin > IAM), and look that the Cloud DNS API is enabled there. A key that has its role on one zone alone"
    " needs managed_zone in the account.",
    missing="Look at the zone's name, and at the account's project (console.cloud.google.com, Network services > Cloud"
    " DNS).",
    refused="Look at the records of these names at console.cloud.google.com, Network services > Cloud DNS.",
)

_T = TypeVar("_T")


class GoogleOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """The account's keys in the settings file."""

    endpoint: Annotated[str, ENDPOINT] = "https://dns.googleapis.com"
    project: Annotated[
        str, Option("Project", "the id of the zones' project, where it is not the key's own", "shop-prod-1", PROJECT)
    ] = ""
    managed_zone: Annotated[
        str,
        Option(
            "Managed zone",
            "the one managed zone that the account is for, where a project has two of one name, or the key may see one",
            "shop-example",
            r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?",
        ),
    ] = ""
    alias: Annotated[
        bool, Option("ALIAS records", "ALIAS may be used at the apex, which Google refuses in a zone with DNSSEC")
    ] = False


class _Zone(Struct, frozen=True, rename="camel"):
    id: Annotated[str, Meta(pattern=r"\A\d{1,20}\Z")]
    name: str
    dns_name: str
    visibility: str = "public"
    forwarding_config: dict[str, Any] | None = None
    peering_config: dict[str, Any] | None = None
    reverse_lookup_config: dict[str, Any] | None = None
    service_directory_config: dict[str, Any] | None = None

    @property
    def domain(self) -> str:
        return self.dns_name.rstrip(".").lower()

    @property
    def special(self) -> str:
        """Why no visitor's question is answered from this zone, empty where it may be."""
        kinds = {
            "a forwarding zone": self.forwarding_config,
            "a peering zone": self.peering_config,
            "a reverse lookup zone": self.reverse_lookup_config,
            "a service directory zone": self.service_directory_config,
            "private": self.visibility != "public" or None,
        }
        return next((words for words, there in kinds.items() if there is not None), "")


class _Zones(Struct, frozen=True, rename="camel"):
    managed_zones: tuple[_Zone, ...] = ()
    next_page_token: str = ""


class _Set(Struct, frozen=True, rename="camel"):
    name: str
    type: str
    ttl: Annotated[int, Meta(ge=0, le=MOST_TTL)] = 0
    rrdatas: tuple[str, ...] = ()
    routing_policy: dict[str, Any] | None = None


class _Sets(Struct, frozen=True, rename="camel"):
    """An empty list is left out, so what kind of answer it is must be looked at."""

    kind: Literal["dns#resourceRecordSetsListResponse"]
    rrsets: tuple[_Set, ...] = ()
    next_page_token: str = ""


class _Change(Struct, frozen=True):
    id: Annotated[str, Meta(pattern=r"\A[\w-]{1,100}\Z")]
    status: str


class _Permissions(Struct, frozen=True):
    permissions: tuple[str, ...] = ()


class _Reason(Struct, frozen=True):
    reason: str = ""


class _Error(Struct, frozen=True):
    message: str = ""
    errors: tuple[_Reason, ...] = ()


class _Fault(Struct, frozen=True):
    error: _Error


class Google(HttpProvider[GoogleOptions]):
    """One project's public zones. Implements changeover.dns.provider.Provider."""

    hints = _HINTS

    def __init__(
        self, account: str, options: GoogleOptions, secrets: Mapping[str, Secret], timeout: float = TIMEOUT
    ) -> None:
        super().__init__(account, options, secrets, timeout)
        self.capabilities = Capabilities(
            label="Google Cloud DNS",
            batch=BatchLimit(records=BATCH_RECORDS),
            native_compare_and_set=True,
            propagates_atomically=False,
            apex_alias=options.alias,
            leases=True,
            lag=Lag(60.0, "GET …/managedZones/{zone}/rrsets"),
        )

    async def _read(self, zone: str, names: Sequence[str]) -> Zone:
        return await self._with_zone_id(
            zone, lambda: self._zone_id(zone), lambda zone_id: self._records(zone_id, names)
        )

    async def _records(self, zone_id: str, names: Sequence[str]) -> Zone:
        """By one question a name, or by listing the zone where that takes less than half as many."""
        path = f"{self._project}/managedZones/{zone_id}/rrsets"
        every = await self._list(path, {}, most_pages=len(names) // 2) if len(names) > 2 else None
        sets = await self._asked(path, names) if every is None else every
        found: dict[str, list[RecordSet]] = {}
        for one in sets:
            name = one.name.rstrip(".").lower()
            found.setdefault(name, []).append(_record_set(name, one))
        return Zone(found, whole=every is not None)

    async def _asked(self, path: str, names: Sequence[str]) -> list[_Set]:
        found: list[_Set] = []
        for start in range(0, len(names), MAX_CONCURRENT):
            some = [self._list(path, {"name": f"{name}."}) for name in names[start : start + MAX_CONCURRENT]]
            for answer in await asyncio.gather(*some, return_exceptions=True):
                if isinstance(answer, BaseException):
                    raise answer
                found += answer or ()
        return found

    async def _list(self, path: str, query: Query, most_pages: int | None = None) -> list[_Set] | None:
        async def page(further: Query) -> tuple[Sequence[_Set], Query | None]:
            found = await self._get(path, {**query, **further}, _Sets)
            return found.rrsets, {"pageToken": found.next_page_token} if found.next_page_token else None

        return await pages(page, most_pages)

    async def _write(self, zone: str, replacements: Sequence[Replacement]) -> None:
        deletions = [_body(r.before) for r in replacements if r.before is not None]
        additions = [_body(r.after) for r in replacements if r.after is not None]
        body = {"deletions": deletions, "additions": additions}

        async def send(zone_id: str) -> None:
            path = f"{self._project}/managedZones/{zone_id}/changes"
            answer = self._accepted(await self._api.call("POST", path, body=body))
            change = self._api.decoded(answer.content, _Change)
            if any(one.type in ADDRESS_TYPES for one in replacements):
                await self._until_done(path, change)

        await self._with_zone_id(zone, lambda: self._zone_id(zone), send)

    async def _until_done(self, path: str, change: _Change) -> None:
        """Waits until an accepted change was sent to the name servers, or for as long as is sensible.

        Texts are not waited for: they are read by this API, and whoever writes one must not keep a switch waiting.
        """
        end, pause = time.monotonic() + RETRY_BUDGET, 0.1
        while change.status == "pending" and time.monotonic() + pause < end:
            await asyncio.sleep(pause)
            pause = min(pause * 2, PAUSE)
            try:
                change = await self._get(f"{path}/{change.id}", {}, _Change)
            except ProviderError:
                return  # the change is made, whether its progress can be seen or not

    def normalize(self, zone: str, before: AddressSet, after: AddressSet) -> AddressSet:
        """ANAME becomes ALIAS. A value that stays keeps Google's notation of it."""
        return address_set(carried_over(before, record, min(record.ttl, MOST_TTL), alias=True) for record in after)

    def _policy(self, records: Sequence[RecordSet]) -> str | None:
        words = (r.details.get("", {}).get("policy") for r in address_set(records))
        return next((found for found in words if found), None)

    async def _may_write(self, zone: str, names: Sequence[str]) -> bool | None:
        """Asks which permissions the key has for the zone."""
        there = await self._retried(lambda: self._zone(zone))
        path = f"{self._project}/managedZones/{there.name}:testIamPermissions"
        answer = await self._retried(lambda: self._api.call("POST", path, body={"permissions": _PERMISSIONS}))
        if answer.status >= 300:
            return None
        return set(_PERMISSIONS) <= set(self._api.decoded(answer.content, _Permissions).permissions)

    async def zones(self) -> tuple[str, ...]:
        found = await self._retried(lambda: self._zones({}))
        return tuple(dict.fromkeys(zone.domain for zone in found if not zone.special))

    async def _zone_id(self, zone: str) -> str:
        return (await self._zone(zone)).id

    async def _zone(self, zone: str) -> _Zone:
        """The one zone of that name that visitors' questions may come to."""
        found = [there for there in await self._zones({"dnsName": f"{zone}."}) if there.domain == zone]
        public = [there for there in found if not there.special]
        if len(public) == 1:
            return public[0]
        named = ", ".join(there.name for there in public or found)
        if public:
            raise Rejected(
                f"Google Cloud DNS has {len(public)} public zones {zone} for account {self.account}: {named}",
                "Only one of them is delegated to: say which with managed_zone in the account.",
            )
        if found:
            raise Rejected(
                f"The zone {zone} of account {self.account} is {found[0].special} at Google Cloud DNS ({named}), so a"
                " change there would move no visitor",
                _HINTS.missing,
            )
        raise NotFound(f"Google Cloud DNS shows no zone {zone} to account {self.account}", _HINTS.missing)

    async def _zones(self, query: Query) -> list[_Zone]:
        path = f"{self._project}/managedZones"
        if self._options.managed_zone:
            try:
                return [await self._get(f"{path}/{self._options.managed_zone}", {}, _Zone)]
            except NotFound:
                return []

        async def page(further: Query) -> tuple[Sequence[_Zone], Query | None]:
            found = await self._get(path, {**query, **further}, _Zones)
            return found.managed_zones, {"pageToken": found.next_page_token} if found.next_page_token else None

        return await pages(page) or []

    @property
    def _project(self) -> str:
        return f"/dns/v1/projects/{self._options.project or self._key().project_id}"

    def _key(self) -> ServiceAccountKey:
        """The secret as what it is. AuthError, which repeats nothing of it, where it is something else."""
        local = is_this_computer(endpoint_host(self._options.endpoint))
        try:
            return service_account_key(self._secrets["key"], local)
        except ValueError as error:
            raise AuthError(f"The secret of account {self.account} is {error}", _HINTS.credential) from None

    def _connect(self) -> Api:
        key = self._key()
        try:
            grant = signed_grant(key, _SCOPE)
        except ValueError as error:
            raise AuthError(f"The secret of account {self.account} is {error}", _HINTS.credential) from None
        tokens = AccessTokens(
            key.token_uri,
            grant,
            self._timeout,
            account=self.account,
            who="Google",
            hint=_HINTS.credential,
            secrets=(key.private_key, key.private_key_id),
        )
        return BearerApi(self._options.endpoint, tokens, self._timeout)

    def _reason(self, answer: ApiAnswer) -> Reason:
        fault = self._api.decoded(answer.content, _Fault).error
        return Reason(fault.message, tuple(one.reason for one in fault.errors))

    def _meaning(self, error: ProviderError, reason: Reason, answer: ApiAnswer) -> ProviderError:
        codes = set(reason.codes)
        if answer.status == 403 and codes & _TOO_OFTEN:
            return RateLimited(error.text, "Wait and try again.", retry_after(answer.headers))
        if codes & _CONFLICTS and "entity.change" in reason.words and not isinstance(error, RateLimited):
            return Conflict(error.text, _HINTS.refused)
        return error


def _record_set(name: str, one: _Set) -> RecordSet:
    """The set with Google's own notation of a value, and with the policy in words in place of a value."""
    written = [*one.rrdatas, *_answers(one.routing_policy)]
    values = {record_value(one.type, text): text for text in written}
    details: dict[str, dict[str, Any]] = {
        value: {"written": text} for value, text in values.items() if text != written_value(one.type, value)
    }
    if one.routing_policy is not None:
        words = next((_POLICIES[kind] for kind in _POLICIES if kind in one.routing_policy), "a routing policy")
        details = {"": {"policy": words}}
    return RecordSet(
        name=name,
        type=one.type,
        ttl=one.ttl,
        values=tuple(sorted(values)),
        details=details,
        opaque=one.type == "ALIAS" or one.routing_policy is not None,
    )


def _answers(part: object, depth: int = 0) -> Iterable[str]:
    """All answers that a routing policy may give, so that they can be shown."""
    if isinstance(part, dict) and depth < 8:
        for key, inner in part.items():
            if key in ("rrdatas", "ipAddress"):
                yield from (text for text in (inner if isinstance(inner, list) else [inner]) if isinstance(text, str))
            else:
                yield from _answers(inner, depth + 1)
    if isinstance(part, list) and depth < 8:
        for inner in part:
            yield from _answers(inner, depth + 1)


def _body(record: RecordSet) -> dict[str, Any]:
    """The record set as a change takes it; one that is deleted must be as Google shows it."""
    datas = [as_written(record, v) for v in record.values]
    return {"name": f"{record.name}.", "type": record.type, "ttl": record.ttl, "rrdatas": datas}


class _Type(HttpProviderType):
    label = "Google Cloud DNS"
    tested = "a simulator that answers recorded requests as Cloud DNS did"
    options = GoogleOptions
    needs = (
        SecretField(
            name="key",
            label="Service account key",
            help=f"{_MAKE_KEY}; the secret is all of the file",
            link="https://console.cloud.google.com/iam-admin/serviceaccounts",
            permission="the role DNS Administrator (roles/dns.admin) in the zone's project",
            pattern=r'(?s)\s*\{.*"private_key".*\}\s*',
            example='{"type": "service_account", "project_id": "shop-prod-1", "private_key": "…", …}',
        ),
    )
    provider = Google


PROVIDER = _Type
