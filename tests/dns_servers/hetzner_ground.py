"""Hetzner DNS for the promises that every provider makes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from changeover.dns.providers.hetzner import PROVIDER
from dns_servers.ground import WHOLE_SETS, ZONE, ZONE_NAME, HttpGround, Record
from dns_servers.hetzner_simulator import HetznerSimulator


class HetznerGround(HttpGround):
    """Simulated."""

    kind = PROVIDER
    secret = "canaryZq7wE2rT9yU4iO1pA6sD8fG3hJ5kL0zX2cV4bN6mQ8wE1rT3yU5iO7pA9s"
    left_out = WHOLE_SETS | {
        "test_as_many_names_in_one_batch_as_the_provider_takes": "one set after the other: a batch is one hostname",
        "test_a_write_whose_answer_is_lost_is_unsure": (
            "one set after the other: only what was sent before is made; test_hetzner has it"
        ),
        "TestCredentials::test_a_credential_that_may_write_is_verified_without_a_change": (
            "a token cannot see whether it may write; test_hetzner has what it can see"
        ),
        "TestCredentials::test_a_credential_that_may_not_write": (
            "a token cannot see whether it may write; test_hetzner has the refusal of the write"
        ),
    }

    def __init__(self, folder: Path) -> None:
        self.simulator = HetznerSimulator([ZONE_NAME, "other.example"], self.secret)
        self.behind = self.simulator
        for name, ttl, rtype, value in ZONE:
            self.add(name, ttl, rtype, value)

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
        self.simulator.add(ZONE_NAME, self._label(name), rtype, ttl, value)

    def remove(self, name: str, rtype: str) -> None:
        self.simulator.remove(ZONE_NAME, self._label(name), rtype)

    def forbid_writing(self) -> None:
        self.simulator.read_only = True

    @staticmethod
    def _label(name: str) -> str:
        """Names in the API are in lower case."""
        return name.lower().removesuffix(ZONE_NAME).rstrip(".") or "@"
