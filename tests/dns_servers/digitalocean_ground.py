"""DigitalOcean for the promises that every provider makes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from changeover.dns.http.notation import relative_name
from changeover.dns.providers.digitalocean import PROVIDER
from dns_servers.digitalocean_simulator import DigitalOceanSimulator
from dns_servers.ground import NO_HTTPS, NO_RIGHTS, RECORD_BY_RECORD, ZONE_NAME, HttpGround, Record


class DigitalOceanGround(HttpGround):
    """Simulated."""

    kind = PROVIDER
    secret = "dop_v1_canary8f3b1c6e5d7a4f2b9c0e1d2f3a4b5c6d7e8f9a0b1c2d3e4f5a6b7c8d9e"
    lacks = ("HTTPS",)
    left_out = RECORD_BY_RECORD | NO_HTTPS | NO_RIGHTS

    def __init__(self, folder: Path) -> None:
        self.simulator = DigitalOceanSimulator([ZONE_NAME, "other.example"], self.secret)
        self.behind = self.simulator
        self._fill()

    def options(self) -> dict[str, Any]:
        return {"endpoint": self.simulator.endpoint}

    def content(self) -> Iterable[Record]:
        for one in self.simulator.records(ZONE_NAME):
            name = ZONE_NAME if one["name"] == "@" else f"{one['name']}.{ZONE_NAME}"
            yield Record(name, one["ttl"], one["type"], one["data"], str(one["priority"]))

    def add(self, name: str, ttl: int, rtype: str, value: str) -> None:
        more: dict[str, object] = {}
        if rtype == "MX":
            priority, _, value = value.partition(" ")
            more["priority"] = int(priority)
        # Of several strings, it is as somebody entered it.
        data = value.strip('"') if rtype == "TXT" and '" "' not in value else value.removesuffix(".")
        self.simulator.add(ZONE_NAME, relative_name(ZONE_NAME, name.lower()) or "@", rtype, ttl, data, **more)

    def remove(self, name: str, rtype: str) -> None:
        self.simulator.remove(ZONE_NAME, relative_name(ZONE_NAME, name.lower()) or "@", rtype)

    def forbid_writing(self) -> None:
        self.simulator.scopes = {"domain:read"}
