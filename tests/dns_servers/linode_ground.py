"""Linode for the promises that every provider makes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from changeover.dns.http.notation import relative_name
from changeover.dns.providers.linode import PROVIDER, TTLS, Linode
from dns_servers.ground import NO_HTTPS, RECORD_BY_RECORD, ZONE_NAME, HttpGround, Record
from dns_servers.linode_simulator import LinodeSimulator

#: The promises are tried with these TTLs, of which Linode has only some.
_MORE_TTLS = tuple(sorted({60, 240, *TTLS}))


class _Linode(Linode):
    ttls = _MORE_TTLS


class _Kind(PROVIDER):
    provider = _Linode


class LinodeGround(HttpGround):
    """Simulated, with some more TTLs than Linode takes. What it makes of a TTL of 60 s is tried in test_linode."""

    kind = _Kind
    secret = "canary8f3b1c6e5d7a4f2b9c0e1d2f3a4b5c6d7e8f9a0b1c2d3e4f5a6b7c8d9e"
    lacks = ("HTTPS",)
    left_out = RECORD_BY_RECORD | NO_HTTPS

    def __init__(self, folder: Path) -> None:
        self.simulator = LinodeSimulator([ZONE_NAME, "other.example"], self.secret, ttls=(0, *_MORE_TTLS))
        self.behind = self.simulator
        self._fill()

    def options(self) -> dict[str, Any]:
        return {"endpoint": self.simulator.endpoint}

    def content(self) -> Iterable[Record]:
        for one in self.simulator.records(ZONE_NAME):
            name = f"{one['name']}.{ZONE_NAME}" if one["name"] else ZONE_NAME
            value = f"{one['priority']} {one['target']}" if one["type"] == "MX" else one["target"]
            yield Record(name, one["ttl_sec"], one["type"], value)

    def add(self, name: str, ttl: int, rtype: str, value: str) -> None:
        more: dict[str, object] = {}
        if rtype == "MX":
            priority, _, value = value.partition(" ")
            more["priority"] = int(priority)
        target = value.strip('"').replace('" "', "") if rtype == "TXT" else value.removesuffix(".")
        self.simulator.add(ZONE_NAME, relative_name(ZONE_NAME, name.lower()), rtype, ttl, target, **more)

    def remove(self, name: str, rtype: str) -> None:
        self.simulator.remove(ZONE_NAME, relative_name(ZONE_NAME, name.lower()), rtype)

    def forbid_writing(self) -> None:
        self.simulator.scopes = "domains:read_only"
