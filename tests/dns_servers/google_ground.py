"""Google Cloud DNS for the promises that every provider makes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from changeover.dns.providers.google import PROVIDER
from dns_servers.google_simulator import GoogleSimulator, TokenSimulator
from dns_servers.ground import ZONE_NAME, HttpGround, Record


class GoogleGround(HttpGround):
    """Simulated, with the endpoint for access tokens beside it, which goes on when the API does not."""

    native = True
    kind = PROVIDER
    left_out: ClassVar[Mapping[str, str]] = {
        "test_a_change_in_the_last_instant_is_seen_where_the_server_compares[an HTTPS record appeared]": (
            "a change says what is deleted and added, not that a set of another type is absent"
        ),
    }

    def __init__(self, folder: Path) -> None:
        self.tokens = TokenSimulator()
        self.simulator = GoogleSimulator([ZONE_NAME, "other.example"], self.tokens)
        self.simulator.create(ZONE_NAME, "shop-example-inside", visibility="private")
        self.behind = self.simulator
        self._fill()

    def __enter__(self) -> Self:
        self.tokens.__enter__()
        self.secret = self.tokens.key_file()  # type: ignore[misc]
        return super().__enter__()

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self.tokens.stop()

    def options(self) -> dict[str, Any]:
        return {"endpoint": self.simulator.address}

    def content(self) -> Iterable[Record]:
        for one in self.simulator.sets(ZONE_NAME):
            for value in one["rrdatas"]:
                yield Record(one["name"].rstrip("."), one["ttl"], one["type"], value)

    def add(self, name: str, ttl: int, rtype: str, value: str) -> None:
        self.simulator.add(ZONE_NAME, name, rtype, ttl, value)

    def remove(self, name: str, rtype: str) -> None:
        self.simulator.remove(ZONE_NAME, name, rtype)

    def forbid_writing(self) -> None:
        self.simulator.zone(ZONE_NAME).may_write = False
