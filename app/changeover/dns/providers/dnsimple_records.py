"""DNSimple's records, and the parts of requests that are about one (changeover.dns.providers.dnsimple)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from msgspec import Meta, Struct

from changeover.dns.http.notation import full_name, record_value, relative_name, text_value
from changeover.dns.http.record_by_record import Record, Step
from changeover.model.dns.records import ADDRESS_TYPES

LEAST_TTL = 60

#: Only of these are any ever written.
_WRITTEN_TYPES = (*ADDRESS_TYPES, "TXT")


class ZoneRecord(Struct, frozen=True):
    """One record as the API shows it. `parent_id`: it comes and goes with that record."""

    id: int
    name: str
    type: str
    content: str
    ttl: Annotated[int, Meta(ge=0, le=2**32 - 1)]
    priority: int | None = None
    regions: tuple[str, ...] = ()
    parent_id: int | None = None
    system_record: bool = False


def in_capitals(zone: str, records: Iterable[ZoneRecord]) -> dict[str, str]:
    """The names with capital letters, as they are spelled, by the names that they are in DNS."""
    spelled = (f"{one.name}.{zone}" for one in records if one.name)
    return {name.lower(): name for name in spelled if name != name.lower()}


def record_of(zone: str, one: ZoneRecord) -> Record:
    """The record with what an undo restores: the API's notation, and what stands beside the content."""
    value = record_value(one.type, _zone_file_text(one))
    details: dict[str, Any] = {}
    if one.type in _WRITTEN_TYPES:
        details |= {"written": one.content} if one.content != value else {}
        details |= {"priority": one.priority} if one.priority is not None else {}
        details |= {"regions": list(one.regions)} if one.regions not in ((), ("global",)) else {}
        details |= {"system": True} if one.system_record else {}
    return Record(name=full_name(zone, one.name), type=one.type, ttl=one.ttl, value=value, details=details)


def _zone_file_text(one: ZoneRecord) -> str:
    """The content with what a zone file has besides: quotes around a text, the priority before the rest."""
    text = one.content
    if one.type in ("TXT", "SPF") and not text.startswith('"'):
        return text_value(text)
    if one.type in ("MX", "SRV", "HTTPS", "SVCB") and one.priority is not None:
        apart = one.type in ("MX", "SRV") or not text.partition(" ")[0].isdecimal()
        return f"{one.priority} {text}" if apart else text
    return text


def _content(record: Record) -> dict[str, Any]:
    """What a request says of a record beside its name and type."""
    details = record.details
    body = {"content": details.get("written", record.value), "ttl": record.ttl}
    return body | {key: details[key] for key in ("priority", "regions") if key in details}


def created(zone: str, record: Record) -> dict[str, Any]:
    """What creates it."""
    return {"name": relative_name(zone, record.name), "type": record.type, **_content(record)}


def updated(before: Record, after: Record) -> dict[str, Any]:
    """What makes `after` of `before` in place. Regions end, unless `after` has some."""
    body = _content(after)
    return {"regions": ["global"], **body} if "regions" in before.details else body


def operation(zone: str, step: Step) -> tuple[str, dict[str, Any]]:
    """One operation of a batch, with the list that it goes into."""
    if step.before is None:
        assert step.after is not None
        return "creates", created(zone, step.after)
    if step.after is None:
        return "deletes", {"id": int(step.record_id)}
    return "updates", {"id": int(step.record_id), **updated(step.before, step.after)}
