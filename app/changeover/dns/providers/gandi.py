"""Gandi LiveDNS, by Gandi's API v5 (api.gandi.net/docs/livedns).

Record sets are replaced as a whole. There is no batch: names change one after the other, and each of them so:

- Where types stay side by side, each set is one PUT of …/records/NAME/TYPE or one DELETE. Nothing else at the name is
  part of a request.
- Where a CNAME comes or goes, the whole name is one PUT of …/records/NAME, which replaces every set there. So there is
  no moment without an answer, which resolvers would keep for as long as the SOA says. This is done only below the apex
  and only where the reading right before showed nothing but what is replaced: a CNAME stands alone. At any other name
  that request would write again what others have there, as it was read, and so undo what they did in between.

There is no compare-and-set: everything at the name is read again right before the write, and what somebody changed in
the instant between is overwritten. Texts are kept in the same way, and are no ground for leases.

A TTL is from 300 to 2592000 seconds, and 10800 where none is given. Values are as in a zone file: a host name without a
final dot is meant below the domain (docs.gandi.net/fr/noms_domaine/operations_courantes/enregistrements_dns.html), and
undo writes it as it was. An ALIAS may stand at the apex only, and not in a domain that is signed
(docs.gandi.net/en/domain_names/faq/dns_records.html); then Gandi refuses it. A CNAME may not stand at the apex.

A web forwarding is a record that leads to webredir.vip.gandi.net, at the apex an address; what it redirects to is kept
elsewhere (api.gandi.net/docs/domains). A name with such a CNAME or ALIAS is not switched; an address cannot be told
from others. A domain that others than Gandi's name servers answer for is refused, unless they fetch it from LiveDNS,
and so is one that has its records from a linked zone (api.gandi.net/docs/linkedzone), whose next deployment would
replace them. Gandi can keep a snapshot of a domain before each change (automatic_snapshots); that is left as it is.

Gandi keeps a name as it was entered, and finds it in no other spelling (github.com/DNSControl/dnscontrol/pull/3582). So
it is written to as it is listed, and a name without records is looked for in the whole list, in case it is there with
capital letters. One that is there in two spellings is refused.

Lists have pages, here of 500: a domain of no more pages than names is read whole, a larger one by names. One address
may make 1000 requests a minute (api.gandi.net/docs/reference). A personal access token belongs to one organization, and
ends by itself (api.gandi.net/docs/authentication). It cannot be asked what it may do: `verify` knows only that it may
read.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, TypeVar

from msgspec import Meta, Struct

from changeover.dns.http.api import Api, ApiAnswer, Hints, Query, next_page, pages, segment
from changeover.dns.http.notation import (
    as_written,
    carried_over,
    full_name,
    record_value,
    relative_name,
    written_value,
)
from changeover.dns.http.provider import TIMEOUT, HttpProvider, HttpProviderType, Reason, Replacement, Zone
from changeover.model.dns.capabilities import Capabilities, Lag
from changeover.model.dns.records import NAME_TYPES, AddressSet, RecordSet, address_set
from changeover.model.errors import NotFound, ProviderError, Rejected
from changeover.model.secret import Secret
from changeover.model.settings.account_fields import Option, SecretField

LEAST_TTL, DEFAULT_TTL, MOST_TTL = 300, 10800, 2592000
PER_PAGE = 500
FORWARDING = "webredir.vip.gandi.net"

_MAKE_TOKEN = "Make a personal access token at admin.gandi.net, your organization's page Sharing"
_PERMISSION = '"Manage domain name technical configurations" for this domain only'
_HINTS = Hints(
    credential=f"It may have ended. {_MAKE_TOKEN}, and add it with: changeover account add NAME … --replace",
    permission=f"Give a token the permission {_PERMISSION} (admin.gandi.net).",
    missing="Look at the domain's name, at the token's organization and domains, and whether the domain uses LiveDNS"
    " (admin.gandi.net).",
    refused="Look at the DNS records of these names at admin.gandi.net.",
)

_T = TypeVar("_T")
_Step = tuple[str, Callable[[], Awaitable[object]]]


class GandiOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """The account's keys in the settings file."""

    endpoint: Annotated[
        str, Option("Endpoint", "the address of the API; the sandbox is at https://api.sandbox.gandi.net/v5")
    ] = "https://api.gandi.net/v5"


class _Domain(Struct, frozen=True):
    fqdn: str


class _Set(Struct, frozen=True):
    rrset_name: str
    rrset_type: str
    rrset_values: tuple[str, ...]
    rrset_ttl: Annotated[int, Meta(ge=0, le=2**32 - 1)] = DEFAULT_TTL


class _LinkedZone(Struct, frozen=True):
    name: str = ""


class _LinkedDomain(Struct, frozen=True):
    zone: _LinkedZone | None = None


class _Detail(Struct, frozen=True):
    name: str = ""
    description: str = ""


class _Fault(Struct, frozen=True):
    message: str = ""
    object: str = ""
    errors: tuple[_Detail, ...] = ()


class Gandi(HttpProvider[GandiOptions]):
    """The domains of one token. Implements changeover.dns.provider.Provider."""

    hints = _HINTS
    capabilities = Capabilities(
        label="Gandi LiveDNS",
        batch=None,
        native_compare_and_set=False,
        propagates_atomically=False,
        least_ttl=LEAST_TTL,
        apex_alias=True,
        lag=Lag(60.0, "GET /livedns/domains/{domain}/records"),
    )

    def __init__(
        self, account: str, options: GandiOptions, secrets: Mapping[str, Secret], timeout: float = TIMEOUT
    ) -> None:
        super().__init__(account, options, secrets, timeout)
        self._known: set[str] = set()
        # The types that stood at each name of a zone when it was last read.
        self._types: dict[tuple[str, str], set[str]] = {}
        # How each name that was read is spelled at Gandi.
        self._spelled: dict[tuple[str, str], str] = {}

    async def _read(self, zone: str, names: Sequence[str]) -> Zone:
        if zone not in self._known:
            await self._check_zone(zone)
        path = f"{_path(zone)}/records"
        every = await self._list(path, _Set, most_pages=len(names))
        each = [await self._at(zone, name) for name in names] if every is None else []
        if not all(each):
            every = await self._list(path, _Set)
        sets = every if every is not None else [one for there in each for one in there]
        found: dict[str, list[RecordSet]] = {}
        spelled: dict[str, str] = {}
        for one in sets:
            name = full_name(zone, one.rrset_name)
            found.setdefault(name, []).append(_record_set(zone, name, one))
            other = spelled.setdefault(name, one.rrset_name)
            if other != one.rrset_name and name in names:
                raise Rejected(
                    f"Gandi has records at {other} and at {one.rrset_name} of {zone}, which are one name",
                    "Delete those of one spelling at admin.gandi.net.",
                )
        self._spelled.update({(zone, name): spelled[name] for name in names if name in spelled})
        self._types.update({(zone, name): {r.type for r in found.get(name, ())} for name in names})
        return Zone(found, whole=every is not None)

    async def _check_zone(self, zone: str) -> None:
        """Once for each domain: is it there, and does what stands there reach visitors?"""
        answer = await self._api.call("GET", _path(zone))
        if answer.status == 404:
            raise NotFound(f"Gandi LiveDNS shows no domain {zone} to account {self.account}", _HINTS.missing)
        self._accepted(answer)
        servers = await self._names(f"{_path(zone)}/nameservers")
        elsewhere = servers and not any(server.lower().rstrip(".").endswith(".gandi.net") for server in servers)
        if elsewhere and not await self._names(f"{_path(zone)}/axfr/slaves"):
            raise Rejected(
                f"The name servers of {zone} are {', '.join(servers)}, so a change at Gandi LiveDNS would move no"
                " visitor",
                "Use an account for those servers, or choose LiveDNS for the domain at admin.gandi.net.",
            )
        linked = await self._linked_zone(zone)
        if linked:
            raise Rejected(
                f"The domain {zone} has its records from Gandi's linked zone {linked}, which would replace a change",
                "Unlink the domain at admin.gandi.net.",
            )
        self._known.add(zone)

    async def _names(self, path: str) -> list[str]:
        """A list of names or addresses; none where the token may not see it."""
        answer = await self._api.call("GET", path)
        return self._api.decoded(answer.content, list[str]) if answer.status < 300 else []

    async def _linked_zone(self, zone: str) -> str:
        """The linked zone's name, empty where there is none or where it cannot be seen: it is another API."""
        with contextlib.suppress(ProviderError):
            answer = await self._api.call("GET", f"/linkedzone/domains/{segment(zone)}")
            if answer.status < 300:
                linked = self._api.decoded(answer.content, _LinkedDomain).zone
                return self._api.words(linked.name) if linked is not None else ""
        return ""

    async def _at(self, zone: str, name: str) -> list[_Set]:
        """What stands at a name in the spelling that is known; none also where the domain is not there."""
        answer = await self._api.call("GET", self._place(zone, name))
        return [] if answer.status == 404 else self._api.decoded(self._accepted(answer).content, list[_Set])

    def _place(self, zone: str, name: str) -> str:
        label = self._spelled.get((zone, name)) or relative_name(zone, name) or "@"
        return f"{_path(zone)}/records/{segment(label)}"

    async def _write(self, zone: str, replacements: Sequence[Replacement]) -> None:
        steps: list[_Step] = []
        for name, group in itertools.groupby(replacements, key=lambda replacement: replacement.name):
            parts = list(group)
            sets = [replacement.after for replacement in parts if replacement.after is not None]
            if sets and self._replaces_a_cname(zone, name, parts):
                kinds = " and ".join(sorted(one.type for one in sets))
                steps.append((f"{name} has {kinds} alone", partial(self._put_name, zone, name, sets)))
            else:
                steps += [self._step(zone, replacement) for replacement in parts]
        await self._run_steps(steps)

    def _replaces_a_cname(self, zone: str, name: str, parts: Sequence[Replacement]) -> bool:
        """Does a CNAME come or go, at a name where nothing else stands?"""
        changes_type = any(p.type == "CNAME" and (p.before is None or p.after is None) for p in parts)
        return changes_type and name != zone and self._types[zone, name] <= {p.type for p in parts}

    def _step(self, zone: str, replacement: Replacement) -> _Step:
        place = f"{replacement.type} at {replacement.name}"
        if replacement.after is not None:
            done = "created" if replacement.before is None else "replaced"
            return f"{place} is {done}", partial(self._put, zone, replacement.after)
        return f"{place} is deleted", partial(self._delete, zone, replacement.name, replacement.type)

    async def _put_name(self, zone: str, name: str, sets: Sequence[RecordSet]) -> None:
        items = [{"rrset_type": one.type, **_content(one)} for one in sets]
        self._accepted(await self._api.call("PUT", self._place(zone, name), body={"items": items}))

    async def _put(self, zone: str, one: RecordSet) -> None:
        self._accepted(await self._api.call("PUT", f"{self._place(zone, one.name)}/{one.type}", body=_content(one)))

    async def _delete(self, zone: str, name: str, rtype: str) -> None:
        answer = await self._api.call("DELETE", f"{self._place(zone, name)}/{rtype}")
        if answer.status != 404 or "dns-record" not in self._readable_reason(answer).codes:
            self._accepted(answer)

    def normalize(self, zone: str, before: AddressSet, after: AddressSet) -> AddressSet:
        """ANAME becomes ALIAS, and a TTL one that Gandi takes. A value that stays keeps its notation."""
        return address_set(
            carried_over(before, record, min(max(record.ttl, LEAST_TTL), MOST_TTL), alias=True) for record in after
        )

    def _policy(self, records: Sequence[RecordSet]) -> str | None:
        for record in records:
            if record.type in NAME_TYPES and FORWARDING in record.values:
                return f"{record.type} {FORWARDING}, a web forwarding of Gandi, which redirects its visitors; delete it"
        return None

    async def zones(self) -> tuple[str, ...]:
        found = await self._retried(lambda: self._list("/livedns/domains", _Domain))
        return tuple(domain.fqdn.lower() for domain in found or ())

    async def _list(self, path: str, of: type[_T], most_pages: int | None = None) -> list[_T] | None:
        """All pages of a list, or None where it has more than `most_pages`."""

        async def page(further: Query) -> tuple[list[_T], Query | None]:
            query = {"page": 1, "per_page": PER_PAGE, **further}
            answer = self._accepted(await self._api.call("GET", path, query))
            found = self._api.decoded(answer.content, list[of])  # type: ignore[valid-type]
            # A page after the last is an empty list, so asking once too often does no harm.
            more = next_page(answer.headers) is not None or len(found) >= PER_PAGE
            return found, {"page": query["page"] + 1} if more else None

        return await pages(page, most_pages)

    def _connect(self) -> Api:
        token = self._secret("token", "personal access token of Gandi")
        return Api(self._options.endpoint, {"Authorization": token.after("Bearer ")}, self._timeout)

    def _reason(self, answer: ApiAnswer) -> Reason:
        fault = self._api.decoded(answer.content, _Fault)
        details = [f"{one.name}: {one.description}" for one in fault.errors]
        return Reason("; ".join(text for text in (fault.message, *details) if text), (fault.object,))


def _path(zone: str) -> str:
    return f"/livedns/domains/{segment(zone)}"


def _record_set(zone: str, name: str, one: _Set) -> RecordSet:
    values = {record_value(one.rrset_type, text, zone): text for text in one.rrset_values}
    written = {v: {"written": text} for v, text in values.items() if text != written_value(one.rrset_type, v)}
    return RecordSet(
        name=name,
        type=one.rrset_type,
        ttl=one.rrset_ttl,
        values=tuple(sorted(values)),
        details=written,
        opaque=one.rrset_type == "ALIAS",
    )


def _content(one: RecordSet) -> dict[str, Any]:
    values = [as_written(one, v) for v in one.values]
    return {"rrset_ttl": one.ttl, "rrset_values": values}


class _Type(HttpProviderType):
    label = "Gandi LiveDNS"
    tested = "a simulator that answers recorded requests as Gandi did"
    options = GandiOptions
    needs = (
        SecretField(
            name="token",
            label="Personal access token",
            help=_MAKE_TOKEN,
            link="https://docs.gandi.net/en/managing_an_organization/organizations/personal_access_token.html",
            permission=_PERMISSION,
            pattern=r"[A-Za-z0-9_-]{16,}",
            example="3a5cc9d2f1b34e0d9c7a1b2e4f60718293a4b5c6",
        ),
    )
    provider = Gandi


PROVIDER = _Type
