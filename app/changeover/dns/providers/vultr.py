"""Vultr, by its API v2 (vultr.com/api/#tag/dns).

Records have ids and are created, replaced and deleted one by one: nothing is atomic, and there is no compare-and-set.
The names are read again right before the first request. A text is kept in the same way, so this is no ground for
leases. A record is replaced in place by a PATCH, which leaves what it does not name and cannot change the type
(…/operation/update-dns-domain-record).

All records of one name and type have one TTL: Vultr refuses what would make them two (github.com/DNSControl/dnscontrol/
pull/4609). So a set of several records that gets another TTL is first reduced to one, which gets it, and the others are
created anew; for the time of these requests visitors get fewer addresses. No least TTL is documented; nothing below 30
seconds is sent, the shortest that is known to be used (github.com/vultr/terraform-provider-vultr/issues/17). Types are
A, AAAA, CNAME, NS, MX, SRV, TXT, CAA and SSHFP (…/operation/create-dns-domain-record): there is no ALIAS and no HTTPS
record, and nothing that answers some visitors otherwise than others. Nothing is said of when the name servers know of
a change.

Host names are without a final dot, the domain itself is an empty name, and a TXT record's text is in quotes (all
recorded); within these, quotes are refused and backslashes stand for themselves (github.com/DNSControl/dnscontrol,
providers/vultr).

A domain can only be listed as a whole, in pages of at most 500 (…/#section/Introduction/Meta-and-Pagination): one of
5,000 records takes 10 requests for every reading. An address may make 30 requests a second; a 429 says in Retry-After
how long to wait (…/#section/Introduction).

An API key does what its user may. A user's policy can allow network.dns.* and nothing else (docs.vultr.com/platform/
iam/policies/iam-policy-actions-map/network-actions), for all domains; without policies a key does everything in the
account. What /account lists are permissions that are older than policies, and nothing documented tells what these
allow: `verify` cannot know whether the key may write. Each user has a list of addresses that the key works from
(docs.vultr.com/platform/iam/organizations/manage-user-api-access).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta, Struct

from changeover.dns.http.api import Api, ApiAnswer, Hints, Query, pages
from changeover.dns.http.provider import ENDPOINT, TIMEOUT, HttpProviderType, record_value
from changeover.dns.http.record_by_record import Record, RecordByRecord, carried_over, text_value
from changeover.dns.provider import Access
from changeover.model.dns.capabilities import Capabilities
from changeover.model.dns.records import AddressSet, address_set
from changeover.model.dns.txt_record import text_of
from changeover.model.errors import AuthError, NotFound, PermissionDenied, ProviderError, Unavailable
from changeover.model.secret import Secret
from changeover.model.settings.account_fields import SecretField

LEAST_TTL = 30
PAGE = 500
#: The types that are ever written, and so must be restored in their own notation.
_WRITTEN_TYPES = ("A", "AAAA", "CNAME", "TXT")
#: Vultr answers 401, as for a wrong key, where an address is not on the user's list.
_OTHER_ADDRESS = "unauthorized ip"

_MAKE_KEY = (
    "Make a user with a policy that allows network.dns.* and enable API access for it (console.vultr.com, Manage"
    " Organization, Users); its API key is shown there"
)
_HINTS = Hints(
    credential=f"{_MAKE_KEY}. Add it with: changeover account add NAME … --replace",
    permission="The key's user needs a policy that allows network.dns.*, and this computer's address must be on its"
    " Access Control List (console.vultr.com, Manage Organization, Users).",
    missing="Look at the domain's name, and at which account the key belongs to (console.vultr.com, Network, DNS).",
    refused="Look at the records of these names at console.vultr.com, Network, DNS.",
)


class VultrOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """The account's keys in the settings file."""

    endpoint: Annotated[str, ENDPOINT] = "https://api.vultr.com/v2"


class _Record(Struct, frozen=True):
    id: Annotated[str, Meta(pattern="^[0-9A-Za-z-]{1,64}$")]
    type: str
    name: str
    data: str
    ttl: Annotated[int, Meta(ge=0, le=2**32 - 1)]
    #: -1 or 0 where the type has none.
    priority: int = -1


class _Domain(Struct, frozen=True):
    domain: str


class _Links(Struct, frozen=True):
    next: str = ""


class _Meta(Struct, frozen=True):
    total: int | None = None
    links: _Links = _Links()


class _Records(Struct, frozen=True):
    records: tuple[_Record, ...]
    meta: _Meta = _Meta()


class _Domains(Struct, frozen=True):
    domains: tuple[_Domain, ...]
    meta: _Meta = _Meta()


class _Fault(Struct, frozen=True):
    error: str


class Vultr(RecordByRecord[VultrOptions]):
    """One account's domains. Implements changeover.dns.provider.Provider."""

    hints = _HINTS
    one_ttl: ClassVar[bool] = True

    def __init__(
        self, account: str, options: VultrOptions, secrets: Mapping[str, Secret], timeout: float = TIMEOUT
    ) -> None:
        super().__init__(account, options, secrets, timeout)
        self.capabilities = Capabilities(
            label="Vultr",
            batch=None,
            native_compare_and_set=False,
            propagates_atomically=False,
            least_ttl=LEAST_TTL,
        )

    async def _records(self, zone: str, names: Sequence[str]) -> tuple[Iterable[tuple[str, Record]], bool]:
        totals: set[int | None] = set()

        async def page(further: Query) -> tuple[Sequence[_Record], Query | None]:
            answer = await self._api.call("GET", _path(zone), {"per_page": PAGE, **further})
            if answer.status == 404:
                raise NotFound(f"Vultr shows no domain {zone} to account {self.account}", _HINTS.missing)
            found = self._api.decoded(self._accepted(answer).content, _Records)
            totals.add(found.meta.total)
            return found.records, _following(found.meta)

        # What changes while the pages are read may be listed twice, or not at all.
        distinct = {one.id: one for one in await pages(page) or ()}
        if len(totals) > 1:
            raise Unavailable(f"The records of {zone} changed while Vultr listed them", "Try again.")
        return [(one.id, _record(zone, one)) for one in distinct.values()], True

    async def _create(self, zone: str, record: Record) -> None:
        name = record.name.removesuffix(zone).rstrip(".")
        body = {"type": record.type, "name": name, **_content(record)}
        self._accepted(await self._api.call("POST", _path(zone), body=body))

    async def _replace(self, zone: str, record_id: str, before: Record, after: Record) -> None:
        self._accepted(await self._api.call("PATCH", f"{_path(zone)}/{record_id}", body=_content(after)))

    async def _delete(self, zone: str, record_id: str, record: Record) -> None:
        self._accepted(await self._api.call("DELETE", f"{_path(zone)}/{record_id}"))

    def normalize(self, zone: str, before: AddressSet, after: AddressSet) -> AddressSet:
        """No TTL is below 30 seconds."""
        return address_set(carried_over(before, record, max(record.ttl, LEAST_TTL)) for record in after)

    async def verify(self, zone: str, names: Sequence[str]) -> Access:
        """Reads the records. What the key may write cannot be seen."""
        await self.read(zone, names or [zone])
        return Access(zones=await self._zones_seen(zone), may_write=None)

    async def zones(self) -> tuple[str, ...]:
        async def page(further: Query) -> tuple[Sequence[_Domain], Query | None]:
            answer = await self._api.call("GET", "/domains", {"per_page": PAGE, **further})
            found = self._api.decoded(self._accepted(answer).content, _Domains)
            return found.domains, _following(found.meta)

        domains = await self._again(lambda: pages(page)) or []
        return tuple(dict.fromkeys(domain.domain.lower() for domain in domains))

    def _connect(self) -> Api:
        key = self._secret("key", "Vultr API key")
        return Api(self._options.endpoint, {"Authorization": key.after("Bearer ")}, self._timeout)

    def _fault(self, answer: ApiAnswer) -> str:
        return self._api.decoded(answer.content, _Fault).error

    def _refusal(self, answer: ApiAnswer) -> ProviderError:
        error = super()._refusal(answer)
        if isinstance(error, AuthError) and _OTHER_ADDRESS in error.text.lower():
            return PermissionDenied(error.text, _HINTS.permission)
        return error


def _path(zone: str) -> str:
    return f"/domains/{zone}/records"


def _following(meta: _Meta) -> Query | None:
    """What asks for the next page."""
    return {"cursor": meta.links.next} if meta.links.next else None


def _record(zone: str, one: _Record) -> Record:
    name = f"{one.name}.{zone}" if one.name else zone
    record = Record(name=name.lower(), type=one.type, ttl=one.ttl, value=_value(one))
    if one.type in _WRITTEN_TYPES and one.data != _data(record):
        return msgspec.structs.replace(record, details={"written": one.data})
    return record


def _value(one: _Record) -> str:
    """The record's data in canonical form. Host names are absolute."""
    absolute = one.data.rstrip(".") + "."
    match one.type:
        case "CNAME" | "NS":
            return record_value(one.type, absolute)
        case "MX" | "SRV":
            return record_value(one.type, f"{max(one.priority, 0)} {absolute}")
        case "TXT":
            text = one.data.removeprefix('"').removesuffix('"')
            return text_value(text) if '"' not in text else record_value("TXT", one.data)
    return record_value(one.type, one.data)


def _data(record: Record) -> str:
    """The record's value as Vultr has it."""
    plain = f'"{text_of(record.value)}"' if record.type == "TXT" else record.value
    return str(record.details.get("written", plain))


def _content(record: Record) -> dict[str, Any]:
    return {"data": _data(record), "ttl": record.ttl}


class _Type(HttpProviderType):
    label = "Vultr"
    tested = "a simulator that answers recorded requests as Vultr did"
    options = VultrOptions
    needs = (
        SecretField(
            name="key",
            label="API key",
            help=_MAKE_KEY,
            link="https://docs.vultr.com/platform/iam/organizations/manage-user-api-access",
            permission="network.dns.* for this key's user; without a policy, a key can touch everything of the account",
            pattern=r"[0-9A-Za-z]{36,}",
            example="ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
        ),
    )
    provider = Vultr


PROVIDER = _Type
