"""Azure DNS, by the resource manager's API of 2018-05-01, and the endpoint for its access tokens, each on a loopback
port.

What is marked "recorded" is seen in recorded traffic of the real API and compared with it by the tests; everything else
is from learn.microsoft.com/rest/api/dns/ where no other page is named. It answers no DNS queries.
"""

from __future__ import annotations

import copy
import ipaddress
import json
import re
import secrets
import shlex
import time
import uuid
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from dns_servers.http_simulator import Answer, HttpSimulator

TENANT, CLIENT, SUBSCRIPTION = (f"{number}f2504e0-4f89-41d3-9a0c-0305e82c3301" for number in (1, 2, 3))
GROUP = "shop-dns"
SCOPE = "https://management.azure.com/.default"
#: Record sets on a page, where no other number is asked for.
PAGE = 100
#: The key of a type's records, and whether there can be several.
_KEYS = {
    **{rtype: (f"{rtype}Records", True) for rtype in ("A", "AAAA", "MX", "NS", "PTR", "SRV", "TXT")},
    "CAA": ("caaRecords", True),
    "CNAME": ("CNAMERecord", False),
    "SOA": ("SOARecord", False),
}
_READER = [{"actions": ["*/read"], "notActions": []}]
#: learn.microsoft.com/azure/role-based-access-control/built-in-roles/networking, DNS Zone Contributor
_CONTRIBUTOR = [{"actions": ["Microsoft.Authorization/*/read", "Microsoft.Network/dnsZones/*"], "notActions": []}]

Json = dict[str, Any]


class Refusal(Exception):
    """An answer that says no: nothing was changed. The resource manager has an envelope, Azure DNS has none."""

    def __init__(self, status: int, code: str, message: str, envelope: bool = False) -> None:
        super().__init__(message)
        self.status = status
        said = {"code": code, "message": message}
        self.body = {"error": said} if envelope else said


class TenantSimulator(HttpSimulator):
    """Gives access tokens to one app. Without a secret it takes any."""

    def __init__(self, secret: str | None = None, tenant: str = TENANT, client: str = CLIENT) -> None:
        super().__init__()
        self.secret = secret
        self.tenant = tenant
        self.client = client
        self.tokens: list[str] = []
        self.expires_in = 3599

    def _answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow"""
        form = dict(parse_qsl(body.decode()))
        path = urlsplit(target).path.split("/")[1:]
        if path[0] != self.tenant:
            return _fault(400, "invalid_request", f"AADSTS90002: Tenant '{path[0]}' not found.")
        if form.get("client_id") != self.client:
            return _fault(400, "unauthorized_client", "AADSTS700016: Application was not found in the directory.")
        if self.secret is not None and form.get("client_secret") != self.secret:
            return _fault(401, "invalid_client", "AADSTS7000215: Invalid client secret provided.")
        token = f"eyJ0eXAi.{secrets.token_urlsafe(24)}"
        self.tokens.append(token)
        seconds = self.expires_in
        if path[1:] == ["oauth2", "token"]:  # recorded: the first version of this endpoint
            now = int(time.time())
            texts = {"expires_in": seconds, "ext_expires_in": seconds, "expires_on": now + seconds, "not_before": now}
            more = {key: str(value) for key, value in texts.items()} | {"resource": form.get("resource", "")}
            return _json(200, {"token_type": "Bearer", "access_token": token, **more})
        if form.get("scope") != SCOPE:
            return _fault(400, "invalid_scope", "AADSTS70011: The provided value for 'scope' is not valid.")
        times = {"expires_in": seconds, "ext_expires_in": seconds}
        return _json(200, {"token_type": "Bearer", "access_token": token, **times})


class DnsZone:
    """One zone; its record sets by relative name in lower case and type."""

    def __init__(self, name: str, zone_type: str) -> None:
        self.name = name
        self.zone_type = zone_type
        self.permissions = copy.deepcopy(_CONTRIBUTOR)
        self.may_write = True
        self.locked = False
        self.etag = str(uuid.uuid4())
        self.sets: dict[tuple[str, str], Json] = {}


class AzureSimulator(HttpSimulator):
    """One resource group with some zones. Without a tenant it takes any token."""

    lagging = "dnsZones/[^/]+/[^/]"

    def __init__(
        self,
        zones: Iterable[str],
        tenant: TenantSimulator | None = None,
        subscription: str = SUBSCRIPTION,
        group: str = GROUP,
    ) -> None:
        super().__init__()
        self.lists_zones = True
        self.tenant = tenant
        self.subscription = subscription
        self.group = group
        self.zones: dict[str, DnsZone] = {}
        #: Where the next page is said to be; the path and the query are right.
        self.next_host: str | None = None
        for name in zones:
            self.create(name)

    # What tests do behind the API's back.

    def create(self, name: str, zone_type: str = "Public") -> DnsZone:
        zone = self.zones[name] = DnsZone(name, zone_type)
        servers = [
            f"ns{number}-05.azure-dns.{ending}." for number, ending in enumerate(("com", "net", "org", "info"), 1)
        ]
        self._store(zone, "@", "NS", {"TTL": 172800, "NSRecords": [{"nsdname": server} for server in servers]})
        times = {"expireTime": 2419200, "minimumTTL": 300, "refreshTime": 3600, "retryTime": 300, "serialNumber": 1}
        soa = {"email": "azuredns-hostmaster.microsoft.com", "host": servers[0], **times}
        self._store(zone, "@", "SOA", {"TTL": 3600, "SOARecord": soa})
        return zone

    def add(self, zone: str, name: str, rtype: str, ttl: int, *texts: str, **more: Any) -> None:
        """Adds records, written as in a zone file, to their set, whose TTL becomes this one."""
        with self.lock:
            there = self.zones[zone]
            key, several = _KEYS[rtype]
            former = there.sets.get((name.lower(), rtype), {"properties": {}})["properties"]
            made = [record_of(rtype, text) for text in texts]
            records = {key: [*former.get(key, []), *made] if several else made[-1]} if made else {}
            self._store(there, name, rtype, {**former, "TTL": ttl, **records, **more})

    def remove(self, zone: str, name: str, rtype: str) -> None:
        with self.lock:
            self.zones[zone].sets.pop((name.lower(), rtype), None)

    def sets(self, zone: str) -> list[Json]:
        """All record sets of a zone but its SOA and NS, without their ETags."""
        with self.lock:
            found = copy.deepcopy(list(self.zones[zone].sets.values()))
        for one in found:
            del one["etag"]
        return [one for one in found if one["name"] != "@" or one["type"].rpartition("/")[2] not in ("NS", "SOA")]

    # The API.

    def _answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        try:
            token = headers.get("authorization", "").removeprefix("Bearer ")
            if self.tenant is not None and token not in self.tenant.tokens:
                raise Refusal(401, "InvalidAuthenticationToken", "The access token is invalid.", envelope=True)
            parts = urlsplit(target)
            query = dict(parse_qsl(parts.query))
            path = [unquote(p) for p in parts.path.split("/") if p]
            return self._route(method, path, query, headers, json.loads(body) if body else None)
        except Refusal as refusal:
            return _json(refusal.status, refusal.body)

    def _route(
        self, method: str, path: list[str], query: dict[str, str], headers: Mapping[str, str], given: Any
    ) -> Answer:
        place = [part.lower() for part in path[:7]]
        wanted = ["subscriptions", self.subscription, "resourcegroups", self.group, "providers", "microsoft.network"]
        if place[:3] != [part.lower() for part in wanted[:3]]:
            words = f"The subscription '{path[1:2]}' could not be found."
            raise Refusal(404, "SubscriptionNotFound", words, envelope=True)
        if place[3:4] != [self.group.lower()]:
            raise Refusal(404, "ResourceGroupNotFound", "Resource group could not be found.", envelope=True)
        if "api-version" not in query:
            raise Refusal(400, "MissingApiVersionParameter", "The api-version query parameter is required.", True)
        if place[4:] != ["providers", "microsoft.network", "dnszones"]:
            raise Refusal(404, "InvalidResourceType", "The resource type could not be found.", envelope=True)
        match method, path[7:]:
            case "GET", []:
                if not self.lists_zones:  # a role on one zone alone
                    raise Refusal(403, "AuthorizationFailed", "The client does not have authorization.", envelope=True)
                return self._page(path, [self._shown(zone) for zone in self.zones.values()], query)
            case "GET", [zone]:
                return _json(200, self._shown(self._zone(zone, "ResourceNotFound")))
            case "GET", [zone, "providers", "Microsoft.Authorization", "permissions"]:
                return _json(200, {"value": self._zone(zone).permissions})
            case "GET", [zone, kind] if kind.lower() == "recordsets" or kind in _KEYS:
                every = self._zone(zone).sets.items()
                found = [one for (_, rtype), one in every if kind not in _KEYS or rtype == kind]
                return self._page(path, found, query)
            case _, [zone, rtype, name]:
                if rtype not in _KEYS:
                    raise Refusal(400, "BadRequest", f"The resource type '{rtype}' is not supported.")
                return self._set(method, self._zone(zone), name, rtype, headers, given)
        raise Refusal(404, "InvalidResourceType", "The resource type could not be found.", envelope=True)

    def _zone(self, name: str, code: str = "ParentResourceNotFound") -> DnsZone:
        if name.lower() not in self.zones:
            words = f"Can not perform requested operation on nested resource. Parent resource '{name}' not found."
            raise Refusal(404, code, words, envelope=True)
        return self.zones[name.lower()]

    def _shown(self, zone: DnsZone) -> Json:
        """As recorded."""
        return {
            "id": self._id(zone),
            "name": zone.name,
            "type": "Microsoft.Network/dnszones",
            "etag": zone.etag,
            "location": "global",
            "tags": {},
            "properties": {
                "maxNumberOfRecordSets": 10000,
                "maxNumberOfRecordsPerRecordSet": None,
                "nameServers": [one["nsdname"] for one in zone.sets["@", "NS"]["properties"]["NSRecords"]],
                "numberOfRecordSets": len(zone.sets),
                "zoneType": zone.zone_type,
            },
        }

    def _id(self, zone: DnsZone) -> str:
        group = f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
        return f"{group}/providers/Microsoft.Network/dnszones/{zone.name}"

    def _page(self, path: list[str], found: list[Json], query: dict[str, str]) -> Answer:
        start, top = int(query.get("$skiptoken", "0")), int(query.get("$top", PAGE))
        body: Json = {"value": found[start : start + top]}
        if len(found) > start + top:
            further = urlencode({**query, "$skiptoken": start + top})
            body["nextLink"] = f"{self.next_host or self.address}/{'/'.join(path)}?{further}"
        return _json(200, body)

    def _set(self, method: str, zone: DnsZone, name: str, rtype: str, headers: Mapping[str, str], given: Any) -> Answer:
        there = zone.sets.get((name.lower(), rtype))
        if method == "GET":
            if there is None:
                words = f"The resource record '{name}' does not exist in resource group '{self.group}'."
                raise Refusal(404, "NotFound", words)
            return _json(200, there, there["etag"])
        if not zone.may_write:
            words = (
                f"The client does not have authorization to perform action 'Microsoft.Network/dnszones/{rtype}/write'."
            )
            raise Refusal(403, "AuthorizationFailed", words, envelope=True)
        if zone.locked:
            words = "The scope cannot perform the operation because the following scope(s) are locked."
            raise Refusal(409, "ScopeLocked", words, envelope=True)
        if method == "DELETE" and there is None:
            return Answer(204, (), b"")
        _compare(headers, there)
        if method == "DELETE":
            if name == "@" and rtype in ("NS", "SOA"):
                raise Refusal(400, "BadRequest", f"The {rtype} record set at the apex cannot be deleted.")
            del zone.sets[name.lower(), rtype]
            return Answer(200, (), b"")  # recorded
        properties = given["properties"]
        if method == "PATCH" and there is not None:
            properties = {**there["properties"], **properties}
        self._check(zone, name, rtype, properties)
        made = self._store(zone, name, rtype, properties)
        return _json(201 if there is None else 200, made, made["etag"])  # recorded

    @staticmethod
    def _check(zone: DnsZone, name: str, rtype: str, properties: Json) -> None:
        key, several = _KEYS[rtype]
        records = properties.get(key)
        former = zone.sets.get((name.lower(), rtype), {"properties": {}})["properties"].get(key, [])
        if not re.fullmatch(r"@|(\*|[a-z0-9_-]{1,63})(\.[a-z0-9_-]{1,63})*", name, re.IGNORECASE):
            raise Refusal(400, "BadRequest", f"The relative record set name '{name}' is invalid.")
        if not 1 <= properties.get("TTL", 0) < 2**31:
            raise Refusal(400, "BadRequest", f"The TTL '{properties.get('TTL')}' is invalid.")
        if not records and not properties.get("targetResource"):
            raise Refusal(400, "BadRequest", "The record set has no records.")
        for record in (records if several else [records]) if records else []:
            if not _is_legal(rtype, record) and record not in former:
                raise Refusal(400, "BadRequest", f"The record '{json.dumps(record)}' is invalid.")
        others = {kind for (there, kind) in zone.sets if there == name.lower()} - {rtype}
        # github.com/kubernetes-sigs/external-dns/issues/5358 has this answer
        if (rtype == "CNAME" and others) or "CNAME" in others:
            words = f"The {rtype} record could not be created because another record with the same name already exists"
            raise Refusal(409, "Conflict", f"{words} in this zone.")

    def _store(self, zone: DnsZone, name: str, rtype: str, properties: Json) -> Json:
        fqdn = f"{zone.name}." if name == "@" else f"{name}.{zone.name}."
        kept = {key: value for key, value in properties.items() if value not in (None, {}, [])}
        one = {
            "id": f"{self._id(zone)}/{rtype}/{name}",
            "name": name,
            "type": f"Microsoft.Network/dnszones/{rtype}",
            "etag": str(uuid.uuid4()),
            "properties": {"targetResource": {}, **kept, "fqdn": fqdn, "provisioningState": "Succeeded"},
        }
        zone.sets[name.lower(), rtype] = one
        return one


def _compare(headers: Mapping[str, str], there: Json | None) -> None:
    """learn.microsoft.com/azure/dns/dns-zones-records#etags"""
    only, unless = headers.get("if-match"), headers.get("if-none-match")
    if only is not None and (there is None or only not in ("*", there["etag"])):
        raise Refusal(412, "PreconditionFailed", f"The condition '{only}' in the If-Match header was not satisfied.")
    if unless == "*" and there is not None:
        raise Refusal(412, "PreconditionFailed", "The condition '*' in the If-None-Match header was not satisfied.")


def _is_legal(rtype: str, record: Json) -> bool:
    try:
        if rtype == "A":
            ipaddress.IPv4Address(record["ipv4Address"])
        if rtype == "AAAA":
            ipaddress.IPv6Address(record["ipv6Address"])
    except ValueError:
        return False
    return rtype != "TXT" or all(len(text) <= 255 for text in record["value"])


def record_of(rtype: str, text: str) -> Json:
    """A record written as in a zone file, in Azure's form."""
    parts = shlex.split(text)
    match rtype:
        case "A":
            return {"ipv4Address": text}
        case "AAAA":
            return {"ipv6Address": text}
        case "CNAME":
            return {"cname": text}
        case "TXT":
            return {"value": parts}
        case "MX":
            return {"preference": int(parts[0]), "exchange": parts[1]}
        case "CAA":
            return {"flags": int(parts[0]), "tag": parts[1], "value": parts[2]}
        case "SRV":
            numbers = dict(zip(("priority", "weight", "port"), map(int, parts[:3]), strict=True))
            return {**numbers, "target": parts[3]}
    return {{"NS": "nsdname", "PTR": "ptrdname"}[rtype]: text}


def texts_of(one: Json) -> list[str]:
    """A set's records as in a zone file."""
    rtype = one["type"].rpartition("/")[2]
    key, several = _KEYS[rtype]
    records = one["properties"].get(key, [])
    found = []
    for record in records if several else [records]:
        values = list(record.values())
        if rtype == "TXT":
            found.append(" ".join(f'"{text}"' for text in values[0]))
        else:
            found.append(" ".join(map(str, values)))
    return found


def _fault(status: int, error: str, words: str) -> Answer:
    said = {"error": error, "error_description": words, "error_codes": [int(words.partition(":")[0][6:])]}
    return _json(status, said)


def _json(status: int, body: object, etag: str | None = None) -> Answer:
    headers = [("ETag", etag)] if etag else []
    return Answer(status, headers, json.dumps(body).encode())


def forbid(zone: DnsZone) -> None:
    """From now on the app may read only, and its permissions say so."""
    zone.may_write = False
    zone.permissions = copy.deepcopy(_READER)
