"""OVHcloud for the promises that every provider makes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from changeover.dns.providers.ovh import PROVIDER
from dns_servers.ground import ZONE, ZONE_NAME, HttpGround, Record
from dns_servers.ovh_simulator import Keys, OvhSimulator

_APPLICATION_KEY, _APPLICATION_SECRET = "7kbG7Bk7S9Nt7ZSV", "EXEgWIz07P0HYwtQDs7cNIqCiQaWSuHF"


class OvhGround(HttpGround):
    """Simulated. The secret that must be right is the consumer key."""

    kind = PROVIDER
    secret = "canaryrPpNjqfVSmJhLbPyr2i45lSwPU"
    left_out: ClassVar[Mapping[str, str]] = {
        "test_as_many_names_in_one_batch_as_the_provider_takes": "record by record: a batch is one hostname",
        "test_a_record_that_vanishes_in_the_last_instant_stops_the_whole_batch": (
            "record by record: it stops there and says what was done; test_ovh has it"
        ),
        "test_a_write_whose_answer_is_lost_is_unsure": (
            "record by record: what comes after the lost answer is not done; test_ovh has it"
        ),
        "test_a_text_is_created_replaced_and_removed": "it says itself that it keeps no leases; test_ovh has it",
        "test_of_two_at_the_same_moment_not_both_are_made": "it says itself that it keeps no leases",
    }

    def __init__(self, folder: Path) -> None:
        self.keys = Keys(_APPLICATION_KEY, _APPLICATION_SECRET, self.secret)
        self.simulator = OvhSimulator([ZONE_NAME, "other.example"], self.keys)
        self.behind = self.simulator
        for name, ttl, rtype, value in ZONE:
            self.add(name, ttl, rtype, value)

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
        self.simulator.add(ZONE_NAME, self._label(name), rtype, ttl, value)

    def remove(self, name: str, rtype: str) -> None:
        self.simulator.remove(ZONE_NAME, self._label(name), rtype)

    def forbid_writing(self) -> None:
        self.keys.rules = [("GET", "/*")]

    @staticmethod
    def _label(name: str) -> str:
        return name[: -len(ZONE_NAME)].rstrip(".")
