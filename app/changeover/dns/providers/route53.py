"""Amazon Route 53, by its API 2013-04-01. Pages are those of docs.aws.amazon.com/Route53/latest/.

One batch is one ChangeResourceRecordSets, of which either all is made or nothing. A DELETE must name all that stands,
TTL and every value, and for a CREATE there must be no such set (APIReference/API_ChangeResourceRecordSets). So each set
is deleted as it was read and created as it shall be, in one batch: a compare-and-set. What only has to stand, as a
guard's text does, is deleted and created as it is. Whoever changed one of these sets in the last instant stops the
whole batch. Not compared by Route 53, but read right before, is that there is *no* set of a type that the change does
not speak of: an HTTPS set that appears in the last instant beside addresses that give way to other addresses stays
unseen by that write. Beside a CNAME, old or new, Route 53 refuses it.

A batch holds 1,000 records, and 32,000 characters in all their values; what goes and what comes both count
(DeveloperGuide/DNSLimitations). 120 records fit whatever host names they hold, and leave room for a guard.

An accepted change is PENDING until all name servers of the zone have it, nearly always within a minute, then INSYNC
(APIReference/API_GetChange). That is waited for as long as for any answer, and not longer; the change is made in any
case, and a run asks the name servers themselves. Texts are not waited for: they are read by this API, which gives the
newest (APIReference/API_ListResourceRecordSets).

Sets with a routing policy, alias sets, those of a traffic policy, and those with a health check answer otherwise than
their values say. All that a set has beside its name, type, TTL and values is read with it, kept, and refused; so is
what Amazon adds some day. A CNAME at the apex is refused by Route 53. An alias set leads to Amazon's own services, or
to another set of the same zone, so it is no ALIAS (DeveloperGuide/resource-record-sets-choosing-alias-non-alias).
Protected record sets and change guardrails refuse a batch, in words that say what to do (DeveloperGuide/
rrset-protection, hosted-zones-change-guardrails). Where the guardrail ACTIVE_RECORD_CHECK is on, it may refuse that
addresses give way to a CNAME.

A zone may be there several times: private ones, which only certain networks see, are left out; among several public
ones of one name the account says which (`hosted_zone_id`). A TTL may be anything from 0 to 2147483647.

An account may send 10 requests a second, and 50 at once now and then. More are refused with Throttling, and a change
that comes while another one is being taken in with PriorRequestNotComplete; both have status 400 and do not say how
long to wait (DeveloperGuide/throttling-api-requests). A key may be allowed to change some names only (DeveloperGuide/
specifying-rrset-conditions). `verify` proves the permission by a batch that deletes and creates the same set, one that
does not stand: with the permission it is refused as invalid, without it as forbidden, and even where it was made,
nothing would be another than before.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from changeover.dns.http.api import CHECK_ENDPOINT, Api, ApiAnswer, Hints, Query, Unreadable, pages, retry_after
from changeover.dns.http.provider import ENDPOINT, TIMEOUT, HttpProvider, HttpProviderType, Reason, Replacement, Zone
from changeover.dns.http.sigv4 import SigV4
from changeover.dns.http.xml_answer import BadXml, read_xml
from changeover.dns.providers.route53_sets import (
    MOST_TTL,
    batch_of,
    plain_name,
    record_set_of,
    routing_words,
    written_name,
)
from changeover.model.dns.capabilities import BatchLimit, Capabilities, Lag
from changeover.model.dns.records import ADDRESS_TYPES, AddressSet, RecordSet, address_set, record_set
from changeover.model.errors import (
    AuthError,
    Conflict,
    NotFound,
    PermissionDenied,
    ProviderError,
    RateLimited,
    Rejected,
)
from changeover.model.secret import Secret
from changeover.model.settings.account_fields import Option, SecretField

#: 120 values of 255 characters, and a guard's text with a few others that goes and comes.
BATCH_RECORDS = 120
#: Record sets in one page; Route 53 gives no more.
PAGE = 300
#: Record sets that are asked for where only those of one name are wanted. The next names' come with them.
AT_ONE_NAME = 20
#: Seconds until the request rate, or the change before, is likely to let one more through.
A_MOMENT = 1.0

_LISTS = ("HostedZones", "ResourceRecordSets", "ResourceRecords", "Messages")

#: Codes that the documentation names (APIReference/CommonErrors), and those that other services of Amazon have.
_WRONG_KEY = (
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "IncompleteSignature",
    "MissingAuthenticationToken",
    "ExpiredToken",
    "ExpiredTokenException",
)
_WRONG_TIME = ("RequestExpired", "RequestTimeTooSkewed")
_DENIED = ("AccessDenied", "AccessDeniedException", "NotAuthorized")
_TOO_EARLY = ("Throttling", "ThrottlingException", "PriorRequestNotComplete")
#: What InvalidChangeBatch says where something stands that was not expected, or does not stand that was.
_MEANWHILE = re.compile(
    r"Tried to (delete|create) resource record set .*(was not found|do not match the current values|already exists)"
    r"|conflicting RRSet|conflicts with other records",
    re.DOTALL,
)

_MAKE_KEY = "Make an access key for a user of its own at console.aws.amazon.com/iam, Users > Security credentials"
_ACTIONS = "ListHostedZonesByName, ListHostedZones, ListResourceRecordSets, ChangeResourceRecordSets and GetChange"
_CLOCK = "This computer's clock must be right within five minutes"
_HINTS = Hints(
    credential=f"{_MAKE_KEY}, and add it with: changeover account add NAME … --replace. {_CLOCK}.",
    permission=f"Allow the key's user {_ACTIONS} of route53, and look at the conditions of its policy.",
    missing="Look at the zone's name, and at which AWS account the key belongs to (console.aws.amazon.com/route53).",
    refused="Look at the records of these names at console.aws.amazon.com/route53.",
)

_T = TypeVar("_T")


class Route53Options(Struct, frozen=True, forbid_unknown_fields=True):
    """The account's keys in the settings file."""

    endpoint: Annotated[str, ENDPOINT] = "https://route53.amazonaws.com/2013-04-01"
    hosted_zone_id: Annotated[
        str,
        Option(
            "Hosted zone",
            "the id of the hosted zone to change, where there are several public ones of one name",
            "Z040120927RX9CM38HPQQ",
            r"Z[A-Z0-9]{1,31}",
        ),
    ] = ""


#: An id as answers have it; what comes before the last slash is the kind.
_Id = Annotated[str, Meta(pattern=r"^(/(hostedzone|change)/)?[A-Za-z0-9]{1,32}$")]


class _Answer(Struct, frozen=True, rename="pascal"):
    """Answers name their fields like this. Others than those declared are left out."""


class _Config(_Answer, frozen=True):
    private_zone: bool = False


class _LinkedService(_Answer, frozen=True):
    service_principal: str = "another service"


class _HostedZone(_Answer, frozen=True):
    id: _Id
    name: str
    config: _Config = _Config()
    resource_record_set_count: int = 0
    linked_service: _LinkedService | None = None


class _HostedZones(_Answer, frozen=True):
    hosted_zones: tuple[_HostedZone, ...]
    is_truncated: bool = False
    next_marker: str = ""
    next_hosted_zone_id: str = ""
    next_name: str = msgspec.field(default="", name="NextDNSName")


class _Sets(_Answer, frozen=True):
    """One page. The sets stay as they were sent, since any may have more than is known."""

    resource_record_sets: tuple[dict[str, Any], ...]
    is_truncated: bool
    next_record_name: str = ""
    next_record_type: str = ""
    next_record_identifier: str = ""


class _ChangeInfo(_Answer, frozen=True):
    id: _Id
    status: str


class _Changed(_Answer, frozen=True):
    change_info: _ChangeInfo


class _Error(_Answer, frozen=True):
    code: str = ""
    message: str = ""


class _Fault(_Answer, frozen=True):
    """InvalidChangeBatch may come in a form of its own, with nothing but its messages."""

    error: _Error = _Error()
    messages: tuple[str, ...] = ()


class Route53(HttpProvider[Route53Options]):
    """One AWS account's public hosted zones. Implements changeover.dns.provider.Provider."""

    hints = _HINTS
    capabilities = Capabilities(
        label="Route 53",
        batch=BatchLimit(records=BATCH_RECORDS),
        native_compare_and_set=True,
        propagates_atomically=False,
        leases=True,
        lag=Lag(60.0, "GET /hostedzone/{zone}/rrset"),
    )

    def __init__(
        self, account: str, options: Route53Options, secrets: Mapping[str, Secret], timeout: float = TIMEOUT
    ) -> None:
        super().__init__(account, options, secrets, timeout)
        # How many record sets a zone had when it was found: whether it is worth while to read all of it.
        self._sizes: dict[str, int] = {}

    async def _read(self, zone: str, names: Sequence[str]) -> Zone:
        return await self._with_zone_id(
            zone, lambda: self._find(zone), lambda zone_id: self._sets(zone, zone_id, names)
        )

    async def _find(self, zone: str) -> str:
        """The id of the public hosted zone of that name."""

        async def page(further: Query) -> tuple[list[_HostedZone], Query | None]:
            found = await self._get("/hostedzonesbyname", {"dnsname": f"{zone}.", **further}, _HostedZones)
            here = [one for one in found.hosted_zones if plain_name(one.name) == zone]
            more = found.is_truncated and plain_name(found.next_name) == zone
            return here, {"dnsname": found.next_name, "hostedzoneid": found.next_hosted_zone_id} if more else None

        every = await pages(page) or []
        public = [one for one in every if not one.config.private_zone]
        if len(public) > 1:
            ids = ", ".join(_bare(one.id) for one in public)
            public = [one for one in public if _bare(one.id) == self._options.hosted_zone_id]
            if not public:
                raise Rejected(
                    f"Route 53 has several public hosted zones {zone}: {ids}",
                    "Set hosted_zone_id in the account to the one whose name servers the registrar has.",
                )
        if not public:
            private = ", ".join(_bare(one.id) for one in every)
            only = f", only private ones: {private}" if private else ""
            raise NotFound(
                f"Route 53 shows no public hosted zone {zone} to account {self.account}{only}", _HINTS.missing
            )
        (found,) = public
        if found.linked_service is not None:
            maker = self._api.words(found.linked_service.service_principal)
            raise PermissionDenied(
                f"The hosted zone {zone} was made by {maker}, and Route 53 takes no changes of it",
                "Change its records there.",
            )
        self._sizes[zone] = found.resource_record_set_count
        return _bare(found.id)

    async def _sets(self, zone: str, zone_id: str, names: Sequence[str]) -> Zone:
        """All pages of the zone, or a page for each name, whichever is likely to be less."""
        path = f"/hostedzone/{zone_id}/rrset"
        sets: list[RecordSet] | None = None
        if len(names) > 1 and self._sizes.get(zone, 0) <= len(names) * PAGE:
            sets = await self._list(path, {"maxitems": PAGE}, most_pages=len(names))
        whole = sets is not None
        if sets is None:
            sets = []
            for name in dict.fromkeys(names):
                sets += await self._list(path, {"name": written_name(name), "maxitems": AT_ONE_NAME}, only=name) or ()
        found: dict[str, list[RecordSet]] = {}
        for one in sets:
            found.setdefault(one.name, []).append(one)
        return Zone(found, whole=whole)

    async def _list(
        self, path: str, query: Query, most_pages: int | None = None, only: str | None = None
    ) -> list[RecordSet] | None:
        """The record sets from a place in the zone on: all, or only those of one name, which stand together."""

        async def page(further: Query) -> tuple[list[RecordSet], Query | None]:
            found = await self._get(path, {**query, **further}, _Sets)
            sets = [one for one in map(self._record_set, found.resource_record_sets) if only in (None, one.name)]
            if not found.is_truncated or only not in (None, plain_name(found.next_record_name)):
                return sets, None
            following = {"name": found.next_record_name, "type": found.next_record_type}
            if found.next_record_identifier:
                following["identifier"] = found.next_record_identifier
            return sets, following

        return await pages(page, most_pages)

    async def _write(self, zone: str, replacements: Sequence[Replacement]) -> None:
        for one in (record for r in replacements for record in (r.before, r.after) if record is not None):
            words = routing_words(one)
            if words is not None:
                raise Rejected(f"{one.name} has {words}", _HINTS.refused)
        change = await self._change(zone, replacements)
        if any(one.type in ADDRESS_TYPES for one in replacements):
            await self._propagation(change)

    async def _change(self, zone: str, replacements: Sequence[Replacement]) -> _ChangeInfo:
        content = batch_of(replacements)

        async def post(zone_id: str) -> _ChangeInfo:
            answer = await self._api.call(
                "POST", f"/hostedzone/{zone_id}/rrset/", content=content, headers={"Content-Type": "text/xml"}
            )
            return self._decoded(self._accepted(answer).content, _Changed).change_info

        return await self._with_zone_id(zone, lambda: self._find(zone), post)

    async def _propagation(self, change: _ChangeInfo) -> None:
        """Waits for a while until every name server of the zone has the change. It is made, whatever comes here."""
        pause = 0.2
        with contextlib.suppress(TimeoutError, ProviderError):
            async with asyncio.timeout(self._timeout):
                while change.status != "INSYNC":
                    change = (await self._get(f"/change/{_bare(change.id)}", {}, _Changed)).change_info
                    if change.status != "INSYNC":
                        await asyncio.sleep(pause)
                        pause *= 2

    def normalize(self, zone: str, before: AddressSet, after: AddressSet) -> AddressSet:
        """What is asked for, with a TTL that there is."""
        return address_set(msgspec.structs.replace(r, ttl=min(r.ttl, MOST_TTL)) for r in after)

    def _policy(self, records: Sequence[RecordSet]) -> str | None:
        return next((words for r in address_set(records) if (words := routing_words(r)) is not None), None)

    async def _may_write(self, zone: str, names: Sequence[str]) -> bool | None:
        """By the real names, since a policy may allow some only (DeveloperGuide/specifying-rrset-conditions)."""
        nowhere = [record_set(name, "A", MOST_TTL, ["192.0.2.1"]) for name in names[: BATCH_RECORDS // 2]]
        try:
            await self._retried(lambda: self._change(zone, [Replacement(one, one) for one in nowhere]))
        except PermissionDenied:
            return False
        except Conflict:
            return True
        except Rejected:  # for a reason that may have come before the permissions were looked at
            return None
        return True

    async def zones(self) -> tuple[str, ...]:
        async def page(further: Query) -> tuple[list[str], Query | None]:
            found = await self._get("/hostedzone", further, _HostedZones)
            names = [plain_name(one.name) for one in found.hosted_zones if not one.config.private_zone]
            return names, {"marker": found.next_marker} if found.is_truncated else None

        every = await self._retried(lambda: pages(page))
        return tuple(dict.fromkeys(every or ()))

    def _connect(self) -> Api:
        key_id = self._secret("access_key_id", "AWS access key id")
        secret = self._secret("secret_access_key", "AWS secret access key")
        # All of Route 53 is signed for this region (docs.aws.amazon.com/general/latest/gr/r53.html).
        signature = SigV4(key_id, secret, "route53", "us-east-1")
        return Api(self._options.endpoint, {}, self._timeout, signature=signature, secrets=[key_id, secret])

    async def _get(self, path: str, query: Query, of: type[_T]) -> _T:
        return self._decoded(self._accepted(await self._api.call("GET", path, query)).content, of)

    def _decoded(self, content: bytes, of: type[_T]) -> _T:
        """The XML text of an answer as a `of`. Raises Unreadable where it is none."""
        try:
            return msgspec.convert(read_xml(content, _LISTS), of, strict=False)
        except (BadXml, msgspec.ValidationError) as error:
            said = self._api.words(str(error))
            raise Unreadable(
                f"The answer of {self._api.host} could not be understood: {said}", CHECK_ENDPOINT
            ) from None

    def _record_set(self, sent: dict[str, Any]) -> RecordSet:
        try:
            return record_set_of(sent)
        except msgspec.ValidationError as error:
            said = self._api.words(str(error))
            raise Unreadable(
                f"A record set of {self._api.host} could not be understood: {said}", CHECK_ENDPOINT
            ) from None

    def _reason(self, answer: ApiAnswer) -> Reason:
        fault = self._decoded(answer.content, _Fault)
        if fault.messages:
            return Reason(f"InvalidChangeBatch: {'; '.join(fault.messages)}", ("InvalidChangeBatch",))
        code = fault.error.code
        return Reason(f"{code}: {fault.error.message}" if code else "", (code,))

    def _meaning(self, error: ProviderError, reason: Reason, answer: ApiAnswer) -> ProviderError:
        """By Amazon's code: the status alone does not tell a wrong key from a missing permission."""
        (code,) = reason.codes or ("",)
        if code in _WRONG_TIME or (
            code in _WRONG_KEY and re.search(r"Signature (expired|not yet current)", reason.words)
        ):
            return AuthError(error.text, f"{_CLOCK}: set it, and try again.")
        if code in _WRONG_KEY:
            return AuthError(error.text, _HINTS.credential)
        if code in _DENIED:
            return PermissionDenied(error.text, _HINTS.permission)
        if code in _TOO_EARLY:
            return RateLimited(error.text, "Wait and try again.", retry_after(answer.headers) or A_MOMENT)
        if code == "InvalidChangeBatch" and _MEANWHILE.search(reason.words):
            return Conflict(error.text, _HINTS.refused)
        return error


def _bare(answered: str) -> str:
    """An id without the kind that answers put before it."""
    return answered.rpartition("/")[2]


class _Type(HttpProviderType):
    label = "Amazon Route 53"
    tested = "a simulator that answers recorded requests as Route 53 did, and moto"
    options = Route53Options
    needs = (
        SecretField(
            name="access_key_id",
            label="Access key id",
            help="The long-term key of an IAM user, which begins with AKIA; keys that begin with ASIA end within hours",
            link="https://console.aws.amazon.com/iam/home#/users",
            permission=f"route53: {_ACTIONS}; the last three only for the zone and its changes",
            pattern=r"AKIA[A-Z0-9]{16}",
            example="AKIAIOSFODNN7EXAMPLE",
        ),
        SecretField(
            name="secret_access_key",
            label="Secret access key",
            help="What AWS shows once, when the key is made",
            link="https://console.aws.amazon.com/iam/home#/users",
            permission="that of the access key",
            pattern=r"[A-Za-z0-9/+]{40}",
            example="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        ),
    )
    provider = Route53


PROVIDER = _Type
