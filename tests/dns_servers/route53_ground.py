"""Route 53 for the promises that every provider makes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from changeover.dns.providers.route53 import PROVIDER
from dns_servers.ground import ZONE_NAME, HttpGround, Record
from dns_servers.route53_simulator import KEY_ID, Route53Simulator


class Route53Ground(HttpGround):
    """Simulated."""

    native = True
    kind = PROVIDER
    secret = "canary/8f3b1c6e5d7a4f2b9c0e1d2f3a4b5c6d7"
    left_out: ClassVar[Mapping[str, str]] = {
        "test_a_change_in_the_last_instant_is_seen_where_the_server_compares[an HTTPS record appeared": (
            "Route 53 compares the sets of a batch, not that there is none of another type: test_route53 has what is"
            " seen, and what is not"
        ),
    }

    def __init__(self, folder: Path) -> None:
        self.simulator = Route53Simulator([ZONE_NAME, "other.example"], self.secret)
        self.behind = self.simulator
        self._fill()

    def options(self) -> dict[str, Any]:
        return {"endpoint": self.simulator.endpoint}

    def secrets(self, secret: str) -> dict[str, str]:
        return {"access_key_id": KEY_ID, "secret_access_key": secret}

    def content(self) -> Iterable[Record]:
        for one in self.simulator.content(ZONE_NAME):
            for value in one["ResourceRecords"]:
                yield Record(one["Name"].rstrip(".").replace("\\052", "*"), one["TTL"], one["Type"], value)

    def add(self, name: str, ttl: int, rtype: str, value: str) -> None:
        self.simulator.add(ZONE_NAME, name, rtype, ttl, value)

    def remove(self, name: str, rtype: str) -> None:
        self.simulator.remove(ZONE_NAME, name, rtype)

    def forbid_writing(self) -> None:
        self.simulator.denied.add("ChangeResourceRecordSets")
