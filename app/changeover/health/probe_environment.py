"""What a watch really does to the world: probes over the network, asks witnesses, reads this computer's clocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from changeover.dns.provider import is_this_computer
from changeover.health.connectivity.clocks import read_clocks
from changeover.health.connectivity.interfaces import source_addresses
from changeover.health.unforeseen import guarded
from changeover.model.dns.server_address import is_address
from changeover.model.health.clock_gap import Clocks
from changeover.model.health.connectivity import Connection, judge
from changeover.model.health.probe_result import Round
from changeover.model.settings.service import Deployment, LookupSettings, Service

if TYPE_CHECKING:
    from changeover.dns.lookup.client import Lookup


class NetworkEnvironment:
    """The environment of a watch, with whatever lookup and settings are in force when they are used."""

    def __init__(self, lookup: Callable[[], Lookup], settings: Callable[[], LookupSettings]) -> None:
        self._lookup = lookup
        self._settings = settings

    async def probe(self, service: Service, deployment: Deployment, known: Mapping[str, tuple[str, ...]]) -> Round:
        from changeover.health.rounds import probe_round

        return await probe_round(service, deployment, self._lookup(), known)

    async def look_around(self) -> Connection:
        from changeover.health.connectivity.witnesses import look_around

        def unread(why: str) -> Connection:
            return judge((), datetime.now(UTC))

        return await guarded("this computer's connection", look_around(self._settings()), unread)

    def read_clocks(self) -> Clocks:
        return read_clocks()

    def networks(self) -> frozenset[str]:
        settings = self._settings()
        hosts = [urlsplit(entry).hostname or "" for entry in settings.witnesses]
        return source_addresses([host for host in hosts if is_address(host) and not is_this_computer(host)])
