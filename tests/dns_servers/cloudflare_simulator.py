"""Cloudflare's API v4 for zones and DNS records, as it is documented and recorded, on a loopback port.

What is marked "recorded" is seen in recorded traffic of the real API and compared with it by the tests; everything else
names the page of developers.cloudflare.com that says so. It stores, compares and refuses like the real one; it answers
no DNS queries.
"""

from __future__ import annotations

import copy
import ipaddress
import itertools
import json
import math
import re
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from dns_servers.http_simulator import Answer, HttpSimulator

PREFIX = "/client/v4"
#: dns/manage-dns-records/how-to/batch-record-changes: the free plan's limit.
BATCH_LIMIT = 200
EDIT = ("#dns_records:edit", "#dns_records:read", "#zone:read")
READ_ONLY = ("#dns_records:read", "#zone:read")
_PROXIABLE = ("A", "AAAA", "CNAME")

Json = dict[str, Any]


class Refusal(Exception):
    """An answer that says no: nothing was changed."""

    def __init__(self, status: int, code: int, message: str, chain: Json | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.error: Json = {"code": code, "message": message}
        if chain is not None:
            self.error["error_chain"] = [chain]


class Zone:
    """One zone and its records, newest first as the real one lists them (recorded)."""

    def __init__(self, name: str, permissions: Iterable[str], status: str, paused: bool) -> None:
        self.id = secrets.token_hex(16)
        self.name = name
        self.permissions = list(permissions)
        self.status = status
        self.paused = paused
        self.records: dict[str, Json] = {}

    def shown(self) -> Json:
        """The zone as an answer has it (recorded)."""
        now = _now()
        return {
            "id": self.id,
            "name": self.name,
            "status": self.status,
            "paused": self.paused,
            "type": "full",
            "development_mode": 0,
            "name_servers": ["ada.ns.cloudflare.example", "bob.ns.cloudflare.example"],
            "original_name_servers": None,
            "original_registrar": None,
            "original_dnshost": None,
            "modified_on": now,
            "created_on": now,
            "activated_on": now,
            "vanity_name_servers": [],
            "vanity_name_servers_ips": None,
            "meta": {
                "step": 4,
                "custom_certificate_quota": 0,
                "page_rule_quota": 3,
                "phishing_detected": False,
            },
            "owner": {"id": None, "type": "user", "email": None},
            "account": {"id": "0" * 32, "name": "someone@example.com's Account"},
            "tenant": {"id": None, "name": None},
            "tenant_unit": {"id": None},
            "permissions": self.permissions,
            "plan": {
                "id": "0feeeeeeeeeeeeeeeeeeeeeeeeeeeeee",
                "name": "Free Website",
                "price": 0,
                "currency": "USD",
                "frequency": "",
                "is_subscribed": False,
                "can_subscribe": False,
                "legacy_id": "free",
                "legacy_discount": False,
                "externally_managed": False,
            },
        }


class CloudflareSimulator(HttpSimulator):
    """A Cloudflare account with some zones.

        with CloudflareSimulator(["shop.example"], token="…") as cloudflare:
            cloudflare.endpoint                # http://127.0.0.1:…/client/v4
            cloudflare.add("shop.example", type="A", name="shop.example", content="192.0.2.1")

    Without `token` it takes any.
    """

    def __init__(self, zones: Iterable[str] = ("shop.example",), token: str | None = None) -> None:
        super().__init__()
        self.zones: dict[str, Zone] = {}
        for name in zones:
            self.add_zone(name)
        self.token = token
        self.expires_on: str | None = None
        self.owned_by_account = False

    # What tests do behind the API's back.

    def add_zone(
        self, name: str, permissions: Iterable[str] = EDIT, status: str = "active", paused: bool = False
    ) -> Zone:
        zone = Zone(name, permissions, status, paused)
        self.zones[zone.id] = zone
        return zone

    def zone(self, name: str) -> Zone:
        return next(zone for zone in self.zones.values() if zone.name == name)

    def add(self, zone: str, **record: Any) -> Json:
        """Adds a record as somebody else would; `record` has the API's fields."""
        with self.lock:
            return self._create(self.zone(zone), record)

    def remove(self, zone: str, name: str, type: str | None = None) -> None:
        with self.lock:
            records = self.zone(zone).records
            for found in [r for r in records.values() if r["name"] == name and type in (None, r["type"])]:
                del records[found["id"]]

    def edit(self, zone: str, name: str, type: str, **fields: Any) -> None:
        """Changes the records of that name and type as a dashboard user would."""
        with self.lock:
            for found in [r for r in self.zone(zone).records.values() if (r["name"], r["type"]) == (name, type)]:
                self._replace(self.zone(zone), found["id"], {**_given(found), **fields})

    def records(self, zone: str) -> frozenset[str]:
        """The whole zone as lines of text, without the ids and times, which are Cloudflare's own business."""
        with self.lock:
            return frozenset(
                json.dumps({k: v for k, v in r.items() if k not in ("id", "created_on", "modified_on")}, sort_keys=True)
                for r in self.zone(zone).records.values()
            )

    @property
    def endpoint(self) -> str:
        return f"{self.address}{PREFIX}"

    # The API.

    def _answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        try:
            self._check_token(headers.get("authorization", ""))
            parts = urlsplit(target)
            result = self._route(method, parts.path.removeprefix(PREFIX), dict(parse_qsl(parts.query)), body)
        except Refusal as refusal:
            answer = {"result": None, "success": False, "errors": [refusal.error], "messages": []}
            return Answer(refusal.status, (), json.dumps(answer).encode())
        return Answer(200, (), json.dumps({**result, "success": True, "errors": [], "messages": []}).encode())

    def _check_token(self, header: str) -> None:
        """Seen with the real API and reported by many users; the documentation does not list these codes."""
        if self.token is None:
            return
        if not re.fullmatch(r"Bearer [A-Za-z0-9_-]{40}", header):
            chain = {"code": 6111, "message": "Invalid format for Authorization header"}
            raise Refusal(400, 6003, "Invalid request headers", chain)
        if header != f"Bearer {self.token}":
            raise Refusal(403, 9109, "Invalid access token")

    def _route(self, method: str, path: str, query: dict[str, str], body: bytes) -> Json:
        match path.strip("/").split("/"):
            case ["user", "tokens", "verify"] if (
                method == "GET"
            ):  # api/resources/user/subresources/tokens/methods/verify
                expires = {"expires_on": self.expires_on} if self.expires_on else {}
                return {"result": {"id": "f" * 32, "status": "active", **expires}}
            case ["zones"] if method == "GET":
                # Asked for in either script, and shown as people write it, as users report.
                wanted = query.get("name")
                found = [z.shown() for z in self.zones.values() if wanted in (None, z.name, _ascii(z.name))]
                return _page(found, query, default=20)
            case ["zones", zone_id, "dns_records", *rest] if zone_id in self.zones:
                return self._route_records(method, self.zones[zone_id], rest, query, body)
        raise Refusal(404, 7003, f"Could not route to {path}, perhaps your object identifier is invalid?")

    def _route_records(self, method: str, zone: Zone, rest: list[str], query: dict[str, str], body: bytes) -> Json:
        # A token without the permission: the real one says "Authentication error" with status 403, as users report.
        # The permission is "DNS Write" for changes (api/resources/dns/subresources/records/methods/batch).
        needed = "#dns_records:read" if method == "GET" else "#dns_records:edit"
        if needed not in zone.permissions:
            raise Refusal(403, 10000, "Authentication error")
        given: Json = json.loads(body) if body and method != "GET" else {}
        match method, rest:
            case "GET", []:
                # Filters as recorded; api/resources/dns/subresources/records/methods/list has more.
                wanted = {key: query[key] for key in ("name", "type", "content") if key in query}
                found = [r for r in reversed(zone.records.values()) if all(r[k] == v for k, v in wanted.items())]
                return _page(found, query, default=100)
            case "POST", []:
                return {"result": self._create(zone, given)}
            case "POST", ["batch"]:
                return {"result": self._batch(zone, given)}
            case "PUT", [record_id]:
                return {"result": self._replace(zone, record_id, given)}
            case "PATCH", [record_id]:
                return {"result": self._patch(zone, record_id, given)}
            case "DELETE", [record_id]:
                return {"result": self._delete(zone, record_id)}
        raise Refusal(405, 10405, "Method not allowed")

    def _batch(self, zone: Zone, given: Json) -> Json:
        """dns/manage-dns-records/how-to/batch-record-changes: this order, one transaction, the first error is told."""
        lists = {kind: given.get(kind) or [] for kind in ("deletes", "patches", "puts", "posts")}
        if sum(map(len, lists.values())) > BATCH_LIMIT:
            # The number is documented, the code is not.
            raise Refusal(400, 1004, f"DNS Validation Error: at most {BATCH_LIMIT} records in a batch")
        former = copy.deepcopy(zone.records)
        try:
            return {
                "deletes": [self._deleted(zone, one["id"]) for one in lists["deletes"]],
                "patches": [self._patch(zone, one["id"], _without_id(one)) for one in lists["patches"]],
                "puts": [self._replace(zone, one["id"], _without_id(one)) for one in lists["puts"]],
                "posts": [self._create(zone, one) for one in lists["posts"]],
            }
        except Refusal:
            zone.records = former
            raise

    def _create(self, zone: Zone, given: Json) -> Json:
        record = self._made(zone, given, None)
        zone.records[record["id"]] = record
        return record

    def _replace(self, zone: Zone, record_id: str, given: Json) -> Json:
        """An overwrite: what is left out takes its default (…/batch-record-changes)."""
        record = self._made(zone, given, self._existing(zone, record_id))
        zone.records[record_id] = record
        return record

    def _patch(self, zone: Zone, record_id: str, given: Json) -> Json:
        """What is left out stays (…/batch-record-changes)."""
        return self._replace(zone, record_id, {**_given(self._existing(zone, record_id)), **given})

    def _delete(self, zone: Zone, record_id: str) -> Json:
        return {"id": self._deleted(zone, record_id)["id"]}

    def _deleted(self, zone: Zone, record_id: str) -> Json:
        return zone.records.pop(self._existing(zone, record_id)["id"])

    def _existing(self, zone: Zone, record_id: str) -> Json:
        if record_id not in zone.records:
            raise Refusal(404, 81044, "Record does not exist.")
        return zone.records[record_id]

    def _made(self, zone: Zone, given: Json, former: Json | None) -> Json:
        """The record that a request describes, with everything that the real one adds and checks."""
        rtype = given["type"]
        name = _full_name(given["name"], zone.name)
        content = _content(rtype, given)
        proxied = bool(given.get("proxied"))
        proxiable = _is_proxiable(rtype, content)
        ttl = given.get("ttl") or 1
        if proxied and not proxiable:
            raise Refusal(400, 9004, "This record type cannot be proxied.")
        if proxied:
            ttl = 1  # dns/manage-dns-records/reference/ttl
        if ttl != 1 and not 60 <= ttl <= 86400:  # …/reference/ttl
            raise Refusal(400, 9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.")
        others = [r for r in zone.records.values() if r["name"] == name and r is not former]
        _check_conflicts(rtype, content, others)
        settings = {"flatten_cname": False} if rtype == "CNAME" else {}
        now = _now()
        return {
            "id": former["id"] if former else secrets.token_hex(16),
            "name": name,
            "type": rtype,
            "content": content,
            **({"priority": given["priority"]} if rtype in ("MX", "URI") else {}),
            **({"data": given["data"]} if given.get("data") else {}),
            "proxiable": proxiable,
            "proxied": proxied,
            "ttl": ttl,
            "settings": {**settings, **(given.get("settings") or {})},
            "meta": given.get("meta") or {},
            "comment": given.get("comment"),
            "tags": sorted(given.get("tags") or []),
            "created_on": former["created_on"] if former else now,
            "modified_on": now,
        }


def _check_conflicts(rtype: str, content: str, others: list[Json]) -> None:
    """dns/manage-dns-records/troubleshooting/records-with-same-name; 81058 is recorded, the other codes are shown by
    the dashboard and reported by users. A CNAME may stand beside other types than A and AAAA."""
    types = {r["type"] for r in others}
    if any((r["type"], r["content"]) == (rtype, content) for r in others):
        raise Refusal(400, 81058, "An identical record already exists.")
    if rtype == "CNAME" and types & {"A", "AAAA", "CNAME"}:
        raise Refusal(400, 81053, "An A, AAAA, or CNAME record with that host already exists.")
    if rtype in ("A", "AAAA") and "CNAME" in types:
        raise Refusal(400, 81054, "A CNAME record with that host already exists.")


def _content(rtype: str, given: Json) -> str:
    """dns/manage-dns-records/reference/dns-record-types: addresses are stored in RFC 5952's notation."""
    if rtype in ("HTTPS", "SVCB") and given.get("data"):
        data = given["data"]
        return f"{data['priority']} {data['target']} {data['value']}".strip()
    content: str = given.get("content") or ""
    try:
        if rtype == "A":
            return str(ipaddress.IPv4Address(content))
        if rtype == "AAAA":
            return str(ipaddress.IPv6Address(content))
    except ValueError:
        code = 9005 if rtype == "A" else 9006
        raise Refusal(400, code, f"Content for {rtype} record must be a valid IP address.") from None
    if rtype in ("CNAME", "MX", "NS"):
        return content.rstrip(".").lower()
    if rtype not in ("TXT", "CAA", "SRV", "HTTPS", "SVCB", "PTR"):
        raise Refusal(400, 9000, f"DNS record type {rtype} is invalid.")
    return content


def _is_proxiable(rtype: str, content: str) -> bool:
    """Only A, AAAA and CNAME (…/dns-record-types), and none with a loopback address (recorded)."""
    return rtype in _PROXIABLE and (rtype == "CNAME" or not ipaddress.ip_address(content).is_loopback)


def _ascii(name: str) -> str:
    return name.encode("idna").decode("ascii")


def _full_name(name: str, zone: str) -> str:
    """Names are stored in Punycode, complete; "@" is the apex (api/resources/dns/subresources/records)."""
    name, zone = _ascii(name.rstrip(".").lower()), _ascii(zone)
    if name == "@":
        return zone
    return name if name == zone or name.endswith("." + zone) else f"{name}.{zone}"


def _given(record: Json) -> Json:
    """A stored record as a request would describe it."""
    return {k: v for k, v in record.items() if k not in ("id", "proxiable", "meta", "created_on", "modified_on")}


def _without_id(given: Json) -> Json:
    return {key: value for key, value in given.items() if key != "id"}


def _page(found: list[Json], query: dict[str, str], default: int) -> Json:
    """One page of a listing, with the count of them all (recorded)."""
    page, size = int(query.get("page", 1)), int(query.get("per_page", default))
    part = list(itertools.islice(found, (page - 1) * size, page * size))
    info = {
        "page": page,
        "per_page": size,
        "count": len(part),
        "total_count": len(found),
        "total_pages": max(1, math.ceil(len(found) / size)),
    }
    return {"result": part, "result_info": info}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
