"""Azure DNS, by the resource manager's API of 2018-05-01, the latest stable one (learn.microsoft.com/rest/api/dns/).

A record set is created, replaced and deleted by a request of its own, so a change of several sets is made in turn, and
one that fails half way says what was done. What keeps its type is replaced in place. A change of type leaves the name
empty for the time of a request, since Azure puts no CNAME beside other records (409).

Each set has an ETag, which every change renews (…/rest/api/dns/record-sets/create-or-update). A set is replaced and
deleted only with the ETag of exactly what was expected (If-Match), and created only where there is none
(If-None-Match: *); else the answer is 412 and that set stays. So each set is compared by Azure itself, and texts are
kept by compare-and-set. What Azure cannot compare is the rest: other sets of the same change, and a guard, are read
right before the first write. A conflict on the first set changed nothing; one on a later set says what was done.

A TTL is from 1 to 2147483647, and there is no CNAME at the apex (learn.microsoft.com/azure/dns/dns-zones-records).
There are no HTTPS and SVCB records and no ALIAS to a name: a change that needs one is refused before anything is
written. An alias record set, whose answer is an Azure resource's (learn.microsoft.com/azure/dns/dns-alias), stops a
switch. Metadata of a set stays where its type stays, and an undo brings it back. Private zones are other resources
(privateDnsZones) and never seen here; a private zone of the older kind is refused.

There is no list of one name. Small zones are listed, 100 sets a page; in others each type is asked for at each name.
Reading is limited to 500 requests in 5 minutes, and an answer 429 says how long to wait (learn.microsoft.com/azure/
azure-resource-manager/management/request-limits-and-throttling). Nothing says that all name servers show a change at
the same time.

The credential is a client secret of an app registration, for which there are access tokens (learn.microsoft.com/entra/
identity-platform/v2-oauth2-client-creds-grant-flow); when the secret ends cannot be seen with it. The role DNS Zone
Contributor on the zone is enough to read and write it, and on the resource group to list its zones as well. What a
credential may do is read from the permissions at the zone (learn.microsoft.com/rest/api/authorization/permissions).
They do not show locks: a locked zone refuses the write, with 409 and ScopeLocked.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, TypeVar

from msgspec import Meta, Struct

from changeover.dns.http.api import (
    Api,
    ApiAnswer,
    Hints,
    Lost,
    Query,
    pages,
    query_of,
    segment,
)
from changeover.dns.http.endpoint import endpoint_host, is_safe_endpoint
from changeover.dns.http.notation import carried_over, relative_name
from changeover.dns.http.oauth import AccessTokens, BearerApi
from changeover.dns.http.provider import ENDPOINT, TIMEOUT, HttpProvider, HttpProviderType, Reason, Replacement, Zone
from changeover.dns.provider import is_this_computer
from changeover.dns.providers.azure_sets import LEAST_TTL, MOST_TTL, AzureSet, AzureSets, body, record_set
from changeover.model.dns.capabilities import Capabilities, Lag
from changeover.model.dns.change import Change
from changeover.model.dns.records import AddressSet, RecordSet, address_set
from changeover.model.errors import Conflict, NotFound, PermissionDenied, ProviderError, Rejected
from changeover.model.secret import Secret
from changeover.model.settings.account_fields import Option, SecretField

API_VERSION, PERMISSIONS_VERSION = "2018-05-01", "2022-04-01"
#: Record sets on one page of a list.
PAGE = 100
#: A zone is listed where that takes no more pages than this for each name, and than this altogether.
PAGES_EACH, MOST_PAGES = 3, 40
#: So many names are read back set by set.
FEW = 8
#: Questions for one set that are under way at once.
MAX_CONCURRENT = 8
#: The types that decide where visitors go, those that are written besides, and those that are only looked at.
_ADDRESSES = ("A", "AAAA", "CNAME")
_WRITABLE = (*_ADDRESSES, "TXT")
_TYPES = (*_WRITABLE, "MX", "SRV", "CAA", "NS", "PTR")
#: Microsoft's clouds: where the API is, and where its access tokens are.
_ENDPOINTS = ("management.azure.com", "management.usgovcloudapi.net", "management.chinacloudapi.cn")
_LOGINS = ("login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn")
_ID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_EXAMPLE = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"

_MAKE_SECRET = "Make a client secret of an app registration (portal.azure.com, Microsoft Entra ID > App registrations)"
_HINTS = Hints(
    credential=f"{_MAKE_SECRET}, and add it with: changeover account add NAME … --replace. Look at the account's"
    " tenant_id and client_id as well.",
    permission="Give the app the role DNS Zone Contributor on the zone or its resource group (portal.azure.com, the"
    " zone > Access control), and look at the zone's locks.",
    missing="Look at the zone's name, and at the account's subscription_id and resource_group (portal.azure.com, DNS"
    " zones).",
    refused="Look at the records of these names at portal.azure.com, DNS zones.",
)

_T = TypeVar("_T")


class AzureOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """The account's keys in the settings file."""

    tenant_id: Annotated[
        str,
        Option(
            "Tenant", "the directory (tenant) id of the app registration", _EXAMPLE, rf"{_ID}|[a-z0-9-]+(\.[a-z0-9-]+)+"
        ),
    ]
    client_id: Annotated[
        str, Option("Application", "the application (client) id of the app registration", _EXAMPLE, _ID)
    ]
    subscription_id: Annotated[str, Option("Subscription", "the id of the zones' subscription", _EXAMPLE, _ID)]
    resource_group: Annotated[
        str, Option("Resource group", "the resource group of the zones", "shop-dns", r"[\w().-]{0,89}[\w()-]")
    ]
    endpoint: Annotated[str, ENDPOINT] = "https://management.azure.com"
    login: Annotated[
        str, Option("Login", "where access tokens are had, in another of Microsoft's clouds than the usual one")
    ] = "https://login.microsoftonline.com"


class _ZoneProperties(Struct, frozen=True, rename="camel"):
    number_of_record_sets: Annotated[int, Meta(ge=0)] = 0
    zone_type: str = "Public"


class _Zone(Struct, frozen=True):
    name: str
    properties: _ZoneProperties = _ZoneProperties()


class _Zones(Struct, frozen=True, rename="camel"):
    value: tuple[_Zone, ...]
    next_link: str = ""


class _Permission(Struct, frozen=True, rename="camel"):
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()


class _Permissions(Struct, frozen=True, rename="camel"):
    value: tuple[_Permission, ...]
    next_link: str = ""


class _Error(Struct, frozen=True):
    code: str = ""
    message: str = ""


class _Fault(Struct, frozen=True):
    """The resource manager has `error` around it, Azure DNS itself has not."""

    code: str = ""
    message: str = ""
    error: _Error | None = None


class Azure(HttpProvider[AzureOptions]):
    """The zones of one resource group. Implements changeover.dns.provider.Provider."""

    hints = _HINTS
    capabilities = Capabilities(
        label="Azure DNS",
        batch=None,
        native_compare_and_set=True,
        propagates_atomically=False,
        least_ttl=LEAST_TTL,
        leases=True,
        lag=Lag(60.0, "GET …/dnsZones/{zone}/recordsets"),
    )

    def __init__(
        self, account: str, options: AzureOptions, secrets: Mapping[str, Secret], timeout: float = TIMEOUT
    ) -> None:
        super().__init__(account, options, secrets, timeout)
        self._sizes: dict[str, int] = {}
        # What was last seen of a set, and the ETag that it had then, by zone, name and type.
        self._seen: dict[tuple[str, str, str], tuple[RecordSet, str]] = {}
        # The ETags of what this account replaced there.
        self._replaced: dict[tuple[str, str, str], set[str]] = {}

    async def _read(self, zone: str, names: Sequence[str]) -> Zone:
        return await self._sets(zone, names, _TYPES)

    async def read_back(self, zone: str, changes: Sequence[Change]) -> dict[str, AddressSet]:
        names = [change.name for change in changes]
        # Set by set where those are few: a list is older for longer.
        live = await self._retried(lambda: self._sets(zone, names, _ADDRESSES, may_list=len(names) > FEW))
        return {name: address_set(live.found.get(name, ())) for name in names}

    async def _sets(self, zone: str, names: Sequence[str], types: Sequence[str], *, may_list: bool = True) -> Zone:
        """What stands at the names, of these types at least."""
        await self._check_zone(zone)
        every = await self._listed(zone, len(names)) if may_list else None
        sets = await self._asked(zone, names, types) if every is None else every
        found: dict[str, list[RecordSet]] = {}
        for one in sets:
            record = record_set(zone, one)
            place = (zone, record.name, record.type)
            if record.type == "SOA":
                continue  # Azure's own
            found.setdefault(record.name, []).append(record)
            # With the ETag of a set that this account has replaced, Azure would refuse the next write.
            if one.etag not in self._replaced.get(place, ()):
                self._seen[place] = (record, one.etag)
        return Zone(found, whole=every is not None)

    async def _check_zone(self, zone: str) -> None:
        """Once for each zone: is it there and public, and how many sets does it have?"""
        if zone in self._sizes:
            return
        answer = await self._api.call("GET", self._path(segment(zone)), {"api-version": API_VERSION})
        if answer.status == 404:
            where = f"{self._options.resource_group} of account {self.account}"
            raise NotFound(f"Azure DNS shows no zone {zone} in the resource group {where}", _HINTS.missing)
        there = self._api.decoded(self._accepted(answer).content, _Zone).properties
        if there.zone_type.lower() != "public":
            raise Rejected(
                f"The zone {zone} is private at Azure, so a change there would move no visitor", _HINTS.missing
            )
        self._sizes[zone] = there.number_of_record_sets

    async def _listed(self, zone: str, names: int) -> list[AzureSet] | None:
        """All sets of the zone, None where it is too large for that."""
        most = min(PAGES_EACH * names, MOST_PAGES)
        if self._sizes[zone] > most * PAGE:
            return None

        async def page(further: Query) -> tuple[Sequence[AzureSet], Query | None]:
            found = await self._get(
                self._path(segment(zone), "recordsets"), {**further, "api-version": API_VERSION}, AzureSets
            )
            return found.value, query_of(found.next_link) if found.next_link else None

        return await pages(page, most)

    async def _asked(self, zone: str, names: Sequence[str], types: Sequence[str]) -> list[AzureSet]:
        """The sets of each type at each name."""
        wanted = [(name, rtype) for name in names for rtype in types]
        found: list[AzureSet] = []
        for start in range(0, len(wanted), MAX_CONCURRENT):
            some = [self._one(zone, *place) for place in wanted[start : start + MAX_CONCURRENT]]
            for answer in await asyncio.gather(*some, return_exceptions=True):
                if isinstance(answer, BaseException):
                    raise answer
                found += answer
        return found

    async def _one(self, zone: str, name: str, rtype: str) -> list[AzureSet]:
        answer = await self._api.call("GET", self._place(zone, name, rtype), {"api-version": API_VERSION})
        if answer.status == 404 and "NotFound" in self._readable_reason(answer).codes:
            return []
        return [self._api.decoded(self._accepted(answer).content, AzureSet)]

    async def _write(self, zone: str, replacements: Sequence[Replacement]) -> None:
        illegal = next((r for r in replacements if r.type not in _WRITABLE), None)
        if illegal is not None:
            raise Rejected(
                f"Azure DNS has no {illegal.type} records, and {illegal.name} would need one",
                "Plan this name with addresses or, below the apex, a CNAME.",
            )
        await self._run_steps([self._step(zone, replacement) for replacement in replacements])

    def _step(self, zone: str, replacement: Replacement) -> tuple[str, Callable[[], Awaitable[object]]]:
        what = f"{replacement.type} at {replacement.name}"
        if replacement.before is None:
            return f"{what} is created", lambda: self._put(zone, replacement, {"If-None-Match": "*"})
        seen, etag = self._seen.get((zone, replacement.name, replacement.type), (None, ""))

        async def compared() -> None:
            if seen != replacement.before:
                raise Conflict(f"{what} was changed meanwhile", _HINTS.refused)
            only = {"If-Match": etag}
            await (self._delete if replacement.after is None else self._put)(zone, replacement, only)

        return f"{what} is {'deleted' if replacement.after is None else 'replaced'}", compared

    async def _put(self, zone: str, replacement: Replacement, only: Mapping[str, str]) -> None:
        assert replacement.after is not None
        place = self._place(zone, replacement.name, replacement.type)
        given, query = {"properties": body(replacement.after)}, {"api-version": API_VERSION}
        answer = self._accepted(await self._api.call("PUT", place, query, given, headers=only))
        made = self._api.decoded(answer.content, AzureSet)
        if made.properties.provisioning_state.lower() == "failed":
            raise Lost(f"Azure DNS could not publish {replacement.type} at {replacement.name}", _HINTS.refused)
        key = (zone, replacement.name, replacement.type)
        self._replaced.setdefault(key, set()).add(only.get("If-Match", ""))
        self._seen[key] = (record_set(zone, made), made.etag)

    async def _delete(self, zone: str, replacement: Replacement, only: Mapping[str, str]) -> None:
        place = self._place(zone, replacement.name, replacement.type)
        answer = self._accepted(await self._api.call("DELETE", place, {"api-version": API_VERSION}, headers=only))
        if answer.status == 204:
            raise Conflict(f"{replacement.type} at {replacement.name} is gone already", _HINTS.refused)
        self._replaced.setdefault((zone, replacement.name, replacement.type), set()).add(only["If-Match"])

    def normalize(self, zone: str, before: AddressSet, after: AddressSet) -> AddressSet:
        """A set whose type stays keeps its metadata, and a value that stays Azure's notation of it."""
        return address_set(
            carried_over(before, record, min(max(record.ttl, LEAST_TTL), MOST_TTL), shared=("metadata",))
            for record in after
        )

    def _policy(self, records: Sequence[RecordSet]) -> str | None:
        empty = next((r.type for r in address_set(records) if not r.values and "" not in r.details), None)
        if empty is not None:
            return f"an empty {empty} record set, which no name server gives; delete it"
        aliases = (r.details.get("", {}).get("alias") for r in address_set(records))
        found = next((alias for alias in aliases if alias), None)
        return f"an alias of the Azure resource {found.rpartition('/')[2]}" if found else None

    async def _may_write(self, zone: str, names: Sequence[str]) -> bool | None:
        path = self._path(segment(zone), "providers/Microsoft.Authorization/permissions")

        async def page(further: Query) -> tuple[Sequence[_Permission], Query | None]:
            found = await self._get(path, {**further, "api-version": PERMISSIONS_VERSION}, _Permissions)
            return found.value, query_of(found.next_link) if found.next_link else None

        try:
            granted = await self._retried(lambda: pages(page)) or []
        except (PermissionDenied, NotFound, Rejected):
            return None
        wanted = [f"Microsoft.Network/dnsZones/{rtype}/{act}" for rtype in _WRITABLE for act in ("write", "delete")]
        return all(
            any(_matches(one.actions, action) and not _matches(one.not_actions, action) for one in granted)
            for action in wanted
        )

    async def zones(self) -> tuple[str, ...]:
        async def page(further: Query) -> tuple[Sequence[_Zone], Query | None]:
            found = await self._get(self._path(), {**further, "api-version": API_VERSION}, _Zones)
            return found.value, query_of(found.next_link) if found.next_link else None

        every = await self._retried(lambda: pages(page)) or []
        return tuple(zone.name.lower() for zone in every if zone.properties.zone_type.lower() == "public")

    def _path(self, *below: str) -> str:
        group = f"/subscriptions/{self._options.subscription_id}/resourceGroups/{self._options.resource_group}"
        return "/".join([f"{group}/providers/Microsoft.Network/dnsZones", *below])

    def _place(self, zone: str, name: str, rtype: str) -> str:
        return self._path(segment(zone), rtype, segment(relative_name(zone, name) or "@"))

    def _connect(self) -> Api:
        secret = self._secret("secret", "client secret")
        endpoint = self._options.endpoint.rstrip("/")
        audience = "https://management.azure.com" if is_this_computer(endpoint_host(endpoint)) else endpoint
        grant: dict[str, str | Secret] = {
            "grant_type": "client_credentials",
            "client_id": self._options.client_id,
            "client_secret": secret,
            "scope": f"{audience}/.default",
        }
        tokens = AccessTokens(
            f"{self._options.login.rstrip('/')}/{self._options.tenant_id}/oauth2/v2.0/token",
            lambda: grant,
            self._timeout,
            account=self.account,
            who="Microsoft Entra ID",
            hint=_HINTS.credential,
            secrets=(secret,),
        )
        return BearerApi(endpoint, tokens, self._timeout)

    def _reason(self, answer: ApiAnswer) -> Reason:
        fault = self._api.decoded(answer.content, _Fault)
        error = fault.error or _Error(fault.code, fault.message)
        return Reason(error.message, (error.code,))

    def _meaning(self, error: ProviderError, reason: Reason, answer: ApiAnswer) -> ProviderError:
        return PermissionDenied(error.text, _HINTS.permission) if "ScopeLocked" in reason.codes else error


def _matches(patterns: Sequence[str], action: str) -> bool:
    """Is the action among these, of which each may have asterisks?"""
    return any(re.fullmatch(".*".join(map(re.escape, one.split("*"))), action, re.IGNORECASE) for one in patterns)


class _Type(HttpProviderType):
    label = "Azure DNS"
    tested = "a simulator that answers recorded requests as Azure did"
    options = AzureOptions
    needs = (
        SecretField(
            name="secret",
            label="Client secret",
            help=f"{_MAKE_SECRET}; the secret is its value, not its id",
            link="https://portal.azure.com/#view/Microsoft_AAD_RegisteredApps/ApplicationsListBlade",
            permission="the role DNS Zone Contributor on the zone or its resource group",
            pattern=r"[!-~]{16,256}",
            example="Wq78Q~abcdefghijklmnopqrstuvwxyz01234567",
        ),
    )
    provider = Azure

    @classmethod
    def faults(cls, options: AzureOptions) -> list[tuple[str, str]]:
        """The secret and the tokens made from it go to Microsoft, or both to this computer."""
        found = super().faults(options)
        api, login = endpoint_host(options.endpoint), endpoint_host(options.login)
        local = is_this_computer(api)
        if not local and api not in _ENDPOINTS and "endpoint" not in dict(found):
            found.append(("endpoint", f"the address of one of Microsoft's clouds: {', '.join(_ENDPOINTS)}"))
        if not is_safe_endpoint(options.login) or (not is_this_computer(login) if local else login not in _LOGINS):
            found.append(("login", f"the address of one of Microsoft's clouds: {', '.join(_LOGINS)}"))
        return found

    @classmethod
    def host(cls, options: AzureOptions) -> str:  # type: ignore[override]
        """Where the secret is sent."""
        return endpoint_host(options.login)


PROVIDER = _Type
