"""Record sets as Azure DNS writes them in JSON, and as Changeover has them (learn.microsoft.com/rest/api/dns/).

Each type has its records under a key of its own, in a form of its own. Texts are JSON strings, one for each character
string. Metadata and Azure's own notation of a value are kept in `details`, so that an undo restores them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import dns.exception
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.TXT
from msgspec import Meta, Struct, field

from changeover.dns.http.notation import full_name, record_value
from changeover.model.dns.records import ADDRESS_TYPES, RecordSet

#: learn.microsoft.com/azure/dns/dns-zones-records
LEAST_TTL, MOST_TTL = 1, 2**31 - 1


class _Reference(Struct, frozen=True):
    id: str = ""


class _Ipv4(Struct, frozen=True):
    address: Annotated[str, Meta(max_length=100)] = field(name="ipv4Address")


class _Ipv6(Struct, frozen=True):
    address: Annotated[str, Meta(max_length=100)] = field(name="ipv6Address")


class _Cname(Struct, frozen=True):
    cname: str


class _Txt(Struct, frozen=True):
    value: tuple[str, ...]


class _Mx(Struct, frozen=True):
    preference: int
    exchange: str


class _Srv(Struct, frozen=True):
    priority: int
    weight: int
    port: int
    target: str


class _Caa(Struct, frozen=True):
    flags: int
    tag: str
    value: str


class _Ns(Struct, frozen=True):
    nsdname: str


class _Ptr(Struct, frozen=True):
    ptrdname: str


class _Properties(Struct, frozen=True, rename="camel"):
    ttl: Annotated[int, Meta(ge=0, le=MOST_TTL)] = field(name="TTL")
    provisioning_state: str = "Succeeded"
    metadata: dict[str, str] | None = None
    target_resource: _Reference | None = None
    traffic_management_profile: _Reference | None = None
    a: tuple[_Ipv4, ...] = field(name="ARecords", default=())
    aaaa: tuple[_Ipv6, ...] = field(name="AAAARecords", default=())
    cname: _Cname | None = field(name="CNAMERecord", default=None)
    txt: tuple[_Txt, ...] = field(name="TXTRecords", default=())
    mx: tuple[_Mx, ...] = field(name="MXRecords", default=())
    srv: tuple[_Srv, ...] = field(name="SRVRecords", default=())
    caa: tuple[_Caa, ...] = field(name="caaRecords", default=())
    ns: tuple[_Ns, ...] = field(name="NSRecords", default=())
    ptr: tuple[_Ptr, ...] = field(name="PTRRecords", default=())

    @property
    def alias(self) -> str:
        """The resource whose answer this is, empty where it has records of its own."""
        references = (self.target_resource, self.traffic_management_profile)
        return next((one.id for one in references if one is not None and one.id), "")

    def texts(self, rtype: str) -> list[str]:
        """The records as a zone file has them; none of a type that is not known here."""
        match rtype:
            case "A":
                return [one.address for one in self.a]
            case "AAAA":
                return [one.address for one in self.aaaa]
            case "CNAME":
                return [self.cname.cname] if self.cname is not None else []
            case "TXT":
                return [_text(one.value) for one in self.txt]
            case "MX":
                return [f"{one.preference} {one.exchange}" for one in self.mx]
            case "SRV":
                return [f"{one.priority} {one.weight} {one.port} {one.target}" for one in self.srv]
            case "CAA":
                return [f"{one.flags} {one.tag} {_text([one.value])}" for one in self.caa]
            case "NS":
                return [one.nsdname for one in self.ns]
            case "PTR":
                return [one.ptrdname for one in self.ptr]
        return []


class AzureSet(Struct, frozen=True):
    """One record set with its ETag."""

    name: str
    type: str
    etag: Annotated[str, Meta(pattern=r"\A[!-~]{1,200}\Z")]
    properties: _Properties


class AzureSets(Struct, frozen=True, rename="camel"):
    """One page of a list."""

    value: tuple[AzureSet, ...]
    next_link: str = ""


def _text(strings: Sequence[str]) -> str:
    """Character strings as a zone file has them."""
    try:
        octets = [one.encode() for one in strings]
        return dns.rdtypes.ANY.TXT.TXT(dns.rdataclass.IN, dns.rdatatype.TXT, octets).to_text()
    except (ValueError, dns.exception.DNSException):
        return " ".join(f'"{one}"' for one in strings)


def _strings(value: str) -> list[str] | None:
    """The character strings of a TXT record in a zone file, None where it has what none can have."""
    try:
        record = dns.rdata.from_text("IN", "TXT", value)
        return [one.decode() for one in record.strings]  # type: ignore[attr-defined]
    except (ValueError, dns.exception.DNSException):
        return None


def record_set(zone: str, one: AzureSet) -> RecordSet:
    """The set with what must be restored beside each value: metadata, and Azure's own notation of it."""
    rtype, there = one.type.rpartition("/")[2].upper(), one.properties
    values = {record_value(rtype, text): text for text in there.texts(rtype)}
    metadata: dict[str, Any] = {"metadata": there.metadata} if there.metadata else {}
    details = {value: dict(metadata) for value in values}
    for value, text in values.items():
        if rtype in ADDRESS_TYPES and text != value:
            details[value]["written"] = text
    for strings in (list(txt.value) for txt in there.txt if rtype == "TXT"):
        value = record_value("TXT", _text(strings))
        if _strings(value) != strings:
            details[value]["written"] = strings
    kept = {value: notes for value, notes in details.items() if notes}
    if there.alias:
        kept[""] = {"alias": there.alias}
    return RecordSet(
        name=full_name(zone, one.name),
        type=rtype,
        ttl=there.ttl,
        values=tuple(sorted(values)),
        details=kept,
        opaque=bool(there.alias),
    )


def body(record: RecordSet) -> dict[str, Any]:
    """The properties of a set as Azure takes them. ValueError for a type that is never written."""
    written = [record.details.get(value, {}).get("written", value) for value in record.values]
    metadata = next((notes["metadata"] for notes in record.details.values() if "metadata" in notes), None)
    common = {"TTL": record.ttl, **({"metadata": metadata} if metadata else {})}
    match record.type:
        case "A":
            return {**common, "ARecords": [{"ipv4Address": text} for text in written]}
        case "AAAA":
            return {**common, "AAAARecords": [{"ipv6Address": text} for text in written]}
        case "CNAME":
            return {**common, "CNAMERecord": {"cname": written[0]}}
        case "TXT":
            strings = [text if isinstance(text, list) else _strings(text) or [text] for text in written]
            return {**common, "TXTRecords": [{"value": one} for one in strings]}
    raise ValueError(f"Azure DNS has no {record.type} records here")
