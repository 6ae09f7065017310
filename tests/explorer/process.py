"""One process of Changeover at a computer: it may be stopped, and may die at any of its points."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from changeover.model.dns.change import Place
from explorer.copies import Copy
from explorer.journal import AfterTheAct, Disk, ProcessJournal
from explorer.provider import SimulatedProvider
from explorer.world import Computer, World

if TYPE_CHECKING:
    from explorer.history import Setting


class Process:
    """What a process knows dies with it; what its computer's disk and the world have stays.

    `unclear` are the places where a write was given up and nothing was read since, `confirmed` those where the
    provider said that one was made; `read_at` is, by place, the time of
    what was read last, and `stale` whether something newer stood there.
    """

    def __init__(self, setting: Setting, computer: Computer, disk: Disk, number: int) -> None:
        self.world: World = setting.world
        self.setting = setting
        self.computer = computer
        self.journal = (AfterTheAct if self.world.planted == "journal after the act" else ProcessJournal)(disk, self)
        self.disk = disk
        self.number = number
        self.run = ""
        self.stop = asyncio.Event()
        self.began = self.world.now
        self.alive = True
        self.ended = False
        self.unclear: set[Place] = set()
        self.read_at: dict[Place, float] = {}
        self.stale: dict[Place, bool] = {}
        self.confirmed: set[Place] = set()
        #: By deployment, what its platform told this process last.
        self.observed: dict[str, dict[str, Any]] = {}
        self._task = asyncio.current_task()
        self._points = 0
        self._entries = 0
        self._dies_at_point = self._dies_at_entry = 0
        self._dies_how = ""
        draw = self.world.random
        if self.world.chance(35):
            fate = draw.choice(("point", "point", "before an entry", "after an entry", "after an entry", "stop"))
            if fate == "point":
                self._dies_at_point = draw.randint(1, 40)
            elif fate == "stop":
                self.world.loop.call_later(draw.uniform(0, 12), self._stopped)
            else:
                self._dies_at_entry, self._dies_how = draw.randint(1, 8), fate

    def __str__(self) -> str:
        return f"{self.computer.name}.{self.number}"

    def providers(self) -> dict[str, SimulatedProvider]:
        """Every account, opened anew."""
        by_account: dict[str, list[Copy]] = {}
        for copy in self.setting.copies:
            by_account.setdefault(copy.account, []).append(copy)
        return {account: SimulatedProvider(self, account, copies) for account, copies in by_account.items()}

    def copy(self, account: str, zone: str) -> Copy:
        return next(c for c in self.setting.copies if (c.account, c.zone) == (account, zone))

    def wrote(self, run: str, writer: object) -> bool:
        return writer == (self.computer.name, run)

    async def point(self, what: str = "") -> None:
        """Here the process may die, or its computer sleep. A dead process does not come past any."""
        self._points += 1
        if what == "before an entry":
            self._entries += 1
        dies = self._points == self._dies_at_point
        dies = dies or (what == self._dies_how != "" and self._entries == self._dies_at_entry)
        if dies and self.alive and not self.world.calm:
            self.alive = False
            self.world.count("crashes")
            self.world.note(str(self), f"dies {what or 'under way'}")
            if self._task is not None:
                self._task.cancel()
        if not self.alive and not self.ended:
            raise asyncio.CancelledError
        await asyncio.sleep(max(0.0, self.computer.asleep_until - self.world.now))

    def _stopped(self) -> None:
        if self.alive:
            self.world.count("interruptions")
            self.world.note(str(self), "is told to stop")
            self.stop.set()
