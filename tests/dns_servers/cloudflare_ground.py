"""Cloudflare for the promises that every provider makes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from changeover.dns.providers.cloudflare import PROVIDER
from dns_servers.cloudflare_simulator import READ_ONLY, CloudflareSimulator
from dns_servers.ground import ZONE_NAME, HttpGround, Record


class CloudflareGround(HttpGround):
    """Simulated."""

    kind = PROVIDER

    def __init__(self, folder: Path) -> None:
        self.simulator = CloudflareSimulator([ZONE_NAME, "other.example"], token=self.secret)
        self.behind = self.simulator
        self._fill()

    def options(self) -> dict[str, Any]:
        return {"endpoint": self.simulator.endpoint}

    def content(self) -> Iterable[Record]:
        for text in self.simulator.records(ZONE_NAME):
            record = json.loads(text)
            content = record["content"]
            if "priority" in record:
                content = f"{record['priority']} {content}"
            if record["type"] in ("CNAME", "MX"):
                content += "."
            kept = {key: record[key] for key in ("proxied", "comment", "tags", "settings") if record.get(key)}
            more = json.dumps(kept, sort_keys=True) if kept else ""
            yield Record(record["name"], record["ttl"], record["type"], content, more)

    def add(self, name: str, ttl: int, rtype: str, value: str) -> None:
        record: dict[str, object] = {"name": name, "ttl": ttl, "type": rtype, "content": value}
        if rtype == "MX":
            priority, content = value.split()
            record |= {"priority": int(priority), "content": content}
        if rtype == "HTTPS":
            priority, target, parameters = value.split(maxsplit=2)
            record |= {"data": {"priority": int(priority), "target": target, "value": parameters}}
        self.simulator.add(ZONE_NAME, **record)

    def remove(self, name: str, rtype: str) -> None:
        self.simulator.remove(ZONE_NAME, name, rtype)

    def forbid_writing(self) -> None:
        self.simulator.zone(ZONE_NAME).permissions = list(READ_ONLY)
