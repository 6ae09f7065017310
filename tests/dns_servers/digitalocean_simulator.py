"""DigitalOcean's API v2 for domains and their records, as it is documented and recorded, on a loopback port.

What is marked "recorded" is seen in recorded traffic of the real API and compared with it by the tests; everything else
names the page that says so. Operations are those of docs.digitalocean.com/reference/api/digitalocean. It answers no DNS
queries.
"""

from __future__ import annotations

import copy
import ipaddress
import itertools
import json
import time
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from dns_servers.http_simulator import Answer, HttpSimulator

PREFIX = "/v2"
#: What each method needs one of (the operations' security).
SCOPES = {
    "GET": {"domain:read"},
    "POST": {"domain:create", "domain:update"},
    "PATCH": {"domain:update"},
    "PUT": {"domain:update"},
    "DELETE": {"domain:delete", "domain:update"},
}
TYPES = ("A", "AAAA", "CAA", "CNAME", "MX", "NS", "SRV", "TXT")
#: Not documented; github.com/neatnik/omg.lol/issues/37.
LEAST_TTL = 30
#: #operation/domains_list_records, per_page
PAGE, MOST_A_PAGE = 20, 200
_HOSTS = ("CNAME", "MX", "NS", "SRV")

Json = dict[str, Any]


class Refusal(Exception):
    """An answer that says no: nothing was changed."""

    def __init__(self, status: int, id: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"id": id, "message": message}


class DigitalOceanSimulator(HttpSimulator):
    """A team with some domains. Without `token` it takes any. `scopes` are those of the token.

    `domains` has each domain's records in the order in which they are listed (recorded).
    """

    def __init__(self, domains: Iterable[str], token: str | None = None) -> None:
        super().__init__()
        self.token = token
        self.scopes = set().union(*SCOPES.values())
        self._ids = itertools.count(78210035)
        self.domains: dict[str, list[Json]] = {}
        for domain in domains:
            self.domains[domain] = []
            self.add(domain, "@", "SOA", 1800, "1800")
            for number in (1, 2, 3):
                self.add(domain, "@", "NS", 1800, f"ns{number}.digitalocean.com")

    @property
    def endpoint(self) -> str:
        return f"{self.address}{PREFIX}"

    # What tests do behind the API's back.

    def add(self, domain: str, name: str, rtype: str, ttl: int, data: str, **more: object) -> int:
        """One record as it is listed, whatever stands there; its id."""
        empty = dict.fromkeys(("priority", "port", "weight", "flags", "tag"))
        record = {"id": next(self._ids), "type": rtype, "name": name, "data": data, "ttl": ttl, **empty, **more}
        with self.lock:
            self.domains[domain].append(record)
        return int(record["id"])

    def remove(self, domain: str, name: str, rtype: str) -> None:
        with self.lock:
            self.domains[domain] = [r for r in self.domains[domain] if (r["name"], r["type"]) != (name, rtype)]

    def records(self, domain: str) -> list[Json]:
        """All records but SOA and NS, as the API shows them."""
        with self.lock:
            return [copy.copy(one) for one in self.domains[domain] if one["type"] not in ("SOA", "NS")]

    # The API.

    def _answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        limits = [("ratelimit-limit", "5000"), ("ratelimit-remaining", "4999")]
        limits.append(("ratelimit-reset", str(int(time.time()) + 3600)))  # recorded, all three
        try:
            if self.token is not None and headers.get("authorization") != f"Bearer {self.token}":
                raise Refusal(401, "unauthorized", "Unable to authenticate you.")  # the operations' answer 401
            if not self.scopes & SCOPES[method]:
                # The introduction's example of an error.
                raise Refusal(403, "forbidden", "You do not have access for the attempted action.")
            parts = urlsplit(target)
            path = [p for p in parts.path.removeprefix(PREFIX).split("/") if p]
            given = json.loads(body) if body and method not in ("GET", "DELETE") else {}
            status, answer = self._route(method, path, dict(parse_qsl(parts.query)), given)
        except Refusal as refusal:
            status, answer = refusal.status, refusal.body
        return Answer(status, tuple(limits), b"" if answer is None else json.dumps(answer).encode())

    def _route(self, method: str, path: list[str], query: dict[str, str], given: Json) -> tuple[int, Json | None]:
        match method, path:
            case "GET", ["domains"]:
                return 200, self._page("domains", [self._shown(name) for name in self.domains], path, query)
            case "GET", ["domains", domain]:
                self._known(domain)
                return 200, {"domain": self._shown(domain)}
            case "GET", ["domains", domain, "records"]:
                found = [one for one in self._known(domain) if _asked(domain, one, query)]
                return 200, self._page("domain_records", found, path, query)
            case "POST", ["domains", domain, "records"]:
                record = self._stored(domain, None, {"ttl": 1800, **given})
                return 201, {"domain_record": record}
            case "GET", ["domains", domain, "records", record_id]:
                return 200, {"domain_record": self._one(domain, record_id)}
            case "PATCH" | "PUT", ["domains", domain, "records", record_id]:
                return 200, {"domain_record": self._stored(domain, self._one(domain, record_id), given)}
            case "DELETE", ["domains", domain, "records", record_id]:
                self._known(domain).remove(self._one(domain, record_id))
                return 204, None
        raise _missing()

    def _known(self, domain: str) -> list[Json]:
        if domain not in self.domains:
            raise _missing()
        return self.domains[domain]

    def _one(self, domain: str, record_id: str) -> Json:
        found = [one for one in self._known(domain) if str(one["id"]) == record_id]
        if not found:
            raise _missing()
        return found[0]

    def _shown(self, domain: str) -> Json:
        """#operation/domains_list; recorded"""
        lines = [f"$ORIGIN {domain}.", "$TTL 1800"]
        lines += [f"{one['name']} {one['ttl']} IN {one['type']} {one['data']}" for one in self.domains[domain]]
        return {"name": domain, "ttl": 1800, "zone_file": "\n".join(lines)}

    def _page(self, key: str, found: list[Json], path: list[str], query: dict[str, str]) -> Json:
        """The introduction, Links & Pagination; recorded"""
        size = min(int(query.get("per_page", PAGE)), MOST_A_PAGE)
        number, last = int(query.get("page", 1)), max(-(-len(found) // size), 1)
        to = {"first": 1, "prev": number - 1} if number > 1 else {}
        to |= {"next": number + 1, "last": last} if number < last else {}
        address = f"{self.endpoint}/{'/'.join(path)}"
        pages = {rel: f"{address}?{urlencode({**query, 'page': page})}" for rel, page in to.items()}
        shown = found[(number - 1) * size : number * size]
        return {key: shown, "links": {"pages": pages} if pages else {}, "meta": {"total": len(found)}}

    def _stored(self, domain: str, former: Json | None, given: Json) -> Json:
        there = self._known(domain)
        record = {**(former or {"name": None}), **given}
        if record["type"] not in TYPES:
            raise _unprocessable("Type is not valid")
        if not record.get("name") or not record.get("data"):
            raise _unprocessable("Name can't be blank" if not record.get("name") else "Data can't be blank")
        if record["ttl"] < LEAST_TTL:
            raise _unprocessable(f"TTL must be at least {LEAST_TTL}")
        if "data" in given:
            record["data"] = _data(domain, record)
        others = [one for one in there if one["name"] == record["name"] and one is not former]
        if others and "CNAME" in (record["type"], *(one["type"] for one in others)):
            # github.com/kubernetes-sigs/external-dns/issues/4802
            raise _unprocessable("CNAME records cannot share a name with other records")
        for one in others:
            # github.com/digitalocean/terraform-provider-digitalocean/pull/1157
            one["ttl"] = record["ttl"] if one["type"] == record["type"] else one["ttl"]
        if former is not None:
            former.update(record)
            return former
        more = {key: record[key] for key in ("priority", "port", "weight", "flags", "tag") if key in record}
        self.add(domain, record["name"], record["type"], record["ttl"], record["data"], **more)
        return there[-1]


def _asked(domain: str, one: Json, query: dict[str, str]) -> bool:
    """#operation/domains_list_records: name is the full name."""
    name = domain if one["name"] == "@" else f"{one['name']}.{domain}"
    return query.get("name", name).lower() == name.lower() and query.get("type", one["type"]) == one["type"]


def _data(domain: str, record: Json) -> str:
    """As it is shown: host names without the final dot that they must be given with, the domain itself as "@"."""
    rtype, data = record["type"], str(record["data"])
    try:
        if rtype == "A":
            ipaddress.IPv4Address(data)
        if rtype == "AAAA":
            ipaddress.IPv6Address(data)
    except ValueError:
        raise _unprocessable(f"Data is not an address that {rtype} records can have") from None
    if rtype in (*_HOSTS, "CAA") and data != "@":
        if not data.endswith("."):
            raise _unprocessable("Data needs to end with a dot (.)")  # github.com/digitalocean/api-v2/issues/130
        data = data[:-1]
        # github.com/DNSControl/dnscontrol, providers/digitalocean
        return "@" if rtype in _HOSTS and data.lower() == domain else data
    return data


def _missing() -> Refusal:
    return Refusal(404, "not_found", "The resource you were accessing could not be found.")  # recorded


def _unprocessable(message: str) -> Refusal:
    return Refusal(422, "unprocessable_entity", message)
