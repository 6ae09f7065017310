"""Google Cloud DNS, API v1, and the endpoint that gives its access tokens, each on a loopback port.

What is marked "recorded" is seen in recorded traffic of the real API and compared with it by the tests; what errors say
is from docs.cloud.google.com/dns/docs/error-messages, everything else from docs.cloud.google.com/dns/docs/reference/
rest/v1 where no other page is named. It answers no DNS queries.
"""

from __future__ import annotations

import copy
import functools
import ipaddress
import itertools
import json
import re
import secrets
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from dns_servers.http_simulator import Answer, HttpSimulator

PROJECT = "shop-prod-1"
SCOPE = "https://www.googleapis.com/auth/ndev.clouddns.readwrite"
#: cloud.google.com/dns/quotas
MOST_ADDITIONS, MOST_BYTES = 1000, 100_000
_TYPES = (
    *("A", "AAAA", "ALIAS", "CAA", "CNAME", "DNSKEY", "DS", "HTTPS", "IPSECKEY", "MX", "NAPTR", "NS", "PTR", "SOA"),
    *("SPF", "SRV", "SSHFP", "SVCB", "TLSA", "TXT"),
)
_READ = ("dns.changes.get", "dns.managedZones.list", "dns.resourceRecordSets.list")

Json = dict[str, Any]


@functools.cache
def _key(number: int) -> rsa.RSAPrivateKey:
    """Another for each number."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_key(number: int = 0) -> str:
    """A private key as a key file has it."""
    formats = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return _key(number).private_bytes(*formats).decode()


class Refusal(Exception):
    """An answer that says no: nothing was changed."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        one = {"message": message, "domain": "global", "reason": reason}
        self.body = {"error": {"code": status, "message": message, "errors": [one]}}


class TokenSimulator(HttpSimulator):
    """Gives access tokens for one service account. Without a key it takes any assertion."""

    def __init__(self, number: int | None = 0) -> None:
        super().__init__()
        self.number = number
        self.email = f"changeover@{PROJECT}.iam.gserviceaccount.com"
        self.tokens: list[str] = []
        self.expires_in = 3599

    @property
    def endpoint(self) -> str:
        return f"{self.address}/token"

    def key_file(self, number: int = 0, **changes: str) -> str:
        """The JSON file of the account's key; with another `number` one that is not the account's."""
        fields = {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": "canary8f3b1c6e5d7a4f2b9c0e1d2f3a4b5c6d7e",
            "private_key": private_key(number),
            "client_email": self.email,
            "client_id": "100000000000000000001",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": self.endpoint,
        }
        return json.dumps(fields | changes)

    def _answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """developers.google.com/identity/protocols/oauth2/service-account#httprest"""
        form = dict(parse_qsl(body.decode()))
        wrong = self._wrong(form)
        if wrong:
            return _json(400, {"error": "invalid_grant", "error_description": wrong})
        token = f"ya29.{secrets.token_urlsafe(24)}"
        self.tokens.append(token)
        return _json(200, {"access_token": token, "expires_in": self.expires_in, "token_type": "Bearer"})

    def _wrong(self, form: Mapping[str, str]) -> str:
        if form.get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer":
            return "Unsupported grant_type"
        if self.number is None:
            return ""
        try:
            claims = jwt.decode(
                form["assertion"], _key(self.number).public_key(), algorithms=["RS256"], audience=self.endpoint
            )
        except jwt.InvalidSignatureError:
            return "Invalid JWT Signature."
        except jwt.PyJWTError as error:
            return f"Invalid JWT: {error}"
        if claims["iss"] != self.email or claims["scope"] != SCOPE:
            return "Invalid grant: account not found"
        if not 0 < claims["exp"] - claims["iat"] <= 3600 or abs(claims["iat"] - time.time()) > 300:
            return "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
        return ""


class ManagedZone:
    """One zone; its record sets by name in lower case and type."""

    def __init__(self, number: int, dns_name: str, name: str, **shown: Any) -> None:
        self.id = str(699036609868956548 + number)
        self.name = name
        self.dns_name = dns_name
        self.shown = shown
        self.may_write = True
        self.sets: dict[tuple[str, str], Json] = {}
        self.changes: dict[str, Json] = {}

    def show(self) -> Json:
        servers = [f"ns-cloud-c{number}.googledomains.com." for number in range(1, 5)]
        key = {"kind": "dns#dnsKeySpec", "algorithm": "rsasha256"}
        return {
            "kind": "dns#managedZone",
            "name": self.name,
            "dnsName": self.dns_name,
            "description": "",
            "id": self.id,
            "nameServers": servers,
            "creationTime": "2018-07-06T18:42:27.476Z",
            "visibility": "public",
            "dnssecConfig": {
                "kind": "dns#managedZoneDnsSecConfig",
                "state": "off",
                "defaultKeySpecs": [
                    {**key, "keyType": "keySigning", "keyLength": 2048},
                    {**key, "keyType": "zoneSigning", "keyLength": 1024},
                ],
                "nonExistence": "nsec3",
            },
            **self.shown,
        }


class GoogleSimulator(HttpSimulator):
    """One project's zones. Without a token simulator it takes any token.

    `polls` is how often a change is still pending when it is asked for.
    """

    def __init__(self, domains: Iterable[str], tokens: TokenSimulator | None = None, project: str = PROJECT) -> None:
        super().__init__()
        self.project = project
        self.tokens = tokens
        self.zones: dict[str, ManagedZone] = {}
        self.polls = 1
        self.page = 1000
        self._numbers = itertools.count(240)
        for domain in domains:
            self.create(domain)

    # What tests do behind the API's back.

    def create(self, domain: str, name: str | None = None, **shown: Any) -> ManagedZone:
        number = next(self._numbers)
        zone = ManagedZone(number, f"{domain}.", name or domain.replace(".", "-"), **shown)
        self.zones[zone.name] = zone
        zone.sets[f"{domain}.", "NS"] = _set(f"{domain}.", "NS", 21600, zone.show()["nameServers"])
        soa = "ns-cloud-c1.googledomains.com. cloud-dns-hostmaster.google.com. 1 21600 3600 259200 300"
        zone.sets[f"{domain}.", "SOA"] = _set(f"{domain}.", "SOA", 21600, [soa])
        return zone

    def zone(self, domain: str) -> ManagedZone:
        return next(zone for zone in self.zones.values() if zone.dns_name == f"{domain}.")

    def add(self, domain: str, name: str, rtype: str, ttl: int, *values: str, **more: Any) -> None:
        """Adds records to their set, whose TTL becomes this one."""
        with self.lock:
            sets = self.zone(domain).sets
            there = sets.get((f"{name}.".lower(), rtype), {"rrdatas": []})
            one = _set(f"{name}.", rtype, ttl, [*there["rrdatas"], *values]) | more
            if not one["rrdatas"]:
                del one["rrdatas"]
            sets[f"{name}.".lower(), rtype] = one

    def remove(self, domain: str, name: str, rtype: str) -> None:
        with self.lock:
            self.zone(domain).sets.pop((f"{name}.".lower(), rtype), None)

    def sets(self, domain: str) -> list[Json]:
        """All record sets of a zone but its SOA and NS."""
        with self.lock:
            zone = self.zone(domain)
            apex = {(zone.dns_name, "NS"), (zone.dns_name, "SOA")}
            return [copy.deepcopy(one) for key, one in zone.sets.items() if key not in apex]

    # The API.

    def _answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        try:
            token = headers.get("authorization", "").removeprefix("Bearer ")
            if self.tokens is not None and token not in self.tokens.tokens:
                raise Refusal(401, "authError", "Request had invalid authentication credentials.")
            parts = urlsplit(target)
            query = dict(parse_qsl(parts.query))
            path = [unquote(p) for p in parts.path.split("/") if p]
            return _json(200, self._route(method, path, query, json.loads(body) if body else None))
        except Refusal as refusal:
            return _json(refusal.status, refusal.body)

    def _route(self, method: str, path: list[str], query: dict[str, str], given: Any) -> Json:
        if path[:4] != ["dns", "v1", "projects", self.project] or path[4:5] != ["managedZones"]:
            raise Refusal(403, "forbidden", "Forbidden")  # a project that the account does not see
        match method, path[5:]:
            case "GET", []:
                found = [z.show() for z in self.zones.values() if z.dns_name == query.get("dnsName", z.dns_name)]
                return self._page("managedZones", "dns#managedZonesListResponse", found, query)
            case "GET", [zone]:
                return self._zone(zone).show()
            case "POST", [resource] if resource.endswith(":testIamPermissions"):
                return self._permissions(resource.partition(":")[0], given["permissions"])
            case "GET", [zone, "rrsets"]:
                found = sorted(self._found(self._zone(zone), query), key=lambda one: one["name"].split(".")[::-1])
                return self._page("rrsets", "dns#resourceRecordSetsListResponse", found, query)
            case "POST", [zone, "changes"]:
                return self._change(self._zone(zone), given)
            case "GET", [zone, "changes", number]:
                return self._progress(self._zone(zone), number)
        raise Refusal(404, "notFound", "Not Found")

    def _zone(self, name: str) -> ManagedZone:
        for zone in self.zones.values():
            if name in (zone.name, zone.id):
                return zone
        raise Refusal(404, "notFound", f"The 'parameters.managedZone' resource named '{name}' does not exist.")

    def _permissions(self, name: str, asked: list[str]) -> Json:
        """An empty answer has no key at all; so has one for what is not there."""
        zone = self.zones.get(name)
        granted = [one for one in asked if zone is not None and (zone.may_write or one in _READ)]
        return {"permissions": granted} if granted else {}

    @staticmethod
    def _found(zone: ManagedZone, query: dict[str, str]) -> Iterable[Json]:
        if "type" in query and "name" not in query:
            raise Refusal(400, "required", "The 'parameters.name' parameter is required but was missing.")
        for (name, rtype), one in zone.sets.items():
            if name == query.get("name", name).lower() and rtype == query.get("type", rtype):
                yield one

    def _page(self, key: str, kind: str, found: list[Json], query: dict[str, str]) -> Json:
        start = int(query.get("pageToken", "0"))
        end = start + min(int(query.get("maxResults", "100")), self.page)
        more = {"nextPageToken": str(end)} if len(found) > end else {}
        return {"kind": kind, key: found[start:end], **more}

    def _progress(self, zone: ManagedZone, number: str) -> Json:
        if number not in zone.changes:
            raise Refusal(404, "notFound", f"The 'parameters.changeId' resource named '{number}' does not exist.")
        change = zone.changes[number]
        change["polls"] -= 1
        if change["polls"] < 0:
            change["status"] = "done"
        return {key: value for key, value in change.items() if key != "polls"}

    def _change(self, zone: ManagedZone, given: Json) -> Json:
        if not zone.may_write:
            raise Refusal(403, "forbidden", "Forbidden")
        deletions, additions = given.get("deletions") or [], given.get("additions") or []
        if not deletions and not additions:
            raise Refusal(400, "required", "The 'entity.change' parameter is required but was missing.")
        size = sum(len(data) for one in [*deletions, *additions] for data in one.get("rrdatas", ()))
        if len(deletions) > MOST_ADDITIONS or len(additions) > MOST_ADDITIONS or size > MOST_BYTES:
            raise Refusal(403, "quotaExceeded", "The change exceeds the quota of the project.")
        for number, one in enumerate(additions):
            _check(zone, one, f"entity.change.additions[{number}]")
        zone.sets = self._applied(zone, deletions, additions)
        shown = {
            "kind": "dns#change",
            **({"additions": [_shown(one) for one in additions]} if additions else {}),  # recorded: left out if empty
            **({"deletions": [_shown(one) for one in deletions]} if deletions else {}),
            "startTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "id": str(next(self._numbers)),
            "status": "pending",  # recorded
        }
        zone.changes[shown["id"]] = {**shown, "polls": self.polls}
        return shown

    @staticmethod
    def _applied(zone: ManagedZone, deletions: list[Json], additions: list[Json]) -> dict[tuple[str, str], Json]:
        """The zone after the change. Deletions go first (recorded: one change replaces a set)."""
        sets = dict(zone.sets)
        for number, one in enumerate(deletions):
            key, place = (one["name"].lower(), one["type"]), f"entity.change.deletions[{number}]"
            if key not in sets:
                words = f"The '{place}' resource named '{one['name']} ({one['type']})' does not exist."
                raise Refusal(404, "notFound", words)
            if _plain(sets[key]) != _plain(one):
                raise Refusal(412, "conditionNotMet", f"Precondition not met for '{place}'")
            del sets[key]
        for number, one in enumerate(additions):
            key, place = (one["name"].lower(), one["type"]), f"entity.change.additions[{number}]"
            if key in sets:
                words = f"The resource '{place}' named '{one['name']} ({one['type']})' already exists"
                raise Refusal(409, "alreadyExists", words)
            sets[key] = _shown(one)
        if not {(zone.dns_name, "NS"), (zone.dns_name, "SOA")} <= set(sets):
            words = "The resource record set is invalid because a zone must contain exactly one at the apex."
            raise Refusal(400, "invalidZoneApex", words)
        aliases = {name for name, rtype in sets if rtype == "CNAME"}
        for number, one in enumerate(additions):
            name = one["name"].lower()
            if name in aliases and len([key for key in sets if key[0] == name]) > 1:
                words = (
                    f"The resource record set 'entity.change.additions[{number}]' is invalid because the DNS name"
                    f" '{name}' may have either one CNAME resource record set or resource record sets of other types,"
                    " but not both."
                )
                raise Refusal(400, "cnameResourceRecordSetConflict", words)
        return sets


def _check(zone: ManagedZone, one: Json, place: str) -> None:
    """What is wrong with one addition, independent of what is there."""
    name, rtype, datas = one.get("name", ""), one.get("type"), one.get("rrdatas") or []
    wrong: tuple[str, object] | None = None
    legal = re.fullmatch(r"(\*\.)?([a-z0-9_-]{1,63}\.)+", name, re.IGNORECASE)
    if not legal or not f".{name}".lower().endswith(f".{zone.dns_name}"):
        wrong = ("name", name)
    elif rtype not in _TYPES:
        wrong = ("type", rtype)
    elif not isinstance(one.get("ttl"), int) or not 0 <= one["ttl"] < 2**31:
        wrong = ("ttl", one.get("ttl"))
    elif not datas:
        wrong = ("rrdata", "")
    if wrong is None:
        wrong = next((("rrdata", data) for data in datas if not _is_legal(rtype, data)), None)
    if wrong is not None:
        raise Refusal(400, "invalid", f"Invalid value for '{place}.{wrong[0]}': '{wrong[1]}'")
    if rtype in ("CNAME", "SOA", "ALIAS") and len(datas) > 1:
        words = f"The resource record set '{place}' is only permitted to have one record because it is of type {rtype}."
        raise Refusal(400, "invalidRecordCount", words)
    signed = zone.show()["dnssecConfig"]["state"] != "off"
    # docs.cloud.google.com/dns/docs/records-overview
    if rtype == "ALIAS" and (name.lower() != zone.dns_name or signed):
        raise Refusal(400, "invalid", f"Invalid value for '{place}.type': 'ALIAS'")


def _is_legal(rtype: str, data: str) -> bool:
    try:
        if rtype == "A":
            ipaddress.IPv4Address(data)
        if rtype == "AAAA":
            ipaddress.IPv6Address(data)
    except ValueError:
        return False
    return rtype not in ("CNAME", "ALIAS", "MX", "NS") or data.endswith(".")


def _plain(one: Json) -> object:
    """What a deletion must match."""
    return one["ttl"], sorted(one.get("rrdatas", ())), one.get("routingPolicy")


def _shown(one: Json) -> Json:
    return {"kind": "dns#resourceRecordSet", **one}


def _set(name: str, rtype: str, ttl: int, values: list[str]) -> Json:
    return _shown({"name": name, "type": rtype, "ttl": ttl, "rrdatas": values})


def _json(status: int, body: object) -> Answer:
    return Answer(status, (), json.dumps(body).encode())
