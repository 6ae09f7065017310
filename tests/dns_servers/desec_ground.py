"""deSEC for the promises that every provider makes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from changeover.dns.providers.desec import PROVIDER
from dns_servers.desec_simulator import DesecSimulator
from dns_servers.ground import WHOLE_SETS, ZONE, ZONE_NAME, HttpGround, Record


class DesecGround(HttpGround):
    """Simulated, with a least TTL of a minute as its support grants it."""

    kind = PROVIDER
    secret = "canary-T3b1h_OI-H9ab8tRS98s_"
    left_out = WHOLE_SETS | {
        "TestCredentials::test_a_credential_that_may_write_is_verified_without_a_change": (
            "a deSEC token cannot see what it may write; test_desec has what it can see"
        ),
        "TestCredentials::test_a_credential_that_may_not_write": (
            "a deSEC token cannot see what it may write; test_desec has the refusal of the write"
        ),
    }

    def __init__(self, folder: Path) -> None:
        self.simulator = DesecSimulator([ZONE_NAME, "other.example"], self.secret, minimum_ttl=60)
        self.behind = self.simulator
        for name, ttl, rtype, value in ZONE:
            self.add(name, ttl, rtype, value)

    def options(self) -> dict[str, Any]:
        return {"endpoint": self.simulator.endpoint, "minimum_ttl": 60}

    def content(self) -> Iterable[Record]:
        for one in self.simulator.sets(ZONE_NAME):
            for value in one["records"]:
                yield Record(one["name"].rstrip("."), one["ttl"], one["type"], value)

    def add(self, name: str, ttl: int, rtype: str, value: str) -> None:
        self.simulator.add(ZONE_NAME, self._subname(name), rtype, ttl, value)

    def remove(self, name: str, rtype: str) -> None:
        self.simulator.remove(ZONE_NAME, self._subname(name), rtype)

    def forbid_writing(self) -> None:
        self.simulator.domains[ZONE_NAME].may_write = False

    @staticmethod
    def _subname(name: str) -> str:
        return name.lower().removesuffix(ZONE_NAME).rstrip(".")
