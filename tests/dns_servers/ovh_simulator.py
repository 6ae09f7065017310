"""OVHcloud's API 1.0 for DNS zones, as it is documented and recorded, on a loopback port.

What is marked "recorded" is seen in recorded traffic of the real API and compared with it by the tests; everything else
names what says so, mostly the API's own description (eu.api.ovh.com/1.0/domain.json and auth.json). It answers no DNS
queries; `published` is what the name servers would have.
"""

from __future__ import annotations

import copy
import hashlib
import ipaddress
import json
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from dns_servers.http_simulator import Answer, HttpSimulator

PREFIX = "/1.0"
#: domain.json: domain.zone.RecordTypeEnum
TYPES = (
    *("A", "AAAA", "CAA", "CNAME", "DKIM", "DMARC", "DNAME", "HTTPS", "LOC", "MX"),
    *("NAPTR", "NS", "PTR", "RP", "SPF", "SRV", "SSHFP", "SVCB", "TLSA", "TXT"),
)
#: github.com/ovh/terraform-provider-ovh/pull/397
LEAST_TTL = 60
#: Seconds that a signature may be old. The documentation only says that it is short.
VALID = 60

Json = dict[str, Any]


class Refusal(Exception):
    """An answer that says no: nothing was changed. The codes are those of github.com/ovh/python-ovh, ovh/client.py."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = {"message": message, **({"errorCode": code} if code else {"class": "Client::Error"})}


class Keys:
    """The three keys of one application, and what its consumer key may call (auth.json: auth.ApiCredential)."""

    def __init__(self, application: str, secret: str, consumer: str) -> None:
        self.application = application
        self.secret = secret
        self.consumer = consumer
        self.status = "validated"
        self.rules = [(method, "/*") for method in ("GET", "POST", "PUT", "DELETE")]


class Zone:
    """One zone: its objects of each kind by id, and what was last published."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ttl = 3600
        self.errors: list[str] = []
        self.objects: dict[str, dict[int, Json]] = {"record": {}, "redirection": {}, "dynHost/record": {}}
        self.published: dict[int, Json] = {}


class OvhSimulator(HttpSimulator):
    """An OVHcloud account with some zones. Without `keys` it takes any request. Its clock is `ahead` by some seconds.

    Whether an empty subDomain asks for the records of the apex or for all is not documented: `empty_means_all`. With
    `tells_rules` unset, the key cannot ask for its own rules; with `always_late`, every signature is too old.
    """

    def __init__(self, zones: Iterable[str], keys: Keys | None = None) -> None:
        super().__init__()
        self.next_id = 1_500_000_000
        self.zones = {name: Zone(name) for name in zones}
        self.keys = keys
        self.ahead = 0.0
        self.empty_means_all = False
        self.tells_rules = True
        self.expires_on: str | None = None
        self.always_late = False

    @property
    def endpoint(self) -> str:
        return f"{self.address}{PREFIX}"

    # What tests do behind the API's back.

    def add(self, zone: str, label: str, rtype: str, ttl: int, target: str) -> int:
        """A record as the API shows it, published at once."""
        with self.lock:
            there = self.zones[zone]
            stored = self._stored(there, {"fieldType": rtype, "subDomain": label, "target": target}, ttl)
            there.published[stored["id"]] = dict(stored)
            return int(stored["id"])

    def add_beside(self, zone: str, kind: str, label: str, **more: str) -> None:
        """A redirection or a DynHost record."""
        with self.lock:
            self.next_id += 1
            one = {"id": self.next_id, "zone": zone, "subDomain": label, **more}
            self.zones[zone].objects[kind][self.next_id] = one

    def remove(self, zone: str, label: str, rtype: str) -> None:
        with self.lock:
            there = self.zones[zone]
            for record_id, one in list(there.objects["record"].items()):
                if one["subDomain"].lower() == label.lower() and one["fieldType"] == rtype:
                    del there.objects["record"][record_id]
                    there.published.pop(record_id, None)

    def records(self, zone: str) -> list[Json]:
        """What is stored."""
        with self.lock:
            return copy.deepcopy(list(self.zones[zone].objects["record"].values()))

    def published(self, zone: str) -> list[Json]:
        with self.lock:
            return copy.deepcopy(list(self.zones[zone].published.values()))

    # The API.

    def _answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        try:
            parts = urlsplit(target)
            path = parts.path.removeprefix(PREFIX).rstrip("/")
            if path != "/auth/time" and self.keys is not None:
                self._check_signature(self.keys, method, target, headers, body)
                if path != "/auth/currentCredential" and not _allowed(self.keys, method, path):
                    raise Refusal(403, "This call has not been granted", "NOT_GRANTED_CALL")
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            given = json.loads(body) if body else {}
            answer = self._route(method, path.strip("/").split("/"), query, given)
            return Answer(200, (), json.dumps(answer).encode())
        except Refusal as refusal:
            return Answer(refusal.status, (), json.dumps(refusal.body).encode())

    def _check_signature(self, keys: Keys, method: str, target: str, headers: Mapping[str, str], body: bytes) -> None:
        """help.ovhcloud.com, KB0042784"""
        if headers.get("x-ovh-application") != keys.application:
            raise Refusal(403, "Invalid application key", "INVALID_KEY")
        if headers.get("x-ovh-consumer") != keys.consumer:
            raise Refusal(403, "This credential does not exist", "NOT_CREDENTIAL")
        if keys.status != "validated":
            raise Refusal(403, "This credential is not valid", "INVALID_CREDENTIAL")
        stamp = headers.get("x-ovh-timestamp", "0")
        text = "+".join((keys.secret, keys.consumer, method, self.address + target, body.decode(), stamp))
        if headers.get("x-ovh-signature") != "$1$" + hashlib.sha1(text.encode()).hexdigest():
            raise Refusal(400, "Invalid signature", "INVALID_SIGNATURE")
        if abs(time.time() + self.ahead - int(stamp)) > VALID or self.always_late:
            raise Refusal(400, "Query out of time", "QUERY_TIME_OUT")

    def _route(self, method: str, path: list[str], query: dict[str, str], given: Json) -> Any:
        match method, path:
            case "GET", ["auth", "time"]:
                return int(time.time() + self.ahead)
            case "GET", ["auth", "currentCredential"]:
                return self._credential()
            case "GET", ["domain", "zone"]:
                return list(self.zones)
            case "GET", ["domain", "zone", name, "status"]:
                errors = self._zone(name).errors
                return {"warnings": None, "errors": errors or None, "isDeployed": not errors}  # recorded
            case "GET", ["domain", "zone", name, "soa"]:
                return _soa(self._zone(name))
            case "POST", ["domain", "zone", name, "refresh"]:
                self._publish(self._zone(name))
                return None
            case "GET", ["domain", "zone", name, "dynHost", "record", *rest]:
                return self._shown(self._zone(name), "dynHost/record", query, rest)
            case "GET", ["domain", "zone", name, "record" | "redirection" as kind, *rest]:
                return self._shown(self._zone(name), kind, query, rest)
            case "POST", ["domain", "zone", name, "record"]:
                return self._created(self._zone(name), given)
            case "PUT", ["domain", "zone", name, "record", record_id]:
                return self._changed(self._zone(name), record_id, given)
            case "DELETE", ["domain", "zone", name, "record", record_id]:
                zone = self._zone(name)
                del zone.objects["record"][_one(zone, "record", record_id)["id"]]
                return None  # recorded
        raise Refusal(404, f"Got an invalid (or empty) URL: {'/'.join(path)}")

    def _credential(self) -> Json:
        if not self.tells_rules:
            raise Refusal(403, "This call has not been granted", "NOT_GRANTED_CALL")
        keys = self.keys or Keys("", "", "")
        return {
            "credentialId": 1,
            "applicationId": 1,
            "ovhSupport": False,
            "allowedIPs": None,
            "creation": "2026-01-01T00:00:00+01:00",
            "lastUse": None,
            "expiration": self.expires_on,
            "status": keys.status,
            "rules": [{"method": method, "path": path} for method, path in keys.rules],
        }

    def _zone(self, name: str) -> Zone:
        if name not in self.zones:
            raise Refusal(404, "This service does not exist")
        return self.zones[name]

    def _shown(self, zone: Zone, kind: str, query: Mapping[str, str], rest: list[str]) -> Any:
        """The ids that fit, or one object."""
        if rest:
            return _one(zone, kind, rest[0])
        wanted = query.get("subDomain")
        if not wanted and self.empty_means_all:
            wanted = None
        return [
            one["id"]
            for one in zone.objects[kind].values()
            if (wanted is None or _like(wanted, one["subDomain"]))
            and query.get("fieldType", one.get("fieldType")) == one.get("fieldType")
        ]

    def _created(self, zone: Zone, given: Json) -> Json:
        if given.get("fieldType") not in TYPES:
            raise Refusal(400, f"[fieldType] Given data ({given.get('fieldType')}) does not belong to the enumeration")
        if not isinstance(given.get("target"), str):
            raise Refusal(400, "[target] Missing parameter")
        label = given.get("subDomain") or ""
        _check(label, given["fieldType"], given["target"])
        _check_beside(zone, label, given["fieldType"])
        return self._stored(zone, {**given, "subDomain": label}, _ttl(given.get("ttl")))

    def _changed(self, zone: Zone, record_id: str, given: Json) -> None:
        """Only what is given changes, and the type cannot (recorded)."""
        record = _one(zone, "record", record_id)
        changed = {key: given[key] for key in ("subDomain", "target", "ttl") if key in given}
        if "ttl" in changed:
            changed["ttl"] = _ttl(changed["ttl"])
        _check(
            changed.get("subDomain", record["subDomain"]), record["fieldType"], changed.get("target", record["target"])
        )
        record.update(changed)

    def _stored(self, zone: Zone, given: Json, ttl: int) -> Json:
        record = {
            "target": given["target"],
            "ttl": ttl,
            "zone": zone.name,
            "fieldType": given["fieldType"],
            "id": self.next_id,
            "subDomain": given["subDomain"],
        }
        zone.objects["record"][self.next_id] = record
        self.next_id += 1
        return record

    @staticmethod
    def _publish(zone: Zone) -> None:
        """domain.json: POST …/refresh, "Apply zone modification on DNS servers" """
        zone.published = copy.deepcopy(zone.objects["record"])


def _allowed(keys: Keys, method: str, path: str) -> bool:
    """A * stands for anything (github.com/ovh/python-ovh, README)."""
    return any(
        method == its and re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), path) for its, pattern in keys.rules
    )


def _one(zone: Zone, kind: str, one: str) -> Json:
    if not one.isdecimal() or int(one) not in zone.objects[kind]:
        raise Refusal(404, "The requested object (id = " + one + ") does not exist")
    return zone.objects[kind][int(one)]


def _like(wanted: str, label: str) -> bool:
    """domain.json: "Filter the value of subDomain property (like)", so as SQL has it."""
    pattern = re.escape(wanted).replace("%", ".*").replace("_", ".")
    return re.fullmatch(pattern, label, re.IGNORECASE) is not None


def _ttl(given: int | None) -> int:
    """0 is the zone's default; less than 60 is made 60."""
    return max(given, LEAST_TTL) if given else 0


def _check(label: str, rtype: str, target: str) -> None:
    if rtype in ("A", "AAAA") and "_" in label:
        # docs.dnscontrol.org/provider/ovh
        raise Refusal(400, "Invalid domain name, underscore not allowed")
    try:
        if rtype == "A":
            ipaddress.IPv4Address(target)
        if rtype == "AAAA":
            ipaddress.IPv6Address(target)
    except ValueError:
        raise Refusal(400, f"Invalid IP address {target}") from None


def _check_beside(zone: Zone, label: str, rtype: str) -> None:
    """A CNAME stands alone, and not at the apex (RFC 1034, 3.6.2)."""
    there = [one["fieldType"] for one in zone.objects["record"].values() if one["subDomain"].lower() == label.lower()]
    if rtype == "CNAME" and (there or not label):
        raise Refusal(400, "A CNAME cannot stand beside other records")
    if "CNAME" in there:
        raise Refusal(400, "There is a CNAME already")


def _soa(zone: Zone) -> Json:
    """domain.json: domain.zone.Soa"""
    return {
        "server": "dns103.ovh.net.",
        "email": "tech.ovh.net.",
        "serial": 2026010100,
        "refresh": 86400,
        "nxDomainTtl": 300,
        "expire": 3600000,
        "ttl": zone.ttl,
    }
