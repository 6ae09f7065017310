"""PowerDNS by its HTTP API, for the promises that every provider makes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from changeover.dns.providers.powerdns import PROVIDER
from dns_servers.ground import WHOLE_SETS, ZONE_NAME, HttpGround, Record, zone_file
from dns_servers.powerdns_relay import PowerDnsRelay


class PowerDnsApiGround(HttpGround):
    """A real server, through a relay."""

    kind = PROVIDER
    left_out = WHOLE_SETS

    def __init__(self, folder: Path) -> None:
        self.relay = PowerDnsRelay(folder, ZONE_NAME, zone_file(), self.secret)
        self.behind = self.relay

    def options(self) -> dict[str, Any]:
        return {"endpoint": self.relay.endpoint}

    def content(self) -> Iterable[Record]:
        return [Record(*record) for record in self.relay.content()]

    def add(self, name: str, ttl: int, rtype: str, value: str) -> None:
        self.relay.server.change(add=[f"{name}. {ttl} {rtype} {value}"])

    def remove(self, name: str, rtype: str) -> None:
        self.relay.server.change(delete=[f"{name}. {rtype}"])

    def forbid_writing(self) -> None:
        self.relay.ask("PUT", f"/zones/{ZONE_NAME}.", {"kind": "Slave", "masters": ["192.0.2.53"]})
