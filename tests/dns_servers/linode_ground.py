"""Linode for the promises that every provider makes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from changeover.dns.providers.linode import PROVIDER, TTLS, Linode
from dns_servers.ground import ZONE, ZONE_NAME, HttpGround, Record
from dns_servers.linode_simulator import LinodeSimulator

#: The promises are tried with these TTLs, of which Linode has only some.
_MORE_TTLS = tuple(sorted({60, 240, *TTLS}))


class _Linode(Linode):
    ttls = _MORE_TTLS


class _Kind(PROVIDER):
    provider = _Linode


_NO_HTTPS = "Linode has no HTTPS records"


class LinodeGround(HttpGround):
    """Simulated, with some more TTLs than Linode takes. What it makes of a TTL of 60 s is tried in test_linode."""

    kind = _Kind
    secret = "canary8f3b1c6e5d7a4f2b9c0e1d2f3a4b5c6d7e8f9a0b1c2d3e4f5a6b7c8d9e"
    left_out: ClassVar[Mapping[str, str]] = {
        "test_an_https_record_is_read": _NO_HTTPS,
        "test_a_change_and_its_undo[HTTPS record": _NO_HTTPS,
        "test_what_changed_since_it_was_read_stops_the_whole_batch[to addresses-an HTTPS": _NO_HTTPS,
        "test_what_changed_since_it_was_read_stops_the_whole_batch[to CNAME-an HTTPS": _NO_HTTPS,
        "test_as_many_names_in_one_batch_as_the_provider_takes": "record by record: a batch is one hostname",
        "test_a_record_that_vanishes_in_the_last_instant_stops_the_whole_batch": (
            "record by record: it stops there and says what was done; test_linode has it"
        ),
        "test_a_write_whose_answer_is_lost_is_unsure": (
            "record by record: what comes after the lost answer is not done; test_linode has it"
        ),
        "test_a_text_is_created_replaced_and_removed": "it says itself that it keeps no leases; test_linode has it",
        "test_of_two_at_the_same_moment_not_both_are_made": "it says itself that it keeps no leases",
    }

    def __init__(self, folder: Path) -> None:
        self.simulator = LinodeSimulator([ZONE_NAME, "other.example"], self.secret, ttls=(0, *_MORE_TTLS))
        self.behind = self.simulator
        for name, ttl, rtype, value in ZONE:
            if rtype != "HTTPS":
                self.add(name, ttl, rtype, value)

    def options(self) -> dict[str, Any]:
        return {"endpoint": self.simulator.endpoint}

    def content(self) -> Iterable[Record]:
        for one in self.simulator.records(ZONE_NAME):
            name = f"{one['name']}.{ZONE_NAME}" if one["name"] else ZONE_NAME
            value = f"{one['priority']} {one['target']}" if one["type"] == "MX" else one["target"]
            yield Record(name, one["ttl_sec"], one["type"], value)

    def add(self, name: str, ttl: int, rtype: str, value: str) -> None:
        more: dict[str, object] = {}
        if rtype == "MX":
            priority, _, value = value.partition(" ")
            more["priority"] = int(priority)
        target = value.strip('"').replace('" "', "") if rtype == "TXT" else value.removesuffix(".")
        self.simulator.add(ZONE_NAME, self._relative(name), rtype, ttl, target, **more)

    def remove(self, name: str, rtype: str) -> None:
        self.simulator.remove(ZONE_NAME, self._relative(name), rtype)

    def forbid_writing(self) -> None:
        self.simulator.scopes = "domains:read_only"

    @staticmethod
    def _relative(name: str) -> str:
        return name[: -len(ZONE_NAME)].rstrip(".")
