"""OVHcloud for the promises that every provider makes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from changeover.dns.http.notation import relative_name
from changeover.dns.providers.ovh import PROVIDER
from dns_servers.ground import RECORD_BY_RECORD, ZONE_NAME, HttpGround, Record
from dns_servers.ovh_simulator import Keys, OvhSimulator

_APPLICATION_KEY, _APPLICATION_SECRET = "7kbG7Bk7S9Nt7ZSV", "EXEgWIz07P0HYwtQDs7cNIqCiQaWSuHF"


class OvhGround(HttpGround):
    """Simulated. The secret that must be right is the consumer key."""

    kind = PROVIDER
    secret = "canaryrPpNjqfVSmJhLbPyr2i45lSwPU"
    left_out = RECORD_BY_RECORD

    def __init__(self, folder: Path) -> None:
        self.keys = Keys(_APPLICATION_KEY, _APPLICATION_SECRET, self.secret)
        self.simulator = OvhSimulator([ZONE_NAME, "other.example"], self.keys)
        self.behind = self.simulator
        self._fill()

    def options(self) -> dict[str, Any]:
        return {"endpoint": self.simulator.endpoint}

    def secrets(self, secret: str) -> dict[str, str]:
        keys = {"application_key": _APPLICATION_KEY, "application_secret": _APPLICATION_SECRET}
        return {**keys, "consumer_key": secret}

    def content(self) -> Iterable[Record]:
        for one in self.simulator.records(ZONE_NAME):
            name = f"{one['subDomain']}.{ZONE_NAME}" if one["subDomain"] else ZONE_NAME
            yield Record(name, one["ttl"], one["fieldType"], one["target"])

    def add(self, name: str, ttl: int, rtype: str, value: str) -> None:
        self.simulator.add(ZONE_NAME, relative_name(ZONE_NAME, name.lower()), rtype, ttl, value)

    def remove(self, name: str, rtype: str) -> None:
        self.simulator.remove(ZONE_NAME, relative_name(ZONE_NAME, name.lower()), rtype)

    def forbid_writing(self) -> None:
        self.keys.rules = [("GET", "/*")]
