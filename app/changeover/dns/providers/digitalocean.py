"""DigitalOcean, by its API v2 (docs.digitalocean.com/reference/api/digitalocean/#tag/Domain-Records).

Records have ids and are created, replaced and deleted one by one: nothing is atomic, and there is no compare-and-set.
The names are read again right before the first request. A text is kept in the same way, so this is no ground for
leases. A record is replaced in place by a PATCH.

The records of one name and type have one TTL: that of the record which was written last becomes that of all
(github.com/digitalocean/terraform-provider-digitalocean/pull/1157). The least TTL is 30 seconds; the documentation does
not say so, the API does (github.com/neatnik/omg.lol/issues/37). A CNAME stands alone
(github.com/kubernetes-sigs/external-dns/issues/4802), so there is none at the apex. There is no ALIAS, SVCB or HTTPS
record, and nothing that answers some visitors otherwise than others. The same record may stand there twice (recorded).
Nothing is said of when the name servers know of a change.

Host names are written with a final dot (github.com/digitalocean/api-v2/issues/130) and shown without it; the domain
itself is shown as "@" (recorded, and github.com/DNSControl/dnscontrol, providers/digitalocean). A TXT record has its
text without quotes (recorded). One that was entered in quotes, as a zone file has it, is shown in quotes; it is read as
a zone file's, and stays as it is.

Lists have pages of at most 200, and records can be asked for by their full name (…/#operation/domains_list_records). A
token may make 250 requests a minute and 5,000 an hour; a 429 for the minute says in Retry-After how long to wait, one
for the hour does not (…/#section/Introduction/Rate-Limit).

A token has scopes (…/reference/api/create-personal-access-token), which the API does not tell
(github.com/digitalocean/api-v2/issues/133), nor when the token expires: `verify` cannot know whether it may write.
Scopes are for all domains of a team; a token cannot be confined to one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from changeover.dns.http.api import CHECK_ENDPOINT, Api, ApiAnswer, Hints, Query, Unreadable, query_of
from changeover.dns.http.notation import full_name, record_value, text_value
from changeover.dns.http.provider import ENDPOINT, HttpProviderType, Reason
from changeover.dns.http.record_by_record import Record
from changeover.dns.http.rest_records import RestRecords
from changeover.model.dns.capabilities import Capabilities, Lag
from changeover.model.dns.records import NAME_TYPES
from changeover.model.dns.txt_record import text_of
from changeover.model.settings.account_fields import SecretField

LEAST_TTL = 30
RECORDS_PER_PAGE = 200
#: Each comes with its whole zone file.
DOMAINS_PER_PAGE = 50
#: The types that are ever written, and so must be restored in their own notation.
_WRITTEN_TYPES = ("A", "AAAA", "CNAME", "TXT")

_MAKE_TOKEN = (
    "Make a token at cloud.digitalocean.com, API, with the custom scopes domain:read, domain:create, domain:update and"
    " domain:delete"
)
_HINTS = Hints(
    credential=f"{_MAKE_TOKEN}, and add it with: changeover account add NAME … --replace. Tokens expire.",
    permission="The token needs the scopes domain:read, domain:create, domain:update and domain:delete"
    " (cloud.digitalocean.com, API).",
    missing="Look at the domain's name, and at which team the token belongs to (cloud.digitalocean.com, Networking).",
    refused="Look at the records of these names at cloud.digitalocean.com, Networking, Domains.",
)

_Number = Annotated[int, Meta(ge=0, le=2**32 - 1)]


class DigitalOceanOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """The account's keys in the settings file."""

    endpoint: Annotated[str, ENDPOINT] = "https://api.digitalocean.com/v2"


class _Record(Struct, frozen=True):
    """A record as it is listed; the SOA record of some domains has nothing but its type."""

    type: str
    id: Annotated[int, Meta(ge=1)] | None = None
    name: str = "@"
    data: str | None = None
    ttl: _Number | None = None
    priority: _Number | None = None
    weight: _Number | None = None
    port: _Number | None = None
    flags: _Number | None = None
    tag: str | None = None


class _Domain(Struct, frozen=True):
    name: str


class _Pages(Struct, frozen=True):
    next: str = ""


class _Links(Struct, frozen=True):
    pages: _Pages = _Pages()


class _Meta(Struct, frozen=True):
    total: int | None = None


class _Page(Struct, frozen=True, kw_only=True):
    links: _Links = _Links()
    meta: _Meta = _Meta()

    @property
    def following(self) -> Query | None:
        return {"page": query_of(self.links.pages.next).get("page", "")} if self.links.pages.next else None

    @property
    def total(self) -> int | None:
        return self.meta.total


class _Records(_Page, frozen=True):
    items: tuple[_Record, ...] = msgspec.field(name="domain_records")


class _Domains(_Page, frozen=True):
    domains: tuple[_Domain, ...]

    @property
    def items(self) -> tuple[str, ...]:
        return tuple(domain.name for domain in self.domains)


class _Fault(Struct, frozen=True):
    message: str


class DigitalOcean(RestRecords[DigitalOceanOptions]):
    """One team's domains. Implements changeover.dns.provider.Provider."""

    hints = _HINTS
    capabilities = Capabilities(
        label="DigitalOcean",
        batch=None,
        native_compare_and_set=False,
        propagates_atomically=False,
        least_ttl=LEAST_TTL,
        lag=Lag(60.0, "GET /domains/{domain}/records"),
    )
    apex = "@"

    async def _records(self, zone: str, names: Sequence[str]) -> tuple[Iterable[tuple[str, Record]], bool]:
        """All of them where those are no more pages than names, else name by name."""
        wanted, page = list(dict.fromkeys(names)), {"per_page": RECORDS_PER_PAGE}
        every = await self._listed(zone, page, _Records, len(wanted)) if len(wanted) > 1 else None
        found = every
        if found is None:
            each = [await self._listed(zone, {**page, "name": name}, _Records) for name in wanted]
            found = [one for there in each for one in there or ()]
        return [_record(zone, one) for one in found if one.type != "SOA"], every is not None

    def _content(self, record: Record) -> dict[str, Any]:
        return {"type": record.type, "data": _data(record), "ttl": record.ttl}

    async def zones(self) -> tuple[str, ...]:
        return await self._domains({"per_page": DOMAINS_PER_PAGE}, _Domains)

    def _connect(self) -> Api:
        token = self._secret("token", "DigitalOcean token")
        return Api(self._options.endpoint, {"Authorization": token.after("Bearer ")}, self._timeout)

    def _reason(self, answer: ApiAnswer) -> Reason:
        return Reason(self._api.decoded(answer.content, _Fault).message)


def _record(zone: str, one: _Record) -> tuple[str, Record]:
    if one.id is None or one.data is None or one.ttl is None:
        raise Unreadable(f"DigitalOcean shows a record of {zone} without its content", CHECK_ENDPOINT)
    value = _value(zone, one, one.data)
    record = Record(name=full_name(zone, one.name), type=one.type, ttl=one.ttl, value=value)
    shown = value if one.type == "CNAME" else _data(record)
    # However the domain itself is written, it is shown as "@" afterwards.
    is_domain = one.type == "CNAME" and value == zone
    if one.type in _WRITTEN_TYPES and one.data != shown and not is_domain:
        record = msgspec.structs.replace(record, details={"written": one.data})
    return str(one.id), record


def _value(zone: str, one: _Record, data: str) -> str:
    """The record's data in canonical form. Host names are absolute, "@" is the domain."""
    host = f"{zone if data == '@' else data.rstrip('.')}."
    match one.type:
        case "CNAME" | "NS":
            return record_value(one.type, host)
        case "MX":
            return record_value("MX", f"{one.priority or 0} {host}")
        case "SRV":
            return record_value("SRV", f"{one.priority or 0} {one.weight or 0} {one.port or 0} {host}")
        case "CAA":
            return record_value("CAA", f'{one.flags or 0} {one.tag} "{data}"')
        case "TXT":
            return record_value("TXT", data) if data.startswith('"') else text_value(data)
    return record_value(one.type, data)


def _data(record: Record) -> str:
    """The record's value as DigitalOcean takes it."""
    data = record.details.get("written", text_of(record.value) if record.type == "TXT" else record.value)
    return f"{data}." if record.type in NAME_TYPES else data


class _Type(HttpProviderType):
    label = "DigitalOcean"
    tested = "a simulator that answers recorded requests as DigitalOcean did, and its published API description"
    options = DigitalOceanOptions
    needs = (
        SecretField(
            name="token",
            label="Personal access token",
            help=_MAKE_TOKEN,
            link="https://cloud.digitalocean.com/account/api/tokens",
            permission="domain:read, domain:create, domain:update and domain:delete (for all domains of the team)",
            pattern=r"(do[a-z]_v1_)?[0-9A-Za-z_-]{64}",
            example="dop_v1_" + "0123456789abcdef" * 4,
        ),
    )
    provider = DigitalOcean


PROVIDER = _Type
