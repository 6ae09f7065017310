"""NS1 for the promises that every provider makes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from changeover.dns.providers.ns1 import PROVIDER
from dns_servers.ground import NO_RIGHTS, ONE_SET_A_REQUEST, TOKEN, WHOLE_SETS, ZONE_NAME, HttpGround, Record
from dns_servers.ns1_simulator import Ns1Simulator


class Ns1Ground(HttpGround):
    """Simulated."""

    kind = PROVIDER
    secret = TOKEN
    left_out = WHOLE_SETS | ONE_SET_A_REQUEST | NO_RIGHTS

    def __init__(self, folder: Path) -> None:
        self.simulator = Ns1Simulator([ZONE_NAME, "other.example"], self.secret)
        self.behind = self.simulator
        self._fill()

    def options(self) -> dict[str, Any]:
        return {"endpoint": self.simulator.endpoint}

    def content(self) -> Iterable[Record]:
        for one in self.simulator.sets(ZONE_NAME):
            for answer in one["answers"]:
                more = f"{answer.get('meta', '')}{'' if one['use_client_subnet'] else 'no subnet'}"
                text = " ".join(map(str, answer["answer"]))
                yield Record(
                    one["domain"], one["ttl"], one["type"], f'"{text}"' if one["type"] == "TXT" else text, more
                )

    def add(self, name: str, ttl: int, rtype: str, value: str) -> None:
        self.simulator.add(ZONE_NAME, name.lower(), rtype, ttl, *fields(rtype, value))

    def remove(self, name: str, rtype: str) -> None:
        self.simulator.remove(ZONE_NAME, name.lower(), rtype)

    def forbid_writing(self) -> None:
        self.simulator.may_write = False


def fields(rtype: str, value: str) -> list[str]:
    """A value of a zone file as NS1 keeps it."""
    if rtype == "TXT":
        return value.removeprefix('"').removesuffix('"').split('" "')
    if rtype in ("HTTPS", "SVCB"):
        return value.replace('"', "").split(" ", 2)
    return value.split()
