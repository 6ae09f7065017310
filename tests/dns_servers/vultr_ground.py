"""Vultr for the promises that every provider makes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from changeover.dns.http.notation import relative_name
from changeover.dns.providers.vultr import PROVIDER
from dns_servers.ground import NO_HTTPS, NO_RIGHTS, RECORD_BY_RECORD, ZONE_NAME, HttpGround, Record
from dns_servers.vultr_simulator import VultrSimulator


class VultrGround(HttpGround):
    """Simulated."""

    kind = PROVIDER
    secret = "canary8f3b1c6e5d7a4f2b9c0e1d2f3a4b5c6d"
    lacks = ("HTTPS",)
    left_out = RECORD_BY_RECORD | NO_HTTPS | NO_RIGHTS

    def __init__(self, folder: Path) -> None:
        self.simulator = VultrSimulator([ZONE_NAME, "other.example"], self.secret)
        self.behind = self.simulator
        self._fill()

    def options(self) -> dict[str, Any]:
        return {"endpoint": self.simulator.endpoint}

    def content(self) -> Iterable[Record]:
        for one in self.simulator.records(ZONE_NAME):
            name = f"{one['name']}.{ZONE_NAME}" if one["name"] else ZONE_NAME
            yield Record(name, one["ttl"], one["type"], one["data"], str(max(one["priority"], 0)))

    def add(self, name: str, ttl: int, rtype: str, value: str) -> None:
        priority = -1
        if rtype == "MX":
            preference, _, value = value.partition(" ")
            priority = int(preference)
        # Vultr has no texts of several strings: what is longer than one is one text to it.
        data = value.replace('" "', "") if rtype == "TXT" else value.removesuffix(".")
        self.simulator.add(ZONE_NAME, relative_name(ZONE_NAME, name.lower()), rtype, ttl, data, priority)

    def remove(self, name: str, rtype: str) -> None:
        self.simulator.remove(ZONE_NAME, relative_name(ZONE_NAME, name.lower()), rtype)

    def forbid_writing(self) -> None:
        self.simulator.may_write = False
