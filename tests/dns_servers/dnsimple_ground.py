"""DNSimple for the promises that every provider makes: with batches, as on its Enterprise plan, and without."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from changeover.dns.providers.dnsimple import PROVIDER
from dns_servers.dnsimple_simulator import DnSimpleSimulator
from dns_servers.ground import WHOLE_SETS, ZONE, ZONE_NAME, HttpGround, Record

_NO_LEASES = {case: reason for case, reason in WHOLE_SETS.items() if "leases" in reason}


class DnSimpleGround(HttpGround):
    """Simulated, with batches."""

    kind = PROVIDER
    secret = "dnsimple_a_canaryW7hbcLWLrkLfSxuSpbGd3Ah"
    left_out = _NO_LEASES
    batch = True

    def __init__(self, folder: Path) -> None:
        self.simulator = DnSimpleSimulator([ZONE_NAME, "other.example"], self.secret, batches=self.batch)
        self.behind = self.simulator
        for name, ttl, rtype, value in ZONE:
            self.add(name, ttl, rtype, value)

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
        self.simulator.add(ZONE_NAME, self._label(name), rtype, ttl, value, **more)

    def remove(self, name: str, rtype: str) -> None:
        self.simulator.remove(ZONE_NAME, self._label(name), rtype)

    def forbid_writing(self) -> None:
        self.simulator.zones[ZONE_NAME].may_write = False

    @staticmethod
    def _label(name: str) -> str:
        return name.lower().removesuffix(ZONE_NAME).rstrip(".")


class DnSimpleRecordsGround(DnSimpleGround):
    """Simulated, as on every other plan: record by record."""

    batch = False
    left_out = _NO_LEASES | {
        "test_as_many_names_in_one_batch_as_the_provider_takes": "each name is a batch of its own",
        "test_a_record_that_vanishes_in_the_last_instant_stops_the_whole_batch": (
            "each name is a batch of its own; test_dnsimple has what vanishes within one"
        ),
        "test_a_write_whose_answer_is_lost_is_unsure": (
            "a change of type takes several requests; test_dnsimple has what is lost among them"
        ),
        "TestCredentials::test_a_credential_that_may_write_is_verified_without_a_change": (
            "without batches no request shows what a token may write; test_dnsimple has what it can see"
        ),
        "TestCredentials::test_a_credential_that_may_not_write": (
            "without batches no request shows what a token may write; test_dnsimple has the refusal of the write"
        ),
    }
