"""What DNS providers have in common where each record has an address of its own: one request creates it, one replaces
it in place, and one deletes it.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from msgspec import Struct

from changeover.dns.http.api import Query, pages, segment
from changeover.dns.http.notation import carried_over, relative_name
from changeover.dns.http.record_by_record import Record, RecordByRecord
from changeover.model.dns.records import AddressSet, address_set
from changeover.model.errors import NotFound, Unavailable

_T = TypeVar("_T", covariant=True)
_Options = TypeVar("_Options", bound=Struct)


class ListPage(Protocol[_T]):
    """One page of a list."""

    @property
    def items(self) -> tuple[_T, ...]: ...

    @property
    def following(self) -> Query | None:
        """What asks for the next page; None on the last."""

    @property
    def total(self) -> int | None:
        """How many there are on all pages, where that is told."""


class RestRecords(RecordByRecord[_Options], Generic[_Options]):
    """A provider says what of a record its API takes, and where a zone's records are if not at /domains/ZONE/records.

    `update` is the method that replaces a record, `apex` how the API calls the zone itself.
    """

    update: ClassVar[str] = "PATCH"
    apex: ClassVar[str] = ""

    @abstractmethod
    def _content(self, record: Record) -> dict[str, Any]:
        """What of a record can be changed, as the API takes it."""

    def _path(self, zone: str) -> str:
        return f"/domains/{segment(zone)}/records"

    async def _create(self, zone: str, record: Record) -> None:
        name = relative_name(zone, record.name) or self.apex
        body = {"type": record.type, "name": name, **self._content(record)}
        self._accepted(await self._api.call("POST", self._path(zone), body=body))

    async def _replace(self, zone: str, record_id: str, before: Record, after: Record) -> None:
        path = f"{self._path(zone)}/{record_id}"
        self._accepted(await self._api.call(self.update, path, body=self._content(after)))

    async def _delete(self, zone: str, record_id: str, record: Record) -> None:
        self._accepted(await self._api.call("DELETE", f"{self._path(zone)}/{record_id}"))

    def normalize(self, zone: str, before: AddressSet, after: AddressSet) -> AddressSet:
        """No TTL is below the least. A value that stays keeps the provider's notation of it."""
        least = self.capabilities.least_ttl
        return address_set(carried_over(before, record, max(record.ttl, least)) for record in after)

    async def _listed(
        self, zone: str, query: Query, of: type[ListPage[_T]], most_pages: int | None = None
    ) -> list[_T] | None:
        """All pages of the zone's records, or None where there are more than `most_pages`."""
        label = self.capabilities.label
        totals: set[int | None] = set()

        async def page(further: Query) -> tuple[tuple[_T, ...], Query | None]:
            found = await self._get(self._path(zone), {**query, **further}, of)
            totals.add(found.total)
            return found.items, found.following

        try:
            found = await pages(page, most_pages)
        except NotFound:
            raise NotFound(f"{label} shows no domain {zone} to account {self.account}", self.hints.missing) from None
        # Where a record of an earlier page comes or goes meanwhile, another is listed twice or left out.
        if len(totals) > 1:
            raise Unavailable(f"The records of {zone} changed while {label} listed them", "Try again.")
        return found

    async def _domains(self, query: Query, of: type[ListPage[str]]) -> tuple[str, ...]:
        """The names of all domains."""

        async def page(further: Query) -> tuple[tuple[str, ...], Query | None]:
            found = await self._get("/domains", {**query, **further}, of)
            return found.items, found.following

        names = await self._retried(lambda: pages(page)) or []
        return tuple(dict.fromkeys(name.lower() for name in names))
