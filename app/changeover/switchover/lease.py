"""The leases of a run: taken before anything is changed, renewed while it lasts, removed at its end.

    async with zone_lease(providers, zones, holder) as lease:   # raises Refused where somebody else holds one
        lease.run = "shop-4"                                    # once the run has its name
        async with lease.guard(account, zone) as guard:
            result = await provider.apply(zone, changes, guard)
        if lease.lost.is_set():                                 # before each step: taken over, or not renewed in time
            print(lease.why_lost)

What a lease is, and what it says: changeover.model.dns.lease.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from changeover.dns.provider import Applied, Guard, Indeterminate, Provider
from changeover.model.dns.lease import (
    LENGTH,
    RENEWED,
    Holder,
    Lease,
    People,
    Refusal,
    Take,
    Unread,
    called,
    lease_name,
    leases,
    lost_words,
    may_take,
    renewed,
)
from changeover.model.errors import (
    Conflict,
    NotFound,
    PermissionDenied,
    ProviderError,
    Refused,
    Rejected,
    Unavailable,
)
from changeover.model.formatting import clock

log = logging.getLogger(__name__)

#: Seconds between two readings that may be from before a write.
PAUSE = 1.0

#: Account and zone.
At = tuple[str, str]


class HeldLease(Struct, frozen=True, kw_only=True):
    """A lease that this run holds, as it was last written; `until` is when it ends, on this process's own clock.

    `sure`: it is known to stand there, word for word.
    """

    lease: Lease
    until: float
    sure: bool = True


class ZoneLeases:
    """The leases that a run holds, and those that it goes without.

    `notes` say, each in a sentence, where there is none and why, and whose lease was taken over. `lost` is set, and
    `why_lost` says why, when the run must not go on: its next guarded write is refused anyway. `run` may be set once
    the run has its name; the leases say it from their next renewal on.
    """

    def __init__(self, providers: Mapping[str, Provider], holder: Holder, people: People) -> None:
        self._providers = providers
        self._holder = holder
        self._people = people
        self._held: dict[At, HeldLease] = {}
        self._locks: dict[At, asyncio.Lock] = {}
        self.notes: list[str] = []
        self.lost = asyncio.Event()
        self.why_lost = ""

    @property
    def held(self) -> dict[At, Lease]:
        """The leases that are held, by account and zone."""
        return {at: held.lease for at, held in self._held.items()}

    @property
    def run(self) -> str:
        return self._holder.run

    @run.setter
    def run(self, name: str) -> None:
        self._holder = replace(self._holder, run=name)

    @asynccontextmanager
    async def guard(self, account: str, zone: str) -> AsyncIterator[Guard | None]:
        """What a write in that zone must expect; None where there is no lease. No renewal comes between meanwhile.

        Raises Conflict where the lease was lost, and another ProviderError where nobody can tell. Not to be nested.
        """
        at = (account, zone)
        if at not in self._locks:
            yield None
            return
        async with self._locks[at]:
            held = self._held.get(at)
            if held is not None and not held.sure:
                await self._look_again(at, held)
                held = self._held.get(at)
            if held is None or self.lost.is_set():
                raise Conflict(self.why_lost, "Look at what the other run does before you go on.")
            yield Guard(lease_name(zone), held.lease.text)

    async def take(self, at: At, takeover: bool) -> None:
        """Takes one lease. Raises Refused where somebody else holds it, ProviderError where that cannot be known."""
        account, zone = at
        provider = self._providers[account]
        label = provider.capabilities.label
        if not provider.capabilities.leases:
            self.notes.append(f"{label} keeps no lease for {zone}: see to it that nobody else switches it meanwhile")
            return
        try:
            await self._take(provider, at, takeover)
        except (PermissionDenied, Rejected, NotFound) as error:
            where = lease_name(zone)
            self.notes.append(f"No lease could be written at {where}, so this run goes without: {error.text}")
            log.warning("%s", self.notes[-1])

    async def _take(self, provider: Provider, at: At, takeover: bool) -> None:
        # Once more where it was given back, or taken, between reading and writing; and where the reading may have been
        # from before that, as soon as it shows something else: an old lease of one's own must not keep one out.
        end, before = time.monotonic() + _lag(provider), None
        for _ in range(2):
            found = await self._stands(at)
            while found == before and time.monotonic() < end:
                await asyncio.sleep(PAUSE)
                found = await self._stands(at)
            before, began, now = found, time.monotonic(), datetime.now().astimezone()
            answer = may_take(found, self._holder, now, takeover, self._people)
            if isinstance(answer, Refusal):
                raise Refused(f"{answer.text}. Nothing was changed", answer.hint)
            for left in found[1:]:
                await provider.swap_txt(at[1], lease_name(at[1]), left.text, None)
            if await self._write(provider, at, answer):
                self._held[at] = HeldLease(lease=answer.lease, until=began + LENGTH.total_seconds())
                self._locks[at] = asyncio.Lock()
                if answer.over is not None:
                    self._tell_of(at[1], answer.over)
                return
        raise Refused(
            f"Somebody else takes a lease on {at[1]} at this moment. Nothing was changed", "Look again in a minute."
        )

    async def _write(self, provider: Provider, at: At, take: Take) -> bool:
        """Writes a lease; after a lost answer, what stands there tells. False where it was another's turn."""
        result = await provider.swap_txt(at[1], lease_name(at[1]), take.before, take.lease.text)
        if not isinstance(result, Indeterminate):
            return isinstance(result, Applied)
        end = time.monotonic() + _lag(provider)
        there = [one.text for one in await self._stands(at)]
        while there != [take.lease.text] and time.monotonic() < end:
            await asyncio.sleep(PAUSE)
            there = [one.text for one in await self._stands(at)]
        if there == ([] if take.before is None else [take.before]):
            raise Unavailable(f"The lease on {at[1]} could not be taken: {result.text}", "Try again.")
        return there == [take.lease.text]

    def _tell_of(self, zone: str, over: Lease | Unread) -> None:
        whose = (
            f"{called(over, self._holder, self._people)}, who was switching {over.service}"
            if isinstance(over, Lease)
            else "somebody"
        )
        self.notes.append(f"The lease on {zone} was taken over from {whose}; that run cannot write any more")
        log.warning("%s", self.notes[-1])

    async def renew(self) -> None:
        """Renews every lease that is held, once."""
        await asyncio.gather(*(self._renew(at) for at in list(self._held)))

    async def _renew(self, at: At) -> None:
        async with self._locks[at]:
            held = self._held.get(at)
            if held is None:
                return
            try:
                await self._renew_held(at, held)
            except ProviderError as error:
                log.warning("the lease on %s could not be renewed: %s", at[1], error.text)
                if time.monotonic() >= held.until:
                    ended = clock(held.lease.expires, datetime.now().astimezone())
                    self._lose(at, f"The lease of this run on {at[1]} ended at {ended}, not renewed: {error.text}")

    async def _renew_held(self, at: At, held: HeldLease) -> None:
        began = time.monotonic()
        new = renewed(held.lease, self._holder, datetime.now().astimezone())
        provider = self._providers[at[0]]
        result = await provider.swap_txt(at[1], lease_name(at[1]), held.lease.text, new.text)
        if isinstance(result, Applied):
            self._held[at] = HeldLease(lease=new, until=began + LENGTH.total_seconds())
            return
        self._held[at] = replace(held, sure=False)
        await self._look_again(at, held)

    async def _look_again(self, at: At, held: HeldLease) -> None:
        """After a lost answer, or a conflict that may be with a late write of one's own: what stands there?"""
        end = time.monotonic() + _lag(self._providers[at[0]])
        while True:
            found = await self._stands(at)
            ours = [one for one in found if isinstance(one, Lease) and one.is_of(self._holder)]
            ours = [one for one in ours if one.fence == held.lease.fence]
            # What is as before the write may be an old reading.
            if ours != [held.lease] or time.monotonic() >= end:
                break
            await asyncio.sleep(PAUSE)
        if ours:
            self._held[at] = replace(held, lease=ours[0], sure=True)
        else:
            self._lose(at, lost_words(at[1], found))

    def _lose(self, at: At, why: str) -> None:
        log.warning("%s", why)
        self._held.pop(at, None)
        self.why_lost = self.why_lost or why
        self.lost.set()

    async def give_back(self) -> None:
        """Gives back what is held. What cannot be given back ends by itself."""
        await asyncio.gather(*(self._give_back(at) for at in list(self._held)))

    async def _give_back(self, at: At) -> None:
        async with self._locks[at]:
            held = self._held.pop(at, None)
            if held is None:
                return
            try:
                given = await self._release(at, held.lease)
            except ProviderError as error:
                log.warning("the lease on %s could not be given back; it ends by itself: %s", at[1], error.text)
                return
            if not given:
                log.warning("giving back the lease on %s was not confirmed; it ends by itself", at[1])

    async def _release(self, at: At, lease: Lease) -> bool:
        """Removes it as it was written last; where another of one's own writes stands there, that one."""
        remove = self._providers[at[0]].swap_txt
        if isinstance(await remove(at[1], lease_name(at[1]), lease.text, None), Applied):
            return True
        ours = [one for one in await self._stands(at) if isinstance(one, Lease) and one.fence == lease.fence]
        if not ours or not ours[0].is_of(self._holder):
            return True
        return isinstance(await remove(at[1], lease_name(at[1]), ours[0].text, None), Applied)

    async def _stands(self, at: At) -> Sequence[Lease | Unread]:
        name = lease_name(at[1])
        return leases((await self._providers[at[0]].read(at[1], [name])).records[name])


def _lag(provider: Provider) -> float:
    """For how many seconds after a write its readings may be older."""
    return provider.capabilities.lag.seconds if provider.capabilities.lag is not None else 0.0


@asynccontextmanager
async def zone_lease(
    providers: Mapping[str, Provider],
    zones: Sequence[At],
    holder: Holder,
    *,
    takeover: bool = False,
    people: People | None = None,
    every: float = RENEWED.total_seconds(),
) -> AsyncIterator[ZoneLeases]:
    """Holds the lease of each of `zones`, (account, zone), all or none, in an order that is the same for everybody.

    Without zones no lease is held, and guards are None. `takeover` takes them from anybody, for an emergency. `people`:
    who began this computer's runs. `every`: seconds from one renewal to the next. Raises Refused where somebody else
    holds one, and ProviderError where that cannot be known; what was taken already is given back then.
    """
    held = ZoneLeases(providers, holder, people or {})
    over = asyncio.Event()
    try:
        for at in sorted(set(zones)):
            await held.take(at, takeover)
        renewals = asyncio.create_task(_renewals(held, every, over))
        try:
            yield held
        finally:
            over.set()
            await renewals  # one that is under way is not cut off, or nobody knew what stands there
    finally:
        await held.give_back()


async def _renewals(held: ZoneLeases, every: float, over: asyncio.Event) -> None:
    while held.held and not over.is_set():
        try:
            async with asyncio.timeout(every):
                await over.wait()
        except TimeoutError:
            await held.renew()
