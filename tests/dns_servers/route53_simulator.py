"""Amazon Route 53's API 2013-04-01 for hosted zones and record sets, documented and recorded, on a loopback port.

What is marked "recorded" is seen in recorded traffic of the real API and compared with it by the tests; "seen" is what
people quote of its answers in public; everything else names the page of docs.aws.amazon.com/Route53/latest/. It answers
no DNS queries.
"""

from __future__ import annotations

import copy
import ipaddress
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree

from dns_servers.http_simulator import Answer, HttpSimulator

PREFIX = "/2013-04-01"
NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/"
KEY_ID = "AKIAIOSFODNN7EXAMPLE"
#: APIReference/API_ListResourceRecordSets, API_ListHostedZones
MOST_SETS, MOST_ZONES = 300, 100
#: DeveloperGuide/DNSLimitations#limits-api-requests-changeresourcerecordsets
MOST_RECORDS, MOST_CHARACTERS = 1000, 32_000
#: APIReference/API_ResourceRecordSet
TYPES = (
    *("A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV", "SSHFP", "SVCB"),
    *("TLSA", "TXT"),
)
#: The order in which a request must have them (APIReference/API_ChangeResourceRecordSets).
ELEMENTS = (
    *("Name", "Type", "SetIdentifier", "Weight", "Region", "GeoLocation", "Failover", "MultiValueAnswer", "TTL"),
    *("ResourceRecords", "AliasTarget", "HealthCheckId", "TrafficPolicyInstanceId", "CidrRoutingConfig"),
    *("GeoProximityLocation", "AZAffinity"),
)
#: What is one element for each member of a list.
_MEMBERS = {"HostedZones": "HostedZone", "ResourceRecordSets": "ResourceRecordSet", "ResourceRecords": "ResourceRecord"}

Fields = dict[str, Any]
Key = tuple[str, str, str]


class Refusal(Exception):
    """An answer that says no: nothing was changed."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


class HostedZone:
    """One hosted zone; its record sets by name, type and set identifier."""

    def __init__(self, zone_id: str, name: str, private: bool = False, linked: str = "") -> None:
        self.id, self.name, self.private, self.linked = zone_id, name, private, linked
        self.sets: dict[Key, Fields] = {}
        # Names and types that nobody may change (DeveloperGuide/rrset-protection).
        self.protected: set[tuple[str, str]] = set()

    @property
    def written_name(self) -> str:
        return written(self.name)

    def in_order(self) -> list[Fields]:
        """By name with the labels reversed, type, identifier (APIReference/API_ListResourceRecordSets)."""
        return [self.sets[key] for key in sorted(self.sets, key=_place)]


class Route53Simulator(HttpSimulator):
    """An AWS account with some public hosted zones. Without `secret` it takes any request, signed or not.

    `denied` has the actions that its user may not do; `pending` is how often GetChange says PENDING of a new change.
    """

    def __init__(self, zones: Iterable[str], secret: str | None = None, first_id: str = "Z000001") -> None:
        super().__init__()
        self.zones: dict[str, HostedZone] = {}
        self.secret = secret
        self.denied: set[str] = set()
        self.pending = 0
        self.changes: dict[str, int] = {}
        self._next = (first_id[:-6] + f"{int(first_id[-6:]) + n:06}" for n in itertools.count())
        for name in zones:
            self.create_zone(name)

    @property
    def endpoint(self) -> str:
        return f"{self.address}{PREFIX}"

    # What tests do behind the API's back.

    def create_zone(self, name: str, zone_id: str | None = None, **how: Any) -> HostedZone:
        """With the record sets that Route 53 itself creates (DeveloperGuide/SOA-NSrecords)."""
        with self.lock:
            zone = HostedZone(zone_id or next(self._next), name, **how)
            self.zones[zone.id] = zone
            self._store(zone, name, "NS", 172800, ["ns-1.awsdns-01.org.", "ns-2.awsdns-02.com."])
            self._store(
                zone, name, "SOA", 900, ["ns-1.awsdns-01.org. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"]
            )
            return zone

    def zone(self, name: str) -> HostedZone:
        return next(zone for zone in self.zones.values() if zone.name == name)

    def add(self, zone: str, name: str, rtype: str, ttl: int, value: str) -> None:
        """Adds a record to its set, whose TTL becomes this one."""
        with self.lock:
            there = self.zone(zone)
            former = there.sets.get((written(name), rtype, ""), {"ResourceRecords": []})
            self._store(there, name, rtype, ttl, [*former["ResourceRecords"], value])

    def put(self, zone: str, name: str, rtype: str, **elements: Any) -> None:
        """A set with any elements; ResourceRecords as a list of texts."""
        fields = {"Name": written(name), "Type": rtype, **elements}
        fields = {key: fields[key] for key in ELEMENTS if key in fields}
        with self.lock:
            self.zone(zone).sets[_key(fields)] = fields

    def remove(self, zone: str, name: str, rtype: str) -> None:
        with self.lock:
            self.zone(zone).sets.pop((written(name), rtype, ""), None)

    def content(self, zone: str) -> list[Fields]:
        """All record sets of the zone but those that Route 53 itself made."""
        with self.lock:
            there = self.zone(zone)
            own = [(there.written_name, rtype) for rtype in ("NS", "SOA")]
            return [copy.deepcopy(one) for one in there.in_order() if (one["Name"], one["Type"]) not in own]

    @staticmethod
    def _store(zone: HostedZone, name: str, rtype: str, ttl: int, values: list[str]) -> None:
        fields = {"Name": written(name), "Type": rtype, "TTL": ttl, "ResourceRecords": values}
        zone.sets[_key(fields)] = fields

    # The API.

    def _answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        try:
            if self.secret is not None:
                self._authenticate(method, target, headers, body)
            parts = urlsplit(target)
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            path = [p for p in parts.path.removeprefix(PREFIX).split("/") if p]
            return self._route(method, path, query, body)
        except Refusal as refusal:
            error = {"Type": "Sender", "Code": refusal.code, "Message": refusal.message}  # seen
            return _xml(refusal.status, "ErrorResponse", {"Error": error, "RequestId": "b25f48e8-84fd-11e6-80d9"})

    def _authenticate(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> None:
        """By the signer of Amazon's own library (docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html)."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        form = r"AWS4-HMAC-SHA256 Credential=(\w+)/(\d{8})/us-east-1/route53/aws4_request, SignedHeaders=([\w;-]+),"
        found = re.fullmatch(form + r" Signature=([0-9a-f]{64})", headers.get("authorization", ""))
        if found is None:
            raise Refusal(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
        key_id, _, signed, signature = found.groups()
        if key_id != KEY_ID:
            raise Refusal(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
        moment = headers["x-amz-date"]
        late = datetime.now(UTC) - datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if abs(late) > timedelta(minutes=5):
            what = "expired" if late > timedelta() else "not yet current"
            raise Refusal(403, "SignatureDoesNotMatch", f"Signature {what}: {moment} is not now")  # seen
        names = signed.split(";")
        if not {"host", "x-amz-date"} <= set(names):
            raise Refusal(403, "IncompleteSignature", "'Host' and 'X-Amz-Date' must be signed")
        request = AWSRequest(
            method, f"http://{headers['host']}{target}", {name: headers[name] for name in names}, data=body
        )
        request.context["timestamp"] = moment
        assert self.secret is not None
        signer = SigV4Auth(Credentials(KEY_ID, self.secret), "route53", "us-east-1")
        if signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request) != signature:
            raise Refusal(
                403,
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided.",
            )

    def _route(self, method: str, path: list[str], query: dict[str, str], body: bytes) -> Answer:
        match method, path:
            case "GET", ["hostedzonesbyname"]:
                self._allowed("ListHostedZonesByName")
                return self._zones_by_name(query)
            case "GET", ["hostedzone"]:
                self._allowed("ListHostedZones")
                return self._all_zones(query)
            case "GET", ["hostedzone", zone_id, "rrset"]:
                self._allowed("ListResourceRecordSets")
                return self._sets(self._hosted(zone_id), query)
            case "POST", ["hostedzone", zone_id, "rrset"]:
                self._allowed("ChangeResourceRecordSets")
                return self._change(self._hosted(zone_id), body)
            case "GET", ["change", change_id]:
                self._allowed("GetChange")
                return self._get_change(change_id)
        raise Refusal(404, "UnknownOperationException", "")

    def _allowed(self, action: str) -> None:
        if action in self.denied:
            who = "User: arn:aws:iam::123456789012:user/changeover"
            raise Refusal(403, "AccessDenied", f"{who} is not authorized to perform: route53:{action}")  # seen

    def _hosted(self, zone_id: str) -> HostedZone:
        if zone_id not in self.zones:
            raise Refusal(404, "NoSuchHostedZone", f"No hosted zone found with ID: {zone_id}")  # seen
        return self.zones[zone_id]

    def _zones_by_name(self, query: dict[str, str]) -> Answer:
        """APIReference/API_ListHostedZonesByName"""
        most = _most(query, MOST_ZONES)
        start = (_place((written(query.get("dnsname", "").rstrip(".")), "", ""))[0], query.get("hostedzoneid", ""))
        places = {(_place((zone.written_name, "", ""))[0], zone.id): zone for zone in self.zones.values()}
        found = [places[place] for place in sorted(places) if "dnsname" not in query or place >= start]
        body: Fields = {"HostedZones": [_shown(zone) for zone in found[:most]]}
        body |= {"DNSName": written(query["dnsname"].rstrip("."))} if "dnsname" in query else {}
        body |= {"HostedZoneId": query["hostedzoneid"]} if "hostedzoneid" in query else {}
        body["IsTruncated"] = len(found) > most
        if len(found) > most:
            body |= {"NextDNSName": found[most].written_name, "NextHostedZoneId": found[most].id}
        return _xml(200, "ListHostedZonesByNameResponse", {**body, "MaxItems": most})

    def _all_zones(self, query: dict[str, str]) -> Answer:
        """APIReference/API_ListHostedZones"""
        most = _most(query, MOST_ZONES)
        ids = sorted(self.zones)
        start = ids.index(query["marker"]) if "marker" in query else 0
        found = [self.zones[zone_id] for zone_id in ids[start:]]
        body: Fields = {"HostedZones": [_shown(zone) for zone in found[:most]]}
        body |= {"Marker": query["marker"]} if "marker" in query else {}
        body["IsTruncated"] = len(found) > most
        body |= {"NextMarker": found[most].id} if len(found) > most else {}
        return _xml(200, "ListHostedZonesResponse", {**body, "MaxItems": most})

    def _sets(self, zone: HostedZone, query: dict[str, str]) -> Answer:
        """APIReference/API_ListResourceRecordSets"""
        if "type" in query and "name" not in query:
            raise Refusal(400, "InvalidInput", "The input is not valid")
        if query.get("type", "A") not in TYPES:
            raise Refusal(400, "InvalidInput", f"1 validation error detected: Value '{query['type']}' at 'type'")
        most = _most(query, MOST_SETS)
        start = _place((written(query.get("name", "")), query.get("type", ""), query.get("identifier", "")))
        found = [one for one in zone.in_order() if "name" not in query or _place(_key(one)) >= start]
        body: Fields = {"ResourceRecordSets": found[:most], "IsTruncated": len(found) > most}
        if len(found) > most:
            body |= {"NextRecordName": found[most]["Name"], "NextRecordType": found[most]["Type"]}
            if "SetIdentifier" in found[most]:
                body["NextRecordIdentifier"] = found[most]["SetIdentifier"]
        return _xml(200, "ListResourceRecordSetsResponse", {**body, "MaxItems": most})

    def _change(self, zone: HostedZone, body: bytes) -> Answer:
        """All or nothing; every fault of the batch is told (APIReference/API_ChangeResourceRecordSets)."""
        comment, changes = _changes(body)
        former, faults = dict(zone.sets), _faults(zone, changes)
        for action, one in changes if not faults else ():
            faults += _carry_out(zone, action, one)
        if faults:
            zone.sets = former
            raise Refusal(400, "InvalidChangeBatch", f"[{', '.join(faults)}]")  # recorded
        change_id = f"C{len(self.changes):020}"
        self.changes[change_id] = self.pending
        return self._change_info("ChangeResourceRecordSetsResponse", change_id, "PENDING", comment)

    def _get_change(self, change_id: str) -> Answer:
        """APIReference/API_GetChange"""
        if change_id not in self.changes:
            raise Refusal(404, "NoSuchChange", f"Could not find resource with ID: {change_id}")
        waits = self.changes[change_id]
        self.changes[change_id] = max(0, waits - 1)
        return self._change_info("GetChangeResponse", change_id, "PENDING" if waits else "INSYNC", None)

    def _change_info(self, root: str, change_id: str, status: str, comment: str | None) -> Answer:
        moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        info: Fields = {"Id": f"/change/{change_id}", "Status": status, "SubmittedAt": moment}
        info |= {"Comment": comment} if comment else {}
        return _xml(200, root, {"ChangeInfo": info})


def written(name: str) -> str:
    """In lower case, with escapes (DeveloperGuide/DomainNameFormat). What is escaped already stays."""
    escaped = re.sub(r"[^a-z0-9._\\-]", lambda found: f"\\{ord(found[0]):03o}", name.rstrip(".").lower())
    return f"{escaped}."


def _key(one: Fields) -> Key:
    return one["Name"], one["Type"], one.get("SetIdentifier", "")


def _place(key: Key) -> tuple[str, str, str]:
    """Where a set stands in a list: com.example.www. before com.example.www.sub. (the final dot counts)"""
    name, rtype, identifier = key
    return ".".join(reversed(name.rstrip(".").split("."))) + ".", rtype, identifier


def _shown(zone: HostedZone) -> Fields:
    shown: Fields = {
        "Id": f"/hostedzone/{zone.id}",
        "Name": zone.written_name,
        "CallerReference": "01f9750a-3dfe-4a6a-95fd-519b1359643f",
        "Config": {"Comment": "Test", "PrivateZone": zone.private},
        "ResourceRecordSetCount": len(zone.sets),
    }
    return shown | ({"LinkedService": {"ServicePrincipal": zone.linked}} if zone.linked else {})


def _most(query: dict[str, str], most: int) -> int:
    asked = query.get("maxitems", str(most))
    if not asked.isdecimal() or int(asked) < 1:
        raise Refusal(400, "InvalidInput", f"Invalid MaxItems {asked}")
    return min(int(asked), most)


def _changes(body: bytes) -> tuple[str | None, list[tuple[str, Fields]]]:
    """The request as data; InvalidInput where it is not as the documentation wants it."""

    def invalid(what: str) -> NoReturn:
        raise Refusal(400, "InvalidInput", f"Invalid XML ; {what}")

    def tag(element: ElementTree.Element) -> str:
        return element.tag.removeprefix(f"{{{NAMESPACE}}}")

    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        invalid(str(error))
    batch = root.find(f"{{{NAMESPACE}}}ChangeBatch")
    if tag(root) != "ChangeResourceRecordSetsRequest" or batch is None:
        invalid("no ChangeBatch")
    parts = {tag(part): part for part in batch}
    found: list[tuple[str, Fields]] = []
    for change in parts.get("Changes", ()):
        if [tag(one) for one in change] != ["Action", "ResourceRecordSet"]:
            invalid("a Change has an Action and a ResourceRecordSet")
        action, elements = change[0].text or "", change[1]
        names = [tag(one) for one in elements]
        if names != [name for name in ELEMENTS if name in names]:
            invalid(f"elements in this order: {names}")
        fields: Fields = {}
        for name, element in zip(names, elements, strict=True):
            if name == "ResourceRecords":
                fields[name] = [record[0].text or "" for record in element]
            else:
                fields[name] = {tag(one): one.text for one in element} if len(element) else element.text or ""
        if action not in ("CREATE", "DELETE", "UPSERT"):
            invalid(f"Action {action}")
        if fields["Type"] not in TYPES:
            invalid(f"Value '{fields['Type']}' failed to satisfy constraint: Member must satisfy enum value set")
        if ("TTL" in fields) != ("ResourceRecords" in fields) or not fields.get("ResourceRecords", ["alias"]):
            raise Refusal(  # seen
                400,
                "InvalidInput",
                "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or"
                f" TrafficPolicyInstanceId], but found none in Change with [Action={action}]",
            )
        if "TTL" in fields:
            if not re.fullmatch(r"\d{1,10}", fields["TTL"]) or int(fields["TTL"]) >= 2**31:
                invalid(f"TTL {fields['TTL']}")
            fields["TTL"] = int(fields["TTL"])
        fields["Name"] = written(fields["Name"])
        found.append((action, fields))
    if not found:
        invalid("no Change")
    return (parts["Comment"].text if "Comment" in parts else None), found


def _faults(zone: HostedZone, changes: Sequence[tuple[str, Fields]]) -> list[str]:
    """What is wrong with a batch whatever stands in the zone."""
    values = [value for _, one in changes for value in one.get("ResourceRecords", ())]
    twice = [value for action, one in changes if action == "UPSERT" for value in one.get("ResourceRecords", ())]
    if len(values) + len(twice) > MOST_RECORDS:
        return [f"Number of records limit of {MOST_RECORDS} exceeded."]
    if sum(map(len, [*values, *twice])) > MOST_CHARACTERS:
        return [f"Number of characters limit of {MOST_CHARACTERS} exceeded."]
    faults, seen = [], set()
    for action, one in changes:
        name, rtype, identifier = _key(one)
        if (action, name, rtype, identifier) in seen:
            faults.append(f"The request contains an invalid set of changes for a resource record set '{rtype} {name}'")
        seen.add((action, name, rtype, identifier))
        if name != zone.written_name and not name.endswith(f".{zone.written_name}"):
            faults.append(f"RRSet with DNS name {name} is not permitted in zone {zone.written_name}")
        if (name, rtype) in zone.protected:
            faults.append(f"The resource record set [name='{name}', type='{rtype}'] is protected")
        faults += [fault for value in one.get("ResourceRecords", ()) for fault in _value_faults(rtype, value)]
        if len(set(one.get("ResourceRecords", ()))) != len(one.get("ResourceRecords", ())):
            faults.append(f"Duplicate Resource Record: '{one['ResourceRecords'][0]}'")  # recorded
        if rtype == "CNAME" and len(one.get("ResourceRecords", ())) > 1:
            faults.append(f"RRSet of type CNAME with DNS name {name} has more than one record")
    return faults


def _value_faults(rtype: str, value: str) -> list[str]:
    """DeveloperGuide/ResourceRecordTypes"""
    try:
        if rtype == "A":
            ipaddress.IPv4Address(value)
        if rtype == "AAAA":
            ipaddress.IPv6Address(value)
    except ValueError:
        return [f"Invalid Resource Record: 'FATAL problem: ARRDATAIllegalIPv4Address encountered with '{value}''"]
    if rtype in ("TXT", "SPF") and not re.fullmatch(r'"[^"]{0,255}"( "[^"]{0,255}")*', value):
        what = "InvalidCharacterString (Value should be enclosed in quotation marks)"
        return [f"Invalid Resource Record: 'FATAL problem: {what} encountered with '{value}''"]
    return []


def _carry_out(zone: HostedZone, action: str, one: Fields) -> list[str]:
    """One change, and what is wrong with it as the zone stands now."""
    key = name, rtype, _ = _key(one)
    told = f"resource record set [name='{name}', type='{rtype}']"
    there = zone.sets.get(key)
    if action == "DELETE":
        if there is None:
            return [f"Tried to delete {told} but it was not found"]  # seen
        if _comparable(there) != _comparable(one):
            return [f"Tried to delete {told} but the values provided do not match the current values"]  # seen
        if name == zone.written_name and rtype in ("NS", "SOA"):
            return [f"A HostedZone must contain at least one NS record for the zone itself and exactly one {rtype}"]
        del zone.sets[key]
        return []
    if action == "CREATE" and there is not None:
        return [f"Tried to create {told} but it already exists"]  # seen
    others = {other for place, other, _ in zone.sets if place == name and other != rtype}
    if rtype == "CNAME" and name == zone.written_name:
        return [f"RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {name}"]  # seen
    if rtype == "CNAME" and others:
        return [  # seen
            f"RRSet of type CNAME with DNS name {name} is not permitted as it conflicts with other records with the"
            f" same DNS name in zone {zone.written_name}"
        ]
    if "CNAME" in others:
        return [  # seen
            f"RRSet of type {rtype} with DNS name {name} is not permitted because a conflicting RRSet of type CNAME"
            f" with the same DNS name already exists in zone {zone.written_name}"
        ]
    zone.sets[key] = one
    return []


def _comparable(one: Fields) -> Fields:
    """Values may come in any order."""
    return {**one, "ResourceRecords": sorted(one.get("ResourceRecords", ()))}


def _xml(status: int, root: str, body: Fields) -> Answer:
    element = ElementTree.Element(root, xmlns=NAMESPACE)
    _add(element, body)
    return Answer(status, (), b'<?xml version="1.0"?>\n' + ElementTree.tostring(element, encoding="utf-8"))


def _add(parent: ElementTree.Element, body: Fields) -> None:
    for name, value in body.items():
        element = ElementTree.SubElement(parent, name)
        if isinstance(value, dict):
            _add(element, value)
        elif isinstance(value, list):
            for one in value:
                _add(ElementTree.SubElement(element, _MEMBERS[name]), one if isinstance(one, dict) else {"Value": one})
        else:
            element.text = str(value).lower() if isinstance(value, bool) else str(value)
