"""Vultr's API v2 for domains and their records, as it is documented and recorded, on a loopback port.

What is marked "recorded" is seen in recorded traffic of the real API and compared with it by the tests; everything else
names the page that says so. Operations are those of vultr.com/api/#tag/dns. It answers no DNS queries.
"""

from __future__ import annotations

import base64
import copy
import ipaddress
import json
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from dns_servers.http_simulator import Answer, HttpSimulator

PREFIX = "/v2"
#: …/operation/create-dns-domain-record
TYPES = ("A", "AAAA", "CNAME", "NS", "MX", "SRV", "TXT", "CAA", "SSHFP")
#: …/#section/Introduction/Meta-and-Pagination
PAGE, MOST_A_PAGE = 100, 500
DEFAULT_TTL = 300

Json = dict[str, Any]


class Refusal(Exception):
    """An answer that says no: nothing was changed."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status
        # github.com/DNSControl/dnscontrol/pull/1956
        self.body = {"error": error, "status": status}


class VultrSimulator(HttpSimulator):
    """An account with some domains. Without `key` it takes any. `may_write`: what the key's user may do.

    `allowed` is false where the address is not on the user's list. `domains` has each domain's records in the order in
    which they are listed (recorded).
    """

    def __init__(self, domains: Iterable[str], key: str | None = None) -> None:
        super().__init__()
        self.key = key
        self.may_write = True
        self.allowed = True
        self.domains: dict[str, list[Json]] = {}
        for domain in domains:
            self.domains[domain] = []
            for number in (1, 2):
                self.add(domain, "", "NS", DEFAULT_TTL, f"ns{number}.vultr.com")

    @property
    def endpoint(self) -> str:
        return f"{self.address}{PREFIX}"

    # What tests do behind the API's back.

    def add(self, domain: str, name: str, rtype: str, ttl: int, data: str, priority: int = -1) -> str:
        """One record as it is listed, whatever stands there; its id."""
        record = {"id": str(uuid.uuid4()), "type": rtype, "name": name, "data": data, "priority": priority, "ttl": ttl}
        with self.lock:
            self.domains[domain].append(record)
        return str(record["id"])

    def remove(self, domain: str, name: str, rtype: str) -> None:
        with self.lock:
            self.domains[domain] = [r for r in self.domains[domain] if (r["name"], r["type"]) != (name, rtype)]

    def records(self, domain: str) -> list[Json]:
        """All records but NS, as the API shows them."""
        with self.lock:
            return [copy.copy(one) for one in self.domains[domain] if one["type"] != "NS"]

    # The API.

    def _answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        try:
            if self.key is not None and headers.get("authorization") != f"Bearer {self.key}":
                raise Refusal(401, "Invalid API token.")
            if not self.allowed:
                raise Refusal(401, "Unauthorized IP address: 127.0.0.1")
            if method != "GET" and not self.may_write:
                raise Refusal(403, "Forbidden")
            parts = urlsplit(target)
            path = [p for p in parts.path.removeprefix(PREFIX).split("/") if p]
            given = json.loads(body) if body and method in ("POST", "PATCH") else {}
            status, answer = self._route(method, path, dict(parse_qsl(parts.query)), given)
        except Refusal as refusal:
            status, answer = refusal.status, refusal.body
        return Answer(status, (), b"" if answer is None else json.dumps(answer).encode())

    def _route(self, method: str, path: list[str], query: dict[str, str], given: Json) -> tuple[int, Json | None]:
        match method, path:
            case "GET", ["domains"]:
                now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")
                shown = [{"domain": name, "date_created": now} for name in self.domains]
                return 200, _page("domains", shown, query)
            case "GET", ["domains", domain, "records"]:
                return 200, _page("records", self._known(domain), query)
            case "POST", ["domains", domain, "records"]:
                return 201, {"record": self._created(domain, given)}
            case "GET", ["domains", domain, "records", record_id]:
                return 200, {"record": self._one(domain, record_id)}
            case "PATCH", ["domains", domain, "records", record_id]:
                former = self._one(domain, record_id)
                # What is not given stays (…/operation/update-dns-domain-record); the type is not among what is read.
                known = {key: given[key] for key in ("name", "data", "ttl", "priority") if key in given}
                former.update(self._checked(domain, former, {**former, **known}))
                return 204, None  # recorded
            case "DELETE", ["domains", domain, "records", record_id]:
                self._known(domain).remove(self._one(domain, record_id))
                return 204, None  # recorded
        raise Refusal(404, "Not found")

    def _known(self, domain: str) -> list[Json]:
        if domain not in self.domains:
            raise Refusal(404, "Domain not found")
        return self.domains[domain]

    def _one(self, domain: str, record_id: str) -> Json:
        found = [one for one in self._known(domain) if one["id"] == record_id]
        if not found:
            raise Refusal(404, "Record not found")
        return found[0]

    def _created(self, domain: str, given: Json) -> Json:
        if given.get("type") not in TYPES or "name" not in given or not given.get("data"):
            raise Refusal(400, "Unable to add record: name, type and data are needed")
        full = {"id": str(uuid.uuid4()), "priority": 0, "ttl": DEFAULT_TTL, **given}
        record = self._checked(
            domain, None, {key: full[key] for key in ("id", "type", "name", "data", "priority", "ttl")}
        )
        self.domains[domain].append(record)
        return record

    def _checked(self, domain: str, former: Json | None, record: Json) -> Json:
        verb = "add" if former is None else "update"
        others = [one for one in self._known(domain) if one["name"] == record["name"] and one is not former]
        try:
            if record["type"] == "A":
                ipaddress.IPv4Address(record["data"])
            if record["type"] == "AAAA":
                ipaddress.IPv6Address(record["data"])
        except ValueError:
            raise Refusal(400, f"Unable to {verb} record: Invalid IP address") from None
        if record["type"] == "TXT":
            record = {**record, "data": _text(record["data"], verb)}
        if others and "CNAME" in (record["type"], *(one["type"] for one in others)):
            raise Refusal(400, f"Unable to {verb} record: A CNAME must stand alone")
        if any(one["type"] == record["type"] and one["ttl"] != record["ttl"] for one in others):
            # github.com/DNSControl/dnscontrol/pull/4609, github.com/bsorahan/certbot-dns-vultr/issues/3
            raise Refusal(400, f"Unable to {verb} record: The TTL is not that of the other records of this name")
        return record


def _text(data: str, verb: str) -> str:
    """As github.com/DNSControl/dnscontrol, providers/vultr, found it; the words are those of its issue 1240."""
    data = data.strip()
    if data.startswith('"') != data.endswith('"') or data == '"':
        raise Refusal(400, f"Unable to {verb} record: Record data must be enclosed in quotes")
    text = data[1:-1] if data.startswith('"') else data
    if '"' in text:
        raise Refusal(400, f"Unable to {verb} record: Quotes may only appear at the beginning and end of the data")
    return f'"{text}"'


def _page(key: str, found: list[Json], query: dict[str, str]) -> Json:
    """A cursor is a text that says nothing to those who use it (…/#section/Introduction/Meta-and-Pagination)."""
    size = min(int(query.get("per_page", PAGE)), MOST_A_PAGE)
    start = int(base64.b64decode(query["cursor"])) if query.get("cursor") else 0
    cursors = {
        "next": base64.b64encode(str(start + size).encode()).decode() if start + size < len(found) else "",
        "prev": base64.b64encode(str(max(start - size, 0)).encode()).decode() if start else "",
    }
    return {key: found[start : start + size], "meta": {"total": len(found), "links": cursors}}
