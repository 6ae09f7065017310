"""Azure DNS for the promises that every provider makes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from changeover.dns.http.notation import relative_name
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
from dns_servers.ground import NO_HTTPS, ONE_SET_A_REQUEST, ZONE_NAME, HttpGround, Record

_SET_BY_SET = "each set is compared by itself: test_azure has what a conflict in the last instant does to the others"


class AzureGround(HttpGround):
    """Simulated, with the endpoint for access tokens beside it, which goes on when the API does not."""

    native = True
    kind = PROVIDER
    lacks = ("HTTPS",)
    left_out = (NO_HTTPS | ONE_SET_A_REQUEST) | {
        "test_a_change_in_the_last_instant_is_seen_where_the_server_compares": _SET_BY_SET,
        "test_a_record_that_vanishes_in_the_last_instant_stops_the_whole_batch": _SET_BY_SET,
        "test_a_guard_that_changes_in_the_last_instant": _SET_BY_SET,
    }

    def __init__(self, folder: Path) -> None:
        self.tenant = TenantSimulator(self.secret)
        self.simulator = AzureSimulator([ZONE_NAME, "other.example"], self.tenant)
        self.behind = self.simulator
        self._fill()

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
        self.simulator.add(ZONE_NAME, relative_name(ZONE_NAME, name.lower()) or "@", rtype, ttl, text)

    def remove(self, name: str, rtype: str) -> None:
        self.simulator.remove(ZONE_NAME, relative_name(ZONE_NAME, name.lower()) or "@", rtype)

    def forbid_writing(self) -> None:
        forbid(self.simulator.zones[ZONE_NAME])
