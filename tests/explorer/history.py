"""One history, from its seed to its end, and what came of it."""

from __future__ import annotations

import asyncio
import functools
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, NamedTuple, NoReturn
from unittest import mock

from changeover.health import probe, sample
from changeover.model.dns.change import ZoneAt
from changeover.model.dns.records import record_set, same_answer
from changeover.model.platforms.platform_observation import PlatformObservation
from changeover.model.runs.plan import ActionStep, batch_progress, inverse
from changeover.model.runs.run import Run, StepState, fold
from changeover.model.runs.verification import Verdict
from changeover.model.settings.service import Answer, Deployment, Marker, Service
from explorer import names
from explorer.copies import KINDS, Copy
from explorer.journal import Disk
from explorer.people import Operator, Outsider, closes_the_lid
from explorer.platforms import Platforms
from explorer.process import Process
from explorer.world import Computer, Happened, World
from health.virtual_time import VirtualLoop

#: Seconds after which every write that was ever on its way has arrived.
SETTLED = 60.0
TARGETS = {"primary.host.example": ("192.0.2.1",), "backup.host.example": ("192.0.2.2", "2001:db8::2")}


class Told(NamedTuple):
    """What came of a history."""

    seed: int
    counts: Counter[str]
    broken: list[str]
    trace: list[Happened]

    def __str__(self) -> str:
        return "\n".join(
            [f"seed {self.seed}: {self.broken[0] if self.broken else 'all promises kept'}", *map(str, self.trace)]
        )


class Setting:
    """What there is in a history: a service, the copies of its zones, its deployments, its people's computers."""

    def __init__(self, world: World, platforms: bool) -> None:
        self.world = world
        self.platforms = Platforms(self) if platforms else None
        self.targets = TARGETS
        self.at_address = {a: name.partition(".")[0] for name, found in TARGETS.items() for a in found}
        self.down_until: dict[str, float] = {}
        self.service = self._service()
        kinds: dict[str, object] = {}
        self.copies = [
            Copy(world, z.account, z.zone, kinds.setdefault(z.account, world.random.choice(KINDS)))  # type: ignore[arg-type]
            for z in self.service.dns
        ]
        self._processes = 0
        for copy in self.copies:
            self._fill(copy)
        if world.chance(20):
            self.down_until[world.random.choice(self.service.deployments).name] = world.random.uniform(10, 200)

    def _service(self) -> Service:
        draw = self.world.random
        addresses = {"primary": Answer(a=("192.0.2.1",)), "backup": Answer(a=("192.0.2.2",), aaaa=("2001:db8::2",))}
        answers = dict(addresses)
        if draw.random() < 0.4:
            answers["backup"] = Answer(cname="backup.host.example")
        if draw.random() < 0.3:
            answers["primary"] = Answer(cname="primary.host.example")
        hostnames = draw.choice(
            (("www.shop.example",), ("shop.example", "www.shop.example"), ("www.shop.example", "api.shop.test"))
        )
        accounts = draw.choice((("one",), ("one",), ("one", "two")))
        zones = dict.fromkeys(".".join(name.split(".")[-2:]) for name in hostnames)
        return Service(
            name="shop",
            hostnames=hostnames,
            dns=tuple(ZoneAt(account, zone) for zone in zones for account in accounts),
            actions=self.platforms.actions() if self.platforms is not None else (),
            deployments=tuple(
                Deployment(
                    name=name,
                    answer=answers[name],
                    answers={"shop.example": addresses[name]},
                    marker=Marker("X-Deployment", name),
                )
                for name in ("primary", "backup")
            ),
        )

    def _fill(self, copy: Copy) -> None:
        draw = self.world.random
        for name in self.service.hostnames_in(copy.zone):
            sets = self.service.primary.answer_for(name).record_sets(name, draw.choice((60, 300)))
            if draw.random() < 0.1:
                sets = ()
            answers = [d.answer_for(name).record_sets(name, self.service.ttl) for d in self.service.deployments]
            copy.known[name] = [sets, *answers]
            copy.put(name, sets, "beginning")
            if name == copy.zone:
                copy.others[name] = (record_set(name, "MX", 3600, [f"10 mail.{name}."]),)

    def next_process(self) -> int:
        self._processes += 1
        return self._processes

    def names(self, process: Process) -> names.Names:
        return names.Names(process)

    def operations(self, process: Process) -> Callable[[ActionStep, Run, asyncio.Event], Awaitable[Verdict]]:
        if self.platforms is not None:
            return self.platforms.executor(self, process).perform

        async def done(step: ActionStep, run: Run, stop: asyncio.Event) -> Verdict:
            return Verdict(StepState.DONE, "done")

        return done

    def before(self, process: Process) -> Callable[[ActionStep], Coroutine[Any, Any, PlatformObservation | None]]:
        if self.platforms is not None:
            return self.platforms.executor(self, process).before

        async def nothing(step: ActionStep) -> None:
            """No platform is asked for anything."""

        return nothing


class Unplugged(VirtualLoop):
    """A loop on which nothing reaches the network: what stands in for the world must stand in for all of it."""

    async def create_connection(self, *args: object, **kwargs: object) -> NoReturn:  # type: ignore[override]
        raise AssertionError("a history reached for the network")

    async def create_datagram_endpoint(self, *args: object, **kwargs: object) -> NoReturn:  # type: ignore[override]
        raise AssertionError("a history reached for the network")

    async def sock_connect(self, *args: object) -> NoReturn:  # type: ignore[override]
        raise AssertionError("a history reached for the network")

    async def getaddrinfo(self, *args: object, **kwargs: object) -> NoReturn:  # type: ignore[override]
        raise AssertionError("a history asked the resolver of this computer")


def history(seed: int, planted: str = "", *, platforms: bool = False) -> Told:
    """The history of that seed, with a bug that is `planted` on purpose. `platforms`: they are asked for something."""
    with asyncio.Runner(loop_factory=Unplugged) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, Unplugged)
        world = World(seed, loop, planted)
        setting = Setting(world, platforms)
        stand_in = functools.partial(names.checked, setting)
        with (
            world.clocks(),
            mock.patch.object(probe, "checked", stand_in),
            mock.patch.object(sample, "checked", stand_in),
        ):
            runner.run(_live(setting))
    return Told(seed, world.counts, world.broken, world.trace)


async def _live(setting: Setting) -> None:
    world = setting.world
    computers = [Computer("home"), Computer("office")][: world.random.choice((1, 2, 2))]
    world.count("histories")
    world.count("on two computers" if len(computers) == 2 else "on one computer")
    disks = {computer.name: Disk(world, computer.name) for computer in computers}
    operators = [Operator(setting, c, disks[c.name]) for c in (computers * 2)[:2]]
    lives = [operator.live() for operator in operators]
    lids = [closes_the_lid(setting, computer) for computer in computers]
    hands = [setting.platforms.hand()] if setting.platforms is not None else []
    await asyncio.gather(*lives, *lids, *hands, Outsider(setting).live())
    await asyncio.sleep(SETTLED)
    world.calm = True
    for operator, disk in zip(operators, disks.values(), strict=False):
        await _ends(setting, operator, disk)


async def _ends(setting: Setting, operator: Operator, disk: Disk) -> None:
    """In a calm world whatever is unfinished can be ended: going on is refused only for others' changes."""
    world = setting.world
    verbs = world.random.choice((("resume", "undo"), ("undo", "resume")))
    for run in _unfinished(disk):
        for verb in (*verbs, "accept"):
            if verb not in run.next:
                continue  # nothing takes back what it did
            foreign = _foreign(setting, run)
            came = await operator.act(verb)
            world.note(disk.name, f"{verb} in a calm world: {came}")
            if not _unfinished(disk):
                world.count(f"ended in the calm by {verb}")
                break
            if not foreign and verb != "accept":
                world.broke(f"{run.run}: {verb} does not end it, though nobody else changed anything: {came}")
        else:
            world.broke(f"{run.run} cannot be ended")
        if came not in ("accepted", "refused"):
            for change in run.forward.changes:
                copy = next(c for c in setting.copies if (c.account, c.zone) == change.place[:2])
                if not copy.now(change.name) and change.before:
                    world.broke(f"{change.name} at {copy.account} was left empty")


def _unfinished(disk: Disk) -> list[Run]:
    return [run for run in (fold(entries) for entries in disk.runs.values()) if run.unfinished]


def _foreign(setting: Setting, run: Run) -> bool:
    """Does something stand in the way of its end?

    At its names, what it neither found nor makes; or, at another copy of their zone, what it does not touch and what
    is not the same.
    """
    live = {(c.account, c.zone, name): c.now(name) for c in setting.copies for name in c.past}
    if batch_progress(run.forward.changes, live).foreign or batch_progress(run.plan.changes, live).foreign:
        return True
    for wanted in (run.forward.changes, inverse(run.forward.changes), run.plan.changes):
        would = {**live, **{change.place: change.after for change in wanted}}
        for name in {change.name for change in wanted}:
            first, *others = [sets for (_, _, at), sets in would.items() if at == name]
            # Where only a TTL is changed, that is what the name servers are asked for.
            only_ttl = any(same_answer(c.before, c.after) for c in wanted if c.name == name)
            if not all(first == other if only_ttl else same_answer(first, other) for other in others):
                return True
    return False
