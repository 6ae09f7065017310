"""Gandi's API v5 for LiveDNS, as it is documented and recorded, on a loopback port.

What is marked "recorded" is seen in recorded traffic of the real API and compared with it by the tests; everything else
is said by api.gandi.net/docs/livedns, or by the page that is named. It answers no DNS queries.
"""

from __future__ import annotations

import copy
import ipaddress
import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from dns_servers.http_simulator import Answer, HttpSimulator

PREFIX = "/v5"
LEAST_TTL, DEFAULT_TTL, MOST_TTL = 300, 10800, 2592000
#: How many items a page has where the request does not say; seen by users, not documented.
PAGE = 500
TYPES = {"A", "AAAA", "ALIAS", "CAA", "CDS", "CNAME", "DNAME", "DS", "HTTPS", "KEY", "LOC", "MX", "NAPTR", "NS"}
TYPES |= {"OPENPGPKEY", "PTR", "RP", "SPF", "SRV", "SSHFP", "SVCB", "TLSA", "TXT", "WKS"}
NAME_SERVERS = ["ns-154-a.gandi.net", "ns-232-b.gandi.net", "ns-109-c.gandi.net"]

Json = dict[str, Any]
Key = tuple[str, str]


class Refusal(Exception):
    """An answer that says no: nothing was changed."""

    def __init__(self, status: int, cause: str, message: str, of: str) -> None:
        super().__init__(status)
        self.status = status
        self.body: Json = {"code": status, "message": message, "object": of, "cause": cause}  # recorded


class Domain:
    """One domain; its record sets by name and type."""

    def __init__(self, fqdn: str) -> None:
        self.fqdn = fqdn
        self.may_write = True
        self.signed = False
        self.name_servers = list(NAME_SERVERS)
        self.slaves: list[str] = []
        self.linked_zone: str | None = None
        self.sets: dict[Key, Json] = {}


class GandiSimulator(HttpSimulator):
    """What one personal access token sees. Without `token` it takes any."""

    def __init__(self, domains: Iterable[str], token: str | None = None, *, least_ttl: int = LEAST_TTL) -> None:
        super().__init__()
        self.domains = {fqdn: Domain(fqdn) for fqdn in domains}
        self.token = token
        self.least_ttl = least_ttl

    @property
    def endpoint(self) -> str:
        return f"{self.address}{PREFIX}"

    # What tests do behind the API's back.

    def add(self, domain: str, name: str, rtype: str, ttl: int, value: str) -> None:
        """Adds a value to its set, whose TTL becomes this one."""
        with self.lock:
            there = self.domains[domain]
            former = there.sets.get((name, rtype), {"rrset_values": []})
            self._store(there, name, rtype, {"rrset_ttl": ttl, "rrset_values": [*former["rrset_values"], value]})

    def remove(self, domain: str, name: str, rtype: str) -> None:
        with self.lock:
            self.domains[domain].sets.pop((name, rtype), None)

    def sets(self, domain: str) -> list[Json]:
        """All record sets of the domain, as the API shows them."""
        with self.lock:
            return copy.deepcopy([self.domains[domain].sets[key] for key in sorted(self.domains[domain].sets)])

    # The API.

    def _answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        try:
            if self.token is not None and headers.get("authorization") != f"Bearer {self.token}":
                raise Refusal(
                    401,
                    "Unauthorized",
                    "The server could not verify that you authorized to access the document you requested. Either you"
                    " supplied the wrong credentials (e.g., bad api key), or your access token has expired",
                    "HTTPUnauthorized",
                )
            parts = urlsplit(target)
            query = dict(parse_qsl(parts.query))
            path = [unquote(p) for p in parts.path.removeprefix(PREFIX).split("/") if p]
            if body and method != "GET" and headers.get("content-type") != "application/json":
                raise _bad("content-type", "must be application/json")  # api.gandi.net/docs/reference
            given = json.loads(body) if body and method != "GET" else {}
            return self._route(method, path, query, given)
        except Refusal as refusal:
            return Answer(refusal.status, (), json.dumps(refusal.body).encode())

    def _route(self, method: str, path: list[str], query: dict[str, str], given: Json) -> Answer:
        match method, path:
            case "GET", ["livedns", "domains"]:
                return self._page("/livedns/domains", [self._listed(d) for d in self.domains.values()], query)
            case "GET", ["livedns", "domains", fqdn]:
                return _json(200, self._shown(self._domain(fqdn)))
            case "GET", ["livedns", "domains", fqdn, "nameservers"]:
                return _json(200, self._domain(fqdn).name_servers)
            case "GET", ["livedns", "domains", fqdn, "axfr", "slaves"]:
                return _json(200, self._domain(fqdn).slaves)
            case "GET", ["linkedzone", "domains", fqdn]:
                return _json(200, _linked(self._domain(fqdn)))
            case _, ["livedns", "domains", fqdn, "records", *place] if len(place) < 3:
                domain = self._domain(fqdn)
                if method == "GET":
                    return self._records(domain, place, query)
                if not domain.may_write:
                    raise Refusal(403, "Forbidden", "Access was denied to this resource.", "HTTPForbidden")
                return self._change(method, domain, place, given)
        raise Refusal(404, "Not Found", "The resource could not be found.", "HTTPNotFound")

    def _domain(self, fqdn: str) -> Domain:
        if fqdn not in self.domains:
            raise Refusal(404, "Not Found", "The resource could not be found.", "HTTPNotFound")  # recorded
        return self.domains[fqdn]

    def _records(self, domain: Domain, place: list[str], query: dict[str, str]) -> Answer:
        if len(place) == 2:
            one = domain.sets.get((place[0], place[1]))
            if one is None:
                raise _missing("/".join(place))
            return _json(200, one)
        every = [domain.sets[key] for key in sorted(domain.sets)]
        if not place:
            wanted = [one for one in every if one["rrset_type"] == query.get("rrset_type", one["rrset_type"])]
            return self._page(f"/livedns/domains/{domain.fqdn}/records", wanted, query)
        found = [one for one in every if one["rrset_name"] == place[0]]
        if not found:
            raise _missing(place[0])
        return _json(200, found)

    def _change(self, method: str, domain: Domain, place: list[str], given: Json) -> Answer:
        spelled = {label for label, _ in domain.sets}
        if place and place[0] not in spelled and place[0].lower() in {label.lower() for label in spelled}:
            return _json(500, {"code": 500})  # github.com/DNSControl/dnscontrol/issues/3581
        former = copy.deepcopy(domain.sets)
        try:
            match method, place:
                case "PUT", [name]:
                    for key in [key for key in domain.sets if key[0] == name]:
                        del domain.sets[key]
                    for one in given["items"]:
                        self._put(domain, name, one["rrset_type"], one)
                case "PUT", [name, rtype]:
                    self._put(domain, name, rtype, given)
                case "POST", [name, rtype]:
                    if (name, rtype) in domain.sets:
                        raise Refusal(409, "Conflict", "A DNS Record already exists with same value", "HTTPConflict")
                    self._put(domain, name, rtype, given)
                case "DELETE", [name, *rtype]:
                    keys = [key for key in domain.sets if key[0] == name and key[1] in (rtype or [key[1]])]
                    if not keys:
                        raise _missing("/".join(place))
                    for key in keys:
                        del domain.sets[key]
                    return Answer(204, (), b"")  # recorded
                case _:
                    raise Refusal(405, "Method Not Allowed", "The method is not allowed.", "HTTPMethodNotAllowed")
            for name in {key[0] for key in domain.sets}:
                _check_name(domain, name)
        except Refusal:
            domain.sets = former
            raise
        location = f"{self.endpoint}/livedns/domains/{domain.fqdn}/records/{'/'.join(place)}"
        return _json(201, {"message": "DNS Record Created"}, [("Location", location)])  # recorded

    def _put(self, domain: Domain, name: str, rtype: str, given: Json) -> None:
        values, ttl = given.get("rrset_values"), given.get("rrset_ttl", DEFAULT_TTL)
        if rtype not in TYPES:
            raise _bad("rrset_type", f"{rtype} is not one of the accepted types")
        if not values:
            raise _bad("rrset_values", "at least one value is required")
        if not self.least_ttl <= ttl <= MOST_TTL:
            raise _bad("rrset_ttl", f"{ttl} is not from {self.least_ttl} to {MOST_TTL}")
        kinds = {"A": ipaddress.IPv4Address, "AAAA": ipaddress.IPv6Address}
        for value in values:
            try:
                kinds.get(rtype, str)(value)
            except ValueError:
                raise _bad("rrset_values", f"{value} is not a valid {rtype} value") from None
        if rtype == "TXT":
            values = [value if value.startswith('"') else f'"{value}"' for value in values]  # recorded
        self._store(domain, name, rtype, {"rrset_ttl": ttl, "rrset_values": values})

    def _store(self, domain: Domain, name: str, rtype: str, content: Json) -> None:
        place = f"{'%40' if name == '@' else name}/{rtype}"
        domain.sets[name, rtype] = {
            "rrset_type": rtype,
            "rrset_ttl": content["rrset_ttl"],
            "rrset_name": name,
            "rrset_href": f"{self.endpoint}/livedns/domains/{domain.fqdn}/records/{place}",
            "rrset_values": list(content["rrset_values"]),
        }

    def _page(self, path: str, found: list[Json], query: dict[str, str]) -> Answer:
        page, size = int(query.get("page", 1)), int(query.get("per_page", PAGE))
        last = max(1, -(-len(found) // size))
        items = found[(page - 1) * size : page * size]
        links = [(rel, at) for rel, at in (("next", page + 1), ("last", last)) if page < last]
        headers = [("Total-Count", str(len(found))), ("Filtered-Count", str(len(items)))]
        if links:
            url = f"{self.endpoint}{path}"
            told = (f'<{url}?{urlencode({**query, "page": at, "per_page": size})}>; rel="{rel}"' for rel, at in links)
            headers.append(("Link", ", ".join(told)))
        return _json(200, items, headers)

    def _listed(self, domain: Domain) -> Json:
        url = f"{self.endpoint}/livedns/domains/{domain.fqdn}"
        return {"fqdn": domain.fqdn, "domain_href": url, "domain_records_href": f"{url}/records"}

    def _shown(self, domain: Domain) -> Json:
        """As recorded."""
        more = {"domain_keys_href": f"{self.endpoint}/livedns/domains/{domain.fqdn}/keys", "automatic_snapshots": True}
        return {**self._listed(domain), **more}


def _linked(domain: Domain) -> Json:
    """api.gandi.net/docs/linkedzone"""
    if domain.linked_zone is None:
        raise Refusal(404, "Not Found", "The resource could not be found.", "HTTPNotFound")
    zone = {"id": "50a8e8fb-765c-4533-8ed3-f222d25bdb9a", "name": domain.linked_zone, "status": "DEPLOYED"}
    number = "d6208438-1ebf-4727-9e8a-166568d35855"
    return {"id": number, "deployed": True, "name": domain.fqdn, "owner": number, "zone": zone}


def _check_name(domain: Domain, name: str) -> None:
    """A CNAME stands alone and not at the apex; docs.gandi.net/en/domain_names/faq/dns_records.html has ALIAS."""
    types = {rtype for other, rtype in domain.sets if other == name}
    if "CNAME" in types and (len(types) > 1 or name == "@"):
        raise _bad("rrset_type", f"a CNAME at {name} conflicts with other records")
    if "CNAME" in types and len(domain.sets[name, "CNAME"]["rrset_values"]) > 1:
        raise _bad("rrset_values", "a CNAME has one value")
    if "ALIAS" in types and name != "@":
        raise _bad("rrset_type", "an ALIAS is allowed at the apex only")
    if "ALIAS" in types and domain.signed:
        raise _bad("rrset_type", "an ALIAS is not allowed with DNSSEC")


def _bad(field: str, words: str) -> Refusal:
    refusal = Refusal(400, "Bad Request", "", "HTTPBadRequest")
    refusal.body = {"status": "error", "errors": [{"location": "body", "name": field, "description": words}]}
    return refusal


def _missing(place: str) -> Refusal:
    return Refusal(404, "Not Found", f"Can't find the DNS record {place} in the zone", "dns-record")  # recorded


def _json(status: int, body: object, headers: Iterable[tuple[str, str]] = ()) -> Answer:
    return Answer(status, tuple(headers), json.dumps(body).encode())
