"""The zones and record sets of the Hetzner Cloud API, as they are documented and recorded, on a loopback port.

What is marked "recorded" is seen in recorded traffic of the real API and compared with it by the tests; everything else
names the part of docs.hetzner.cloud/reference/cloud that says so. It answers no DNS queries.
"""

from __future__ import annotations

import copy
import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import dns.exception
import dns.name
import dns.rdata

from dns_servers.http_simulator import Answer, HttpSimulator

PREFIX = "/v1"
#: #tag/zone-rrsets
TYPES = (
    *("A", "AAAA", "CAA", "CNAME", "DS", "HINFO", "HTTPS", "MX"),
    *("NS", "PTR", "RP", "SOA", "SRV", "SVCB", "TLSA", "TXT"),
)
LEAST_TTL, MOST_TTL = 60, 2147483647
NAME_SERVERS = ("helium.ns.hetzner.de.", "hydrogen.ns.hetzner.com.", "oxygen.ns.hetzner.com.")

Json = dict[str, Any]
Key = tuple[str, str]


class Refusal(Exception):
    """An answer that says no: nothing was changed. #description/errors"""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status)
        self.status = status
        self.body = {"error": {"code": code, "message": message, "details": None}}


class Zone:
    """One zone. `sets` is what was asked for, `shown` what the API shows, by name and type."""

    def __init__(self, number: int, name: str) -> None:
        self.id = number
        self.name = name
        self.ttl = 86400
        self.mode = "primary"
        self.status = "ok"
        self.delegation = "valid"
        self.sets: dict[Key, Json] = {}
        # docs.hetzner.com/networking/dns/faq/records: made with the zone. Their TTL is the zone's (recorded).
        soa = f"{NAME_SERVERS[1]} dns.hetzner.com. 2026020101 86400 10800 3600000 3600"
        for rtype, values in (("NS", NAME_SERVERS), ("SOA", (soa,))):
            self.sets["@", rtype] = self.made("@", rtype, None, [{"value": value} for value in values])
        self.shown = copy.deepcopy(self.sets)

    def made(self, name: str, rtype: str, ttl: int | None, records: list[Json], labels: Json | None = None) -> Json:
        """A record set as the API shows it (recorded)."""
        return {
            "id": f"{name}/{rtype}",
            "name": name,
            "type": rtype,
            "ttl": ttl,
            "labels": labels or {},
            "protection": {"change": False},
            "records": [{"value": r["value"], "comment": r.get("comment", "")} for r in records],
            "zone": self.id,
        }


class Action:
    """What was asked for and is carried out in the background. #description/actions"""

    def __init__(self, number: int, zone: Zone, command: str, seconds: float) -> None:
        self.id = number
        self.zone = zone
        self.command = command
        self.ends = time.monotonic() + seconds
        self.sets = copy.deepcopy(zone.sets)
        self.status = "running"
        self.error: Json | None = None

    def shown(self) -> Json:
        done = self.status != "running"
        return {
            "id": self.id,
            "status": self.status,
            "command": self.command,
            "progress": 100 if done else 50,
            "started": "2026-02-01T12:00:00Z",
            "finished": "2026-02-01T12:00:04Z" if done else None,
            "error": self.error,
            "resources": [{"id": self.zone.id, "type": "zone"}],
        }


class HetznerSimulator(HttpSimulator):
    """A project with some zones. Without `token` it takes any.

    An action takes `seconds`. What it does is shown at once, or with `late` only when it is done. With `locks`, a zone
    takes no other change meanwhile. `fails` is the error that the next action ends with, in code and words.
    """

    def __init__(self, zones: Iterable[str], token: str | None = None, seconds: float = 0.02) -> None:
        super().__init__()
        self.zones = {name: Zone(number, name) for number, name in enumerate(zones, 1001)}
        self.token = token
        self.seconds = seconds
        self.late = False
        self.locks = False
        self.read_only = False
        self.fails: tuple[str, str] | None = None
        self.actions: list[Action] = []

    @property
    def endpoint(self) -> str:
        return f"{self.address}{PREFIX}"

    # What tests do behind the API's back.

    def add(self, zone: str, name: str, rtype: str, ttl: int | None, value: str, comment: str = "") -> None:
        """Adds a record to its set, whose TTL becomes this one."""
        with self.lock:
            there = self.zones[zone]
            former = there.shown.get((name, rtype), {"records": []})
            records = [*former["records"], {"value": value, "comment": comment}]
            there.sets[name, rtype] = there.made(name, rtype, ttl, records, former.get("labels"))
            there.shown[name, rtype] = copy.deepcopy(there.sets[name, rtype])

    def remove(self, zone: str, name: str, rtype: str) -> None:
        with self.lock:
            self.zones[zone].sets.pop((name, rtype), None)
            self.zones[zone].shown.pop((name, rtype), None)

    def change(self, zone: str, name: str, rtype: str, **fields: Any) -> None:
        """Changes fields of a set, such as its labels."""
        with self.lock:
            for sets in (self.zones[zone].sets, self.zones[zone].shown):
                sets[name, rtype] |= fields

    def sets(self, zone: str) -> list[Json]:
        """All record sets of the zone, as the API shows them."""
        with self.lock:
            self._settle()
            return list(copy.deepcopy(self.zones[zone].shown).values())

    def records(self, zone: str) -> frozenset[str]:
        """The whole zone as lines of text."""
        return frozenset(json.dumps(one, sort_keys=True) for one in self.sets(zone))

    def finish(self) -> None:
        """All actions end now."""
        with self.lock:
            for action in self.actions:
                action.ends = 0
            self._settle()

    # The API.

    def _answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        self._settle()
        limits = [("ratelimit-limit", "3600"), ("ratelimit-remaining", "3599"), ("ratelimit-reset", "1769947200")]
        try:
            if self.token is not None and headers.get("authorization") != f"Bearer {self.token}":
                raise Refusal(401, "unauthorized", "unable to authenticate")
            if self.read_only and method != "GET":
                raise Refusal(401, "token_readonly", "the token is only allowed to perform GET requests")
            parts = urlsplit(target)
            path = [unquote(p) for p in parts.path.removeprefix(PREFIX).split("/") if p]
            try:
                given = json.loads(body) if body else None
            except ValueError:
                raise Refusal(400, "json_error", "invalid JSON") from None
            status, found = self._route(method, path, parse_qs(parts.query), given)
            return Answer(status, limits, json.dumps(found).encode())
        except Refusal as refusal:
            return Answer(refusal.status, limits, json.dumps(refusal.body).encode())

    def _route(self, method: str, path: list[str], query: dict[str, list[str]], given: Any) -> tuple[int, Json]:
        match method, path:
            case "GET", ["zones"]:
                return 200, _page("zones", [_shown(zone) for zone in self.zones.values()], query, 50)
            case "GET", ["zones", "actions", number]:
                action = next((a for a in self.actions if str(a.id) == number), None)
                if action is None:
                    raise Refusal(404, "not_found", "action not found")
                return 200, {"action": action.shown()}
            case "GET", ["zones", zone]:
                return 200, {"zone": _shown(self._zone(zone))}
            case "GET", ["zones", zone, "rrsets"]:
                # In the order of their types (recorded).
                found = sorted(self._primary(zone).shown.values(), key=lambda one: (one["type"], one["name"]))
                for key in ("name", "type"):
                    found = [one for one in found if one[key] in query.get(key, [one[key]])]
                return 200, _page("rrsets", found, query, 100)
            case "GET", ["zones", zone, "rrsets", name, rtype]:
                return 200, {"rrset": self._set(self._primary(zone), name, rtype)}
            case "POST", ["zones", zone, "rrsets"]:
                return self._create(self._primary(zone), given)
            case "DELETE", ["zones", zone, "rrsets", name, rtype]:
                there = self._changeable(zone, name, rtype)
                del there.sets[name, rtype]
                return 201, {"action": self._start(there, "delete_rrset")}  # recorded
            case "POST", ["zones", zone, "rrsets", name, rtype, "actions", action_name]:
                if action_name not in self._changes:
                    raise Refusal(404, "not_found", "not found")
                there = self._primary(zone)
                if action_name != "add_records" or (name, rtype) in there.sets:
                    self._changeable(zone, name, rtype)
                before = copy.deepcopy(there.sets)
                try:
                    command = self._changes[action_name](self, there, name, rtype, given)
                except Refusal:
                    there.sets = before
                    raise
                return 201, {"action": self._start(there, command)}  # recorded
        raise Refusal(404, "not_found", "not found")

    def _zone(self, given: str) -> Zone:
        found = next((z for z in self.zones.values() if given in (z.name, str(z.id))), None)
        if found is None:
            raise Refusal(404, "not_found", "Zone not found")  # recorded
        return found

    def _primary(self, given: str) -> Zone:
        zone = self._zone(given)
        if zone.mode != "primary":
            raise Refusal(422, "incorrect_zone_mode", "this operation is not supported for this Zone's mode")
        return zone

    def _set(self, zone: Zone, name: str, rtype: str) -> Json:
        if (name, rtype) not in zone.shown:
            raise Refusal(404, "not_found", "RRSet not found")
        return zone.shown[name, rtype]

    def _changeable(self, given: str, name: str, rtype: str) -> Zone:
        zone = self._primary(given)
        self._unlocked(zone)
        if (name, rtype) not in zone.sets:
            raise Refusal(404, "not_found", "RRSet not found")
        if zone.sets[name, rtype]["protection"]["change"]:
            raise Refusal(423, "protected", "the RRSet is protected from changes")
        return zone

    def _unlocked(self, zone: Zone) -> None:
        if self.locks and any(a.zone is zone and a.status == "running" for a in self.actions):
            raise Refusal(423, "locked", "the Zone is locked by another action")

    def _create(self, zone: Zone, given: Json) -> tuple[int, Json]:
        """#tag/zone-rrsets: create"""
        self._unlocked(zone)
        name, rtype = given.get("name", ""), given.get("type", "")
        if not re.fullmatch(r"@|(\*|[a-z0-9_/-]+)(\.[a-z0-9_/-]+)*", name) or f".{name}".endswith(f".{zone.name}"):
            raise Refusal(422, "invalid_input", "invalid input in field 'name'")
        if rtype not in TYPES or rtype == "SOA":
            raise Refusal(422, "invalid_input", "invalid input in field 'type'")
        if (name, rtype) in zone.sets:
            raise Refusal(409, "uniqueness_error", "RRSet already exists")
        # What is in the way is what stands, which a running action may be about to remove.
        types = {t for n, t in (*zone.shown, *(zone.sets if not self.late else ())) if n == name}
        if types and (rtype == "CNAME" or "CNAME" in types):
            raise Refusal(422, "invalid_input", "a CNAME must be the only RRSet of its name")
        _check(zone, rtype, given.get("ttl"), given.get("records"))
        zone.sets[name, rtype] = zone.made(name, rtype, given.get("ttl"), given["records"], given.get("labels"))
        return 201, {
            "rrset": copy.deepcopy(zone.sets[name, rtype]),
            "action": self._start(zone, "create_rrset"),
        }

    def _set_records(self, zone: Zone, name: str, rtype: str, given: Json) -> str:
        """Overwrites; knows nothing of TTLs. #tag/zone-rrset-actions"""
        former = zone.sets[name, rtype]
        _check(zone, rtype, former["ttl"], given.get("records"))
        zone.sets[name, rtype] = former | {"records": zone.made(name, rtype, None, given["records"])["records"]}
        return "set_rrset_records"  # recorded

    def _change_ttl(self, zone: Zone, name: str, rtype: str, given: Json) -> str:
        former = zone.sets[name, rtype]
        _check(zone, rtype, given["ttl"], former["records"])
        zone.sets[name, rtype] = former | {"ttl": given["ttl"]}
        return "change_rrset_ttl"  # recorded

    def _add_records(self, zone: Zone, name: str, rtype: str, given: Json) -> str:
        """Creates the set, or adds to it where the TTL is the same. #tag/zone-rrset-actions"""
        former = zone.sets.get((name, rtype)) or zone.made(name, rtype, given.get("ttl"), [])
        if "ttl" in given and given["ttl"] != former["ttl"]:
            raise Refusal(422, "invalid_input", "invalid input in field 'ttl'")
        records = zone.made(name, rtype, None, [*former["records"], *given["records"]])["records"]
        _check(zone, rtype, former["ttl"], records)
        zone.sets[name, rtype] = former | {"records": records}
        return "add_rrset_records"  # recorded

    def _remove_records(self, zone: Zone, name: str, rtype: str, given: Json) -> str:
        """The set goes with its last record. #tag/zone-rrset-actions"""
        gone = [record["value"] for record in given["records"]]
        former = zone.sets.pop((name, rtype))
        records = [record for record in former["records"] if record["value"] not in gone]
        if records:
            zone.sets[name, rtype] = former | {"records": records}
        return "remove_rrset_records"  # recorded

    _changes: Mapping[str, Callable[[HetznerSimulator, Zone, str, str, Json], str]] = {
        "set_records": _set_records,
        "change_ttl": _change_ttl,
        "add_records": _add_records,
        "remove_records": _remove_records,
    }

    # Actions.

    def _start(self, zone: Zone, command: str) -> Json:
        action = Action(7_000_000_000_001 + len(self.actions), zone, command, self.seconds)
        if self.fails is not None:
            action.error = dict(zip(("code", "message"), self.fails, strict=True))
            self.fails = None
        if not self.late:
            zone.shown = copy.deepcopy(zone.sets)
        self.actions.append(action)
        return action.shown() | {"error": None}

    def _settle(self) -> None:
        """Ends the actions whose time has come."""
        for action in self.actions:
            if action.status == "running" and time.monotonic() >= action.ends:
                action.status = "error" if action.error else "success"
                if self.late and action.status == "success":
                    action.zone.shown = copy.deepcopy(action.sets)


def _shown(zone: Zone) -> Json:
    """recorded"""
    return {
        "id": zone.id,
        "name": zone.name,
        "mode": zone.mode,
        "ttl": zone.ttl,
        "labels": {},
        "primary_nameservers": [] if zone.mode == "primary" else [{"address": "192.0.2.53", "port": 53}],
        "created": "2026-01-01T00:00:00Z",
        "protection": {"delete": False},
        "status": zone.status,
        "authoritative_nameservers": {
            "assigned": list(NAME_SERVERS),
            "delegated": list(NAME_SERVERS) if zone.delegation == "valid" else ["ns.elsewhere.example."],
            "delegation_last_check": "2026-01-31T00:00:00Z",
            "delegation_status": zone.delegation,
        },
        "record_count": sum(len(one["records"]) for one in zone.shown.values()),
        "registrar": "hetzner",
    }


def _page(key: str, found: list[Json], query: dict[str, list[str]], most: int) -> Json:
    """#description/pagination. Record sets have pages of up to 100, everything else of 50."""
    page, size = (int(query.get(name, [default])[0]) for name, default in (("page", "1"), ("per_page", "25")))
    if page < 1 or not 1 <= size <= most:
        raise Refusal(422, "invalid_input", "invalid input in field 'per_page'")
    last = max(1, -(-len(found) // size))
    return {
        "meta": {
            "pagination": {
                "last_page": last,
                "next_page": page + 1 if page < last else None,
                "page": page,
                "per_page": size,
                "previous_page": page - 1 if page > 1 else None,
                "total_entries": len(found),
            }
        },
        key: found[(page - 1) * size : page * size],
    }


def _check(zone: Zone, rtype: str, ttl: int | None, records: Any) -> None:
    """#tag/zone-rrsets: TTLs and records. docs.hetzner.com/networking/dns/faq/records: names without a final dot."""
    if ttl is not None and not LEAST_TTL <= ttl <= MOST_TTL:
        raise Refusal(422, "invalid_input", "invalid input in field 'ttl': must be between 60 and 2147483647")
    values = [record["value"] for record in records or ()]
    if not values or len(set(values)) != len(values) or (rtype == "CNAME" and len(values) > 1):
        raise Refusal(422, "invalid_input", "invalid input in field 'records'")
    try:
        for value in values:
            if rtype == "TXT" and not value.startswith('"'):
                raise ValueError("TXT records must consist of quoted strings")
            dns.rdata.from_text("IN", rtype, value, origin=dns.name.from_text(zone.name), relativize=False)
    except (ValueError, dns.exception.DNSException) as error:
        raise Refusal(422, "invalid_input", f"invalid input in field 'records': {error}") from None
