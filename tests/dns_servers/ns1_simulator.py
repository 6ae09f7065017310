"""NS1's API v1 for zones and records, as it is documented and recorded, on a loopback port.

What is marked "recorded" is seen in recorded traffic of the real API and compared with it by the tests; everything else
names the page that says so: nsone.net/api unless another is named. It answers no DNS queries.
"""

from __future__ import annotations

import copy
import ipaddress
import itertools
import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from dns_servers.http_simulator import Answer, HttpSimulator

PREFIX = "/v1"
#: About that many records or zones come with one answer, and a Link header leads on.
PAGE = 2500
#: Requests for a period in seconds; help.ns1.com/hc/en-us/articles/360020250573 has these as an example (recorded).
LIMITS = {True: (100, 200), False: (900, 300)}
#: What a request may say of a record. What is read only in it does not matter.
_FIELDS = {
    "answers": list,
    "blocked_tags": list,
    "filters": list,
    "link": str,
    "meta": dict,
    "override_address_records": bool,
    "override_ttl": bool,
    "regions": dict,
    "tags": dict,
    "ttl": int,
    "use_client_subnet": bool,
}
_IGNORED = ("zone", "domain", "type", "name", "id")
#: ibm.com/docs/en/ns1-connect?topic=answers-reference-dns-record-types
_AUTOMATIC = ("SOA", "DNSKEY", "NSEC", "NSEC3", "RRSIG")
_ADDRESSES = ("A", "AAAA", "ALIAS", "CNAME")

Json = dict[str, Any]
Key = tuple[str, str]


class Refusal(Exception):
    """An answer that says no: nothing was changed."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status)
        self.status = status
        self.body = {"message": message}


class Zone:
    """One zone; its records by domain and type. `more` is what it has besides, such as "secondary"."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.link: str | None = None
        self.more: Json = {}
        self.records: dict[Key, Json] = {}


class Ns1Simulator(HttpSimulator):
    """An NS1 account with some zones. Without `key` it takes any."""

    lagging = "/zones/"

    def __init__(self, zones: Iterable[str], key: str | None = None) -> None:
        super().__init__()
        self.zones = {name: Zone(name) for name in zones}
        self.key = key
        self.may_write = True
        self._numbers = itertools.count(1)

    @property
    def endpoint(self) -> str:
        return f"{self.address}{PREFIX}"

    # What tests do behind the API's back.

    def add(self, zone: str, domain: str, rtype: str, ttl: int, *fields: str | int) -> None:
        """Adds an answer to its record, whose TTL becomes this one."""
        with self.lock:
            there = self.zones[zone].records
            former = there.get((domain, rtype)) or self._new(zone, domain, rtype)
            answers = [*former["answers"], {"answer": list(fields), "id": self._id()}]
            there[domain, rtype] = former | {"ttl": ttl, "answers": answers}

    def remove(self, zone: str, domain: str, rtype: str) -> None:
        with self.lock:
            self.zones[zone].records.pop((domain, rtype), None)

    def change(self, zone: str, domain: str, rtype: str, **fields: Any) -> None:
        """Changes fields of a record, such as its filters."""
        with self.lock:
            self.zones[zone].records[domain, rtype] |= fields

    def sets(self, zone: str) -> list[Json]:
        """All records of the zone, as the API shows them."""
        with self.lock:
            return list(copy.deepcopy(self.zones[zone].records).values())

    def records(self, zone: str) -> frozenset[str]:
        """The whole zone as lines of text, without ids. The order of answers does not matter."""
        lines = []
        for one in self.sets(zone):
            answers = [{key: value for key, value in answer.items() if key != "id"} for answer in one.pop("answers")]
            one["answers"] = sorted(answers, key=lambda answer: json.dumps(answer, sort_keys=True))
            lines.append(json.dumps({key: value for key, value in one.items() if key != "id"}, sort_keys=True))
        return frozenset(lines)

    # The API.

    def _answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        limit, period = LIMITS[method != "GET"]
        shown = [
            ("X-RateLimit-Limit", str(limit)),
            ("X-RateLimit-Remaining", str(limit - 1)),
            ("X-RateLimit-Period", str(period)),
        ]
        try:
            if self.key is not None and headers.get("x-nsone-key") != self.key:
                raise Refusal(401, "Unauthorized")
            if method != "GET" and not self.may_write:
                raise Refusal(403, "You do not have permission to manage zones")
            parts = urlsplit(target)
            path = [unquote(p) for p in parts.path.removeprefix(PREFIX).split("/") if p]
            given = json.loads(body) if body and method in ("PUT", "POST") else {}
            found, more = self._route(method, path, parse_qs(parts.query), given)
            return Answer(200, [*shown, *more], json.dumps(found).encode())
        except Refusal as refusal:
            return Answer(refusal.status, shown, json.dumps(refusal.body).encode())

    def _route(
        self, method: str, path: list[str], query: dict[str, list[str]], given: Json
    ) -> tuple[object, list[tuple[str, str]]]:
        match method, path:
            case "GET", ["zones"]:
                every = [_zone(zone) for zone in self.zones.values()]
                return self._page("/zones", every, query)
            case "GET", ["zones", name]:
                zone = self._zone(name)
                listed = [_listed(one) for _, one in sorted(zone.records.items())]  # recorded
                records, more = self._page(f"/zones/{name}", listed, query)
                return _zone(zone) | {"records": records}, more
            case "GET", ["zones", name, domain, rtype]:
                return self._record(self._zone(name), domain, rtype), []
            case "PUT", ["zones", name, domain, rtype]:
                return self._create(self._changeable(name, domain, rtype), domain, rtype, given), []
            case "POST", ["zones", name, domain, rtype]:
                return self._update(self._changeable(name, domain, rtype), domain, rtype, given), []
            case "DELETE", ["zones", name, domain, rtype]:
                zone = self._changeable(name, domain, rtype)
                self._record(zone, domain, rtype)
                del zone.records[domain, rtype]
                return {}, []  # recorded
        raise Refusal(404, "not found")

    def _page(self, path: str, every: list[Json], query: dict[str, list[str]]) -> tuple[list[Json], Any]:
        start = int(query.get("after", ["0"])[0])
        following = start + PAGE
        link = [("Link", f'<{self.endpoint}{path}?after={following}>; rel="next"')] if following < len(every) else []
        return every[start:following], link

    def _zone(self, name: str) -> Zone:
        if name not in self.zones:
            raise Refusal(404, "zone not found")  # recorded
        return self.zones[name]

    def _record(self, zone: Zone, domain: str, rtype: str) -> Json:
        if (domain, rtype) not in zone.records:
            raise Refusal(404, "record not found")  # recorded
        return zone.records[domain, rtype]

    def _changeable(self, name: str, domain: str, rtype: str) -> Zone:
        zone = self._zone(name)
        if zone.more.get("secondary", {}).get("enabled"):
            raise Refusal(400, "records of a secondary zone are read only")
        if rtype in _AUTOMATIC:
            raise Refusal(405, "Operation on DNSSEC record is not allowed")
        if domain != name and not domain.endswith(f".{name}"):
            raise Refusal(400, f'"{domain}" not a valid domain in {name}')
        return zone

    def _create(self, zone: Zone, domain: str, rtype: str, given: Json) -> Json:
        """The records of a name may be of several address types while one gives way to another
        (help.ns1.com/hc/en-us/articles/360020249033), but a CNAME stands beside nothing else, and not at the apex
        (ibm.com/docs/en/ns1-connect?topic=answers-comparing-cname-alias-linked-records)."""
        if (domain, rtype) in zone.records:
            raise Refusal(400, "record already exists")
        types = {t for d, t in zone.records if d == domain} | {rtype}
        if "CNAME" in types and (domain == zone.name or types - {*_ADDRESSES}):
            raise Refusal(400, "a CNAME record cannot stand beside other records")
        made = self._changed(self._new(zone.name, domain, rtype), rtype, given)
        zone.records[domain, rtype] = made
        return made

    def _update(self, zone: Zone, domain: str, rtype: str, given: Json) -> Json:
        """Only what is given is changed."""
        zone.records[domain, rtype] = self._changed(self._record(zone, domain, rtype), rtype, given)
        return zone.records[domain, rtype]

    def _changed(self, former: Json, rtype: str, given: Json) -> Json:
        for key, value in given.items():
            if key not in _IGNORED and (key not in _FIELDS or not isinstance(value, _FIELDS[key])):
                raise Refusal(400, f"Input validation failed (Value {value} for field '<obj>.{key}' is not right)")
        fields = {key: value for key, value in given.items() if key in _FIELDS}
        answers = [_checked(rtype, one) | {"id": one.get("id", self._id())} for one in given.get("answers", ())]
        made = former | fields | ({"answers": answers} if "answers" in given else {})
        if not made["answers"] and not made["link"]:
            raise Refusal(400, "a record must have at least one answer")
        return made | {"tier": 3 if made["filters"] else 1}

    def _new(self, zone: str, domain: str, rtype: str) -> Json:
        """recorded"""
        return {
            "domain": domain,
            "zone": zone,
            "use_client_subnet": True,
            "answers": [],
            "id": self._id(),
            "regions": {},
            "meta": {},
            "link": None,
            "filters": [],
            "ttl": 3600,
            "tier": 1,
            "type": rtype,
            "networks": [0],
        }

    def _id(self) -> str:
        return f"{next(self._numbers):024x}"


def _zone(zone: Zone) -> Json:
    """recorded"""
    return {
        "zone": zone.name,
        "id": f"{0:024x}",
        "ttl": 3600,
        "nx_ttl": 3600,
        "retry": 7200,
        "refresh": 43200,
        "expiry": 1209600,
        "serial": 1769947200,
        "hostmaster": "hostmaster@nsone.net",
        "dnssec": False,
        "primary": {"enabled": False, "secondaries": []},
        "dns_servers": ["dns1.p08.nsone.net", "dns2.p08.nsone.net"],
        "networks": [0],
        "network_pools": ["p08"],
        "pool": "p08",
        "meta": {},
        "link": zone.link,
        **zone.more,
    }


def _listed(one: Json) -> Json:
    """A record in the list of its zone (recorded)."""
    short = [" ".join(str(field) for field in answer["answer"]) for answer in one["answers"]]
    return {key: one[key] for key in ("domain", "link", "ttl", "tier", "type", "id")} | {"short_answers": short}


def _checked(rtype: str, given: Json) -> Json:
    fields = given.get("answer")
    if not isinstance(fields, list) or not fields:
        raise Refusal(400, "an answer must have fields")
    try:
        if rtype in ("A", "AAAA"):
            (ipaddress.IPv4Address if rtype == "A" else ipaddress.IPv6Address)(*fields)
    except (ValueError, TypeError) as error:
        raise Refusal(400, f"invalid answer: {error}") from None
    if rtype in ("CNAME", "ALIAS") and (len(fields) != 1 or "." not in fields[0]):
        raise Refusal(400, "invalid answer: not a host name")
    return {key: given[key] for key in ("answer", "meta", "region", "feeds") if key in given}
