"""Gandi LiveDNS for the promises that every provider makes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from changeover.dns.http.notation import relative_name
from changeover.dns.providers.gandi import PROVIDER
from dns_servers.gandi_simulator import GandiSimulator
from dns_servers.ground import NO_RIGHTS, ONE_NAME_A_BATCH, WHOLE_SETS, ZONE_NAME, HttpGround, Record


class GandiGround(HttpGround):
    """Simulated. TTLs of a minute may be written here, so that an undo can restore the zone that all grounds share."""

    kind = PROVIDER
    secret = "canary3a5cc9d2f1b34e0d9c7a1b2e4f60718293"
    left_out = (WHOLE_SETS | ONE_NAME_A_BATCH | NO_RIGHTS) | {
        "test_a_ttl_alone_is_changed": "it asks for a minute, and Gandi takes 300 seconds or more; test_gandi has it"
    }

    def __init__(self, folder: Path) -> None:
        self.simulator = GandiSimulator([ZONE_NAME, "other.example"], self.secret, least_ttl=60)
        self.behind = self.simulator
        self._fill()

    def options(self) -> dict[str, Any]:
        return {"endpoint": self.simulator.endpoint}

    def content(self) -> Iterable[Record]:
        for one in self.simulator.sets(ZONE_NAME):
            name = ZONE_NAME if one["rrset_name"] == "@" else f"{one['rrset_name']}.{ZONE_NAME}"
            for value in one["rrset_values"]:
                yield Record(name, one["rrset_ttl"], one["rrset_type"], value)

    def add(self, name: str, ttl: int, rtype: str, value: str) -> None:
        self.simulator.add(ZONE_NAME, relative_name(ZONE_NAME, name.lower()) or "@", rtype, ttl, value)

    def remove(self, name: str, rtype: str) -> None:
        self.simulator.remove(ZONE_NAME, relative_name(ZONE_NAME, name.lower()) or "@", rtype)

    def forbid_writing(self) -> None:
        self.simulator.domains[ZONE_NAME].may_write = False
