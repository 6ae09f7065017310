"""An account at a simulated provider, as one process uses it, and all that can go wrong between the two."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from changeover.dns.provider import (
    Access,
    Applied,
    Guard,
    Indeterminate,
    PreconditionFailed,
    RecordsRead,
    Result,
    conflicts,
)
from changeover.model.dns.capabilities import BatchLimit, Capabilities
from changeover.model.dns.change import Change
from changeover.model.dns.records import AddressSet, address_set
from changeover.model.errors import NotFound, RateLimited, Rejected, Unavailable
from explorer import promises
from explorer.copies import Copy, Kind, Piece

if TYPE_CHECKING:
    from explorer.process import Process

#: Seconds after which a request is given up.
TIMEOUT = 10.0


def capabilities_of(kind: Kind) -> Capabilities:
    """What the engine is told about such a provider."""
    return Capabilities(
        label=kind.name,
        batch=BatchLimit(records=6) if kind.batch else None,
        native_compare_and_set=kind.compares != "ids",
        propagates_atomically=kind.compares != "ids",
    )


class SimulatedProvider:
    """Implements changeover.dns.provider.Provider on the copies that the account has."""

    race_window: float | None = None

    def __init__(self, process: Process, account: str, copies: Sequence[Copy]) -> None:
        self._process = process
        self._world = process.world
        self._account = account
        self._copies = {copy.zone: copy for copy in copies}
        self.capabilities = capabilities_of(copies[0].kind)
        self._writing = asyncio.Lock()
        self._asked_at = 0.0

    async def read(self, zone: str, names: Sequence[str]) -> RecordsRead:
        copy = self._copy(zone)
        when = await self._seen(copy, "reads")
        for name in names:
            self._has_read(copy, name, when)
        return RecordsRead(records={name: copy.everything(name, when) for name in names})

    async def read_back(self, zone: str, changes: Sequence[Change]) -> dict[str, AddressSet]:
        reading = await self.read(zone, [change.name for change in changes])
        return {name: address_set(found) for name, found in reading.records.items()}

    async def apply(self, zone: str, changes: Sequence[Change], guard: Guard | None = None) -> Result:
        assert guard is None, "these providers keep no leases"
        copy = self._copy(zone)
        async with self._writing:
            promises.sent(self._process, copy, changes)
            result = await self._apply(copy, changes)
            if isinstance(result, Applied):
                self._process.confirmed.update(change.place for change in changes)
            if isinstance(result, Indeterminate):
                self._process.unclear.update(change.place for change in changes)
                if self._world.planted == "repeat after a time-out":
                    promises.sent(self._process, copy, changes)
                    result = await self._apply(copy, changes)
        self._world.note(str(self._process), f"hears of {copy}: {result}")
        return result

    async def _apply(self, copy: Copy, changes: Sequence[Change]) -> Result:
        seen = self._world.now
        if copy.kind.compares != "all":
            seen = await self._seen(copy, "reads, to write,")
            now = {c.name: copy.everything(c.name, seen) for c in changes}
            found = [text for c in changes for text in conflicts(c, now[c.name])]
            if found and self._world.planted != "write without expectation":
                return PreconditionFailed(tuple(found))
        pieces = [copy.pieces(change) for change in changes]
        if copy.kind.batch:
            return await self._send(copy, [p for ps in pieces for p in ps], changes, seen, begun=False)
        begun = False
        for piece in [p for ps in pieces for p in ps]:
            result = await self._send(copy, [piece], [piece.change], seen, begun)
            if isinstance(result, PreconditionFailed) and begun:
                return Indeterminate("a part was written, then the rest was refused")
            if not isinstance(result, Applied):
                return result
            begun = True
        return Applied()

    async def _send(
        self, copy: Copy, pieces: Sequence[Piece], changes: Sequence[Change], seen: float, begun: bool
    ) -> Result:
        """One request that writes. What it does at the provider goes on whether its sender lives or not."""
        world, process = self._world, self._process
        await process.point()
        fault = world.fault("refused", "rate", "lost before", "lost after", "late", "5xx", "5xx after")
        names = ", ".join(dict.fromkeys(change.name for change in changes))
        world.note(str(process), f"writes {names} at {copy}" + (f" ({fault})" if fault else ""))
        if fault:
            world.count(f"write: {fault}")
        if fault in ("refused", "rate"):
            await asyncio.sleep(world.latency())
            await process.point()
            if begun:
                return Indeterminate("a part was written, then the provider was not there")
            raise RateLimited("too many requests", retry_after=2) if fault == "rate" else Unavailable("no connection")
        answer: asyncio.Future[bool] = world.loop.create_future()
        late = fault == "late" or (fault == "5xx after" and world.chance(50))

        def arrive() -> None:
            fits = self._carry_out(copy, pieces, changes, seen, late)
            if not answer.done():
                answer.set_result(fits)

        if fault not in ("lost before", "5xx"):
            given_up = (TIMEOUT if fault == "late" else 0.5) if late else 0.0
            world.loop.call_later(given_up + world.random.uniform(0.01, 20 if late else 0.4), arrive)
        if fault in ("5xx", "5xx after"):
            await asyncio.sleep(0.5)
            await process.point()
            return Indeterminate("503")
        if fault:
            await asyncio.sleep(TIMEOUT)
            await process.point()
            return Indeterminate("no answer in time")
        fits = await answer
        await asyncio.sleep(world.latency())
        await process.point()
        return Applied() if fits else PreconditionFailed(("it is not what was read",))

    def _carry_out(
        self, copy: Copy, pieces: Sequence[Piece], changes: Sequence[Change], seen: float, late: bool
    ) -> bool:
        """At the provider: compares as far as it can, and writes. Gives whether it did."""
        world, run = self._world, self._process.run
        if world.planted != "write without expectation":
            compared = copy.kind.compares in ("all", "values")
            if compared and not all(copy.as_expected(change) for change in changes):
                world.count("conflicts")
                return False
            if not compared and not copy.fits(pieces):
                world.count("conflicts")
                return False
        copy.carry_out(
            pieces,
            (self._process.computer.name, run),
            lambda c, change, found, left: promises.landed(
                c, change, found, left, entries=self._process.journal.stored(run), seen=seen, late=late
            ),
        )
        return True

    async def _seen(self, copy: Copy, doing: str) -> float:
        """One request that reads: the time of what it shows."""
        world, process = self._world, self._process
        await process.point()
        fault = world.fault("unavailable", "rate", "none", "none")
        await asyncio.sleep(world.latency())
        when = self._asked_at = world.now
        if copy.kind.eventual and world.chance(25):
            when -= world.random.uniform(0.2, 4.0)
            world.count("stale reads")
        world.note(str(process), f"{doing} {copy}" + (f" ({fault})" if fault not in ("", "none") else ""))
        await asyncio.sleep(world.latency())
        await process.point()
        if fault == "rate":
            raise RateLimited("too many requests", retry_after=2)
        if fault == "unavailable":
            raise Unavailable("no answer to a reading")
        return when

    def _has_read(self, copy: Copy, name: str, when: float) -> None:
        place = (self._account, copy.zone, name)
        self._process.unclear.discard(place)
        self._process.read_at[place] = self._asked_at
        self._process.stale[place] = copy.at(name, when) != copy.at(name, self._asked_at)

    def _copy(self, zone: str) -> Copy:
        if zone not in self._copies:
            raise NotFound(f"{self._account} has no zone {zone}")
        return self._copies[zone]

    async def swap_txt(self, zone: str, name: str, before: str | None, after: str | None) -> Result:
        raise Rejected("these providers keep no texts")

    def normalize(self, zone: str, before: AddressSet, after: AddressSet) -> AddressSet:
        return after

    async def verify(self, zone: str, names: Sequence[str]) -> Access:
        return Access(zones=tuple(self._copies), may_write=True)

    async def zones(self) -> tuple[str, ...]:
        return tuple(self._copies)

    async def aclose(self) -> None:
        pass
