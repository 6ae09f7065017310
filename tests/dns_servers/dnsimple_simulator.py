"""DNSimple's API v2 for zones and their records, as it is documented and recorded, on a loopback port.

What is marked "recorded" is seen in recorded traffic of the real API and compared with it by the tests; everything else
names the page of developer.dnsimple.com (or support.dnsimple.com) that says so. It answers no DNS queries.
"""

from __future__ import annotations

import copy
import ipaddress
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from dns_servers.http_simulator import Answer, HttpSimulator

PREFIX = "/v2"
ACCOUNT = 1010
#: v2/#pagination
PAGE, LARGEST_PAGE = 30, 100
#: blog.dnsimple.com/2025/10/bulk-dns-updates
LARGEST_BATCH = 100
#: v2/#rate-limiting
REQUESTS_PER_HOUR = 2400
#: support: articles/supported-dns-records
TYPES = {"A", "AAAA", "ALIAS", "CAA", "CNAME", "HINFO", "HTTPS", "MX", "NAPTR", "NS", "POOL", "PTR", "SPF", "SRV"}
TYPES |= {"SSHFP", "SVCB", "TLSA", "TXT", "URL"}
NAME_SERVERS = ("ns1.dnsimple.com", "ns2.dnsimple-edge.net", "ns3.dnsimple.com", "ns4.dnsimple-edge.org")
_NOW = "2026-01-01T00:00:00Z"

Json = dict[str, Any]


class Refusal(Exception):
    """An answer that says no: nothing was changed."""

    def __init__(self, status: int, message: str, errors: Json | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.body: Json = {"message": message} | ({"errors": errors} if errors is not None else {})


class Zone:
    """One zone with its records by id, as the API shows them; the notes of some, which it does not show.

    A record's note is the web's alone (support: articles/record-notes).
    """

    def __init__(self, number: int, name: str) -> None:
        self.number = number
        self.name = name
        self.state = {"reverse": False, "secondary": False, "active": True}
        self.may_write = True
        self.integrated = False
        self.undistributed = 0
        self.records: dict[int, Json] = {}
        self.notes: dict[int, str] = {}


class DnSimpleSimulator(HttpSimulator):
    """One DNSimple account with some zones, and others that the token's user has. Without `token` it takes any.

    `user_token`: the token is a user's. `batches`: the account has the Enterprise plan.
    """

    def __init__(self, zones: Iterable[str], token: str | None = None, *, batches: bool = True) -> None:
        super().__init__()
        self.token = token
        self.batches = batches
        self.user_token = False
        self.accounts = [ACCOUNT]
        self.paid = True
        self.remaining = REQUESTS_PER_HOUR
        self.reset = int(time.time()) + 3600
        self.next_id = 5_000_000
        self.zones = {name: Zone(number, name) for number, name in enumerate(zones, start=1)}
        for zone in self.zones.values():
            serial = "1458642070 86400 7200 604800 300"
            self._store(zone, {"type": "SOA", "content": f"ns1.dnsimple.com admin.dnsimple.com {serial}"}, system=True)
            for server in NAME_SERVERS:
                self._store(zone, {"type": "NS", "content": server}, system=True)

    @property
    def endpoint(self) -> str:
        return f"{self.address}{PREFIX}"

    # What tests do behind the API's back.

    def add(self, zone: str, name: str, rtype: str, ttl: int, content: str, **more: Any) -> int:
        """Adds a record and gives its id. `more`: priority, regions, and the note that only the web shows."""
        with self.lock:
            there = self.zones[zone]
            note = more.pop("note", "")
            record = self._store(there, {"name": name, "type": rtype, "ttl": ttl, "content": content, **more})
            if note:
                there.notes[record["id"]] = note
            number: int = record["id"]
            return number

    def remove(self, zone: str, name: str, rtype: str) -> None:
        with self.lock:
            there = self.zones[zone]
            for record in [r for r in there.records.values() if (r["name"], r["type"]) == (name, rtype)]:
                _drop(there, record["id"])

    def records(self, zone: str) -> list[Json]:
        """All records of the zone but SOA and NS, as the API shows them, each with its note."""
        with self.lock:
            there = self.zones[zone]
            return [
                {**r, "note": there.notes.get(r["id"], "")}
                for r in there.records.values()
                if r["type"] not in ("SOA", "NS")
            ]

    # The API.

    def _answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        self.remaining -= 1
        limits = [
            ("X-RateLimit-Limit", str(REQUESTS_PER_HOUR)),
            ("X-RateLimit-Remaining", str(max(self.remaining, 0))),
            ("X-RateLimit-Reset", str(self.reset)),
        ]
        try:
            if self.remaining < 0:
                raise Refusal(429, "quota exceeded")
            if self.token is not None and headers.get("authorization") != f"Bearer {self.token}":
                raise Refusal(401, "Authentication failed")
            parts = urlsplit(target)
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            path = [p for p in parts.path.removeprefix(PREFIX).split("/") if p]
            if body and method != "GET" and headers.get("content-type") != "application/json":
                raise Refusal(400, "The content type is not JSON")  # v2/#content-types
            status, answer = self._route(method, path, query, json.loads(body) if body and method != "GET" else {})
        except Refusal as refusal:
            status, answer = refusal.status, refusal.body
        return Answer(status, tuple(limits), b"" if status == 204 else json.dumps(answer).encode())

    def _route(self, method: str, path: list[str], query: dict[str, str], given: Json) -> tuple[int, Json]:
        match method, path:
            case "GET", ["whoami"]:
                user = {"id": 1, "email": "someone@example.com", "created_at": _NOW, "updated_at": _NOW}
                own = None if self.user_token else _account(self.accounts[0])
                return 200, {"data": {"user": user if self.user_token else None, "account": own}}
            case "GET", ["accounts"]:
                return 200, {"data": [_account(number) for number in self.accounts]}
        if not path or path[0] != str(self.accounts[0]):
            raise Refusal(404, f"Account `{path[0] if path else ''}` not found")
        if not self.paid:
            # v2/#response-codes
            raise Refusal(402, "This action cannot be completed because you have purchase invoices to be paid")
        match method, path[1:]:
            case "GET", ["zones"]:
                return 200, _page([self._shown(zone) for zone in self.zones.values()], query)
            case "GET", ["domains"]:  # recorded
                wanted = [zone for zone in self.zones.values() if query.get("name_like", "") in zone.name]
                return 200, _page([self._domain(zone) for zone in wanted], query)
            case "GET", ["zones", name]:
                return 200, {"data": self._shown(self._zone(name))}
            case "GET", ["zones", name, "distribution"]:
                zone = self._zone(name)
                zone.undistributed -= 1
                return 200, {"data": {"distributed": zone.undistributed < 0}}
            case "GET", ["zones", name, "records"]:
                return 200, _page(_filtered(self._zone(name).records.values(), query), query)
            case "POST", ["zones", name, "batch"]:
                return 200, {"data": self._change(self._writable(name), given)}
            case "POST", ["zones", name, "records"]:
                return 201, {"data": self._create(self._writable(name), given)}
            case "GET", ["zones", name, "records", number]:
                return 200, {"data": self._record(self._zone(name), number)}
            case "PATCH", ["zones", name, "records", number]:
                zone = self._writable(name)
                return 200, {"data": self._update(zone, self._record(zone, number), given)}
            case "DELETE", ["zones", name, "records", number]:
                zone = self._writable(name)
                self._delete(zone, self._record(zone, number))
                return 204, {}
        raise Refusal(404, "Not Found")

    def _zone(self, name: str) -> Zone:
        if name not in self.zones:
            raise Refusal(404, f"Zone `{name}` not found")
        return self.zones[name]

    def _writable(self, name: str) -> Zone:
        """v2/#authorization: the token's scopes are looked at before anything else."""
        zone = self._zone(name)
        if not zone.may_write:
            raise Refusal(403, f"Permission Denied. Required Scope: zones:{name}:write")
        return zone

    def _record(self, zone: Zone, number: str) -> Json:
        if not number.isdecimal() or int(number) not in zone.records:
            raise Refusal(404, f"Record `{number}` not found")
        return zone.records[int(number)]

    def _change(self, zone: Zone, given: Json) -> Json:
        """v2/zones/batch-change-zone-records: deletes, updates, creates; all or nothing."""
        if not self.batches:
            raise Refusal(412, "Batch change zone records feature is not enabled for the account someone@example.com")
        if zone.integrated:
            raise Refusal(400, "Zones linked to integrated DNS providers do not support batch changes")
        if sum(len(given.get(kind) or ()) for kind in ("creates", "updates", "deletes")) > LARGEST_BATCH:
            raise Refusal(400, "The batch is too large")
        former, notes = copy.deepcopy(zone.records), dict(zone.notes)

        def record(one: Json) -> Json:
            if one["id"] not in zone.records:
                raise Refusal(400, f"Record not found ID={one['id']}")
            return zone.records[one["id"]]

        def delete(one: Json) -> Json:
            self._delete(zone, record(one))
            return {"id": one["id"]}

        made: dict[str, list[Json]] = {"creates": [], "updates": [], "deletes": []}
        acts: dict[str, Callable[[Json], Json]] = {
            "deletes": delete,
            "updates": lambda one: self._update(zone, record(one), one),
            "creates": lambda one: self._create(zone, one),
        }
        for kind, act in acts.items():
            for index, one in enumerate(given.get(kind) or ()):
                try:
                    made[kind].append(act(one))
                except Refusal as fault:
                    zone.records, zone.notes = former, notes
                    # As in the page's examples.
                    raise Refusal(400, "Validation failed", {kind: [{"index": index, **fault.body}]}) from None
        return copy.deepcopy(made)

    def _create(self, zone: Zone, given: Json) -> Json:
        _check(zone, {"name": "", **given}, None)
        return dict(self._store(zone, given))

    def _update(self, zone: Zone, record: Json, given: Json) -> Json:
        if record["system_record"]:
            raise Refusal(400, "System records cannot be updated")
        _check(zone, {**record, **given}, record["id"])
        more = {key: given[key] for key in ("name", "content", "ttl", "regions") if key in given}
        record |= {**more, "priority": _priority(record["type"], given.get("priority", record["priority"]))}
        record["updated_at"] = _NOW
        for child in [r for r in zone.records.values() if r["parent_id"] == record["id"]]:
            child |= {"name": record["name"], "ttl": record["ttl"], "content": f"ALIAS for {record['content']}"}
        return dict(record)

    def _delete(self, zone: Zone, record: Json) -> None:
        if record["system_record"]:
            raise Refusal(400, "System records cannot be deleted")
        _drop(zone, record["id"])

    def _store(self, zone: Zone, given: Json, *, system: bool = False, parent: int | None = None) -> Json:
        record = {
            "id": self.next_id,
            "zone_id": zone.name,
            "parent_id": parent,
            "name": given.get("name", ""),
            "content": given["content"],
            "ttl": given.get("ttl") if given.get("ttl") is not None else 3600,
            "priority": _priority(given["type"], given.get("priority")),
            "type": given["type"],
            "regions": list(given.get("regions") or ["global"]),
            "system_record": system,
            "created_at": _NOW,
            "updated_at": _NOW,
        }
        self.next_id += 1
        zone.records[record["id"]] = record
        if record["type"] == "ALIAS":
            # v2/openapi.yml: parent_id
            text = {"name": record["name"], "type": "TXT", "ttl": record["ttl"]}
            self._store(zone, {**text, "content": f"ALIAS for {record['content']}"}, parent=record["id"])
        return record

    def _shown(self, zone: Zone) -> Json:
        return {
            "id": zone.number,
            "account_id": self.accounts[0],
            "name": zone.name,
            **zone.state,
            "last_transferred_at": None,
            "created_at": _NOW,
            "updated_at": _NOW,
        }

    def _domain(self, zone: Zone) -> Json:
        return {
            "id": zone.number,
            "account_id": self.accounts[0],
            "registrant_id": None,
            "name": zone.name,
            "unicode_name": zone.name,
            "state": "hosted",
            "auto_renew": False,
            "private_whois": False,
            "expires_on": None,
            "created_at": _NOW,
            "updated_at": _NOW,
        }


def _account(number: int) -> Json:
    plan = {"plan_identifier": "dnsimple-business", "created_at": _NOW, "updated_at": _NOW}
    return {"id": number, "email": f"account-{number}@example.com", **plan}


def _drop(zone: Zone, number: int) -> None:
    """The record, and what it is the parent of."""
    for one in [number, *(r["id"] for r in zone.records.values() if r["parent_id"] == number)]:
        zone.records.pop(one, None)
        zone.notes.pop(one, None)


def _priority(rtype: str, given: object) -> int | None:
    """Other types keep none, whatever is given (recorded)."""
    return given if rtype in ("MX", "SRV") and isinstance(given, int) else None


def _filtered(records: Iterable[Json], query: Mapping[str, str]) -> Sequence[Json]:
    """v2/zones/records/#listZoneRecords"""
    return [
        record
        for record in sorted(records, key=lambda record: record["id"])
        if record["name"] == query.get("name", record["name"])
        and record["type"] == query.get("type", record["type"])
        and query.get("name_like", "") in record["name"]
    ]


def _page(found: Sequence[Json], query: Mapping[str, str]) -> Json:
    """v2/#pagination"""
    page, size = int(query.get("page", 1)), min(int(query.get("per_page", PAGE)), LARGEST_PAGE)
    pagination = {
        "current_page": page,
        "per_page": size,
        "total_entries": len(found),
        "total_pages": max(1, -(-len(found) // size)),
    }
    return {"data": copy.deepcopy(list(found[(page - 1) * size : page * size])), "pagination": pagination}


def _check(zone: Zone, one: Json, own: int | None) -> None:
    """What a record must be, beside the others but the one with the id `own`."""
    rtype, name, content = one.get("type"), one["name"], one.get("content")
    if rtype not in TYPES:
        raise Refusal(400, "Validation failed", {"record_type": ["unsupported"]})
    if own is None and name != name.lower():
        # github.com/Shopify/record_store/pull/75, in words of its own
        raise Refusal(400, "Validation failed", {"name": ["has capital letters"]})
    if not content:
        raise Refusal(400, "Validation failed", {"content": ["can't be blank"]})
    if not isinstance(one.get("ttl", 3600), int) or one.get("ttl", 3600) < 0:
        raise Refusal(400, "Validation failed", {"ttl": ["is not a number"]})
    try:
        {"A": ipaddress.IPv4Address, "AAAA": ipaddress.IPv6Address}.get(rtype, str)(content)
    except ValueError:
        raise Refusal(400, "Validation failed", {"content": [f"is not a valid {rtype} address"]}) from None
    others = [r for r in zone.records.values() if r["name"] == name and r["id"] != own and r["parent_id"] is None]
    if any((r["type"], r["content"]) == (rtype, content) for r in others):
        raise Refusal(400, "Validation failed", {"base": ["Matching record already exists for this zone"]})
    # support: articles/cname-record: it stands alone, and not at the apex, where NS and SOA are.
    if others and (rtype == "CNAME" or any(r["type"] == "CNAME" for r in others)):
        kinds = ", ".join(sorted({r["type"] for r in others}))
        raise Refusal(400, "Validation failed", {"name": [f"has {kinds}, and a CNAME must stand alone"]})
