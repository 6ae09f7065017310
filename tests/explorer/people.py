"""The people of a history: operators, each at a computer, and somebody who edits records by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace

from changeover.model.dns.records import AddressSet, address_set, record_set
from changeover.model.errors import ProviderError, Refused
from changeover.model.runs.operation_plan import operation_plan
from changeover.model.runs.plan import ActionStep, Plan, ZoneReading, inverse, make_plan, plan_of
from changeover.model.runs.plan_actions import with_actions
from changeover.model.runs.run import Accepted, Committed, Repeated, Run, Skipped, Started, StepState, fold
from changeover.switchover.runner import Runner
from explorer.journal import Disk
from explorer.process import Process
from explorer.world import START, Computer, at_computer

if TYPE_CHECKING:
    from explorer.history import Setting

#: Seconds that a run waits for name servers and visitors.
RETRY_BUDGET = 4.0


class InattentiveRunner(Runner):
    """A planted bug: its undo takes whatever stands there for its own."""

    async def undo_plan(self, run: Run, anyway: bool = False) -> Plan:
        back = []
        for change in inverse(run.forward.changes):
            reading = await self._providers[change.account].read(change.zone, [change.name])
            live = address_set(reading.records[change.name])
            if live != change.after:
                back.append(replace(change, before=live))
        capabilities = {name: provider.capabilities for name, provider in self._providers.items()}
        return plan_of(run.service, run.to, run.source, back, capabilities, datetime.now(UTC))


class Operator:
    """Somebody at a computer: switches, undoes, and ends what was left unfinished, one thing after the other.

    Two operators at one computer share its journal, and the lock of the service keeps them apart.
    """

    def __init__(self, setting: Setting, computer: Computer, disk: Disk) -> None:
        self._setting = setting
        self._world = setting.world
        self._computer = computer
        self._disk = disk

    async def live(self) -> None:
        """What this person does in a history."""
        draw = self._world.random
        for _ in range(draw.randint(2, 5)):
            await asyncio.sleep(draw.expovariate(1 / 15))
            await self.act(draw.choice(("resume", "undo", "undo", "accept", "resume", "leave")))

    async def act(self, if_unfinished: str) -> str:
        """One process from its start to its end. Gives what came of it, in one word."""
        if self._computer.busy:
            self._world.count("kept out by the lock")
            return "locked"
        self._computer.busy = True
        try:
            task = asyncio.create_task(self._process(if_unfinished))
            await asyncio.wait([task])
            return "died" if task.cancelled() else task.result()
        finally:
            self._computer.busy = False

    async def _process(self, if_unfinished: str) -> str:
        at_computer.set(self._computer)
        process = Process(self._setting, self._computer, self._disk, self._setting.next_process())
        self._world.count("processes")
        try:
            return await self._work(process, if_unfinished)
        except Refused as error:
            self._world.count("refused")
            self._world.note(str(process), f"is refused: {error.text}")
            if not error.text or (error.hint == "" and not error.findings):
                self._world.broke("a refusal without words")
            return "refused"
        except ProviderError as error:
            self._world.count("gave up")
            self._world.note(str(process), f"gives up: {error.text}")
            return "gave up"
        finally:
            process.alive, process.ended = False, process.alive

    async def _work(self, process: Process, if_unfinished: str) -> str:
        journal = process.journal
        draw = self._world.random
        runs = [fold(entries) for entries in await journal.read_all()]
        unfinished = next((run for run in runs if run.unfinished), None)
        if unfinished is not None:
            return await self._go_on(process, unfinished, if_unfinished)
        can_undo = [run for run in runs if "undo" in run.next]
        if can_undo and draw.random() < 0.4:
            return await self._go_on(process, draw.choice(can_undo[:2]), "undo")
        if runs and "commit" in runs[0].next and draw.random() < 0.2:
            await journal.append(runs[0].run, Committed())
            return "committed"
        if self._setting.platforms is not None and self._setting.platforms.random.random() < 0.4:
            return await self._operate(process)
        return await self._switch(process)

    async def _operate(self, process: Process) -> str:
        """Asks the platform of a deployment for one thing."""
        assert self._setting.platforms is not None
        deployment, operation, options = self._setting.platforms.call()
        made_at = datetime.fromtimestamp(START + self._world.now, UTC)
        plan = operation_plan("shop", deployment, operation, options, made_at)
        self._world.count("operations by themselves")
        self._world.note(str(process), f"asks for {operation.verb} at {deployment}")
        ended = await self._runner(process).start(Started(plan=plan))
        return "unfinished" if ended.unfinished else str(ended.outcome)

    async def _decide(self, process: Process, run: Run) -> Run:
        """A person looks at what nobody knows, and says of each step whether it is to be done again."""
        platforms = self._setting.platforms
        assert platforms is not None
        writer = (self._computer.name, run.run)
        for number, step in enumerate(run.plan.steps):
            unknown = run.steps[number].state is StepState.UNKNOWN
            if not isinstance(step, ActionStep) or not unknown or step.action.repeatable:
                continue
            done = any(one.landed for one in platforms.log if one.writer == writer and one.verb == step.operation.verb)
            self._world.count("skipped by a person" if done else "repeated by a person")
            event = Skipped(step=number, reason="it was done") if done else Repeated(step=number)
            await process.journal.append(run.run, event)
        return fold(await process.journal.read(run.run))

    async def _go_on(self, process: Process, run: Run, verb: str) -> str:
        if verb == "leave" or verb not in run.next:
            return "left"
        self._world.count(f"{verb}")
        self._world.note(str(process), f"{verb} of {run.run}, which is {run.outcome}")
        if verb == "accept":
            await process.journal.append(run.run, Accepted(reason="it is good as it is"))
            return "accepted"
        process.run = run.run
        runner = self._runner(process)
        if verb == "resume":
            if self._setting.platforms is not None:
                run = await self._decide(process, run)
            ended = await runner.resume(run, who="anna@laptop")
        else:
            anyway = self._world.chance(15)
            if anyway:
                self._disk.anyway.add(run.run)
                self._world.count("undo of others' changes, by a person's word")
            ended = await runner.undo(run, anyway=anyway, who="anna@laptop")
        return "unfinished" if ended.unfinished else str(ended.outcome)

    async def _switch(self, process: Process) -> str:
        service = self._setting.service
        to = self._world.random.choice(service.deployments).name
        source = next(d.name for d in service.deployments if d.name != to)
        readings = await self._readings(process)
        if any(reading.wildcards for reading in readings):
            return "left"
        plan = make_plan(service, source, to, readings, datetime.fromtimestamp(START + self._world.now, UTC))
        if not plan.steps:
            return "there already"
        await asyncio.sleep(self._world.random.choice((0.5, 5, 30)))  # a person reads the plan
        self._world.count("switches")
        self._world.note(str(process), f"switches to {to}")
        emergency = False
        if self._setting.platforms is not None:
            emergency = self._setting.platforms.random.random() < 0.3
            plan = with_actions(plan, service, emergency)
        ended = await self._runner(process).start(Started(plan=plan, emergency=emergency))
        return "unfinished" if ended.unfinished else str(ended.outcome)

    async def _readings(self, process: Process) -> list[ZoneReading]:
        service = self._setting.service
        providers = process.providers()
        found = []
        for entry in service.dns:
            provider, names = providers[entry.account], service.hostnames_in(entry.zone)
            reading = await provider.read(entry.zone, names)
            wanted = {
                d.name: {name: d.answer_for(name).record_sets(name, service.ttl) for name in names}
                for d in service.deployments
            }
            found.append(
                ZoneReading(
                    account=entry.account,
                    zone=entry.zone,
                    capabilities=provider.capabilities,
                    at=datetime.fromtimestamp(START + self._world.now, UTC),
                    records=reading.records,
                    wanted=wanted,
                )
            )
        return found

    def _runner(self, process: Process) -> Runner:
        runner = InattentiveRunner if self._world.planted == "undo that ignores others" else Runner
        return runner(
            self._setting.service,
            process.journal,  # type: ignore[arg-type]
            process.providers(),
            self._setting.names(process),  # type: ignore[arg-type]
            on_progress=lambda run: None,
            stop=process.stop,
            verify_timeout=RETRY_BUDGET,
            walk=_no_journeys,
            act=self._setting.operations(process),
            before=self._setting.before(process),
        )


async def _no_journeys(deployment: object, address: str) -> Sequence[object]:
    return ()


class Outsider:
    """Somebody who edits records at the provider, by hand, without asking."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._world = setting.world

    async def live(self) -> None:
        draw = self._world.random
        for _ in range(draw.choice((0, 0, 1, 2, 4))):
            await asyncio.sleep(draw.expovariate(1 / 25))
            self._edit()

    def _edit(self) -> None:
        draw = self._world.random
        copy = draw.choice(self._setting.copies)
        name = draw.choice(sorted(copy.past))
        now: AddressSet = copy.now(name)
        match draw.choice(("value", "value", "ttl", "details", "answer", "empty")):
            case "value":
                now = (record_set(name, "A", 120, [f"198.51.100.{draw.randint(1, 250)}"]),)
            case "ttl":
                now = tuple(replace(r, ttl=r.ttl + 1) for r in now)
            case "details":
                now = tuple(replace(r, details={r.values[0]: {"comment": f"edit {self._world.now:.1f}"}}) for r in now)
            case "answer":
                deployment = draw.choice(self._setting.service.deployments)
                now = deployment.answer_for(name).record_sets(name, self._setting.service.ttl)
            case "empty":
                now = ()
        self._world.count("edits by hand")
        copy.known[name].append(now)
        copy.put(name, now, "outsider")


async def closes_the_lid(setting: Setting, computer: Computer) -> None:
    """A computer that sleeps now and then, and whose clock is set."""
    draw = setting.world.random
    for _ in range(draw.choice((0, 0, 1, 2))):
        await asyncio.sleep(draw.expovariate(1 / 20))
        if draw.random() < 0.5:
            seconds = draw.uniform(6, 90)
            computer.asleep_until = setting.world.now + seconds
            computer.slept += seconds
            setting.world.note(computer.name, f"sleeps for {seconds:.0f} s")
        else:
            computer.set += draw.choice((-3600, 3600, 7))
            setting.world.note(computer.name, "has its clock set")
