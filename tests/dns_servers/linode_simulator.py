"""Linode's API v4 for domains and their records, as it is documented and recorded, on a loopback port.

What is marked "recorded" is seen in recorded traffic of the real API and compared with it by the tests; everything else
names the page of techdocs.akamai.com/linode-api/reference that says so. It answers no DNS queries.
"""

from __future__ import annotations

import ipaddress
import itertools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from dns_servers.http_simulator import Answer, HttpSimulator

PREFIX = "/v4"
#: post-domain-record, and github.com/linode/terraform-provider-linode, docs/resources/domain_record.md
TTLS = (0, 30, 120, 300, 3600, 7200, 14400, 28800, 57600, 86400, 172800, 345600, 604800, 1209600, 2419200)
#: get-domain-record
TYPES = ("A", "AAAA", "NS", "MX", "CNAME", "TXT", "SRV", "PTR", "CAA")
#: post-domain-record
MOST_RECORDS = 12_000

Json = dict[str, Any]


class Refusal(Exception):
    """An answer that says no: nothing was changed. (errors)"""

    def __init__(self, status: int, reason: str, field: str | None = None) -> None:
        super().__init__(status)
        self.status = status
        error = {"reason": reason} if field is None else {"reason": reason, "field": field}
        self.body = {"errors": [error]}


class Domain:
    """One domain, and its records by id."""

    def __init__(self, domain_id: int, name: str) -> None:
        self.id = domain_id
        self.name = name
        self.type = "master"
        self.status = "active"
        self.ttl_sec = 0
        self.master_ips: list[str] = []
        self.records: dict[int, Json] = {}


class LinodeSimulator(HttpSimulator):
    """A Linode account with some domains. Without `token` it takes any.

    `scopes` are the token's, None where answers do not tell them. `grants` is what its user may do with each domain,
    None for a user without restrictions; whether that user may see them, says `shows_grants`.
    """

    def __init__(self, domains: Iterable[str], token: str | None = None, ttls: Sequence[int] = TTLS) -> None:
        super().__init__()
        self.next_id = 9_000_000
        self.domains = {name: Domain(1_000_000 + number, name) for number, name in enumerate(domains)}
        self.token = token
        self.ttls = ttls
        self.scopes: str | None = "domains:read_write"
        self.grants: dict[str, str | None] | None = None
        self.shows_grants = True

    @property
    def endpoint(self) -> str:
        return f"{self.address}{PREFIX}"

    # What tests do behind the API's back.

    def add(self, domain: str, name: str, rtype: str, ttl: int, target: str, **more: object) -> int:
        """A record as the API shows it, even one that it would not take."""
        with self.lock:
            stored = self._stored(self.domains[domain], name, rtype, {"target": target, "ttl_sec": ttl, **more})
            return int(stored["id"])

    def remove(self, domain: str, name: str, rtype: str) -> None:
        with self.lock:
            there = self.domains[domain].records
            for record_id, one in list(there.items()):
                if one["name"].lower() == name.lower() and one["type"] == rtype:
                    del there[record_id]

    def records(self, domain: str) -> list[Json]:
        with self.lock:
            return [dict(one) for one in self.domains[domain].records.values()]

    # The API.

    def _answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        parts = urlsplit(target)
        path = parts.path.removeprefix(PREFIX).strip("/").split("/")
        needed = "domains:read_only" if method == "GET" else "domains:read_write"
        # response-headers
        scopes = [("X-OAuth-Scopes", self.scopes), ("X-Accepted-OAuth-Scopes", needed)] if self.scopes else []
        try:
            if self.token is not None and headers.get("authorization") != f"Bearer {self.token}":
                scopes = []
                raise Refusal(401, "Invalid Token")
            granted = self.scopes is None or {"*", "domains:read_write", needed}.intersection(self.scopes.split())
            if path[0] == "domains" and not granted:
                # The real one says 401 here (github.com/trailofbits/algo/pull/14348).
                raise Refusal(401, "Your OAuth token is not authorized to use this endpoint.")
            wanted = json.loads(headers.get("x-filter", "{}"))
            query = dict(parse_qsl(parts.query))
            given = json.loads(body) if body and method != "GET" else {}
            answer = self._route(method, path, query, wanted, given)
            return Answer(200 if answer is not None else 204, scopes, json.dumps(answer or {}).encode())
        except Refusal as refusal:
            return Answer(refusal.status, scopes, json.dumps(refusal.body).encode())

    def _route(self, method: str, path: list[str], query: dict[str, str], wanted: Json, given: Json) -> Json | None:
        match method, path:
            case "GET", ["profile", "grants"]:
                return self._shown_grants()
            case "GET", ["domains"]:
                return _page([_shown(domain) for domain in self.domains.values()], query, wanted)
            case "GET", ["domains", domain_id]:
                return _shown(self._domain(domain_id))
            case "GET", ["domains", domain_id, "records"]:
                return _page(list(self._domain(domain_id).records.values()), query, wanted)
            case "POST", ["domains", domain_id, "records"]:
                return self._created(self._writable(domain_id), given)
            case "GET", ["domains", domain_id, "records", record_id]:
                return self._record(self._domain(domain_id), record_id)
            case "PUT", ["domains", domain_id, "records", record_id]:
                return self._changed(self._writable(domain_id), record_id, given)
            case "DELETE", ["domains", domain_id, "records", record_id]:
                domain = self._writable(domain_id)
                del domain.records[self._record(domain, record_id)["id"]]
                return {}  # recorded
        raise Refusal(404, "Not found")

    def _shown_grants(self) -> Json | None:
        """get-profile-grants: no scope is needed, but a permission, and a user without restrictions gets 204."""
        if not self.shows_grants:
            raise Refusal(403, "Unauthorized")
        if self.grants is None:
            return None
        granted = [
            {"id": self.domains[name].id, "label": name, "permissions": may} for name, may in self.grants.items()
        ]
        return {"global": {"add_domains": False}, "domain": granted, "linode": []}

    def _domain(self, domain_id: str) -> Domain:
        domain = next((one for one in self.domains.values() if str(one.id) == domain_id), None)
        if domain is None:
            raise Refusal(404, "Not found")
        return domain

    def _writable(self, domain_id: str) -> Domain:
        domain = self._domain(domain_id)
        if self.grants is not None and self.grants.get(domain.name) != "read_write":
            raise Refusal(403, "Unauthorized")  # errors
        return domain

    def _record(self, domain: Domain, record_id: str) -> Json:
        if not record_id.isdecimal() or int(record_id) not in domain.records:
            raise Refusal(404, "Not found")
        return domain.records[int(record_id)]

    def _created(self, domain: Domain, given: Json) -> Json:
        if len(domain.records) >= MOST_RECORDS:
            raise Refusal(400, f"A domain can have up to {MOST_RECORDS} records")
        if given.get("type") not in TYPES:
            raise Refusal(400, "type is not a valid record type", "type")
        # The name is trimmed (github.com/linode/terraform-provider-linode, linode/domainrecord/resource.go).
        name = given.get("name", "").removesuffix(domain.name).rstrip(".")
        if not re.fullmatch(r"|([*]|[A-Za-z0-9_-]+)([.][A-Za-z0-9_-]+)*", name) or len(name) > 100:
            raise Refusal(400, "Name contains invalid characters", "name")
        if name.startswith("*."):
            # linode.com/docs/products/networking/dns-manager/guides/manage-dns-records/#wildcards
            raise Refusal(400, "Invalid hostname", "name")
        self._check(given["type"], given.get("target"), given)
        _check_beside(domain, name, given["type"])
        return self._stored(domain, name, given["type"], {**given, "ttl_sec": self._ttl(given.get("ttl_sec", 0))})

    def _changed(self, domain: Domain, record_id: str, given: Json) -> Json:
        """Only what is given changes (recorded); the type stays."""
        record = self._record(domain, record_id)
        changed = {key: value for key, value in given.items() if key in record and key not in ("id", "type")}
        if "target" in changed:
            self._check(record["type"], changed["target"], record)
        if "ttl_sec" in changed:
            changed["ttl_sec"] = self._ttl(changed["ttl_sec"])
        if "name" in changed:
            others = [one for one in domain.records.values() if one is not record]
            changed["name"] = changed["name"].removesuffix(domain.name).rstrip(".")
            _check_beside(domain, changed["name"], record["type"], others)
        record.update(changed)
        return record

    def _ttl(self, seconds: int) -> int:
        """Another than these is rounded up (get-domain)."""
        return next((ttl for ttl in self.ttls if ttl >= seconds), self.ttls[-1])

    @staticmethod
    def _check(rtype: str, target: object, given: Json) -> None:
        if not isinstance(target, str) or (not target and rtype != "MX"):
            raise Refusal(400, "target is required", "target")
        try:
            if rtype == "A":
                ipaddress.IPv4Address(target)
            if rtype == "AAAA":
                ipaddress.IPv6Address(target)
        except ValueError:
            raise Refusal(400, "Invalid IP address", "target") from None
        if rtype == "CNAME" and not re.fullmatch(r"[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+)+[.]?", target):
            raise Refusal(400, "Invalid domain", "target")
        if rtype == "CAA" and given.get("tag") not in ("issue", "issuewild", "iodef"):
            raise Refusal(400, "tag is required", "tag")

    def _stored(self, domain: Domain, name: str, rtype: str, given: Json) -> Json:
        record = {
            "id": self.next_id,
            "type": rtype,
            "name": name,
            "target": given["target"],
            "priority": given.get("priority", 0),
            "weight": given.get("weight", 0),
            "port": given.get("port", 0),
            "service": given.get("service"),
            "protocol": given.get("protocol"),
            "ttl_sec": given["ttl_sec"],
            "tag": given.get("tag"),
            "created": "2018-01-01T00:01:01",
            "updated": "2018-01-01T00:01:01",
        }
        domain.records[self.next_id] = record
        self.next_id += 1
        return record


def _check_beside(domain: Domain, name: str, rtype: str, others: Iterable[Json] | None = None) -> None:
    """A CNAME's hostname must be unique (post-domain-record), and it cannot be the apex (dns-manager)."""
    there = [one["type"] for one in others or domain.records.values() if one["name"].lower() == name.lower()]
    if rtype == "CNAME" and (there or not name):
        raise Refusal(400, "A CNAME's hostname must be unique, and not the domain itself", "name")
    if "CNAME" in there:
        raise Refusal(400, "There is a CNAME with this hostname", "name")


def _shown(domain: Domain) -> Json:
    """get-domain"""
    return {
        "id": domain.id,
        "type": domain.type,
        "domain": domain.name,
        "tags": [],
        "group": "",
        "status": domain.status,
        "description": "",
        "soa_email": f"admin@{domain.name}",
        "retry_sec": 0,
        "master_ips": domain.master_ips,
        "axfr_ips": [],
        "expire_sec": 0,
        "refresh_sec": 0,
        "ttl_sec": domain.ttl_sec,
        "created": "2018-01-01T00:01:01",
        "updated": "2018-01-01T00:01:01",
    }


def _page(every: Sequence[Json], query: Mapping[str, str], wanted: Json) -> Json:
    """pagination, filtering-and-sorting"""
    size, number = int(query.get("page_size", "100")), int(query.get("page", "1"))
    if not 25 <= size <= 500:
        raise Refusal(400, "Must be 25-500", "page_size")
    found = [one for one in every if _fits(one, wanted)]
    count = max(1, -(-len(found) // size))
    if not 1 <= number <= count:
        raise Refusal(404, "Not found")
    data = list(itertools.islice(found, (number - 1) * size, number * size))
    return {"data": data, "page": number, "pages": count, "results": len(found)}


def _fits(one: Json, wanted: Json) -> bool:
    """Only what is marked as filterable can be asked for."""
    for key, value in wanted.items():
        if key == "+or":
            if not any(_fits(one, other) for other in value):
                return False
        elif key not in ("domain", "name", "type", "target", "tag", "group"):
            raise Refusal(400, f"Cannot filter on {key}")
        elif one[key] != value:
            return False
    return True
