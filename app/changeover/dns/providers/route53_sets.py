"""Record sets as Amazon Route 53 writes them in XML, and as Changeover has them
(docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSet).

Names have octal escapes, such as \\052 for an asterisk (…/latest/DeveloperGuide/DomainNameFormat). All that a set has
beside its name, type, TTL and values makes name servers answer otherwise than these say: a routing policy, an alias, a
traffic policy, a health check. It is kept in `details`, as it was sent, and so is the notation of a value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any
from xml.etree import ElementTree

import msgspec
from msgspec import Meta, Struct

from changeover.dns.http.notation import as_written, record_value, written_value
from changeover.dns.http.provider import Replacement
from changeover.model.dns.records import ADDRESS_TYPES, RecordSet

MOST_TTL = 2**31 - 1
#: Alias sets have no TTL: name servers give that of the target, which is 60 seconds for most of Amazon's services.
ALIAS_TTL = 60

_NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/"
_PLAIN = {"Name", "Type", "TTL", "ResourceRecords"}
#: The element that makes a routing policy, and its name for people (DeveloperGuide/routing-policy).
_POLICIES = {
    "Weight": "weighted",
    "Region": "latency",
    "GeoLocation": "geolocation",
    "GeoProximityLocation": "geoproximity",
    "Failover": "failover",
    "MultiValueAnswer": "multivalue answer",
    "CidrRoutingConfig": "IP-based",
    "AZAffinity": "AZ-affinity",
}


class _Record(Struct, frozen=True, rename="pascal"):
    value: str


class _AliasTarget(Struct, frozen=True):
    target: str = msgspec.field(name="DNSName")


class _Set(Struct, frozen=True, rename="pascal"):
    name: Annotated[str, Meta(min_length=1, max_length=1024)]
    type: Annotated[str, Meta(pattern=r"^[A-Z0-9]{1,16}$")]
    ttl: Annotated[int, Meta(ge=0, le=MOST_TTL)] = msgspec.field(default=ALIAS_TTL, name="TTL")
    resource_records: tuple[_Record, ...] = ()
    alias_target: _AliasTarget | None = None
    traffic_policy_instance_id: str = ""


def record_set_of(sent: dict[str, Any]) -> RecordSet:
    """One set. msgspec.ValidationError where it makes no sense."""
    one = msgspec.convert(sent, _Set, strict=False)
    routing = {key: value for key, value in sent.items() if key not in _PLAIN}
    leads_to = one.alias_target.target if one.alias_target is not None else one.traffic_policy_instance_id
    if leads_to:
        # Its answers are those of something else. There may be one for A and one for AAAA: `routing` says which it is.
        rtype = "ALIAS" if one.type in ADDRESS_TYPES else one.type
        routing = {"Type": one.type, **routing}
        written = {record_value("ALIAS", leads_to): leads_to}
    else:
        rtype = one.type
        written = {_value(rtype, record.value): record.value for record in one.resource_records}
    if not written:
        raise msgspec.ValidationError(f"{one.name} {one.type} has no values")
    details: dict[str, dict[str, Any]] = {}
    for value, text in written.items():
        notes: dict[str, Any] = {"routing": routing} if routing else {}
        notes |= {"written": text} if text != written_value(rtype, value) else {}
        if notes:
            details[value] = notes
    return RecordSet(
        name=plain_name(one.name),
        type=rtype,
        ttl=one.ttl,
        values=tuple(sorted(written)),
        details=details,
        opaque=bool(leads_to),
    )


def routing_words(record: RecordSet) -> str | None:
    """Why name servers answer otherwise than the set says, None where they do not."""
    value, notes = next(iter(record.details.items()), ("", {}))
    routing = notes.get("routing")
    if not routing:
        return None
    rtype = routing.get("Type", record.type)
    if "TrafficPolicyInstanceId" in routing:
        return f"{rtype} records that a traffic policy makes"
    parts = [f"{name} routing" for element, name in _POLICIES.items() if element in routing]
    if "AliasTarget" in routing:
        watched = routing["AliasTarget"].get("EvaluateTargetHealth") == "true"
        parts.append(f"an alias of {value}{', whose health is evaluated' if watched else ''}")
    if "HealthCheckId" in routing:
        parts.append("a health check")
    if not parts:
        parts.append(f"more to it than Changeover knows: {', '.join(sorted(routing))}")
    identifier = routing.get("SetIdentifier")
    named = f" (set “{' '.join(str(identifier).split())}”)" if identifier is not None else ""
    return f"{rtype} records with {' and '.join(parts)}{named}"


def written_name(name: str) -> str:
    escaped = re.sub(r"[^a-z0-9._-]", lambda found: f"\\{ord(found[0]):03o}", name)
    return f"{escaped}."


def plain_name(written: str) -> str:
    """The name without escapes, but for those of a dot and a backslash, which end no label and begin no escape."""

    def decoded(found: re.Match[str]) -> str:
        character = chr(int(found[1], 8))
        return found[0] if character in ".\\" else character

    return re.sub(r"\\([0-3][0-7]{2})", decoded, written).removesuffix(".").lower()


def batch_of(replacements: Sequence[Replacement]) -> bytes:
    """The body of ChangeResourceRecordSets: what goes before what comes, since a CNAME stands alone."""
    root = ElementTree.Element("ChangeResourceRecordSetsRequest", xmlns=_NAMESPACE)
    batch = ElementTree.SubElement(root, "ChangeBatch")
    _add_text(batch, "Comment", "Changeover")
    changes = ElementTree.SubElement(batch, "Changes")
    for one in replacements:
        if one.before is not None:
            _add(changes, "DELETE", one.before)
    for one in replacements:
        if one.after is not None:
            _add(changes, "CREATE", one.after)
    encoded: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return encoded


def _add(changes: ElementTree.Element, action: str, record: RecordSet) -> None:
    """One change. Route 53 wants the elements in this order."""
    change = ElementTree.SubElement(changes, "Change")
    _add_text(change, "Action", action)
    one = ElementTree.SubElement(change, "ResourceRecordSet")
    _add_text(one, "Name", written_name(record.name))
    _add_text(one, "Type", record.type)
    _add_text(one, "TTL", str(record.ttl))
    records = ElementTree.SubElement(one, "ResourceRecords")
    for value in record.values:
        _add_text(ElementTree.SubElement(records, "ResourceRecord"), "Value", as_written(record, value))


def _add_text(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, name).text = text


def _value(rtype: str, text: str) -> str:
    """Escapes in a text are octal, unlike those of a zone file, so it is left as it is."""
    return text if rtype in ("TXT", "SPF") else record_value(rtype, text)
