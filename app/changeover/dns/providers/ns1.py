"""NS1 (IBM NS1 Connect), by its API v1 (nsone.net/api).

A record set is one "record" with "answers". It is changed one at a time: PUT creates it, POST changes what is given and
leaves the rest (so values and TTL go in one request), DELETE removes it. So a batch is not atomic.

What comes is created before what goes is deleted, also where a CNAME gives way to addresses or the other way round: NS1
lets these stand together for that, and answers A or AAAA before ALIAS before CNAME (help.ns1.com/hc/en-us/articles/
360020249033). So a name is never empty. Only HTTPS and SVCB, of which that page does not speak, go first and come last.
It advises to wait five minutes in between, since name servers may keep that a name was missing. A switch does not wait:
until the addresses are deleted, visitors of a new CNAME would still get them.

There is no compare-and-set. Everything is read again right before the write: the list of the zone, by pages of the
Link header (about 2,500 records), then each record at the names in question. Only the list tells which types stand at
a name; the search of the API finds what is similar, and is not used. A record has the address that it is listed under,
so a name with capital letters is written as it is listed; one that is listed in two spellings is refused. Texts are
kept by replacing the name's TXT record: two that create one at the same moment can both be told that it is theirs, so
this is no ground for leases.

What answers one visitor otherwise than another stops a switch: a filter chain, answer groups, data feeds; and so do
linked records and redirects, which have no answers of their own. What says nothing about the answer is kept, and put
back by an undo: metadata such as notes, tags, the use of the client's subnet, and what an ALIAS overrides.

An ALIAS may stand at the apex and beside other records, and is not handed on to other servers by zone transfer; a CNAME
may not stand at the apex (ibm.com/docs/en/ns1-connect?topic=answers-comparing-cname-alias-linked-records). There is no
least TTL; below 30 seconds many resolvers do not follow (ns1.com/articles/ttl-best-practices). A secondary zone is a
copy, and a linked zone shows another one's records: both are refused as soon as they are read.

Each endpoint has its own number of requests for a period, told in headers, and they come back evenly (help.ns1.com/hc/
en-us/articles/360020250573). Only a key that manages keys can see what keys may do: `verify` cannot tell.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, TypeVar

from msgspec import Meta, Struct

from changeover.dns.http.api import Api, ApiAnswer, Hints, Query, next_page, pages, segment
from changeover.dns.http.notation import carried_over, record_value, text_value, written_value
from changeover.dns.http.provider import ENDPOINT, TIMEOUT, HttpProvider, HttpProviderType, Reason, Replacement, Zone
from changeover.model.dns.capabilities import Capabilities, Lag
from changeover.model.dns.records import NAME_TYPES, AddressSet, RecordSet, address_set
from changeover.model.dns.txt_record import text_of
from changeover.model.errors import NotFound, Rejected
from changeover.model.secret import Secret
from changeover.model.settings.account_fields import SecretField

#: Made by NS1 itself (ibm.com/docs/en/ns1-connect?topic=answers-reference-dns-record-types).
_AUTOMATIC = ("SOA", "DNSKEY", "NSEC", "NSEC3", "RRSIG")
#: Types whose answer NS1's web servers give.
_REDIRECTS = ("REDIRECT", "URLFWD")

_MAKE_KEY = "Make an API key at my.nsone.net, Settings, Users & teams, API keys"
_HINTS = Hints(
    credential=f"{_MAKE_KEY}, and add it with: changeover account add NAME … --replace",
    permission="Give the key access to this zone, with the permissions to view and to manage zones, and look at its IP"
    " allow list (my.nsone.net, Users & teams, API keys).",
    missing="Look at the zone's name, and at which zones the key may see (my.nsone.net).",
    refused="Look at the records of these names at my.nsone.net.",
)

_T = TypeVar("_T")
_Seconds = Annotated[int, Meta(ge=0, le=2**32 - 1)]


class Ns1Options(Struct, frozen=True, forbid_unknown_fields=True):
    """The account's keys in the settings file."""

    endpoint: Annotated[str, ENDPOINT] = "https://api.nsone.net/v1"


class _Listed(Struct, frozen=True):
    domain: str
    type: str


class _Secondary(Struct, frozen=True):
    enabled: bool = False


class _Zone(Struct, frozen=True):
    zone: str
    records: tuple[_Listed, ...] = ()
    link: str | None = None
    secondary: _Secondary | None = None


class _Answer(Struct, frozen=True):
    answer: Annotated[tuple[str | int, ...], Meta(min_length=1)]
    meta: dict[str, Any] | None = None
    feeds: tuple[Any, ...] | None = None
    region: str | None = None


class _Filter(Struct, frozen=True):
    filter: str = ""


class _Record(Struct, frozen=True):
    type: str
    ttl: _Seconds
    answers: tuple[_Answer, ...] = ()
    link: str | None = None
    filters: tuple[_Filter, ...] | None = None
    regions: dict[str, Any] | None = None
    meta: dict[str, Any] | None = None
    tags: dict[str, Any] | None = None
    blocked_tags: tuple[str, ...] | None = None
    use_client_subnet: bool | None = None
    override_ttl: bool | None = None
    override_address_records: bool | None = None


class _Fault(Struct, frozen=True):
    message: str


class Ns1(HttpProvider[Ns1Options]):
    """One account's zones. Implements changeover.dns.provider.Provider."""

    hints = _HINTS
    capabilities = Capabilities(
        label="NS1",
        batch=None,
        native_compare_and_set=False,
        propagates_atomically=False,
        apex_alias=True,
        lag=Lag(60.0, "GET /zones/{zone}/{domain}/{type}"),
    )

    def __init__(
        self, account: str, options: Ns1Options, secrets: Mapping[str, Secret], timeout: float = TIMEOUT
    ) -> None:
        super().__init__(account, options, secrets, timeout)
        # How each name that was read is spelled at NS1.
        self._spelled: dict[tuple[str, str], str] = {}

    async def _read(self, zone: str, names: Sequence[str]) -> Zone:
        listed = {(one.domain, one.type) for one in await self._listed(zone)}
        there = {domain.lower() for domain, _ in listed}
        wanted = {*names, *(f"*.{parent}" for name in names if name not in there for parent in _parents(name))}
        found: dict[str, list[RecordSet]] = {}
        spelled: dict[str, str] = {}
        for domain, rtype in sorted(listed):
            name = domain.lower()
            if name in wanted and rtype not in _AUTOMATIC:
                one = await self._record(zone, domain, rtype)
                if one is not None and (one.answers or one.link):
                    found.setdefault(name, []).append(_record_set(name, one))
                    other = spelled.setdefault(name, domain)
                    if other != domain:
                        raise Rejected(
                            f"NS1 has records at {other} and at {domain}, which are one name",
                            "Delete those of one spelling at my.nsone.net.",
                        )
        self._spelled.update({(zone, name): domain for name, domain in spelled.items()})
        return Zone(found, whole=True)

    async def _listed(self, zone: str) -> list[_Listed]:
        """All records of the zone, by name and type. Refuses a zone that is not the place where they are changed."""

        async def page(further: Query) -> tuple[Sequence[_Listed], Query | None]:
            answer = await self._api.call("GET", f"/zones/{segment(zone)}", further)
            if answer.status == 404:
                raise NotFound(f"NS1 shows no zone {zone} to account {self.account}", _HINTS.missing)
            there = self._api.decoded(self._accepted(answer).content, _Zone)
            if there.link:
                raise Rejected(
                    f"The zone {zone} at NS1 is linked to {self._api.words(there.link)}, and has no records of its own",
                    "Use the zone that it is linked to.",
                )
            if there.secondary and there.secondary.enabled:
                raise Rejected(
                    f"The zone {zone} at NS1 is a copy of the one on another server (a secondary zone)",
                    "Changes are made there: use an account for that server.",
                )
            return there.records, next_page(answer.headers)

        return await pages(page) or []

    async def _record(self, zone: str, domain: str, rtype: str) -> _Record | None:
        """One record; None where it went since it was listed."""
        answer = await self._api.call("GET", _path(zone, domain, rtype))
        if answer.status == 404:
            return None
        return self._api.decoded(self._accepted(answer).content, _Record)

    async def _write(self, zone: str, replacements: Sequence[Replacement]) -> None:
        await self._run_steps([self._step(zone, replacement) for replacement in sorted(replacements, key=_turn)])

    def _step(self, zone: str, replacement: Replacement) -> tuple[str, Callable[[], Awaitable[object]]]:
        before, after = replacement.before, replacement.after
        place = f"{replacement.type} at {replacement.name}"
        domain = self._spelled.get((zone, replacement.name), replacement.name)
        path = _path(zone, domain, replacement.type)
        if after is None:
            return f"{place} is deleted", partial(self._ask, "DELETE", path, None)
        if before is None:
            body = {"zone": zone, "domain": domain, "type": after.type, "ttl": after.ttl}
            body |= {"answers": _answers(after), **_kept(after)}
            return f"{place} is created", partial(self._ask, "PUT", path, body)
        changed: dict[str, Any] = {"ttl": after.ttl} if after.ttl != before.ttl else {}
        changed |= {"answers": _answers(after)} if _answers(after) != _answers(before) else {}
        return f"{place} is replaced", partial(self._ask, "POST", path, changed)

    async def _ask(self, method: str, path: str, body: object | None) -> None:
        self._accepted(await self._api.call(method, path, body=body))

    def normalize(self, zone: str, before: AddressSet, after: AddressSet) -> AddressSet:
        """ANAME becomes ALIAS. What is kept beside a record stays where its type stays, and beside a value with it."""
        return address_set(
            carried_over(before, record, record.ttl, ("meta", "written"), shared=("record",), alias=True)
            for record in after
        )

    def _policy(self, records: Sequence[RecordSet]) -> str | None:
        for record in records:
            if record.type in _REDIRECTS:
                return f"{record.type}, which sends visitors elsewhere"
        for record in address_set(records):
            for notes in record.details.values():
                if "policy" in notes:
                    return f"{record.type} {notes['policy']}"
        return None

    async def zones(self) -> tuple[str, ...]:
        async def page(further: Query) -> tuple[Sequence[_Zone], Query | None]:
            answer = self._accepted(await self._api.call("GET", "/zones", further))
            return self._api.decoded(answer.content, tuple[_Zone, ...]), next_page(answer.headers)

        found = await self._retried(lambda: pages(page))
        return tuple(zone.zone for zone in found or ())

    def _connect(self) -> Api:
        return Api(self._options.endpoint, {"X-NSONE-Key": self._secret("key", "NS1 API key")}, self._timeout)

    def _reason(self, answer: ApiAnswer) -> Reason:
        return Reason(self._api.decoded(answer.content, _Fault).message)

    def _pause(self, headers: Mapping[str, str]) -> float | None:
        """Until one more request is allowed: those of a period come back evenly."""
        limit, period = headers.get("x-ratelimit-limit", ""), headers.get("x-ratelimit-period", "")
        if not re.fullmatch(r"[1-9]\d{0,8}", limit) or not re.fullmatch(r"[1-9]\d{0,8}", period):
            return None
        return int(period) / int(limit)


def _turn(replacement: Replacement) -> int:
    """When its turn is: what answers is there before the other goes. Only that may stand beside a CNAME meanwhile."""
    goes = replacement.after is None
    if replacement.type in ("HTTPS", "SVCB"):
        return 0 if goes else 3
    return 2 if goes else 1


def _path(zone: str, domain: str, rtype: str) -> str:
    return "/zones/" + "/".join(segment(part) for part in (zone, domain, rtype))


def _parents(name: str) -> list[str]:
    labels = name.split(".")
    return [".".join(labels[start:]) for start in range(1, len(labels))]


def _record_set(name: str, one: _Record) -> RecordSet:
    """The record as a set. What belongs to all of it stands with each of its values."""
    common: dict[str, Any] = {"record": kept} if (kept := _beside(one)) else {}
    steering = _steering(one)
    common |= {"policy": steering} if steering else {}
    details: dict[str, dict[str, Any]] = {one.link: common} if one.link else {}
    for each in one.answers:
        value = _value(one.type, each.answer)
        notes = common | ({"meta": each.meta} if each.meta else {})
        details[value] = notes | (
            {"written": list(each.answer)} if list(each.answer) != _fields(one.type, value) else {}
        )
    return RecordSet(
        name=name,
        type=one.type,
        ttl=one.ttl,
        values=tuple(sorted(details)),
        details={value: notes for value, notes in details.items() if notes},
        opaque=one.type == "ALIAS" or bool(one.link),
    )


def _beside(one: _Record) -> dict[str, Any]:
    """What is kept with a record and does not change its answers, as far as it is not as in a new one."""
    kept: dict[str, Any] = {"meta": one.meta, "tags": one.tags, "blocked_tags": list(one.blocked_tags or ())}
    kept |= {"override_ttl": one.override_ttl, "override_address_records": one.override_address_records}
    found = {key: value for key, value in kept.items() if value}
    return found | ({"use_client_subnet": False} if one.use_client_subnet is False else {})


def _steering(one: _Record) -> str | None:
    """Why the record does not answer everybody with its answers, in words that follow its type."""
    if one.link:
        return f"linked to {one.link}, whose answers it gives"
    if one.filters:
        return f"with a filter chain ({', '.join(each.filter for each in one.filters)})"
    if one.regions or any(each.region for each in one.answers):
        return "with answer groups"
    if any(each.feeds or _has_feed(each.meta) for each in one.answers) or _has_feed(one.meta):
        return "with answers that follow a data feed"
    return None


def _has_feed(meta: Mapping[str, Any] | None) -> bool:
    return any(isinstance(value, dict) and "feed" in value for value in (meta or {}).values())


def _value(rtype: str, fields: Sequence[str | int]) -> str:
    """An answer, which NS1 keeps as a list of fields, as the zone file has it. Texts are in no quotes there."""
    if rtype != "TXT":
        return record_value(rtype, " ".join(str(field) for field in fields).strip())
    return text_value(*map(str, fields))


def _fields(rtype: str, value: str) -> list[str | int]:
    """The same value as the fields of an answer."""
    if rtype == "TXT":
        return [text_of(value)]
    if rtype in ("A", "AAAA", *NAME_TYPES):
        return [written_value(rtype, value)]
    return [*value.split(" ", 2)] if rtype in ("HTTPS", "SVCB") else [*value.split()]


def _answers(record: RecordSet) -> list[dict[str, Any]]:
    found = []
    for value in record.values:
        notes = record.details.get(value, {})
        one = {"answer": notes.get("written", _fields(record.type, value))}
        found.append(one | ({"meta": notes["meta"]} if "meta" in notes else {}))
    return found


def _kept(record: RecordSet) -> dict[str, Any]:
    return next((notes["record"] for notes in record.details.values() if "record" in notes), {})


class _Type(HttpProviderType):
    label = "NS1 (IBM NS1 Connect)"
    tested = "a simulator that answers recorded requests as NS1 did"
    options = Ns1Options
    needs = (
        SecretField(
            name="key",
            label="API key",
            help=_MAKE_KEY,
            link="https://my.nsone.net/#/account/settings/keys",
            permission="view and manage zones, for this zone only; no other permission",
            example="Aa1Bb2Cc3Dd4Ee5Ff6Gg",
        ),
    )
    provider = Ns1


PROVIDER = _Type
