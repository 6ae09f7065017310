"""deSEC for the promises that every provider makes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from changeover.dns.http.notation import relative_name
from changeover.dns.providers.desec import PROVIDER
from dns_servers.desec_simulator import DesecSimulator
from dns_servers.ground import NO_RIGHTS, WHOLE_SETS, ZONE_NAME, HttpGround, Record


class DesecGround(HttpGround):
    """Simulated, with a least TTL of a minute as its support grants it."""

    kind = PROVIDER
    secret = "canary-T3b1h_OI-H9ab8tRS98s_"
    left_out = WHOLE_SETS | NO_RIGHTS

    def __init__(self, folder: Path) -> None:
        self.simulator = DesecSimulator([ZONE_NAME, "other.example"], self.secret, minimum_ttl=60)
        self.behind = self.simulator
        self._fill()

    def options(self) -> dict[str, Any]:
        return {"endpoint": self.simulator.endpoint, "minimum_ttl": 60}

    def content(self) -> Iterable[Record]:
        for one in self.simulator.sets(ZONE_NAME):
            for value in one["records"]:
                yield Record(one["name"].rstrip("."), one["ttl"], one["type"], value)

    def add(self, name: str, ttl: int, rtype: str, value: str) -> None:
        self.simulator.add(ZONE_NAME, relative_name(ZONE_NAME, name.lower()), rtype, ttl, value)

    def remove(self, name: str, rtype: str) -> None:
        self.simulator.remove(ZONE_NAME, relative_name(ZONE_NAME, name.lower()), rtype)

    def forbid_writing(self) -> None:
        self.simulator.domains[ZONE_NAME].may_write = False
