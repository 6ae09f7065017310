"""Linode (Akamai Cloud), by its API v4 (techdocs.akamai.com/linode-api/reference/get-domains and …/post-domain-record).

Records have ids and are created, replaced and deleted one by one; nothing is atomic, and there is no compare-and-set:
the names are read again right before the first request. A text is kept in the same way, so this is no ground for
leases. A record is replaced in place by a PUT. CNAME records stand alone (…/post-domain-record: "must be unique").

The name servers get a change within a minute (linode.com/blog/linode/linode-turns-17), not all at the same moment; the
answer of the API does not wait for them. They serve nothing at all while the account has no Linode, and no domain that
is disabled, in edit mode or has errors: such a domain is refused when it is found; so is a copy of another's.

TTLs are 30, 120, 300, 3600, 7200, 14400, 28800, 57600, 86400, 172800, 345600, 604800, 1209600 or 2419200 seconds
(github.com/linode/terraform-provider-linode, docs/resources/domain_record.md; the reference leaves out the first two).
Linode rounds any other, once it says up and once to the nearest, so only these are ever sent: a TTL is rounded up. 0 is
the domain's default, which is 86400 where the domain has none (…/get-domain): it is asked for whenever one of the names
has a 0, and an undo restores the 0.

The types are A, AAAA, CNAME, TXT, MX, NS, SRV, CAA and PTR. There is no ALIAS and no HTTPS record, and no CNAME at the
apex (techdocs.akamai.com/cloud-computing/docs/dns-manager). There are no weights, health checks or redirections.

Lists have pages of at most 500 (…/pagination). A domain has at most 12,000 records (…/post-domain-record): one of a
single page is read whole, of a larger one only the names that are asked for, by the X-Filter header (…/filtering-and-
sorting). That filter is compared with the first page once for each set of names. A minute has 200 requests of lists and
1600 of others; an answer 429 says in Retry-After how long to wait
(…/rate-limits). Every answer says in X-OAuth-Scopes what the token may do (…/response-headers), and /profile/grants
what its user may, where that one is restricted; new kinds of users may have roles that neither shows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from msgspec import Meta, Struct

from changeover.dns.http.api import CHECK_ENDPOINT, Api, ApiAnswer, Hints, Query, Unreadable, pages
from changeover.dns.http.notation import carried_over, full_name, record_value, relative_name, text_value
from changeover.dns.http.provider import ENDPOINT, TIMEOUT, HttpProviderType, Reason
from changeover.dns.http.record_by_record import Record
from changeover.dns.http.rest_records import RestRecords
from changeover.model.dns.capabilities import Capabilities, Lag
from changeover.model.dns.records import AddressSet, address_set
from changeover.model.dns.txt_record import text_of
from changeover.model.errors import AuthError, NotFound, PermissionDenied, ProviderError, Rejected
from changeover.model.secret import Secret
from changeover.model.settings.account_fields import SecretField

TTLS = (30, 120, 300, 3600, 7200, 14400, 28800, 57600, 86400, 172800, 345600, 604800, 1209600, 2419200)
#: What a TTL of 0 means in a domain without a default of its own.
DEFAULT_TTL = 86400
PAGE = 500
#: Names in one filter: a header of some 4 kB at most.
NAMES_A_REQUEST = 40
#: Linode answers 401, as for a wrong token, where a token lacks a scope.
_LACKS_SCOPE = "not authorized to use this endpoint"

_MAKE_TOKEN = "Make a personal access token at cloud.linode.com, API Tokens, with Domains: Read/Write and nothing else"
_HINTS = Hints(
    credential=f"{_MAKE_TOKEN}, and add it with: changeover account add NAME … --replace. Tokens expire.",
    permission="The token needs the scope Domains: Read/Write, and its user access to this domain (cloud.linode.com).",
    missing="Look at the domain's name, and at which account the token belongs to (cloud.linode.com, Domains).",
    refused="Look at the records of these names at cloud.linode.com, Domains.",
)

_T = TypeVar("_T")


class LinodeOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """The account's keys in the settings file."""

    endpoint: Annotated[str, ENDPOINT] = "https://api.linode.com/v4"


class _Page(Struct, Generic[_T], frozen=True):
    data: tuple[_T, ...]
    pages: Annotated[int, Meta(ge=0, le=1000)] = 1


class _Domain(Struct, frozen=True):
    id: Annotated[int, Meta(ge=1)]
    domain: str
    type: str = "master"
    status: str = "active"
    ttl_sec: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    master_ips: tuple[str, ...] = ()


class _Record(Struct, frozen=True):
    id: Annotated[int, Meta(ge=1)]
    type: str
    name: str
    target: str
    ttl_sec: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    priority: int | None = None
    weight: int | None = None
    port: int | None = None
    tag: str | None = None


class _Error(Struct, frozen=True):
    reason: str
    field: str | None = None


class _Fault(Struct, frozen=True):
    errors: tuple[_Error, ...]


class _Grant(Struct, frozen=True):
    id: int
    permissions: str | None = None


class _Grants(Struct, frozen=True):
    domain: tuple[_Grant, ...] = ()


class Linode(RestRecords[LinodeOptions]):
    """One account's domains. Implements changeover.dns.provider.Provider."""

    hints = _HINTS
    capabilities = Capabilities(
        label="Linode",
        batch=None,
        native_compare_and_set=False,
        propagates_atomically=False,
        least_ttl=TTLS[0],
        lag=Lag(60.0, "GET /domains/{domain}/records"),
    )
    update = "PUT"
    ttls: ClassVar[Sequence[int]] = TTLS

    def __init__(
        self, account: str, options: LinodeOptions, secrets: Mapping[str, Secret], timeout: float = TIMEOUT
    ) -> None:
        super().__init__(account, options, secrets, timeout)
        # The sets of names in domains of more than one page, for which the filter was compared with the first.
        self._compared: set[tuple[str, frozenset[str]]] = set()
        # What the token may do, as the last list said.
        self._scopes: str | None = None

    async def _records(self, zone: str, names: Sequence[str]) -> tuple[Iterable[tuple[str, Record]], bool]:
        found, whole = await self._with_zone_id(
            zone, lambda: self._find(zone), lambda domain_id: self._at(zone, domain_id, names)
        )
        default = any(not one.ttl_sec and full_name(zone, one.name) in names for one in found)
        default_ttl = await self._default_ttl(zone) if default else DEFAULT_TTL
        return ((str(one.id), _record(zone, one, default_ttl)) for one in found), whole

    async def _default_ttl(self, zone: str) -> int:
        """What a TTL of 0 means there now. The id is known: its records were read."""
        return (await self._get(f"/domains/{self._zone_ids[zone]}", {}, _Domain)).ttl_sec or DEFAULT_TTL

    async def _find(self, zone: str) -> str:
        """The domain's id, where Linode serves the domain from the records that it shows."""
        found = await self._list("/domains", _Domain, {"domain": zone})
        domain = next((one for one in found if one.domain.lower() == zone), None)
        if domain is None:
            raise NotFound(f"Linode shows no domain {zone} to account {self.account}", _HINTS.missing)
        if domain.type != "master":
            masters = ", ".join(domain.master_ips) or "another server"
            raise Rejected(
                f"The domain {zone} at Linode is a copy of the one on {self._api.words(masters)}",
                "Changes are made there: use an account for that server.",
            )
        if domain.status != "active":
            raise Rejected(
                f"Linode's name servers do not serve {zone}: its status is {self._api.words(domain.status)}",
                "Enable the domain at cloud.linode.com, Domains.",
            )
        return str(domain.id)

    async def _at(self, zone: str, domain_id: str, names: Sequence[str]) -> tuple[Sequence[_Record], bool]:
        """The whole domain where one page has it, else the records at `names`."""
        path = f"/domains/{domain_id}/records"
        first: Sequence[_Record] = ()
        wanted = [relative_name(zone, name) for name in names]
        compared = (zone, frozenset(wanted))
        if compared not in self._compared:
            page = await self._page(path, _Record, {}, None)
            if page.pages <= 1:
                return page.data, True
            first = page.data
        found: list[_Record] = []
        for start in range(0, len(wanted), NAMES_A_REQUEST):
            group = wanted[start : start + NAMES_A_REQUEST]
            found += await self._list(path, _Record, {"+or": [{"name": name} for name in group]})
        # An overlooked record would be left beside the new ones.
        overlooked = {one.name.lower() for one in first}.intersection(wanted) - {one.name.lower() for one in found}
        if overlooked:
            raise Unreadable(f"Linode's filter does not find all records of {zone}", CHECK_ENDPOINT)
        self._compared.add(compared)
        return found, False

    def _path(self, zone: str) -> str:
        """Its records. The id is known: a write follows a reading."""
        return f"/domains/{self._zone_ids[zone]}/records"

    def _content(self, record: Record) -> dict[str, Any]:
        """Host names without a final dot, texts without quotes."""
        target = text_of(record.value) if record.type == "TXT" else record.value
        return {
            "target": record.details.get("written", target),
            "ttl_sec": 0 if record.details.get("default_ttl") == record.ttl else record.ttl,
        }

    def normalize(self, zone: str, before: AddressSet, after: AddressSet) -> AddressSet:
        """The TTL becomes one of Linode's. What keeps its value keeps its notation, and with its TTL the default."""
        return address_set(
            carried_over(before, record, self._ttl(record.ttl), ("written", "default_ttl")) for record in after
        )

    def _ttl(self, seconds: int) -> int:
        return next((ttl for ttl in self.ttls if ttl >= seconds), self.ttls[-1])

    async def _may_write(self, zone: str, names: Sequence[str]) -> bool | None:
        scopes = None if self._scopes is None else self._scopes.replace(",", " ").split()
        if scopes is not None and not {"*", "domains:*", "domains:read_write"}.intersection(scopes):
            return False
        answer = await self._retried(lambda: self._api.call("GET", "/profile/grants"))
        if answer.status == 204:  # its user may do everything
            return None if scopes is None else True
        if answer.status >= 300:
            return None
        grants = self._api.decoded(answer.content, _Grants).domain
        granted = next((grant.permissions for grant in grants if str(grant.id) == self._zone_ids[zone]), None)
        return None if scopes is None and granted == "read_write" else granted == "read_write"

    async def zones(self) -> tuple[str, ...]:
        found = await self._retried(lambda: self._list("/domains", _Domain, None))
        return tuple(domain.domain.lower() for domain in found)

    async def _list(self, path: str, of: type[_T], wanted: Query | None) -> list[_T]:
        """All pages of a list of what is `wanted`."""

        async def page(further: Query) -> tuple[Sequence[_T], Query | None]:
            found = await self._page(path, of, further, wanted)
            number = further.get("page", 1)
            return found.data, {"page": number + 1} if number < found.pages else None

        return await pages(page) or []

    async def _page(self, path: str, of: type[_T], query: Query, wanted: Query | None) -> _Page[_T]:
        headers = {} if wanted is None else {"X-Filter": json.dumps(wanted)}
        answer = self._accepted(await self._api.call("GET", path, {"page_size": PAGE, **query}, headers=headers))
        self._scopes = answer.headers.get("x-oauth-scopes")
        return self._api.decoded(answer.content, _Page[of])  # type: ignore[valid-type]

    def _connect(self) -> Api:
        token = self._secret("token", "Linode token")
        return Api(self._options.endpoint, {"Authorization": token.after("Bearer ")}, self._timeout)

    def _reason(self, answer: ApiAnswer) -> Reason:
        errors = self._api.decoded(answer.content, _Fault).errors
        return Reason("; ".join(f"{error.field}: {error.reason}" if error.field else error.reason for error in errors))

    def _meaning(self, error: ProviderError, reason: Reason, answer: ApiAnswer) -> ProviderError:
        if isinstance(error, AuthError) and _LACKS_SCOPE in error.text:
            return PermissionDenied(error.text, _HINTS.permission)
        return error


def _record(zone: str, one: _Record, default_ttl: int) -> Record:
    name = full_name(zone, one.name)
    value = record_value(one.type, _zone_file_text(one))
    details: dict[str, Any] = {} if one.ttl_sec else {"default_ttl": default_ttl}
    if one.type in ("A", "AAAA", "CNAME") and one.target != value:
        details["written"] = one.target
    return Record(name=name, type=one.type, ttl=one.ttl_sec or default_ttl, value=value, details=details)


def _zone_file_text(one: _Record) -> str:
    """The record's data as a zone file has it. Names are absolute, with or without a final dot."""
    absolute = one.target.rstrip(".") + "."
    match one.type:
        case "TXT":
            # Linode splits it itself into strings of 255 (techdocs.akamai.com/cloud-computing/docs/txt-records).
            return text_value(one.target)
        case "MX":
            return f"{one.priority or 0} {absolute}"
        case "SRV":
            return f"{one.priority or 0} {one.weight or 0} {one.port or 0} {absolute}"
        case "CAA":
            return f'0 {one.tag} "{one.target}"'
        case "NS" | "PTR":
            return absolute
    return one.target


class _Type(HttpProviderType):
    label = "Linode (Akamai Cloud)"
    tested = "a simulator that answers recorded requests as Linode did"
    options = LinodeOptions
    needs = (
        SecretField(
            name="token",
            label="Personal access token",
            help=_MAKE_TOKEN,
            link="https://cloud.linode.com/profile/tokens",
            permission="Domains: Read/Write (domains:read_write); no access to anything else",
            pattern=r"[0-9A-Za-z]{64}",
            example="03d084436a6c91fbafd5c4b20c82e5056a2e9ce1635920c30dc8d81dc7a6665c",
        ),
    )
    provider = Linode


PROVIDER = _Type
