"""deSEC's API v1 for domains and record sets, as it is documented and recorded, on a loopback port.

What is marked "recorded" is seen in recorded traffic of the real API and compared with it by the tests; everything else
names the page of desec.readthedocs.io that says so. It answers no DNS queries.
"""

from __future__ import annotations

import copy
import ipaddress
import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from dns_servers.http_simulator import Answer, HttpSimulator

PREFIX = "/api/v1"
#: dns/rrsets.html#pagination
PAGE = 500
#: dns/rrsets.html#restricted-types
_REFUSED_TYPES = ("ALIAS", "DNAME", "SOA", "DNSKEY", "NSEC3PARAM", "RRSIG")

Json = dict[str, Any]
Key = tuple[str, str]


class Refusal(Exception):
    """An answer that says no: nothing was changed."""

    def __init__(self, status: int, body: object) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


class Domain:
    """One domain; its record sets by subname and type, newest first as the real one lists them (recorded)."""

    def __init__(self, name: str, minimum_ttl: int) -> None:
        self.name = name
        self.minimum_ttl = minimum_ttl
        self.may_write = True
        self.sets: dict[Key, Json] = {}


class DesecSimulator(HttpSimulator):
    """A deSEC account with some domains. Without `token` it takes any."""

    def __init__(self, domains: Iterable[str], token: str | None = None, minimum_ttl: int = 3600) -> None:
        super().__init__()
        self.domains = {name: Domain(name, minimum_ttl) for name in domains}
        self.token = token

    @property
    def endpoint(self) -> str:
        return f"{self.address}{PREFIX}"

    # What tests do behind the API's back.

    def add(self, domain: str, subname: str, rtype: str, ttl: int, value: str) -> None:
        """Adds a record to its set, whose TTL becomes this one."""
        with self.lock:
            there = self.domains[domain]
            former = there.sets.get((subname, rtype), {"records": []})
            records = [*former["records"], value]
            self._store(there, {"subname": subname, "type": rtype, "ttl": ttl, "records": records})

    def remove(self, domain: str, subname: str, rtype: str) -> None:
        with self.lock:
            self.domains[domain].sets.pop((subname, rtype), None)

    def records(self, domain: str) -> frozenset[str]:
        """The whole domain as lines of text, without the times."""
        with self.lock:
            return frozenset(
                json.dumps(
                    {"name": one["name"], "type": one["type"], "ttl": one["ttl"], "content": value}, sort_keys=True
                )
                for one in self.domains[domain].sets.values()
                for value in one["records"]
            )

    def sets(self, domain: str) -> list[Json]:
        """All record sets of the domain, as the API shows them."""
        with self.lock:
            return list(copy.deepcopy(self.domains[domain].sets).values())

    # The API.

    def _answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        try:
            if self.token is not None and headers.get("authorization") != f"Token {self.token}":
                raise Refusal(401, {"detail": "Invalid token."})  # authentication.html
            parts = urlsplit(target)
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            path = [p for p in parts.path.removeprefix(PREFIX).split("/") if p]
            given = json.loads(body) if body and method != "GET" else None
            return self._route(method, path, query, given)
        except Refusal as refusal:
            return Answer(refusal.status, (), json.dumps(refusal.body).encode())

    def _route(self, method: str, path: list[str], query: dict[str, str], given: Any) -> Answer:
        match method, path:
            case "GET", ["domains"]:
                return self._page("/domains/", [self._shown(d) for d in self.domains.values()], query)
            case "GET", ["domains", name]:
                return _json(200, self._shown(self._domain(name)))
            case "GET", ["domains", name, "rrsets"]:
                found = [
                    one
                    for one in reversed(self._domain(name).sets.values())
                    if one["subname"] == query.get("subname", one["subname"])
                    and one["type"] == query.get("type", one["type"])
                ]
                return self._page(f"/domains/{name}/rrsets/", found, query)
            case "POST", ["domains", name, "rrsets"]:
                return _json(201, self._bulk(self._domain(name), [given], new=True)[0])
            case "PATCH" | "PUT", ["domains", name, "rrsets"]:
                return _json(200, self._bulk(self._domain(name), given, new=False))
            case "PATCH", ["domains", name, "rrsets", subname, rtype]:
                place = {"subname": "" if subname == "@" else subname, "type": rtype}
                made = self._bulk(self._domain(name), [{**given, **place}], new=False)
                return _json(200, made[0]) if made else Answer(204, (), b"")  # recorded
            case "DELETE", ["domains", name, "rrsets", subname, rtype]:
                self._bulk(self._domain(name), [{"subname": subname, "type": rtype, "records": []}], new=False)
                return Answer(204, (), b"")
        raise Refusal(404, {"detail": "Not found."})

    def _domain(self, name: str) -> Domain:
        if name not in self.domains:
            raise Refusal(404, {"detail": "No Domain matches the given query."})  # recorded
        return self.domains[name]

    def _shown(self, domain: Domain) -> Json:
        """dns/domains.html#domain-field-reference"""
        now = _now()
        return {
            "created": now,
            "minimum_ttl": domain.minimum_ttl,
            "name": domain.name,
            "published": now,
            "touched": now,
        }

    def _page(self, path: str, found: list[Json], query: dict[str, str]) -> Answer:
        """dns/rrsets.html#pagination"""
        if "cursor" not in query:
            if len(found) > PAGE:
                raise Refusal(400, {"detail": "Pagination required. You can query up to 500 items at a time."})
            return _json(200, found)
        start = int(query["cursor"] or 0)
        links = [("first", "")] + ([("next", str(start + PAGE))] if len(found) > start + PAGE else [])
        link = ", ".join(
            f'<{self.endpoint}{path}?{urlencode({**query, "cursor": cursor})}>; rel="{rel}"' for rel, cursor in links
        )
        return _json(200, found[start : start + PAGE], [("Link", link)])

    def _bulk(self, domain: Domain, given: list[Json], new: bool) -> list[Json]:
        """All or nothing, with the faults in the order of the request (dns/rrsets.html#bulk-operations)."""
        if not domain.may_write:
            # auth/tokens.html#token-scoping-policies
            raise Refusal(403, {"detail": "You do not have permission to perform this action."})
        faults = [self._fault(domain, one, new) for one in given]
        if any(faults):
            raise Refusal(400, faults[0] if new else faults)
        former = copy.deepcopy(domain.sets)
        made = [self._store(domain, one) for one in given]
        faults = [_beside(domain, one["subname"]) for one in given]
        if any(faults):
            domain.sets = former
            raise Refusal(400, faults)
        return [one for one in made if one is not None]

    def _fault(self, domain: Domain, one: Json, new: bool) -> Json:
        key = (one.get("subname", ""), one["type"])
        there = domain.sets.get(key)
        if one["type"] in _REFUSED_TYPES:
            return {"type": [f"The {one['type']} RRset cannot be managed here."]}
        if new and there:
            return {"non_field_errors": ["Another RRset with the same subdomain and type exists for this domain."]}
        if not re.fullmatch(r"|([*]|[a-z0-9_-]+)([.][a-z0-9_-]+)*", key[0]):
            return {"subname": ["Subname can only use (lowercase) a-z, 0-9, ., -, and _, may start with a '*.'."]}
        if one.get("records") == []:
            return {}
        missing = [field for field in ("ttl", "records") if field not in one and not there]
        if missing:
            return {field: ["This field is required."] for field in missing}
        if "ttl" in one and one["ttl"] < domain.minimum_ttl:
            return {"ttl": [f"Ensure this value is greater than or equal to {domain.minimum_ttl}."]}
        try:
            for text in one.get("records", ()):
                _check(one["type"], text)
        except ValueError as error:
            return {"records": [f"Cannot parse record contents: {error}"]}
        return {}

    def _store(self, domain: Domain, one: Json) -> Json | None:
        key = (one.get("subname", ""), one["type"])
        former = domain.sets.get(key, {})
        records = one.get("records", former.get("records", []))
        if not records:
            domain.sets.pop(key, None)
            return None
        now = _now()
        domain.sets[key] = {
            "created": former.get("created", now),
            "domain": domain.name,
            "subname": key[0],
            "name": f"{key[0]}.{domain.name}." if key[0] else f"{domain.name}.",
            "records": list(records),
            "ttl": one.get("ttl", former.get("ttl")),
            "type": key[1],
            "touched": now,
        }
        return domain.sets[key]


def _check(rtype: str, text: str) -> None:
    """dns/rrsets.html#caveats"""
    if rtype == "A":
        ipaddress.IPv4Address(text)
    if rtype == "AAAA":
        ipaddress.IPv6Address(text)
    if rtype in ("CNAME", "MX", "NS") and not text.endswith("."):
        raise ValueError("the name must end with a dot")
    if rtype == "TXT" and not text.startswith('"'):
        raise ValueError("the text must be in double quotes")


def _beside(domain: Domain, subname: str) -> Json:
    """dns/rrsets.html#caveats: a CNAME stands alone, and not at the apex."""
    types = {rtype for name, rtype in domain.sets if name == subname}
    if "CNAME" not in types or (types == {"CNAME"} and subname):
        return {}
    return {"non_field_errors": [f"RRset with conflicting type present: {', '.join(sorted(types))}"]}


def _json(status: int, body: object, headers: Iterable[tuple[str, str]] = ()) -> Answer:
    return Answer(status, tuple(headers), json.dumps(body).encode())


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
