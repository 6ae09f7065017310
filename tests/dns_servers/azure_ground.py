"""Azure DNS for the promises that every provider makes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from changeover.dns.providers.azure import PROVIDER
from dns_servers.azure_simulator import (
    CLIENT,
    GROUP,
    SUBSCRIPTION,
    TENANT,
    AzureSimulator,
    TenantSimulator,
    forbid,
    texts_of,
)
from dns_servers.ground import ZONE, ZONE_NAME, HttpGround, Record

_SET_BY_SET = "each set is compared by itself: test_azure has what a conflict in the last instant does to the others"
_NO_HTTPS = "there are no HTTPS records at Azure DNS"


class AzureGround(HttpGround):
    """Simulated, with the endpoint for access tokens beside it, which goes on when the API does not."""

    native = True
    kind = PROVIDER
    left_out: ClassVar[Mapping[str, str]] = {
        "test_an_https_record_is_read": _NO_HTTPS,
        "test_a_change_and_its_undo[HTTPS record]": _NO_HTTPS,
        "test_what_changed_since_it_was_read_stops_the_whole_batch[an HTTPS record appeared]": _NO_HTTPS,
        "test_a_change_in_the_last_instant_is_seen_where_the_server_compares": _SET_BY_SET,
        "test_a_record_that_vanishes_in_the_last_instant_stops_the_whole_batch": _SET_BY_SET,
        "test_a_guard_that_changes_in_the_last_instant": _SET_BY_SET,
        "test_as_many_names_in_one_batch_as_the_provider_takes": "set by set: a batch is one hostname",
        "test_a_write_whose_answer_is_lost_is_unsure": (
            "set by set: what comes after the lost answer is not done; test_azure has it"
        ),
    }

    def __init__(self, folder: Path) -> None:
        self.tenant = TenantSimulator(self.secret)
        self.simulator = AzureSimulator([ZONE_NAME, "other.example"], self.tenant)
        self.behind = self.simulator
        for name, ttl, rtype, value in ZONE:
            if rtype != "HTTPS":
                self.add(name, ttl, rtype, value)

    def __enter__(self) -> Self:
        self.tenant.__enter__()
        return super().__enter__()

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self.tenant.stop()

    def options(self) -> dict[str, Any]:
        places = {"endpoint": self.simulator.address, "login": self.tenant.address}
        ids = {"tenant_id": TENANT, "client_id": CLIENT, "subscription_id": SUBSCRIPTION}
        return {**ids, "resource_group": GROUP, **places}

    def content(self) -> Iterable[Record]:
        for one in self.simulator.sets(ZONE_NAME):
            name = one["properties"]["fqdn"].rstrip(".")
            for text in texts_of(one):
                yield Record(name, one["properties"]["TTL"], one["type"].rpartition("/")[2], text)

    def add(self, name: str, ttl: int, rtype: str, value: str) -> None:
        # A target is written without its final dot, as the API gives it back.
        text = value.rstrip(".") if rtype == "CNAME" else value
        self.simulator.add(ZONE_NAME, self._relative(name), rtype, ttl, text)

    def remove(self, name: str, rtype: str) -> None:
        self.simulator.remove(ZONE_NAME, self._relative(name), rtype)

    def forbid_writing(self) -> None:
        forbid(self.simulator.zones[ZONE_NAME])

    @staticmethod
    def _relative(name: str) -> str:
        return name[: -len(ZONE_NAME)].rstrip(".") or "@"
