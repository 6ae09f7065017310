"""DNSimple for the promises that every provider makes: with batches, as on its Enterprise plan, and without."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from changeover.dns.http.notation import relative_name
from changeover.dns.providers.dnsimple import PROVIDER
from dns_servers.dnsimple_simulator import DnSimpleSimulator
from dns_servers.ground import NO_LEASES, NO_RIGHTS, RECORD_BY_RECORD, ZONE_NAME, HttpGround, Record


class DnSimpleGround(HttpGround):
    """Simulated, with batches."""

    kind = PROVIDER
    secret = "dnsimple_a_canaryW7hbcLWLrkLfSxuSpbGd3Ah"
    left_out = NO_LEASES
    batch = True

    def __init__(self, folder: Path) -> None:
        self.simulator = DnSimpleSimulator([ZONE_NAME, "other.example"], self.secret, batches=self.batch)
        self.behind = self.simulator
        self._fill()

    def options(self) -> dict[str, Any]:
        return {"endpoint": self.simulator.endpoint, "batch": self.batch}

    def content(self) -> Iterable[Record]:
        for one in self.simulator.records(ZONE_NAME):
            name = f"{one['name']}.{ZONE_NAME}" if one["name"] else ZONE_NAME
            more = f"{one['priority']} {one['regions']} {one['note']}"
            yield Record(name, one["ttl"], one["type"], one["content"], more)

    def add(self, name: str, ttl: int, rtype: str, value: str) -> None:
        """As people enter it: texts without quotes, where they are one string, and host names without a final dot."""
        more: dict[str, Any] = {}
        if rtype == "TXT" and value.count('"') == 2:
            value = value.strip('"')
        if rtype == "MX":
            priority, value = value.split()
            more["priority"] = int(priority)
        if rtype in ("CNAME", "ALIAS", "MX"):
            value = value.rstrip(".")
        self.simulator.add(ZONE_NAME, relative_name(ZONE_NAME, name.lower()), rtype, ttl, value, **more)

    def remove(self, name: str, rtype: str) -> None:
        self.simulator.remove(ZONE_NAME, relative_name(ZONE_NAME, name.lower()), rtype)

    def forbid_writing(self) -> None:
        self.simulator.zones[ZONE_NAME].may_write = False


class DnSimpleRecordsGround(DnSimpleGround):
    """Simulated, as on every other plan: record by record."""

    batch = False
    left_out = RECORD_BY_RECORD | NO_RIGHTS
