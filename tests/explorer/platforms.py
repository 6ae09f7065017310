"""The platforms of a history: each deployment's app, what is asked of it, and how a request goes wrong."""

from __future__ import annotations

import asyncio
import random
from copy import deepcopy
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from changeover.accounts.accounts import Steering
from changeover.model.errors import Unavailable
from changeover.model.platforms.platform_observation import PlatformObservation, Process
from changeover.model.runs.run import Run, fold
from changeover.model.settings.action import Action, Phase, PlatformCall, Verb
from changeover.model.settings.platform import NoOptions, PlatformOperation, ScaleOptions
from changeover.model.settings.service import Deployment
from changeover.platforms.platform import Done, InDoubt
from changeover.switchover.actions.perform import ActionExecutor
from explorer import platform_promises
from explorer import process as processes

if TYPE_CHECKING:
    from explorer.history import Setting

WWW = "www.shop.example"
#: Bugs in what is done beside DNS that an explorer which is worth something finds.
PLANTED = ("repeat what is not the same twice", "undo to another number", "the other side is asked")


class ProcessOptions(ScaleOptions, frozen=True, forbid_unknown_fields=True):
    process: str = "web"


class HostnameOptions(Struct, frozen=True, forbid_unknown_fields=True):
    hostname: str


def _operation(verb: Verb, reverse: Verb | None, options: type[Struct] = NoOptions) -> PlatformOperation:
    idempotent = reverse is not None
    return PlatformOperation(
        verb=verb, does=verb, reverse=reverse, permission="", idempotent=idempotent, options=options
    )


class Kind:
    """What the platform of a history can be asked."""

    operations = (
        _operation("maintenance-on", "maintenance-off"),
        _operation("maintenance-off", "maintenance-on"),
        _operation("scale", "scale", ProcessOptions),
        _operation("attach-domain", "detach-domain", HostnameOptions),
        _operation("detach-domain", "attach-domain", HostnameOptions),
        _operation("restart", None),
    )


class App:
    """What runs of one deployment. `writers` has, by what was changed, who did it last."""

    def __init__(self, draw: random.Random) -> None:
        self.state: dict[str, Any] = {"maintenance": False, "web": draw.randint(0, 3), "worker": draw.randint(0, 2)}
        self.state |= {WWW: draw.random() < 0.5, "restarts": 0}
        self.writers: dict[str, object] = {}

    @property
    def observation(self) -> PlatformObservation:
        return observation_of(self.state)


def observation_of(state: dict[str, Any]) -> PlatformObservation:
    return PlatformObservation(
        wanted=state["web"],
        running=state["web"],
        maintenance=state["maintenance"],
        hostnames=(WWW,) if state[WWW] else (),
        processes=tuple(Process(name=name, wanted=state[name]) for name in ("web", "worker")),
    )


def effect(verb: str, options: dict[str, Any], state: dict[str, Any]) -> tuple[str, Any]:
    """What an operation changes, and to what."""
    match verb:
        case "maintenance-on" | "maintenance-off":
            return "maintenance", verb == "maintenance-on"
        case "scale":
            return options.get("process") or "web", options["instances"]
        case "attach-domain" | "detach-domain":
            return options["hostname"], verb == "attach-domain"
        case _:
            return "restarts", state["restarts"] + 1


class Asked(NamedTuple):
    """One request that changes something, and what became of it."""

    writer: tuple[str, str]
    key: str
    deployment: str
    verb: str
    landed: bool
    refused: bool


class Platforms:
    """Both apps, all that was ever asked of them, and the service's actions that ask."""

    def __init__(self, setting: Setting) -> None:
        self.world = setting.world
        #: A chance of its own, so that histories without platforms stay as they are.
        self.random = random.Random(f"platforms {self.world.seed}")
        self.apps = {name: App(self.random) for name in ("primary", "backup")}
        self.log: list[Asked] = []
        #: By computer, run and step, what a process saw right before it first began the step.
        self.stood: dict[tuple[str, str, str], dict[str, Any]] = {}

    def actions(self) -> tuple[Action, ...]:
        """Some of the steps that a team may have set up."""
        draw = self.random
        found = [
            self._action("quiet", Phase.QUIESCE, "primary", "maintenance-on", needs="source"),
            self._action("room", Phase.PROMOTE, "backup", "scale", instances=draw.randint(0, 5), together="side"),
            self._action("name", Phase.PROMOTE, "backup", "attach-domain", hostname=WWW, together="side"),
            self._action("anew", draw.choice((Phase.PROMOTE, Phase.LIFT)), "backup", "restart"),
            self._action("rest", Phase.FENCE, "primary", "scale", process="worker", instances=0, needs="source"),
        ]
        return tuple(action for action in found if draw.random() < 0.6)

    def _action(
        self,
        name: str,
        phase: Phase,
        deployment: str,
        verb: Verb,
        needs: str = "nothing",
        together: str = "",
        **options: Any,
    ) -> Action:
        planted = self.world.planted == PLANTED[0]
        return Action(
            name=name,
            phase=phase,
            operation=PlatformCall(deployment=deployment, verb=verb, options=options),
            to=("backup",),
            needs=needs,  # type: ignore[arg-type]
            together=together or None,
            repeatable=verb != "restart" or planted,
        )

    def call(self) -> tuple[str, PlatformOperation, dict[str, Any]]:
        """One operation that a person may ask for by itself."""
        draw = self.random
        restart = Kind.operations[-1]  # with it most can go wrong
        operation = draw.choice((*Kind.operations, restart, restart))
        if self.world.planted == PLANTED[0]:
            operation = replace(operation, idempotent=True)
        options: dict[str, Any] = {}
        if operation.verb == "scale":
            options = {"instances": draw.randint(0, 5), "process": draw.choice(("web", "worker"))}
        elif operation.options is HostnameOptions:
            options = {"hostname": WWW}
        return draw.choice(tuple(self.apps)), operation, options

    def executor(self, setting: Setting, process: processes.Process) -> ActionExecutor:
        """What does the operations of a process's runs: the real one, with the platforms of this history."""

        async def open_platform(deployment: Deployment) -> Steering:
            await process.point()
            name = deployment.name
            if self.world.planted == "the other side is asked" and self.random.random() < 0.2:
                name = next(other for other in self.apps if other != name)
            return Steering(Kind, OpenPlatform(self, process, deployment.name, name), None)  # type: ignore[arg-type]

        async def said(run: str) -> Run:
            return fold(await process.journal.read(run))

        return ActionExecutor(setting.service, None, Permitting(), open_platform, said)  # type: ignore[arg-type]

    async def hand(self) -> None:
        """Somebody who scales and restarts at the platform's own window, without asking."""
        for _ in range(self.random.choice((0, 0, 1, 2))):
            await asyncio.sleep(self.random.expovariate(1 / 25))
            name, operation, options = self.call()
            self.land(name, operation.verb, options, "somebody else")
            self.world.count("operations by hand")

    def land(self, name: str, verb: str, options: dict[str, Any], writer: object) -> None:
        app = self.apps[name]
        what, value = effect(verb, options, app.state)
        app.state[what] = value
        app.writers[what] = writer
        self.world.note(str(writer), f"{verb} at {name}: {what} is {value}")


class Permitting:
    """All that a history asks for was approved."""

    async def permit_action(self, service: object, action: object) -> None: ...

    async def permit_steering(self, service: object, action: object) -> None: ...


class OpenPlatform:
    """The app `name` as one process reaches it, which takes it for that of `deployment`."""

    def __init__(self, platforms: Platforms, process: processes.Process, deployment: str, name: str) -> None:
        self._platforms = platforms
        self._world = platforms.world
        self._process = process
        self._deployment = deployment
        self._name = name

    async def observe(self, target: object) -> PlatformObservation:
        await self._process.point()
        await asyncio.sleep(self._platforms.random.uniform(0.01, 0.4))
        fault = self._fault("unavailable", "hang")
        if fault == "hang":
            await asyncio.sleep(10_000)
        if fault:
            raise Unavailable("the platform does not answer")
        state = deepcopy(self._platforms.apps[self._name].state)
        await self._process.point()
        self._process.observed[self._deployment] = state
        if self._world.planted == "undo to another number":
            state = {**state, "web": state["web"] + 1}
        return observation_of(state)

    async def perform(self, target: object, verb: Verb, options: Struct, key: str) -> Done | InDoubt:
        told = {key: value for key, value in msgspec.to_builtins(options).items() if value not in (None, "")}
        platform_promises.asked(self._platforms, self._process, self._name, verb, told, key)
        await self._process.point()
        await asyncio.sleep(self._platforms.random.uniform(0.01, 0.4))
        fault = self._fault("refused", "lost before", "lost after", "hang before", "hang after")
        self._world.count(f"operation: {fault or 'done'}")
        landed = fault in ("", "lost after", "hang after")
        writer = (self._process.computer.name, self._process.run)
        self._platforms.log.append(Asked(writer, key, self._name, verb, landed, refused=fault == "refused"))
        if landed:
            self._platforms.land(self._name, verb, told, writer)
        await self._process.point()
        await asyncio.sleep(10_000 if fault.startswith("hang") else self._platforms.random.uniform(0.01, 0.4))
        await self._process.point()
        if fault == "refused":
            raise Unavailable("the platform refuses")
        return InDoubt("the answer was lost") if fault else Done("done")

    def _fault(self, *kinds: str) -> str:
        draw, world = self._platforms.random, self._world
        return draw.choice(kinds) if not world.calm and draw.uniform(0, 100) < world.faults else ""
