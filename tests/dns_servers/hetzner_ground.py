"""Hetzner DNS for the promises that every provider makes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self
from unittest import mock

from changeover.dns.http.notation import relative_name
from changeover.dns.providers.hetzner import PROVIDER
from dns_servers.ground import NO_RIGHTS, ONE_SET_A_REQUEST, WHOLE_SETS, ZONE_NAME, HttpGround, Record
from dns_servers.hetzner_simulator import HetznerSimulator


class HetznerGround(HttpGround):
    """Simulated."""

    kind = PROVIDER
    secret = "canaryZq7wE2rT9yU4iO1pA6sD8fG3hJ5kL0zX2cV4bN6mQ8wE1rT3yU5iO7pA9s"
    left_out = WHOLE_SETS | ONE_SET_A_REQUEST | NO_RIGHTS

    def __init__(self, folder: Path) -> None:
        self.simulator = HetznerSimulator([ZONE_NAME, "other.example"], self.secret)
        self.behind = self.simulator
        self._fill()

    def __enter__(self) -> Self:
        # A simulated action takes 0.02 s, and real ones many times as long.
        self._pause = mock.patch("changeover.dns.providers.hetzner.FIRST_PAUSE", 0.02)
        self._pause.start()
        return super().__enter__()

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self._pause.stop()

    def options(self) -> dict[str, Any]:
        return {"endpoint": self.simulator.endpoint}

    def content(self) -> Iterable[Record]:
        for one in self.simulator.sets(ZONE_NAME):
            name = ZONE_NAME if one["name"] == "@" else f"{one['name']}.{ZONE_NAME}"
            for record in one["records"]:
                if one["type"] not in ("SOA", "NS"):
                    more = f"{record['comment']}{one['labels'] or ''}"
                    yield Record(name, one["ttl"], one["type"], record["value"], more)

    def add(self, name: str, ttl: int, rtype: str, value: str) -> None:
        self.simulator.add(ZONE_NAME, relative_name(ZONE_NAME, name.lower()) or "@", rtype, ttl, value)

    def remove(self, name: str, rtype: str) -> None:
        self.simulator.remove(ZONE_NAME, relative_name(ZONE_NAME, name.lower()) or "@", rtype)

    def forbid_writing(self) -> None:
        self.simulator.read_only = True
