"""deSEC, by its API v1 (desec.readthedocs.io/en/latest/dns/rrsets.html).

One batch is one PATCH of rrsets/ with all record sets of it; those to be deleted have no records. Bulk operations are
atomic: all given record sets are accepted and published, or none (…/rrsets.html#atomicity). A name's type may change
in one batch. Every name server gets the change by a zone transfer of its own, so not all of them show it at once.

There is no compare-and-set. The names are read again right before the PATCH. A text is kept in the same way, by
replacing the name's whole TXT set: two that create one at the same moment can both be told that it is theirs, so this
is no ground for leases.

The least TTL is the domain's minimum_ttl, nearly always 3600 seconds; support lowers it on request
(…/domains.html#domain-field-reference). Where it did, the account says so with `minimum_ttl`, and a domain that takes
less than that is refused as soon as it is read. The most is 604800. There is no ALIAS, and no CNAME at the apex
(…/rrsets.html#restricted-types).

Lists have pages of 500, found by the Link header (…/rrsets.html#pagination). Reading is limited to 10 requests a second
and 50 a minute, writing to 2 a second, 15 a minute, 100 an hour and 300 a day for each domain; an answer 429 says in
Retry-After how long to wait (…/rate-limits.html). A token may read everything in its account, and what it may write
only a token that manages tokens can see (…/auth/tokens.html): `verify` cannot tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from changeover.dns.http.api import Api, ApiAnswer, Hints, Query, next_page, pages, segment
from changeover.dns.http.notation import as_written, full_name, record_value, relative_name, written_value
from changeover.dns.http.provider import (
    ENDPOINT,
    TIMEOUT,
    HttpProvider,
    HttpProviderType,
    Reason,
    Replacement,
    Zone,
    texts_in,
)
from changeover.model.dns.capabilities import BatchLimit, Capabilities, Lag
from changeover.model.dns.records import AddressSet, RecordSet, address_set
from changeover.model.errors import NotFound, Rejected
from changeover.model.secret import Secret
from changeover.model.settings.account_fields import Option, SecretField

#: The documentation names no limit for a bulk request. Few services have as many records as this.
BATCH_RECORDS = 500
LEAST_TTL, MOST_TTL = 3600, 604800

_MAKE_TOKEN = "Make a token at desec.io, Token Management, without further permissions"
_HINTS = Hints(
    credential=f"{_MAKE_TOKEN}, and add it with: changeover account add NAME … --replace",
    permission="Give the token a policy for this domain with write permission, and look at its allowed subnets"
    " (desec.io, Token Management).",
    missing="Look at the domain's name, and at which account the token belongs to (desec.io).",
    refused="Look at the records of these names at desec.io.",
)

_T = TypeVar("_T")


class DesecOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """The account's keys in the settings file."""

    endpoint: Annotated[str, ENDPOINT] = "https://desec.io/api/v1"
    minimum_ttl: Annotated[
        int, Option("Least TTL", "minimum_ttl in seconds, as deSEC shows it for the account's domains", "60")
    ] = LEAST_TTL


class _Domain(Struct, frozen=True):
    name: str


class _Rules(Struct, frozen=True):
    """What a domain takes."""

    minimum_ttl: int = 0


class _Set(Struct, frozen=True):
    subname: str
    type: str
    ttl: Annotated[int, Meta(ge=0, le=2**32 - 1)]
    records: tuple[str, ...]


class Desec(HttpProvider[DesecOptions]):
    """One account's domains. Implements changeover.dns.provider.Provider."""

    hints = _HINTS

    def __init__(
        self, account: str, options: DesecOptions, secrets: Mapping[str, Secret], timeout: float = TIMEOUT
    ) -> None:
        super().__init__(account, options, secrets, timeout)
        self.capabilities = Capabilities(
            label="deSEC",
            batch=BatchLimit(records=BATCH_RECORDS),
            native_compare_and_set=False,
            propagates_atomically=False,
            least_ttl=options.minimum_ttl,
            lag=Lag(60.0, "GET /domains/{name}/rrsets/"),
        )
        self._seen: set[str] = set()

    async def _read(self, zone: str, names: Sequence[str]) -> Zone:
        await self._check_zone(zone)
        path = f"/domains/{segment(zone)}/rrsets/"
        every = await self._list(path, {}, _Set, most_pages=len(names)) if len(names) > 1 else None
        sets = every
        if sets is None:
            sets = [
                s for name in names for s in await self._list(path, {"subname": relative_name(zone, name)}, _Set) or ()
            ]
        found: dict[str, list[RecordSet]] = {}
        for one in sets:
            name = full_name(zone, one.subname)
            found.setdefault(name, []).append(_record_set(name, one))
        return Zone(found, whole=every is not None)

    async def _check_zone(self, zone: str) -> None:
        """Once for each domain: is it there, and does it take the TTLs that the account promises?"""
        if zone in self._seen:
            return
        answer = await self._api.call("GET", f"/domains/{segment(zone)}/")
        if answer.status == 404:
            raise NotFound(f"deSEC shows no domain {zone} to account {self.account}", _HINTS.missing)
        least = self._api.decoded(self._accepted(answer).content, _Rules).minimum_ttl
        if least > self._options.minimum_ttl:
            raise Rejected(
                f"deSEC takes no TTL below {least} s in {zone}; account {self.account} has"
                f" minimum_ttl = {self._options.minimum_ttl}",
                f"Set minimum_ttl = {least} in the account, or ask deSEC's support for a lower one.",
            )
        self._seen.add(zone)

    async def _write(self, zone: str, replacements: Sequence[Replacement]) -> None:
        body = [_patch(zone, replacement) for replacement in replacements]
        self._accepted(await self._api.call("PATCH", f"/domains/{segment(zone)}/rrsets/", body=body))

    def normalize(self, zone: str, before: AddressSet, after: AddressSet) -> AddressSet:
        """The TTL becomes one that the domain takes."""
        return address_set(
            msgspec.structs.replace(r, ttl=min(max(r.ttl, self._options.minimum_ttl), MOST_TTL)) for r in after
        )

    async def zones(self) -> tuple[str, ...]:
        found = await self._retried(lambda: self._list("/domains/", {}, _Domain))
        return tuple(domain.name for domain in found or ())

    async def _list(self, path: str, query: Query, of: type[_T], most_pages: int | None = None) -> list[_T] | None:
        """All pages of a list, or None where it has more than `most_pages`."""

        async def page(further: Query) -> tuple[list[_T], Query | None]:
            answer = self._accepted(await self._api.call("GET", path, {**query, "cursor": "", **further}))
            found = self._api.decoded(answer.content, list[of])  # type: ignore[valid-type]
            following = next_page(answer.headers)
            return found, None if following is None else {"cursor": following.get("cursor", "")}

        return await pages(page, most_pages)

    def _connect(self) -> Api:
        token = self._secret("token", "deSEC token")
        return Api(self._options.endpoint, {"Authorization": token.after("Token ")}, self._timeout)

    def _reason(self, answer: ApiAnswer) -> Reason:
        """An object of texts by field, or a list of such objects, one for each record set of a batch."""
        fault = self._api.decoded(answer.content, dict[str, Any] | list[Any] | str)  # type: ignore[arg-type]
        return Reason("; ".join(texts_in(fault, ("detail", "non_field_errors"))))


def _record_set(name: str, one: _Set) -> RecordSet:
    values = {record_value(one.type, text): text for text in one.records}
    details = {v: {"written": text} for v, text in values.items() if text != written_value(one.type, v)}
    return RecordSet(name=name, type=one.type, ttl=one.ttl, values=tuple(sorted(values)), details=details)


def _patch(zone: str, replacement: Replacement) -> dict[str, Any]:
    """The record set as a bulk PATCH takes it; without records it is deleted."""
    place = {"subname": relative_name(zone, replacement.name), "type": replacement.type}
    after = replacement.after
    if after is None:
        return {**place, "records": []}
    records = [as_written(after, v) for v in after.values]
    return {**place, "ttl": after.ttl, "records": records}


class _Type(HttpProviderType):
    label = "deSEC"
    tested = "a simulator that answers recorded requests as deSEC did"
    options = DesecOptions
    needs = (
        SecretField(
            name="token",
            label="API token",
            help=_MAKE_TOKEN,
            link="https://desec.io/tokens",
            permission="a policy that may write this domain; no other permission",
            pattern=r"[A-Za-z0-9_-]{28}",
            example="i-T3b1h_OI-H9ab8tRS98stGtURe",
        ),
    )
    provider = Desec

    @classmethod
    def faults(cls, options: DesecOptions) -> list[tuple[str, str]]:
        found = super().faults(options)
        if not 1 <= options.minimum_ttl <= MOST_TTL:
            found.append(("minimum_ttl", "the domain's minimum_ttl in seconds, nearly always 3600"))
        return found


PROVIDER = _Type
