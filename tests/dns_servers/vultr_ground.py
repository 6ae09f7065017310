"""Vultr for the promises that every provider makes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from changeover.dns.providers.vultr import PROVIDER
from dns_servers.ground import ZONE, ZONE_NAME, HttpGround, Record
from dns_servers.vultr_simulator import VultrSimulator

_NO_HTTPS = "Vultr has no HTTPS records"
_NO_SCOPES = "Vultr does not tell what a key may do; test_vultr has what it says of a write"


class VultrGround(HttpGround):
    """Simulated."""

    kind = PROVIDER
    secret = "canary8f3b1c6e5d7a4f2b9c0e1d2f3a4b5c6d"
    left_out: ClassVar[Mapping[str, str]] = {
        "test_an_https_record_is_read": _NO_HTTPS,
        "test_a_change_and_its_undo[HTTPS record": _NO_HTTPS,
        "test_what_changed_since_it_was_read_stops_the_whole_batch[to addresses-an HTTPS": _NO_HTTPS,
        "test_what_changed_since_it_was_read_stops_the_whole_batch[to CNAME-an HTTPS": _NO_HTTPS,
        "test_as_many_names_in_one_batch_as_the_provider_takes": "record by record: a batch is one hostname",
        "test_a_record_that_vanishes_in_the_last_instant_stops_the_whole_batch": (
            "record by record: it stops there and says what was done; test_vultr has it"
        ),
        "TestCredentials::test_a_credential_that_may_write_is_verified_without_a_change": _NO_SCOPES,
        "TestCredentials::test_a_credential_that_may_not_write": _NO_SCOPES,
        "test_a_write_whose_answer_is_lost_is_unsure": (
            "record by record: what comes after the lost answer is not done; test_vultr has it"
        ),
        "test_a_text_is_created_replaced_and_removed": ("it says itself that it keeps no leases; test_vultr has it"),
        "test_of_two_at_the_same_moment_not_both_are_made": "it says itself that it keeps no leases",
    }

    def __init__(self, folder: Path) -> None:
        self.simulator = VultrSimulator([ZONE_NAME, "other.example"], self.secret)
        self.behind = self.simulator
        for name, ttl, rtype, value in ZONE:
            if rtype != "HTTPS":
                self.add(name, ttl, rtype, value)

    def options(self) -> dict[str, Any]:
        return {"endpoint": self.simulator.endpoint}

    def content(self) -> Iterable[Record]:
        for one in self.simulator.records(ZONE_NAME):
            name = f"{one['name']}.{ZONE_NAME}" if one["name"] else ZONE_NAME
            yield Record(name, one["ttl"], one["type"], one["data"], str(max(one["priority"], 0)))

    def add(self, name: str, ttl: int, rtype: str, value: str) -> None:
        priority = -1
        if rtype == "MX":
            preference, _, value = value.partition(" ")
            priority = int(preference)
        # Vultr has no texts of several strings: what is longer than one is one text to it.
        data = value.replace('" "', "") if rtype == "TXT" else value.removesuffix(".")
        self.simulator.add(ZONE_NAME, self._relative(name), rtype, ttl, data, priority)

    def remove(self, name: str, rtype: str) -> None:
        self.simulator.remove(ZONE_NAME, self._relative(name), rtype)

    def forbid_writing(self) -> None:
        self.simulator.may_write = False

    @staticmethod
    def _relative(name: str) -> str:
        return name[: -len(ZONE_NAME)].rstrip(".")
