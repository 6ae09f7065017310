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

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta, Struct

from changeover.dns.http.api import Api, ApiAnswer, Hints, Query
from changeover.dns.http.notation import full_name, record_value, text_value
from changeover.dns.http.provider import ENDPOINT, HttpProviderType, Reason
from changeover.dns.http.record_by_record import Record
from changeover.dns.http.rest_records import RestRecords
from changeover.model.dns.capabilities import Capabilities, Lag
from changeover.model.dns.txt_record import text_of
from changeover.model.errors import AuthError, PermissionDenied, ProviderError
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


class _Page(Struct, frozen=True, kw_only=True):
    meta: _Meta = _Meta()

    @property
    def following(self) -> Query | None:
        return {"cursor": self.meta.links.next} if self.meta.links.next else None

    @property
    def total(self) -> int | None:
        return self.meta.total


class _Records(_Page, frozen=True):
    items: tuple[_Record, ...] = msgspec.field(name="records")


class _Domains(_Page, frozen=True):
    domains: tuple[_Domain, ...]

    @property
    def items(self) -> tuple[str, ...]:
        return tuple(domain.domain for domain in self.domains)


class _Fault(Struct, frozen=True):
    error: str


class Vultr(RestRecords[VultrOptions]):
    """One account's domains. Implements changeover.dns.provider.Provider."""

    hints = _HINTS
    capabilities = Capabilities(
        label="Vultr",
        batch=None,
        native_compare_and_set=False,
        propagates_atomically=False,
        least_ttl=LEAST_TTL,
        lag=Lag(60.0, "GET /domains/{domain}/records"),
    )
    one_ttl: ClassVar[bool] = True

    async def _records(self, zone: str, names: Sequence[str]) -> tuple[Iterable[tuple[str, Record]], bool]:
        found = await self._listed(zone, {"per_page": PAGE}, _Records) or []
        # What changes while the pages are read may be listed twice.
        distinct = {one.id: one for one in found}
        return [(one.id, _record(zone, one)) for one in distinct.values()], True

    def _content(self, record: Record) -> dict[str, Any]:
        return {"data": _data(record), "ttl": record.ttl}

    async def zones(self) -> tuple[str, ...]:
        return await self._domains({"per_page": PAGE}, _Domains)

    def _connect(self) -> Api:
        key = self._secret("key", "Vultr API key")
        return Api(self._options.endpoint, {"Authorization": key.after("Bearer ")}, self._timeout)

    def _reason(self, answer: ApiAnswer) -> Reason:
        return Reason(self._api.decoded(answer.content, _Fault).error)

    def _meaning(self, error: ProviderError, reason: Reason, answer: ApiAnswer) -> ProviderError:
        if isinstance(error, AuthError) and _OTHER_ADDRESS in error.text.lower():
            return PermissionDenied(error.text, _HINTS.permission)
        return error


def _record(zone: str, one: _Record) -> Record:
    record = Record(name=full_name(zone, one.name), type=one.type, ttl=one.ttl, value=_value(one))
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
