"""What the world sees: name servers that lag and fall silent, and deployments that answer, or are down."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from changeover.dns.lookup.client import NameServer, ResolverAnswer
from changeover.health.http.request import Exchange
from changeover.model.dns.observed import ServerAnswer
from changeover.model.dns.records import RecordSet
from changeover.model.errors import Unavailable
from changeover.model.health.check import HealthCheck
from changeover.model.health.conditions import Response
from changeover.model.health.probe_result import Cause, Phases
from changeover.model.settings.service import LookupSettings

if TYPE_CHECKING:
    from explorer.history import Setting
    from explorer.process import Process


class Names:
    """How one process looks names up. Has the methods of changeover.dns.lookup.client.Lookup that a run uses."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._world = process.world
        self._setting = process.setting
        #: No resolver is asked.
        self.settings = LookupSettings(resolvers=(), doh=())
        self.timeout = 3.0

    async def authoritative(
        self, zone: str, hostnames: Sequence[str], types: Sequence[str] = ()
    ) -> tuple[ServerAnswer, ...]:
        await self._process.point()
        await asyncio.sleep(0.05)
        if self._world.fault("down", "none", "none") == "down":
            raise Unavailable(f"the name servers of {zone} cannot be found")
        found = []
        for copy in self._setting.copies:
            if copy.zone != zone:
                continue
            for server, lag in copy.lag.items():
                silent = copy.silent_until.get(server, 0.0) > self._world.now and not self._world.calm
                if not silent and self._world.chance(self._world.faults / 10):
                    copy.silent_until[server] = self._world.now + self._world.random.uniform(1, 20)
                for name in hostnames:
                    records = copy.at(name, self._world.now - lag)
                    found.append(
                        ServerAnswer(
                            server=server,
                            address=server,
                            hostname=name,
                            zone=zone,
                            records=() if silent else records,
                            error="no answer" if silent else None,
                        )
                    )
        await self._process.point()
        return tuple(found)

    async def name_servers(self, zone: str) -> tuple[NameServer, ...]:
        return ()

    async def resolvers(self, hostname: str) -> tuple[ResolverAnswer, ...]:
        return ()

    async def resolve(self, name: str, rtype: str) -> tuple[RecordSet, ...]:
        return ()

    async def addresses(self, host: str) -> tuple[str, ...]:
        return self._setting.targets.get(host, ())

    async def own_addresses(self, name: str) -> tuple[str, ...] | None:
        return await self.addresses(name)


async def checked(
    setting: Setting, hostname: str, address: str, check: HealthCheck, request: object, wanted: object = None
) -> Exchange:
    """Stands in for changeover.health.http.request.checked: who answers at an address is known, unless it is down."""
    world = setting.world
    await asyncio.sleep(0.05)
    there = setting.at_address.get(address)
    if there is None or (not world.calm and world.now < setting.down_until.get(there, 0.0)):
        return Exchange(phases=Phases(), ok=False, reason="no connection", cause=Cause.ADDRESS)
    headers = ((b"x-deployment", there.encode()),)
    return Exchange(phases=Phases(total=0.05), response=Response(status=200, headers=headers, body=b"Welcome"))
